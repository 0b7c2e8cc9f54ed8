"""A difference to read: every line with its numbers and its sign, changed lines by sign, word and colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ansflow_desktop.i18n import Message, msg, msg_n, translate
from ansflow_desktop.models.diff import DiffLine, Sign, counts
from ansflow_desktop.widgets import icons, theme

MAX_LINES = 6_000
_BACK = {Sign.ADDED: "ok_soft", Sign.REMOVED: "bad_soft"}
_FRONT = {Sign.ADDED: "ok", Sign.REMOVED: "bad"}

# What becomes of a thing: its word, its icon and its tone.
CHANGES: dict[str, tuple[Message, str, str]] = {
    "added": (msg("added"), "plus", "ok"),
    "changed": (msg("changed"), "pencil-outline", "warn"),
    "removed": (msg("removed"), "minus-circle", "bad"),
}


class DiffSection(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a difference under its own heading; `change` is added, changed or removed."""

    title: str
    change: str
    lines: tuple[DiffLine, ...] = ()


class _Row(msgspec.Struct, frozen=True):
    line: DiffLine | None = None
    change: str = ""


class _Gutter(QWidget):
    def __init__(self, view: DiffView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        return QSize(self._view.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_gutter(event)


class DiffView(QPlainTextEdit):
    """Read-only, selectable; headings stand between the parts. Copied text keeps the signs."""

    def __init__(self, name: str) -> None:
        """Make it; `name` is for assistive tools."""
        super().__init__()
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setProperty("role", "editor")
        self.setFont(theme.mono_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._rows: list[_Row] = []
        self._sections: tuple[DiffSection, ...] = ()
        self._digits = 2
        self._gutter = _Gutter(self)
        self.updateRequest.connect(self._on_update_request)

    def show_sections(self, sections: Sequence[DiffSection]) -> None:
        """Show other parts, staying at the same place; past 6,000 lines only how many more there are."""
        if tuple(sections) == self._sections:
            return
        self._sections = tuple(sections)
        place = self.verticalScrollBar().value()
        self._rows = []
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for index, section in enumerate(self._sections):
            if len(self._rows) > MAX_LINES:
                left = len(self._sections) - index
                more = msg_n("… %(count)d more object", "… %(count)d more objects", left)
                self._put(cursor, translate(more), _Row(line=DiffLine(sign=Sign.GAP)))
                break
            self._write(cursor, section)
        cursor.endEditBlock()
        self._fit()
        self.verticalScrollBar().setValue(place)

    def _write(self, cursor: QTextCursor, section: DiffSection) -> None:
        room = max(0, MAX_LINES - len(self._rows))
        self._put(cursor, _heading(section), _Row(change=section.change), bold=True)
        for line in section.lines[:room]:
            self._put(cursor, _text(line), _Row(line=line))
        if len(section.lines) > room:
            left = len(section.lines) - room
            more = msg_n("… %(count)d more line", "… %(count)d more lines", left)
            self._put(cursor, translate(more), _Row(line=DiffLine(sign=Sign.GAP)))

    def _put(self, cursor: QTextCursor, text: str, row: _Row, *, bold: bool = False) -> None:
        block, look = QTextBlockFormat(), QTextCharFormat()
        back = "hover" if row.line is None else _BACK.get(row.line.sign, "")
        block.setBackground(QColor(theme.colour(back)) if back else QBrush())
        gap = row.line is not None and row.line.sign is Sign.GAP
        look.setForeground(QColor(theme.colour("muted" if gap else "text")))
        look.setFontWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        if self._rows:
            cursor.insertBlock(block, look)
        else:
            cursor.setBlockFormat(block)
        cursor.insertText(text, look)
        self._rows.append(row)

    # Numbers and signs

    def gutter_width(self) -> int:
        """Return the room for two columns of numbers and the sign."""
        return 30 + QFontMetrics(self.font()).horizontalAdvance("9") * (2 * self._digits)

    def _fit(self) -> None:
        numbers = (max(row.line.old, row.line.new) for row in self._rows if row.line)
        self._digits = max(2, len(str(max(numbers, default=0))))
        self.setViewportMargins(self.gutter_width(), 4, 4, 4)
        self._place_gutter()
        self._gutter.update()

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Paint numbers and signs of the lines in view."""
        painter = QPainter(self._gutter)
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        while block.isValid() and block.blockNumber() < len(self._rows):
            bounds = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if bounds.top() > event.rect().bottom():
                break
            self._paint_row(painter, block, QRect(0, round(bounds.top()), self._gutter.width(), round(bounds.height())))
            block = block.next()

    def _paint_row(self, painter: QPainter, block: QTextBlock, place: QRect) -> None:
        row = self._rows[block.blockNumber()]
        if row.line is None:
            painter.fillRect(place, QColor(theme.colour("hover")))
            _, icon, tone = CHANGES[row.change]
            side = min(14, place.height())
            icons.paint(painter, QRectF(8, place.center().y() - side / 2 + 1, side, side), icon, tone)
            return
        line = row.line
        if line.sign in _BACK:
            painter.fillRect(place, QColor(theme.colour(_BACK[line.sign])))
        painter.setPen(QColor(theme.colour("muted")))
        width = QFontMetrics(self.font()).horizontalAdvance("9") * self._digits
        for left, number in ((4, line.old), (10 + width, line.new)):
            if number:
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(QRect(left, place.top(), width, place.height()), right, str(number))

    def _on_update_request(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        self._gutter.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the numbers as high as the text."""
        super().resizeEvent(event)
        self._place_gutter()

    def _place_gutter(self) -> None:
        inside = self.viewport().geometry()
        self._gutter.setGeometry(QRect(2, inside.top(), self.gutter_width() - 2, inside.height()))


def _heading(section: DiffSection) -> str:
    word = translate(CHANGES[section.change][0])
    if section.change != "changed":
        return f"{section.title}  ·  {word}"
    return f"{section.title}  ·  {word}  ·  {line_counts(section.lines)}"


def line_counts(lines: Iterable[DiffLine]) -> str:
    """Return in words how many lines are added and removed."""
    added, removed = counts(lines)
    return ", ".join(
        translate(part)
        for part, count in (
            (msg_n("%(count)d line added", "%(count)d lines added", added), added),
            (msg_n("%(count)d line removed", "%(count)d lines removed", removed), removed),
        )
        if count
    )


def _text(line: DiffLine) -> str:
    if line.sign is Sign.GAP:
        return "  ⋯"
    note = f"   # {translate(msg('secret, changed'))}" if line.secret else ""
    return f"{line.sign.value} {line.text}{note}"
