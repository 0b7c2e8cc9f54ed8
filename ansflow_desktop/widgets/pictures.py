"""Pictures of the real window, for `screenshot`, the demo and the guides."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QWidget

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.widgets import icons, theme


def save(widget: QWidget, path: Path, ratio: float = 1) -> Path:
    """Write `widget` as it is painted now to `path` (PNG), at `ratio` device pixels a pixel, and return the path.

    Raises UserError where the file cannot be written.
    """
    size = QSize(round(widget.width() * ratio), round(widget.height() * ratio))
    picture = QPixmap(size)
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(theme.colour("background")))
    with icons.oversampled(ratio):
        widget.render(picture, QPoint(0, 0))
    if not picture.save(str(path), "PNG"):
        raise UserError(msg("The picture could not be written"), str(path), code=ExitCode.FAILED)
    return path
