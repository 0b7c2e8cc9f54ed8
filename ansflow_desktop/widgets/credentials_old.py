"""What becomes of a replaced endless token: it works until its Secret is deleted, which is asked for on its own."""

from __future__ import annotations

from PySide6.QtCore import Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.credentials import CredentialsPresenter
from ansflow_desktop.presenters.credentials_state import RenewalState
from ansflow_desktop.widgets.confirm_dialog import ConfirmDialog
from ansflow_desktop.widgets.controls import button
from ansflow_desktop.widgets.credentials_note import Note
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog


class OldSecretNote(Note):
    """Says that the old token still works, and deletes its Secret when a person wants that; hidden for other tokens."""

    def __init__(self, presenter: CredentialsPresenter) -> None:
        """Show nothing yet."""
        super().__init__()
        self._presenter = presenter
        self.remove = button(_("Delete the old Secret…"), "danger")
        self.remove.setObjectName("remove_old_secret")
        self.remove.setAutoDefault(False)
        self.remove.clicked.connect(self._on_remove)
        self.line.addWidget(self.remove)
        presenter.confirmation_needed.connect(self._on_confirmation)

    def show_state(self, state: RenewalState) -> None:
        """Show what is known of the Secret of the replaced token."""
        old = state.old_secret
        self.remove.setVisible(old is not None and not state.removed)
        self.remove.setEnabled(not state.removing)
        if old is None or not state.done:
            self.hide()
            return
        secret = f"{old.namespace}/{old.name}"
        if state.removed:
            done = msg("The old Secret %(secret)s was deleted; its token works no more.", secret=secret)
            self.say(translate(done), "", "check-circle", "ok")
        elif state.kept is not None:
            self.say_error(state.kept)
        else:
            self.say(translate(msg("The old token still works until its Secret %(secret)s is deleted.", secret=secret)))

    @Slot()
    def _on_remove(self) -> None:
        old = self._presenter.renewal.old_secret
        if old is None:
            return
        title = translate(msg("Delete the Secret %(secret)s?", secret=f"{old.namespace}/{old.name}"))
        more = _("Whoever has a copy of the old token is signed out. The cluster's new token is tried first.")
        question = DeleteDialog(self, title, more, _("Delete the Secret"))
        question.confirmed.connect(self._on_confirmed)
        question.open()

    @Slot()
    def _on_confirmed(self) -> None:
        self._presenter.remove_old_secret()

    @Slot(str, object)
    def _on_confirmation(self, cluster: str, error: UserError) -> None:
        dialog = ConfirmDialog(self, cluster, error)
        dialog.typed.connect(self._on_typed)
        dialog.open()

    @Slot(str)
    def _on_typed(self, name: str) -> None:
        self._presenter.remove_old_secret((name,))
