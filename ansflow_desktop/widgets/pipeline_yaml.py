"""The text face of a pipeline: the whole YAML, editable, with line numbers and the lines of problems marked."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QTextEdit

from ansflow_desktop.i18n import _
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.presenters.pipeline_completion import PipelineCompletion, of_units, units
from ansflow_desktop.presenters.pipeline_editor_state import LineMark
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.code import CodeEditor
from ansflow_desktop.widgets.pipeline_completion import Completer

_ITEM = re.compile(r" *(?P<dashes>(- +)+)[^\s#'\"\[{&*][^:]*:(\s|$)")
_TONES = {Severity.ERROR: "bad", Severity.WARNING: "warn"}


class YamlFace(CodeEditor):
    """Emits `typed(text)` after every change by keys, `place_changed(offset)` when the cursor went to another line.

    It keeps no undo of its own: `undo_asked` and `redo_asked` go to the document that both faces share.
    """

    typed = Signal(str)
    place_changed = Signal(int)
    undo_asked = Signal()
    redo_asked = Signal()

    def __init__(self, completion: PipelineCompletion) -> None:
        """Start empty; `completion` says what can be typed next."""
        super().__init__(_("The pipeline as YAML"))
        self.setObjectName("yaml_face")
        self.setUndoRedoEnabled(False)
        self._filling = False
        self._marks: dict[int, str] = {}
        self._line = -1
        self._notice = QTimer(self)
        self._notice.setSingleShot(True)
        self._notice.setInterval(120)
        self._notice.timeout.connect(self._on_place)
        self.textChanged.connect(self._on_changed)
        self.cursorPositionChanged.connect(self._on_cursor)
        self._completer = Completer(self, completion)

    def show_document(self, text: str) -> None:
        """Show another text: only what differs is replaced, so that cursor and place stay."""
        old = self.whole_text()
        if old == text:
            return
        start = _common(old, text)
        end = min(_common(old[::-1], text[::-1]), len(old) - start, len(text) - start)
        self._filling = True
        cursor = QTextCursor(self.document())
        cursor.setPosition(units(old[:start]))
        cursor.setPosition(units(old[: len(old) - end]), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text[start : len(text) - end])
        self._filling = False

    @Slot()
    def _on_changed(self) -> None:
        if not self._filling:
            self.typed.emit(self.whole_text())

    def whole_text(self) -> str:
        """Return the text as it is: Qt's own plain text makes spaces of no-break ones."""
        return self.document().toRawText().replace("\u2029", "\n")

    @Slot()
    def _on_cursor(self) -> None:
        line = self.textCursor().blockNumber()
        if not self._filling and line != self._line and self.hasFocus():
            self._notice.start()
        self._line = line

    @Slot()
    def _on_place(self) -> None:
        self.place_changed.emit(len(of_units(self.whole_text(), self.textCursor().position())))

    def show_marks(self, marks: tuple[LineMark, ...]) -> None:
        """Mark the lines of these problems: the number's colour, and a line beneath the text."""
        tones: dict[int, str] = {}
        for mark in marks:
            if mark.severity in _TONES and tones.get(mark.line) != "bad":
                tones[mark.line] = _TONES[mark.severity]
        self._marks = tones
        self.setExtraSelections([self._selection(line, tone) for line, tone in tones.items() if line > 0])
        self.mark_line(0)

    def _selection(self, line: int, tone: str) -> QTextEdit.ExtraSelection:
        made = QTextEdit.ExtraSelection()
        look = QTextCharFormat()
        look.setBackground(QColor(theme.colour(f"{tone}_soft")))
        look.setProperty(QTextFormat.Property.FullWidthSelection, True)
        made.format = look
        made.cursor = QTextCursor(self.document().findBlockByNumber(line - 1))
        return made

    def line_tone(self, line: int) -> str:
        """Return the tone of a line with a problem."""
        return self._marks.get(line, "") or super().line_tone(line)

    def go_to(self, line: int, column: int = 1) -> None:
        """Put the cursor to `line` and `column` (from 1) and show it."""
        block = self.document().findBlockByNumber(max(0, line - 1))
        if block.isValid():
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + min(max(0, column - 1), block.length() - 1))
            self.setTextCursor(cursor)
            self.centerCursor()
        self.setFocus()

    def event(self, event: QEvent) -> bool:
        """Keep Esc while the list of completions is shown: it closes that, not the page."""
        over = event.type() is QEvent.Type.ShortcutOverride and self._completer.open
        if over and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give a key to the completions, else to the text."""
        if self._completer.takes(event):
            self._completer.ended()
            return
        self._text_key(event)
        self._completer.typed(event)

    def _text_key(self, event: QKeyEvent) -> None:
        """Undo and redo are the document's; Shift+Tab takes two spaces away."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_asked.emit()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo_asked.emit()
        elif event.key() == Qt.Key.Key_Backtab:
            self._outdent()
        else:
            before = self.textCursor().block().text()[: self.textCursor().positionInBlock()]
            super().keyPressEvent(event)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self._below_item(before)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the completions away."""
        super().focusOutEvent(event)
        self._completer.close()

    def _below_item(self, before: str) -> None:
        """Begin the line below `- name: web` where the keys of that item stand."""
        item = _ITEM.match(before)
        if item:
            self.insertPlainText(" " * len(item["dashes"]))

    def _outdent(self) -> None:
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.StartOfBlock)
        for _number in range(2):
            if self.document().characterAt(cursor.position()) == " ":
                cursor.deleteChar()


def _common(one: str, other: str) -> int:
    """Return the number of characters that both texts begin with."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size
    low, high = 0, size
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
