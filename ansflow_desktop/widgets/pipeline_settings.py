"""The settings of a pipeline: its name, what it is for, its variables, and where relative paths begin."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.pipeline_editor_state import FILE, EditorState
from ansflow_desktop.widgets.controls import Card, Column, button, icon_button, label, row
from ansflow_desktop.widgets.fields import Field
from ansflow_desktop.widgets.form_inputs import show_whole


class _Variable(QWidget):
    """One variable: emits `changed(old name, name, value)` at each key, `removed(name)`."""

    changed = Signal(str, str, str)
    removed = Signal(str)

    def __init__(self, name: str, value: str) -> None:
        super().__init__()
        self.name = name
        self._name = self._line(name, _("Name of the variable"))
        self._name.setObjectName(f"variable_name_{name}")
        self._value = self._line(value, _("Value of the variable"))
        self._value.setObjectName(f"variable_value_{name}")
        self._name.editingFinished.connect(self._on_name)
        self._value.textEdited.connect(self._on_value)
        remove = icon_button("close", _("Remove this variable"))
        remove.clicked.connect(self._on_remove)
        layout = row(self._name, self._value, remove, spacing=6)
        layout.setStretch(0, 2)
        layout.setStretch(1, 3)
        self.setLayout(layout)

    @staticmethod
    def _line(text: str, name: str) -> QLineEdit:
        made = QLineEdit()
        show_whole(made, text)
        made.setAccessibleName(name)
        made.setPlaceholderText(name)
        return made

    def show_value(self, value: str) -> None:
        if self._value.text() != value:
            show_whole(self._value, value)

    @Slot()
    def _on_name(self) -> None:
        typed = self._name.text().strip()
        if typed and typed != self.name:
            self.changed.emit(self.name, typed, self._value.text())

    @Slot(str)
    def _on_value(self, text: str) -> None:
        self.changed.emit(self.name, self.name, text)

    @Slot()
    def _on_remove(self) -> None:
        self.removed.emit(self.name)

    def focus_name(self) -> None:
        self._name.setFocus()
        self._name.selectAll()


class PipelineSettings(Card):
    """Emits `field_edited(path, value)` for the document, `variable_renamed(old, new)`, `folder_chosen(path)`."""

    field_edited = Signal(tuple, object)
    variable_renamed = Signal(str, str)
    variable_added = Signal()
    folder_chosen = Signal(str)

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(margins=0)
        scroll = Column(320)
        self.body.addWidget(scroll)
        self._column = QVBoxLayout(scroll.inside)
        self._column.setContentsMargins(16, 14, 16, 16)
        self._column.setSpacing(10)
        self._column.addWidget(label(_("Settings of the pipeline"), "card_title"))
        self._build_fields()
        self._build_variables()
        self._build_folder()
        self._column.addStretch(1)
        self._rows: dict[str, _Variable] = {}
        self._focus_new = False

    def _build_fields(self) -> None:
        self._name = QLineEdit()
        self._name.setObjectName("pipeline_name")
        self._name.setAccessibleName(_("Name of the pipeline"))
        self._name.textEdited.connect(self._on_name)
        self._description = QLineEdit()
        self._description.setObjectName("pipeline_description")
        self._description.setAccessibleName(_("What the pipeline is for"))
        self._description.textEdited.connect(self._on_description)
        self._name_field = Field(_("Name"), self._name)
        self._description_field = Field(_("Description"), self._description)
        self._column.addWidget(self._name_field)
        self._column.addWidget(self._description_field)

    def _build_variables(self) -> None:
        add = button(_("Add a variable"), "link", "plus")
        add.setObjectName("variable_add")
        add.clicked.connect(self._on_add)
        self._column.addLayout(row(label(_("Variables"), "field"), 1, add))
        self._hint = label(_("Write ${name} in any field to use a variable."), "muted", wrap=True)
        self._column.addWidget(self._hint)
        self._variables = QVBoxLayout()
        self._variables.setSpacing(6)
        self._column.addLayout(self._variables)

    def _build_folder(self) -> None:
        self._folder = QLineEdit()
        self._folder.setObjectName("pipeline_folder")
        self._folder.setAccessibleName(_("Folder that relative paths start from"))
        self._folder.editingFinished.connect(self._on_folder)
        browse = icon_button("folder-open-outline", _("Choose the folder"))
        browse.clicked.connect(self._on_browse)
        holder = QWidget()
        holder.setLayout(row(self._folder, browse, spacing=6))
        self._folder_field = Field(_("Folder that relative paths start from"), holder, self._folder)
        self._column.addWidget(self._folder_field)

    # Shown

    def show_state(self, state: EditorState) -> None:
        """Show the settings as the document has them."""
        if self._name.text().strip() != state.document.name:  # a blank before the next word is not written yet
            _set(self._name, state.document.name)
        _set(self._description, state.document.description)
        _set(self._folder, state.home.working_folder)
        self._folder_field.setVisible(state.home.kind != FILE)
        self._name_field.show_problems(_of(state, "metadata.name"))
        self._description_field.show_problems(_of(state, "metadata.description"))
        self._show_variables(state.document.variables)

    def _show_variables(self, variables: dict[str, Any]) -> None:
        if list(variables) != list(self._rows):
            self._make_rows(variables)
        for name, value in variables.items():
            self._rows[name].show_value(_shown(value))

    def _make_rows(self, variables: dict[str, Any]) -> None:
        added = [name for name in variables if name not in self._rows]
        for gone in self._rows.values():
            self._variables.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        self._rows = {}
        for name, value in variables.items():
            made = self._rows[name] = _Variable(name, _shown(value))
            made.changed.connect(self._on_variable)
            made.removed.connect(self._on_removed)
            self._variables.addWidget(made)
        if self._focus_new and added:
            QTimer.singleShot(0, self._rows[added[-1]].focus_name)  # it is not shown yet
        self._focus_new = False

    def focus_first(self) -> None:
        """Put the keyboard into the name, all of it selected: typing replaces it."""
        self._name.setFocus()
        self._name.selectAll()

    def focus_field(self, field: str) -> None:
        """Put the keyboard into the input of a problem's field."""
        variable = field.rpartition("variables.")[2]
        if field.endswith("description"):
            self._description.setFocus()
        elif "variables." in field and variable in self._rows:
            self._rows[variable].focus_name()
        else:
            self.focus_first()

    # Typed

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self.field_edited.emit(("metadata", "name"), text.strip())

    @Slot(str)
    def _on_description(self, text: str) -> None:
        self.field_edited.emit(("metadata", "description"), text or None)

    @Slot(str, str, str)
    def _on_variable(self, old: str, name: str, value: str) -> None:
        if old == name:
            self.field_edited.emit(("spec", "variables", name), value)
        else:
            self.variable_renamed.emit(old, name)

    @Slot(str)
    def _on_removed(self, name: str) -> None:
        self.field_edited.emit(("spec", "variables", name), None)

    @Slot()
    def _on_add(self) -> None:
        self._focus_new = True
        self.variable_added.emit()

    @Slot()
    def _on_folder(self) -> None:
        self.folder_chosen.emit(self._folder.text().strip())

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, _("Choose a folder"), self._folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder_chosen)
        dialog.open()


def _set(line: QLineEdit, text: str) -> None:
    if line.text() != text:
        show_whole(line, text)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else translate(str(value))


def _of(state: EditorState, field: str) -> tuple[Problem, ...]:
    return tuple(problem for problem in state.problems if problem.field == field)
