"""Rows of the resource table as pixels: a screen of them within two milliseconds (benchmarks/stall.py).

A row is painted whole and its texts are put at a baseline: calling a delegate for each cell, and laying a text out in a
rectangle, cost four times as much.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap

from ansflow_desktop.i18n import Message
from ansflow_desktop.models.resource_table import TableRow
from ansflow_desktop.presenters.resource_rows import ShownColumn, cell_text
from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.words import Look

STATE_TITLES = frozenset({"Status", "Phase", "Type"})
"""Columns whose words have a look."""
_STATES = {
    "ok": ("check-circle", "Running Active Bound Ready Available Approved,Issued Complete"),
    "muted": ("minus-circle", "Completed Succeeded"),
    "accent": ("progress-clock", "Pending ContainerCreating PodInitializing Terminating Released"),
    "warn": ("alert", "Warning NotReady,SchedulingDisabled Ready,SchedulingDisabled Unknown Suspended"),
    "bad": (
        "alert-circle",
        "CrashLoopBackOff Error ImagePullBackOff ErrImagePull Evicted OOMKilled Failed NotReady Lost "
        "CreateContainerConfigError CreateContainerError InvalidImageName RunContainerError DeadlineExceeded",
    ),
}
_LOOKS = {word: Look(Message(word), icon, tone) for tone, (icon, words) in _STATES.items() for word in words.split()}
_LEFT_PX, _RIGHT_PX, _ICON_PX, _AFTER_ICON_PX, _BAR_PX = 14, 10, 16, 23, 3


class Lane(NamedTuple):
    """A column on screen: where it begins and how wide it is, in pixels; numbers stand at its `right`."""

    left: int
    width: int
    column: ShownColumn
    right: bool


def look_of(row: TableRow, column: ShownColumn) -> Look | None:
    """Return icon and tone of a cell that says a state, None for any other."""
    if column.title not in STATE_TITLES or column.place >= len(row.cells):
        return None
    word = str(row.cells[column.place])
    return _LOOKS.get(word) or (_LOOKS["Error"] if word.startswith("Init:") and "rror" in word else None)


class RowPainter:
    """Paints rows with fonts, colours and icons made once a theme."""

    def __init__(self) -> None:
        """Take fonts and colours of the theme in use."""
        self.refresh()

    def refresh(self) -> None:
        """Take fonts and colours of another theme."""
        self._font = theme.body_font()
        self._metrics = QFontMetrics(self._font)
        self.advance = self._metrics.horizontalAdvance
        self._letter = self._metrics.averageCharWidth() + 1
        names = ("text", "muted", "line", "hover", "accent", "accent_soft", "warn", "bad", "ok")
        self._colours = {name: QColor(theme.colour(name)) for name in names}
        self._icons: dict[tuple[str, str, float], QPixmap] = {}

    def begin(self, painter: QPainter, now: float) -> None:
        """Begin a screen at `now` (epoch seconds; ages are told as of it)."""
        self._painter, self._now = painter, now
        self._ratio = painter.deviceTransform().m11()
        painter.setFont(self._font)

    def row(self, row: TableRow, lanes: list[Lane], rect: QRect, state: str = "") -> None:
        """Paint `row` into `rect` (as wide as the viewport); `state` is `selected`, `hover` or empty."""
        painter = self._painter
        if state:
            painter.fillRect(rect, self._colours["accent_soft" if state == "selected" else state])
        if state == "selected":
            painter.fillRect(rect.left(), rect.top(), _BAR_PX, rect.height(), self._colours["accent"])
        painter.setPen(self._colours["line"])
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.setPen(self._colours["text"])
        middle = rect.top() + (rect.height() - self._metrics.height()) // 2 + self._metrics.ascent()
        for lane in lanes:
            self._cell(row, lane, rect, middle)

    def _cell(self, row: TableRow, lane: Lane, rect: QRect, baseline: int) -> None:
        text = cell_text(row, lane.column, self._now).replace("\n", " ")
        left, room = lane.left + _LEFT_PX, lane.width - _LEFT_PX - _RIGHT_PX
        look = look_of(row, lane.column)
        if look is not None:
            self._painter.drawPixmap(QPoint(left, rect.center().y() - 7), self._icon(look))
            left, room = left + _AFTER_ICON_PX, room - _AFTER_ICON_PX
        if len(text) * self._letter * 2 > room:  # two: a Chinese character is twice as wide
            text = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        if lane.right:
            left += room - self.advance(text)
        if look is None or look.tone == "ok":
            self._painter.drawText(left, baseline, text)
            return
        self._painter.setPen(self._colours[look.tone])
        self._painter.drawText(left, baseline, text)
        self._painter.setPen(self._colours["text"])

    def _icon(self, look: Look) -> QPixmap:
        key = (look.icon, look.tone, self._ratio)
        if key not in self._icons:
            self._icons[key] = icons.pixmap(look.icon, look.tone, _ICON_PX, self._ratio)
        return self._icons[key]
