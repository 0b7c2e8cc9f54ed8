"""The words of a Go template (text/template): texts and actions, an action cut into tokens; errors with their line.

Written after the language's description (pkg.go.dev/text/template) and what helm 3.22 and 4.3 say of broken templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ansflow_desktop.i18n import Message, msg

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<raw>`[^`]*`)
  | (?P<char>'(?:\\.|[^'\\\n])+')
  | (?P<number>[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)i?)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
  | (?P<mark>:=|[().,|=])
    """,
    re.VERBOSE,
)
_ENDS = frozenset(" \t\r\n.,|:)(")  # what may follow a name, a field or a variable


class TemplateError(Exception):
    """What Helm would refuse in a template: `reason`, and the line (from 1) in the file."""

    def __init__(self, reason: Message, line: int) -> None:
        """Keep the parts."""
        super().__init__(str(reason))
        self.reason = reason
        self.line = line


class Token(msgspec.Struct, frozen=True):
    """A token of an action: its kind (space, string, raw, char, number, field, variable, word, mark) and text."""

    kind: str
    text: str
    line: int


class Action(msgspec.Struct, frozen=True):
    """What stands between `{{` and `}}`, without spaces at its ends."""

    tokens: tuple[Token, ...]
    line: int


def actions(text: str) -> Iterator[Action]:
    """Yield the actions of a template in order, comments left out; raises TemplateError."""
    place = 0
    while (start := text.find("{{", place)) >= 0:
        line = text.count("\n", 0, start) + 1
        inner = start + 2
        inner += 1 if re.match(r"-[ \t\r\n]", text[inner : inner + 2]) else 0
        after = re.compile(r"\s*/\*").match(text, inner)
        if after and after.end() - 2 - inner <= (1 if text[inner : inner + 1].isspace() else 0):
            place = _comment_end(text, after.end(), line)
            continue
        tokens, place = _tokens(text, inner, line)
        yield Action(tuple(tokens), line)


def _comment_end(text: str, place: int, line: int) -> int:
    closed = text.find("*/", place)
    if closed < 0:
        raise TemplateError(msg("A comment is not closed."), line)
    end = re.compile(r"(?:[ \t\r\n]-)?}}").match(text, closed + 2)
    if not end:
        raise TemplateError(msg("A comment must end right before the closing braces."), line)
    return end.end()


def _tokens(text: str, place: int, began: int) -> tuple[list[Token], int]:
    """Return the tokens up to the closing braces, and the place behind these."""
    found: list[Token] = []
    closing = re.compile(r"(?:[ \t\r\n]+-)?}}")
    while place < len(text):
        end = closing.match(text, place)
        if end:
            while found and found[-1].kind == "space":
                found.pop()
            return found[1:] if found and found[0].kind == "space" else found, end.end()
        line = text.count("\n", 0, place) + 1
        token = _TOKEN.match(text, place)
        if not token or not token.lastgroup:
            raise TemplateError(_unexpected(text[place]), line)
        kind, words = token.lastgroup, token.group()
        place = token.end()
        _check_end(kind, words, text[place : place + 1], text[place : place + 2], line)
        found.append(Token(kind, words, line))
    raise TemplateError(msg("An action is not closed."), began)


def _check_end(kind: str, words: str, following: str, two: str, line: int) -> None:
    if (
        kind in ("field", "variable", "word")
        and following
        and following not in _ENDS
        and two != "}}"
        and following != "="
    ):
        raise TemplateError(msg("%(character)s cannot stand in a name.", character=following), line)
    if kind == "number" and (following.isalnum() or following == "_"):
        raise TemplateError(msg("%(text)s is no number.", text=words + following), line)


def _unexpected(character: str) -> Message:
    if character in "\"'`":
        return msg("A text in quotes is not closed.")
    return msg("%(character)s cannot stand here.", character=character)
