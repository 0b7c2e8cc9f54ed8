"""A step's `when`: `${env} == "prod"`, `!=`, `&&`, `||`, `!`, parentheses; a text alone is met unless it says no.

A parser of its own: nothing of the text is ever run. Variables are replaced inside single words and quoted texts after
the condition was taken apart, so a value can hold anything without becoming part of the condition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.pipelines.variables import fill, names_in

MAX_LENGTH = 4096
MAX_DEPTH = 50
NOT_MET = frozenset({"", "false", "0", "no"})

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator>==|!=|&&|\|\||!|\(|\))      |
      "(?P<double>[^"]*)"                      |
      '(?P<single>[^']*)'                      |
      (?P<word>(?:\$\{[^}]*\}|[^\s"'()=!&|])+)
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One part: an operator, or a text (quoted, or a word) with `operator` empty."""

    text: str
    operator: str
    place: int


def met(text: str, variables: Mapping[str, str]) -> bool:
    """Say whether the condition `text` is met; an empty one is.

    Raises UserError (field `when`) for an undefined variable, wherever it stands, and for what is no condition.
    """
    if not text.strip():
        return True
    try:
        return _Parser(text, lambda part: fill(part, variables)).result()
    except UserError as error:
        error.field = "when"
        raise


def condition_problem(text: str) -> Message | None:
    """Return why `text` is no condition, None where it is one; variables need not be defined."""
    error = condition_error(text)
    return None if error is None else msg("%(reason)s", reason=error.title)


def condition_error(text: str) -> UserError | None:
    """Return the error that `met` would raise for what is no condition, with a hint, None where it is one."""
    if not text.strip():
        return None
    try:
        _Parser(text, _checked).result()
    except UserError as error:
        return error
    return None


def _checked(part: str) -> str:
    names_in(part)
    return part


class _Parser:
    """Recursive descent over one condition; both sides of an operator are always looked at."""

    def __init__(self, text: str, value: Callable[[str], str]) -> None:
        """Take the text apart; `value` gives a text's value with its variables replaced."""
        self._value = value
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    def result(self) -> bool:
        """Return what the whole condition says; raises UserError where something is left over."""
        said = self._any()
        if self._next < len(self._tokens):
            raise self._unexpected()
        return said

    def _any(self) -> bool:
        said = self._all()
        while self._take("||"):
            said = self._all() or said
        return said

    def _all(self) -> bool:
        said = self._not()
        while self._take("&&"):
            said = self._not() and said
        return said

    def _not(self) -> bool:
        if not self._take("!"):
            return self._comparison()
        self._deeper()
        said = not self._not()
        self._depth -= 1
        return said

    def _comparison(self) -> bool:
        if self._take("("):
            return self._group()
        left = self._text()
        if self._take("=="):
            return left == self._text()
        if self._take("!="):
            return left != self._text()
        return left.strip().lower() not in NOT_MET

    def _group(self) -> bool:
        self._deeper()
        said = self._any()
        self._depth -= 1
        if not self._take(")"):
            raise _wrong(msg("A closing parenthesis is missing"))
        return said

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _wrong(msg("The condition is too deeply nested"))

    def _take(self, operator: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next].operator == operator
        self._next += found
        return found

    def _text(self) -> str:
        if self._next >= len(self._tokens):
            raise _wrong(msg("The condition ends where a text or a variable is expected"))
        token = self._tokens[self._next]
        if token.operator:
            raise self._unexpected()
        self._next += 1
        return self._value(token.text)

    def _unexpected(self) -> UserError:
        token = self._tokens[self._next]
        return _misplaced(token.operator or token.text, token.place)


def tokens(text: str) -> list[Token]:
    """Return the parts of a condition in order; raises UserError for what is no part of one."""
    if len(text) > MAX_LENGTH:
        raise _wrong(msg("The condition is longer than %(most)s characters", most=MAX_LENGTH))
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unreadable(text, place)
        found.append(_token(match))
        place = match.end()
    return found


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or ""
    part = match.group(kind)
    return Token("" if kind == "operator" else part, part if kind == "operator" else "", match.start(kind) + 1)


def _unreadable(text: str, place: int) -> UserError:
    rest = text[place:].lstrip()
    if rest[0] in "\"'":
        return _wrong(msg("A closing quote is missing"))
    return _misplaced(rest[0], len(text) - len(rest) + 1)


def _misplaced(what: str, place: int) -> UserError:
    return _wrong(msg("%(what)s is not expected at character %(place)s", what=what or '""', place=place))


def _wrong(title: Message) -> UserError:
    hint = msg("Compare with == or !=, combine with && and ||, and put texts with spaces in quotes.")
    return UserError(title, "", hint, field="when")
