"""What a row of the resource table shows, sorts by and is found by; quick enough for 50,000 rows (performance.md)."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.resource_table import TableColumn, TableRow

_SPAN = re.compile(r"(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS_S = (365 * 86400, 86400, 3600, 60, 1)
_COUNT = re.compile(r"\s*(-?\d+)")
_LONGEST = 400


class ShownColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the table on screen: `place` is the number of its cell, -1 for the namespace."""

    title: str
    kind: str = "text"
    place: int = -1
    wide: bool = False


def shown_columns(columns: Sequence[TableColumn], *, namespaces: bool) -> tuple[ShownColumn, ...]:
    """Return the columns to show; with `namespaces`, that of the namespace is the first (its title is empty)."""
    found = tuple(
        ShownColumn(title=one.name, kind=one.kind, place=number, wide=one.wide) for number, one in enumerate(columns)
    )
    return (ShownColumn(title=""), *found) if namespaces and found else found


def matching(rows: Sequence[TableRow], text: str) -> tuple[TableRow, ...]:
    """Return the rows that contain every word of `text`, in their order."""
    for word in text.lower().split():
        rows = [row for row in rows if word in row.text]
    return tuple(rows)


def sort_rows(rows: list[TableRow], column: ShownColumn, *, reverse: bool = False) -> None:
    """Sort `rows` in place by `column`; equal ones keep their order (benchmarks/rows.py).

    In place, and by the cells as they are where they can be compared: a new list touches every row.
    """
    place = column.place
    try:
        if place >= 0 and column.kind == "text":
            rows.sort(key=lambda row: row.cells[place], reverse=reverse)
        else:
            rows.sort(key=sort_key(column), reverse=reverse)
    except (TypeError, IndexError):
        rows.sort(key=sort_key(column), reverse=reverse)


def sort_key(column: ShownColumn) -> Callable[[TableRow], Any]:
    """Return what rows are sorted by in `column`: numbers and ages by their size, everything else as text."""
    place = column.place
    if place < 0:
        return attrgetter("key")
    if column.kind == "name":
        return attrgetter("name")
    if column.kind == "number":
        return lambda row: _number(_cell(row, place))
    if column.kind == "count":
        return lambda row: _count(str(_cell(row, place)))
    if column.kind == "span":
        return lambda row: -began(str(_cell(row, place)), row.read_at)
    return lambda row: str(_cell(row, place))


def cell_text(row: TableRow, column: ShownColumn, now: float) -> str:
    """Return what a cell shows at `now` (epoch seconds): an age goes on since the server told it."""
    if column.place < 0:
        return clean(row.namespace, _LONGEST)
    cell = _cell(row, column.place)
    if cell is None:
        return ""
    if column.kind == "span":
        start = began(str(cell), row.read_at)
        if math.isfinite(start):
            return span(now - start)
    return clean(str(cell), _LONGEST)


def _cell(row: TableRow, place: int) -> Any:
    return row.cells[place] if place < len(row.cells) else None


def _number(cell: Any) -> float:
    return float(cell) if isinstance(cell, int | float) else -math.inf


@functools.lru_cache(maxsize=4096)
def _count(text: str) -> int:
    found = _COUNT.match(text)
    return int(found.group(1)) if found else -1


def began(text: str, read_at: float) -> float:
    """Return when (epoch seconds) what has lasted `text` at `read_at` began; minus infinity where that is not known."""
    seconds, absolute = _seconds(text)
    return seconds if absolute else read_at - seconds


@functools.lru_cache(maxsize=65536)
def _seconds(text: str) -> tuple[float, bool]:
    """Return a span of Kubernetes (`2d3h`) in seconds, or a point in time (RFC 3339) as epoch seconds and True."""
    found = _SPAN.fullmatch(text)
    if found and text:
        return sum(int(part) * unit for part, unit in zip(found.groups(), _UNITS_S, strict=True) if part), False
    try:
        return datetime.fromisoformat(text).timestamp(), True
    except (ValueError, OverflowError, OSError):
        return math.inf, False


def span(seconds: float) -> str:
    """Return a span as Kubernetes prints it (apimachinery `duration.HumanDuration`): `45s`, `3m20s`, `5d3h`."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 2920 else f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")
