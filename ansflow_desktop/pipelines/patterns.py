"""Regular expressions that people write: which may be searched for, and how far, so that a search always ends soon.

Python's engine goes back and forth, holds the interpreter meanwhile, and cannot be stopped: a repeat within a repeat
takes time that doubles with every character.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from ansflow_desktop.i18n import Message, msg

codes: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")
_MANY = 100  # times: a repeat with such a bound costs as much as one without
_SEARCHED = (10_000, 5_000, 1_000, 200)  # characters of a line, by the number of repeats without a bound
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


def search_problem(text: str) -> Message | None:
    """Return why `text` cannot be searched for in bounded time, None where it can; it is a regular expression."""
    depth, count = _repeats(parser.parse(text))
    if depth > 1:
        return msg("A repeat within a repeat, as in (a+)+, can take for ever")
    if count >= len(_SEARCHED):
        return msg("It has %(count)d repeats without a bound; at most %(most)d", count=count, most=len(_SEARCHED) - 1)
    return None


def searched(text: str) -> int:
    """Return how many characters of a line are searched for `text`, which has no `search_problem`."""
    return _SEARCHED[min(_repeats(parser.parse(text))[1], len(_SEARCHED) - 1)]


def _repeats(parsed: Iterable[tuple[Any, Any]]) -> tuple[int, int]:
    """Return how deep repeats without a bound stand in one another, and how many there are."""
    depth = count = 0
    for code, argument in parsed:
        below, inner = _within(argument)
        if code in _REPEATS and (argument[1] is codes.MAXREPEAT or argument[1] >= _MANY):
            below, inner = below + 1, inner + 1
        depth, count = max(depth, below), count + inner
    return depth, count


def _within(argument: Any) -> tuple[int, int]:
    """Return the same for the patterns that stand in an operator's argument."""
    if isinstance(argument, parser.SubPattern):
        return _repeats(argument)
    found = [_within(each) for each in argument] if isinstance(argument, list | tuple) else []
    return max((depth for depth, _ in found), default=0), sum(count for _, count in found)
