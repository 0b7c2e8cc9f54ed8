"""All problems of a pipeline in one list: icon, word, text and field; a click or Enter goes to the field."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop.i18n import Message, _, msg, msg_n, translate
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.controls import label, plain_tip
from ansflow_desktop.widgets.focus_ring import Ringed

MAX_HEIGHT = 190
MAX_ROWS = 200
_DATA = Qt.ItemDataRole.UserRole
_LEFT, _PAD, _GAP = 32, 6, 2
_MAX_DETAIL_LINES = 3

LOOKS: dict[Severity, tuple[Message, str, str]] = {
    Severity.ERROR: (msg("Error"), "alert-circle", "bad"),
    Severity.WARNING: (msg("Warning"), "alert", "warn"),
    Severity.INFO: (msg("Note"), "information-outline", "muted"),
}


def title_of(problem: Problem) -> str:
    """Return the line in front: the severity's word and what is wrong."""
    severity = translate(LOOKS[problem.severity][0])
    return translate(msg("%(what)s: %(words)s", what=severity, words=translate(problem.title)))


def detail_of(problem: Problem) -> str:
    """Return the tool's own words and what to do, on one line."""
    parts = (" ".join(translate(part).split()) for part in (problem.message, problem.hint))
    return " ".join(part for part in parts if part)


class _Delegate(QStyledItemDelegate):
    """Paints a problem; its height follows from the list's width."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        view = self.parent()
        width = view.viewport().width() if isinstance(view, QListWidget) else option.rect.width()
        title, detail, field = self._parts(index.data(_DATA), QRect(0, 0, max(80, width), 0))
        return QSize(80, title.height() + detail.height() + field.height() + 2 * _PAD)

    def _parts(self, problem: Problem, rect: QRect) -> tuple[QRect, QRect, QRect]:
        """Return where title, detail and field go inside `rect`."""
        left, width = rect.left() + _LEFT, rect.width() - _LEFT - 10
        bold = QFontMetrics(theme.body_font(bold=True))
        title = bold.boundingRect(QRect(left, rect.top() + _PAD, width, 4000), _WRAPPED, title_of(problem))
        small = QFontMetrics(theme.body_font(theme.SMALL_PX))
        text = detail_of(problem)
        most = small.lineSpacing() * _MAX_DETAIL_LINES
        whole = small.boundingRect(QRect(left, 0, width, 4000), _WRAPPED, text).height() if text else 0
        detail = QRect(left, title.bottom() + _GAP, width, min(whole, most))
        mono = QFontMetrics(theme.mono_font(11))
        field = QRect(left, detail.bottom() + _GAP, width, mono.lineSpacing() if problem.field else 0)
        return QRect(left, title.top(), width, title.height()), detail, field

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        problem: Problem = index.data(_DATA)
        rect: QRect = option.rect
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.colour("accent_soft")))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(theme.colour("hover")))
        painter.setPen(QColor(theme.colour("line")))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        _word, icon, tone = LOOKS[problem.severity]
        title, detail, field = self._parts(problem, rect)
        icons.paint(painter, QRectF(rect.left() + 8, title.top() + 1, 16, 16), icon, tone)
        self._draw(painter, title, title_of(problem), theme.body_font(bold=True), "text" if tone == "muted" else tone)
        self._draw(painter, detail, detail_of(problem), theme.body_font(theme.SMALL_PX), "text")
        self._draw(painter, field, problem.field, theme.mono_font(11), "muted")

    @staticmethod
    def _draw(painter: QPainter, place: QRect, text: str, font: QFont, tone: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(theme.colour(tone)))
        painter.save()
        painter.setClipRect(place)
        painter.drawText(place, _WRAPPED, text)
        painter.restore()


_WRAPPED = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft.value) | int(Qt.AlignmentFlag.AlignTop.value)


class _List(Ringed, QListWidget):
    """Tells of a click and of Enter alike."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("Problems"))
        self.setItemDelegate(_Delegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.clicked.connect(self._on_clicked)

    @Slot(QModelIndex)
    def _on_clicked(self, index: QModelIndex) -> None:
        self.picked.emit(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter as a click."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentRow() >= 0:
            self.picked.emit(self.currentRow())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap the texts anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def rows_height(self) -> int:
        """Return how high all rows are together."""
        return sum(self.sizeHintForRow(row) for row in range(self.count()))


class ProblemList(QWidget):
    """Shows problems, errors first; takes no room without any. `chosen(Problem)`: somebody wants to go there."""

    chosen = Signal(object)

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self._problems: tuple[Problem, ...] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        self._count = label("", "field")
        self._list = _List()
        self._list.setObjectName("problem_list")
        self._list.picked.connect(self._on_picked)
        layout.addWidget(self._count)
        layout.addWidget(self._list)
        self.hide()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems shown, in their order."""
        return self._problems

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Show these problems, the chosen row staying where it is still there."""
        order = list(LOOKS)
        ordered = tuple(sorted(problems, key=lambda problem: order.index(problem.severity)))[:MAX_ROWS]
        if ordered == self._problems:
            return
        row = self._list.currentRow()
        current = self._problems[row] if 0 <= row < len(self._problems) else None
        self._problems = ordered
        self._fill()
        if current in ordered:
            self._list.setCurrentRow(ordered.index(current))
        self._count.setText(counted(problems))
        self.setVisible(bool(ordered))
        self._fit()

    def _fill(self) -> None:
        self._list.clear()
        for problem in self._problems:
            item = QListWidgetItem()
            item.setData(_DATA, problem)
            words = ". ".join(part for part in (title_of(problem), detail_of(problem), problem.field) if part)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            item.setToolTip(plain_tip(translate(problem.message)[:2000]))
            self._list.addItem(item)

    def _fit(self) -> None:
        self._list.setFixedHeight(max(40, min(MAX_HEIGHT, self._list.rows_height() + 4)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height that the wrapped texts ask for."""
        super().resizeEvent(event)
        self._fit()

    @Slot(int)
    def _on_picked(self, row: int) -> None:
        if 0 <= row < len(self._problems):
            self.chosen.emit(self._problems[row])


def counted(problems: Sequence[Problem]) -> str:
    """Return how many errors, warnings and notes there are, in words."""
    found = {severity: sum(problem.severity is severity for problem in problems) for severity in LOOKS}
    errors, warnings, notes = (found[severity] for severity in LOOKS)
    parts = (
        (msg_n("%(count)d error", "%(count)d errors", errors), errors),
        (msg_n("%(count)d warning", "%(count)d warnings", warnings), warnings),
        (msg_n("%(count)d note", "%(count)d notes", notes), notes),
    )
    return ", ".join(translate(text) for text, count in parts if count)
