"""The program's own start, timed from inside; run by start_up.py as a process of its own, one start a process.

Prints one JSON line: seconds from the process's birth (argv[1], epoch seconds) to the frame painted and a click on the
rail answered, to the Deploy page painted with its chart read, and the longest gap of the event loop from the first
paint on while the rest is loaded.
"""

from __future__ import annotations

import json
import sys
import threading
import time

_BORN = float(sys.argv[1])


def main() -> None:
    """Start the window as `ansflow-desktop` does, watch it from an event filter, and quit once all is loaded."""
    from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication, QWidget

    from ansflow_desktop import app as window_app
    from ansflow_desktop.executors.services import Options

    class Watch(QObject):
        """Sees every event of the program and notes the moments."""

        def __init__(self) -> None:
            super().__init__()
            self.marks: dict[str, float] = {}
            self.longest = 0.0
            self._beat = 0.0
            self._timer = QTimer(self, interval=1)
            self._timer.timeout.connect(self._on_beat)
            self._checks = QTimer(self, interval=20)
            self._checks.timeout.connect(self._on_check)

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
                self._painted(type(watched).__name__)
            return False

        def _painted(self, name: str) -> None:
            if name == "Rail" and "frame" not in self.marks:
                self.marks["frame"] = 0.0
                QTimer.singleShot(0, self._on_frame_painted)
            if name == "DeployPage" and "deploy" not in self.marks:
                self.marks["deploy"] = 0.0
                QTimer.singleShot(0, self._on_deploy_painted)

        def _on_frame_painted(self) -> None:
            click(rail())
            self.marks["frame"] = time.time() - _BORN
            self._beat = time.perf_counter()
            self._timer.start()
            self._checks.start()

        def _on_deploy_painted(self) -> None:
            self.marks["deploy"] = time.time() - _BORN

        def _on_beat(self) -> None:
            now = time.perf_counter()
            self.longest = max(self.longest, now - self._beat)
            self._beat = now

        def _on_check(self) -> None:
            loading = any(thread.name == "imports" for thread in threading.enumerate())
            if self.marks.get("deploy") and not loading:
                self._checks.stop()
                QTimer.singleShot(300, self._on_end)

        def _on_end(self) -> None:
            self._timer.stop()
            shell().close()

    def shell() -> QWidget:
        return next(widget for widget in QApplication.topLevelWidgets() if type(widget).__name__ == "Shell")

    def rail() -> QWidget:
        return next(widget for widget in shell().findChildren(QWidget) if type(widget).__name__ == "Rail")

    def click(widget: QWidget) -> None:
        """Press and release on the rail's first entry, as a person would."""
        where = QPoint(widget.width() // 2, 70)
        target = widget.childAt(where) or widget
        inside = QPointF(target.mapFrom(widget, where))
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            button = Qt.MouseButton.LeftButton
            event = QMouseEvent(kind, inside, target.mapToGlobal(inside), button, button, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(target, event)

    watch = Watch()
    make = window_app.application

    def application() -> QApplication:
        made = make()
        made.installEventFilter(watch)
        return made

    window_app.application = application
    window_app.run_window(Options(data_dir=sys.argv[2]), chart=sys.argv[3])
    print(json.dumps({**watch.marks, "stall": watch.longest}))


if __name__ == "__main__":
    main()
