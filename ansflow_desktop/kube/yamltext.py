"""YAML of files that others wrote: read with caps on size, nesting and aliases, errors with their line.

Without the caps a small file kills the program: the C loader overflows its stack at some 20,000 nested brackets
(seen), and aliases grow without bound when written out again (failure-modes.md, row 32).
"""

from __future__ import annotations

from typing import Any

import yaml

from ansflow_desktop.i18n import Text, msg

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 100
MAX_ALIASES = 100


class YamlProblem(Exception):
    """Why a text could not be read: `reason` in plain words or the parser's, `line` and `column` from 1 (0: none)."""

    def __init__(self, reason: Text, line: int = 0, column: int = 0) -> None:
        """Keep the parts."""
        super().__init__(str(reason), line, column)
        self.reason = reason
        self.line = line
        self.column = column

    def text(self) -> Text:
        """Return the reason with its place."""
        if not self.line:
            return self.reason
        return msg(
            "line %(line)s, column %(column)s: %(reason)s", line=self.line, column=self.column, reason=self.reason
        )


def read_text(data: bytes) -> str:
    """Return bytes of a file as text, byte order mark removed (UTF-8, or UTF-16 with a mark).

    Raises YamlProblem for other encodings and for more than `MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise YamlProblem(msg("the file is larger than %(size)s MiB", size=MAX_BYTES // 1024 // 1024))
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlProblem(msg("the file is not UTF-8 text"), line, 1) from error


def load(text: str) -> Any:
    """Return the value of the one YAML document in `text` (None when it is empty); raises YamlProblem."""
    try:
        _check_events(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)  # the C form of the safe loader
    except yaml.YAMLError as error:
        raise _problem(error) from error
    except (ValueError, TypeError, RecursionError) as error:  # dates such as 2026-99-99, unhashable keys
        raise YamlProblem(str(error)) from error


def _check_events(text: str) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            raise _too_much(event, depth)


def _too_much(event: yaml.Event, depth: int) -> YamlProblem:
    nested = msg("more than %(limit)s levels of nesting", limit=MAX_DEPTH)
    reason = nested if depth > MAX_DEPTH else msg("more than %(limit)s aliases", limit=MAX_ALIASES)
    mark = event.start_mark
    return YamlProblem(reason, mark.line + 1, mark.column + 1) if mark else YamlProblem(reason)


def _problem(error: yaml.YAMLError) -> YamlProblem:
    mark = getattr(error, "problem_mark", None)
    words = str(getattr(error, "problem", "") or getattr(error, "reason", "") or error)
    return YamlProblem(words, mark.line + 1, mark.column + 1) if mark else YamlProblem(words)
