"""The desktop's keyring, used only where it is a real one, and never waited for without end (failure-modes.md, row 13).

`keyring` answers with backends that keep nothing (null), that always fail, or that write plain text when there is no
better one: those are refused and named. A locked keyring asks its user, which may take for ever: every call runs in a
thread of its own and is given up after a while.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.store.vault_errors import KeyringFailed

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "ansflow-desktop"
WAIT_S = 30.0
REAL = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.kwallet.DBusKeyringKWallet4",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_FAIL = "keyring.backends.fail.Keyring"


class Keyring:
    """Keeps one key for each vault; safe from any thread, each call takes at most `wait_s` seconds."""

    def __init__(
        self,
        find: Callable[[], KeyringBackend] | None = None,
        real: Iterable[str] = REAL,
        wait_s: float = WAIT_S,
    ) -> None:
        """Use what `find` returns (else the one of this session); `real` names the classes that are trusted."""
        self._find = find or _of_session
        self._real = frozenset(real)
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._busy: threading.Thread | None = None

    def usable(self) -> tuple[bool, Text]:
        """Return whether there is a real keyring, and why not; nothing is asked of it, so that nothing prompts."""
        try:
            self._bounded(self._backends)
        except KeyringFailed as error:
            return False, error.reason
        return True, ""

    def read(self, entry: str) -> bytes | None:
        """Return the key kept as `entry`, None where there is none; raises KeyringFailed."""

        def look() -> str | None:
            found = (one.get_password(SERVICE, entry) for one in self._backends())
            return next((text for text in found if text is not None), None)

        text = self._bounded(look)
        return None if text is None else _decoded(text)

    def write(self, entry: str, key: bytes) -> None:
        """Keep `key` as `entry` and read it back; raises KeyringFailed, also where it was not kept."""
        text = base64.b64encode(key).decode()
        self._bounded(lambda: self._backends()[0].set_password(SERVICE, entry, text))
        if self.read(entry) != key:
            raise KeyringFailed(msg("The keyring did not keep what it was given."))

    def remove(self, entry: str) -> None:
        """Forget `entry`; one that is not there is fine. Raises KeyringFailed."""
        self._bounded(lambda: _delete(self._backends(), entry))

    def _backends(self) -> list[KeyringBackend]:
        """Return the real backends, the best first; of a chain only its real links. Raises KeyringFailed."""
        chosen = self._find()
        links = list(getattr(chosen, "backends", ())) if _name(chosen) == _CHAINER else [chosen]
        found = [one for one in links if _name(one) in self._real]
        if found:
            return found
        raise KeyringFailed(_refusal(_name(chosen)))

    def _bounded(self, call: Callable[[], T]) -> T:
        with self._lock:
            if self._busy is not None and self._busy.is_alive():
                raise KeyringFailed(_waiting(self._wait_s))
            answer: dict[str, Any] = {}
            self._busy = threading.Thread(target=_answer, args=(call, answer), name="keyring", daemon=True)
            self._busy.start()
            self._busy.join(self._wait_s)
        if not answer:
            raise KeyringFailed(_waiting(self._wait_s))
        if "error" in answer:
            raise _as_failed(answer["error"]) from answer["error"]
        result: T = answer["result"]
        return result


def _answer(call: Callable[[], object], answer: dict[str, Any]) -> None:
    try:
        answer["result"] = call()
    except Exception as error:  # a backend may raise anything; handed to whoever waits
        answer["error"] = error


def _as_failed(error: Exception) -> KeyringFailed:
    if isinstance(error, KeyringFailed):
        return error
    return KeyringFailed(msg("The keyring answered: %(reason)s", reason=str(error) or type(error).__name__))


def _of_session() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _name(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _refusal(name: str) -> Text:
    if name in (_FAIL, _CHAINER):
        return msg("This session has no keyring.")
    return msg("%(name)s is no keyring that keeps secrets encrypted.", name=name)


def _waiting(seconds: float) -> Text:
    return msg(
        "The keyring did not answer within %(count)s s; it may be asking for its password.", count=round(seconds)
    )


def _delete(backends: Iterable[KeyringBackend], entry: str) -> None:
    for one in backends:
        if one.get_password(SERVICE, entry) is not None:
            one.delete_password(SERVICE, entry)


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyringFailed(msg("The keyring holds another key than that of this vault.")) from error
    if len(key) != 32:
        raise KeyringFailed(msg("The keyring holds another key than that of this vault."))
    return key
