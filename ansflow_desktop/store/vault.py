"""The vault: where tokens and keys of clusters added by hand are kept, encrypted (failure-modes.md, rows 12 to 14).

Nothing here knows Qt. Opening takes a tenth of a second with a passphrase, and up to `vault_keyring.WAIT_S` with a
keyring that asks: a window opens it in a thread. `state` never waits.
"""

from __future__ import annotations

import contextlib
import secrets as random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from ansflow_desktop import files
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.store import vault_seal
from ansflow_desktop.store.vault_errors import (
    KeyringFailed,
    VaultDamaged,
    VaultLocked,
    VaultNeeded,
    WrongExportPassphrase,
    WrongPassphrase,
)
from ansflow_desktop.store.vault_file import VaultFile, read_sealed
from ansflow_desktop.store.vault_keyring import Keyring
from ansflow_desktop.store.vault_passphrase import require_good
from ansflow_desktop.store.vault_seal import Sealed, Wrap

__all__ = ["Kind", "Vault", "VaultDamaged", "VaultLocked", "VaultNeeded", "VaultState", "WrongPassphrase"]

Kind = Literal["none", "keyring", "passphrase", "session"]
T = TypeVar("T")
IDLE_S = 900.0


class VaultState(msgspec.Struct, frozen=True, kw_only=True):
    """What the vault is now; `locked`: nothing can be read until it is unlocked, `reason` says why.

    `damaged`: no passphrase and no keyring opens it any more.
    """

    kind: Kind
    locked: bool = False
    reason: Text = ""
    damaged: bool = False


class _Open(msgspec.Struct, frozen=True):
    """The data key and the wrapped key of the file that it belongs to."""

    wrapped: bytes
    data_key: bytes

    def __repr__(self) -> str:
        """Say nothing."""
        return "_Open(***)"


class Vault:
    """Named secrets in one encrypted file, or for this session in memory only; safe from any thread.

    A vault that was made with the keyring and cannot be opened now is locked: it is never made anew, and never opened
    in a weaker way.
    """

    def __init__(
        self,
        path: Path,
        keyring: Keyring | None = None,
        passphrase: Callable[[], str | None] | None = None,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Use the file `path`; nothing is read yet.

        `passphrase` is asked where one is needed (None: nobody knows it); after `idle_s` seconds without use an
        open vault forgets its key, not while `in_use`. `clock` gives seconds, those of a sleeping machine included.
        """
        self._file = VaultFile(path)
        self._keyring = keyring or Keyring()
        self._passphrase = passphrase
        self._idle_s = idle_s
        self._clock = clock or _clock
        self._touched = self._clock()
        self._users = 0
        self._slow = threading.RLock()
        self._quick = threading.Lock()
        self._open: _Open | None = None
        self._shut = False
        self._reason: Text = ""
        self._session: dict[str, str] | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def exists(self) -> bool:
        """True when there is a file of the vault, or its copy."""
        return self._file.exists

    @property
    def notice(self) -> Message | None:
        """What became of a damaged file that was restored from its copy, None when all is well."""
        return self._file.notice

    def state(self) -> VaultState:
        """Return kind and lock as far as known; asks neither keyring nor passphrase. Never raises.

        A keyring's vault counts as open until the keyring failed, for it opens by itself.
        """
        if self._session is not None:
            return VaultState(kind="session")
        try:
            sealed = self._file.read()
        except UserError as error:
            damaged = isinstance(error, VaultDamaged)
            return VaultState(kind="passphrase", locked=True, reason=error.title, damaged=damaged)
        if sealed is None:
            return VaultState(kind="none")
        kind = sealed.wrap.kind
        if self._opened(sealed) is not None:
            return VaultState(kind=kind)
        locked = kind == "passphrase" or self._shut or bool(self._reason)
        return VaultState(kind=kind, locked=locked, reason=self._reason)

    def keyring_usable(self) -> tuple[bool, Text]:
        """Return whether this session has a real keyring, and why not; may take seconds, prompts nobody."""
        return self._keyring.usable()

    def get(self, key: str) -> str | None:
        """Return the secret `key`, None where there is none; raises VaultLocked, VaultDamaged and UserError.

        Who uses a secret is there: the time without use begins anew.
        """
        found = self._secrets().get(key)
        self.touch()
        return found

    def keys(self) -> tuple[str, ...]:
        """Return the names of all secrets; raises as `get`."""
        return tuple(sorted(self._secrets()))

    def put(self, key: str, value: str) -> None:
        """Keep `value` as `key`; raises VaultNeeded where there is no vault, and as `get`."""
        self._change({key: value})

    def remove(self, key: str) -> None:
        """Forget `key`; one that is not there is fine. Raises as `get`."""
        if self._session is not None or self._file.exists:
            self._change({}, key)

    def create(self, kind: Kind, passphrase: str = "") -> None:
        """Make the vault; what this session kept in memory moves into it.

        `session` keeps secrets in memory only, also where a file cannot be opened now. Raises UserError where there is
        a file already, the passphrase is too weak, or the keyring keeps nothing.
        """
        with self._slow:
            if kind == "session":
                self._session = self._session or {}
                return
            if self._file.exists:
                self._first()
            self._write_new(kind, passphrase, self._first)
            self._session = None

    def unlock(self, passphrase: str = "") -> None:
        """Open the vault, a keyring's without a passphrase; raises WrongPassphrase, VaultLocked, VaultDamaged."""
        with self._slow:
            if self._session is not None:
                return
            sealed = self._file.read()
            if sealed is None:
                raise self._needed()
            self._open_by(sealed, self._wrapping_key(sealed, passphrase))
            self._shut = False

    def lock(self) -> None:
        """Forget the key until `unlock`; secrets that only memory holds stay."""
        self._forget()
        self._shut = self._session is None

    def touch(self) -> None:
        """Say that a person is there: the time without use begins anew."""
        self._touched = self._clock()

    def lock_if_idle(self) -> bool:
        """Forget the key when nobody was there for a while; return whether that happened."""
        idle = self._clock() - self._touched > self._idle_s
        if not idle or self._users or self._open is None:
            return False
        self._forget()
        return True

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the vault from locking by itself inside the block: a run needs its secrets to its end."""
        with self._quick:
            self._users += 1
        try:
            yield
        finally:
            self.touch()
            with self._quick:
                self._users -= 1

    def change_passphrase(self, old: str, new: str) -> None:
        """Seal everything anew behind `new`; raises WrongPassphrase, also of an open vault, and UserError."""
        with self._slow:
            sealed = self._file.read()
            if sealed is None or sealed.wrap.kind != "passphrase":
                raise UserError(msg("This vault has no passphrase"), "", "", field="passphrase")
            require_good(new, "new_passphrase")
            self._open_by(sealed, self._wrapping_key(sealed, old))
            self._write_new("passphrase", new, self._secrets)

    def change_kind(self, kind: Kind, passphrase: str = "") -> None:
        """Seal everything anew behind the keyring or a passphrase; raises as `get` and `create`."""
        if self._session is not None:
            return self.create(kind, passphrase)
        with self._slow:
            if kind not in ("keyring", "passphrase"):
                raise UserError(msg("A vault on disk is not turned into one of memory"))
            before = self._file.read()
            if before is None:
                raise self._needed()
            self._secrets()
            self._write_new(kind, passphrase, self._secrets)
            self._drop_entry(before.wrap)

    def export(self, path: Path, passphrase: str) -> int:
        """Write all secrets to `path`, encrypted behind `passphrase`; return how many.

        Raises UserError for a weak passphrase, and for a file that is there and is no export: it is not replaced.
        """
        require_good(passphrase, "export_passphrase")
        found = self._secrets()
        if files.is_taken(path) and not _is_export(path):
            raise UserError(
                msg("%(path)s exists already", path=str(path)), "", msg("Choose another name."), field="file"
            )
        wrap = vault_seal.passphrase_wrap()
        key = vault_seal.derive(wrap, passphrase, str(path))
        sealed, _data_key = vault_seal.seal(wrap, key, found, vault_seal.EXPORT)
        files.write_atomic(path, vault_seal.encode(sealed))
        return len(found)

    def import_(self, path: Path, passphrase: str) -> int:
        """Take the secrets of an export, in place of those of the same names; return how many.

        Raises WrongPassphrase, VaultDamaged, VaultNeeded and UserError; then nothing has changed.
        """
        sealed = read_sealed(path)
        if sealed is None or sealed.wrap.kind != "passphrase":
            title = msg("%(path)s is no export of a vault", path=str(path))
            raise UserError(title, "", msg("Choose a file that was written by an export."), field="file")
        key = vault_seal.derive(sealed.wrap, passphrase, str(path))
        try:
            data_key = vault_seal.data_key_of(sealed, key, str(path))
        except WrongPassphrase as error:
            raise WrongExportPassphrase from error
        found = vault_seal.secrets_of(sealed, data_key, str(path))
        self._change(found)
        return len(found)

    @property
    def lasting(self) -> bool:
        """True where what is kept outlives the program: in a file, not in this session's memory. Asks nobody."""
        return self._session is None

    @property
    def copy_is_sound(self) -> bool:
        """True when the file's copy can take its place; never raises."""
        return self._file.copy_is_sound

    def restore_copy(self) -> Path:
        """Put the file's copy in place of a damaged file, which is set aside; return where that is kept.

        Raises VaultDamaged where the copy is not sound either, and UserError.
        """
        with self._slow:
            kept = self._file.restore_copy()
            self._forget()
            self._shut, self._reason = False, ""
            return kept

    def start_over(self) -> Path:
        """Set a vault aside that nobody can open any more, so that a new one can be made; return where it is kept."""
        with self._slow:
            kept = self._file.set_aside()
            self._forget()
            self._shut, self._reason = False, ""
            return kept

    def _secrets(self) -> dict[str, str]:
        if self._session is not None:
            return dict(self._session)
        sealed = self._file.read()
        if sealed is None:
            return {}
        return vault_seal.secrets_of(sealed, self._data_key(sealed), str(self.path))

    def _change(self, added: Mapping[str, str], removed: str = "") -> None:
        """Write the file with `added` and without `removed`; another process may change or replace it meanwhile."""
        with self._slow:
            self.touch()
            if self._session is not None:
                self._session = _changed(self._session, added, removed)
                return
            self._secrets()  # opens it outside the lock of the file: that may take a while
            with self._file.alone():
                sealed = self._file.read()
                if sealed is None:
                    raise self._needed()
                data_key = self._data_key(sealed)
                known = vault_seal.secrets_of(sealed, data_key, str(self.path))
                self._file.write(vault_seal.reseal(sealed, data_key, _changed(known, added, removed)))

    def _opened(self, sealed: Sealed) -> _Open | None:
        """Return the key in memory where it is that of `sealed`; another process may have changed the passphrase."""
        self.lock_if_idle()
        found = self._open
        return found if found is not None and found.wrapped == sealed.key else None

    def _data_key(self, sealed: Sealed) -> bytes:
        found = self._opened(sealed)
        if found is not None:
            return found.data_key
        with self._slow:
            found = self._opened(sealed)
            if found is not None:
                return found.data_key
            if self._shut:
                raise VaultLocked(sealed.wrap.kind)
            return self._open_by(sealed, self._wrapping_key(sealed, ""))

    def _wrapping_key(self, sealed: Sealed, passphrase: str) -> bytes:
        """Return the key of keyring or passphrase (else the one that somebody knows); raises VaultLocked."""
        if sealed.wrap.kind == "keyring":
            return self._keyring_key(sealed.wrap)
        given = passphrase or (self._passphrase() if self._passphrase else None)
        if not given:
            raise VaultLocked("passphrase")
        return vault_seal.derive(sealed.wrap, given, str(self.path))

    def _keyring_key(self, wrap: Wrap) -> bytes:
        try:
            key = self._keyring.read(wrap.entry)
        except KeyringFailed as error:
            self._reason = error.reason
            raise VaultLocked("keyring", error.reason) from error
        if key is None:
            self._reason = msg("The keyring has no key for this vault.")
            raise VaultLocked("keyring", self._reason)
        return key

    def _open_by(self, sealed: Sealed, wrapping_key: bytes) -> bytes:
        data_key = vault_seal.data_key_of(sealed, wrapping_key, str(self.path))
        self._keep(sealed, data_key)
        return data_key

    def _keep(self, sealed: Sealed, data_key: bytes) -> None:
        self.touch()
        self._open, self._reason, self._shut = _Open(sealed.key, data_key), "", False

    def _forget(self) -> None:
        self._open = None

    def _write_new(self, kind: Kind, passphrase: str, found: Callable[[], dict[str, str]]) -> None:
        """Seal what `found` returns while nobody else writes; a keyring keeps its key before the file needs it."""
        if kind == "keyring":
            wrap, wrapping_key = vault_seal.keyring_wrap(f"vault-{random.token_hex(8)}"), vault_seal.new_key()
            self._put_in_keyring(wrap.entry, wrapping_key)
        else:
            require_good(passphrase, "passphrase")
            wrap = vault_seal.passphrase_wrap()
            wrapping_key = vault_seal.derive(wrap, passphrase, str(self.path))
        with self._file.alone():
            sealed, data_key = vault_seal.seal(wrap, wrapping_key, found())
            self._file.write(sealed, new_key=True)
        self._keep(sealed, data_key)

    def _first(self) -> dict[str, str]:
        """Return what a new vault begins with; raises UserError where there is one, so that none is written over."""
        if self._file.exists:
            raise UserError(msg("There is a vault already"), str(self.path), msg("Unlock it, or set it aside."))
        return self._session or {}

    def _put_in_keyring(self, entry: str, key: bytes) -> None:
        try:
            self._keyring.write(entry, key)
        except KeyringFailed as error:
            hint = msg("Choose a passphrase instead, or unlock the keyring and try again.")
            raise UserError(
                msg("The keyring cannot keep the key of the vault"), error.reason, hint, field="kind"
            ) from error

    def _drop_entry(self, wrap: Wrap) -> None:
        if wrap.kind == "keyring":
            with contextlib.suppress(KeyringFailed):  # it opens nothing any more
                self._keyring.remove(wrap.entry)

    def _needed(self) -> VaultNeeded:
        usable, reason = self.keyring_usable()
        kinds = ("keyring", "passphrase", "session") if usable else ("passphrase", "session")
        return VaultNeeded(kinds, reason)


def _changed(known: Mapping[str, str], added: Mapping[str, str], removed: str) -> dict[str, str]:
    return {name: value for name, value in {**known, **added}.items() if name != removed}


def _is_export(path: Path) -> bool:
    try:
        sealed = read_sealed(path)
    except UserError:
        return False
    return sealed is not None and sealed.format == vault_seal.EXPORT


def _clock() -> float:
    """Return seconds since boot, sleep included where the system counts it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
