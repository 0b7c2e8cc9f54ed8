"""Quantities of Kubernetes (`100m`, `1.5Gi`, `12e6`) as numbers.

The grammar is that of apimachinery's resource.Quantity: a signed decimal, then a binary suffix (Ki to Ei), a decimal
one (n to E, nothing for ones), or an exponent.
"""

from __future__ import annotations

import re

_FORM = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?[0-9]{1,2}))?"
)
_BINARY = {name: 1024.0**power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)}
_DECIMAL = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_FACTORS = _BINARY | _DECIMAL
_LONGEST = 64


def parse(text: str) -> float:
    """Return the value of `text` in its own unit (cores, bytes); raises ValueError where it is no quantity."""
    match = _FORM.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if not match:
        raise ValueError(f"{text[:_LONGEST]!r} is no quantity")
    number, suffix, exponent = match.groups()
    if exponent:
        return float(f"{number}e{exponent}")
    return float(number) * _FACTORS.get(suffix, 1.0)


def parse_or_zero(text: str) -> float:
    """Return the value of `text`, 0 where it is no quantity: one odd object must not hide the sum of the others."""
    try:
        return parse(text)
    except ValueError:
        return 0.0
