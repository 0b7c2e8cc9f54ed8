"""A kubeconfig from the clipboard or a file: its clusters are listed, nothing of it is shown, run or contacted."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.cluster_form import ClusterFormPresenter
from ansflow_desktop.widgets.cluster_inputs import SecretBox
from ansflow_desktop.widgets.controls import ComboBox, button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field

_MOST_TOLD = 3


class PasteDialog(Dialog):
    """Emits `chosen((OwnCluster, ClusterSecret | None))`."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget, presenter: ClusterFormPresenter) -> None:
        """Ask for the text; `presenter` reads it."""
        super().__init__(parent, _("Take a cluster from a kubeconfig"))
        self._presenter = presenter
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
        presenter.found.connect(self._on_found)

    @Slot()
    def _on_text(self) -> None:
        """Read the new text; what was found in another one is no longer offered."""
        self._show((), ())
        if self._box.text.strip():
            self._presenter.find(self._box.text)

    @Slot(tuple, tuple)
    def _on_found(self, found: tuple[Any, ...], errors: tuple[UserError, ...]) -> None:
        self._show(found, errors)

    def _show(self, found: tuple[Any, ...], errors: tuple[UserError, ...]) -> None:
        """Offer what was found; why other contexts cannot be taken is a warning beside it."""
        gravity = Severity.WARNING if found else Severity.ERROR
        self._found = found
        self._field.show_problems([_problem(error, gravity) for error in errors[:_MOST_TOLD]])
        self._contexts.clear()
        self._contexts.addItems([cluster.name for cluster, _secret in found])
        self._choice.setVisible(bool(found))
        self._take.setEnabled(bool(found))

    @Slot()
    def _on_take(self) -> None:
        self.accept()
        self.chosen.emit(self._found[self._contexts.currentIndex()])


def _problem(error: UserError, gravity: Severity) -> Problem:
    return Problem(field="", title=error.title, message=error.message, hint=error.hint, severity=gravity)
