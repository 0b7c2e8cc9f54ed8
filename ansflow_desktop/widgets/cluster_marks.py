"""What a person notes of a cluster: description, type, group, colour, namespace, and the flags that are enforced."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.cluster_form_state import ClusterForm
from ansflow_desktop.widgets.cluster_inputs import choice
from ansflow_desktop.widgets.cluster_words import COLOURS, TYPES
from ansflow_desktop.widgets.controls import CheckBox, ComboBox, label
from ansflow_desktop.widgets.fields import Field


class MarksPart(QWidget):
    """The notes on a cluster. Emits `changed()`; `values()` are fields of ClusterForm."""

    changed = Signal()

    def __init__(self, form: ClusterForm, groups: tuple[str, ...], held_by: dict[str, str]) -> None:
        """Show the notes of `form`; `groups` are offered, `held_by` as in FormState."""
        super().__init__()
        self._lines: dict[str, QLineEdit] = {}
        self._checks: dict[str, CheckBox] = {}
        self.fields: dict[str, Field] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self._line("description", _("Description"), form.description))
        layout.addLayout(self._grid(form, groups))
        for name, title, note, value in _flags(form):
            pair = QVBoxLayout()
            pair.setSpacing(0)
            pair.addWidget(self._check(name, title, value=value))
            about = label(_held(note, held_by.get(name, "")), "muted", wrap=True)
            about.setContentsMargins(24, 0, 0, 0)
            pair.addWidget(about)
            layout.addLayout(pair)

    def _grid(self, form: ClusterForm, groups: tuple[str, ...]) -> QGridLayout:
        self._type = choice(_("Type"), "cluster_type", TYPES)
        self._colour = choice(_("Colour"), "cluster_colour", COLOURS, coloured=True)
        self._group = self._group_box(form, groups)
        for box, value in ((self._type, form.type), (self._colour, form.colour)):
            box.setCurrentIndex(max(0, box.findData(value)))
            box.currentIndexChanged.connect(self.changed)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        top = Qt.AlignmentFlag.AlignTop  # a problem below one field leaves its neighbour where it is
        grid.addWidget(self._line("namespace", _("Default namespace"), form.namespace), 0, 0, top)
        for number, (title, box) in enumerate(
            ((_("Group"), self._group), (_("Colour"), self._colour), (_("Type"), self._type)), start=1
        ):
            grid.addWidget(Field(title, box), number // 2, number % 2, top)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _group_box(self, form: ClusterForm, groups: tuple[str, ...]) -> ComboBox:
        box = ComboBox(_("Group"))
        box.setObjectName("cluster_group")
        box.setEditable(True)
        box.addItems(list(groups))
        box.setCurrentText(form.group)
        if (line := box.lineEdit()) is not None:
            line.setAccessibleName(_("Group"))
            line.setPlaceholderText(_("None"))
        box.currentTextChanged.connect(self.changed)
        return box

    def _line(self, name: str, title: str, value: str) -> Field:
        line = self._lines[name] = QLineEdit(value)
        line.setObjectName(f"cluster_{name}")
        line.setAccessibleName(title)
        line.textChanged.connect(self.changed)
        self.fields[name] = Field(title, line)
        return self.fields[name]

    def _check(self, name: str, title: str, *, value: bool) -> CheckBox:
        box = self._checks[name] = CheckBox(title)
        box.setObjectName(f"cluster_{name}")
        box.setChecked(value)
        box.toggled.connect(self.changed)
        return box

    def values(self) -> dict[str, Any]:
        """Return what stands in the inputs."""
        return {
            **{name: line.text() for name, line in self._lines.items()},
            **{name: box.isChecked() for name, box in self._checks.items()},
            "type": self._type.currentData(),
            "colour": self._colour.currentData(),
            "group": self._group.currentText(),
        }


def _held(note: str, by: str) -> str:
    """Return `note` with the entry of the same server whose mark holds for this one whatever is chosen here."""
    text = msg("%(text)s It holds by the mark of %(cluster)s, the same server.", text=note, cluster=by)
    return translate(text) if by else note


def _flags(form: ClusterForm) -> tuple[tuple[str, str, str, bool], ...]:
    return (
        (
            "production",
            _("Production"),
            _("A banner warns, and what destroys something asks for the cluster's name first."),
            form.production,
        ),
        ("read_only", _("Read-only"), _("Nothing that changes the cluster is run."), form.read_only),
        ("default", _("Default cluster"), _("A start without a choice works in it."), form.default),
    )
