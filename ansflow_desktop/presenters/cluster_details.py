"""One cluster of the list, looked at closely: its connection tested stage by stage, and its figures."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatistics, Diagnosis, Reach
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.cluster_form import is_locked_away
from ansflow_desktop.presenters.reads import ClusterReads, known_tools

if TYPE_CHECKING:
    from ansflow_desktop.presenters.clusters import ClustersPresenter
    from ansflow_desktop.presenters.clusters_state import ClusterRow

_FRESH_S = 60.0
_AGAIN_S = 30.0
_SETTLED_S = 0.3  # who walks over the rows while searching reads the figures of none of them


class ClusterDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of cluster `name`; `error` says why its figures could not be read."""

    name: str = ""
    row: ClusterRow | None = None
    testing: bool = False
    diagnosis: Diagnosis | None = None
    reading: bool = False
    statistics: ClusterStatistics | None = None
    error: UserError | None = None


class ClusterDetailsPresenter(Presenter):
    """Follows the list; emits `vault_needed(error, again)` where the cluster's secret is locked away."""

    vault_needed = Signal(object, object)

    def __init__(self, services: Any, clusters: ClustersPresenter, reads: ClusterReads) -> None:
        """Show nothing until `show`."""
        super().__init__()
        self._services = services
        self._clusters = clusters
        self._reads = reads
        self._tests: dict[str, Diagnosis] = {}
        self._figures: dict[str, ClusterStatistics] = {}
        self._errors: dict[str, UserError] = {}
        self._testing: set[str] = set()
        self._reading: set[str] = set()
        self._failed_at: dict[str, float] = {}
        self._before: dict[str, ClusterRow] = {}
        self.state = ClusterDetails()
        clusters.state_changed.connect(self._on_clusters)

    def show(self, name: str) -> None:
        """Look at cluster `name`; its figures are read where it answers, they are not fresh, and one stays with it."""
        before = self.state.name
        self._clusters.watch("details", name)
        self._refresh(name)
        if before and name != before:
            self._start("settle", self._settle())
        elif "settle" not in self._tasks:
            self._read_where_old()

    async def _settle(self) -> None:
        await asyncio.sleep(_SETTLED_S)
        del self._tasks["settle"]
        self._read_where_old()

    @Slot()
    def _on_clusters(self) -> None:
        first = {row.entry.name: row for row in reversed(self._clusters.state.rows)}
        for row in first.values():
            self._compare(row)
        if self.state.name:
            self.show(self.state.name)

    def _compare(self, row: ClusterRow) -> None:
        """Forget what is another connection's, and why figures could not be read of a cluster that answers again."""
        name = row.entry.name
        before, self._before[name] = self._before.get(name), row
        if before is None or before is row:
            return
        if (before.entry.server, before.entry.source) != (row.entry.server, row.entry.source):
            self.forget(name)
        elif _answers(row) and not _answers(before):
            self._failed_at.pop(name, None)

    def _read_where_old(self) -> None:
        name = self.state.name
        if _answers(self.state.row) and not self._is_fresh(name) and name not in self._reading:
            self.read()

    def _is_fresh(self, name: str) -> bool:
        """Return whether figures, or why there are none, are of a short while ago."""
        known = self._figures.get(name)
        if name in self._errors:
            return time.monotonic() - self._failed_at.get(name, -_AGAIN_S) < _AGAIN_S
        return known is not None and abs(time.time() - known.read_at) < _FRESH_S

    def read(self) -> None:
        """Read the figures of the cluster shown anew."""
        name = self.state.name
        if name and name not in self._reading:
            self._reading.add(name)
            self._refresh(name)
            self._start(f"read {name}", self._read(name))

    async def _read(self, name: str) -> None:
        try:
            document = await off_thread(lambda: self._services.catalog.document(name))
            self._figures[name] = await self._reads.statistics(document, name, partial(self._take_counts, name))
            self._errors.pop(name, None)
            if not _answers(self._clusters.state.row(name)):
                self._clusters.check(name)  # it answers again before its turn has come
        except UserError as error:
            self._fail(name, error)
        finally:
            self._reading.discard(name)
            self._refresh(self.state.name)

    def _take_counts(self, name: str, found: ClusterStatistics) -> None:
        """Show what is counted; what pods requested when that was last read stays until it is read again."""
        before = self._figures.get(name)
        self._figures[name] = msgspec.structs.replace(found, requested=before.requested) if before else found
        self._refresh(self.state.name)

    def test(self, name: str) -> None:
        """Test the connection to `name` stage by stage, after its credential program was approved."""
        row = self._clusters.state.row(name)
        if row is None or name in self._testing:
            return
        if row.status.reach is Reach.APPROVAL_NEEDED or not self._clusters.may_contact(row.entry):
            self._clusters.check(name)  # asks for approval
            return
        self._testing.add(name)
        self._refresh(self.state.name)
        self._start(f"test {name}", self._test(row.entry))

    async def _test(self, entry: ClusterEntry) -> None:
        try:
            document = await off_thread(lambda: self._services.catalog.document(entry.name))
            tools = await off_thread(lambda: known_tools(self._services))
            found = self._tests[entry.name] = await self._reads.diagnose(entry, document, tools)
            self._errors.pop(entry.name, None)
            self._clusters.take_status(found.status)
        except UserError as error:
            self._refused(entry.name, error)
        finally:
            self._testing.discard(entry.name)
            self._refresh(self.state.name)
            self._read_where_old()

    def _fail(self, name: str, error: UserError) -> None:
        self._errors[name], self._failed_at[name] = error, time.monotonic()

    def _refused(self, name: str, error: UserError) -> None:
        self._fail(name, error)
        if is_locked_away(error):
            self.vault_needed.emit(error, lambda: self.test(name))

    def forget(self, name: str) -> None:
        """Forget what was found of `name`: its connection is another one now."""
        for known in (self._tests, self._figures, self._errors):
            known.pop(name, None)
        self._refresh(self.state.name)

    def _refresh(self, name: str) -> None:
        state = ClusterDetails(
            name=name,
            row=self._clusters.state.row(name),
            testing=name in self._testing,
            diagnosis=self._tests.get(name),
            reading=name in self._reading,
            statistics=self._figures.get(name),
            error=self._errors.get(name),
        )
        if state != self.state:
            self.state = state
            self.state_changed.emit()


def _answers(row: ClusterRow | None) -> bool:
    return row is not None and row.status.reach is Reach.REACHABLE
