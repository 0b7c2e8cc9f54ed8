"""The dialog of a vault that is damaged: restore its copy, import an export, or begin anew; nothing is deleted."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, _, translate
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.vault import VaultPresenter
from ansflow_desktop.widgets.controls import button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Problems


class DamagedVaultDialog(Dialog):
    """Emits `import_asked()` where an export is to be imported once a new vault was made."""

    import_asked = Signal()

    def __init__(self, parent: QWidget, presenter: VaultPresenter, title: Text, reason: Text = "") -> None:
        """Name the file by `title` and say why by `reason`; Cancel is the default."""
        super().__init__(parent, _("The vault is damaged"))
        self.setObjectName("vault_damaged")
        self.setMinimumWidth(520)
        self._presenter = presenter
        for text, role in ((translate(title), ""), (translate(reason), "context")):
            if text:
                self.body.addWidget(label(text, role, wrap=True, selectable=True))
        self._build_ways(sound=presenter.copy_is_sound())
        self._build_end()
        presenter.started_over.connect(self.accept)
        presenter.refused.connect(self._on_refused)

    def _build_ways(self, *, sound: bool) -> None:
        restore = _("Its copy is whole and holds the same secrets, or those before the last change.")
        none = _("There is no copy that is whole.")
        self._restore = self._way("restore", _("Restore the copy"), restore if sound else none)
        self._restore.setEnabled(sound)
        text = _("Makes a new vault and takes the secrets of an export into it.")
        self._import = self._way("import", _("Import an export…"), text)
        text = _("Every token and key of the clusters that you added has to be entered again.")
        self._anew = self._way("anew", _("Set aside and begin anew"), text)
        self._restore.clicked.connect(self._on_restore)
        self._import.clicked.connect(self._on_import)
        self._anew.clicked.connect(self._on_anew)

    def _build_end(self) -> None:
        kept = _("The damaged file is not deleted: it is kept beside the new one under another name.")
        self.body.addWidget(label(kept, "muted", wrap=True))
        self._problems = Problems()
        self._problems.setObjectName("vault_problems")
        self.body.addWidget(self._problems)
        cancel = button(_("Cancel"))
        cancel.setObjectName("vault_cancel")
        cancel.setDefault(True)
        cancel.clicked.connect(self.reject)
        self.body.addLayout(row(1, cancel))
        cancel.setFocus()

    def _way(self, name: str, title: str, text: str) -> QPushButton:
        made = button(title)
        made.setObjectName(f"vault_{name}")
        made.setAutoDefault(False)
        made.setAccessibleDescription(text)
        both = QVBoxLayout()
        both.setSpacing(4)
        both.addLayout(row(made, 1))
        both.addWidget(label(text, "muted", wrap=True))
        self.body.addLayout(both)
        return made

    def _begin(self) -> None:
        self._problems.show_problems(())
        for one in (self._restore, self._import, self._anew):
            one.setEnabled(False)

    @Slot()
    def _on_restore(self) -> None:
        self._begin()
        self._presenter.restore_copy()

    @Slot()
    def _on_import(self) -> None:
        self._begin()
        self.import_asked.emit()
        self._presenter.start_over()

    @Slot()
    def _on_anew(self) -> None:
        self._begin()
        self._presenter.start_over()

    @Slot(object)
    def _on_refused(self, error: UserError) -> None:
        shown = Problem(
            field=error.field, severity=Severity.ERROR, title=error.title, message=error.message, hint=error.hint
        )
        self._problems.show_problems((shown,))
        self._restore.setEnabled(self._presenter.copy_is_sound())
        self._import.setEnabled(True)
        self._anew.setEnabled(True)
