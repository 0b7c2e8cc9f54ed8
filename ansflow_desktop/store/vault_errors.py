"""What can be wrong with the vault, each with the way out; none of them ever holds a secret."""

from __future__ import annotations

from collections.abc import Iterable

from ansflow_desktop.errors import ExitCode, LockedAway, UserError
from ansflow_desktop.i18n import Text, msg


class VaultLocked(LockedAway):
    """The vault cannot be read until somebody opens it; `kind` is `keyring` or `passphrase`, `reason` says why."""

    def __init__(self, kind: str, reason: Text = "") -> None:
        """Name the way out, which depends on the kind."""
        by_passphrase = msg("Unlock it with its passphrase; on the command line, name a file with --passphrase-file.")
        by_keyring = msg("Unlock the keyring of your desktop session, then try again.")
        hint = by_passphrase if kind == "passphrase" else by_keyring
        super().__init__(msg("The vault is locked"), reason, hint, field="passphrase")
        self.kind = kind
        self.reason = reason


class WrongPassphrase(VaultLocked):
    """The passphrase does not open the vault."""

    def __init__(self) -> None:
        """Say so; what was typed is not repeated."""
        super().__init__("passphrase", msg("The passphrase is not the one of this vault."))


class WrongExportPassphrase(UserError):
    """The passphrase does not open the file of an export; the vault itself is not in question."""

    def __init__(self) -> None:
        """Name the way out; what was typed is not repeated."""
        hint = msg("Give the passphrase that the file was written with; it may differ from that of the vault.")
        super().__init__(msg("The passphrase is not the one of this export"), "", hint, field="export_passphrase")


class VaultNeeded(UserError):
    """There is no vault yet: a person chooses its kind. `possible` are the kinds, `reason` says why no keyring is."""

    def __init__(self, possible: Iterable[str], reason: Text = "") -> None:
        """Name the choices."""
        hint = msg(
            "Make one: ansflow-desktop vault create --kind keyring, or --kind passphrase with --passphrase-file."
        )
        super().__init__(msg("There is no vault to keep this secret in"), reason, hint)
        self.possible = tuple(possible)
        self.reason = reason


class VaultDamaged(UserError):
    """The file is not what was written: nothing of it is used, and nothing is written over it."""

    def __init__(self, path: str, reason: Text = "") -> None:
        """Name the file."""
        title = msg("The vault %(path)s is damaged or was changed by something else", path=path)
        hint = msg("Restore it from a backup or from an export, or set it aside and make a new vault.")
        super().__init__(title, reason, hint, code=ExitCode.FAILED)
        self.path = path


class KeyringFailed(Exception):
    """The keyring cannot be used now; `reason` says why in plain words."""

    def __init__(self, reason: Text) -> None:
        """Keep the reason."""
        super().__init__(str(reason))
        self.reason = reason
