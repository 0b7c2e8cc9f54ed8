"""Whether another window uses the same data directory: a file lock that ends with its process, however that ends."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ansflow_desktop import paths

try:
    import fcntl
except ImportError:  # Windows is not supported yet: there every start counts as the first
    fcntl = None  # type: ignore[assignment]


class InstanceLock:
    """An advisory lock on `file`. The store itself is safe for several processes; this only tells a person."""

    def __init__(self, file: Path) -> None:
        """Name the lock file; nothing is created or locked yet."""
        self._file = file
        self._descriptor = -1
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """True while this process holds the lock."""
        return self._descriptor >= 0

    def acquire(self) -> bool:
        """Take the lock and return True; False when another process holds it. Never waits.

        Raises OSError where the file cannot be made (a full or read-only disk).
        """
        with self._lock:
            if self.held or fcntl is None:
                return True
            paths.make_private(self._file.parent)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            self._descriptor = descriptor
            return True

    def release(self) -> None:
        """Let go of the lock; does nothing when it is not held."""
        with self._lock:
            if self.held:
                os.close(self._descriptor)
                self._descriptor = -1
