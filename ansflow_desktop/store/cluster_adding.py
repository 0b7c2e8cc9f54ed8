"""Which clusters are being added: a secret whose cluster never came to be is found again after a kill or a power cut.

A mark is an empty file named by the cluster's id, locked by who adds: the system takes that lock off a process that
ends in any way. Only what is marked and not locked is left over; a secret without a mark (imported before its cluster
is restored) is nobody's to remove.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ansflow_desktop import files, paths


class AddingMarks:
    """The marks, in a folder of their own; safe with other processes at the same folder."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made at the first mark."""
        self._folder = folder

    @contextlib.contextmanager
    def adding(self, cluster_id: str) -> Iterator[None]:
        """Mark the cluster inside the block; the mark stays where the block ends with an error.

        Raises UserError where the folder takes no file.
        """
        file = self._folder / cluster_id
        try:
            paths.make_private(self._folder)
            handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise files.cannot_write(file, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
            file.unlink(missing_ok=True)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def left_over(self) -> Iterator[tuple[str, ...]]:
        """Give the ids of the marks that nobody holds any more, held meanwhile; they are gone after the block.

        They stay where the block ends with an error. Raises OSError.
        """
        with contextlib.ExitStack() as held:
            found = [file for file in self._marks() if _hold(file, held)]
            yield tuple(file.name for file in found)
            for file in found:
                file.unlink(missing_ok=True)

    def _marks(self) -> list[Path]:
        return sorted(self._folder.iterdir()) if self._folder.is_dir() else []


def _hold(file: Path, held: contextlib.ExitStack) -> bool:
    """Lock `file` until `held` ends; False where somebody else has it."""
    handle = os.open(file, os.O_RDWR)
    held.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
