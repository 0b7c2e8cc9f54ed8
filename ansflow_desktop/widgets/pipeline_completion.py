"""The list of what can be typed next, beneath the cursor of the YAML face; the keyboard stays in the text."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QPlainTextEdit, QVBoxLayout

from ansflow_desktop.i18n import _
from ansflow_desktop.presenters.pipeline_completion import Offer, PipelineCompletion
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.controls import label

_ROWS, _WIDTH = 8, 300
_ROW_PX = 22
_MOVES = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -_ROWS,
    Qt.Key.Key_PageDown: _ROWS,
}
_CTRL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_ACCEPT = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab)
_SILENT = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


class CompletionPopup(QFrame):
    """The offers in a list, what the chosen one is for beneath it."""

    def __init__(self, over: QPlainTextEdit) -> None:
        """Make it hidden; it never takes the keyboard from `over`."""
        super().__init__(over)
        self._over = over
        self.setObjectName("completion")
        self.setProperty("role", "popup")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 6)
        layout.setSpacing(4)
        self.list = QListWidget()
        self.list.setObjectName("completion_list")
        self.list.setAccessibleName(_("What can be typed here"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFont(theme.mono_font(12))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._on_row)
        self._help = label("", "muted", wrap=True)
        self._help.setContentsMargins(6, 0, 6, 0)
        layout.addWidget(self.list)
        layout.addWidget(self._help)
        self.hide()

    def show_offers(self, offers: tuple[Offer, ...]) -> None:
        """Show these beneath the cursor, the first one chosen."""
        self.list.clear()
        for offer in offers:
            item = QListWidgetItem(offer.label)
            item.setSizeHint(QSize(40, _ROW_PX))
            item.setData(Qt.ItemDataRole.UserRole, offer)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{offer.label}. {offer.help}".rstrip(". "))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self._place()
        self.show()
        self.raise_()

    @property
    def chosen(self) -> Offer | None:
        """The offer that Return takes."""
        item = self.list.currentItem()
        found: Offer | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return found

    def move_by(self, rows: int) -> None:
        """Choose the offer `rows` further down, the other end beyond the last."""
        count, now = self.list.count(), self.list.currentRow()
        at_end = now + rows >= count or now + rows < 0
        ends = count - 1 if rows > 0 else 0
        self.list.setCurrentRow((now + rows) % count if abs(rows) == 1 else ends if at_end else now + rows)

    @Slot(int)
    def _on_row(self, _row: int) -> None:
        chosen = self.chosen
        self._help.setText(chosen.help if chosen else "")
        self._help.setVisible(bool(chosen and chosen.help))
        if self.isVisible():
            self._place()

    def _place(self) -> None:
        """Take the place beneath the cursor, above it where there is more room, inside the editor."""
        inside = self._over.rect()
        width = min(_WIDTH, inside.width() - 8)
        said = self._help.heightForWidth(width - 8) if self._help.text() else -4
        cursor = self._over.cursorRect().translated(self._over.viewport().pos())
        below, above = inside.bottom() - cursor.bottom() - 4, cursor.top() - 4
        frame = said + 18
        rows = min(_ROWS, self.list.count(), max(1, (max(below, above) - frame) // _ROW_PX))
        height = rows * _ROW_PX + frame
        self.list.setFixedHeight(rows * _ROW_PX + 2)
        left = max(4, min(cursor.left() - 10, inside.right() - width - 4))
        top = cursor.bottom() + 2 if height <= below or below >= above else cursor.top() - height - 2
        self.setGeometry(left, top, width, height)


class Completer(QObject):
    """Asks while one types, shows what comes back, and puts the chosen offer into the text.

    Ctrl+Space (or Alt+/, where an input method takes that) asks at any place; Up and Down choose, Return or Tab takes,
    Esc closes.
    """

    def __init__(self, editor: QPlainTextEdit, completion: PipelineCompletion) -> None:
        """Serve `editor`, whose keys come by `takes` and `typed`."""
        super().__init__(editor)
        self._editor, self._completion = editor, completion
        self._asked, self._question, self._answered = 0, ("", 0), ("", 0)
        self._in_key = False
        self.popup = CompletionPopup(editor)
        completion.answered.connect(self._on_answer)
        editor.cursorPositionChanged.connect(self._on_moved)
        editor.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.popup.list.clicked.connect(self._on_clicked)

    @property
    def open(self) -> bool:
        """True while the list is shown."""
        return self.popup.isVisible()

    def takes(self, event: QKeyEvent) -> bool:
        """Do what a key means while the list is shown, or asks for it; False where it is the text's."""
        self._in_key = True
        if _asks(event):
            self.ask()
            return True
        if not self.open:
            return False
        return self._takes_open(event)

    def _takes_open(self, event: QKeyEvent) -> bool:
        key = event.key()
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key == Qt.Key.Key_Escape:
            self.close()
        elif key in _MOVES and plain:
            self.popup.move_by(_MOVES[Qt.Key(key)])
        elif key in _ACCEPT and plain and self._here() == self._answered:
            self._take(self.popup.chosen)
        else:
            return False
        return True

    def _here(self) -> tuple[str, int]:
        """Return the text and the cursor's place in it."""
        return self._editor.document().toRawText().replace("\u2029", "\n"), self._editor.textCursor().position()

    def typed(self, event: QKeyEvent) -> None:
        """See what a key did to the text: ask again behind a letter or a colon, else close."""
        self._in_key = False
        if event.key() in _SILENT:
            return
        text = event.text()
        begins = bool(text) and (text.isalnum() or text in "_:{/" or (text == " " and self._behind_colon()))
        begins = begins and not event.modifiers() & (_CTRL | _ALT)
        if begins or (self.open and event.key() == Qt.Key.Key_Backspace):
            self.ask()
        else:
            self.close()

    def ended(self) -> None:
        """Hear that a key was dealt with."""
        self._in_key = False

    def _behind_colon(self) -> bool:
        cursor = self._editor.textCursor()
        return cursor.block().text()[: cursor.positionInBlock()].endswith(": ")

    def ask(self) -> None:
        """Ask what can be typed at the cursor."""
        if not self._editor.textCursor().hasSelection():
            self._question = self._here()
            self._asked = self._completion.ask(*self._question)

    @Slot(int, tuple)
    def _on_answer(self, number: int, offers: tuple[Offer, ...]) -> None:
        """Show the offers, unless the text or the cursor are others by now."""
        if number != self._asked or self._here() != self._question or not self._editor.hasFocus():
            return
        self._answered = self._question
        if offers:
            self.popup.show_offers(offers)
        else:
            self.popup.hide()

    def _take(self, offer: Offer | None) -> None:
        """Put `offer` in the place of what was typed of it; behind a key its values are asked for."""
        self.close()
        if offer is None:
            return
        cursor = self._editor.textCursor()
        end = cursor.position()
        cursor.setPosition(offer.replace_from)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(offer.insert)
        self._editor.setTextCursor(cursor)
        if offer.insert.endswith(": "):
            self.ask()

    def close(self) -> None:
        """Put the list away; what was asked is not answered any more."""
        self._completion.forget()
        self._asked = 0
        self.popup.hide()

    @Slot()
    def _on_moved(self) -> None:
        if not self._in_key and self.open:
            self.close()

    @Slot(int)
    def _on_scrolled(self, _value: int) -> None:
        if not self._in_key:
            self.close()

    @Slot(QModelIndex)
    def _on_clicked(self, _index: QModelIndex) -> None:
        if self._here() == self._answered:
            self._in_key = True
            self._take(self.popup.chosen)
            self._in_key = False


def _asks(event: QKeyEvent) -> bool:
    held = event.modifiers() & (_CTRL | _ALT)
    return (event.key(), held) in ((Qt.Key.Key_Space, _CTRL), (Qt.Key.Key_Slash, _ALT))
