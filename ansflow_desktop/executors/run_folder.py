"""The private folder of a run, `<data>/runs/<id>`: made 0700, removed at the end, swept after a crash."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ansflow_desktop import files, paths
from ansflow_desktop.paths import Directories
from ansflow_desktop.store.identity import ProcessIdentity, is_alive, this_process

_log = logging.getLogger(__name__)
_OWNER = ".owner"
_UNOWNED_S = 3600.0
_UNSEEN_S = 24 * 3600.0  # where processes cannot be looked at: longer than any run waits


@contextlib.contextmanager
def run_folder(directories: Directories, run_id: str) -> Iterator[Path]:
    """Make the folder of one run and remove it with everything in it at the end of the block.

    Raises UserError where it cannot be made: nothing must be run then.
    """
    folder = directories.runs / run_id
    try:
        paths.make_private(directories.data)
        paths.make_private(directories.runs)
        folder.mkdir(mode=0o700)
        (folder / _OWNER).write_bytes(msgspec.json.encode(this_process()))
    except OSError as error:
        remove(folder)
        raise files.cannot_write(folder, error) from error
    try:
        yield folder
    finally:
        remove(folder)


def sweep_run_folders(directories: Directories) -> list[str]:
    """Remove the folders of runs whose processes are all gone (they may hold credentials) and return their names.

    The private folders of connections go likewise. A helm whose AnsFlow was killed still works with the kubeconfig in
    its run's folder: that folder stays.
    """
    files.sweep_private_folders()
    try:
        folders = [entry for entry in directories.runs.iterdir() if entry.is_dir() and not entry.is_symlink()]
    except OSError:
        return []
    left = [folder for folder in folders if not _in_use(folder)]
    for folder in left:
        remove(folder)
    return [folder.name for folder in left]


def _in_use(folder: Path) -> bool:
    return _owner_lives(folder) or processes_left(folder)


def _owner_lives(folder: Path) -> bool:
    """Say whether the folder's process lives; one without an owner is only taken for left over after an hour."""
    try:
        return is_alive(msgspec.json.decode((folder / _OWNER).read_bytes(), type=ProcessIdentity))
    except (OSError, msgspec.DecodeError):
        return _younger(folder, _UNOWNED_S)


def processes_left(folder: Path, proc: Path = Path("/proc")) -> bool:
    """Say whether another process still works with `folder`: its arguments, environment or directory name it.

    Where the system does not show its processes as files below `proc` (macOS), a folder younger than a day counts as
    in use.
    """
    if not (proc / "self" / "cmdline").exists():
        return _younger(folder, _UNSEEN_S)
    numbers = (entry.name for entry in proc.iterdir() if entry.name.isdigit())
    return any(_names(proc / number, folder) for number in numbers if int(number) != os.getpid())


def _names(process: Path, folder: Path) -> bool:
    """Say whether a process (its folder below /proc) names `folder`; False for one of another user, or one gone."""
    wanted = os.fsencode(folder)
    with contextlib.suppress(OSError):
        if wanted in (process / "cmdline").read_bytes() or wanted in (process / "environ").read_bytes():
            return True
        return (process / "cwd").readlink().is_relative_to(folder)
    return False


def _younger(folder: Path, seconds: float) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - folder.stat().st_mtime < seconds
    return False


def remove(folder: Path) -> None:
    """Remove `folder`, read-only folders in it too; links are not followed. What stays is logged, never raised."""
    if not folder.is_dir():
        return
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for inside, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(inside).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _log.warning("the private folder of a run could not be removed", extra={"folder": str(folder)})
