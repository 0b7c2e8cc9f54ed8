"""The table of any kind of object: tens of thousands of rows, sorted as a list and never through a proxy model.

What a sort, a new list or a watch's change costs is in performance.md, "The window's event loop"; benchmarks/rows.py
and benchmarks/stall.py measure it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from operator import attrgetter, is_
from typing import Any

from PySide6.QtCore import QModelIndex, QRect, Qt
from PySide6.QtGui import QCursor, QPainter, QPaintEvent

from ansflow_desktop.i18n import _
from ansflow_desktop.models.resource_table import TableRow
from ansflow_desktop.presenters.resource_rows import ShownColumn, cell_text, sort_rows
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.controls import plain_tip
from ansflow_desktop.widgets.focus_ring import paint_ring
from ansflow_desktop.widgets.resource_paint import STATE_TITLES, Lane, RowPainter
from ansflow_desktop.widgets.table import ROW, Column, Index, RowsModel, Table

_SAMPLE = 40
_LEAST_PX, _FAIR_PX, _MOST_PX = 64, 170, 420
_ARROW_PX = 12


class ResourceModel(RowsModel):
    """Rows of a cluster's objects in the order that one chose; a selected row stays selected wherever it goes."""

    def __init__(self) -> None:
        """Start without columns and rows."""
        super().__init__((), attrgetter("key"))
        self._shown: tuple[ShownColumn, ...] = ()

    @property
    def shown(self) -> tuple[ShownColumn, ...]:
        """The columns from left to right."""
        return self._shown

    def show(self, columns: Sequence[ShownColumn], rows: Sequence[TableRow]) -> None:
        """Show these columns and rows; other columns than before begin anew, the last seen or the first in order."""
        if tuple(columns) == self._shown:
            self.set_rows(rows)
            return
        self.beginResetModel()
        self._shown = tuple(columns)
        self._columns = tuple(
            Column(title=one.title or _("Namespace"), text=_nothing, right=one.kind == "number") for one in columns
        )
        first = next((number for number, one in enumerate(columns) if one.title == "Last Seen"), 0)
        self._order = (first, Qt.SortOrder.AscendingOrder)
        self._rows = self._sorted(rows)
        self.endResetModel()

    def set_rows(self, rows: Sequence[TableRow]) -> None:
        """Show these rows: newcomers are inserted, the gone ones removed, and the rest moves or changes in place."""
        fresh = {row.key: row for row in rows}
        now = [fresh.pop(row.key, None) for row in self._rows]
        gone = [old for old, new in zip(self._rows, now, strict=True) if new is None] if None in now else []
        kept = [row for row in now if row is not None] if gone else now
        wanted = self._sorted([*kept, *fresh.values()])
        if not gone and not fresh and all(map(is_, wanted, now)):
            self._take(wanted)
            return
        self._insert(list(fresh.values()))
        self._arrange(wanted + gone, len(wanted))
        self._remove(len(gone))

    def _take(self, fresh: list[TableRow]) -> None:
        """Show other contents of the same rows in the same places."""
        self._rows = fresh
        if fresh and self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(len(fresh) - 1, len(self._shown) - 1))

    def _insert(self, rows: list[TableRow]) -> None:
        if rows:
            start = len(self._rows)
            self.beginInsertRows(QModelIndex(), start, start + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def _remove(self, count: int) -> None:
        if count:
            end = len(self._rows)
            self.beginRemoveRows(QModelIndex(), end - count, end - 1)
            del self._rows[end - count :]
            self.endRemoveRows()

    def _arrange(self, rows: list[TableRow] | None = None, stay: int | None = None) -> None:
        """Show the same rows in another order (None: sort them); what is selected is followed to its new place.

        Only the first `stay` of them are (None: all): the selection of a row that goes is not passed to its neighbour.
        """
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        followed = [self._rows[index.row()] for index in old]
        self._rows = self._sorted(self._rows) if rows is None else rows
        if old:
            places = _places(followed, self._rows[:stay])
            moved = [
                self.index(places[row.key], index.column()) if row.key in places else QModelIndex()
                for row, index in zip(followed, old, strict=True)
            ]
            self.changePersistentIndexList(old, moved)
        self.layoutChanged.emit()

    def _sorted(self, rows: Sequence[TableRow]) -> list[TableRow]:
        """Return the rows in the chosen order: the list itself, sorted, where `rows` is one."""
        result = rows if isinstance(rows, list) else list(rows)
        if self._shown:
            number, order = self._order
            sort_rows(result, self._shown[number], reverse=order is Qt.SortOrder.DescendingOrder)
        return result

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by `column` from now on; equal ones keep their order.

        In one go: slices with events in between make each stall shorter and all of them a third longer.
        """
        self._order = (column, order)
        self._arrange()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows; ages go on."""
        number = index.row()
        if not 0 <= number < len(self._rows):
            return None
        row, column = self._rows[number], self._shown[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cell_text(row, column, time.time())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(cell_text(row, column, time.time()))
        return row if role == ROW else None


def _places(followed: Sequence[TableRow], rows: Sequence[TableRow]) -> dict[str, int]:
    """Return where in `rows` the `followed` ones are now, by key: itself, else what is known of the same object now.

    To look at which row it is costs a fifth of looking at each one's key.
    """
    ids = list(map(id, rows))
    same = {id(row): row.key for row in followed}
    found = {same[known]: ids.index(known) for known in frozenset(same).intersection(ids)}
    missing = {row.key for row in followed} - found.keys()
    names = [row.key for row in rows] if missing else []
    return found | {key: names.index(key) for key in missing.intersection(names)}


def _nothing(_row: Any) -> str:
    return ""


def narrowed(widths: Sequence[int], shown: Sequence[int], room: int) -> list[int]:
    """Return `widths` so that the columns `shown` fit into `room` pixels: long ones give, none goes below _FAIR_PX.

    What is too wide even so scrolls sideways.
    """
    result = list(widths)
    over = sum(widths[number] for number in shown) - room
    spare = {number: widths[number] - _FAIR_PX for number in shown if widths[number] > _FAIR_PX}
    total = sum(spare.values())
    if over > 0 and total:
        for number, more in spare.items():
            result[number] -= min(more, -(-over * more // total))
    return result


class ResourceTable(Table):
    """A table of a ResourceModel; columns are as wide as what stands in the first rows, and can be drawn wider."""

    def __init__(self, model: ResourceModel, name: str) -> None:
        """Show `model`; `name` is for assistive tools."""
        super().__init__(model, name)
        self._model = model
        self._paint = RowPainter()
        self._wide = False
        self._widths: list[int] = []
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollMode(Table.ScrollMode.ScrollPerPixel)
        model.modelReset.connect(self._on_reset)

    def _on_reset(self) -> None:
        """Measure the first rows, never all (performance.md)."""
        self._widths = [self._width(number) for number in range(self._model.columnCount())]
        self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows that are seen."""
        painter = QPainter(self.viewport())
        self._paint.begin(painter, time.time())
        area, height = event.rect(), theme.ROW_PX
        lanes = self._lanes(area)
        chosen = {index.row() for index in self.selectionModel().selectedRows()}
        hovered = self._hovered()
        last = self.rowAt(area.bottom())
        for number in range(max(0, self.rowAt(area.top())), (last if last >= 0 else self._model.rowCount() - 1) + 1):
            state = "selected" if number in chosen else "hover" if number == hovered else ""
            rect = QRect(0, self.rowViewportPosition(number), self.viewport().width(), height)
            self._paint.row(self._model.row(number), lanes, rect, state)
        painter.end()
        paint_ring(self)

    def _lanes(self, area: QRect) -> list[Lane]:
        """Return the columns of which something lies in `area`."""
        found = [
            Lane(self.columnViewportPosition(number), self.columnWidth(number), one, self._model.columns[number].right)
            for number, one in enumerate(self._model.shown)
            if not self.isColumnHidden(number)
        ]
        return [lane for lane in found if lane.left <= area.right() and lane.left + lane.width > area.left()]

    def _hovered(self) -> int:
        viewport = self.viewport()
        return self.rowAt(viewport.mapFromGlobal(QCursor.pos()).y()) if viewport.underMouse() else -1

    def show_wide(self, wide: bool) -> None:
        """Show also the columns that `kubectl get -o wide` adds, or hide them."""
        if wide != self._wide:
            self._wide = wide
            self.fit()

    def changeEvent(self, event: Any) -> None:
        """Paint in the colours and fonts of another theme."""
        super().changeEvent(event)
        if hasattr(self, "_paint"):
            self._paint.refresh()

    def resizeEvent(self, event: Any) -> None:
        """Give the room that is left to the columns."""
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Share what room is left by the columns' widths."""
        if not hasattr(self, "_paint"):
            return
        shown = [number for number, one in enumerate(self._model.shown) if self._wide or not one.wide]
        widths = narrowed(self._widths, shown, self.viewport().width())
        total = sum(widths[number] for number in shown) or 1
        room = max(0, self.viewport().width() - total)
        for number, width in enumerate(widths):
            self.setColumnHidden(number, number not in shown)
            self.setColumnWidth(number, width + room * width // total)

    def _width(self, number: int) -> int:
        column, now, advance = self._model.shown[number], time.time(), self._paint.advance
        longest = advance(self._model.columns[number].title) + _ARROW_PX
        for place in range(min(_SAMPLE, self._model.rowCount())):
            longest = max(longest, advance(cell_text(self._model.row(place), column, now)))
        room = 56 if column.title in STATE_TITLES else 32
        return max(_LEAST_PX, min(_MOST_PX, longest + room))
