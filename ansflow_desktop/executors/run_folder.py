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
    """Remove the folders of runs whose process is gone (they may hold credentials) and return their names."""
    try:
        folders = [entry for entry in directories.runs.iterdir() if entry.is_dir() and not entry.is_symlink()]
    except OSError:
        return []
    left = [folder for folder in folders if not _in_use(folder)]
    for folder in left:
        remove(folder)
    return [folder.name for folder in left]


def _in_use(folder: Path) -> bool:
    """Say whether the folder's process lives; one without an owner is only taken for left over after an hour."""
    try:
        return is_alive(msgspec.json.decode((folder / _OWNER).read_bytes(), type=ProcessIdentity))
    except (OSError, msgspec.DecodeError):
        with contextlib.suppress(OSError):
            return time.time() - folder.stat().st_mtime < _UNOWNED_S
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
