"""A table kept fresh: the pages of a list as they come, then a watch; changes are gathered and told ten times a second.

One feed serves one cluster over one client. What is watched can be chosen anew at any time; rows stay as they are
while a connection is lost and while the list is read again, so that nothing blinks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import msgspec

from ansflow_desktop.kube.backoff import Backoff
from ansflow_desktop.kube.client import ClusterClient, WatchEvent
from ansflow_desktop.kube.discovery import ServedKind, served_kinds
from ansflow_desktop.kube.errors import KubeError, from_status
from ansflow_desktop.kube.tables import TABLE, Metadata, PrintedRow, Whose, collection, pages, plain_row, row_of
from ansflow_desktop.kube.tables_pulse import Pulse
from ansflow_desktop.models.resource_table import TableColumn, TableRow, TableRows, Unread

COALESCE_S = 0.1
_AGAIN_S = 10.0
_ENOUGH = 200


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed shows: a kind in one namespace, or in all; `known` are those to ask where listing is forbidden."""

    kind: ServedKind
    namespace: str = ""
    known: tuple[str, ...] = ()


class _EventObject(msgspec.Struct, frozen=True, rename="camel"):
    kind: str = ""
    metadata: Metadata = Metadata()
    rows: list[PrintedRow] = []


_EVENT = msgspec.json.Decoder(_EventObject)


class Board:
    """The rows of one choice by their keys; a list that is read again takes the old one's place when it is whole."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.changed = asyncio.Event()
        self.columns: tuple[TableColumn, ...] = ()
        self._rows: dict[str, TableRow] = {}
        self._unread: tuple[Unread, ...] = ()
        self._complete = False
        self._read_at = 0.0

    async def read(self, client: ClusterClient, choice: Choice) -> str:
        """Read the whole list and return the version to watch from; raises KubeError."""
        fresh: dict[str, TableRow] = {}
        unread: list[Unread] = []
        versions: list[str] = []
        reading = pages(client, choice.kind, choice.namespace or None, unread, choice.known)
        async with contextlib.aclosing(reading) as parts:
            async for page in parts:
                self.columns = page.columns
                rows = {row.key: row for row in page.rows}
                if not page.early:
                    fresh |= rows
                    versions.append(page.version)
                self._show(rows)
        self._rows, self._unread, self._complete = fresh, tuple(unread), True
        self._note()
        return _oldest(versions)

    def _show(self, rows: dict[str, TableRow]) -> None:
        """Show the first rows of a list while the rest is read; what was whole once stays until it is whole again."""
        if not self._complete and rows:
            self._rows |= rows
            self._note()

    def apply(self, change: str, event: _EventObject) -> str:
        """Take one event in and return the version that it carries."""
        version = event.metadata.resource_version
        if event.kind != "Table":
            return self._apply_row(change, plain_row(event.metadata, time.time()), version)
        for one in event.rows:
            found = (one.object or Whose()).metadata
            row = row_of(found.namespace, found.name, one.cells, time.time())
            version = self._apply_row(change, row, found.resource_version or version)
        return version

    def _apply_row(self, change: str, row: TableRow, version: str) -> str:
        if change == "BOOKMARK" or not row.name:
            return version
        if change == "DELETED":
            self._rows.pop(row.key, None)
        else:
            self._rows[row.key] = row
        self._note()
        return version

    def _note(self) -> None:
        self._read_at = time.time()
        self.changed.set()

    def rows(self) -> TableRows:
        """Return what is known now."""
        return TableRows(
            columns=self.columns,
            rows=tuple(self._rows.values()),
            complete=self._complete,
            unread=self._unread,
            read_at=self._read_at,
        )


class TableFeed:
    """Follows one cluster's collections, one at a time, until cancelled.

    `on_rows(choice, TableRows)` hears all rows after every change, `on_state(choice, error)` why they are not fresh
    (KubeError) and None once they are again, `on_kinds(kinds)` what can be chosen.
    """

    def __init__(
        self,
        document: dict[str, Any],
        on_rows: Callable[[Choice, TableRows], None],
        on_state: Callable[[Choice, KubeError | None], None],
        on_kinds: Callable[[tuple[ServedKind, ...]], None],
    ) -> None:
        """Keep the document of one cluster (`ClusterCatalog.document`); nothing is asked before `run`."""
        self._document = document
        self._on_rows, self._on_state, self._on_kinds = on_rows, on_state, on_kinds
        self._chosen = asyncio.Event()
        self._choice: Choice | None = None
        self._board = Board()
        self._told_kinds = False
        self._pauses = Backoff()

    def choose(self, choice: Choice) -> None:
        """Follow this from now on; choosing the same again reads it again."""
        if choice != self._choice:
            self._board = Board()
        self._choice = choice
        self._pauses.reset()
        self._chosen.set()

    async def run(self) -> None:
        """Follow what is chosen; a lost connection is tried again after growing pauses (failure-modes.md, row 28)."""
        while True:
            try:
                async with ClusterClient(self._document) as client:
                    await self._serve(client)
            except KubeError as error:
                if self._choice is not None:
                    self._on_state(self._choice, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pauses.next()):
                    await self._chosen.wait()

    async def _serve(self, client: ClusterClient) -> None:
        """Follow one choice after the other; raises KubeError when the connection is lost."""
        kinds = asyncio.create_task(self._tell_kinds(client))
        try:
            while True:
                self._chosen.clear()
                if self._choice is not None:
                    await _first_of(self._follow(client, self._choice, self._board), self._chosen.wait())
                else:
                    await self._chosen.wait()
        finally:
            await _ended(kinds)

    async def _tell_kinds(self, client: ClusterClient) -> None:
        """Tell what is served, once; where that fails, following fails too and says why."""
        if not self._told_kinds:
            with contextlib.suppress(KubeError):
                self._on_kinds(await served_kinds(client))
                self._told_kinds = True

    async def _follow(self, client: ClusterClient, choice: Choice, board: Board) -> None:
        telling = asyncio.create_task(self._keep_telling(choice, board))
        path = collection(choice.kind, choice.namespace)
        pulse = Pulse(client, path, partial(self._on_state, choice))
        try:
            await _first_of(self._read_and_watch(client, choice, board, pulse), pulse.run())
        finally:
            await _ended(telling)

    async def _read_and_watch(self, client: ClusterClient, choice: Choice, board: Board, pulse: Pulse) -> None:
        while True:
            version = await board.read(client, choice)
            self._pauses.reset()
            self._on_state(choice, None)
            await self._watch(client, choice, board, version, pulse)

    async def _keep_telling(self, choice: Choice, board: Board) -> None:
        while True:
            await board.changed.wait()
            board.changed.clear()
            self._on_rows(choice, board.rows())
            await asyncio.sleep(COALESCE_S)

    async def _watch(self, client: ClusterClient, choice: Choice, board: Board, version: str, pulse: Pulse) -> None:
        """Watch until the list must be read again; where watching is not allowed, wait a while instead."""
        if "watch" not in choice.kind.verbs and choice.kind.verbs:
            await asyncio.sleep(_AGAIN_S)
            return
        try:
            while True:
                version = await self._watch_once(client, choice, board, version, pulse)
        except KubeError as error:
            if error.status in (403, 404, 405):
                await asyncio.sleep(_AGAIN_S)
            elif error.status != 410:
                raise

    async def _watch_once(self, client: ClusterClient, choice: Choice, board: Board, version: str, pulse: Pulse) -> str:
        started, count = version, 0
        path = collection(choice.kind, choice.namespace)
        asked = {"includeObject": "Metadata", "resourceVersion": version}
        async with contextlib.aclosing(client.watch(path, asked, TABLE)) as events:
            async for event in events:
                version = board.apply(event.type, _decoded(client, event)) or version
                pulse.heard()
                count += 1
                if count % _ENOUGH == 0:
                    await asyncio.sleep(0)
        if version == started:  # the watch ended at once and said nothing: do not spin
            await asyncio.sleep(self._pauses.next())
        return version


def _decoded(client: ClusterClient, event: WatchEvent) -> _EventObject:
    try:
        return _EVENT.decode(event.object)
    except msgspec.MsgspecError as error:
        raise from_status(client.server, 200, str(error).encode()) from error


async def _first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Run works side by side until one ends, end the others, and raise what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            await _ended(task)


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _oldest(versions: Sequence[str]) -> str:
    """Return the version before all lists: events that some lists hold already are told again and change nothing.

    Versions of one collection can be compared as numbers (Kubernetes enhancement 5504).
    """
    numbers = [int(version) for version in versions if version.isdecimal()]
    return str(min(numbers)) if numbers else next(iter(versions), "")
