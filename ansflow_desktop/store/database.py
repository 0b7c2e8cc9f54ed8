"""Opens the SQLite file: private, WAL, migrated; a damaged one is kept aside, a newer one refused."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from ansflow_desktop import files, paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.store.tables import HEAD

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
ERRORS = (DBAPIError, sqlite3.Error)  # SQLAlchemy wraps what its own calls raise, not what a pragma or BEGIN raises
_MAGIC = b"SQLite format 3\0"
_CHECK_LIMIT = 64 * 1024 * 1024
BUSY_S = 5.0  # how long a write waits for another process


class Damaged(Exception):
    """The file is no database, or not a whole one."""


def open_database(path: Path) -> tuple[Engine, Message | None]:
    """Return an engine for the database at `path`, made and migrated as needed, and what is to be said about it.

    Raises UserError where the file or its folder cannot be written, and for a database of a newer version, which is
    then untouched.
    """
    try:
        paths.make_private(path.parent)
        with _alone(path):
            return _open_or_replace(path)
    except OSError as error:
        raise files.cannot_write(path, error) from error
    except ERRORS as error:
        raise failure(path, error) from error


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from opening or replacing the file meanwhile."""
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open_or_replace(path: Path) -> tuple[Engine, Message | None]:
    try:
        return _open(path), None
    except Damaged:
        kept = files.set_aside(path)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
        return _open(path), files.damaged_notice(path, kept)


def _open(path: Path) -> Engine:
    _require_magic(path)
    engine = create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None, "timeout": BUSY_S})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    try:
        _prepare(engine, path)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, ERRORS) and is_damage(error):
            raise Damaged from error
        raise
    return engine


def _require_magic(path: Path) -> None:
    """Make the file where there is none; raise Damaged before SQLite touches what is no database (it drops the WAL)."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        begin = os.read(handle, len(_MAGIC))
    finally:
        os.close(handle)
    if begin not in (b"", _MAGIC):
        raise Damaged


def _on_connect(connection: Any, _record: Any) -> None:
    connection.text_factory = _text  # sqlite3's own fails a whole listing for one damaged text
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={round(BUSY_S * 1000)}", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _on_begin(connection: Connection) -> None:
    """Begin at once for a write: begun later, after a read, SQLite cannot wait for another writer (recipes.md)."""
    options = connection.get_execution_options()
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA synchronous={'FULL' if options.get('durable') else 'NORMAL'}")
    cursor.execute("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")
    cursor.close()


def _prepare(engine: Engine, path: Path) -> None:
    with contextlib.closing(engine.raw_connection()) as raw:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        if path.stat().st_size <= _CHECK_LIMIT and cursor.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise Damaged
        cursor.close()
    with engine.execution_options(reading=True).connect() as connection:
        version = _version(connection)
    if version != HEAD:
        _migrate(engine, path)


def _version(connection: Connection) -> str | None:
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine, path: Path) -> None:
    """Bring the schema to `HEAD` in one transaction; Alembic is imported only here (it costs much at start-up)."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.execution_options(durable=True).begin() as connection:
        version = _version(connection)
        if version is not None and version not in known:
            raise _newer(path)
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def _newer(path: Path) -> UserError:
    return UserError(
        msg("%(path)s was written by a newer version of AnsFlow Desktop", path=str(path)),
        msg("It was left untouched."),
        msg("Use that version, or choose another directory with --data-dir."),
        code=ExitCode.FAILED,
    )


def is_damage(error: DBAPIError | sqlite3.Error) -> bool:
    """Say whether SQLite found the file itself to be broken."""
    return _code(error) in _DAMAGED


def _code(error: DBAPIError | sqlite3.Error) -> int:
    """Return SQLite's primary result code, 0 where the driver itself failed."""
    return int(getattr(_origin(error), "sqlite_errorcode", 0)) & 0xFF


def _origin(error: DBAPIError | sqlite3.Error) -> BaseException:
    return (error.orig or error) if isinstance(error, DBAPIError) else error


def failure(path: Path, error: DBAPIError | sqlite3.Error, title: Message | None = None) -> UserError:
    """Return what is shown where the database at `path` could not be read or written; `title` names what was wanted."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        hint = msg("Another process is holding the file; try again.")
    elif code in _DAMAGED:
        hint = msg("Start AnsFlow Desktop again: it keeps the damaged file aside and makes a new one.")
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        hint = msg("Make the folder writable, or choose another directory with --data-dir.")
    else:
        hint = msg("Free some space on the disk, or choose another directory with --data-dir.")
    title = title or msg("The journal of runs %(path)s could not be written", path=str(path))
    return UserError(title, str(_origin(error)), hint, code=ExitCode.FAILED)
