"""The vault in the window: asks for a passphrase or a kind where one is needed, and locks when nobody is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.store.vault import VaultDamaged, VaultLocked, VaultNeeded, VaultState, WrongPassphrase
from ansflow_desktop.store.vault_passphrase import strength

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services

__all__ = ["VaultPresenter", "WrongPassphrase"]

_LOOK_MS = 15_000


class VaultPresenter(Presenter):
    """`ask_unlock(VaultLocked)` and `ask_create(VaultNeeded)` want a dialog; `unlocked` says to try again what failed.

    `ask_damaged(VaultDamaged)` wants a dialog with the ways out. `refused(UserError)` belongs into the open dialog;
    `done(int)` ends an export or import with its number of secrets, `imported` says that secrets are other ones now.
    `started_over`: the old vault was set aside; `ask_create` follows. `said(title, text)` is for who looks at the
    window: where a file is kept that was set aside, and how many secrets were imported.
    """

    ask_unlock = Signal(object)
    ask_create = Signal(object)
    unlocked = Signal()
    refused = Signal(object)
    done = Signal(int)
    started_over = Signal()
    ask_damaged = Signal(object)
    imported = Signal()
    said = Signal(object, object)

    def __init__(self, services: Services) -> None:
        """Begin to look for idleness; the vault itself is not read yet."""
        super().__init__()
        self._services = services
        self.state = VaultState(kind="none")
        self._noticed: Text = ""
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start()

    def needed(self, error: Exception) -> bool:
        """Ask for what `error` lacks; return whether it was a matter of the vault at all."""
        if isinstance(error, VaultLocked):
            self.ask_unlock.emit(error)
        elif isinstance(error, VaultNeeded):
            self.ask_create.emit(error)
        elif isinstance(error, VaultDamaged):
            self.ask_damaged.emit(error)
        else:
            return False
        return True

    def refresh(self) -> None:
        """Read the state anew, off the window's thread."""
        self._start("state", self._read())

    def touch(self) -> None:
        """Say that the person is there."""
        self._services.vault.touch()

    def strength(self, passphrase: str) -> tuple[int, Text]:
        """Return 0 (refused) to 3 (strong), and the word for it."""
        return strength(passphrase)

    def unlock(self, passphrase: str) -> None:
        """Open the vault; `unlocked` or `refused` follows."""
        self._change(lambda: self._opened(lambda: self._services.vault.unlock(passphrase)))

    def _opened(self, call: Callable[[], None]) -> None:
        """Open the vault by `call`, and move into it what still lies in plain elsewhere."""
        call()
        with contextlib.suppress(UserError):  # it is opened; what could not be moved stays where it is
            self._services.cluster_book.move_secrets()

    def lock(self) -> None:
        """Lock it now; `state_changed` follows."""
        self._services.vault.lock()
        self.refresh()

    def create(self, kind: str, passphrase: str) -> None:
        """Make a vault of `kind` (keyring, passphrase, session); `unlocked` or `refused` follows."""
        self._change(lambda: self._opened(lambda: self._services.vault.create(kind, passphrase)))  # type: ignore[arg-type]

    def change_passphrase(self, old: str, new: str) -> None:
        """Change the passphrase; `unlocked` or `refused` follows."""
        self._change(lambda: self._services.vault.change_passphrase(old, new))

    def change_kind(self, kind: str, passphrase: str = "") -> None:
        """Let keyring or passphrase (`kind`) open the vault from now on; `unlocked` or `refused` follows."""
        self._change(lambda: self._services.vault.change_kind(kind, passphrase))  # type: ignore[arg-type]

    def start_over(self) -> None:
        """Set a vault aside that nobody can open any more; `started_over` and `ask_create`, or `refused` follow."""
        self._start("change", self._set_aside(lambda: self._services.vault.start_over()))

    def export(self, path: str, passphrase: str) -> None:
        """Write an encrypted export; `done` or `refused` follows."""
        self._start("change", self._done(lambda: self._services.vault.export(Path(path), passphrase)))

    def import_(self, path: str, passphrase: str) -> None:
        """Read an encrypted export; `imported` and `done`, or `refused` follow."""
        self._start("change", self._import(path, passphrase))

    async def _import(self, path: str, passphrase: str) -> None:
        count = await self._work(lambda: self._services.vault.import_(Path(path), passphrase))
        if count is not None:
            self.imported.emit()
            text = msg_n("%(count)s secret was imported", "%(count)s secrets were imported", count)
            self.said.emit(text, msg("From %(file)s", file=path))

    def copy_is_sound(self) -> bool:
        """Return whether a damaged vault can be restored from its copy; reads one file."""
        return bool(self._services.vault.copy_is_sound)

    def restore_copy(self) -> None:
        """Put the vault's copy in its place; `started_over` and `ask_unlock` or `unlocked`, or `refused` follow."""
        self._start("change", self._set_aside(lambda: self._services.vault.restore_copy()))

    async def _set_aside(self, call: Callable[[], Path]) -> None:
        """Have `call` put something else in the vault's place and say where the old one is kept; then open that."""
        try:
            kept = await off_thread(call)
        except UserError as error:
            self.refused.emit(error)
            return
        await self._read()
        self.started_over.emit()
        self.said.emit(msg("The old vault was set aside"), msg("It is kept as %(path)s", path=str(kept)))
        await self._open_again()

    async def _open_again(self) -> None:
        """Open the vault as far as that needs nobody; else ask."""
        try:
            await off_thread(self._services.vault.unlock)
        except UserError as error:
            if not self.needed(error):
                self.failed.emit(error)
            return
        await self._read()
        self.unlocked.emit()

    def _change(self, call: Callable[[], None]) -> None:
        self._start("change", self._done(call))

    async def _done(self, call: Callable[[], int | None]) -> None:
        await self._work(call)

    async def _work(self, call: Callable[[], int | None]) -> int | None:
        """Do `call` and say how it ended; return what it counted, None where it counts nothing or was refused."""
        try:
            count = await off_thread(call)
        except UserError as error:
            self._refuse(error)
            return None
        await self._read()
        if count is None:
            self.unlocked.emit()
        else:
            self.done.emit(count)
        return count

    def _refuse(self, error: UserError) -> None:
        """Say in the dialog what is wrong; a damaged vault has a dialog of its own (a damaged export has not)."""
        if isinstance(error, VaultDamaged) and error.path == str(self._services.vault.path):
            self.ask_damaged.emit(error)
        else:
            self.refused.emit(error)

    async def _read(self) -> None:
        state = await off_thread(self._services.vault.state)
        notice = self._services.vault.notice
        if notice is not None and notice != self._noticed:
            self._noticed = notice
            self.said.emit(msg("The vault was restored"), notice)
        if state != self.state:
            self.state = state
            self.state_changed.emit()

    @Slot()
    def _on_tick(self) -> None:
        if self._services.vault.lock_if_idle():
            self.refresh()

    async def close(self) -> None:
        """Stop the timer and end every task."""
        self._timer.stop()
        await super().close()
