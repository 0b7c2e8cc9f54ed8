"""The steps of a pipeline: number, icon, name, type, state and problems; dragged or moved by Alt+Up and Alt+Down."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QDropEvent, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.presenters.pipeline_editor_state import StepRow
from ansflow_desktop.widgets import icons, theme, words
from ansflow_desktop.widgets.controls import plain_tip
from ansflow_desktop.widgets.focus_ring import Ringed

_ROW = Qt.ItemDataRole.UserRole
_HEIGHT = 48
_NUMBER = 22


class _StepDelegate(QStyledItemDelegate):
    """Two lines: the name, then type and place; on the right problems and how the last run went."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, _HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        step: StepRow = index.data(_ROW)
        rect: QRect = option.rect
        self._ground(painter, option, rect)
        tone = "text" if step.enabled else "muted"
        painter.setFont(theme.body_font(theme.SMALL_PX))
        painter.setPen(QColor(theme.colour("muted")))
        number = rect.adjusted(4, 0, 0, 0)
        number.setWidth(_NUMBER)
        painter.drawText(number, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, str(step.index + 1))
        icons.paint(painter, QRectF(number.right() + 9, rect.center().y() - 8, 18, 18), step.icon, tone)
        inside = rect.adjusted(_NUMBER + 41, 6, -10, -6)
        right = self._marks(painter, inside, step)
        inside.setRight(right)
        self._words(painter, inside, step, tone)

    @staticmethod
    def _ground(painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(theme.colour("accent_soft" if selected else "hover")))
        if selected:
            painter.fillRect(rect.left(), rect.top(), 3, rect.height(), QColor(theme.colour("accent")))
        painter.setPen(QColor(theme.colour("line")))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    @staticmethod
    def _marks(painter: QPainter, inside: QRect, step: StepRow) -> int:
        """Paint the marks from the right and return where they begin."""
        right = inside.right()
        marks = []
        if step.phase is not None:
            look = words.PHASE[step.phase]
            marks.append((look.icon, look.tone))
        if step.errors or step.warnings:
            marks.append(("alert-circle", "bad") if step.errors else ("alert", "warn"))
        if not step.enabled:
            marks.append(("power", "muted"))
        for icon, tone in marks:
            icons.paint(painter, QRectF(right - 16, inside.top() + 2, 16, 16), icon, tone)
            right -= 21
        return right

    @staticmethod
    def _words(painter: QPainter, inside: QRect, step: StepRow, tone: str) -> None:
        painter.setFont(theme.body_font(bold=step.enabled))
        painter.setPen(QColor(theme.colour(tone)))
        name = step.name or _("(no name)")
        elided = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop, elided)
        painter.setFont(theme.body_font(theme.SMALL_PX))
        painter.setPen(QColor(theme.colour("muted")))
        second = second_line(step)
        elided = painter.fontMetrics().elidedText(second, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignBottom, elided)


def second_line(step: StepRow) -> str:
    """Return what stands below a step's name: off, else its type and where it works."""
    label = translate(step.label)
    if not step.enabled:
        return translate(msg("Off. %(type)s", type=label))
    return f"{label}  {step.where}" if step.where else label


def spoken(step: StepRow) -> str:
    """Return everything about a step in one sentence, for assistive tools and the tool tip."""
    parts = [f"{step.index + 1}. {step.name}", second_line(step)]
    if step.errors:
        parts.append(translate(msg_n("%(count)s error", "%(count)s errors", step.errors)))
    if step.warnings:
        parts.append(translate(msg_n("%(count)s warning", "%(count)s warnings", step.warnings)))
    if step.first_problem:
        parts.append(translate(step.first_problem))
    if step.phase is not None:
        parts.append(translate(words.PHASE[step.phase].word))
    return ". ".join(parts)


class StepList(Ringed, QListWidget):
    """Emits `picked(index)`, `moved(index, to)` (`to` counted without the moved one) and what the keys ask for.

    Keys: Alt+Up, Alt+Down, Ctrl+C, Ctrl+V, Ctrl+D (duplicate), Delete, Space (turn on or off), Return (go to the form).
    """

    picked = Signal(int)
    moved = Signal(int, int)
    copy_asked = Signal(int)
    paste_asked = Signal()
    duplicate_asked = Signal(int)
    remove_asked = Signal(int)
    switch_asked = Signal(int)
    form_asked = Signal()

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.setObjectName("step_list")
        self.setAccessibleName(_("Steps of the pipeline"))
        self.setProperty("role", "flat")
        self.setItemDelegate(_StepDelegate(self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._filling = False
        self._rows: tuple[StepRow, ...] = ()
        self.currentRowChanged.connect(self._on_row)

    def show_rows(self, rows: tuple[StepRow, ...], selected: int | None) -> None:
        """Show these steps; items are kept and changed, so that nothing blinks."""
        if rows is self._rows:
            self._filling = True
            self._select(selected)
            self._filling = False
            return
        self._rows = rows
        self._filling = True
        while self.count() > len(rows):
            self.takeItem(self.count() - 1)
        for number, step in enumerate(rows):
            item = self.item(number)
            if item is None:
                item = QListWidgetItem()
                self.addItem(item)
            if item.data(_ROW) != step:
                self._fill(item, step)
        self._select(selected)
        self._filling = False

    @staticmethod
    def _fill(item: QListWidgetItem, step: StepRow) -> None:
        item.setData(_ROW, step)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken(step))
        item.setToolTip(plain_tip(spoken(step)))

    def _select(self, selected: int | None) -> None:
        if selected is None:
            self.setCurrentRow(-1)
            self.clearSelection()
        elif self.currentRow() != selected:
            self.setCurrentRow(selected)

    @Slot(int)
    def _on_row(self, index: int) -> None:
        if not self._filling and index >= 0:
            self.picked.emit(index)

    def height_of_rows(self) -> int:
        """Return the height at which every step is shown."""
        return self.count() * _HEIGHT + 2

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key asks for; everything else is Qt's."""
        if not self._step_key(event):
            super().keyPressEvent(event)

    def _step_key(self, event: QKeyEvent) -> bool:
        index, key = self.currentRow(), event.key()
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste_asked.emit()
            return True
        if index < 0:
            return False
        if event.modifiers() == Qt.KeyboardModifier.AltModifier and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(index, index + (-1 if key == Qt.Key.Key_Up else 1))
            return True
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_asked.emit(index)
            return True
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier and key == Qt.Key.Key_D:
            self.duplicate_asked.emit(index)
            return True
        return self._plain_key(key, index)

    def _plain_key(self, key: int, index: int) -> bool:
        if key == Qt.Key.Key_Delete:
            self.remove_asked.emit(index)
        elif key == Qt.Key.Key_Space:
            self.switch_asked.emit(index)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.form_asked.emit()
        else:
            return False
        return True

    # Dragging

    def supportedDropActions(self) -> Qt.DropAction:
        """Only moves within this list."""
        return Qt.DropAction.MoveAction

    def mimeData(self, items: list[QListWidgetItem]) -> QMimeData:  # type: ignore[override]  # the stub says Sequence
        """Carry the step as Qt does, for this list alone."""
        return super().mimeData(items)

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for the move; the list itself changes once the document has."""
        index, to = self.currentRow(), self.place_at(event.position().toPoint())
        event.setDropAction(Qt.DropAction.IgnoreAction)  # or Qt would take the dragged item out itself
        event.accept()
        self.setState(QAbstractItemView.State.NoState)
        self.viewport().update()
        if index >= 0 and to != index:
            self.moved.emit(index, to)

    def place_at(self, point: QPoint) -> int:
        """Return where the dragged step would stand if it were let go at `point`, counted without it."""
        item = self.itemAt(point)
        gap = self.count()
        if item is not None:
            rect = self.visualItemRect(item)
            gap = self.row(item) + (1 if point.y() > rect.center().y() else 0)
        return gap - 1 if gap > self.currentRow() else gap
