"""What every page has: a title, one line of context, actions on the right, and content below."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ansflow_desktop.widgets.controls import ElidedLabel, label


class Page(QWidget):
    """A page of the window; emits `said(text)` for a short word on what was done."""

    said = Signal(str)

    def __init__(self, title: str) -> None:
        """Make the frame of a page called `title`."""
        super().__init__()
        self.setObjectName("page")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 14, 20, 18)
        layout.setSpacing(12)
        self.action_row = QHBoxLayout()
        self.action_row.setSpacing(8)
        header = QHBoxLayout()
        header.setSpacing(14)
        self._context = ElidedLabel("", "context")
        self.lead_row = QHBoxLayout()
        header.addLayout(self.lead_row)
        self._title = label(title, "page_title")
        header.addWidget(self._title)
        header.addWidget(self._context, 1)
        header.addLayout(self.action_row)
        holder = QWidget()
        holder.setLayout(header)
        header.setContentsMargins(0, 0, 0, 0)
        holder.setFixedHeight(36)
        layout.addWidget(holder)
        self.content = QVBoxLayout()
        self.content.setSpacing(12)
        layout.addLayout(self.content, 1)

    def set_title(self, text: str) -> None:
        """Show another title: that of the one thing that is open on the page."""
        self._title.setText(text)

    def set_context(self, text: str) -> None:
        """Show one line of context beside the title."""
        self._context.set_text(text)

    def reload(self) -> None:
        """Read again what the page shows (Ctrl+R)."""

    def trigger(self) -> None:
        """Do the page's main action (Ctrl+Return)."""

    def focus_filter(self) -> None:
        """Put the keyboard into the page's filter, where it has one (/)."""

    def focus_first(self) -> None:
        """Put the keyboard into the page's first input."""

    def leave(self) -> bool:
        """Undo the innermost thing (Esc) and return whether there was one."""
        return False
