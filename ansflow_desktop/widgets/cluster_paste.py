"""A kubeconfig from the clipboard or a file: its clusters are listed, nothing of it is shown, run or contacted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.widgets.cluster_inputs import SecretBox
from ansflow_desktop.widgets.controls import ComboBox, button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field


class PasteDialog(Dialog):
    """Emits `chosen((OwnCluster, ClusterSecret | None))`."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget, found_in: Callable[[str], tuple[Any, ...]]) -> None:
        """Ask for the text; `found_in` returns its clusters or raises UserError."""
        super().__init__(parent, _("Take a cluster from a kubeconfig"))
        self._found_in = found_in
        self._found: tuple[Any, ...] = ()
        self.setMinimumWidth(480)
        self._box = SecretBox(_("Kubeconfig"), "kubeconfig_text")
        self._box.changed.connect(self._on_text)
        self._field = Field(_("Kubeconfig"), self._box, self._box.paste_button)
        self._contexts = ComboBox(_("Context"))
        self._contexts.setObjectName("kubeconfig_context")
        self._choice = Field(_("Context"), self._contexts)
        self._choice.hide()
        note = _("Its text is not shown here, and no program that it names is run.")
        for part in (self._field, label(note, "muted", wrap=True), self._choice):
            self.body.addWidget(part)
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        self._take = button(_("Take it"), "primary")
        self._take.setObjectName("kubeconfig_take")
        self._take.setEnabled(False)
        self._take.clicked.connect(self._on_take)
        self.body.addLayout(row(1, cancel, self._take))

    @Slot()
    def _on_text(self) -> None:
        self._found = ()
        problems: tuple[Problem, ...] = ()
        try:
            self._found = self._found_in(self._box.text) if self._box.text.strip() else ()
        except UserError as error:
            problems = (Problem(field="", title=error.title, message=error.message, hint=error.hint),)
        self._field.show_problems(problems)
        self._contexts.clear()
        self._contexts.addItems([cluster.name for cluster, _secret in self._found])
        self._choice.setVisible(bool(self._found))
        self._take.setEnabled(bool(self._found))

    @Slot()
    def _on_take(self) -> None:
        self.accept()
        self.chosen.emit(self._found[self._contexts.currentIndex()])
