"""Four numbers at the top of the Credentials page; each is a button that shows only those."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from ansflow_desktop.i18n import msg_n, translate
from ansflow_desktop.presenters.credentials_state import Group
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.controls import plain_tip

_HEIGHT = 52


class NumberTile(QAbstractButton):
    """A number with its icon and what it counts."""

    def __init__(self, group: Group) -> None:
        """Make it for `group`."""
        super().__init__()
        self.counted = group
        self.count, self._words = 0, ""
        self.setCheckable(True)
        self.setObjectName(f"number_{group}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_count(self, count: int, words: str, *, chosen: bool) -> None:
        """Show `count` of what `words` say; `chosen` where only those are shown."""
        self.count, self._words = count, words
        self.setChecked(chosen)
        self.setAccessibleName(f"{count} {words}")
        self.setToolTip(plain_tip(f"{count} {words}"))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for number and words."""
        return QSize(150, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return room for the number."""
        return QSize(88, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tile."""
        _word, icon, tone = said.GROUP[self.counted]
        tone = tone if self.count else "muted"
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self.isChecked() or self.hasFocus()
        painter.setPen(QColor(theme.colour("accent" if strong else "line")))
        painter.setBrush(QColor(theme.colour("accent_soft" if self.isChecked() else "surface")))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        icons.paint(painter, QRectF(13, (_HEIGHT - 18) / 2, 18, 18), icon, tone)
        font = theme.body_font(theme.PAGE_TITLE_PX, bold=True)
        painter.setFont(font)
        painter.setPen(QColor(theme.colour("text")))
        number = str(self.count)
        wide = QFontMetrics(font).horizontalAdvance(number)
        painter.drawText(QRect(40, 0, wide + 4, _HEIGHT), Qt.AlignmentFlag.AlignVCenter, number)
        self._paint_words(painter, QRect(40 + wide + 9, 0, self.width() - 40 - wide - 17, _HEIGHT))

    def _paint_words(self, painter: QPainter, room: QRect) -> None:
        painter.setFont(theme.body_font(theme.SMALL_PX))
        painter.setPen(QColor(theme.colour("muted")))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), self._words)


class Numbers(QWidget):
    """Emits `chosen(Group)` when one of the numbers is clicked."""

    chosen = Signal(object)

    def __init__(self) -> None:
        """Make the four tiles."""
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        self.tiles = {group: NumberTile(group) for group in Group}
        for tile in self.tiles.values():
            tile.clicked.connect(self._on_clicked)
            layout.addWidget(tile)

    def show_counts(self, counts: dict[Group, int], chosen: Group | None, days: int) -> None:
        """Show how many credentials are in each group; `days` is what "soon" means."""
        for group, tile in self.tiles.items():
            words = translate(said.GROUP[group][0])
            if group is Group.SOON:
                words = translate(msg_n("end within %(count)s day", "end within %(count)s days", days))
            tile.show_count(counts.get(group, 0), words, chosen=group is chosen)

    @Slot()
    def _on_clicked(self) -> None:
        tile = self.sender()
        assert isinstance(tile, NumberTile)
        self.chosen.emit(tile.counted)
