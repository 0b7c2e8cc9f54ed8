"""The release table kept fresh: list, then watch; changes are gathered for a moment, failures answered by pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from ansflow_desktop.kube.backoff import Backoff
from ansflow_desktop.kube.client import METADATA, ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.revisions import SELECTOR, Revision, list_revisions, newest, rows_of, secrets_path
from ansflow_desktop.models.release import Release

COALESCE_S = 0.1


async def watch_releases(
    document: dict[str, Any],
    on_rows: Callable[[list[Release]], None],
    on_state: Callable[[KubeError | None], None] | None = None,
) -> None:
    """Report all rows now and after every change, until cancelled; changes within 100 ms are reported together.

    `on_state` hears the error when the connection is lost, and None once it stands again: rows stay as they were.
    Nothing is raised: the watch goes on, listing again after growing pauses (failure-modes.md, row 28).
    """
    board = _Board(on_rows)
    pauses = Backoff()
    while True:
        try:
            async with ClusterClient(document) as client:
                await board.follow(client, pauses, on_state)
        except KubeError as error:
            if on_state and error.status != 410:
                on_state(error)
        await asyncio.sleep(pauses.next())


class _Board:
    """The revisions that are there, and the rows made of them after a short pause."""

    def __init__(self, on_rows: Callable[[list[Release]], None]) -> None:
        self._on_rows = on_rows
        self._revisions: dict[str, Revision] = {}
        self._changed = asyncio.Event()

    async def follow(
        self, client: ClusterClient, pauses: Backoff, on_state: Callable[[KubeError | None], None] | None
    ) -> None:
        """List, report, then watch until the watch fails."""
        revisions, version = await list_revisions(client, None)
        self._revisions = {revision.metadata.uid: revision for revision in revisions}
        await self._report(client)
        if on_state:
            on_state(None)
        reporting = asyncio.create_task(self._keep_reporting(client))
        try:
            while True:
                version = await self._watch(client, version, pauses)
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)

    async def _watch(self, client: ClusterClient, version: str, pauses: Backoff) -> str:
        params = {**SELECTOR, "resourceVersion": version}
        started = version
        async for event in client.watch(secrets_path(None), params, METADATA):
            pauses.reset()
            revision = msgspec.json.decode(event.object, type=Revision)
            version = revision.metadata.resource_version or version
            self._apply(event.type, revision)
        if version == started:  # the watch ended at once and said nothing: do not spin
            await asyncio.sleep(pauses.next())
        return version

    def _apply(self, change: str, revision: Revision) -> None:
        if change == "BOOKMARK":
            return
        if change == "DELETED":
            self._revisions.pop(revision.metadata.uid, None)
        else:
            self._revisions[revision.metadata.uid] = revision
        self._changed.set()

    async def _keep_reporting(self, client: ClusterClient) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(COALESCE_S)
            self._changed.clear()
            try:
                await self._report(client)
            except KubeError:  # the watch hears of a lost connection, too; what is missing is asked for again
                await asyncio.sleep(1)
                self._changed.set()

    async def _report(self, client: ClusterClient) -> None:
        self._on_rows(await rows_of(client, newest(self._revisions.values())))
