"""Lines below the top bar: what concerns the whole window, with words, until closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, translate
from ansflow_desktop.presenters.shell_state import Banner
from ansflow_desktop.widgets.controls import Symbol, clear, icon_button, label

_ICONS = {"accent": "information-outline", "ok": "check-circle", "warn": "alert", "bad": "alert-circle"}
_STAYING = ("insecure", "read_only")


class _BannerLine(QFrame):
    closed = Signal(str)

    def __init__(self, banner: Banner) -> None:
        super().__init__()
        self._key = banner.key
        self.setProperty("role", "note")
        self.setProperty("tone", banner.tone)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.setSpacing(9)
        layout.addWidget(Symbol(_ICONS[banner.tone], banner.tone), 0, Qt.AlignmentFlag.AlignVCenter)
        title, text = translate(banner.title), translate(banner.text)
        layout.addWidget(label(title, "strong", banner.tone))
        layout.addWidget(label(text, "", wrap=True, selectable=True), 1)
        self.setAccessibleName(f"{title}. {text}")
        if banner.key not in _STAYING:
            close = icon_button("close", _("Close this line"), banner.tone)
            close.clicked.connect(self._on_close)
            layout.addWidget(close)
        self.setMinimumHeight(40)

    @Slot()
    def _on_close(self) -> None:
        self.closed.emit(self._key)


class Banners(QWidget):
    """The banners of the window; takes no room when there are none. Emits `closed(key)`."""

    closed = Signal(str)

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self._shown: tuple[Banner, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(20, 12, 20, 0)
        self._layout.setSpacing(6)
        self.hide()

    def show_banners(self, banners: tuple[Banner, ...]) -> None:
        """Show these lines."""
        if banners == self._shown:
            return
        self._shown = banners
        clear(self._layout)
        for banner in banners:
            made = _BannerLine(banner)
            made.closed.connect(self.closed)
            self._layout.addWidget(made)
        self.setVisible(bool(banners))
