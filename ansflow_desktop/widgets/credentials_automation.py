"""The automation dialog: files that renew a credential by themselves, shown before they are saved."""

from __future__ import annotations

from pathlib import Path

import msgspec
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, _, msg, msg_n, translate
from ansflow_desktop.models.credential import GeneratedFile
from ansflow_desktop.paths import expanded
from ansflow_desktop.presenters.credentials import CredentialsPresenter
from ansflow_desktop.presenters.credentials_state import RenewalForm
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import ComboBox, button, label, row
from ansflow_desktop.widgets.credentials_form import FormFields, choice, line
from ansflow_desktop.widgets.credentials_note import Note
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field

KINDS: dict[str, Message] = {
    "bash": msg("A script for bash"),
    "powershell": msg("A script for PowerShell"),
    "systemd": msg("A timer of systemd, for this user"),
    "cronjob": msg("A CronJob in the cluster"),
    "exec": msg("A credential program for a kubeconfig"),
}
_WIDTH, _LINES = 780, 11


class AutomationDialog(Dialog):
    """Shows the files of one kind of automation, as they will be saved; nothing is run."""

    def __init__(
        self, parent: QWidget, presenter: CredentialsPresenter, form: RenewalForm, kinds: tuple[str, ...] = ()
    ) -> None:
        """Offer `kinds` (empty: all) for the credential of `form`."""
        super().__init__(parent, translate(msg("Renew %(name)s by itself", name=form.name)))
        self._presenter = presenter
        self._form = form
        self._files: tuple[GeneratedFile, ...] = ()
        self.setMinimumWidth(min(_WIDTH, parent.window().width() - 80))
        offered = tuple(kind for kind in KINDS if kind in kinds) or tuple(KINDS)
        self.kind = choice(
            _("Kind"), tuple((translate(KINDS[kind]), kind) for kind in offered), offered[0], name="automation_kind"
        )
        self.kind.activated.connect(self._on_changed)
        self.body.addWidget(Field(_("Kind"), self.kind))
        self.fields = FormFields(form, token_only=True)
        self.fields.changed.connect(self._on_changed)
        self.fields.cluster_chosen.connect(self._on_changed)
        self.body.addWidget(self.fields)
        self._build_files()
        self._build_end()
        presenter.files_made.connect(self._on_made)
        presenter.files_failed.connect(self._on_failed)
        presenter.saved.connect(self._on_saved)
        self._on_changed()

    def _build_files(self) -> None:
        self.file = ComboBox(_("File"))
        self.file.setObjectName("automation_file")
        self.file.setMinimumWidth(320)
        self.file.activated.connect(self._on_file)
        self.copy = button(_("Copy"), "", "content-copy", _("Copy the file's text"))
        self.copy.clicked.connect(self._on_copy)
        self.body.addLayout(row(self.file, 1, self.copy))
        self._about = label("", "muted", wrap=True, selectable=True)
        self.body.addWidget(self._about)
        self.text = CodeView(_("The file's text"))
        self.text.setObjectName("automation_text")
        self.text.setFixedHeight(_LINES * self.text.fontMetrics().lineSpacing() + 24)
        self.body.addWidget(self.text)

    def _build_end(self) -> None:
        self.folder = line(_("Folder"), self._form.folder, name="automation_folder")
        self.folder.textEdited.connect(self._on_changed)
        browse = button(_("Browse…"))
        browse.clicked.connect(self._on_browse)
        holder = QWidget()
        holder.setLayout(row(self.folder, browse))
        self.body.addWidget(Field(_("Folder"), holder, self.folder))
        self.note = Note()
        self.body.addWidget(self.note)
        close = button(_("Close"))
        close.clicked.connect(self.reject)
        self.replace = button(_("Replace"), "danger")
        self.replace.setObjectName("automation_replace")
        self.replace.clicked.connect(self._on_replace)
        self.replace.hide()
        self.save = button(_("Save"), "primary", "content-save-outline")
        self.save.setObjectName("automation_save")
        self.save.clicked.connect(self._on_save)
        self.body.addLayout(row(1, close, self.replace, self.save))

    def form(self) -> RenewalForm:
        """Return what is chosen now."""
        return msgspec.structs.replace(self.fields.form(), folder=self.folder.text().strip() or self._form.folder)

    @Slot()
    def _on_changed(self) -> None:
        self.note.hide()
        self.replace.hide()
        self._presenter.generate(str(self.kind.currentData()), self.form())

    @Slot(tuple)
    def _on_made(self, files: tuple[GeneratedFile, ...]) -> None:
        at = self.file.currentIndex()
        self._files = files
        self.fields.show_error(None)
        self.note.hide()
        self.file.clear()
        self.file.addItems([one.name for one in files])
        self.file.setCurrentIndex(at if 0 <= at < len(files) else 0)
        self.file.setEnabled(len(files) > 1)
        self._on_file()

    @Slot()
    def _on_file(self) -> None:
        index = self.file.currentIndex()
        one = self._files[index] if 0 <= index < len(self._files) else None
        self.text.setPlainText(one.text if one else "")
        self._about.setText(translate(one.about) if one else "")
        self.save.setEnabled(one is not None)
        self.copy.setEnabled(one is not None)

    @Slot(object)
    def _on_failed(self, error: UserError) -> None:
        if error.field == "exists":
            self.replace.show()
        elif error.field != "out":
            self._on_made(())
        if not self.fields.show_error(error):
            self.note.say_error(error)

    @Slot()
    def _on_copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, _("Folder of the files"), str(expanded(self.folder.text())))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._on_folder)
        dialog.open()

    @Slot(str)
    def _on_folder(self, folder: str) -> None:
        self.folder.setText(folder)
        self._on_changed()

    @Slot()
    def _on_save(self) -> None:
        self._presenter.save_files(self._files, Path(self.form().folder))

    @Slot()
    def _on_replace(self) -> None:
        self._presenter.save_files(self._files, Path(self.form().folder), replace=True)

    @Slot(tuple)
    def _on_saved(self, paths: tuple[Path, ...]) -> None:
        self.replace.hide()
        said = msg_n("%(count)s file saved", "%(count)s files saved", len(paths))
        self.note.say(translate(said), "\n".join(map(str, paths)), "check-circle", "ok")
