"""Texts with `${name}` as words and here-documents of bash: what is no variable is quoted, whatever it holds."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_PIECE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_SPECIAL = re.compile(r"([\\`$])")


class Raw(str):
    """A piece of bash that stands as it is."""

    __slots__ = ()


def pieces(text: str) -> Iterable[tuple[str, str]]:
    """Yield (literal text, "") and ("", name of a variable) in their order; `$$` is a literal dollar sign."""
    place, literal = 0, ""
    for found in _PIECE.finditer(text):
        literal += text[place : found.start()]
        place = found.end()
        if found[1] is None:
            literal += "$"
            continue
        if literal:
            yield literal, ""
        yield "", found[1]
        literal = ""
    if literal + text[place:]:
        yield literal + text[place:], ""


def word(text: str) -> str:
    """Return `text` as one word of bash; a variable that is not set ends the script with its name."""
    if isinstance(text, Raw):
        return str(text)
    flag, equals, rest = text.partition("=")
    if equals and isinstance(rest, str) and re.fullmatch(r"--[a-z-]+", flag) and rest:
        return f"{flag}={_joined(rest)}"
    return _joined(text) or "''"


def _joined(text: str) -> str:
    return "".join(f'"${{{name}?}}"' if name else shlex.quote(literal) for literal, name in pieces(text))


def line(*words: str) -> str:
    """Return one command."""
    return " ".join(word(one) for one in words)


def heredoc(text: str, mark: str = "YAML") -> str:
    """Return ` <<MARK` with `text` as its body, in which only `${name}` is replaced."""
    body = "".join(f"${{{name}?}}" if name else _SPECIAL.sub(r"\\\1", literal) for literal, name in pieces(text))
    lines = body.removesuffix("\n")
    while mark in lines.split("\n"):
        mark += "_"
    return f" <<{mark}\n{lines}\n{mark}"


def exact_heredoc(text: str, mark: str) -> str:
    """Return ` <<'MARK'` with `text` as its body, in which nothing is replaced."""
    lines = text.removesuffix("\n")
    while mark in lines.split("\n"):
        mark += "_"
    return f" <<'{mark}'\n{lines}\n{mark}"
