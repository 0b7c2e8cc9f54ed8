"""Where the window asks for the vault: its presenter and dialogs, made when the first error says that it is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from ansflow_desktop.presenters.vault import VaultPresenter
    from ansflow_desktop.widgets.dialogs import Dialog

_OURS = ("VaultLocked", "VaultNeeded", "WrongPassphrase")


class VaultDesk(QObject):
    """Opens one dialog at a time; emits `unlocked()` once the vault was opened or made, and `failed(UserError)`."""

    unlocked = Signal()
    failed = Signal(object)

    def __init__(self, window: QWidget, services: Any) -> None:
        """Keep the parts; nothing of the vault is imported or read."""
        super().__init__(window)
        self._window, self._services = window, services
        self._made: VaultPresenter | None = None
        self._dialog: Dialog | None = None
        self._asked = False

    @property
    def presenter(self) -> VaultPresenter:
        """The presenter of the vault, made at its first use."""
        if self._made is None:
            from ansflow_desktop.presenters.vault import VaultPresenter

            made = self._made = VaultPresenter(self._services)
            made.ask_unlock.connect(self._on_unlock)
            made.ask_create.connect(self._on_create)
            made.state_changed.connect(self._on_state)
            made.unlocked.connect(self.unlocked)
            made.failed.connect(self.failed)
            app = QApplication.instance()
            if isinstance(app, QApplication):
                app.focusChanged.connect(self._on_focus)
        return self._made

    def take(self, error: Exception) -> bool:
        """Ask for what `error` lacks; return False where it is no matter of a locked or missing vault."""
        if not any(kind.__name__ in _OURS for kind in type(error).__mro__):
            return False
        return self._dialog is not None or self.presenter.needed(error)

    @Slot()
    def ask(self) -> None:
        """Ask to open the vault, where it is locked."""
        if self.presenter.state.locked:
            self._unlock(self.presenter.state.kind, self.presenter.state.reason)
        else:
            self._asked = True
            self.presenter.refresh()

    @Slot()
    def _on_state(self) -> None:
        asked, self._asked = self._asked, False
        state = self.presenter.state
        if asked and state.locked:
            self._unlock(state.kind, state.reason)

    @Slot(object)
    def _on_unlock(self, error: Any) -> None:
        self._unlock(error.kind, error.reason)

    def _unlock(self, kind: str, reason: Any) -> None:
        from ansflow_desktop.widgets.vault_dialogs import UnlockDialog

        if self._dialog is None:
            self._open(UnlockDialog(self._window, self.presenter, kind, reason))

    @Slot(object)
    def _on_create(self, error: Any) -> None:
        from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog

        if self._dialog is None:
            self._open(CreateVaultDialog(self._window, self.presenter, error.possible, error.reason))

    def _open(self, dialog: Dialog) -> None:
        self._dialog = dialog
        dialog.finished.connect(self._on_finished)
        dialog.open()

    @Slot()
    def _on_finished(self) -> None:
        self._dialog = None

    @Slot()
    def _on_focus(self) -> None:
        """Who moves the keyboard about is there: the vault does not lock itself for idleness."""
        self.presenter.touch()

    async def close(self) -> None:
        """End the presenter, where there is one."""
        if self._made is not None:
            await self._made.close()
