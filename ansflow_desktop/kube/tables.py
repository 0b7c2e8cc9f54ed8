"""Any kind of object as the server's own table: 50 times fewer bytes than the objects (performance.md, "The wire").

A table without objects does not say which namespace a row is of, so each namespace is asked on its own, four at a time.
A first screen comes before all that, with the namespaces in it; pages are decoded in pieces that no event loop notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any

import msgspec

from ansflow_desktop.kube.client import JSON, METADATA_LIST, ClusterClient
from ansflow_desktop.kube.discovery import ServedKind
from ansflow_desktop.kube.errors import KubeError, from_status
from ansflow_desktop.kube.next_page import PageTurner
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.resource_table import TableColumn, TableRow, TableRows, Unread

TABLE = f"{JSON};as=Table;v=v1;g=meta.k8s.io,{JSON}"
"""A server that knows no tables of a kind answers with its list."""
CONNECTIONS = 4
SCREEN = 50
"""Rows of a first look at all namespaces: no more than one sees, for their metadata makes them 30 times larger."""
FIRST_PAGE = 250
NEXT_PAGE = 5000
_PIECE = 500
_SPANS = frozenset({"Age", "Last Seen", "First Seen", "Last Schedule", "Created At"})
_PLAIN = (TableColumn(name="Name", kind="name"), TableColumn(name="Age", kind="span"))


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a collection: rows of one namespace, and the version of the list that they are of.

    An `early` one is a first look: the same rows come again in pages of their own, unless they are gone by then.
    """

    columns: tuple[TableColumn, ...]
    rows: list[TableRow]
    version: str = ""
    early: bool = False


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """The parts of an object's or a list's metadata that tables need."""

    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    creation_timestamp: str = ""
    next: str = msgspec.field(default="", name="continue")


class Definition(msgspec.Struct, frozen=True):
    """A column as the API tells it."""

    name: str = ""
    type: str = ""
    format: str = ""
    priority: int = 0


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    kind: str = ""
    metadata: Metadata = Metadata()
    column_definitions: list[Definition] | None = None
    rows: list[msgspec.Raw] | None = None
    items: list[msgspec.Raw] | None = None


class Whose(msgspec.Struct, frozen=True):
    """An object of which only the metadata is looked at."""

    metadata: Metadata = Metadata()


class PrintedRow(msgspec.Struct, frozen=True):
    """A row as the API prints it, with its object where that was asked for."""

    cells: tuple[Any, ...]
    object: Whose | None = None


class _Names(msgspec.Struct, frozen=True):
    items: list[Whose]


_ROW = msgspec.json.Decoder(PrintedRow)
_ITEM = msgspec.json.Decoder(Whose)


async def list_table(client: ClusterClient, kind: ServedKind, namespace: str | None = None) -> TableRows:
    """Return all objects of `kind` in `namespace` (None: all namespaces) by namespace and name.

    Raises KubeError where nothing at all can be read; a namespace that cannot be is named in `unread`.
    """
    columns: tuple[TableColumn, ...] = ()
    rows: list[TableRow] = []
    unread: list[Unread] = []
    async for part in pages(client, kind, namespace, unread):
        columns = columns or part.columns
        rows += () if part.early else part.rows
    rows.sort(key=lambda row: row.key)
    return TableRows(columns=columns, rows=tuple(rows), complete=True, unread=tuple(unread), read_at=time.time())


async def places(
    client: ClusterClient, kind: ServedKind, namespace: str | None, known: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the namespaces to ask for `kind`: `namespace`, else all; `known` ones where listing is forbidden.

    A kind without namespaces has one place, the empty name. Raises KubeError.
    """
    if not kind.namespaced:
        return ("",)
    if namespace:
        return (namespace,)
    try:
        body = await client.get("/api/v1/namespaces", accept=METADATA_LIST)
    except KubeError as error:
        if error.status == 403 and known:
            return tuple(sorted(known))
        raise
    return tuple(sorted(item.metadata.name for item in _decoded(client, body, _Names).items))


async def pages(
    client: ClusterClient, kind: ServedKind, namespace: str | None, unread: list[Unread], known: Sequence[str] = ()
) -> AsyncGenerator[Page, None]:
    """Yield the objects of `kind` in `namespace` (None: all) in pieces, in whatever order they come.

    `known` are the namespaces to ask where listing them is forbidden. A namespace that may not be read, or is gone, is
    added to `unread`; when none may be read, that is raised, as is every other error (KubeError).
    """
    queue: asyncio.Queue[Page | None] = asyncio.Queue()
    reading = _Reading(client, kind, queue, unread)
    whole = kind.namespaced and not namespace
    async for page in _gathered(queue, reading.everywhere(known) if whole else reading.one(namespace or "")):
        yield page


class _Reading:
    """Reads a collection's namespaces side by side into a queue."""

    def __init__(
        self, client: ClusterClient, kind: ServedKind, queue: asyncio.Queue[Page | None], unread: list[Unread]
    ) -> None:
        self._client, self._kind, self._queue, self._unread = client, kind, queue, unread

    async def one(self, namespace: str) -> None:
        """Read one namespace, or a kind that has none: its first page is the first screen."""
        await self._rows(namespace, FIRST_PAGE)

    async def everywhere(self, known: Sequence[str]) -> None:
        """Read all namespaces, after a first screen of them, while which there are is asked."""
        look = asyncio.create_task(self._look())
        try:
            namespaces = await places(self._client, self._kind, None, known)
            await look  # the first screen has the server for itself
        finally:
            look.cancel()
        refused: list[KubeError] = []
        waiting = iter(namespaces)

        async def work() -> None:
            for namespace in waiting:
                try:
                    await self._rows(namespace, NEXT_PAGE)
                except KubeError as error:
                    if error.status not in (403, 404):
                        raise
                    refused.append(error)
                    self._unread.append(Unread(namespace=namespace, message=error.message or error.title))

        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(work())
        if refused and len(refused) == len(namespaces):
            raise refused[0]

    async def _look(self) -> None:
        """Read a screen of all namespaces at once; where that is not allowed, the namespaces are read anyhow."""
        asked: dict[str, str | int] = {"includeObject": "Metadata", "limit": SCREEN}
        with contextlib.suppress(KubeError):
            answer = _decoded(self._client, await self._client.get(collection(self._kind, ""), asked, TABLE), _Answer)
            maker = RowMaker.of(answer.kind, answer.column_definitions, None)
            async for rows in _pieces(self._client, answer, maker):
                self._queue.put_nowait(Page(columns=maker.columns, rows=rows, early=True))

    async def _rows(self, namespace: str, limit: int) -> None:
        async for page in _pages_of(self._client, self._kind, namespace, limit):
            self._queue.put_nowait(page)


async def _gathered(queue: asyncio.Queue[Page | None], work: Coroutine[Any, Any, None]) -> AsyncGenerator[Page, None]:
    """Run `work` and yield what it puts into `queue` meanwhile; its error ends all."""

    async def whole() -> None:
        try:
            await work
        finally:
            queue.put_nowait(None)

    running = asyncio.create_task(whole())
    try:
        while (page := await queue.get()) is not None:
            yield page
        await running
    except* KubeError as errors:
        raise _first(errors) from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _pages_of(client: ClusterClient, kind: ServedKind, namespace: str, limit: int) -> AsyncGenerator[Page, None]:
    path = collection(kind, namespace)
    asked: dict[str, str | int] = {"includeObject": "None", "limit": limit}
    turner = PageTurner(asked)
    while True:
        answer = _decoded(client, await client.get(path, asked, TABLE), _Answer)
        maker = RowMaker.of(answer.kind, answer.column_definitions, namespace)
        async for rows in _pieces(client, answer, maker):
            yield Page(columns=maker.columns, rows=rows, version=answer.metadata.resource_version)
        if not answer.metadata.next:
            return
        asked["limit"] = NEXT_PAGE
        turner.turn(answer.metadata.next)


async def _pieces(client: ClusterClient, answer: _Answer, maker: RowMaker) -> AsyncGenerator[list[TableRow], None]:
    """Yield an answer's rows some hundred at a time, and let others of the event loop work in between."""
    raws = answer.rows or answer.items or []
    for start in range(0, max(1, len(raws)), _PIECE):
        try:
            yield maker.rows(raws[start : start + _PIECE])
        except (msgspec.MsgspecError, LookupError, UnicodeDecodeError) as error:
            raise from_status(client.server, 200, str(error).encode()) from error
        await asyncio.sleep(0)


class RowMaker(msgspec.Struct, frozen=True, kw_only=True):
    """Makes rows of an answer; `place` is the number of the column with the name, -1 for whole objects.

    `namespace` is the one that all rows are of, None where each row's object says it.
    """

    columns: tuple[TableColumn, ...]
    place: int
    namespace: str | None

    @classmethod
    def of(cls, kind: str, definitions: Sequence[Definition] | None, namespace: str | None) -> RowMaker:
        """Return the maker for an answer of `kind`: a Table, or a list where the server prints no tables."""
        if kind != "Table":
            return cls(columns=_PLAIN, place=-1, namespace=namespace)
        known = definitions or ()
        place = next((number for number, one in enumerate(known) if one.format == "name"), 0)
        return cls(columns=tuple(_column(one) for one in known), place=place, namespace=namespace)

    def rows(self, raws: Sequence[msgspec.Raw]) -> list[TableRow]:
        """Return the rows of undecoded JSON; raises MsgspecError or LookupError for rubbish."""
        now = time.time()
        if self.place < 0:
            return [plain_row(_ITEM.decode(raw).metadata, now) for raw in raws]
        place, namespace = self.place, self.namespace
        found = [_ROW.decode(raw) for raw in raws]
        if namespace is None:
            return [
                row_of((one.object or Whose()).metadata.namespace, str(one.cells[place]), one.cells, now)
                for one in found
            ]
        return [row_of(namespace, str(one.cells[place]), one.cells, now) for one in found]


def plain_row(found: Metadata, now: float) -> TableRow:
    """Return the row of a whole object, for a server that prints no tables of its kind: name and age."""
    return row_of(found.namespace, found.name, (found.name, found.creation_timestamp), now)


def row_of(namespace: str, name: str, cells: tuple[Any, ...], now: float) -> TableRow:
    """Return the row of an object, with the text that filters look at."""
    try:
        words = "\n".join(cells)
    except TypeError:  # a number, or nothing
        words = "\n".join(map(str, cells))
    return TableRow(f"{namespace}/{name}", namespace, name, cells, now, f"{namespace}\n{words}".lower())


def collection(kind: ServedKind, namespace: str) -> str:
    """Return the path of `kind`'s objects in `namespace`; of all namespaces where it is empty."""
    if namespace or not kind.namespaced:
        return kind.path(namespace)
    return msgspec.structs.replace(kind, namespaced=False).path("")


def _column(one: Definition) -> TableColumn:
    name = clean(one.name, 100)
    numbers = one.type in ("integer", "number")
    if name in _SPANS or one.type == "date":
        return TableColumn(name=name, kind="span", wide=one.priority > 0)
    if one.format == "name":
        return TableColumn(name=name, kind="name", wide=one.priority > 0)
    if name == "Restarts":
        return TableColumn(name=name, kind="count", wide=one.priority > 0)
    return TableColumn(name=name, kind="number" if numbers else "text", wide=one.priority > 0)


def _decoded(client: ClusterClient, body: bytes, kind: Any) -> Any:
    """Return `body` as a Struct; rubbish (the sign-in page of a captive portal) is told as a KubeError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise from_status(client.server, 200, str(error).encode()) from error
