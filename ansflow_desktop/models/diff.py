"""A difference as lines: what goes, what comes, and enough around it to find the place."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable

import msgspec

CONTEXT_LINES = 3
_EXACT_LINES = 2000  # beyond, lines that come up often no longer anchor the comparison: it would take seconds


class Sign(enum.StrEnum):
    """What a line of a difference says; GAP stands for lines that are the same on both sides and left out."""

    SAME = " "
    ADDED = "+"
    REMOVED = "-"
    GAP = "@"


class DiffLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: its `text` without a newline, and its number (from 1) on the `old` and on the `new` side, 0 for none.

    `secret` says that something in it was masked that differs between the two sides.
    """

    sign: Sign
    text: str = ""
    old: int = 0
    new: int = 0
    secret: bool = False


def diff_lines(old: str, new: str, context: int = CONTEXT_LINES) -> tuple[DiffLine, ...]:
    """Return how `new` differs from `old`, `context` equal lines around each change; empty where they are equal."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=len(before) + len(after) > _EXACT_LINES)
    found: list[DiffLine] = []
    for group in matcher.get_grouped_opcodes(context):
        if found or group[0][1] or group[0][3]:
            found.append(DiffLine(sign=Sign.GAP))
        for tag, one, two, three, four in group:
            if tag == "equal":
                pairs = zip(range(one, two), range(three, four), strict=True)
                found += [DiffLine(sign=Sign.SAME, text=before[i], old=i + 1, new=j + 1) for i, j in pairs]
                continue
            found += [DiffLine(sign=Sign.REMOVED, text=before[i], old=i + 1) for i in range(one, two)]
            found += [DiffLine(sign=Sign.ADDED, text=after[j], new=j + 1) for j in range(three, four)]
    return tuple(found)


def whole(text: str, sign: Sign) -> tuple[DiffLine, ...]:
    """Return every line of `text` as added, removed or the same."""
    old, new = sign is not Sign.ADDED, sign is not Sign.REMOVED
    return tuple(
        DiffLine(sign=sign, text=line, old=number if old else 0, new=number if new else 0)
        for number, line in enumerate(text.splitlines(), 1)
    )


def counts(lines: Iterable[DiffLine]) -> tuple[int, int]:
    """Return how many lines are added and how many removed."""
    signs = [line.sign for line in lines]
    return signs.count(Sign.ADDED), signs.count(Sign.REMOVED)
