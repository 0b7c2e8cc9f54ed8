"""The vault's file: replaced whole, a second copy beside it, and one writer at a time (failure-modes.md, row 14)."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path

from ansflow_desktop import files
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.store import vault_seal
from ansflow_desktop.store.vault_errors import VaultDamaged
from ansflow_desktop.store.vault_seal import Sealed


class VaultFile:
    """Reads and writes `path` and its copy `<path>.bak`, which is written after it and holds the same."""

    def __init__(self, path: Path) -> None:
        """Use `path`; nothing is read or made yet."""
        self.path = path
        self.copy = path.with_name(f"{path.name}.bak")
        self.notice: Message | None = None
        """What became of a damaged file, None when all is well."""

    @property
    def exists(self) -> bool:
        """True when there is a vault, or its copy."""
        return files.is_there(self.path) or files.is_there(self.copy)

    def read(self) -> Sealed | None:
        """Return the vault, None where there is none; a damaged one is set aside when its copy is sound.

        Raises VaultDamaged when neither is sound, UserError when they cannot be read or are of a newer version.
        """
        try:
            sealed = read_sealed(self.path)
        except VaultDamaged:
            return self._recover()
        return sealed or self._recover_missing()

    def write(self, sealed: Sealed, *, new_key: bool = False) -> None:
        """Replace the file, then its copy; to be called inside `alone`. Raises UserError, the old file untouched.

        With `new_key` the old copy goes first: it would still open with the old passphrase.
        """
        self._sweep()
        data = vault_seal.encode(sealed)
        if new_key:
            _remove(self.copy)
        files.write_atomic(self.path, data)
        with contextlib.suppress(UserError):  # the vault itself is written; the copy is for a day that may never come
            files.write_atomic(self.copy, data)

    def set_aside(self) -> Path:
        """Rename the file, to be kept, and drop its copy; return the new path. Raises UserError."""
        with self.alone():
            try:
                if not files.is_there(self.path):
                    self.copy.rename(self.path)
                kept = files.set_aside(self.path)
            except OSError as error:
                raise files.cannot_write(self.path, error) from error
            _remove(self.copy)
            return kept

    @property
    def copy_is_sound(self) -> bool:
        """True when there is a copy whose every byte is as it was written; never raises."""
        try:
            return read_sealed(self.copy) is not None
        except UserError:
            return False

    def restore_copy(self) -> Path:
        """Put the copy in place of the file, which is set aside; return where. Raises VaultDamaged and UserError."""
        with self.alone():
            found = read_sealed(self.copy)
            if found is None:
                raise VaultDamaged(str(self.path))
            try:
                kept = files.set_aside(self.path) if files.is_there(self.path) else self.path
            except OSError as error:
                raise files.cannot_write(self.path, error) from error
            files.write_atomic(self.path, vault_seal.encode(found))
            return kept

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes from writing inside the block; raises UserError where the folder takes no file."""
        return files.alone(self.path)

    def _sweep(self) -> None:
        """Remove what a killed writer left; its data is encrypted, but of no use."""
        for left in (*self.path.parent.glob(f".{self.path.name}.*"), *self.path.parent.glob(f".{self.copy.name}.*")):
            if not left.name.endswith(".lock"):
                with contextlib.suppress(OSError):
                    left.unlink()

    def _recover_missing(self) -> Sealed | None:
        return self._recover() if files.is_there(self.copy) else None

    def _recover(self) -> Sealed:
        """Return the copy, put in the place of a damaged or missing file where that can be written."""
        found = read_sealed(self.copy) if files.is_there(self.copy) else None
        if found is None:
            raise VaultDamaged(str(self.path))
        kept = self.path
        with contextlib.suppress(OSError, UserError):
            if files.is_there(self.path):
                kept = files.set_aside(self.path)
            files.write_atomic(self.path, vault_seal.encode(found))
        self.notice = msg(
            "%(path)s was damaged or missing and was restored from its copy; what was found is kept as %(kept)s",
            path=str(self.path),
            kept=str(kept),
        )
        return found


def read_sealed(path: Path) -> Sealed | None:
    """Return a vault or an export, None where there is no file; raises VaultDamaged and UserError."""
    try:
        with files.open_to_read(path) as file:
            data = file.read(vault_seal.MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        title = msg("%(path)s could not be read: %(reason)s", path=str(path), reason=reason)
        raise UserError(title, "", msg("Check its permissions."), code=ExitCode.FAILED) from error
    return vault_seal.decode(data, str(path))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        files.sync_folder(path.parent)
    except OSError as error:
        raise files.cannot_write(path, error) from error
