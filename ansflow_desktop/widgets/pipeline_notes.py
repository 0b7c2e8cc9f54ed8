"""What stands above an open pipeline when there is a choice to make: a kept draft, a change on disk, a difference."""

from __future__ import annotations

import time

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QTextEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.diff import DiffLine, Sign, counts, diff_lines
from ansflow_desktop.presenters.pipeline_editor_state import FILE, EditorState
from ansflow_desktop.widgets import theme, words
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import Symbol, button, label, row
from ansflow_desktop.widgets.dialogs import Dialog


class Note(QFrame):
    """One line with a title, a sentence and buttons."""

    def __init__(self, icon: str, tone: str) -> None:
        """Make it hidden; `tone` is warn or accent."""
        super().__init__()
        self.setProperty("role", "note")
        self.setProperty("tone", tone)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 8, 6)
        line.setSpacing(10)
        line.addWidget(Symbol(icon, tone))
        column = QVBoxLayout()
        column.setSpacing(0)
        self._title = label("", "strong", wrap=True)
        self._text = label("", "muted", wrap=True)
        column.addWidget(self._title)
        column.addWidget(self._text)
        line.addLayout(column, 1)
        self._buttons = row(spacing=6)
        line.addLayout(self._buttons)
        self.hide()

    def add(self, text: str, name: str) -> QPushButton:
        """Return a new button of this note."""
        made = button(text)
        made.setObjectName(name)
        self._buttons.addWidget(made)
        return made

    def say(self, title: str, text: str = "") -> None:
        """Show these words."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(f"{title} {text}".strip())


class DraftNote(Note):
    """Offers a draft; emits `taken()`, `dropped()`, `difference_asked()`."""

    taken = Signal()
    dropped = Signal()
    difference_asked = Signal()

    def __init__(self) -> None:
        """Make it hidden."""
        super().__init__("history", "accent")
        self.setObjectName("draft_note")
        self.add(_("Difference"), "draft_difference").clicked.connect(self.difference_asked)
        self.add(_("Forget them"), "draft_drop").clicked.connect(self.dropped)
        self.add(_("Go on with them"), "draft_take").clicked.connect(self.taken)

    def show_state(self, state: EditorState) -> None:
        """Show the draft that is offered, if one is."""
        self.setVisible(state.draft is not None)
        if state.draft is not None:
            kept = msg(
                "Changes that were not saved were kept, %(when)s", when=words.age(time.time() - state.draft.saved)
            )
            self.say(translate(kept), _("AnsFlow was closed or ended before they were saved."))


class DiskNote(Note):
    """Says that somebody else changed what is open; emits `kept()`, `taken()`, `difference_asked()`."""

    kept = Signal()
    taken = Signal()
    difference_asked = Signal()

    def __init__(self) -> None:
        """Make it hidden."""
        super().__init__("alert", "warn")
        self.setObjectName("disk_note")
        self.add(_("Difference"), "disk_difference").clicked.connect(self.difference_asked)
        self._theirs = self.add(_("Take theirs"), "disk_theirs")
        self._theirs.clicked.connect(self.taken)
        self.add(_("Keep mine"), "disk_mine").clicked.connect(self.kept)

    def show_state(self, state: EditorState) -> None:
        """Show that the place holds another text, if it does."""
        self.setVisible(state.theirs is not None)
        self._theirs.setVisible(bool(state.theirs))
        if not state.theirs:
            gone = _("The file is not there any more")
            if state.home.kind != FILE:
                gone = _("It is not in the library any more")
            self.say(gone, _("Keep mine: the next save writes it again."))
            return
        where = _("The file was changed on disk") if state.home.kind == FILE else _("It was changed in the library")
        self.say(where, _("Nothing is written over it before you choose. Undo brings back what you replace."))


class DifferenceDialog(Dialog):
    """Two texts as one difference; read-only."""

    def __init__(self, parent: QWidget, title: str, old: str, new: str) -> None:
        """Show what `new` changes in `old`."""
        super().__init__(parent, title)
        self.setObjectName("difference")
        lines = diff_lines(old, new)
        added, removed = counts(lines)
        more = msg_n("%(count)s line more", "%(count)s lines more", added)
        less = msg_n("%(count)s line less", "%(count)s lines less", removed)
        self.body.addWidget(label(translate(msg("%(more)s, %(less)s", more=more, less=less)), "context"))
        view = CodeView(title)
        view.setObjectName("difference_text")
        view.setMinimumSize(620, 340)
        view.setPlainText("\n".join(map(_line, lines)))
        view.setExtraSelections([_selection(view, number, line) for number, line in enumerate(lines) if _tone(line)])
        self.body.addWidget(view, 1)
        close = button(_("Close"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.body.addLayout(row(1, close))


def _line(line: DiffLine) -> str:
    if line.sign is Sign.GAP:
        return "      …"
    return f"{line.new or line.old:>4} {line.sign.value} {line.text}"


def _tone(line: DiffLine) -> str:
    return {Sign.ADDED: "ok_soft", Sign.REMOVED: "bad_soft"}.get(line.sign, "")


def _selection(view: CodeView, number: int, line: DiffLine) -> QTextEdit.ExtraSelection:
    made = QTextEdit.ExtraSelection()
    look = QTextCharFormat()
    look.setBackground(QColor(theme.colour(_tone(line))))
    look.setProperty(QTextFormat.Property.FullWidthSelection, True)
    made.format = look
    made.cursor = QTextCursor(view.document().findBlockByNumber(number))
    return made
