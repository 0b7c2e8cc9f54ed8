"""The question of a production cluster: its name is typed before anything is destroyed (conventions.md, 10)."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.widgets.controls import button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field


class ConfirmDialog(Dialog):
    """Emits `typed(str)` when the cluster's name was typed and confirmed; until it stands there Enter cancels."""

    typed = Signal(str)

    def __init__(self, parent: QWidget, cluster: str, error: UserError) -> None:
        """Ask for the name `cluster`; `error` says what would be destroyed there."""
        super().__init__(parent, translate(error.title))
        self.setObjectName("confirm")
        self.setMinimumWidth(460)
        self._cluster = cluster
        self.body.addWidget(label(translate(error.message), "", wrap=True, selectable=True))
        self._line = QLineEdit()
        self._line.setObjectName("confirm_name")
        title = translate(msg("Type %(name)s to go on", name=cluster))
        self._line.setAccessibleName(title)
        self._line.textChanged.connect(self._on_text)
        self.body.addWidget(Field(title, self._line))
        cancel = self._cancel = button(_("Cancel"))
        cancel.setDefault(True)
        cancel.clicked.connect(self.reject)
        self._run = button(_("Run it"), "danger")
        self._run.setObjectName("confirm_run")
        self._run.setAutoDefault(False)
        self._run.setEnabled(False)
        self._run.clicked.connect(self._on_run)
        self.body.addLayout(row(1, cancel, self._run))
        self._line.setFocus()

    @Slot(str)
    def _on_text(self, text: str) -> None:
        whole = text.strip() == self._cluster
        self._run.setEnabled(whole)
        (self._run if whole else self._cancel).setDefault(True)

    @Slot()
    def _on_run(self) -> None:
        self.accept()
        self.typed.emit(self._line.text().strip())
