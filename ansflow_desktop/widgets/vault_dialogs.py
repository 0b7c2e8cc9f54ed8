"""Dialogs of the vault: unlock, make, change its passphrase, export, import. What is typed stays on an error."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, _, translate
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.vault import VaultPresenter, WrongPassphrase
from ansflow_desktop.widgets.controls import button, label, row, set_property
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field, Problems


class _VaultDialog(Dialog):
    """A question whose answer is tried off the window's thread; closes when the presenter says that it went well."""

    def __init__(self, parent: QWidget, presenter: VaultPresenter, title: str, intro: str) -> None:
        super().__init__(parent, title)
        self._presenter = presenter
        self.setMinimumWidth(480)
        if intro:
            self.body.addWidget(label(intro, "context", wrap=True))
        presenter.unlocked.connect(self.accept)
        presenter.done.connect(self._on_done)
        presenter.refused.connect(self._on_refused)

    def _secret(self, title: str, name: str) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName(name)
        line.setAccessibleName(title)
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.textChanged.connect(self._on_typed)
        self.body.addWidget(Field(title, line))
        return line

    def _new_secret(self, title: str, again: str) -> None:
        """Ask twice for a new passphrase; a word below says how strong it is, or that the two differ."""
        self._new = self._secret(title, "vault_passphrase")
        self._again = self._secret(again, "vault_again")
        self._hint = label("", "muted", wrap=True)
        self._hint.setObjectName("vault_strength")
        self.body.addWidget(self._hint)

    def _is_chosen(self) -> bool:
        level, _text = self._presenter.strength(self._new.text())
        return level > 0 and self._new.text() == self._again.text()

    def _say_strength(self) -> None:
        typed, again = self._new.text(), self._again.text()
        level, text = self._presenter.strength(typed)
        differ = bool(level and again) and not typed.startswith(again)
        self._hint.setText(_("The two are not the same.") if differ else translate(text))
        set_property(self._hint, "tone", "bad" if differ else "")

    def _finish(self, action: str) -> None:
        self._problems = Problems()
        self._problems.setObjectName("vault_problems")
        self.body.addWidget(self._problems)
        cancel = self._cancel = button(_("Cancel"))
        cancel.setObjectName("vault_cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self._go = button(action, "primary")
        self._go.setObjectName("vault_go")
        self._go.setDefault(True)
        self._go.clicked.connect(self._on_go)
        self.body.addLayout(row(1, cancel, self._go))
        self._on_typed()

    def _ready(self) -> bool:
        return True

    def _ask(self) -> None:
        raise NotImplementedError

    @Slot()
    def _on_typed(self) -> None:
        if hasattr(self, "_go"):
            self._go.setEnabled(self._ready())

    @Slot()
    def _on_go(self) -> None:
        self._problems.show_problems(())
        self._go.setEnabled(False)
        self._ask()

    @Slot(int)
    def _on_done(self, _count: int) -> None:
        self.accept()

    @Slot(object)
    def _on_refused(self, error: UserError) -> None:
        wrong = isinstance(error, WrongPassphrase)
        title, more = (error.message, "") if wrong else (error.title, error.message)
        hint = "" if wrong else error.hint
        shown = Problem(field=error.field, severity=Severity.ERROR, title=title, message=more, hint=hint)
        self._problems.show_problems((shown,))
        self._on_typed()


class UnlockDialog(_VaultDialog):
    """Asks for the passphrase, or says that the keyring has to be unlocked."""

    def __init__(self, parent: QWidget, presenter: VaultPresenter, kind: str = "passphrase", reason: Text = "") -> None:
        """Ask to open a vault of `kind`; `reason` says why it is locked."""
        super().__init__(parent, presenter, _("Unlock the vault"), translate(reason))
        self.setObjectName("vault_unlock")
        self._line = self._secret(_("Passphrase"), "vault_passphrase") if kind == "passphrase" else None
        if self._line is None:
            self.body.addWidget(label(_("Unlock the keyring of your desktop session, then try again."), wrap=True))
        self._finish(_("Unlock") if self._line else _("Try again"))
        lost = button(
            _("Forgotten the passphrase?") if self._line else _("Can the keyring not open it any more?"), "link"
        )
        lost.setObjectName("vault_forgotten")
        lost.setAutoDefault(False)
        lost.clicked.connect(self._on_forgotten)
        self.body.addLayout(row(lost, 1))
        presenter.started_over.connect(self.accept)
        (self._line or self._go).setFocus()

    @Slot()
    def _on_forgotten(self) -> None:
        StartOverDialog(self, self._presenter).open()

    def _ready(self) -> bool:
        return self._line is None or bool(self._line.text())

    def _ask(self) -> None:
        self._presenter.unlock(self._line.text() if self._line else "")


class StartOverDialog(_VaultDialog):
    """Warns what is lost without the vault; then it is set aside, and a new one can be made."""

    def __init__(self, parent: QWidget, presenter: VaultPresenter) -> None:
        """Make the warning; Cancel is the default."""
        intro = _(
            "Nobody can open the vault without what it was made with. Start over only if that is lost: every token and "
            "key of the clusters that you added has to be entered again."
        )
        super().__init__(parent, presenter, _("Start over with a new vault?"), intro)
        self.setObjectName("vault_start_over")
        kept = _("The old file is not deleted: it is kept beside the new one under another name.")
        self.body.addWidget(label(kept, wrap=True))
        self._finish(_("Set aside and start over"))
        set_property(self._go, "role", "danger")
        self._go.setDefault(False)
        self._go.setAutoDefault(False)
        presenter.started_over.connect(self.accept)
        self._cancel.setFocus()

    def _ask(self) -> None:
        self._presenter.start_over()


class CreateVaultDialog(_VaultDialog):
    """Asks where secrets are kept: keyring, behind a passphrase, or in memory only."""

    def __init__(
        self, parent: QWidget, presenter: VaultPresenter, possible: tuple[str, ...], reason: Text = ""
    ) -> None:
        """Offer the `possible` kinds, the first one chosen; `reason` says why the keyring is not among them."""
        intro = _("Tokens and keys are kept encrypted, never as plain text. Choose what opens them.")
        super().__init__(parent, presenter, _("Where are secrets kept?"), intro)
        self.setObjectName("vault_create")
        self._kinds = QButtonGroup(self)
        self._boxes: dict[str, QRadioButton] = {}
        for kind, title, text in _kinds():
            self._add(kind, title, translate(reason) if kind not in possible and reason else text, kind in possible)
        self._new_secret(_("Passphrase"), _("Passphrase again"))
        self._finish(_("Keep secrets this way"))
        self._boxes[possible[0]].setChecked(True)
        self._kinds.buttonClicked.connect(self._on_typed)
        self._on_typed()

    def _add(self, kind: str, title: str, text: str, possible: bool) -> None:
        box = self._boxes[kind] = QRadioButton(title)
        box.setObjectName(f"vault_kind_{kind}")
        box.setAccessibleName(title)
        box.setEnabled(possible)
        box.setAccessibleDescription(text)
        self._kinds.addButton(box)
        about = label(text, "muted", wrap=True)
        about.setContentsMargins(24, 0, 0, 0)
        pair = QVBoxLayout()
        pair.setSpacing(0)
        pair.addWidget(box)
        pair.addWidget(about)
        self.body.addLayout(pair)

    def _kind(self) -> str:
        return next((kind for kind, box in self._boxes.items() if box.isChecked()), "")

    def _ready(self) -> bool:
        if self._kind() != "passphrase":
            return bool(self._kind())
        return self._is_chosen()

    @Slot()
    def _on_typed(self) -> None:
        if not hasattr(self, "_go"):
            return
        wanted = self._kind() == "passphrase"
        for line in (self._new, self._again):
            line.setEnabled(wanted)
        self._say_strength()
        if not wanted:
            self._hint.clear()
        super()._on_typed()

    def _ask(self) -> None:
        kind = self._kind()
        self._presenter.create(kind, self._new.text() if kind == "passphrase" else "")


def _kinds() -> tuple[tuple[str, str, str], ...]:
    return (
        ("keyring", _("Keyring of this desktop"), _("Opens by itself while you are logged in.")),
        ("passphrase", _("Passphrase"), _("You type it once each time; nobody can recover it.")),
        ("session", _("This session only"), _("In memory, forgotten when the program ends.")),
    )


class ChangePassphraseDialog(_VaultDialog):
    """Asks for the old passphrase and twice for the new one."""

    def __init__(self, parent: QWidget, presenter: VaultPresenter) -> None:
        """Make it empty."""
        super().__init__(parent, presenter, _("Change the passphrase"), "")
        self.setObjectName("vault_change")
        self._old = self._secret(_("Old passphrase"), "vault_old")
        self._new_secret(_("New passphrase"), _("New passphrase again"))
        self._finish(_("Change"))

    def _ready(self) -> bool:
        return self._is_chosen() and bool(self._old.text())

    @Slot()
    def _on_typed(self) -> None:
        if hasattr(self, "_go"):
            self._say_strength()
        super()._on_typed()

    def _ask(self) -> None:
        self._presenter.change_passphrase(self._old.text(), self._new.text())


class ChangeKindDialog(_VaultDialog):
    """Lets the keyring, or a new passphrase, open the vault from now on."""

    def __init__(self, parent: QWidget, presenter: VaultPresenter, kind: str) -> None:
        """Ask for what a vault of `kind` needs."""
        by_passphrase = kind == "passphrase"
        title = _("Use a passphrase") if by_passphrase else _("Use the keyring")
        about = {name: text for name, _title, text in _kinds()}
        super().__init__(parent, presenter, title, about[kind])
        self.setObjectName("vault_change_kind")
        self._wanted = kind
        if by_passphrase:
            self._new_secret(_("New passphrase"), _("New passphrase again"))
        self._finish(_("Change"))

    def _ready(self) -> bool:
        return self._wanted != "passphrase" or self._is_chosen()

    @Slot()
    def _on_typed(self) -> None:
        if self._wanted == "passphrase" and hasattr(self, "_go"):
            self._say_strength()
        super()._on_typed()

    def _ask(self) -> None:
        self._presenter.change_kind(self._wanted, self._new.text() if self._wanted == "passphrase" else "")


class TransferDialog(_VaultDialog):
    """Asks for the file and the passphrase of an export (`export` True) or an import; a new passphrase twice."""

    def __init__(self, parent: QWidget, presenter: VaultPresenter, *, export: bool) -> None:
        """Make it empty."""
        title = _("Export secrets, encrypted") if export else _("Import secrets")
        super().__init__(parent, presenter, title, "")
        self.setObjectName("vault_transfer")
        self._export = export
        self._file()
        if export:
            self._new_secret(_("Passphrase of that file"), _("Passphrase again"))
        else:
            self._new = self._secret(_("Passphrase of that file"), "vault_passphrase")
        self._finish(_("Export") if export else _("Import"))

    def _file(self) -> None:
        self._path = QLineEdit()
        self._path.setObjectName("vault_file")
        self._path.setAccessibleName(_("File"))
        self._path.textChanged.connect(self._on_typed)
        browse = button(_("Browse…"))
        browse.setObjectName("vault_browse")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._on_browse)
        holder = QWidget()
        line = row(self._path, browse)
        line.setStretch(0, 1)
        holder.setLayout(line)
        self.body.addWidget(Field(_("File"), holder, self._path))

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, self.windowTitle(), str(paths.expanded(self._path.text().strip() or "~/x").parent))
        saving = QFileDialog.AcceptMode.AcceptSave if self._export else QFileDialog.AcceptMode.AcceptOpen
        dialog.setAcceptMode(saving)
        if not self._export:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._path.setText)
        dialog.open()

    def _ready(self) -> bool:
        given = self._is_chosen() if self._export else bool(self._new.text())
        return given and bool(self._path.text().strip())

    @Slot()
    def _on_typed(self) -> None:
        if self._export and hasattr(self, "_go"):
            self._say_strength()
        super()._on_typed()

    def _ask(self) -> None:
        work = self._presenter.export if self._export else self._presenter.import_
        work(str(paths.expanded(self._path.text().strip())), self._new.text())
