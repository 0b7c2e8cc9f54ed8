"""A step's `when` as a test of bash: the same operators, their texts as quoted words."""

from __future__ import annotations

from ansflow_desktop.executors.convert.words import word
from ansflow_desktop.pipelines.conditions import Token, tokens

_COMPARES = ("==", "!=")


def bash_test(text: str) -> str:
    """Return `[[ ... ]]` for a condition that was validated; one that is not raises UserError."""
    found = tokens(text)
    parts = [_part(token, _compared(found, index)) for index, token in enumerate(found)]
    return f"[[ {' '.join(parts)} ]]"


def _compared(found: list[Token], index: int) -> bool:
    before = found[index - 1].operator if index else ""
    after = found[index + 1].operator if index + 1 < len(found) else ""
    return before in _COMPARES or after in _COMPARES


def _part(token: Token, compared: bool) -> str:
    if token.operator:
        return token.operator
    return word(token.text) if compared else f'"$(ansflow_says {word(token.text)})" == yes'
