"""Single values there and here: variables (`{{name}}` and `${name}`), durations (seconds and `300s`), flags, numbers.

A converter returns None for what it cannot convert: that value stays where it was, in AnsFlow's part of the step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.duration import duration_problem, parse_duration

Convert: TypeAlias = "Callable[[Any], Any]"

_THERE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}", re.ASCII)
_HERE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_SECONDS_OF = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})s", re.ASCII)
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DIGITS = 9


def text_here(value: Any) -> str | None:
    """Return an AnsFlow text with its variables written our way, other `$` so that they stay as they are."""
    text = plain_text(value)
    if text is None:
        return None
    parts: list[str] = []
    end = 0
    for match in _THERE.finditer(text):
        parts += [_escape(text[end : match.start()], variable_follows=True), f"${{{match.group(1)}}}"]
        end = match.end()
    return "".join([*parts, _escape(text[end:], variable_follows=False)])


def _escape(literal: str, *, variable_follows: bool) -> str:
    """Return a text that reads as `literal` here: a `$` is doubled only where it would mean something."""

    def doubled(match: re.Match[str]) -> str:
        following = literal[match.end() : match.end() + 1]
        last = not following and variable_follows
        return match.group() * 2 if len(match.group()) > 1 or following == "{" or last else match.group()

    return re.sub(r"\$+", doubled, literal)


def text_there(value: Any, *, spaced: bool = False) -> str | None:
    """Return a text of ours with its variables written AnsFlow's way; `spaced` writes `{{ name }}`."""
    text = plain_text(value)
    if text is None:
        return None
    form = "{{{{ {} }}}}" if spaced else "{{{{{}}}}}"
    return _HERE.sub(lambda match: form.format(match.group(1)) if match.group(1) else "$", text)


def respaced(text: str) -> str:
    """Return an AnsFlow text with its variables written `{{ name }}`."""
    return _THERE.sub(r"{{ \1 }}", text)


def command_here(value: Any) -> str | None:
    """Return a shell command with its variables as those of the shell; nothing else in it is touched."""
    text = plain_text(value)
    return None if text is None else _THERE.sub(r"${\1}", text)


def variables_in(text: str) -> list[str]:
    """Return the names of AnsFlow's variables in a text."""
    return [match.group(1) for match in _THERE.finditer(text)]


def spaced_in(text: str) -> bool:
    """Say whether a text writes its variables as `{{ name }}`."""
    found = [match.group() for match in _THERE.finditer(text)]
    return bool(found) and all(name.startswith("{{ ") and name.endswith(" }}") for name in found)


def all_texts(value: Any) -> list[str]:
    """Return every text in plain data but the names of mappings."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in all_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in all_texts(item)]
    return [value] if isinstance(value, str) else []


def plain_text(value: Any) -> str | None:
    """Return a scalar as text, None for anything that is no text that can be used (a NUL ends one)."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return repr(value)
    return value if isinstance(value, str) and "\0" not in value else None


def flag(value: Any) -> bool | None:
    """Return true or false for what says so."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(value.lower()) if isinstance(value, str) else None


def count_here(value: Any) -> int | str | None:
    """Return a whole number from 0, or the text with a variable that gives one."""
    number = _whole(value)
    if number is not None:
        return number
    return text_here(value) if isinstance(value, str) and variables_in(value) else None


def count_there(value: Any) -> int | str | None:
    """Return a whole number, or the text with a variable, for AnsFlow."""
    number = _whole(value)
    return text_there(value) if number is None and isinstance(value, str) and "${" in value else number


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_DIGITS:
        return value
    return None


def duration_here(value: Any) -> str | None:
    """Return seconds as a duration (`300s`); None for what no wait can be: zero, negative, beyond what Go counts."""
    if isinstance(value, str) and variables_in(value):
        return f"{text_here(value)}s"
    text = plain_text(value)
    if text is None or not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text, re.ASCII):
        return None
    return None if duration_problem(f"{text}s") else f"{text}s"


def duration_there(value: Any) -> int | float | str | None:
    """Return a duration as seconds, whole where it is; a variable's text with its `s` taken off."""
    if not isinstance(value, str):
        return None
    variable = _SECONDS_OF.fullmatch(value)
    if variable:
        return text_there(variable.group(1))
    try:
        seconds = parse_duration(value)
    except UserError:
        return None
    return int(seconds) if seconds == math.floor(seconds) else seconds


def files_here(value: Any) -> list[str] | None:
    """Return one path (or a list of them) as a list."""
    texts = [text_here(item) for item in (value if isinstance(value, list) else [value])]
    return [text for text in texts if text] if texts and all(texts) else None


def files_there(value: Any) -> str | None:
    """Return the last file of a list, the one that wins: AnsFlow takes one."""
    items = value if isinstance(value, list | tuple) else [value]
    return text_there(items[-1]) if items else None
