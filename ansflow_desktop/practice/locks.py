"""One lock file a resource: holds off other processes and other threads, and vanishes with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ansflow_desktop.process import Cancel

_POLL_S = 0.05


@contextlib.contextmanager
def held(path: Path, cancel: Cancel | None = None, on_wait: Callable[[], None] | None = None) -> Iterator[bool]:
    """Hold the lock at `path` inside the block; yields False, without the lock, when `cancel` came first.

    `on_wait` is called once when another holder is in the way. The kernel drops the lock of a process that dies, so
    no lock is ever stale. The file stays: removing it would let two holders in. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _acquire(fd, cancel, on_wait)
    finally:
        os.close(fd)


def _acquire(fd: int, cancel: Cancel | None, on_wait: Callable[[], None] | None) -> bool:
    told = False
    while not _try(fd):
        if cancel is not None and cancel.requested:
            return False
        if on_wait and not told:
            on_wait()
        told = True
        time.sleep(_POLL_S)
    return True


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
