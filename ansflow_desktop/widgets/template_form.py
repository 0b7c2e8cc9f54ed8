"""The chosen template: what it is, its parameters, and the steps that come of them."""

from __future__ import annotations

import itertools

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.models.template import Template, TemplateParameter
from ansflow_desktop.presenters.templates import TemplatesPresenter
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import (
    Card,
    Chip,
    Column,
    ComboBox,
    FlowLayout,
    button,
    clear,
    icon_button,
    label,
    row,
)
from ansflow_desktop.widgets.fields import Field
from ansflow_desktop.widgets.form_inputs import show_whole, tip
from ansflow_desktop.widgets.template_words import category_of, label_of, origin_of, title_of, words_in

_COLUMNS = 2


class ParameterInput(QWidget):
    """The input of one parameter; emits `typed(name, text)`."""

    typed = Signal(str, str)

    def __init__(self, parameter: TemplateParameter, choices: tuple[str, ...]) -> None:
        """Make a line, with `choices` to pick from where there are any, or a folder chooser."""
        super().__init__()
        self._name = parameter.name
        self.line: QLineEdit
        self.last: QWidget
        self._layout = layout = row()
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)
        if parameter.kind == "cluster" or parameter.kind == "boolean":
            self._add_box(parameter, choices if parameter.kind == "cluster" else ("true", "false"))
            return
        self.line = self.last = QLineEdit()
        layout.addWidget(self.line, 1)
        self._name_line(parameter)
        if parameter.kind == "folder":
            choose = icon_button("folder-open-outline", _("Choose a folder"))
            choose.clicked.connect(self._on_choose)
            self.last = choose
            layout.addWidget(choose)

    def _add_box(self, parameter: TemplateParameter, choices: tuple[str, ...]) -> None:
        box = ComboBox(label_of(parameter))
        box.setEditable(True)
        box.setCompleter(None)  # type: ignore[arg-type]  # nothing is completed unasked; the stub leaves None out
        box.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        box.addItems(list(choices))
        line = box.lineEdit()
        assert line is not None
        self.line = line
        self.last = box
        box.setObjectName(f"template_box_{parameter.name}")
        self._layout.addWidget(box)
        self._name_line(parameter)

    def _name_line(self, parameter: TemplateParameter) -> None:
        self.line.setObjectName(f"template_{parameter.name}")
        self.line.setAccessibleName(label_of(parameter))
        self.line.setToolTip(tip(words_in(parameter.help), f"${{{parameter.name}}}"))
        self.line.textChanged.connect(self._on_text)

    @Slot(str)
    def _on_text(self, text: str) -> None:
        self.typed.emit(self._name, text)

    @Slot()
    def _on_choose(self) -> None:
        dialog = QFileDialog(self, _("Choose a folder"), self.line.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.line.setText)
        dialog.open()

    def show_text(self, text: str) -> None:
        """Show `text` unless it stands there already: the cursor stays where somebody types."""
        if self.line.text() != text:
            show_whole(self.line, text)


class TemplateForm(QWidget):
    """Shows the chosen template of a TemplatesPresenter; `clusters` are the names to pick from."""

    def __init__(self, presenter: TemplatesPresenter, clusters: tuple[str, ...]) -> None:
        """Make the form for the template as it is chosen now."""
        super().__init__()
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the list stays where it is until something is chosen
        self.setSizePolicy(policy)
        self._presenter, self._clusters = presenter, clusters
        self._shown: Template | None = None
        self._inputs: dict[str, tuple[ParameterInput, Field]] = {}
        column = Column()
        column_layout = QVBoxLayout(column.inside)
        column_layout.setContentsMargins(0, 0, 8, 0)
        column_layout.setSpacing(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(column)
        card = Card("")
        self._title = label("", "card_title")
        self._category, self._origin = Chip("", "", "muted"), Chip("", "", "muted")
        self._about = label("", "context", wrap=True)
        self._fields = QGridLayout()
        self._fields.setSpacing(12)
        for number in range(_COLUMNS):
            self._fields.setColumnStretch(number, 1)
        for part in (self._title, row(self._category, self._origin, 1), self._about, self._fields, self._buttons()):
            card.body.addWidget(part) if isinstance(part, QWidget) else card.body.addLayout(part)
        steps = Card(_("The steps that are made"))
        self._preview = CodeView(_("Steps as YAML"), yaml=True)
        self._preview.setObjectName("template_preview")
        self._preview.setMinimumHeight(320)
        steps.body.addWidget(self._preview)
        for one in (card, steps):
            column_layout.addWidget(one)
        column_layout.addStretch(1)
        presenter.state_changed.connect(self.show_state)
        self.show_state()

    def _buttons(self) -> QWidget:
        self._new = button(_("New pipeline"), "primary", "plus")
        self._new.setObjectName("template_new_pipeline")
        self._new.clicked.connect(self._on_new)
        self._add = button(_("Add to the open pipeline"), "", "playlist-plus")
        self._add.setObjectName("template_add")
        self._add.clicked.connect(self._on_add)
        holder = QWidget()
        flow = FlowLayout()
        flow.setContentsMargins(0, 4, 0, 0)
        flow.addWidget(self._new)
        flow.addWidget(self._add)
        holder.setLayout(flow)
        return holder

    @Slot()
    def _on_new(self) -> None:
        self._presenter.use(new=True)

    @Slot()
    def _on_add(self) -> None:
        self._presenter.use(new=False)

    @Slot()
    def show_state(self) -> None:
        """Show the template that is chosen, and what was typed for it."""
        state = self._presenter.state
        self.setVisible(state.chosen is not None)
        if state.chosen is None:
            return
        if state.chosen != self._shown:
            self._rebuild(state.chosen)
        for name, (line, field) in self._inputs.items():
            line.show_text(state.values.get(name, ""))
            problem = state.problems.get(name)
            field.show_problems((Problem(field=name, title=problem),) if problem else ())
        self._preview.show_text(state.preview)
        self._new.setEnabled(state.can_apply)
        self._add.setEnabled(state.can_apply and bool(state.pipeline))
        words = translate(msg("Add to %(name)s", name=state.pipeline)) if state.pipeline else _("No pipeline is open")
        self._add.setToolTip(tip(words))

    def _rebuild(self, template: Template) -> None:
        self._shown = template
        self._title.setText(title_of(template))
        self._about.setText(words_in(template.description))
        self._category.set(category_of(template))
        self._origin.set(origin_of(template))
        clear(self._fields)
        self._inputs = {one.name: self._input(one, number) for number, one in enumerate(template.parameters)}
        order = [*[made.last for made, _field in self._inputs.values()][-1:], self._new, self._add, self._preview]
        for before, after in itertools.pairwise(order):  # Tab goes on from the last field
            QWidget.setTabOrder(before, after)

    def _input(self, parameter: TemplateParameter, number: int) -> tuple[ParameterInput, Field]:
        made = ParameterInput(parameter, self._clusters)
        made.show_text(self._presenter.state.values.get(parameter.name, ""))
        made.typed.connect(self._presenter.type_value)
        field = Field(label_of(parameter), made, focus=made.line)
        self._fields.addWidget(field, number // _COLUMNS, number % _COLUMNS, Qt.AlignmentFlag.AlignTop)
        return made, field

    def focus_first(self) -> None:
        """Put the keyboard into the first parameter."""
        for made, _field in self._inputs.values():
            made.line.setFocus()
            return
