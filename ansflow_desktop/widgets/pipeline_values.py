"""Other values for the variables of a pipeline, for one run: nothing of it is saved."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _
from ansflow_desktop.widgets.controls import Column, button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field

_FIELD_PX, _MOST_PX = 62, 380


class ValuesDialog(Dialog):
    """Asks for the values of variables; emits `run_asked(dict)` with those that are others than in the file."""

    run_asked = Signal(dict)

    def __init__(self, parent: QWidget, values: Mapping[str, str]) -> None:
        """Begin with `values`, as the file has them."""
        super().__init__(parent, _("Run with other values"))
        self.setObjectName("run_values")
        self.setMinimumWidth(460)
        intro = _("They hold for this run alone and are not saved. What is changed is taken as it is typed.")
        self.body.addWidget(label(intro, "context", wrap=True))
        self._lines = {name: self._line(name, value) for name, value in values.items()}
        self._before = {name: line.text() for name, line in self._lines.items()}
        self.body.addWidget(self._fields())
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        run = button(_("Run"), "primary", "play")
        run.setObjectName("run_values_go")
        run.setDefault(True)
        run.clicked.connect(self._on_run)
        self.body.addLayout(row(1, cancel, run))
        first = next(iter(self._lines.values()), None)
        if first is not None:
            first.setFocus()

    @staticmethod
    def _line(name: str, value: str) -> QLineEdit:
        made = QLineEdit(value)
        made.setObjectName(f"run_value_{name}")
        made.setAccessibleName(name)
        return made

    def _fields(self) -> QWidget:
        scroll = Column()
        layout = QVBoxLayout(scroll.inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        for name, line in self._lines.items():
            layout.addWidget(Field(name, line))
        layout.addStretch(1)
        scroll.setMinimumHeight(min(_MOST_PX, _FIELD_PX * len(self._lines)))
        return scroll

    @Slot()
    def _on_run(self) -> None:
        typed = {name: line.text() for name, line in self._lines.items()}
        self.accept()
        self.run_asked.emit({name: text for name, text in typed.items() if text != self._before[name]})
