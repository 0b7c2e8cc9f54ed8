"""Where the window asks for the vault: its presenter and dialogs, made when the first error says that it is locked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from ansflow_desktop.presenters.vault import VaultPresenter
    from ansflow_desktop.widgets.dialogs import Dialog

_OURS = ("VaultLocked", "VaultNeeded", "VaultDamaged")


class VaultDesk(QObject):
    """Opens one dialog at a time; emits `unlocked()` once the vault was opened or made, or took an import.

    Emits `failed(UserError)` too, and `said(title, text)`: what became of the vault's files.
    """

    unlocked = Signal()
    said = Signal(object, object)
    failed = Signal(object)

    def __init__(self, window: QWidget, services: Any) -> None:
        """Keep the parts; nothing of the vault is imported or read."""
        super().__init__(window)
        self._window, self._services = window, services
        self._made: VaultPresenter | None = None
        self._dialog: Dialog | None = None
        self._asked = False
        self._import_next = False
        self._again: list[Callable[[], None]] = []

    @property
    def presenter(self) -> VaultPresenter:
        """The presenter of the vault, made at its first use."""
        if self._made is None:
            from ansflow_desktop.presenters.vault import VaultPresenter

            made = self._made = VaultPresenter(self._services)
            made.ask_unlock.connect(self._on_unlock)
            made.ask_create.connect(self._on_create)
            made.state_changed.connect(self._on_state)
            made.ask_damaged.connect(self._on_damaged)
            made.unlocked.connect(self._on_unlocked)
            made.imported.connect(self.unlocked)
            made.said.connect(self.said)
            made.failed.connect(self.failed)
            app = QApplication.instance()
            if isinstance(app, QApplication):
                app.focusChanged.connect(self._on_focus)
        return self._made

    def take(self, error: Exception) -> bool:
        """Ask for what `error` lacks; return False where it is no matter of a locked, missing or damaged vault."""
        if not any(kind.__name__ in _OURS for kind in type(error).__mro__):
            return False
        return self._dialog is not None or self.presenter.needed(error)

    @Slot(object, object)
    def ask(self, error: Exception, again: Callable[[], None]) -> None:
        """Ask for what `error` lacks and call `again()` once it is there; nobody calls it where that is declined."""
        self._again.append(again)
        if not self.take(error):
            self._again.remove(again)
            self.failed.emit(error)

    def change_passphrase(self) -> None:
        """Ask for the old passphrase and a new one."""
        from ansflow_desktop.widgets.vault_dialogs import ChangePassphraseDialog

        if self._dialog is None:
            self._open(ChangePassphraseDialog(self._parent(), self.presenter))

    def change_kind(self) -> None:
        """Ask for what another kind of vault needs: a passphrase instead of the keyring, or the keyring instead."""
        from ansflow_desktop.widgets.vault_dialogs import ChangeKindDialog

        if self._dialog is None:
            kind = "keyring" if self.presenter.state.kind == "passphrase" else "passphrase"
            self._open(ChangeKindDialog(self._parent(), self.presenter, kind))

    def transfer(self, *, export: bool) -> None:
        """Ask for the file of an export or import, and its passphrase."""
        from ansflow_desktop.widgets.vault_dialogs import TransferDialog

        if self._dialog is None:
            self._open(TransferDialog(self._parent(), self.presenter, export=export))

    @Slot()
    def ask_now(self) -> None:
        """Ask to open the vault, where it is locked; one that is damaged has ways out."""
        if self.presenter.state.locked:
            self._ask_to_open()
        else:
            self._asked = True
            self.presenter.refresh()

    @Slot()
    def _on_state(self) -> None:
        asked, self._asked = self._asked, False
        state = self.presenter.state
        if asked and state.locked:
            self._ask_to_open()

    def _ask_to_open(self) -> None:
        state = self.presenter.state
        if state.damaged:
            self._damaged(state.reason, "")
        else:
            self._unlock(state.kind, state.reason)

    @Slot(object)
    def _on_damaged(self, error: Any) -> None:
        self._damaged(error.title, error.message)

    def _damaged(self, title: Any, reason: Any) -> None:
        from ansflow_desktop.widgets.vault_damaged import DamagedVaultDialog

        if isinstance(self._dialog, DamagedVaultDialog):
            return
        again = tuple(self._again)
        if self._dialog is not None:
            self._dialog.reject()  # it asks for what opens the vault: nothing does
        self._again[:] = again
        made = DamagedVaultDialog(self._parent(), self.presenter, title, reason)
        made.import_asked.connect(self._on_import_asked)
        self._open(made)

    @Slot()
    def _on_import_asked(self) -> None:
        self._import_next = True

    @Slot(object)
    def _on_unlock(self, error: Any) -> None:
        self._unlock(error.kind, error.reason)

    def _unlock(self, kind: str, reason: Any) -> None:
        from ansflow_desktop.widgets.vault_dialogs import UnlockDialog

        if self._dialog is None:
            self._open(UnlockDialog(self._parent(), self.presenter, kind, reason))

    @Slot(object)
    def _on_create(self, error: Any) -> None:
        from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog

        if self._dialog is None:
            self._open(CreateVaultDialog(self._parent(), self.presenter, error.possible, error.reason))

    def _open(self, dialog: Dialog) -> None:
        self._dialog = dialog
        dialog.finished.connect(self._on_finished)
        dialog.rejected.connect(self._on_rejected)
        dialog.open()

    def _parent(self) -> QWidget:
        return QApplication.activeModalWidget() or self._window

    @Slot()
    def _on_unlocked(self) -> None:
        again, self._again[:] = tuple(self._again), ()
        self.unlocked.emit()
        for call in again:
            call()

    @Slot()
    def _on_rejected(self) -> None:
        self._again.clear()
        self._import_next = False

    @Slot()
    def _on_finished(self) -> None:
        done, self._dialog = self._dialog, None
        if self._import_next and done is not None and done.objectName() == "vault_create":
            self._import_next = False
            self.transfer(export=False)

    @Slot()
    def _on_focus(self) -> None:
        """Who moves the keyboard about is there: the vault does not lock itself for idleness."""
        self.presenter.touch()

    async def close(self) -> None:
        """End the presenter, where there is one."""
        if self._made is not None:
            await self._made.close()
