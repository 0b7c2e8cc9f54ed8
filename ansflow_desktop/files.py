"""Files of the program's own: written whole or not at all, private, and never dropped when damaged."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, Text, msg

_PRIVATE = "ansflow-private-"
SMALL_BYTES = 2 * 1024 * 1024
"""No credential file is larger; a bundle of all public authorities has about 250 kB."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class TooLarge(ValueError):
    """A file is larger than any credential."""


def is_there(path: str | Path) -> bool:
    """Return whether something is at `path`; False too for what no file system takes (too long, a NUL).

    pathlib raises OSError there before Python 3.14, and a path that a person typed must not end in a traceback.
    """
    return os.path.exists(path)  # noqa: PTH110


def is_taken(path: str | Path) -> bool:
    """Return whether something has the name `path`, a link to nowhere too: what is written there goes elsewhere."""
    return os.path.lexists(path)


def is_folder(path: str | Path) -> bool:
    """Return whether `path` is a folder; as `is_there` for what no file system takes."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: str | Path) -> bool:
    """Return whether `path` is a file; as `is_there` for what no file system takes."""
    return os.path.isfile(path)  # noqa: PTH113


def open_to_read(path: str | Path) -> BinaryIO:
    """Open a file that a person named; raises OSError.

    A named pipe that nobody writes to is empty: an ordinary open would wait for a writer for ever. One that is being
    written (`<(command)`) is read to its end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.set_blocking(handle, True)
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def read_small(path: str | Path) -> bytes:
    """Return a credential file that a kubeconfig names; raises OSError, TooLarge for one of more than 2 MiB.

    It may be anything that a hostile kubeconfig finds: a device without end, a pipe that nobody writes to.
    """
    with open_to_read(path) as stream:
        data = stream.read(SMALL_BYTES + 1)
    if len(data) > SMALL_BYTES:
        raise TooLarge("more than 2 MiB")
    return data


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `data`: write, fsync, rename, fsync the folder (failure-modes.md, row 14).

    The program's own files have `mode` 0600; a person's file is given the bits that it has, and stays its owner's where
    that is allowed. A symbolic link is followed, so that a file kept elsewhere stays there. Raises UserError where it
    cannot be written; the old file is then untouched.
    """
    target = Path(os.path.realpath(path))
    try:
        if not target.parent.is_dir():
            paths.make_private(target.parent)
        _replace(target, data, mode)
    except OSError as error:
        raise cannot_write(path, error) from error


def _replace(target: Path, data: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _take_over(target, file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    sync_folder(target.parent)


def _take_over(target: Path, handle: int, mode: int) -> None:
    """Give the new file the owner of the old one, as far as this user may, then `mode`."""
    with contextlib.suppress(OSError):
        old = target.stat()
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, mode)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; file systems that cannot are left as they are."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes that ask for the same from changing `path` inside the block (a lock file beside it).

    Raises UserError where the folder takes no file.
    """
    try:
        paths.make_private(path.parent)
        handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `<name>.damaged-<UTC time>` beside it and return the new path; raises OSError."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(kept)
    sync_folder(path.parent)
    return kept


def cannot_write(path: Path, error: OSError) -> UserError:
    """Return the error that says why `path` could not be written and the way out."""
    return UserError(
        msg("%(path)s could not be written", path=str(path)),
        os.strerror(error.errno) if error.errno else str(error),
        write_hint(error.errno),
        code=ExitCode.FAILED,
    )


def write_hint(number: int | None) -> Text:
    """Return what to do about the error `number` (errno) of a failed write."""
    if number in _NO_SPACE:
        return msg("Free some space on the disk, or choose another directory with --data-dir.")
    return msg("Make the folder writable, or choose another directory with --data-dir.")


def damaged_notice(path: Path, kept: Path) -> Message:
    """Return the message that names the kept file after `path` was set aside."""
    return msg("%(path)s was damaged; it was kept as %(kept)s and a new one is used", path=str(path), kept=str(kept))


def make_private_folder() -> Path:
    """Return a new folder (0700) for what a library reads from files only: keys, a pasted kubeconfig; raises OSError.

    Whoever makes it removes it; `sweep_private_folders` those of a process that was killed before it could, this
    function too, once in a process.
    """
    _sweep_once()
    return Path(tempfile.mkdtemp(prefix=f"{_PRIVATE}{os.getpid()}-"))


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Give such a folder for the length of a block; raises OSError where it cannot be made."""
    folder = make_private_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _sweep_once() -> None:
    sweep_private_folders()


def sweep_private_folders() -> None:
    """Remove the private folders of this user's processes that are gone: they may hold keys."""
    try:
        folders = list(Path(tempfile.gettempdir()).glob(f"{_PRIVATE}*"))
    except OSError:  # no folder for temporary files takes any, as on a full disk: who needs one says so
        return
    for folder in folders:
        pid = folder.name.removeprefix(_PRIVATE).partition("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdigit() and folder.lstat().st_uid == os.getuid() and not process_lives(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def process_lives(pid: int) -> bool:
    """Return whether a process has this number now."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
