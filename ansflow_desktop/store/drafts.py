"""Drafts: what was typed and not saved yet, written aside after every pause so that a crash loses nothing."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path

import msgspec

from ansflow_desktop import files

_VERSION = 1
_MAX_BYTES = 20_000_000


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An unsaved text: `key` names what it is of (a path, a library pipeline), `base` is the text it started from.

    `saved` is when it was written, in seconds since 1970.
    """

    key: str
    text: str
    base: str = ""
    saved: float = 0.0
    version: int = _VERSION


class Drafts:
    """The drafts in one private folder, one file each (0600), named by a hash of the key."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made at the first draft."""
        self._folder = folder

    def _path(self, key: str) -> Path:
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        return self._folder / f"{digest[:40]}.json"

    def save(self, key: str, text: str, base: str) -> Draft:
        """Write the draft of `key` whole or not at all and return it; raises UserError where it cannot be written."""
        draft = Draft(key=key, text=text, base=base, saved=time.time())
        try:
            data = msgspec.json.encode(draft)
        except UnicodeEncodeError:
            draft = msgspec.structs.replace(draft, key=_sound(key), text=_sound(text), base=_sound(base))
            data = msgspec.json.encode(draft)
        files.write_atomic(self._path(key), data)
        return draft

    def read(self, key: str) -> Draft | None:
        """Return the draft of `key`, None where there is none; a damaged one is set aside beside it."""
        return _read(self._path(key))

    def remove(self, key: str) -> None:
        """Forget the draft of `key`; raises UserError where the file cannot be removed."""
        path = self._path(key)
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise files.cannot_write(path, error) from error

    def all(self) -> tuple[Draft, ...]:
        """Return all drafts, the newest first."""
        try:
            paths = sorted(self._folder.glob("*.json"))
        except OSError:
            return ()
        found = [draft for path in paths if (draft := _read(path))]
        return tuple(sorted(found, key=lambda draft: -draft.saved))


def _sound(text: str) -> str:
    """Return `text` with what no file can hold replaced."""
    return text.encode(errors="replace").decode()


def _read(path: Path) -> Draft | None:
    """Return the draft in `path`; one of a newer version, or one that cannot be read now, is left as it is."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        return _decode(path.read_bytes())
    except OSError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        with contextlib.suppress(OSError):
            files.set_aside(path)
        return None


def _decode(data: bytes) -> Draft | None:
    version = msgspec.json.decode(data, type=dict).get("version", _VERSION)
    if isinstance(version, int) and version > _VERSION:
        return None
    return msgspec.json.decode(data, type=Draft)
