"""The time line: one bar for each credential from now to its end, the nearest end first."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.credential import CredentialReport
from ansflow_desktop.presenters.credentials_state import by_end
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.controls import plain_tip

_ROW, _HEAD, _FOOT = 24, 22, 4
_LEAST_ROWS, _MOST_ROWS = 2, 6
_DAY = 86400.0
_SCALES = (1, 7, 30, 90, 365)
_TICKS = {1: 6, 7: 7, 30: 6, 90: 6, 365: 5}


class Timeline(QWidget):
    """Emits `chosen(id)` when a bar is clicked; the table beside it does the same by keyboard."""

    chosen = Signal(str)

    def __init__(self) -> None:
        """Start with no credential."""
        super().__init__()
        self._rows: tuple[CredentialReport, ...] = ()
        self._marked = ""
        self.days = _SCALES[-1]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMouseTracking(True)

    def show_reports(self, reports: tuple[CredentialReport, ...], marked: str) -> None:
        """Show these credentials and mark the one with the id `marked`; those without an end have no bar."""
        self._rows, self._marked = by_end(reports), marked
        self.days = scale(self._rows)
        self.setAccessibleName(_("Time line of what expires"))
        self.setAccessibleDescription("; ".join(f"{one.credential.name}: {said.expires(one)}" for one in self.shown))
        self.updateGeometry()
        self.update()

    @property
    def has_ends(self) -> bool:
        """Whether any of the credentials has an end."""
        return bool(self._rows)

    @property
    def shown(self) -> tuple[CredentialReport, ...]:
        """The credentials that have room, the nearest end first."""
        room = max(_LEAST_ROWS, (self.height() - _HEAD - _FOOT) // _ROW)
        return self._rows[: min(room, _MOST_ROWS)]

    def note(self) -> str:
        """Return how many of how many are shown, empty where all are."""
        count = len(self._rows)
        return translate(msg("%(shown)s of %(count)s", shown=_MOST_ROWS, count=count)) if count > _MOST_ROWS else ""

    def _high(self, rows: int) -> int:
        return _HEAD + rows * _ROW + _FOOT

    def sizeHint(self) -> QSize:
        """Return room for up to six bars."""
        return QSize(400, self._high(min(_MOST_ROWS, len(self._rows))))

    def minimumSizeHint(self) -> QSize:
        """Return room for two bars."""
        return QSize(200, self._high(min(_LEAST_ROWS, len(self._rows))))

    def heading(self) -> str:
        """Return the title: the span of time that is shown."""
        return translate(msg_n("Next day", "Next %(count)s days", self.days))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the days, then a bar for each credential."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area()
        self._paint_days(painter, area)
        for number, report in enumerate(self.shown):
            self._paint_row(painter, area, QRect(0, _HEAD + number * _ROW, self.width(), _ROW), report)

    def _area(self) -> QRect:
        """Return where the bars go: between the names on the left and room for the last word on the right."""
        names = min(max(110, self.width() * 30 // 100), 240)
        return QRect(names, _HEAD, max(60, self.width() - names - 92), max(0, self.height() - _HEAD))

    def _paint_days(self, painter: QPainter, area: QRect) -> None:
        painter.setFont(theme.body_font(theme.SMALL_PX))
        ticks = _TICKS[self.days]
        if area.width() < 60 * ticks:
            ticks = max(2, ticks // 2)
        bottom = _HEAD + len(self.shown) * _ROW
        for number in range(ticks + 1):
            x = area.left() + area.width() * number / ticks
            painter.setPen(QPen(QColor(theme.colour("line")), 1))
            painter.drawLine(QPointF(x, _HEAD - 2), QPointF(x, bottom))
            painter.setPen(QColor(theme.colour("muted")))
            place = QRectF(x - 40, 0, 80, _HEAD - 4)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._tick(number, ticks))

    def _tick(self, number: int, ticks: int) -> str:
        if number == 0:
            return _("now")
        if self.days == 1:
            return translate(msg("%(count)s h", count=round(24 * number / ticks)))
        return translate(msg("%(count)s d", count=round(self.days * number / ticks)))

    def _paint_row(self, painter: QPainter, area: QRect, line: QRect, report: CredentialReport) -> None:
        if report.credential.id == self._marked:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.colour("accent_soft")))
            painter.drawRoundedRect(QRectF(line).adjusted(0, 1, 0, -1), 5, 5)
        painter.setFont(theme.body_font())
        painter.setPen(QColor(theme.colour("text")))
        room = QRect(8, line.top(), area.left() - 22, line.height())
        metrics = QFontMetrics(painter.font())
        name = metrics.elidedText(report.credential.name, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
        self._paint_bar(painter, area, line, report)

    def _paint_bar(self, painter: QPainter, area: QRect, line: QRect, report: CredentialReport) -> None:
        tone = said.tone_of(report)
        left = said.seconds_left(report.credential.claims.expires_at)
        share = max(0.0, min(1.0, left / (self.days * _DAY)))
        x, middle = area.left() + area.width() * share, line.center().y() + 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.colour(f"{tone}_soft")))
        painter.drawRoundedRect(QRectF(area.left(), middle - 6, max(x - area.left(), 1), 12), 6, 6)
        painter.setBrush(QColor(theme.colour(tone)))
        if left <= self.days * _DAY:
            painter.drawEllipse(QPointF(x, middle), 4.5, 4.5)
        else:
            painter.drawPolygon([QPointF(x - 5, middle - 5), QPointF(x + 4, middle), QPointF(x - 5, middle + 5)])
        painter.setFont(theme.body_font(theme.SMALL_PX, bold=tone != "ok"))
        painter.setPen(QColor(theme.colour(tone)))
        text = said.expires(report)
        if left < 0:
            text = translate(msg("expired %(ago)s", ago=text))
        painter.drawText(QRectF(x + 11, line.top(), 400, line.height()), Qt.AlignmentFlag.AlignVCenter, text)

    # Pointing

    def _at(self, y: float) -> CredentialReport | None:
        number = int((y - _HEAD) // _ROW)
        return self.shown[number] if 0 <= number < len(self.shown) and y >= _HEAD else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the credential under the pointer."""
        report = self._at(event.position().y())
        if report is not None:
            self.chosen.emit(report.credential.id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say exactly when the credential under the pointer ends."""
        report = self._at(event.position().y())
        self.setCursor(Qt.CursorShape.PointingHandCursor if report else Qt.CursorShape.ArrowCursor)
        self.setToolTip(plain_tip(f"{report.credential.name}\n{_when(report)}") if report else "")


def _when(report: CredentialReport) -> str:
    return translate(msg("expires %(when)s", when=said.local(report.credential.claims.expires_at)))


def scale(rows: tuple[CredentialReport, ...]) -> int:
    """Return how many days the line spans: the shortest of five that shows most of the ends that are still to come."""
    left = sorted(said.seconds_left(one.credential.claims.expires_at) for one in rows[:_MOST_ROWS])
    coming = [one for one in left if one > 0]
    if not coming:
        return 7
    most = coming[len(coming) * 3 // 4]
    return next((days for days in _SCALES if most <= days * _DAY), _SCALES[-1])
