"""One open database for all in this process that use the same file: journal and library open it once."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row

from ansflow_desktop.i18n import Message
from ansflow_desktop.store.database import open_database


class _Open:
    """An engine, how many use it, and which file it was opened on."""

    def __init__(self, engine: Engine, file: tuple[int, int]) -> None:
        """Count the first user."""
        self.engine = engine
        self.file = file
        self.users = 1


_opened: dict[str, _Open] = {}
_lock = threading.Lock()


class Database:
    """A share in the open file at `path`; safe from any thread.

    `notice` says what happened to a damaged file, for the first one that opened it. What SQLite raises passes as it is
    (`store.database.ERRORS`): who uses the share knows what to call the thing that failed.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file, or share what is open; raises UserError as `open_database` does."""
        self.path = path
        self.notice: Message | None = None
        self._key = os.path.realpath(path)
        with _lock:
            self._share = self._shared() or self._opened()
        self.engine = self._share.engine
        self._closed = False

    def _shared(self) -> _Open | None:
        """Return what is open on this very file; one that was removed or replaced meanwhile is opened anew."""
        found = _opened.get(self._key)
        if found is None or found.file != _identity(self._key):
            return None
        found.users += 1
        return found

    def _opened(self) -> _Open:
        engine, self.notice = open_database(self.path)
        _opened[self._key] = _Open(engine, _identity(self._key))
        return _opened[self._key]

    @property
    def gone(self) -> bool:
        """True where the file was removed or replaced while it was open: what is written here now, nobody finds."""
        return _identity(self._key) != self._share.file

    def read(self, statement: Any) -> Sequence[Row[Any]]:
        """Return all rows of a query."""
        with self.engine.execution_options(reading=True).connect() as connection:
            return connection.execute(statement).all()

    @contextlib.contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[Connection]:
        """Hold the write lock (BEGIN IMMEDIATE) until the end; `durable` waits for the disk."""
        with self.engine.execution_options(durable=durable).begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the share back; the last one closes the file. A second call does nothing."""
        with _lock:
            if self._closed:
                return
            self._closed = True
            self._share.users -= 1
            if self._share.users:
                return
            if _opened.get(self._key) is self._share:
                del _opened[self._key]
        self._share.engine.dispose()


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116  # a text that realpath made
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)
