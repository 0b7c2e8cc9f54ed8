"""Text in a monospaced face: the YAML editor with line numbers, the manifest, the output, the command."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ansflow_desktop.widgets import theme

OUTPUT_LINES = 20_000
_WORDS = re.compile(r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+")
_COLOURED_LINES = 6_000


class YamlHighlighter(QSyntaxHighlighter):
    """Colours YAML a line at a time by Pygments, which is imported at the first line shown."""

    def __init__(self, document: QTextDocument) -> None:
        """Colour `document` in the theme in use."""
        super().__init__(document)
        self._lexer: Any = None
        self._formats: dict[str, QTextCharFormat] = {}

    def highlightBlock(self, text: str) -> None:
        """Colour one line; very long texts stay plain so that they never stall the window."""
        if not text.strip() or len(text) > 2000 or self.currentBlock().blockNumber() > _COLOURED_LINES:
            return
        if self._lexer is None:
            self._prepare()
        position = 0
        for kind, value in self._lexer.get_tokens(text):
            tone = self._tone(str(kind))
            if tone:
                self.setFormat(position, len(value), self._formats[tone])
            position += len(value)

    def _prepare(self) -> None:
        from pygments.lexers.data import YamlLexer

        self._lexer = YamlLexer(stripnl=False, ensurenl=False)
        for tone in ("syntax_key", "syntax_text", "syntax_number", "muted"):
            look = QTextCharFormat()
            look.setForeground(QColor(theme.colour(tone)))
            self._formats[tone] = look

    @staticmethod
    def _tone(kind: str) -> str:
        if kind.startswith("Token.Name"):
            return "syntax_key"
        if kind.startswith("Token.Comment"):
            return "muted"
        if kind.startswith("Token.Literal.String"):
            return "syntax_text"
        if kind.startswith(("Token.Literal.Number", "Token.Keyword", "Token.Literal.Date")):
            return "syntax_number"
        return ""


class CodeView(QPlainTextEdit):
    """Read-only text: selectable, copyable, kept where one scrolled to."""

    def __init__(self, name: str, *, yaml: bool = False, flat: bool = False, lines: int = 0) -> None:
        """Make it; `name` is for assistive tools, `lines` the most lines kept (0: all), `flat` without a frame."""
        super().__init__()
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setProperty("role", "flat" if flat else "code")
        self.setFont(theme.mono_font())
        self.setMaximumBlockCount(lines)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._highlighter = YamlHighlighter(self.document()) if yaml else None

    def show_text(self, text: str) -> None:
        """Show another text, staying at the same place where there is one."""
        if text == self.toPlainText():
            return
        place = self.verticalScrollBar().value()
        self.setPlainText(text)
        self.verticalScrollBar().setValue(place)

    def append_text(self, text: str) -> None:
        """Add text at the end; the view follows unless one scrolled up."""
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 2
        cursor = self.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        cursor.insertText(text)
        if follows:
            bar.setValue(bar.maximum())


class CommandView(CodeView):
    """A command that wraps between its words and is as high as it needs, within bounds."""

    def __init__(self, name: str) -> None:
        """Make it; `name` is for assistive tools."""
        super().__init__(name)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self._command = ""
        self._fit()

    def show_command(self, text: str) -> None:
        """Show another command: broken before its flags with a backslash, so that it stays one when copied."""
        self._command = text
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew and take the height they ask for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = QFontMetricsF(self.font()).horizontalAdvance("m")  # a rounded one is several letters wrong in a line
        self.show_text(broken(self._command, max(24, int((self.viewport().width() - 10) / width))))
        lines = max(1, min(6, int(self.document().size().height())))
        height = lines * QFontMetrics(self.font()).lineSpacing() + 26
        if self.height() != height or self.minimumHeight() != height:
            self.setFixedHeight(height)


def broken(command: str, columns: int) -> str:
    """Return a shell line broken to `columns` characters before flags, the lines joined by backslashes."""
    parts: list[str] = []
    for word in _WORDS.findall(command):
        if parts and not word.startswith("-") and parts[-1].startswith("-") and " " not in parts[-1]:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 3 <= columns:
            lines[-1] += f" {part}"
        else:
            lines.append(f"  {part}" if lines else part)
    return " \\\n".join(lines)


class _Gutter(QWidget):
    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_gutter(event)


class CodeEditor(QPlainTextEdit):
    """A YAML editor: line numbers, two-space Tab, the line of a problem marked. Ctrl+Tab leaves it."""

    def __init__(self, name: str) -> None:
        """Make it; `name` is for assistive tools."""
        super().__init__()
        self.setAccessibleName(name)
        self.setProperty("role", "editor")
        self.setFont(theme.mono_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._bad_line = 0
        self._margin = 0
        self._gutter = _Gutter(self)
        self._highlighter = YamlHighlighter(self.document())
        self.blockCountChanged.connect(self._on_blocks_changed)
        self.updateRequest.connect(self._on_update_request)
        self._on_blocks_changed(1)

    def sizeHint(self) -> QSize:
        """Ask for a few lines; the page gives more where there is room."""
        return QSize(240, 110)

    def exact_text(self) -> str:
        """Return the text as it is: Qt's own plain text makes blanks of no-break ones."""
        return self.document().toRawText().replace("\u2029", "\n")

    def mark_line(self, line: int) -> None:
        """Mark line `line` (from 1; 0 for none) as the one with a problem."""
        self._bad_line = line
        self._gutter.update()

    def line_tone(self, line: int) -> str:
        """Return the tone of the number of line `line` (from 1), empty for the usual one."""
        return "bad" if line == self._bad_line else ""

    def gutter_width(self) -> int:
        """Return the room for the line numbers."""
        digits = max(2, len(str(self.blockCount())))
        return 16 + QFontMetrics(self.font()).horizontalAdvance("9") * digits

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in view."""
        painter = QPainter(self._gutter)
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        height = QFontMetrics(self.font()).lineSpacing()
        here = self.textCursor().blockNumber()
        while block.isValid():
            top = round(self.blockBoundingGeometry(block).translated(self.contentOffset()).top())
            if top > event.rect().bottom():
                break
            number = block.blockNumber()
            tone = self.line_tone(number + 1) or ("text" if number == here else "muted")
            painter.setPen(QColor(theme.colour(tone)))
            place = QRect(0, top, self._gutter.width() - 8, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, str(number + 1))
            block = block.next()

    def _on_blocks_changed(self, _count: int) -> None:
        if self._margin != self.gutter_width():
            self._margin = self.gutter_width()
            self.setViewportMargins(self._margin, 4, 4, 4)
            self._place_gutter()

    def _on_update_request(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        self._gutter.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the line numbers as high as the text."""
        super().resizeEvent(event)
        self._place_gutter()

    def _place_gutter(self) -> None:
        inside = self.viewport().geometry()
        self._gutter.setGeometry(QRect(2, inside.top(), self.gutter_width() - 2, inside.height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Indent with two spaces on Tab; Enter keeps the indentation; Ctrl+Tab goes on to the next field."""
        if event.key() == Qt.Key.Key_Tab and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.focusNextChild()
        elif event.key() == Qt.Key.Key_Tab:
            self.insertPlainText("  ")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            line = self.textCursor().block().text()
            indent = line[: len(line) - len(line.lstrip())]
            extra = "  " if line.rstrip().endswith(":") else ""
            self.insertPlainText("\n" + indent + extra)
        else:
            super().keyPressEvent(event)
