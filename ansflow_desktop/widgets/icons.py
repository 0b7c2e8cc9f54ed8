"""Icons: glyphs of QtAwesome's mdi6 font, painted at any scale in the theme's colours.

QtAwesome itself costs more than a QtWidgets import (recipes.md, Start-up), so its font file is loaded directly and the
few code points in use stand here; a test compares them with QtAwesome's own table.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from ansflow_desktop.widgets import theme

SIZE = 18

CODE_POINTS: dict[str, int] = {
    "alert": 0xF0026,
    "alert-circle": 0xF0028,
    "alert-octagon-outline": 0xF0CE6,
    "arrow-down": 0xF0045,
    "arrow-left": 0xF004D,
    "arrow-up": 0xF005D,
    "autorenew": 0xF006A,
    "bell-outline": 0xF009C,
    "bookmark-plus-outline": 0xF00C4,
    "bookshelf": 0xF125F,
    "cancel": 0xF073A,
    "check": 0xF012C,
    "check-bold": 0xF0E1E,
    "check-circle": 0xF05E0,
    "chevron-down": 0xF0140,
    "chevron-right": 0xF0142,
    "chevron-up": 0xF0143,
    "circle": 0xF0765,
    "circle-outline": 0xF0766,
    "clock-alert-outline": 0xF05CE,
    "clock-outline": 0xF0150,
    "close": 0xF0156,
    "close-circle": 0xF0159,
    "cog-outline": 0xF08BB,
    "connection": 0xF1616,
    "console": 0xF018D,
    "content-copy": 0xF018F,
    "content-duplicate": 0xF0191,
    "content-paste": 0xF0192,
    "content-save-outline": 0xF0818,
    "cube-outline": 0xF01A7,
    "dots-horizontal": 0xF01D8,
    "eye-outline": 0xF06D0,
    "file-compare": 0xF08AA,
    "file-document-outline": 0xF09EE,
    "file-import-outline": 0xF102F,
    "file-outline": 0xF0224,
    "file-plus-outline": 0xF0EED,
    "folder-open-outline": 0xF0DCF,
    "folder-outline": 0xF0256,
    "help-circle": 0xF02D7,
    "history": 0xF02DA,
    "information-outline": 0xF02FD,
    "infinity": 0xF06E4,
    "key-chain-variant": 0xF1575,
    "keyboard-outline": 0xF097B,
    "lock-outline": 0xF0341,
    "magnify": 0xF0349,
    "minus-circle": 0xF0376,
    "package-variant-closed": 0xF03D7,
    "pause-circle": 0xF03E5,
    "pencil-outline": 0xF0CB6,
    "play": 0xF040A,
    "play-circle-outline": 0xF040D,
    "playlist-plus": 0xF0412,
    "plus": 0xF0415,
    "power": 0xF0425,
    "progress-clock": 0xF0996,
    "redo": 0xF044E,
    "refresh": 0xF0450,
    "robot-outline": 0xF167A,
    "rocket-launch-outline": 0xF14DF,
    "server-network": 0xF048D,
    "shape-outline": 0xF0832,
    "shield-alert-outline": 0xF0ECD,
    "shield-key-outline": 0xF0BC5,
    "ship-wheel": 0xF0833,
    "source-branch": 0xF062C,
    "step-forward": 0xF04D7,
    "stop": 0xF04DB,
    "sync": 0xF04E6,
    "theme-light-dark": 0xF050E,
    "timer-sand": 0xF051F,
    "translate": 0xF05CA,
    "trash-can-outline": 0xF0A7A,
    "tune": 0xF062E,
    "undo": 0xF054C,
    "unfold-more-horizontal": 0xF054F,
}


@functools.cache
def font_family() -> str:
    """Return the family name of the icon font, loaded at the first call; empty when QtAwesome's file is gone."""
    spec = find_spec("qtawesome")
    if not spec or not spec.origin:
        return ""
    files = sorted((Path(spec.origin).parent / "fonts").glob("materialdesignicons6-webfont-*.ttf"))
    number = QFontDatabase.addApplicationFont(str(files[-1])) if files else -1
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return families[0] if families else ""


def paint(painter: QPainter, rect: QRect | QRectF, name: str, colour: str) -> None:
    """Paint icon `name` filling `rect` in `colour`, the name of a token such as `muted`."""
    font = QFont(font_family())
    font.setPixelSize(max(1, round(rect.height())))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    painter.setPen(QColor(theme.colour(colour)))
    painter.drawText(QRectF(rect), Qt.AlignmentFlag.AlignCenter, chr(CODE_POINTS[name]))
    painter.restore()


class _Oversampling:
    """How much finer than the screen icons are made: 1 but for pictures in a higher resolution."""

    ratio = 1.0


@contextmanager
def oversampled(ratio: float) -> Iterator[None]:
    """Make icons `ratio` times finer than the screen inside the block."""
    _Oversampling.ratio = ratio
    try:
        yield
    finally:
        _Oversampling.ratio = 1.0


class _GlyphEngine(QIconEngine):
    """Draws one glyph at whatever size and scale is asked for."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name, self._colour = name, colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        colour = "line_strong" if mode is QIcon.Mode.Disabled else self._colour
        side = min(rect.width(), rect.height())
        paint(painter, QRectF(rect.x(), rect.y() + (rect.height() - side) / 2, side, side), self._name, colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        picture = QPixmap(size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return self.pixmap(size * _Oversampling.ratio, mode, state)

    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._name, self._colour)


def icon(name: str, colour: str = "muted") -> QIcon:
    """Return icon `name` in the token `colour` of the theme in use."""
    return QIcon(_GlyphEngine(name, colour))


def pixmap(name: str, colour: str = "muted", size: int = SIZE, ratio: float = 1) -> QPixmap:
    """Return a picture of icon `name`, `size` logical pixels wide at device pixel ratio `ratio`."""
    picture = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    paint(painter, QRectF(QPointF(0, 0), QSize(size, size)), name, colour)
    painter.end()
    return picture
