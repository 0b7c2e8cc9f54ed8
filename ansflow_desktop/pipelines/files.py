"""A pipeline file on disk: written whole or not at all, never over what somebody else wrote meanwhile."""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
import time
from pathlib import Path

from ansflow_desktop import files
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.diff import DiffLine, diff_lines

MAX_BYTES = 1_000_000
# A file system's clock may not tell two writes within this time apart.
_CLOCK_NS = 2_000_000_000
_MARK = b"\xef\xbb\xbf"


class ChangedOnDisk(UserError):
    """Somebody else changed or removed the file; `theirs` is its text now (empty where it is gone or unreadable)."""

    def __init__(self, path: Path, theirs: str, *, gone: bool = False, reason: Text = "") -> None:
        """Say what happened to the file."""
        title = msg("%(path)s was changed by another program", path=str(path))
        if gone:
            title = msg("%(path)s is not there any more", path=str(path))
        hint = msg("Look at the difference, then save over it, take theirs, or save under another name.")
        super().__init__(title, reason, hint, code=ExitCode.FAILED)
        self.theirs = theirs
        self.gone = gone


class _Bytes:
    """What was read from the disk, and what tells quickly that nothing has changed since."""

    def __init__(self, data: bytes, found: os.stat_result) -> None:
        self.data = data
        self.digest = hashlib.sha256(data).hexdigest()
        self.mode = stat.S_IMODE(found.st_mode)
        self._stat = _signature(found)
        self._is_settled = time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _CLOCK_NS

    def is_still(self, found: os.stat_result) -> bool:
        return self._is_settled and _signature(found) == self._stat


def _signature(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class PipelineFile:
    """A file and its text as last read or saved; the text has plain line endings and no byte order mark.

    Saving gives byte order mark and line endings back as they were, line by line where the file mixes them.
    """

    def __init__(self, path: Path, text: str, known: _Bytes | None) -> None:
        """Use `open` or `create` instead."""
        self.path = path
        self.text = text
        self._known = known

    @classmethod
    def open(cls, path: Path | str) -> PipelineFile:
        """Return the file at `path`; raises UserError where it is missing, no file, unreadable, huge or not UTF-8."""
        path = Path(os.path.abspath(path))  # noqa: PTH100  # a link stays a link
        known = _read(path)
        return cls(path, _plain(_decode(known.data, path)), known)

    @classmethod
    def create(cls, path: Path | str, text: str, *, overwrite: bool = False) -> PipelineFile:
        """Write a new file and return it; raises UserError where one is there (unless `overwrite`) or it cannot be."""
        path = Path(os.path.abspath(path))  # noqa: PTH100  # a link stays a link
        if files.is_there(path):
            if not overwrite:
                raise UserError(msg("%(path)s is there already", path=str(path)), "", msg("Choose another name."))
            return cls(path, "", _read_any(path)).save(text, overwrite=True)
        if not files.is_folder(path.parent):
            title = msg("There is no folder %(path)s", path=str(path.parent))
            raise UserError(title, "", msg("Choose another folder."))
        _write(path, text.encode(), _new_mode())
        return cls.open(path)

    def changed_on_disk(self) -> str | None:
        """Return the file's text where somebody else changed it, "" where it is gone, None where it is as it was.

        Raises UserError where what is there now cannot be read.
        """
        known = self._look()
        if known is None:
            return ""
        if self._known is not None and known.digest == self._known.digest:
            return None
        return _plain(_decode(known.data, self.path))

    def _look(self) -> _Bytes | None:
        """Return what is on the disk, None where nothing is; the known bytes where a look at the file is enough."""
        try:
            found = os.stat(self.path)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise _cannot_read(self.path, error) from error
        if self._known is not None and self._known.is_still(found):
            return self._known
        return _read(self.path)

    def save(self, text: str, *, overwrite: bool = False) -> PipelineFile:
        """Write `text` and return the file as it is now.

        Raises ChangedOnDisk, with nothing written, where somebody else changed or removed the file, unless `overwrite`;
        UserError where it cannot be written: the old file is then untouched.
        """
        data = self._encode(text)
        if len(data) > MAX_BYTES:
            raise _too_large(self.path)
        if files.is_folder(self.path):
            raise _not_a_file(self.path)
        if not overwrite:
            self._refuse_changed(text)
        _write(self.path, data, self._mode())
        return PipelineFile.open(self.path)

    def _refuse_changed(self, text: str) -> None:
        try:
            theirs = self.changed_on_disk()
        except UserError as error:
            raise ChangedOnDisk(self.path, "", reason=error.title) from error
        if theirs == "" and not files.is_there(self.path):
            raise ChangedOnDisk(self.path, "", gone=True)
        if theirs is not None and theirs != text:
            raise ChangedOnDisk(self.path, theirs)

    def _mode(self) -> int:
        try:
            return stat.S_IMODE(os.stat(self.path).st_mode)  # noqa: PTH116
        except (OSError, ValueError):
            return self._known.mode if self._known is not None else _new_mode()

    def _encode(self, text: str) -> bytes:
        """Return `text` as bytes with the file's own mark and line endings."""
        old = self._known.data if self._known is not None else b""
        mark = _MARK if old.startswith(_MARK) else b""
        before = old.removeprefix(_MARK).decode(errors="replace")
        try:
            return mark + _with_endings(_plain(text).removeprefix("\ufeff"), before).encode()
        except UnicodeEncodeError as error:
            raise UserError(msg("The text holds characters that no file can hold")) from error


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _with_endings(text: str, before: str) -> str:
    """Return `text` with the line endings of `before`: lines still there keep theirs, new ones take the first."""
    if "\r\n" not in before:
        return text
    old = before.split("\n")
    if all(line.endswith("\r") for line in old[:-1]):
        return text.replace("\n", "\r\n")
    new = text.split("\n")
    ends = ["\r" if old[0].endswith("\r") else ""] * len(new)
    bare = [line.removesuffix("\r") for line in old]
    for block in difflib.SequenceMatcher(None, bare, new, autojunk=False).get_matching_blocks():
        for number in range(block.size):
            ends[block.b + number] = "\r" if old[block.a + number].endswith("\r") else ""
    ends[-1] = ""
    return "\n".join(line + end for line, end in zip(new, ends, strict=True))


def _read(path: Path) -> _Bytes:
    try:
        found = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode):
            raise _not_a_file(path)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            found = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from error
    if len(data) > MAX_BYTES:
        raise _too_large(path)
    return _Bytes(data, found)


def _read_any(path: Path) -> _Bytes | None:
    """Return a file that is to be replaced, for its mode and line endings; None where it cannot be read."""
    try:
        return _read(path)
    except UserError:
        return None


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        title = msg("%(path)s is not UTF-8 text", path=str(path))
        raise UserError(title, msg("Line %(line)s", line=line), msg("Save it as UTF-8.")) from error


def _cannot_read(path: Path, error: Exception) -> UserError:
    title = msg("The pipeline file cannot be read: %(path)s", path=str(path))
    return UserError(title, getattr(error, "strerror", None) or str(error), msg("Check the path."))


def _not_a_file(path: Path) -> UserError:
    return UserError(msg("%(path)s is not a file", path=str(path)), "", msg("Choose a file."))


def _too_large(path: Path) -> UserError:
    return UserError(msg("The file is larger than %(limit)s bytes", limit=MAX_BYTES), str(path))


def _new_mode() -> int:
    """Return the mode that a new file of this user gets."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _write(path: Path, data: bytes, mode: int) -> None:
    if files.is_there(path) and not os.access(path, os.W_OK):
        raise UserError(
            msg("%(path)s could not be written", path=str(path)),
            msg("The file is read-only."),
            _OTHER_NAME,
            code=ExitCode.FAILED,
        )
    try:
        files.write_atomic(path, data, mode=mode)
    except UserError as error:
        raise UserError(error.title, error.message, _OTHER_NAME, code=error.code) from error


_OTHER_NAME = msg("Make room or get the right to write there, or save it under another name.")


def diff(ours: str, theirs: str) -> tuple[DiffLine, ...]:
    """Return how `theirs` differs from `ours`, a few equal lines around each change; empty where they are equal."""
    return diff_lines(_plain(ours), _plain(theirs))
