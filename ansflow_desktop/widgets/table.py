"""Tables: a model over a tuple of rows that sorts a list itself (performance.md), and a quiet, dense view of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.controls import plain_tip
from ansflow_desktop.widgets.focus_ring import Ringed
from ansflow_desktop.widgets.words import Look

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
LOOK = Qt.ItemDataRole.UserRole + 1
STRONG = Qt.ItemDataRole.UserRole + 2


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its heading, the text of a row, what sorts (the text by default), and how it looks.

    `look` gives icon and tone; `tip` a tool tip; `weight` the share of the width; `strong` and `right` the style. Where
    not even the `least` widths fit, the columns with a `spare` number are left out, the highest first.
    """

    title: str
    text: Callable[[Any], str]
    sort: Callable[[Any], Any] | None = None
    look: Callable[[Any], Look] | None = None
    tip: Callable[[Any], str] | None = None
    weight: int = 2
    least: int = 70
    strong: bool = False
    right: bool = False
    spare: int = 0


def fitting(columns: Sequence[Column], width: int) -> list[int]:
    """Return the numbers of the columns that are shown in `width` pixels."""
    shown = list(range(len(columns)))
    for number in sorted(shown, key=lambda one: -columns[one].spare):
        if columns[number].spare and sum(columns[one].least for one in shown) > width:
            shown.remove(number)
    return shown


class RowsModel(QAbstractTableModel):
    """Rows as they come from a presenter; keeps the order that one chose, and the selection, over every change."""

    def __init__(self, columns: Sequence[Column], key: Callable[[Any], str]) -> None:
        """Show rows in `columns`; `key` names a row so that it is found again after a change."""
        super().__init__()
        self._columns = tuple(columns)
        self._key = key
        self._rows: list[Any] = []
        self._order = (0, Qt.SortOrder.AscendingOrder)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns from left to right."""
        return self._columns

    @property
    def order(self) -> tuple[int, Qt.SortOrder]:
        """The column that sorts, and its direction."""
        return self._order

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show these rows in the chosen order; the same rows change in place, so that nothing blinks."""
        fresh = self._sorted(rows)
        if [self._key(row) for row in fresh] == [self._key(row) for row in self._rows]:
            self._replace(fresh)
            return
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        keys = [self._key(self._rows[index.row()]) for index in old]
        grew = len(fresh) != len(self._rows)
        self._rows = fresh
        places = {self._key(row): number for number, row in enumerate(fresh)}
        moved = [
            self.index(places[key], index.column()) if key in places else QModelIndex()
            for key, index in zip(keys, old, strict=True)
        ]
        self.changePersistentIndexList(old, moved)
        self.layoutChanged.emit()
        if grew:
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, max(0, len(fresh) - 1))

    def _replace(self, fresh: list[Any]) -> None:
        changed = [number for number, row in enumerate(fresh) if row != self._rows[number]]
        self._rows = fresh
        for number in changed:
            self.dataChanged.emit(self.index(number, 0), self.index(number, len(self._columns) - 1))

    def _sorted(self, rows: Sequence[Any]) -> list[Any]:
        number, order = self._order
        column = self._columns[number]
        result = sorted(rows, key=self._key)
        result.sort(key=column.sort or column.text, reverse=order is Qt.SortOrder.DescendingOrder)
        return result

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by `column` from now on."""
        self._order = (column, order)
        self.set_rows(self._rows)

    def row(self, number: int) -> Any:
        """Return row `number` as shown, None where there is none."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def number_of(self, key: str) -> int | None:
        """Return the number of the row of `key`, None where there is none."""
        return next((number for number, row in enumerate(self._rows) if self._key(row) == key), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's heading."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].title
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row = self.row(index.row())
        if row is None:
            return None
        column = self._columns[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.text(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(column.tip(row) if column.tip else column.text(row))
        if role == LOOK:
            return column.look(row) if column.look else None
        if role == STRONG:
            return (column.strong, column.right)
        return row if role == ROW else None


class _CellDelegate(QStyledItemDelegate):
    """A cell: icon where there is a look, one line of text, a hairline below, the selection as a soft band."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.fillRect(rect, QColor(theme.colour("accent_soft" if selected else "hover")))
        if selected and index.column() == 0:
            painter.fillRect(rect.left(), rect.top(), 3, rect.height(), QColor(theme.colour("accent")))
        painter.setPen(QColor(theme.colour("line")))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        self._text(painter, rect.adjusted(14, 0, -10, 0), index)

    @staticmethod
    def _text(painter: QPainter, inside: QRect, index: Index) -> None:
        look: Look | None = index.data(LOOK)
        strong, right = index.data(STRONG) or (False, False)
        tone = "text"
        if look is not None:
            tone = "text" if strong or look.tone == "ok" else look.tone
            icons.paint(painter, QRectF(inside.left(), inside.center().y() - 7, 16, 16), look.icon, look.tone)
            inside = inside.adjusted(23, 0, 0, 0)
        painter.setFont(theme.body_font(bold=strong))
        painter.setPen(QColor(theme.colour(tone)))
        text = str(index.data() or "").replace("\n", " ")
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, inside.width())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | side, shown)


class _Header(QHeaderView):
    """Headings over their cells, left as the text below, with the theme's own sort arrow."""

    def paintSection(self, painter: QPainter, rect: QRect, number: int) -> None:
        model = self.model()
        assert isinstance(model, RowsModel)
        painter.fillRect(rect, QColor(theme.colour("surface")))
        painter.setPen(QColor(theme.colour("line")))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        column = model.columns[number]
        inside = rect.adjusted(14, 0, -10, 0)
        sorting, order = model.order
        painter.setFont(theme.body_font(theme.SMALL_PX, bold=sorting == number))
        painter.setPen(QColor(theme.colour("text" if sorting == number else "muted")))
        side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        shown = painter.fontMetrics().elidedText(column.title, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | side, shown)
        if sorting == number and not column.right:
            left = inside.left() + painter.fontMetrics().horizontalAdvance(shown) + 4
            icon = "arrow-up" if order is Qt.SortOrder.AscendingOrder else "arrow-down"
            icons.paint(painter, QRectF(left, rect.center().y() - 6, 13, 13), icon, "muted")


class Table(Ringed, QTableView):
    """A table of a RowsModel; emits `activated_row(row)` on Enter or a double click, `chosen()` on a selection."""

    activated_row = Signal(object)
    chosen = Signal()

    def __init__(self, model: RowsModel, name: str) -> None:
        """Show `model`; `name` is for assistive tools."""
        super().__init__()
        self._rows_model = model
        model.setParent(self)
        self.setModel(model)
        self.setAccessibleName(name)
        self.setProperty("role", "flat")
        self.setItemDelegate(_CellDelegate(self))
        self.setMouseTracking(True)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.ROW_PX)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = _Header(Qt.Orientation.Horizontal, self)
        header.setAccessibleName(name)
        self.setHorizontalHeader(header)
        header.setSectionsClickable(True)
        header.setFixedHeight(34)
        header.setHighlightSections(False)
        header.sectionClicked.connect(self._on_heading)
        self.doubleClicked.connect(self._on_activated)
        self.selectionModel().selectionChanged.connect(self._on_selection)

    def resizeEvent(self, event: Any) -> None:
        """Share the width among the columns by their weights, none below its least."""
        super().resizeEvent(event)
        columns, left = self._rows_model.columns, self.viewport().width()
        shown = fitting(columns, left)
        room = max(0, left - sum(columns[number].least for number in shown))
        total = sum(columns[number].weight for number in shown) or 1
        for number, column in enumerate(columns):
            self.setColumnHidden(number, number not in shown)
            if number in shown:
                width = column.least + room * column.weight // total
                width = left if number == shown[-1] else width
                self.setColumnWidth(number, max(width, 40))
                left -= width

    def height_of_rows(self) -> int:
        """Return the height at which every row is shown."""
        return self.horizontalHeader().height() + self._rows_model.rowCount() * theme.ROW_PX + 2

    @Slot(int)
    def _on_heading(self, number: int) -> None:
        sorting, order = self._rows_model.order
        flip = sorting == number and order is Qt.SortOrder.AscendingOrder
        self._rows_model.sort(number, Qt.SortOrder.DescendingOrder if flip else Qt.SortOrder.AscendingOrder)
        self.horizontalHeader().viewport().update()

    @Slot(object)
    def _on_activated(self, index: QModelIndex) -> None:
        self.activated_row.emit(self._rows_model.row(index.row()))

    @Slot()
    def _on_selection(self) -> None:
        self.chosen.emit()

    def chosen_row(self) -> Any:
        """Return the selected row, None where none is."""
        rows = self.selectionModel().selectedRows()
        return self._rows_model.row(rows[0].row()) if rows else None

    def choose(self, key: str) -> None:
        """Select the row of `key` and show it; nothing happens where there is none."""
        number = self._rows_model.number_of(key)
        if number is not None:
            self.selectRow(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter activates the row; everything else is Qt's."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._on_activated(self.currentIndex())
        else:
            super().keyPressEvent(event)
