"""Regular expressions that people write: which may be searched for, and how far, so that a search always ends soon.

Python's engine goes back and forth, holds the interpreter meanwhile, and cannot be stopped: what a repeat repeats must
match in one way only, for the ways multiply with every turn and double with every character.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ansflow_desktop.i18n import Message, msg

codes: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")
_MANY = 100  # times: a repeat with such a bound costs as much as one without
_MOST_WAYS = 14  # powers of two: in how many ways the bounded part of a pattern may match at one place
_SEARCHED = (10_000, 5_000, 1_000, 200)  # characters of a line, by the number of repeats without a bound
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


class _Cost(NamedTuple):
    """How deep repeats without a bound stand in one another, how many there are, and the ways of all else (log2)."""

    depth: int = 0
    endless: int = 0
    ways: float = 0.0


def search_problem(text: str) -> Message | None:
    """Return why `text` cannot be searched for in bounded time, None where it can; it is a regular expression."""
    cost = _cost(parser.parse(text))
    if cost.depth > 1 or cost.ways > _MOST_WAYS:
        return msg("A repeat within a repeat, as in (a+)+, can take for ever")
    if cost.endless >= len(_SEARCHED):
        return msg(
            "It has %(count)d repeats without a bound; at most %(most)d", count=cost.endless, most=len(_SEARCHED) - 1
        )
    return None


def searched(text: str) -> int:
    """Return how many characters of a line are searched for `text`, which has no `search_problem`."""
    return _SEARCHED[min(_cost(parser.parse(text)).endless, len(_SEARCHED) - 1)]


def _cost(parsed: Iterable[tuple[Any, Any]]) -> _Cost:
    """Return the cost of what stands one behind the other."""
    return _sum([_part(code, argument) for code, argument in parsed])


def _part(code: Any, argument: Any) -> _Cost:
    if code in _REPEATS:
        return _repeat(*argument)
    return _branch(argument[1]) if code is codes.BRANCH else _within(argument)


def _repeat(least: int, most: int, body: Any) -> _Cost:
    inner = _cost(body)
    if most is codes.MAXREPEAT or most >= _MANY:
        return _Cost(inner.depth + 1 + (inner.ways > 0), inner.endless + 1)
    return _Cost(inner.depth, inner.endless * most, inner.ways * most + math.log2(most - least + 1))


def _branch(alternatives: Sequence[Any]) -> _Cost:
    """Return the cost of alternatives; of those that begin with different letters only one can match."""
    costs = [_cost(each) for each in alternatives]
    heads = {chr(each[0][1]).lower() for each in alternatives if len(each) and each[0][0] is codes.LITERAL}
    ways = 0.0 if len(heads) == len(alternatives) else math.log2(len(alternatives))
    return _Cost(_sum(costs).depth, _sum(costs).endless, ways + max(each.ways for each in costs))


def _within(argument: Any) -> _Cost:
    """Return the cost of the patterns that stand in an operator's argument."""
    if isinstance(argument, parser.SubPattern):
        return _cost(argument)
    return _sum([_within(each) for each in argument]) if isinstance(argument, list | tuple) else _Cost()


def _sum(costs: Sequence[_Cost]) -> _Cost:
    depth = max((each.depth for each in costs), default=0)
    return _Cost(depth, sum(each.endless for each in costs), sum(each.ways for each in costs))
