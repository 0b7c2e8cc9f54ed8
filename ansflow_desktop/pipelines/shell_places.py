"""Where in a text for `sh -c` a variable stands, and its value quoted for that place.

A value must never become part of the command (pipeline-file.md, "Variables"); people put quotes around variables out
of habit: inside quotes, these are closed before the quoted value and opened again after it.
"""

from __future__ import annotations

import enum
import re
import shlex

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg

VARIABLE = "\0"
"""What stands for a variable in a text whose places are looked at; no command can hold it."""

_CASE = re.compile(r"\bcase\b")
_PLAIN_PARAMETER = re.compile(r"\$\{\w+\}", re.ASCII)


class Place(enum.Enum):
    """What is around a variable; OTHER where quoting a value is not reliable."""

    BARE = ""
    DOUBLE = '"'
    SINGLE = "'"
    OTHER = "?"


def places(text: str) -> list[Place]:
    """Return where each `VARIABLE` of `text` stands, in their order."""
    return _Scan(text).found


def quoted(value: str, place: Place, name: str) -> str:
    """Return `value` as it is put in at `place`; raises UserError naming variable `name` where it cannot be quoted."""
    plain = shlex.quote(value)
    if plain == value or (place is Place.OTHER and not value):
        return value
    if place is not Place.OTHER:
        return f"{place.value}{plain}{place.value}"
    raise UserError(
        msg("The value of %(name)s cannot be quoted where it stands in the command", name=name),
        msg("It holds characters that a shell gives a meaning."),
        msg("Take the variable out of the here-document, comment or backticks, or write the command as a list."),
    )


class _Scan:
    """One pass over a text as a POSIX shell reads it; what it does not follow to the end makes the rest OTHER."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[str] = []  # what is open around: a double quote, or a parenthesis inside one
        self._lost = False
        self.found: list[Place] = []
        while self._at < len(text):
            self._at += self._one(text[self._at])

    def _one(self, char: str) -> int:
        """Look at one character and return how many are done with."""
        if char == VARIABLE:
            self.found.append(self._here())
        elif char == "\\":
            return self._escaped()
        elif char == "`":
            self._lost = True
        elif char == "$":
            return self._dollar()
        elif char == '"':
            self._toggle()
        elif not self._in_double:
            return self._bare(char)
        return 1

    @property
    def _in_double(self) -> bool:
        return bool(self._open) and self._open[-1] == '"'

    def _here(self) -> Place:
        if self._lost:
            return Place.OTHER
        return Place.DOUBLE if self._in_double else Place.BARE

    def _toggle(self) -> None:
        if self._in_double:
            self._open.pop()
        else:
            self._open.append('"')

    def _escaped(self) -> int:
        if self._text[self._at + 1 : self._at + 2] == VARIABLE:
            self.found.append(Place.OTHER)
        return 2

    def _dollar(self) -> int:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "(" and self._in_double:
            self._open.append("(")
            return 2
        if following == "{":
            plain = _PLAIN_PARAMETER.match(self._text, self._at)
            self._lost = self._lost or plain is None
            return len(plain[0]) if plain else 1
        if not self._in_double and following in (VARIABLE, "'"):
            self._lost = True
        return 1

    def _bare(self, char: str) -> int:
        if char == "'":
            return self._single()
        if char == "#" and self._text[self._at - 1 : self._at] in ("", *" \t\n;&|()"):
            return self._comment()
        if self._text.startswith("<<", self._at) or (self._open and _CASE.match(self._text, self._at)):
            self._lost = True
        elif char == "(" and self._open:
            self._open.append("(")
        elif char == ")" and self._open:
            self._open.pop()
        return 1

    def _single(self) -> int:
        end = self._text.find("'", self._at + 1)
        inside = self._text[self._at + 1 : end if end >= 0 else None]
        self.found += [Place.OTHER if self._lost else Place.SINGLE] * inside.count(VARIABLE)
        return len(inside) + 2

    def _comment(self) -> int:
        comment = self._text[self._at :].partition("\n")[0]
        self.found += [Place.OTHER] * comment.count(VARIABLE)
        return len(comment)
