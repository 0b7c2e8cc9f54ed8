"""The release table: all releases of the chosen cluster, refreshed by a watch, filtered as one types."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.release import Release
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.reads import ClusterReads

# semver.org's grammar, with the leading v that Helm lets pass
_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


class ReleasesState(msgspec.Struct, frozen=True, kw_only=True):
    """The page: `rows` as filtered, `total` before the filter; `fresh_at` epoch seconds of the last good answer.

    `error` is why the watch is broken; rows read before it stay and are stale from `fresh_at` on.
    """

    cluster: str = ""
    namespace: str = ""
    text: str = ""
    rows: tuple[Release, ...] = ()
    total: int = 0
    loading: bool = False
    error: UserError | None = None
    fresh_at: float = 0

    @property
    def stale(self) -> bool:
        """True when rows are shown that the cluster has not confirmed since an error."""
        return self.error is not None and self.fresh_at > 0


class ReleasesPresenter(Presenter):
    """Watches the releases of one cluster at a time.

    `history_read(Release, rows or UserError)` answers `read_history`: the revisions of that release, newest first.
    """

    history_read = Signal(object, object)

    def __init__(self, services: Any, reads: ClusterReads | None = None) -> None:
        """Keep the services; nothing is read before a cluster is chosen and found reachable."""
        super().__init__()
        self._services = services
        self._reads = reads or ClusterReads()
        self._all: tuple[Release, ...] = ()
        self.state = ReleasesState()

    def choose_cluster(self, name: str) -> None:
        """Forget the old cluster's releases; reading begins with `watch`."""
        self._stop("watch")
        self._requests.begin("watch")
        self._all = ()
        self._publish(ReleasesState(cluster=name, text=self.state.text, loading=bool(name)))

    @Slot(str, str)
    def rename_cluster(self, before: str, name: str) -> None:
        """Go on with the same cluster, which is called `name` now, in the same namespace."""
        if before == self.state.cluster:
            namespace = self.state.namespace
            self.choose_cluster(name)
            self.choose_namespace(namespace)

    def watch(self, name: str) -> None:
        """Read and follow the releases of cluster `name` until another one is chosen."""
        if name == self.state.cluster:
            self._publish(msgspec.structs.replace(self.state, loading=not self._all, error=None))
            self._start("watch", self._follow(name, self._requests.begin("watch")))

    @Slot(str, object)
    def cluster_failed(self, name: str, error: UserError) -> None:
        """Say why cluster `name` cannot be asked, unless a watch of it is known to be broken already."""
        if name == self.state.cluster and self.state.error is None:
            self._publish(msgspec.structs.replace(self.state, loading=False, error=error))

    def reload(self) -> None:
        """Read everything again now."""
        if self.state.cluster:
            self.watch(self.state.cluster)

    def read_history(self, release: Release) -> None:
        """Read the revisions of `release`, a row of the table; the answer is `history_read`."""
        self._start("history", self._read_history(self.state.cluster, release))

    async def _read_history(self, cluster: str, release: Release) -> None:
        try:
            document = await off_thread(lambda: self._services.catalog.document(cluster))
            rows = await self._reads.history(document, release.namespace, release.name)
        except UserError as error:
            self.history_read.emit(release, error)
        else:
            self.history_read.emit(release, tuple(reversed(rows)))

    async def _follow(self, cluster: str, number: int) -> None:
        document = await off_thread(lambda: self._services.catalog.document(cluster))

        def on_rows(rows: list[Release]) -> None:
            if self._requests.current("watch", number):
                self._show(tuple(rows))

        def on_state(error: UserError | None) -> None:
            if self._requests.current("watch", number):
                self._publish(msgspec.structs.replace(self.state, loading=False, error=error))

        await self._reads.watch_releases(document, on_rows, on_state)

    def _show(self, rows: tuple[Release, ...]) -> None:
        self._all = rows
        self._filter(loading=False, error=None, fresh_at=time.time())

    def choose_namespace(self, namespace: str) -> None:
        """Show one namespace; empty for all."""
        self._filter(namespace=namespace)

    def filter(self, text: str) -> None:
        """Show the rows that contain every word of `text` in name, namespace, chart or status."""
        self._filter(text=text)

    def _filter(self, **changed: Any) -> None:
        state = msgspec.structs.replace(self.state, **changed)
        rows = visible(self._all, state.namespace, state.text)
        in_namespace = sum(1 for row in self._all if state.namespace in ("", row.namespace))
        self._publish(msgspec.structs.replace(state, rows=rows, total=in_namespace))

    def _publish(self, state: ReleasesState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()


def visible(rows: tuple[Release, ...], namespace: str, text: str) -> tuple[Release, ...]:
    """Return the rows of `namespace` (empty: all) that contain every word of `text`, in their order."""
    words = text.lower().split()
    return tuple(row for row in rows if namespace in ("", row.namespace) and _matches(row, words))


def _matches(row: Release, words: list[str]) -> bool:
    haystack = f"{row.name}\n{row.namespace}\n{row.chart}\n{row.app_version}\n{row.status}".lower()
    return all(word in haystack for word in words)


def chart_parts(chart: str) -> tuple[str, str]:
    """Return Helm's `fe-app-0.1.0` as (`fe-app`, `0.1.0`); all of it and an empty version where it holds none."""
    for place in reversed([match.start() for match in re.finditer("-", chart)]):
        if place and _VERSION.fullmatch(chart, place + 1):
            return chart[:place], chart[place + 1 :]
    return chart, ""
