"""What is loaded after the window's frame was painted, piece by piece (performance.md, goal 9)."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

if TYPE_CHECKING:
    import asyncio

    from PySide6.QtWidgets import QApplication

    from ansflow_desktop.app import Window
    from ansflow_desktop.presenters.collector import Collector

_LOOK_BACK_MS = 1500  # the journal's database library comes after the client's


class Start(QObject):
    """Loads the rest once the frame is painted (performance.md, goal 9).

    In small pieces with the event loop's turn between them: one piece of all would be a stall of over 100 ms.
    """

    def __init__(self, window: Window, app: QApplication) -> None:
        """Prepare to load `window`; nothing is imported yet."""
        super().__init__()
        self._window, self._app = window, app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._collector: Collector | None = None
        page = (self._load_loop, self._load_imports, self._load_presenters, self._load_page)
        self._pieces = iter((*page, self._load_threads, self._begin))
        window.closed.connect(self._on_closed)

    @Slot()
    def load(self) -> None:
        """Load the next piece, and let events happen before the one after it."""
        piece = next(self._pieces, None)
        if piece is not None:
            piece()
            QTimer.singleShot(0, self.load)

    def _load_loop(self) -> None:
        from ansflow_desktop.presenters.loop import open_loop
        from ansflow_desktop.process import let_children_be_interrupted

        let_children_be_interrupted()
        self._loop = open_loop(self._app)

    def _load_imports(self) -> None:
        from ansflow_desktop.presenters import clusters, deploy, releases, shell  # noqa: F401
        from ansflow_desktop.widgets import deploy_page  # noqa: F401

    def _load_presenters(self) -> None:
        self._window.load_presenters()
        self._app.styleHints().colorSchemeChanged.connect(self._window.on_system_scheme)

    def _load_page(self) -> None:
        self._window.load_page()

    def _load_threads(self) -> None:
        from ansflow_desktop.executors import worker  # noqa: F401

    def _begin(self) -> None:
        from ansflow_desktop.presenters.collector import Collector

        self._collector = Collector()
        gc.freeze()
        threading.Thread(target=_import_highlighter, name="window-call", daemon=True).start()
        self._window.begin()
        QTimer.singleShot(_LOOK_BACK_MS, self._window.look_back)

    @Slot()
    def _on_closed(self) -> None:
        self._app.quit()

    def close_loop(self) -> None:
        """Close the loop after the program's last event."""
        from ansflow_desktop.presenters.loop import close_loop

        if self._loop is not None:
            close_loop(self._loop)
        if self._collector is not None:
            self._collector.stop()


def _import_highlighter() -> None:
    """Import what the first manifest is coloured with: on the window's thread it would stall it for 40 ms."""
    import pygments.lexers.data  # noqa: F401
