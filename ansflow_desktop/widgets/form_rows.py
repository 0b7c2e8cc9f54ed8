"""Inputs that are rows of boxes: names with values, and files in the order in which they count."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.step_form_state import FieldState
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import ElidedLabel, button, icon_button, label, row
from ansflow_desktop.widgets.form_boxes import open_dialog
from ansflow_desktop.widgets.form_inputs import Input, bring_into_view, show_whole, text_of, tip


class _Row(QWidget):
    """One row: boxes, and buttons at its end."""

    edited = Signal()
    removed = Signal(QWidget)
    moved = Signal(QWidget, int)

    def __init__(self, boxes: Sequence[QLineEdit], buttons: Sequence[QToolButton], kept: Any = None) -> None:
        super().__init__()
        self.boxes, self.buttons = list(boxes), list(buttons)
        self.kept = kept
        self.texts = self.current()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for index, box in enumerate(boxes):
            box.textEdited.connect(self._on_edited)
            layout.addWidget(box, 2 + index)
        for made in buttons:
            layout.addWidget(made)
        buttons[-1].clicked.connect(self._on_removed)

    def current(self) -> list[str]:
        """Return the texts of the boxes."""
        return [box.text() for box in self.boxes]

    @Slot(str)
    def _on_edited(self, _text: str) -> None:
        self.edited.emit()

    @Slot()
    def _on_removed(self) -> None:
        self.removed.emit(self)

    @Slot()
    def on_up(self) -> None:
        """Ask to be one place earlier."""
        self.moved.emit(self, -1)

    @Slot()
    def on_down(self) -> None:
        """Ask to be one place later."""
        self.moved.emit(self, 1)


class RowsInput(Input):
    """Rows that are added, typed in and removed."""

    def __init__(self, field: FieldState) -> None:
        """Start with no row."""
        super().__init__(field)
        self.rows: list[_Row] = []
        self._strange: Any = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        self._local = label("", "", "warn", wrap=True)
        self._local.hide()
        self._other = ElidedLabel("", "muted")
        self._other.hide()
        column.addWidget(self._other)
        column.addLayout(self._list)
        column.addWidget(self._local)
        self.add_line = row(*self.add_buttons(), 1, spacing=4)
        column.addLayout(self.add_line)

    def add_buttons(self) -> list[QWidget]:
        """Return the buttons below the rows; the first takes the keyboard where there is no row."""
        raise NotImplementedError

    def decorate(self) -> None:
        """Give every box the tool tip."""
        super().decorate()
        for made in self.rows:
            for box in made.boxes:
                box.setToolTip(self.tool_tip())

    def place(self, made: _Row, index: int | None = None) -> _Row:
        """Put a row in, at the end where no place is given."""
        where = len(self.rows) if index is None else index
        self.rows.insert(where, made)
        self._list.insertWidget(where, made)
        made.show()  # at once, so that it can take the keyboard
        made.edited.connect(self.on_rows)
        made.removed.connect(self._on_removed)
        made.moved.connect(self._on_moved)
        self.renamed()
        return made

    def begin(self, made: _Row) -> None:
        """Put the keyboard into a new row, and the button that adds the next one into view."""
        made.boxes[0].setFocus()
        bring_into_view(self.focus)

    def renamed(self) -> None:
        """Name the boxes by their place, for assistive tools and tests."""
        for number, made in enumerate(self.rows):
            for part, box in enumerate(made.boxes):
                box.setObjectName(f"{self.field.object_name}_{number}_{part}")
            if len(made.buttons) > 1:
                made.buttons[0].setEnabled(number > 0)
                made.buttons[1].setEnabled(number < len(self.rows) - 1)

    @Slot()
    def on_rows(self) -> None:
        """Tell the new value, and what is wrong with the rows themselves."""
        self._strange = None
        self._other.hide()
        problem = self.local_problem()
        self._local.setText(problem)
        self._local.setVisible(bool(problem))
        self.send()

    def local_problem(self) -> str:
        """Return what keeps rows from being written, empty for nothing."""
        return ""

    @Slot(QWidget)
    def _on_removed(self, made: _Row) -> None:
        index = self.rows.index(made)
        self._drop(made)
        self.renamed()
        near = self.rows[min(index, len(self.rows) - 1)].boxes[0] if self.rows else self.focus
        near.setFocus()
        self.on_rows()

    def _drop(self, made: _Row) -> None:
        self.rows.remove(made)
        self._list.removeWidget(made)
        made.hide()
        made.deleteLater()

    @Slot(QWidget, int)
    def _on_moved(self, made: _Row, by: int) -> None:
        index = self.rows.index(made)
        wanted = max(0, min(len(self.rows) - 1, index + by))
        self.rows.insert(wanted, self.rows.pop(index))
        self._list.removeWidget(made)
        self._list.insertWidget(wanted, made)
        self.renamed()
        self.on_rows()

    def fill(self, rows: Sequence[Callable[[], _Row]], strange: Any) -> None:
        """Show other rows; `strange` is a value that has no rows, kept until something is typed."""
        for made in list(self.rows):
            self._drop(made)
        for make in rows:
            self.place(make())
        self._strange = strange
        self._other.set_text(text_of(strange))
        self._other.setVisible(strange is not None)
        self._local.hide()


def _remove_button(name: str) -> QToolButton:
    made = icon_button("close", name)
    made.setIconSize(QSize(icons.SIZE - 2, icons.SIZE - 2))
    return made


class MappingInput(RowsInput):
    """Names and values: a name without letters is not written, of a name given twice the last counts."""

    def add_buttons(self) -> list[QWidget]:
        """Return the button that adds a row."""
        self.add = button(
            _("Add a variable"), "link", "plus", translate(msg("Add to %(field)s", field=self.field.title))
        )
        self.add.clicked.connect(self._on_add)
        self.adopt(self.add)
        return [self.add]

    @Slot()
    def _on_add(self) -> None:
        self.begin(self.place(self._make("", "")))

    def _make(self, name: str, value: Any) -> _Row:
        boxes = []
        for title, text in ((_("Name"), name), (_("Value"), text_of(value))):
            box = QLineEdit()
            show_whole(box, text)
            box.setPlaceholderText(title)
            box.setAccessibleName(f"{self.field.title}: {title}")
            box.setToolTip(self.tool_tip())
            boxes.append(box)
        remove = _remove_button(translate(msg("Remove from %(field)s", field=self.field.title)))
        return _Row(boxes, [remove], kept=value)

    def local_problem(self) -> str:
        """Name what is typed twice."""
        names = [made.boxes[0].text().strip() for made in self.rows]
        twice = next((name for name in names if name and names.count(name) > 1), "")
        return translate(msg("%(name)s stands twice: the last one counts.", name=twice)) if twice else ""

    def value(self) -> Any:
        """Return the mapping, None for an empty one; a number that was not touched stays one."""
        if self._strange is not None:
            return self._strange
        found = {}
        for made in self.rows:
            name, value = made.boxes[0].text().strip(), made.boxes[1].text()
            if name:
                found[name] = made.kept if value == made.texts[1] and made.kept is not None else value
        return found or None

    def set_value(self, value: Any) -> None:
        """Show the mapping."""
        pairs = value.items() if isinstance(value, dict) else ()
        rows = [functools.partial(self._make, str(name), held) for name, held in pairs]
        self.fill(rows, None if isinstance(value, dict) else value)


class FilesInput(RowsInput):
    """Files in order: chosen in a dialog or typed, moved and removed."""

    def __init__(self, field: FieldState, folder: Callable[[], str], written: Callable[[str], str]) -> None:
        """`folder` gives where the dialog starts, `written` how a chosen path is written into the file."""
        self._folder, self._written_path = folder, written
        super().__init__(field)

    def add_buttons(self) -> list[QWidget]:
        """Return the buttons that add files by a dialog and a row to type in."""
        title = self.field.title
        self.browse_button = button(
            _("Add…"), "link", "file-plus-outline", translate(msg("Add files: %(field)s", field=title))
        )
        self.browse_button.clicked.connect(self.browse)
        self.type_button = button(
            _("Type a path"), "link", "plus", translate(msg("Type a path: %(field)s", field=title))
        )
        self.type_button.clicked.connect(self._on_type)
        self.type_button.setObjectName(f"type_{self.field.object_name}")
        self.adopt(self.browse_button)
        return [self.browse_button, self.type_button]

    @Slot()
    def browse(self) -> None:
        """Open the dialog; it does not block the window."""
        open_dialog(self, self.field, self._folder(), self.choose)

    def choose(self, paths: Sequence[str]) -> None:
        """Add the chosen files that are not there yet."""
        there = {made.boxes[0].text() for made in self.rows}
        new = [path for path in map(self._written_path, paths) if path not in there]
        for path in new:
            self.place(self._make(path))
        if new:
            self.on_rows()

    @Slot()
    def _on_type(self) -> None:
        self.begin(self.place(self._make("")))

    def _make(self, path: Any) -> _Row:
        box = QLineEdit()
        show_whole(box, text_of(path))
        box.setAccessibleName(self.field.title)
        box.setPlaceholderText(self.field.hint)
        box.setToolTip(tip(text_of(path)) or self.tool_tip())
        name = text_of(path) or _("this file")
        made = _Row(
            [box],
            [
                icon_button("arrow-up", translate(msg("Move %(file)s up", file=name))),
                icon_button("arrow-down", translate(msg("Move %(file)s down", file=name))),
                _remove_button(translate(msg("Remove %(file)s", file=name))),
            ],
            kept=path,
        )
        made.buttons[0].clicked.connect(made.on_up)
        made.buttons[1].clicked.connect(made.on_down)
        return made

    def value(self) -> Any:
        """Return the paths in order, None for none."""
        if self._strange is not None:
            return self._strange
        found = [(made.kept if made.current() == made.texts else made.boxes[0].text().strip()) for made in self.rows]
        return [path for path in found if path not in ("", None)] or None

    def set_value(self, value: Any) -> None:
        """Show the paths; a single text (`${files}`) is one row and stays a text until there are more."""
        paths = value if isinstance(value, list) else []
        self.fill([functools.partial(self._make, path) for path in paths], None if isinstance(value, list) else value)
