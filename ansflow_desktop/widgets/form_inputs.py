"""The inputs of a step's form: what every one of them shares, and the plain ones (line, check box, choice, mode)."""

from __future__ import annotations

import html
import re
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.step_form_state import FieldState, same
from ansflow_desktop.widgets.controls import CheckBox, ComboBox, label

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_SETTLED_MS = 150
_LONGEST = 1_000_000
_UNKNOWN = object()
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def tip(*lines: str) -> str:
    """Return lines as a tool tip that wraps; whatever they hold is shown as text (failure-modes.md, row 33)."""
    text = "\n".join(line for line in lines if line)
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>' if text else ""


def show_whole(line: QLineEdit, text: str) -> None:
    """Show all of `text` from its beginning: Qt's own bound of 32,767 characters would cut off what the file holds."""
    line.setMaxLength(max(_LONGEST, len(text)))
    line.setText(text)
    line.setCursorPosition(0)


def text_of(value: Any) -> str:
    """Return a plain value as it stands in a box of one text: `true` and `3` as YAML writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class _Bringer(QObject):
    """Keeps the last widget asked for in view while its column takes its new height: layouts settle in rounds."""

    def __init__(self, area: QScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self._widget: QWidget | None = None
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self.forget)
        area.verticalScrollBar().rangeChanged.connect(self.bring)

    def want(self, widget: QWidget) -> None:
        self._widget = widget
        widget.destroyed.connect(self.forget, Qt.ConnectionType.UniqueConnection)
        self._settled.start()
        QTimer.singleShot(0, self.bring)

    @Slot()
    def bring(self, *_range: int) -> None:
        if self._widget:
            self._area.ensureWidgetVisible(self._widget, 0, 24)

    @Slot()
    def forget(self, *_destroyed: object) -> None:
        self._widget = None


def bring_into_view(widget: QWidget) -> None:
    """Scroll the column around `widget` until it is seen, as soon as it has the room that was just made for it."""
    area = scroll_area_of(widget)
    if area:
        (area.findChild(_Bringer) or _Bringer(area)).want(widget)


def scroll_area_of(widget: QWidget) -> QScrollArea | None:
    """Return the scrolling column that `widget` stands in."""
    part = widget.parentWidget()
    while part is not None and not isinstance(part, QScrollArea):
        part = part.parentWidget()
    return part


class Input(QWidget):
    """An input for one field: `edited(value)` with plain data (None: nothing), `wanted` when it gets the keyboard.

    What was typed is never put back: another value is shown only when the document's own value has become another
    one, and not because of what was typed here.
    """

    edited = Signal(object)
    wanted = Signal()

    def __init__(self, field: FieldState) -> None:
        """Make it for `field`; nothing is shown yet."""
        super().__init__()
        self.field = field
        self._shown: Any = None
        self._sent: list[Any] = []
        self._filling = False
        self.focus: QWidget = self

    def adopt(self, widget: QWidget) -> None:
        """Make `widget` the one that takes the keyboard, with the field's names for people and tests."""
        self.focus = widget
        widget.setObjectName(self.field.object_name)
        widget.setAccessibleName(self.field.title)
        widget.installEventFilter(self)
        self.setFocusProxy(widget)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Say that the input has the keyboard now."""
        if event.type() is QEvent.Type.FocusIn and watched is self.focus:
            self.wanted.emit()
        return super().eventFilter(watched, event)

    def show_field(self, field: FieldState, *, fresh: bool) -> None:
        """Show the field's state; `fresh` for another step, whose value takes the place of whatever is shown."""
        self.field = field
        self._filling = True
        self.decorate()
        value = field.value if field.given else None
        if fresh:
            self._sent.clear()
            self.set_value(value)
        elif not same(value, self._shown) and not self._is_echo(value):
            self._sent.clear()
            if not same(value, self._written(self.value())):
                self.set_value(value)
        self._shown = value
        self._filling = False

    def forget(self) -> None:
        """Show the document's value next time, whatever was typed here: that was undone or redone."""
        self._sent.clear()
        self._shown = _UNKNOWN

    def _is_echo(self, value: Any) -> bool:
        """Return whether the document now holds what was typed here; what was typed before is forgotten then."""
        for index in reversed(range(len(self._sent))):
            if same(self._written(self._sent[index]), self._written(value)):
                del self._sent[: index + 1]
                return True
        return False

    def _written(self, value: Any) -> Any:
        """Return what a value comes to in the file: the default and nothing are left out."""
        return None if value in _NOTHING or same(value, self.field.default) else value

    def send(self) -> None:
        """Tell that another value was typed."""
        if not self._filling:
            value = self.value()
            self._sent.append(value)
            self.edited.emit(value)

    def decorate(self) -> None:
        """Show what is not the value: hint, tool tip, offers."""
        self.focus.setToolTip(self.tool_tip())

    def tool_tip(self) -> str:
        """Return help, name in the file and default of the field."""
        field = self.field
        default = text_of(field.default) if not isinstance(field.default, list | dict) else ""
        return tip(
            field.help,
            translate(msg("In the file: %(name)s", name=field.name)),
            translate(msg("Left out: %(default)s", default=default)) if default else "",
            translate(msg("Wins over: %(fields)s", fields=", ".join(field.wins_over))) if field.wins_over else "",
            translate(field.options_note),
        )

    def value(self) -> Any:
        """Return what is typed as plain data, None for nothing."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value of the document, None for none."""
        raise NotImplementedError


class LineInput(Input):
    """One line of text; an `integer` gives a number where it is one, and else the text as typed."""

    def __init__(self, field: FieldState, line: QLineEdit | None = None) -> None:
        """Make it around `line`, or a plain one."""
        super().__init__(field)
        self.line = line or QLineEdit()
        self.layout_ = QHBoxLayout(self)
        self.layout_.setContentsMargins(0, 0, 0, 0)
        self.layout_.setSpacing(2)
        self.layout_.addWidget(self.line, 1)
        self.adopt(self.line)
        self.line.textEdited.connect(self._on_edited)

    @Slot(str)
    def _on_edited(self, _text: str) -> None:
        self.send()

    def decorate(self) -> None:
        """Show the default or an example in the empty box."""
        super().decorate()
        self.line.setPlaceholderText(self.field.hint)

    def value(self) -> Any:
        """Return the text without the blanks around it, or the number."""
        text = self.line.text().strip()
        if self.field.kind == "integer" and _WHOLE.fullmatch(text):
            return int(text)
        return text or None

    def set_value(self, value: Any) -> None:
        """Show the text; one that is shown already keeps cursor and undo."""
        show_whole(self.line, text_of(value))


class BooleanInput(Input):
    """A check box; a text box where the file holds `${name}` or anything else that is neither true nor false."""

    def __init__(self, field: FieldState) -> None:
        """Make both, the check box shown."""
        super().__init__(field)
        self.box = CheckBox(field.title)
        self.line = QLineEdit()
        self._heading = label(field.title, "field")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.box, self._heading, self.line):
            column.addWidget(part)
        self.box.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.box.customContextMenuRequested.connect(self._on_menu)
        self.box.toggled.connect(self._on_toggled)
        self.line.textEdited.connect(self._on_typed)
        self._show_line(False)

    def _show_line(self, as_text: bool) -> None:
        """Show one of the two; it bears the field's name."""
        shown, hidden = (self.line, self.box) if as_text else (self.box, self.line)
        hidden.removeEventFilter(self)
        hidden.setObjectName("")
        self.box.setVisible(not as_text)
        self.line.setVisible(as_text)
        self._heading.setVisible(as_text)
        self.adopt(shown)
        self.line.setPlaceholderText(text_of(self.field.default))
        shown.setToolTip(self.tool_tip())

    @property
    def as_text(self) -> bool:
        """True while the value is typed as a text."""
        return self.focus is self.line

    @Slot(bool)
    def _on_toggled(self, _on: bool) -> None:
        self.send()

    @Slot(str)
    def _on_typed(self, _text: str) -> None:
        self.send()

    @Slot(object)
    def _on_menu(self, place: Any) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(_("Type a variable"), self._type_variable)
        menu.popup(self.box.mapToGlobal(place))

    @Slot()
    def _type_variable(self) -> None:
        self._show_line(True)
        self.line.setText("${}")
        self.line.setCursorPosition(2)
        self.line.setFocus()

    def value(self) -> Any:
        """Return true or false, the text where it is neither, None for an empty text."""
        if not self.as_text:
            return self.box.isChecked()
        text = self.line.text().strip()
        return {"true": True, "false": False}.get(text, text or None)

    def set_value(self, value: Any) -> None:
        """Show true, false, the default, or the text."""
        as_text = value is not None and not isinstance(value, bool)
        if as_text != self.as_text:
            self._show_line(as_text)
        if as_text:
            show_whole(self.line, text_of(value))
        else:
            self.box.setChecked(bool(self.field.default if value is None else value))


class ChoiceInput(Input):
    """A combo box of the values there are; one that is none of them (`${name}`) is shown as one more."""

    def __init__(self, field: FieldState) -> None:
        """Make it with the field's choices."""
        super().__init__(field)
        self.box = ComboBox(field.title)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box, 1)
        self._foreign = False
        if field.default is None:
            self.box.addItem(_("Not set"), None)
        for choice in field.choices:
            words = msg("%(choice)s (when left out)", choice=choice.title)
            self.box.addItem(translate(words) if choice.value == field.default else choice.title, choice.value)
        self.adopt(self.box)
        self.box.currentIndexChanged.connect(self._on_chosen)

    @Slot(int)
    def _on_chosen(self, _index: int) -> None:
        self.send()

    def value(self) -> Any:
        """Return the chosen value."""
        return self.box.currentData()

    def set_value(self, value: Any) -> None:
        """Choose the value."""
        if self._foreign:
            self.box.removeItem(self.box.count() - 1)
            self._foreign = False
        wanted = self.field.default if value is None else value
        index = self.box.findData(wanted)
        if index < 0:
            self.box.addItem(text_of(wanted) or _("Not set"), wanted)
            self._foreign, index = True, self.box.count() - 1
        self.box.setCurrentIndex(index)


class Segments(QFrame):
    """A switch of two or more words side by side, one of them or none chosen; the arrow keys move within it."""

    chosen = Signal(str)

    def __init__(self, choices: tuple[tuple[str, str], ...]) -> None:
        """Make it of (value, word) pairs."""
        super().__init__()
        self.setProperty("role", "note")
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        line = QHBoxLayout(self)
        line.setContentsMargins(3, 3, 3, 3)
        line.setSpacing(3)
        for value, word in choices:
            made = QPushButton(word)
            made.setProperty("role", "rail")
            made.setProperty("folded", "true")  # its text in the middle
            made.setCheckable(True)
            made.setCursor(Qt.CursorShape.PointingHandCursor)
            made.setMinimumWidth(made.fontMetrics().horizontalAdvance(word) + 24)
            made.clicked.connect(self._on_clicked)
            self.buttons[value] = made
            self._group.addButton(made)
            line.addWidget(made, 1)

    @Slot()
    def _on_clicked(self) -> None:
        value = self.value()
        if value is not None:
            self.chosen.emit(value)

    def value(self) -> str | None:
        """Return the chosen value."""
        return next((value for value, made in self.buttons.items() if made.isChecked()), None)

    def choose(self, value: str | None) -> None:
        """Show `value` as chosen, None for none."""
        self._group.setExclusive(False)
        for known, made in self.buttons.items():
            made.setChecked(known == value)
        self._group.setExclusive(True)


class ModeInput(Input):
    """The switch between the modes of a deploy; a mode that is only known when it runs is shown beside it."""

    def __init__(self, field: FieldState) -> None:
        """Make a segment for each mode."""
        super().__init__(field)
        self.segments = Segments(tuple((choice.value, choice.title) for choice in field.choices))
        self._foreign = label("", "muted", selectable=True)
        self._other: Any = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.segments)
        column.addWidget(self._foreign)
        self.segments.setObjectName(field.object_name)
        self.segments.setAccessibleName(field.title)
        for value, made in self.segments.buttons.items():
            made.setObjectName(f"{field.object_name}_{value}")
            made.setAccessibleName(f"{field.title}: {made.text()}")
        self.focus = next(iter(self.segments.buttons.values()), self)
        self.setFocusProxy(self.focus)
        self.segments.chosen.connect(self._on_chosen)

    @Slot(str)
    def _on_chosen(self, _value: str) -> None:
        self._other = None
        self._foreign.hide()
        self.send()

    def decorate(self) -> None:
        """Give every segment the field's tool tip."""
        for made in self.segments.buttons.values():
            made.setToolTip(self.tool_tip())

    def value(self) -> Any:
        """Return the chosen mode, or the text that stands in the file."""
        return self.segments.value() or self._other

    def set_value(self, value: Any) -> None:
        """Choose the mode."""
        known = value if value in self.segments.buttons else None
        self.segments.choose(known)
        self._other = value if known is None else None
        self._foreign.setText(text_of(self._other))
        self._foreign.setVisible(self._other is not None)
