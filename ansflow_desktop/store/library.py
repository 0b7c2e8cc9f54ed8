"""The user's library: reusable steps, pipelines and templates, each a document (text) in the program's database."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.store.database import ERRORS, failure
from ansflow_desktop.store.shared import Database
from ansflow_desktop.store.tables import library

Kind: TypeAlias = Literal["step", "pipeline", "template"]

MAX_NAME = 255
MAX_DOCUMENT = 10 * 1024 * 1024
_TICK = 1e-3  # the least by which the time of an item grows: `expected` tells two writes within one tick of the clock


class LibraryItem(msgspec.Struct, frozen=True, kw_only=True):
    """One document: `folder` groups items, `origin` says where it came from (`user`, `import`), `updated` epoch s."""

    kind: str
    name: str
    document: str
    folder: str = ""
    origin: str = "user"
    updated: float = 0.0


class Conflict(UserError):
    """An item is not what the caller read; `theirs` is what is stored now, None where it was removed."""

    def __init__(self, name: str, theirs: LibraryItem | None) -> None:
        """Say what happened and keep what is stored."""
        if theirs is None:
            title = msg("%(name)s was removed from the library meanwhile", name=name)
        else:
            title = msg("%(name)s was changed in the library meanwhile", name=name)
        super().__init__(
            title,
            msg("Nothing was overwritten."),
            msg("Look at what is stored now, then save again or save under another name."),
            code=ExitCode.FAILED,
        )
        self.theirs = theirs


class Library:
    """The items of the library; every method is safe from any thread and raises UserError where the file is unusable.

    `notice` says what happened to a damaged file. Wherever `expected` is given, it is the `updated` of the item as it
    was read (0.0: there must be none yet); anything else stored now raises Conflict and nothing is written.
    """

    def __init__(self, database: Path) -> None:
        """Open or make the file, which the journal of runs may have open too; a newer version's is refused."""
        self.path = database
        self._opening = threading.Lock()
        self._opened = Database(database)
        self.notice = self._opened.notice

    @property
    def _database(self) -> Database:
        """The open file; one that was removed or replaced meanwhile is opened anew: nothing is saved nowhere."""
        with self._opening:
            if self._opened.gone:
                fresh = Database(self.path)
                self._opened.close()
                self._opened = fresh
            return self._opened

    def items(self, kind: Kind) -> tuple[LibraryItem, ...]:
        """Return all items of a kind, by name."""
        try:
            rows = self._database.read(select(library).where(library.c.kind == kind))
        except ERRORS as error:
            raise failure(self.path, error, _title(self.path)) from error
        return tuple(sorted(map(_item, rows), key=lambda item: (item.name.casefold(), item.name)))

    def read(self, kind: Kind, name: str) -> LibraryItem | None:
        """Return one item, None where there is none."""
        try:
            rows = self._database.read(_one(kind, _readable(name)))
        except ERRORS as error:
            raise failure(self.path, error, _title(self.path)) from error
        return _item(rows[0]) if rows else None

    def save(
        self,
        kind: Kind,
        name: str,
        document: str,
        folder: str = "",
        origin: str = "user",
        expected: float | None = None,
    ) -> LibraryItem:
        """Write an item, new or over the one of that name, and return it as stored (on disk when this returns)."""
        _check(name, document, folder)
        with self._writing() as connection:
            before = _stored(connection, kind, name)
            _require(name, before, expected)
            item = LibraryItem(
                kind=kind, name=name, document=document, folder=folder, origin=origin, updated=_now(before)
            )
            if before is None:
                connection.execute(insert(library), [msgspec.structs.asdict(item)])
            else:
                connection.execute(_where(update(library), kind, name).values(**msgspec.structs.asdict(item)))
        return item

    def rename(self, kind: Kind, name: str, to: str, expected: float | None = None) -> LibraryItem:
        """Give an item another name; one that has it already, or an item that is gone, is an error."""
        _check(to)
        with self._writing() as connection:
            before = _stored(connection, kind, _readable(name))
            _require(name, before, expected)
            if before is None:
                raise Conflict(name, None)
            if to == name:
                return before
            if _stored(connection, kind, to) is not None:
                raise _taken(to)
            item = msgspec.structs.replace(before, name=to, updated=_now(before))
            connection.execute(_where(update(library), kind, name).values(name=to, updated=item.updated))
        return item

    def remove(self, kind: Kind, name: str, expected: float | None = None) -> LibraryItem | None:
        """Remove an item and return what it was (to undo it), None where there was none."""
        with self._writing() as connection:
            before = _stored(connection, kind, _readable(name))
            _require(name, before, expected)
            connection.execute(_where(delete(library), kind, _readable(name)))
        return before

    def close(self) -> None:
        """Close the file unless another part of the program has it open; a second call does nothing."""
        self._opened.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._database.writing(durable=True) as connection:
                yield connection
        except ERRORS as error:
            raise failure(self.path, error, _title(self.path)) from error


def _title(path: Path) -> Any:
    return msg("The library in %(path)s could not be read or written", path=str(path))


def _one(kind: str, name: str) -> Any:
    return _where(select(library), kind, name)


def _where(statement: Any, kind: str, name: str) -> Any:
    return statement.where(library.c.kind == kind, library.c.name == name)


def _stored(connection: Connection, kind: str, name: str) -> LibraryItem | None:
    row = connection.execute(_one(kind, name)).first()
    return None if row is None else _item(row)


def _item(row: Row[Any]) -> LibraryItem:
    """Return a row as an item, whatever another program wrote into it: bytes and numbers become text."""
    found = {key: row._mapping[key] for key in LibraryItem.__struct_fields__}
    texts = {key: _text(value) for key, value in found.items() if key != "updated"}
    updated = found["updated"]
    return LibraryItem(**texts, updated=updated if isinstance(updated, float) else 0.0)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _require(name: str, before: LibraryItem | None, expected: float | None) -> None:
    if expected is not None and (before.updated if before else 0.0) != expected:
        raise Conflict(name, before)


def _now(before: LibraryItem | None) -> float:
    """Return the time of a write: later than the last one even where the clock was set back."""
    return time.time() if before is None else max(time.time(), before.updated + _TICK)


def _taken(name: str) -> UserError:
    return UserError(msg("The library has %(name)s already", name=name), "", msg("Choose another name."), field="name")


def _readable(name: str) -> str:
    """Return a name that SQLite takes: what is no Unicode was never stored under it."""
    return name.encode("utf-8", "replace").decode()


def _check(name: str, document: str = "", folder: str = "") -> None:
    """Raise UserError for what cannot be a name or is no text that can be stored."""
    if not name.strip():
        raise UserError(msg("The name is empty"), "", msg("Write a name."), field="name")
    if len(name) > MAX_NAME:
        title = msg(
            "The name has %(length)d characters, at most %(most)d are possible", length=len(name), most=MAX_NAME
        )
        raise UserError(title, "", msg("Choose a shorter one."), field="name")
    for field, text in (("name", name), ("folder", folder)):
        if any(ord(character) < 32 for character in text) or not _is_unicode(text):
            raise UserError(msg("%(field)s holds a character that is no text", field=field), field=field)
    _check_document(document)


def _check_document(document: str) -> None:
    if not _is_unicode(document):
        raise UserError(msg("The document holds a character that is no text"), field="document")
    if len(document.encode()) > MAX_DOCUMENT:
        title = msg("The document is larger than %(limit)s bytes", limit=MAX_DOCUMENT)
        raise UserError(title, "", msg("Keep large values and manifests in files of their own."), field="document")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
