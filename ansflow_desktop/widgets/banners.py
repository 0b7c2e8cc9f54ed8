"""Lines below the top bar: what concerns the whole window, with words, until closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg_n, translate
from ansflow_desktop.presenters.shell_state import Banner
from ansflow_desktop.widgets.controls import Symbol, button, clear, icon_button, label

_ICONS = {"accent": "information-outline", "ok": "check-circle", "warn": "alert", "bad": "alert-circle"}
_STAYING = ("insecure", "exec", "read_only", "cluster_read_only", "production")
_MOST, _SHORT = 3, 100


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
        title, text = translate(banner.title), translate(banner.text)
        long = len(title) + len(text) > _SHORT
        place = Qt.AlignmentFlag.AlignTop if long else Qt.AlignmentFlag.AlignVCenter
        symbol = Symbol(_ICONS[banner.tone], banner.tone)
        layout.addWidget(symbol, 0, place)
        words = QBoxLayout(QBoxLayout.Direction.TopToBottom if long else QBoxLayout.Direction.LeftToRight)
        words.setSpacing(2 if long else 9)
        words.addWidget(label(title, "strong", banner.tone, wrap=long))
        if text:
            words.addWidget(label(text, "", wrap=True, selectable=True), 1)
        layout.addLayout(words, 1)
        self.setAccessibleName(f"{title}. {text}")
        if banner.key not in _STAYING:
            close = icon_button("close", _("Close this line"), banner.tone)
            close.clicked.connect(self._on_close)
            layout.addWidget(close, 0, place)
        self.setMinimumHeight(40)

    @Slot()
    def _on_close(self) -> None:
        self.closed.emit(self._key)


class Banners(QWidget):
    """The banners of the window; takes no room when there are none. Emits `closed(key)`.

    Three at most are shown, the worst first; the others come by a button, so that the page keeps its room.
    """

    closed = Signal(str)

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self._shown: tuple[Banner, ...] = ()
        self._all = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(20, 12, 20, 0)
        self._layout.setSpacing(6)
        self.hide()

    def show_banners(self, banners: tuple[Banner, ...]) -> None:
        """Show these lines."""
        if banners != self._shown:
            self._shown = banners
            self._fill()

    def _fill(self) -> None:
        clear(self._layout)
        order = sorted(self._shown, key=lambda banner: banner.tone != "bad")
        shown = order if self._all else order[:_MOST]
        for banner in shown:
            made = _BannerLine(banner)
            made.closed.connect(self.closed)
            self._layout.addWidget(made)
        left = len(order) - len(shown)
        if left:
            more = button(translate(msg_n("%(count)s more line", "%(count)s more lines", left)), "link", "chevron-down")
            more.clicked.connect(self._on_more)
            self._layout.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
        self.setVisible(bool(order))

    @Slot()
    def _on_more(self) -> None:
        self._all = True
        self._fill()
