"""The vault among the settings: what opens it, lock and unlock, its passphrase, export and import; done at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg_n, translate
from ansflow_desktop.widgets.controls import FlowLayout, button, label
from ansflow_desktop.widgets.vault_desk import VaultDesk


class VaultSection(QWidget):
    """Says how the vault is and opens its dialogs; what cannot be done with this kind of vault is disabled."""

    def __init__(self, desk: VaultDesk) -> None:
        """Show the vault as it is known, then read it anew."""
        super().__init__()
        self._desk, self._presenter = desk, desk.presenter
        self._said = label("", "muted", wrap=True)
        self._said.setObjectName("vault_said")
        self._lock = self._button(_("Lock"), "vault_lock", self._on_lock)
        self._change = self._button(_("Change the passphrase…"), "vault_change_asked", self._on_change)
        self._kind = self._button(_("Use the keyring…"), "vault_kind_asked", self._on_kind)
        self._export = self._button(_("Export…"), "vault_export_asked", self._on_export)
        self._import = self._button(_("Import…"), "vault_import_asked", self._on_import)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(label(_("Vault"), "strong"))
        lines.addWidget(self._said)
        flow = FlowLayout(8)
        for part in (self._lock, self._change, self._kind, self._export, self._import):
            flow.addWidget(part)
        lines.addLayout(flow)
        self._presenter.state_changed.connect(self._show)
        self._presenter.unlocked.connect(self._show)
        self._presenter.done.connect(self._on_done)
        self._show()
        self._presenter.refresh()

    def _button(self, text: str, name: str, then: Callable[[], None]) -> QPushButton:
        made = button(text)
        made.setObjectName(name)
        made.setAutoDefault(False)
        made.clicked.connect(then)
        return made

    @Slot()
    def _show(self) -> None:
        state = self._presenter.state
        there, locked = state.kind != "none", state.locked
        self._said.setText(translate(state.reason) if locked and state.reason else _said(state.kind, locked))
        self._lock.setText(_("Unlock…") if locked else _("Lock"))
        self._lock.setEnabled(there and state.kind != "session")
        self._change.setEnabled(state.kind == "passphrase")
        self._kind.setText(_("Use a passphrase…") if state.kind == "keyring" else _("Use the keyring…"))
        self._kind.setEnabled(state.kind in ("keyring", "passphrase") and not locked)
        self._export.setEnabled(there and not locked)
        self._import.setEnabled(there and not locked)

    @Slot(int)
    def _on_done(self, count: int) -> None:
        """Say how many secrets went into the file or came out of it."""
        self._said.setText(translate(msg_n("Done: %(count)s secret", "Done: %(count)s secrets", count)))

    @Slot()
    def _on_lock(self) -> None:
        if self._presenter.state.locked:
            self._desk.ask_now()
        else:
            self._presenter.lock()

    @Slot()
    def _on_change(self) -> None:
        self._desk.change_passphrase()

    @Slot()
    def _on_kind(self) -> None:
        self._desk.change_kind()

    @Slot()
    def _on_export(self) -> None:
        self._desk.transfer(export=True)

    @Slot()
    def _on_import(self) -> None:
        self._desk.transfer(export=False)


def _said(kind: str, locked: bool) -> str:
    if kind == "none":
        return _("There is none yet: it is made when the first secret is kept.")
    if locked:
        return _("The vault is locked")
    opened = {
        "keyring": _("Opened by the keyring of this desktop."),
        "passphrase": _("Opened by its passphrase."),
        "session": _("In memory, forgotten when the program ends."),
    }
    return opened[kind]
