"""The vault's cryptography: AES-256-GCM under a random data key, itself wrapped by a key of the keyring or Argon2id.

The payload's associated data is the whole header, the data key's is how it is wrapped; SHA-256 over the file tells
damage from a wrong passphrase, and the only accepted spelling of a file is the one that is written (failure-modes.md,
row 12: flip each byte).
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from typing import Literal

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.store.vault_errors import VaultDamaged, VaultLocked, WrongPassphrase

VERSION = 1
MEMORY_KIB = 64 * 1024  # RFC 9106, section 4, second recommended option: 64 MiB, 3 passes, 4 lanes
PASSES = 3
LANES = 4
_MOST_MEMORY_KIB = 1024 * 1024  # a hostile file must not take the machine's memory or its day
_MOST_PASSES = 16
_MOST_LANES = 16
_KEY_BYTES = 32
_NONCE_BYTES = 12
_SALT_BYTES = 16
MAX_BYTES = 64 * 1024 * 1024

Format = Literal["ansflow-vault", "ansflow-vault-export"]
VAULT: Format = "ansflow-vault"
EXPORT: Format = "ansflow-vault-export"


class Wrap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the data key is wrapped: by the keyring's `entry`, or by Argon2id with these parameters (nothing secret)."""

    kind: Literal["keyring", "passphrase"]
    entry: str = ""
    salt: bytes = b""
    memory_kib: int = 0
    passes: int = 0
    lanes: int = 0


class Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vault file: `key` is the wrapped data key, `payload` the secrets under it, `check` SHA-256 of all the rest."""

    format: Format
    version: int
    wrap: Wrap
    key_nonce: bytes
    key: bytes
    nonce: bytes
    payload: bytes
    check: str = ""


class _Version(msgspec.Struct, frozen=True):
    version: int = 0


def keyring_wrap(entry: str) -> Wrap:
    """Return the wrapping by the key that the keyring keeps as `entry`."""
    return Wrap(kind="keyring", entry=entry)


def passphrase_wrap() -> Wrap:
    """Return the wrapping by a passphrase, with a new random salt."""
    salt = os.urandom(_SALT_BYTES)
    return Wrap(kind="passphrase", salt=salt, memory_kib=MEMORY_KIB, passes=PASSES, lanes=LANES)


def new_key() -> bytes:
    """Return a random key of 256 bits."""
    return os.urandom(_KEY_BYTES)


def derive(wrap: Wrap, passphrase: str, path: str) -> bytes:
    """Return the wrapping key that `passphrase` gives (Argon2id, RFC 9106).

    Raises VaultDamaged for parameters weaker than ours or meant to exhaust the machine, UserError for lack of memory.
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    bounds = MEMORY_KIB <= wrap.memory_kib <= _MOST_MEMORY_KIB and PASSES <= wrap.passes <= _MOST_PASSES
    if not bounds or not 1 <= wrap.lanes <= _MOST_LANES or len(wrap.salt) != _SALT_BYTES:
        raise VaultDamaged(path, msg("Its parameters for the passphrase are out of bounds."))
    spelled = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    try:
        kdf = Argon2id(
            salt=wrap.salt,
            length=_KEY_BYTES,
            iterations=wrap.passes,
            lanes=wrap.lanes,
            memory_cost=wrap.memory_kib,
        )
        return kdf.derive(spelled)
    except MemoryError as error:
        needed = msg("It takes %(count)s MiB.", count=wrap.memory_kib // 1024)
        raise UserError(msg("Too little memory to open the vault"), needed, code=ExitCode.FAILED) from error


def seal(wrap: Wrap, wrapping_key: bytes, secrets: dict[str, str], form: Format = VAULT) -> tuple[Sealed, bytes]:
    """Return `secrets` sealed under a new data key, and that data key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data_key, nonce = new_key(), os.urandom(_NONCE_BYTES)
    wrapped = AESGCM(wrapping_key).encrypt(nonce, data_key, _wrap_data(form, wrap))
    head = Sealed(format=form, version=VERSION, wrap=wrap, key_nonce=nonce, key=wrapped, nonce=b"", payload=b"")
    return reseal(head, data_key, secrets), data_key


def reseal(head: Sealed, data_key: bytes, secrets: dict[str, str]) -> Sealed:
    """Return a file like `head` that holds `secrets`, under the same data key with a new nonce."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    plain = msgspec.json.encode(secrets, order="deterministic")
    payload = AESGCM(data_key).encrypt(nonce, plain, _header_data(head))
    whole = msgspec.structs.replace(head, nonce=nonce, payload=payload, check="")
    return msgspec.structs.replace(whole, check=_check(whole))


def data_key_of(sealed: Sealed, wrapping_key: bytes, path: str) -> bytes:
    """Return the data key; raises WrongPassphrase, for a keyring's key VaultLocked: it is not the one of this vault."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(wrapping_key).decrypt(sealed.key_nonce, sealed.key, _wrap_data(sealed.format, sealed.wrap))
    except InvalidTag as error:
        if sealed.wrap.kind == "passphrase":
            raise WrongPassphrase from error
        raise VaultLocked("keyring", msg("The keyring holds another key than that of this vault.")) from error
    except ValueError as error:
        raise VaultDamaged(path) from error


def secrets_of(sealed: Sealed, data_key: bytes, path: str) -> dict[str, str]:
    """Return what the file holds; raises VaultDamaged when one bit of header or payload is not as it was written."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(data_key).decrypt(sealed.nonce, sealed.payload, _header_data(sealed))
        return msgspec.json.decode(plain, type=dict[str, str])
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        raise VaultDamaged(path) from error


def encode(sealed: Sealed) -> bytes:
    """Return the one spelling of a file."""
    return msgspec.json.encode(sealed) + b"\n"


def decode(data: bytes, path: str) -> Sealed:
    """Return the file that `data` spells; raises VaultDamaged, or UserError for one of a newer version."""
    try:
        if msgspec.json.decode(data, type=_Version).version > VERSION:
            raise _newer(path)
        sealed = msgspec.json.decode(data, type=Sealed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise VaultDamaged(path) from error
    if len(data) > MAX_BYTES or encode(sealed) != data or _check(sealed) != sealed.check:
        raise VaultDamaged(path)
    return sealed


def _check(sealed: Sealed) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(sealed, check=""))).hexdigest()


def _wrap_data(form: Format, wrap: Wrap) -> bytes:
    return b"key\0" + msgspec.json.encode((form, VERSION, wrap))


def _header_data(sealed: Sealed) -> bytes:
    return b"payload\0" + msgspec.json.encode(
        (sealed.format, sealed.version, sealed.wrap, sealed.key_nonce, sealed.key)
    )


def _newer(path: str) -> UserError:
    title = msg("%(path)s was written by a newer version of AnsFlow Desktop", path=path)
    hint = msg("Use that version, or choose another directory with --data-dir.")
    return UserError(title, msg("It was left untouched."), hint, code=ExitCode.FAILED)
