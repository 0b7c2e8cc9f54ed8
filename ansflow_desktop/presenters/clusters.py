"""Clusters: every context that can be chosen, what a check of each found, and the practice clusters."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus, Reach
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.clusters_state import (
    PRACTICE,
    ClusterRow,
    ClustersState,
    PracticeRow,
    PracticeState,
)
from ansflow_desktop.presenters.reads import ClusterReads
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable

_TOGETHER = 8
_AGAIN_S = 30.0


class _Relay(QObject):
    """Carries progress of the practice cluster from its thread to the window's."""

    progressed = Signal(object)


class ClustersPresenter(Presenter):
    """Knows the clusters; emits `approval_needed(ClusterEntry)` before any program of a kubeconfig is run."""

    approval_needed = Signal(object)
    removed = Signal(str)

    def __init__(self, services: Any, reads: ClusterReads | None = None) -> None:
        """Keep the services; nothing is read before `load`."""
        super().__init__()
        self._services = services
        self._reads = reads or ClusterReads()
        self._statuses: dict[str, ClusterStatus] = {}
        self._gate = asyncio.Semaphore(_TOGETHER)
        self._cancel = Cancel()
        self._relay = _Relay()
        self._relay.progressed.connect(self._on_progress)
        self.state = ClustersState()

    def load(self) -> None:
        """Read the list of clusters off the window's thread, check every cluster, and again every half minute."""
        self._start("load", self._keep_loading())

    async def _keep_loading(self) -> None:
        while True:
            await self._load()
            await asyncio.gather(*(self._check(row.entry) for row in self.state.rows))
            await asyncio.sleep(_AGAIN_S)

    def refresh_list(self) -> None:
        """Read the list again and check only what was not checked yet."""
        self._start("list", self._load_new())

    async def _load_new(self) -> None:
        await self._load()
        new = [row.entry for row in self.state.rows if row.status.reach is Reach.UNCHECKED]
        await asyncio.gather(*(self._check(entry) for entry in new))

    async def _load(self) -> None:
        entries, problems, practices = await off_thread(self._read_list)
        known = {one.name: one for one in practices}
        rows = tuple(self._row(entry, known) for entry in _with_practice(entries))
        offered = practices or (PracticeRow(name=PRACTICE, made=False),)
        self._publish(
            msgspec.structs.replace(self.state, rows=rows, problems=problems, practices=offered, loading=False)
        )

    def _read_list(self) -> tuple[tuple[ClusterEntry, ...], tuple[Problem, ...], tuple[PracticeRow, ...]]:
        catalog = self._services.catalog
        practices = tuple(
            PracticeRow(name=info.name, running=info.running, exec_here=info.exec_enabled)
            for info in self._services.practice.list()
        )
        return catalog.entries(), catalog.problems(), practices

    def _row(self, entry: ClusterEntry, practices: dict[str, PracticeRow]) -> ClusterRow:
        status = self._statuses.get(entry.name, ClusterStatus(name=entry.name))
        if entry.source != PRACTICE:
            return ClusterRow(entry=entry, status=status)
        one = practices.get(entry.context, PracticeRow(name=entry.context, made=False))
        return ClusterRow(entry=entry, status=status, practice=True, running=one.running, exec_here=one.exec_here)

    def check(self, name: str) -> None:
        """Check one cluster again, asking for approval first where its credential program was not approved."""
        row = self.state.row(name)
        if row is None:
            return
        if row.status.reach is Reach.APPROVAL_NEEDED and not self._approved(row.entry):
            self.approval_needed.emit(row.entry)
            return
        self._start(f"check {name}", self._check(row.entry))

    async def _check(self, entry: ClusterEntry) -> None:
        row = self.state.row(entry.name)
        if row is not None and row.practice and not row.running:
            self._set_status(ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message=msg("Not running")))
            return
        if entry.problem:
            self._set_status(ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message=entry.problem))
            return
        if not self._approved(entry):
            self._set_status(_approval_status(entry))
            return
        known = self._statuses.get(entry.name)
        if known is None or known.reach is not Reach.REACHABLE:
            self._set_status(ClusterStatus(name=entry.name, reach=Reach.CHECKING))
        async with self._gate:
            self._set_status(await self._answer(entry))

    async def _answer(self, entry: ClusterEntry) -> ClusterStatus:
        try:
            document = await off_thread(lambda: self._services.catalog.document(entry.name))
            return await self._reads.check(entry, document)
        except UserError as error:
            return ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message=error.title, checked_at=time.time())

    def may_contact(self, entry: ClusterEntry) -> bool:
        """Return whether the cluster may be contacted: its credential program, where it has one, was approved."""
        return self._approved(entry)

    def take_status(self, status: ClusterStatus) -> None:
        """Show what a connection test found of a cluster."""
        self._set_status(status)

    def changed(self, name: str) -> None:
        """Read the list again and check cluster `name`, which was added or changed."""
        self._statuses.pop(name, None)
        self._start("list", self._load_changed(name))

    async def _load_changed(self, name: str) -> None:
        await self._load_new()
        row = self.state.row(name)
        if row is not None and row.status.reach is Reach.UNCHECKED:
            await self._check(row.entry)

    def remove(self, name: str) -> None:
        """Forget a cluster that was added by hand, with its secret."""
        self._start(f"remove {name}", self._remove(name))

    async def _remove(self, name: str) -> None:
        await off_thread(lambda: self._services.cluster_book.remove(name))
        self._statuses.pop(name, None)
        self.removed.emit(name)
        self.refresh_list()

    def _approved(self, entry: ClusterEntry) -> bool:
        return entry.exec_plugin is None or bool(self._services.approvals.approved(entry.exec_plugin))

    def approve(self, entry: ClusterEntry) -> None:
        """Remember that the person saw and approved this credential program, and check the cluster with it."""
        if entry.exec_plugin is not None:
            self._services.approvals.approve(entry.exec_plugin)
        self._start(f"check {entry.name}", self._check(entry))

    def add_file(self, path: str) -> None:
        """Read one more kubeconfig file, which is never written to."""
        self._start("add", self._add(path))

    async def _add(self, path: str) -> None:
        await off_thread(lambda: self._services.add_kubeconfig(Path(path)))
        self.refresh_list()

    def start_practice(self, name: str = PRACTICE, *, exec_here: bool = False) -> None:
        """Start practice cluster `name`, making it where there is none, and check it when it runs.

        With `exec_here`, commands that are run in its pods run on this machine.
        """
        if self.state.practice.doing:
            return
        cancel = self._cancel = Cancel()
        start = self._services.practice.start
        work = PracticeState(name=name, doing=msg("Starting"), can_cancel=True)
        self._practice(work, lambda: start(name, exec_here, on_progress=self._relay_on, cancel=cancel))

    def practice_name_problem(self, name: str) -> Text:
        """Return why a new practice cluster cannot be called `name`, empty when it can."""
        from ansflow_desktop.practice.names import check_name

        try:
            check_name(name)
        except UserError as error:
            return error.hint
        if any(one.name == name and one.made for one in self.state.practices):
            return msg("There is a practice cluster of this name already.")
        taken = any(row.entry.name == name and not row.practice for row in self.state.rows)
        return msg("There is a cluster of this name already.") if taken else ""

    def cancel_practice(self) -> None:
        """Give up a start that is under way; nothing of it stays running."""
        self._cancel.request()

    def stop_practice(self, name: str = PRACTICE) -> None:
        """Stop it; what was deployed stays for the next start."""
        self._practice(PracticeState(name=name, doing=msg("Stopping")), lambda: self._services.practice.stop(name))

    def remove_practice(self, name: str = PRACTICE) -> None:
        """Stop it and delete what was deployed on it."""
        self._practice(PracticeState(name=name, doing=msg("Removing")), lambda: self._services.practice.remove(name))

    def _relay_on(self, progress: object) -> None:
        self._relay.progressed.emit(progress)

    def _practice(self, work: PracticeState, act: Callable[[], object]) -> None:
        if self.state.practice.doing:
            return
        self._publish_practice(work)
        self._start("practice", self._run_practice(work.name, act))

    async def _run_practice(self, name: str, act: Callable[[], object]) -> None:
        try:
            await off_thread(act)
        finally:
            self._statuses.pop(name, None)
            self._publish_practice(PracticeState(name=name))
            self.load()

    @Slot(object)
    def _on_progress(self, progress: Any) -> None:
        now = self.state.practice
        if now.doing:
            changed = {"doing": progress.what, "about": progress.tool, "fraction": progress.fraction}
            self._publish_practice(msgspec.structs.replace(now, **changed))

    def _publish_practice(self, practice: PracticeState) -> None:
        self._publish(msgspec.structs.replace(self.state, practice=practice))

    async def close(self) -> None:
        """End every task; a practice cluster that is being started is given up."""
        self._cancel.request()
        await super().close()

    def _set_status(self, status: ClusterStatus) -> None:
        self._statuses[status.name] = status
        rows = tuple(
            msgspec.structs.replace(row, status=status) if row.entry.name == status.name else row
            for row in self.state.rows
        )
        self._publish(msgspec.structs.replace(self.state, rows=rows))

    def _publish(self, state: ClustersState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()


def _approval_status(entry: ClusterEntry) -> ClusterStatus:
    return ClusterStatus(
        name=entry.name, reach=Reach.APPROVAL_NEEDED, message=msg("Its credential program was not approved yet")
    )


def _with_practice(entries: tuple[ClusterEntry, ...]) -> tuple[ClusterEntry, ...]:
    if any(entry.source == PRACTICE for entry in entries):
        return entries
    return (*entries, ClusterEntry(name=PRACTICE, context=PRACTICE, source=PRACTICE))
