"""The fields of one step type: groups under headings, advanced ones folded away, problems beneath their field."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg_n, translate
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.presenters.step_form import CLUSTER, NAMESPACE, StepFormPresenter
from ansflow_desktop.presenters.step_form_state import MODE, FieldState, FormState, GroupState, Path
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import ElidedLabel, label, row, set_property
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.form_boxes import NamespaceInput, PathInput, SuggestInput
from ansflow_desktop.widgets.form_editors import CommandInput, ListInput, TextInput
from ansflow_desktop.widgets.form_inputs import BooleanInput, ChoiceInput, Input, LineInput, ModeInput
from ansflow_desktop.widgets.form_rows import FilesInput, MappingInput

_FIRST = "general"  # its fields stand below the name of the type, which is heading enough
_PAIR_FROM_PX = 360
_SHORT = frozenset({"integer", "duration"})
_PLAIN: dict[str, Callable[[FieldState], Input]] = {
    "boolean": BooleanInput,
    "choice": ChoiceInput,
    "lines": TextInput,
    "yaml": TextInput,
    "code": TextInput,
    "list": ListInput,
    "kinds": ListInput,
    "mapping": MappingInput,
    "command": CommandInput,
    "cluster": SuggestInput,
    "resource": SuggestInput,
    "container": SuggestInput,
    "chart": SuggestInput,
}


def make_input(field: FieldState, presenter: StepFormPresenter) -> Input:
    """Return the input that fits the field's kind."""
    if field.path == MODE:
        return ModeInput(field)
    if field.kind == "files":
        return FilesInput(field, presenter.base_folder, presenter.written_path)
    if field.kind in ("folder", "file"):
        return PathInput(field, presenter.base_folder, presenter.written_path)
    if field.kind == "namespace":
        return NamespaceInput(field, presenter.wanted_again)
    if field.kind == "text" and field.choices:
        return SuggestInput(field)
    return _PLAIN.get(field.kind, LineInput)(field)


def unit_word(field: FieldState) -> str:
    """Return what a number counts, or how a duration is written."""
    if field.kind == "duration":
        return _("such as 300s or 5m")
    known = {"s": _("seconds"), "lines": _("lines"), "replicas": _("replicas"), "times": _("times")}
    return known.get(field.unit, field.unit)


class FieldRow(QWidget):
    """A label, the input, a note and the problems of one field."""

    edited = Signal(tuple, object)
    wanted = Signal(tuple)

    def __init__(self, field: FieldState, presenter: StepFormPresenter) -> None:
        """Make it for `field`."""
        super().__init__()
        self.path: Path = field.path
        self.input = make_input(field, presenter)
        self._heading = label(field.title, "field", wrap=True)
        self._note = label("", "muted", wrap=True)
        self._problems = Problems()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self._heading, self._with_unit(field), self._note, self._problems):
            column.addWidget(part)
        self._heading.setVisible(field.kind != "boolean" and field.path != MODE)  # a window of its own before this
        self.input.edited.connect(self._on_edited)
        self.input.wanted.connect(self._on_wanted)

    def _with_unit(self, field: FieldState) -> QWidget:
        unit = unit_word(field)
        if field.kind not in _SHORT:
            return self.input
        self.input.setMaximumWidth(130)
        self.input.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        holder = QWidget()
        holder.setLayout(row(self.input, label(unit, "muted"), 1))
        return holder

    @Slot(object)
    def _on_edited(self, value: object) -> None:
        self.edited.emit(self.path, value)

    @Slot()
    def _on_wanted(self) -> None:
        self.wanted.emit(self.path)

    def show_field(self, field: FieldState, *, fresh: bool) -> None:
        """Show the field's state."""
        self.setVisible(field.applies)
        self.input.show_field(field, fresh=fresh)
        self._heading.setToolTip(self.input.tool_tip())
        self._note.setText(translate(field.note))
        self._note.setVisible(bool(field.note) and not field.wrong)
        self._problems.show_problems(field.problems)
        set_property(self.input.focus, "problem", _worst(field))
        words = "; ".join(translate(problem.title) for problem in field.problems)
        self.input.focus.setAccessibleDescription(words or field.help)

    def focus_input(self) -> None:
        """Put the keyboard into the input."""
        self.input.focus.setFocus()


def _worst(field: FieldState) -> str:
    found = {problem.severity for problem in field.problems}
    if Severity.ERROR in found:
        return "error"
    return "warning" if Severity.WARNING in found else ""


class Pair(QWidget):
    """Two fields that belong together: side by side where there is room, else one below the other."""

    def __init__(self, first: QWidget, second: QWidget) -> None:
        """Put both in."""
        super().__init__()
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(10)
        for part in (first, second):
            self._box.addWidget(part, 1, Qt.AlignmentFlag.AlignTop)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the direction by the width."""
        super().resizeEvent(event)
        wide = event.size().width() >= _PAIR_FROM_PX
        wanted = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._box.direction() is not wanted:
            self._box.setDirection(wanted)


class GroupBox(QWidget):
    """One group: a heading, its fields, and a fold for the advanced ones that says what is set in it."""

    edited = Signal(tuple, object)
    wanted = Signal(tuple)

    def __init__(self, group: GroupState, presenter: StepFormPresenter) -> None:
        """Make rows for every field of the group, shown or not."""
        super().__init__()
        self.rows = [FieldRow(field, presenter) for field in group.fields]
        self._advanced = [field.advanced for field in group.fields]
        self._opened = False
        self._told: frozenset[Path] = frozenset()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self.heading = label(group.title, "strong")
        self._note = label("", "muted", wrap=True)
        heading = QVBoxLayout()
        heading.setSpacing(3)
        heading.addWidget(self.heading)
        heading.addWidget(self._note)
        column.addLayout(heading)
        self.heading.setVisible(group.key != _FIRST)
        self._titles = ElidedLabel("", "muted")
        self.fold = self._make_fold(group)
        self._inside = QWidget()
        inside = QVBoxLayout(self._inside)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(10)
        for made in self.rows:
            made.edited.connect(self.edited)
            made.wanted.connect(self.wanted)
        for part, advanced in self._parts():
            (inside if advanced else column).addWidget(part)
        line = row(self.fold, self._titles, spacing=4)
        line.setStretch(1, 1)
        column.addLayout(line)
        column.addWidget(self._inside)

    def _parts(self) -> list[tuple[QWidget, bool]]:
        """Return the rows in order with whether they are folded, cluster and namespace as a pair."""
        parts: list[tuple[QWidget, bool]] = []
        for made, advanced in zip(self.rows, self._advanced, strict=True):
            last = parts[-1][0] if parts else None
            if made.path == NAMESPACE and isinstance(last, FieldRow) and last.path == CLUSTER:
                parts[-1] = (Pair(last, made), False)
            else:
                parts.append((made, advanced))
        return parts

    def _make_fold(self, group: GroupState) -> QPushButton:
        made = QPushButton()
        made.setProperty("role", "link")
        made.setObjectName(f"fold_{group.key}")
        made.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        made.clicked.connect(self._on_fold)
        return made

    @Slot()
    def _on_fold(self) -> None:
        self._open(not self._opened)

    def _open(self, opened: bool) -> None:
        self._opened = opened
        self._inside.setVisible(opened)
        self._titles.setVisible(not opened)
        self.fold.setIcon(icons.icon("chevron-up" if opened else "chevron-down", "accent"))

    def show_group(self, group: GroupState, *, fresh: bool) -> None:
        """Show every field; the fold opens by itself where a field in it is set or wrong for the first time."""
        for made, field in zip(self.rows, group.fields, strict=True):
            made.show_field(field, fresh=fresh)
        self.setVisible(any(field.applies for field in group.fields))
        self._note.setText(translate(group.note))
        self._note.setVisible(bool(group.note))
        folded = [field for field in group.fields if field.advanced and field.applies]
        notable = frozenset(field.path for field in folded if field.changed or field.wrong)
        if fresh:
            self._open(bool(notable))
        elif notable - self._told and not self._opened:
            self._open(True)
        self._told = notable
        self.fold.setVisible(bool(folded))
        self._inside.setVisible(self._opened and bool(folded))
        self._show_fold(folded)

    def _show_fold(self, folded: list[FieldState]) -> None:
        titles = ", ".join(field.title for field in folded)
        count = msg_n("%(count)s more setting", "%(count)s more settings", len(folded))
        changed = sum(field.changed for field in folded)
        text = translate(count)
        if changed:
            text += ", " + translate(msg_n("%(count)s set", "%(count)s set", changed))
        if any(field.wrong for field in folded):
            text += ", " + _("with a problem")
        self.fold.setText(text)
        self.fold.setAccessibleName(f"{text}: {titles}")
        self._titles.set_text(titles)
        self._titles.setVisible(bool(folded) and not self._opened)

    def row_at(self, path: Path) -> FieldRow | None:
        """Return the row of the field at `path` that is shown, None where there is none."""
        found = [made for made in self.rows if made.path == path]
        return next((made for made in found if not made.isHidden()), None)

    def open_for(self, made: FieldRow) -> None:
        """Open the fold where `made` lies in it."""
        if self._advanced[self.rows.index(made)]:
            self._open(True)


class StepPage(QWidget):
    """All groups of one step type, made once; showing another step of the type only fills it."""

    edited = Signal(tuple, object)
    wanted = Signal(tuple)

    def __init__(self, state: FormState, presenter: StepFormPresenter) -> None:
        """Make the groups of `state`."""
        super().__init__()
        self.groups = [GroupBox(group, presenter) for group in state.groups]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        for made in self.groups:
            made.edited.connect(self.edited)
            made.wanted.connect(self.wanted)
            column.addWidget(made)

    def show_state(self, state: FormState, *, fresh: bool) -> None:
        """Show the state, which is of the same type."""
        for made, group in zip(self.groups, state.groups, strict=True):
            made.show_group(group, fresh=fresh)

    def forget(self) -> None:
        """Show the document's values next time, whatever was typed."""
        for group in self.groups:
            for made in group.rows:
                made.input.forget()

    def place_of(self, path: Path) -> tuple[GroupBox, FieldRow] | None:
        """Return group and row of the field at `path`."""
        for group in self.groups:
            made = group.row_at(path)
            if made:
                return group, made
        return None
