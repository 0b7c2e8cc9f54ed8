"""Durations as Helm and kubectl write them (Go's time.ParseDuration): `300s`, `5m`, `1h30m`, `1.5h`."""

from __future__ import annotations

import re

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_MOST = 2**63 / 1e9  # Go keeps nanoseconds in 64 bits


def parse_duration(text: str, field: str = "timeout") -> float:
    """Return the seconds that `text` says; raises UserError naming `field` where it is no duration above zero."""
    problem = duration_problem(text)
    if problem:
        raise UserError(
            msg("%(text)s is not a duration that can be used", text=text or '""'),
            problem,
            msg("Write a number with its unit, such as 300s, 5m or 1h30m."),
            field=field,
        )
    return _seconds(text)


def duration_seconds(text: str) -> float:
    """Return the seconds of a duration, 0 for what is none (nothing typed, or a variable that is not known yet)."""
    return 0 if duration_problem(text) else _seconds(text)


def duration_problem(text: str) -> Message | None:
    """Return why `text` is no duration above zero, None where it is one."""
    if not text:
        return msg("The duration is empty.")
    if text.startswith("-"):
        return msg("A duration cannot be negative.")
    if re.fullmatch(r"0+(\.0*)?", text):
        return msg("The duration is zero: nothing could be waited for.")
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text, re.ASCII):
        return msg("The unit is missing: write %(text)ss for seconds.", text=text)
    if not _WHOLE.fullmatch(text):
        return msg("Helm and kubectl do not understand it.")
    return _range_problem(_seconds(text))


def _range_problem(seconds: float) -> Message | None:
    if seconds <= 0:
        return msg("The duration is zero: nothing could be waited for.")
    if seconds >= _MOST:
        return msg("The duration is longer than Helm and kubectl can count.")
    return None


def _seconds(text: str) -> float:
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
