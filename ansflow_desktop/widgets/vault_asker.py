"""Asks for the vault's passphrase, or what kind of vault there shall be, and goes on with what was held up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication, QWidget

from ansflow_desktop.presenters.vault import VaultPresenter
from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog, UnlockDialog


class VaultAsker(QObject):
    """One for the window: the dialog lies over whatever asked."""

    def __init__(self, services: Any, window: QWidget) -> None:
        """Ask on top of `window`."""
        super().__init__(window)
        self._window = window
        self._again: Callable[[], None] | None = None
        self.presenter = VaultPresenter(services)
        self.presenter.ask_unlock.connect(self._on_unlock)
        self.presenter.ask_create.connect(self._on_create)
        self.presenter.unlocked.connect(self._on_unlocked)

    @Slot(object, object)
    def ask(self, error: Exception, again: Callable[[], None]) -> None:
        """Ask for what `error` says that is missing; `again()` is called once it is there."""
        self._again = again
        self.presenter.needed(error)

    def _parent(self) -> QWidget:
        return QApplication.activeModalWidget() or self._window

    @Slot(object)
    def _on_unlock(self, error: Any) -> None:
        self._open(UnlockDialog(self._parent(), self.presenter, error.kind, error.reason))

    @Slot(object)
    def _on_create(self, error: Any) -> None:
        self._open(CreateVaultDialog(self._parent(), self.presenter, error.possible, error.reason))

    def _open(self, dialog: UnlockDialog | CreateVaultDialog) -> None:
        dialog.rejected.connect(self._on_rejected)
        dialog.open()

    @Slot()
    def _on_rejected(self) -> None:
        self._again = None

    @Slot()
    def _on_unlocked(self) -> None:
        again, self._again = self._again, None
        if again is not None:
            again()

    async def close(self) -> None:
        """End what is under way."""
        await self.presenter.close()
