"""Where the keyboard is in tables, trees and lists: a ring around the current row, over the selected one's band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView

from ansflow_desktop.widgets import theme

_WIDTH_PX, _RADIUS_PX = 2, 5

if TYPE_CHECKING:
    _View = QAbstractItemView
else:
    _View = object


def paint_ring(view: QAbstractItemView) -> None:
    """Paint the ring of `view` into its viewport, from within a paint event; nothing while it has no keyboard."""
    if not view.hasFocus() or not view.currentIndex().isValid():
        return
    row, half = view.visualRect(view.currentIndex()), _WIDTH_PX / 2
    painter = QPainter(view.viewport())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.colour("accent")), _WIDTH_PX))
    whole = QRectF(0, row.top(), view.viewport().width(), row.height() - 1)
    painter.drawRoundedRect(whole.adjusted(half, half, -half, -half), _RADIUS_PX, _RADIUS_PX)


class Ringed(_View):
    """Stands before an item view's class: paints the ring over what the view paints, whole where the row changes."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the view, then the ring."""
        super().paintEvent(event)
        paint_ring(self)

    def currentChanged(
        self, now: QModelIndex | QPersistentModelIndex, before: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint every cell of both rows: Qt alone paints the current cell's."""
        super().currentChanged(now, before)
        self.viewport().update()
