"""Watches a starting window from outside, through an event filter: when it is painted, clickable, usable, stalled."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from types import ModuleType

_FIRST_ENTRY_Y = 70
_REST_MS = 2500  # the record of runs is read 1.5 s after the page stands


class Watch(QObject):
    """Notes the moments in `marks` (seconds since `born`), the longest gap in `longest`, and closes the window."""

    def __init__(self, app: ModuleType, born: float) -> None:
        super().__init__()
        self.marks: dict[str, float] = {}
        self.longest = 0.0
        self._born, self._beat = born, 0.0
        self._make = app.application
        app.application = self._application
        self._beats = QTimer(self, interval=1)
        self._beats.timeout.connect(self._on_beat)
        self._checks = QTimer(self, interval=20)
        self._checks.timeout.connect(self._on_check)

    def _application(self) -> QApplication:
        made = self._make()
        made.installEventFilter(self)
        return made

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            self._painted(type(watched).__name__)
        return False

    def _painted(self, name: str) -> None:
        """Wait for the event loop to turn again before the mark is set: only then can a click be answered."""
        if name == "Rail" and "frame" not in self.marks:
            self.marks["frame"] = 0.0
            QTimer.singleShot(0, self._on_frame)
        if name == "DeployPage" and "deploy" not in self.marks:
            self.marks["deploy"] = 0.0
            QTimer.singleShot(0, self._on_deploy)

    def _on_frame(self) -> None:
        _click(_find("Rail"))
        self.marks["frame"] = time.time() - self._born
        self._beat = time.perf_counter()
        self._beats.start()
        self._checks.start()

    def _on_deploy(self) -> None:
        self.marks["deploy"] = time.time() - self._born

    def _on_beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._beat)
        self._beat = now

    def _on_check(self) -> None:
        loading = any(thread.name == "window-call" for thread in threading.enumerate())
        if self.marks.get("deploy") and not loading:
            self._checks.stop()
            QTimer.singleShot(_REST_MS, self._on_end)

    def _on_end(self) -> None:
        self._beats.stop()
        _find("Shell").close()


def _find(name: str) -> QWidget:
    return next(widget for widget in QApplication.allWidgets() if type(widget).__name__ == name)


def _click(widget: QWidget) -> None:
    """Press and release on the rail's first entry, as a person would."""
    where = QPoint(widget.width() // 2, _FIRST_ENTRY_Y)
    target = widget.childAt(where) or widget
    inside = QPointF(target.mapFrom(widget, where))
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        QApplication.sendEvent(target, QMouseEvent(kind, inside, target.mapToGlobal(inside), left, left, none))
