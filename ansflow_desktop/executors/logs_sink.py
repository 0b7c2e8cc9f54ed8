"""Where the lines of a `k8s_logs` step go: shown, searched for a pattern, into a file, into a variable; all bounded."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.shell import TEXT_LIMIT
from ansflow_desktop.files import cannot_write, is_folder, is_there, sync_folder
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.text import clean
from ansflow_desktop.pipelines.patterns import searched

FIELD = "k8s_config.to_file"
SHOWN_MOST = 8 * 1024 * 1024
"""How much text of one step is shown at most (bytes); file and variable get what comes after it too."""


class LogFile:
    """A file written beside its place and moved there at the end, so that a half-written one never replaces another."""

    def __init__(self, path: str) -> None:
        """Open it; raises UserError where it cannot be written there."""
        self._path = Path(path)
        self._target = Path(os.path.realpath(path))
        _refuse(self._path, self._target)
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self._target.name[:100]}.", dir=self._target.parent)
        except OSError as error:
            raise self._problem(error) from error
        self._temporary = Path(name)
        self._file: BinaryIO = os.fdopen(handle, "wb")

    def write(self, data: bytes) -> None:
        """Append; raises UserError (a full disk)."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._problem(error) from error

    def keep(self) -> None:
        """Put the file in its place; raises UserError, and the old file is then untouched."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if self._target.exists():
                self._temporary.chmod(stat.S_IMODE(self._target.stat().st_mode))
            self._temporary.replace(self._target)
        except OSError as error:
            raise self._problem(error) from error
        sync_folder(self._target.parent)

    def close(self) -> None:
        """Remove what was not kept."""
        try:
            self._file.close()
        except OSError:
            pass  # the disk is full, which was said before
        finally:
            self._temporary.unlink(missing_ok=True)

    def _problem(self, error: OSError) -> UserError:
        found = cannot_write(self._path, error)
        found.field = FIELD
        found.hint = msg("Choose another file, or make room on the disk.")
        return found


def _refuse(path: Path, target: Path) -> None:
    """Raise UserError for a place that no log is written to: a folder, a device, a folder that is not there."""
    problem = check_file(str(path), target)
    if problem:
        raise problem


def check_file(path: str, target: Path | None = None) -> UserError | None:
    """Return why `path` cannot take a log, None where it can as far as one can see."""
    found = target or Path(os.path.realpath(path))
    if is_folder(found):
        title, hint = msg("%(path)s is a folder", path=path), msg("Give the name of a file in it.")
    elif is_there(found) and not os.path.isfile(found):  # noqa: PTH113  # see files.is_file
        title, hint = msg("%(path)s is no ordinary file", path=path), msg("Choose another file.")
    elif not is_folder(found.parent):
        title = msg("The folder %(folder)s does not exist", folder=str(found.parent))
        hint = msg("Create it first, or correct to_file; it is relative to the step's working directory.")
    else:
        return None
    return UserError(title, "", hint, field=FIELD, code=ExitCode.FAILED)


class Tail:
    """The newest text that a variable may hold (128 KiB in whole lines); `dropped` once there was more."""

    def __init__(self, name: str) -> None:
        """Start empty, for variable `name`."""
        self._room = TEXT_LIMIT - len(name.encode()) - 1
        self._data = bytearray()
        self.dropped = False

    def add(self, data: bytes) -> None:
        """Append, and forget the oldest beyond twice the room."""
        self._data += data[-2 * self._room :]
        self.dropped = self.dropped or len(self._data) > self._room
        if len(self._data) > 2 * self._room:
            del self._data[: -self._room]

    @property
    def text(self) -> str:
        """The newest whole lines, without the last newline and without NUL characters."""
        data = bytes(self._data[-self._room :])
        if self.dropped:
            data = data.partition(b"\n")[2] or data
        text = data.replace(b"\0", b"").decode("utf-8", "replace")
        while len(text.encode()) > self._room:  # a replacement character is longer than what it replaces
            text = text[len(text) // 16 + 1 :]
        return text.removesuffix("\n")


class Sink:
    """Takes lines of any pod in the order of their coming."""

    def __init__(
        self,
        show: Callable[[str], None],
        *,
        until: re.Pattern[str] | None = None,
        file: LogFile | None = None,
        tail: Tail | None = None,
    ) -> None:
        """Keep where lines go; `show` gets text."""
        self._show, self._until = show, until
        self._searched = searched(until.pattern) if until else 0
        self._file, self._tail = file, tail
        self._room = SHOWN_MOST
        self.lines = 0
        self.found = ""
        """The line in which the pattern was found, empty until then."""
        self.hidden = False
        """True once lines were not shown any more."""

    @property
    def done(self) -> bool:
        """True once the pattern was found: what comes later is left out."""
        return bool(self.found)

    def take(self, data: bytes, prefix: bytes = b"") -> bool:
        """Take whole lines of one pod, marked with `prefix`; return whether the pattern was found now."""
        if self.done:
            return True
        if self._until:
            data = self._up_to_match(data)
        if prefix:
            data = _prefixed(data, prefix)
        self.lines += data.count(b"\n") + (not data.endswith(b"\n"))
        if self._file:
            self._file.write(data)
        if self._tail:
            self._tail.add(data)
        self._shown(data)
        return self.done

    def _up_to_match(self, data: bytes) -> bytes:
        end = 0
        while end < len(data):
            start, end = end, (data.find(b"\n", end) + 1) or len(data)
            line = data[start:end].decode("utf-8", "replace").rstrip("\r\n")[: self._searched]
            if self._until and self._until.search(line):
                self.found = clean(line, 300) or " "
                break
        return data[:end]

    def _shown(self, data: bytes) -> None:
        if self._room <= 0:
            self.hidden = True
            return
        self._room -= len(data)
        self._show(data.decode("utf-8", "replace"))


def _prefixed(data: bytes, prefix: bytes) -> bytes:
    lines = data.removesuffix(b"\n").split(b"\n")
    return b"".join(prefix + line + b"\n" for line in lines)
