"""What the window keeps with the desktop: its place on the screen, and a word on what nobody saw."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from ansflow_desktop.i18n import Text, translate
from ansflow_desktop.widgets import icons

_KEY = "window/geometry"
_SHOWN_MS = 8000


def _plain(text: Text) -> str:
    """Return `text` without what a desktop takes for markup or a link: it may name what a stranger's kubeconfig holds.

    Notifications may hold both (freedesktop.org, Desktop Notifications Specification, "Markup").
    """
    return translate(text).replace("<", "\u2039").replace(">", "\u203a")


def restore_place(window: QWidget, file: Path) -> bool:
    """Put `window` where `file` says it was last; return False where there is no such file or it says nothing.

    A screen that is gone is Qt's to make up for: the window is then put on one that there is.
    """
    if not file.exists():
        return False
    kept = QSettings(str(file), QSettings.Format.IniFormat).value(_KEY)
    return isinstance(kept, QByteArray) and window.restoreGeometry(kept)


def save_place(window: QWidget, file: Path) -> None:
    """Write where `window` is to `file`; where that cannot be written, the next start takes the usual size."""
    kept = QSettings(str(file), QSettings.Format.IniFormat)
    kept.setValue(_KEY, window.saveGeometry())
    kept.sync()


class Notifier(QObject):
    """Tells the desktop what happened, only when the window has no focus (conventions.md, 19).

    A `clicked()` on what was told raises the window; `page_asked(key)` then names the page that was told of.
    """

    clicked = Signal()
    page_asked = Signal(str)

    def __init__(self, window: QWidget) -> None:
        """Keep the window; the desktop is asked for nothing before the first word."""
        super().__init__(window)
        self._window = window
        self._page = ""
        self._tray: QSystemTrayIcon | None = None
        self.clicked.connect(self._on_clicked)

    def tell(self, title: Text, text: Text, page: str = "") -> bool:
        """Mark the window in the task bar and show the words; return False when the window has the focus."""
        self._page = page
        if self._window.isActiveWindow():
            return False
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._icon().showMessage(_plain(title), _plain(text), self._icon().icon(), _SHOWN_MS)
        return True

    @Slot()
    def _on_clicked(self) -> None:
        if self._page:
            self.page_asked.emit(self._page)
        self._window.raise_()
        self._window.activateWindow()

    def _icon(self) -> QSystemTrayIcon:
        if self._tray is None:
            self._tray = QSystemTrayIcon(icons.icon("ship-wheel", "accent"), self)
            self._tray.messageClicked.connect(self.clicked)
            self._tray.show()
        return self._tray
