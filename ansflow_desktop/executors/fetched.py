"""Dependencies that a preview fetched, kept for the next one: typing in a form must not download charts again.

They lie in a private folder of this process below the system's temporary folder, removed at its end; what a killed
process left is removed by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from ansflow_desktop.files import process_lives
from ansflow_desktop.helm.dependencies import Preparation

_PREFIX = "ansflow-fetched-"
_MOST = 8
_DECLARING = ("Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock")


class FetchedCharts:
    """Keeps what was fetched by what it was fetched for: a few charts, the ones used last; safe from any thread."""

    def __init__(self, parent: Path | None = None) -> None:
        """Keep below `parent` (the system's temporary folder where not given); nothing is written yet."""
        self._parent = parent or Path(tempfile.gettempdir())
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._kept: dict[str, None] = {}

    def restore(self, preparation: Preparation) -> bool:
        """Put fetched dependencies into the private copy; False where there are none for this chart as it is now."""
        with self._lock, contextlib.suppress(OSError, shutil.Error):
            key = _key(preparation)
            if self._root is None or key not in self._kept:
                return False
            self._kept[key] = self._kept.pop(key)
            for number, place in enumerate(_places(preparation)):
                shutil.rmtree(place / "charts", ignore_errors=True)
                shutil.copytree(self._root / key / str(number), place / "charts", symlinks=True)
            return True
        return False

    def keep(self, preparation: Preparation) -> None:
        """Keep what was just fetched into the private copy; a full disk only means that it is not kept."""
        with self._lock, contextlib.suppress(OSError, shutil.Error):
            key, root = _key(preparation), self._folder()
            for number, place in enumerate(_places(preparation)):
                shutil.copytree(place / "charts", root / key / str(number), symlinks=True, dirs_exist_ok=True)
            self._kept[key] = None
            while len(self._kept) > _MOST:
                oldest = next(iter(self._kept))
                self._kept.pop(oldest)
                shutil.rmtree(root / oldest, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            if self._root:
                shutil.rmtree(self._root, ignore_errors=True)
            self._root, self._kept = None, {}

    def _folder(self) -> Path:
        if self._root is None:
            _sweep(self._parent)
            self._root = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=self._parent))
            atexit.register(self.close)
        return self._root


def _places(preparation: Preparation) -> list[Path]:
    """Return the folders of the copy into which helm fetches, in the commands' order."""
    return [Path(command.cwd) for command in preparation.commands if command.purpose == "dependencies"]


def _key(preparation: Preparation) -> str:
    """Return a hash of all that decides what is fetched: declarations, what charts/ holds, and the local charts."""
    found = hashlib.sha256()
    for command in preparation.commands:
        found.update(repr(command.argv).encode())
    top = Path(preparation.origin)
    for name in _DECLARING:
        with contextlib.suppress(FileNotFoundError):
            found.update(name.encode() + (top / name).read_bytes())
    for folder in (top / "charts", *map(Path, preparation.local)):
        for line in _files(folder):
            found.update(line.encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    for inside, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = f"{inside}/{name}"
            stat = os.lstat(path)
            yield f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0"


def _sweep(parent: Path) -> None:
    """Remove what processes that are gone left behind; other users' folders are not touched."""
    for folder in parent.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdigit() and folder.lstat().st_uid == os.getuid() and not process_lives(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


FETCHED = FetchedCharts()
"""What this process's previews fetched."""
