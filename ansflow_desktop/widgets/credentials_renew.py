"""The renewal dialog: what to get, for how long, where it goes; the new one is tried before the old one is replaced."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.paths import expanded
from ansflow_desktop.presenters.credentials import CredentialsPresenter
from ansflow_desktop.presenters.credentials_state import RenewalForm
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets.controls import button, label, row
from ansflow_desktop.widgets.credentials_form import FormFields, choice, lifetime_past, line
from ansflow_desktop.widgets.credentials_note import Note
from ansflow_desktop.widgets.credentials_old import OldSecretNote
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field

_WIDTH = 520


class RenewDialog(Dialog):
    """Renews one credential. Closing it while it works gives the renewal up; the old credential stays."""

    def __init__(self, parent: QWidget, presenter: CredentialsPresenter, form: RenewalForm) -> None:
        """Show `form`, and ask what else can be chosen."""
        super().__init__(parent, translate(msg("Renew %(name)s", name=form.name)))
        self._presenter = presenter
        form = msgspec.structs.replace(form, seconds=lifetime_past(presenter.state.warn_days))
        self._form = form
        self.setMinimumWidth(_WIDTH)
        text = _("The new credential is tried on the server first. The old one is kept until then.")
        self.body.addWidget(label(text, "context", wrap=True))
        self.fields = FormFields(form)
        self.fields.cluster_chosen.connect(self._on_cluster)
        self.fields.changed.connect(self._fit)
        self.body.addWidget(self.fields)
        self._build_put()
        self.note = Note()
        self.body.addWidget(self.note)
        self.old = OldSecretNote(presenter)
        self.body.addWidget(self.old)
        self._build_buttons()
        presenter.forget_renewal()
        presenter.form_ready.connect(self._on_form)
        presenter.form_failed.connect(self._on_failed)
        presenter.renewal_changed.connect(self._on_renewal)
        self.finished.connect(self._on_finished)
        self._show_puts()
        presenter.complete(form)

    def _build_put(self) -> None:
        self.put = choice(_("Put it"), (), "", name="renew_put")
        self.put.activated.connect(self._on_put)
        self._put_field = Field(_("Where it goes"), self.put)
        self.body.addWidget(self._put_field)
        self.copy_name = line(_("Name of the new cluster"), "", name="renew_copy_name")
        self._copy_field = Field(_("Name of the new cluster"), self.copy_name)
        self.body.addWidget(self._copy_field)
        self.file = line(_("Kubeconfig file"), "", name="renew_file")
        browse = button(_("Browse…"))
        browse.clicked.connect(self._on_browse)
        holder = QWidget()
        holder.setLayout(row(self.file, browse))
        self._file_field = Field(_("Kubeconfig file"), holder, self.file)
        self.body.addWidget(self._file_field)

    def _build_buttons(self) -> None:
        self.close_button = button(_("Cancel"))
        self.close_button.clicked.connect(self.reject)
        self.renew = button(_("Renew"), "primary")
        self.renew.setObjectName("renew_start")
        self.renew.setDefault(True)
        self.renew.clicked.connect(self._on_renew)
        self.body.addLayout(row(1, self.close_button, self.renew))

    def _show_puts(self) -> None:
        words = {
            "replace": _("In place of the old one, in the vault"),
            "copy": _("Into a cluster of its own in this list"),
            "file": _("Into a new kubeconfig file"),
        }
        chosen = self.put.currentData() or self._form.put
        self.put.clear()
        for put in self._form.puts:
            self.put.addItem(words[put], put)
        self.put.setCurrentIndex(max(0, self.put.findData(chosen)))
        self._put_field.setVisible(bool(self._form.puts))
        if not self.copy_name.isModified():
            self.copy_name.setText(translate(msg("%(name)s renewed", name=self._form.cluster)))
        if not self.file.isModified():
            safe = "".join(char if char.isalnum() or char in "-_." else "-" for char in self._form.cluster)
            self.file.setText(str(paths.home() / ".kube" / f"{safe}-renewed.yaml"))
        self._on_put()

    @Slot()
    def _on_put(self) -> None:
        put = self.put.currentData()
        self._copy_field.setVisible(put == "copy")
        self._file_field.setVisible(put == "file")
        self._fit()

    @Slot()
    def _fit(self) -> None:
        """Take the room that is needed now; layouts count what was hidden or shown only once they are activated."""
        for part in (self.fields, self.note, self.old, self):
            layout = part.layout()
            if layout is not None:
                layout.activate()
        whole = self.layout()
        if whole is not None:  # words wrap: how high they are depends on the width
            least = max(self.minimumWidth(), whole.minimumSize().width())
            self.resize(least, whole.totalHeightForWidth(least) if whole.hasHeightForWidth() else 0)

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, _("Save the new kubeconfig"), self.file.text())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self.file.setText)
        dialog.open()

    @Slot(str)
    def _on_cluster(self, name: str) -> None:
        self._form = msgspec.structs.replace(self.fields.form(), cluster=name)
        self._presenter.complete(self._form)

    @Slot(object)
    def _on_form(self, form: RenewalForm) -> None:
        if form.credential != self._form.credential:
            return
        self._form = form
        self.fields.show_form(form)
        self._show_puts()
        if form.reason:
            self.note.say(translate(form.reason))

    def form(self) -> RenewalForm:
        """Return everything that is chosen now."""
        return msgspec.structs.replace(
            self.fields.form(),
            put=str(self.put.currentData() or ""),
            copy_name=self.copy_name.text().strip(),
            file=str(expanded(self.file.text().strip() or ".")),
        )

    @Slot()
    def _on_renew(self) -> None:
        if self._presenter.renewal.done:
            self.accept()
        else:
            self.fields.show_error(None)
            self._presenter.renew(self.form())

    @Slot(object)
    def _on_failed(self, error: UserError) -> None:
        if not self.fields.show_error(error):
            self.note.say_error(error)

    @Slot()
    def _on_renewal(self) -> None:
        state = self._presenter.renewal
        working = bool(state.doing)
        for part in (self.fields, self._put_field, self._copy_field, self._file_field):
            part.setEnabled(not working and not state.done)
        self.renew.setEnabled(not working)
        self.note.hide()
        self.old.show_state(state)
        if state.error is not None:
            self._on_failed(state.error)
        elif state.done:
            self._show_done()
        elif working:
            self.note.say(translate(state.doing), "", "progress-clock", "accent")
        self._fit()

    def _show_done(self) -> None:
        state = self._presenter.renewal
        ends = said.local(state.expires_at)
        lines = [translate(msg("It expires %(when)s.", when=f"{ends} ({said.end(state.expires_at)})"))] if ends else []
        lines += [translate(note) for note in state.notes]
        self.note.say(translate(state.done), "\n".join(lines), "check-circle", "ok")
        self.renew.setText(_("Close"))
        self.renew.setFocus()
        self.close_button.hide()

    @Slot()
    def _on_finished(self) -> None:
        self._presenter.forget_renewal()
