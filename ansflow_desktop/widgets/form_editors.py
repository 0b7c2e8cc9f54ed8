"""Inputs of many lines: text, YAML, scripts, lists with one entry a line, and a command as text or as a list."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QVBoxLayout

from ansflow_desktop.i18n import _
from ansflow_desktop.presenters.step_form_state import FieldState
from ansflow_desktop.widgets.code import CodeEditor
from ansflow_desktop.widgets.controls import label
from ansflow_desktop.widgets.deploy_form import line_of
from ansflow_desktop.widgets.form_inputs import Input, Segments, text_of

_FEWEST, _MOST = 3, 18
_MOST_COLOURED = 40_000
_NEVER = "\0"  # no text in an editor holds it
_VARIABLE = re.compile(r"(\$\{\w+\})", re.ASCII)
_SHELL = re.compile(r"[|&;<>()$`*?\[\]#~!{}]")


def lines_of(values: list[Any]) -> str:
    """Return a list with one entry a line; an entry that one line cannot hold is written in JSON's quotes."""
    return "\n".join(_line_of(value) for value in values)


def _line_of(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str)
    odd = not value or value != value.strip() or value.startswith('"') or len(value.splitlines()) > 1
    return json.dumps(value, ensure_ascii=False) if odd else value


def list_of(text: str, known: list[Any]) -> list[Any]:
    """Return the entries of a text written by `lines_of`; `known` are entries whose type is kept (numbers)."""
    kept = {_line_of(value): value for value in known if not isinstance(value, str)}
    return [kept[line] if line in kept else _entry(line) for line in map(str.strip, text.split("\n")) if line]


def _entry(line: str) -> str:
    if line.startswith('"'):
        try:
            decoded = json.loads(line)
        except ValueError:
            return line
        return decoded if isinstance(decoded, str) else line
    return line


class GrowingEditor(CodeEditor):
    """The YAML editor, as high as its text between 3 and 18 lines; without colours where it holds no YAML."""

    def __init__(self, name: str, *, yaml: bool) -> None:
        """Make it; `name` is for assistive tools."""
        super().__init__(name)
        self._yaml = yaml
        self._colour("")
        self.blockCountChanged.connect(self._fit)
        self.horizontalScrollBar().rangeChanged.connect(self._fit)
        self._fit()

    def show_text(self, text: str) -> None:
        """Show another text; a long one without colours, which would take longer than the window may stall."""
        self._colour(text)
        self.setPlainText(text)

    def _colour(self, text: str) -> None:
        wanted = self.document() if self._yaml and len(text) <= _MOST_COLOURED else None
        if self._highlighter.document() is not wanted:
            self._highlighter.setDocument(wanted)

    @Slot()
    def _fit(self, *_: int) -> None:
        lines = max(_FEWEST, min(_MOST, self.blockCount()))
        bar = self.horizontalScrollBar().sizeHint().height() if self.horizontalScrollBar().maximum() else 0
        height = lines * QFontMetrics(self.font()).lineSpacing() + 22 + bar
        if self.minimumHeight() != height:
            self.setFixedHeight(height)

    def changeEvent(self, event: QEvent) -> None:
        """Take another height for another font."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange and hasattr(self, "_highlighter"):
            self._fit()


class TextInput(Input):
    """A text of many lines; YAML and scripts in the monospaced editor with line numbers."""

    def __init__(self, field: FieldState) -> None:
        """Make the editor that fits the field's kind."""
        super().__init__(field)
        self.editor = GrowingEditor(field.title, yaml=field.kind == "yaml")
        self._from = ""
        self._original: Any = None
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self.column.addWidget(self.editor)
        self.adopt(self.editor)
        self.editor.textChanged.connect(self._on_changed)

    @Slot()
    def _on_changed(self) -> None:
        self.send()

    def decorate(self) -> None:
        """Show the example in the empty editor and mark the line of a problem."""
        super().decorate()
        self.editor.setPlaceholderText(self.field.hint)
        lines = (line_of(problem.message) for problem in self.field.problems)
        self.editor.mark_line(next((line for line in lines if line), 0))

    def value(self) -> Any:
        """Return the text; the value as the file holds it while it is as it was shown."""
        text = self.editor.exact_text()
        return self._original if text == self._from else text or None

    def set_value(self, value: Any) -> None:
        """Show the text; a value that is no text (a mapping instead of YAML text) is shown as it is written."""
        self._fill(_text_or_json(value), value)

    def _fill(self, text: str, value: Any) -> None:
        self._original = value
        self.editor.show_text(text)
        self._from = self.editor.exact_text()


def _text_or_json(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return text_of(value)


class ListInput(TextInput):
    """A list with one entry a line; a file that holds a single text (`${kinds}`) keeps a text."""

    def __init__(self, field: FieldState) -> None:
        """Make the editor."""
        super().__init__(field)
        self._hint = label(_("One in a line"), "muted")
        self.column.addWidget(self._hint)

    def value(self) -> Any:
        """Return the list, None for an empty one."""
        text = self.editor.exact_text()
        if text == self._from:
            return self._original
        if isinstance(self._original, str) and "\n" not in text.strip():
            return text.strip() or None
        return list_of(text, self._original if isinstance(self._original, list) else []) or None

    def set_value(self, value: Any) -> None:
        """Show the list."""
        self._fill(lines_of(value) if isinstance(value, list) else _text_or_json(value), value)


class CommandInput(TextInput):
    """A command: a text for the container's shell, or a list of arguments; the switch changes one into the other."""

    def __init__(self, field: FieldState) -> None:
        """Make the switch and the editor."""
        super().__init__(field)
        self._switched = ("", "", "")
        self.segments = Segments((("text", _("Text, run by sh -c")), ("list", _("List of arguments"))))
        self.segments.setAccessibleName(field.title)
        for name, made in self.segments.buttons.items():
            made.setObjectName(f"{field.object_name}_{name}")
            made.setAccessibleName(f"{field.title}: {made.text()}")
        self._hint = label(_("One argument in a line"), "muted")
        self.column.insertWidget(0, self.segments)
        self.column.addWidget(self._hint)
        self.segments.chosen.connect(self._on_form)
        self._show_form("text")

    def _show_form(self, form: str) -> None:
        self.segments.choose(form)
        self._hint.setVisible(form == "list")
        self._form = form

    @Slot(str)
    def _on_form(self, form: str) -> None:
        """Write the same command in the other form; back again, it is found as it was typed there."""
        if form == self._form:
            return
        typed = self.editor.exact_text()
        back, text, came_to = self._switched
        if (back, came_to) != (form, typed):
            text = _in_form(typed, form)
        self._switched = (self._form, typed, text)
        self._show_form(form)
        self._filling = True
        self.editor.show_text(text)
        self._filling = False
        self._original, self._from = None, _NEVER
        self.send()

    def value(self) -> Any:
        """Return the text, or the list of arguments."""
        text = self.editor.exact_text()
        if text == self._from:
            return self._original
        if self._form == "text":
            return text or None
        return list_of(text, self._original if isinstance(self._original, list) else []) or None

    def set_value(self, value: Any) -> None:
        """Show the command in the form that it has in the file."""
        self._switched = ("", "", "")
        self._show_form("list" if isinstance(value, list) else "text")
        self._fill(lines_of(value) if isinstance(value, list) else _text_or_json(value), value)


def _in_form(text: str, form: str) -> str:
    """Return a command written in the other form: as arguments, one a line, or as a text for a shell."""
    if form == "text":
        arguments = list_of(text, [])
        if len(arguments) == 3 and arguments[:2] == ["sh", "-c"]:
            return text_of(arguments[2])
        return " ".join(_quoted(text_of(one)) for one in arguments)
    if not text.strip():
        return ""
    try:
        plain = not _SHELL.search(_VARIABLE.sub("", text)) and len(text.strip().splitlines()) == 1
        return lines_of(shlex.split(text) if plain else ["sh", "-c", text])
    except ValueError:
        return lines_of(["sh", "-c", text])


def _quoted(argument: str) -> str:
    """Return an argument quoted for a shell; variables stay outside: their values are quoted when they come."""
    parts = _VARIABLE.split(argument)
    return "".join(part if index % 2 else _quote(part) for index, part in enumerate(parts)) or "''"


def _quote(text: str) -> str:
    return shlex.quote(text) if text else ""
