"""A line with an icon, words and room for a button: what goes on, what went wrong, what is missing."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import translate
from ansflow_desktop.widgets.controls import Symbol, label, row, set_property


class Note(QFrame):
    """A line with an icon on what goes on or went wrong; takes no room when there is nothing to say."""

    def __init__(self) -> None:
        """Start with nothing to say."""
        super().__init__()
        self.setProperty("role", "note")
        self._symbol = Symbol("information-outline", "accent")
        self._title = label("", "strong", wrap=True, selectable=True)
        self._text = label("", "", wrap=True, selectable=True)
        inner = QVBoxLayout()
        inner.setSpacing(2)
        for part in (self._title, self._text):
            inner.addWidget(part)
        layout = row(self._symbol, spacing=9)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.addLayout(inner, 1)
        self.line = row()
        layout.addLayout(self.line)
        self.setLayout(layout)
        self.hide()

    def say(self, title: str, text: str = "", icon: str = "information-outline", tone: str = "accent") -> None:
        """Show words in a tone; nothing where `title` is empty."""
        self._symbol.set(icon, tone)
        set_property(self, "tone", tone)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(f"{title}. {text}" if text else title)
        self.setVisible(bool(title))

    def say_error(self, error: UserError) -> None:
        """Show what went wrong, in whose words, and the way out."""
        parts = (translate(part) for part in (error.message, error.hint) if part)
        self.say(translate(error.title), "\n".join(parts), "alert-circle", "bad")
