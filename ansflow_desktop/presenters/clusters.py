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
from ansflow_desktop.presenters.base import Presenter, off_thread, unexpected
from ansflow_desktop.presenters.clusters_checks import AGAIN_S, Due, Gathered, Line
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


class _Relay(QObject):
    """Carries progress of the practice cluster from its thread to the window's."""

    progressed = Signal(object)


class ClustersPresenter(Presenter):
    """Knows the clusters; emits `approval_needed(ClusterEntry)` before any program of a kubeconfig is run.

    `removed(name)` and `renamed(old, new)` tell what was done to a cluster in this window.
    """

    approval_needed = Signal(object)
    removed = Signal(str)
    renamed = Signal(str, str)

    def __init__(self, services: Any, reads: ClusterReads | None = None) -> None:
        """Keep the services; nothing is read before `load`."""
        super().__init__()
        self._services = services
        self._reads = reads or ClusterReads()
        self._statuses: dict[str, ClusterStatus] = {}
        self._line = Line(self._check_in_turn)
        self._due = Due()
        self._checking: set[str] = set()
        self._watched: dict[str, str] = {}
        self._changes = Gathered(self._show_statuses)
        self._cancel = Cancel()
        self._relay = _Relay()
        self._relay.progressed.connect(self._on_progress)
        self.state = ClustersState()

    def load(self) -> None:
        """Read the list of clusters off the window's thread, check every cluster, and again every half minute.

        Those that do not answer are asked more and more seldom, but for those that are looked at (`watch`).
        """
        self._due.forget()
        self._start("load", self._keep_loading())

    async def _keep_loading(self) -> None:
        while True:
            try:
                await self._load()
                await self._line.ask(row.entry for row in self.state.rows if self._is_due(row.entry))
            except Exception as error:  # the next round may go well: nobody starts this again
                known = isinstance(error, UserError)
                self.failed.emit(error if known else unexpected(error))
            await asyncio.sleep(AGAIN_S)

    def _is_due(self, entry: ClusterEntry) -> bool:
        """Return whether to ask it in this round; where one works nobody waits longer, unless a program would run."""
        looked_at = entry.name in self._watched.values() and entry.exec_plugin is None
        return looked_at or self._due.is_due(entry.name)

    def watch(self, place: str, name: str) -> None:
        """Say that cluster `name` is what is looked at in `place` (a word for a part of the window) from now on."""
        self._watched[place] = name

    def refresh_list(self) -> None:
        """Read the list again and check only what was not checked yet."""
        self._start("list", self._load_new())

    async def _load_new(self) -> None:
        await self._load()
        waiting = (Reach.UNCHECKED, Reach.CHECKING)
        await self._line.ask(row.entry for row in self.state.rows if self._reach(row.entry.name) in waiting)

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
        if self._reach(name) is Reach.APPROVAL_NEEDED and not self._approved(row.entry):
            self._start("approval", self._ask_approval(row.entry))
            return
        self._start(f"check {name}", self._check_now(row.entry))

    def ask_approval(self, name: str) -> None:
        """Show the credential program of cluster `name`, where it was not approved yet: `approval_needed` comes."""
        row = self.state.row(name)
        if row is not None and not self._approved(row.entry):
            self._start("approval", self._ask_approval(row.entry))

    def _reach(self, name: str) -> Reach:
        known = self._statuses.get(name)
        return known.reach if known else Reach.UNCHECKED

    async def _ask_approval(self, entry: ClusterEntry) -> None:
        """Ask with the whole program, what the vault keeps of it included where that is open."""
        self.approval_needed.emit(await off_thread(lambda: self._services.cluster_book.shown(entry)))

    async def _check_in_turn(self, entry: ClusterEntry) -> None:
        """Check a cluster whose turn it is; what is known of it stays until it answers, so that no row blinks."""
        if entry.name not in self._checking and self.state.row(entry.name) is not None:
            await self._check(entry, seen=self._reach(entry.name) is Reach.UNCHECKED)

    async def _check_now(self, entry: ClusterEntry) -> None:
        """Check a cluster that somebody asked for: it waits for no other, and is seen to be checked."""
        self._line.leave(entry.name)
        await self._check(entry, seen=self._reach(entry.name) is not Reach.REACHABLE)

    async def _check(self, entry: ClusterEntry, *, seen: bool) -> None:
        known = self._without_asking(entry)
        if known is not None:
            self._set_status(known)
            return
        if seen:
            self._set_status(ClusterStatus(name=entry.name, reach=Reach.CHECKING))
        kind = f"check {entry.name}"
        number = self._requests.begin(kind)
        self._checking.add(entry.name)
        try:
            found = await self._answer(entry)
        finally:
            if self._requests.current(kind, number):
                self._checking.discard(entry.name)
        if self._requests.current(kind, number):
            self._due.note(entry.name, good=found.reach is Reach.REACHABLE)
            self._set_status(found)

    def _without_asking(self, entry: ClusterEntry) -> ClusterStatus | None:
        """Return the status of a cluster that cannot or must not be contacted, None for any other."""
        row = self.state.row(entry.name)
        if row is not None and row.practice and not row.running:
            return ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message=msg("Not running"))
        if entry.problem:
            return ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message=entry.problem)
        return None if self._approved(entry) else _approval_status(entry)

    async def _answer(self, entry: ClusterEntry) -> ClusterStatus:
        try:
            document = await off_thread(lambda: self._services.catalog.document(entry.name))
            return await self._reads.check(entry, document)
        except UserError as error:
            reach = Reach.LOCKED if _is_locked(error) else Reach.UNREACHABLE
            return ClusterStatus(name=entry.name, reach=reach, message=error.title, checked_at=time.time())

    def may_contact(self, entry: ClusterEntry) -> bool:
        """Return whether the cluster may be contacted: its credential program, where it has one, was approved."""
        return self._approved(entry)

    def take_status(self, status: ClusterStatus) -> None:
        """Show what a connection test found of a cluster."""
        self._set_status(status)

    def changed(self, name: str) -> None:
        """Read the list again and check cluster `name`, which was added or changed; an answer on its way is dropped."""
        self._requests.begin(f"check {name}")
        self._checking.discard(name)
        self._statuses.pop(name, None)
        self._start("list", self._load_changed(name))

    async def _load_changed(self, name: str) -> None:
        await self._load()
        row = self.state.row(name)
        if row is not None:
            await self._check_now(row.entry)
        await self._load_new()

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
        self._start(f"check {entry.name}", self._check_now(entry))

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
        self._changes.stop()
        await super().close()

    def _set_status(self, status: ClusterStatus) -> None:
        self._statuses[status.name] = status
        self._changes.changed()

    def _show_statuses(self) -> None:
        """Publish every status that came since: one list for many answers."""
        rows = tuple(_with_status(row, self._statuses.get(row.entry.name)) for row in self.state.rows)
        self._publish(msgspec.structs.replace(self.state, rows=rows))

    def _publish(self, state: ClustersState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()


def _with_status(row: ClusterRow, status: ClusterStatus | None) -> ClusterRow:
    return row if status is None or status is row.status else msgspec.structs.replace(row, status=status)


def _approval_status(entry: ClusterEntry) -> ClusterStatus:
    return ClusterStatus(
        name=entry.name, reach=Reach.APPROVAL_NEEDED, message=msg("Its credential program was not approved yet")
    )


def _with_practice(entries: tuple[ClusterEntry, ...]) -> tuple[ClusterEntry, ...]:
    if any(PRACTICE in (entry.source, entry.name) for entry in entries):
        return entries
    return (*entries, ClusterEntry(name=PRACTICE, context=PRACTICE, source=PRACTICE))


def _is_locked(error: UserError) -> bool:
    from ansflow_desktop.store.vault_errors import VaultLocked

    return isinstance(error, VaultLocked)
