"""The Deploy page: from what is typed to the command, the manifest, the problems, and the run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.chart import Chart
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.run import RunEvent
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.clusters_state import OWN
from ansflow_desktop.presenters.deploy_run import DeployRun
from ansflow_desktop.presenters.deploy_state import (
    DeployState,
    Preview,
    PreviewStatus,
    ValuesChoice,
    merged_values,
)
from ansflow_desktop.presenters.planner import Plan, Planner, Rendering
from ansflow_desktop.presenters.reads import ClusterReads
from ansflow_desktop.settings import LastDeploy

_PLAN_DELAY_S = 0.08
_PREVIEW_DELAY_S = 0.3
_KEPT_DELAY_S = 0.4
_FORM = frozenset(
    {"release_name", "namespace", "values", "custom_values", "wait", "timeout", "rollback", "reset_values"}
)


class DeployPresenter(Presenter):
    """Emits `form_replaced()` when fields changed other than by typing, and what the run says.

    `vault_needed(error, again)`: the cluster's secret is locked away; `again()` deploys once it is open.
    """

    form_replaced = Signal()
    run_changed = Signal()
    output_added = Signal(str)
    finished = Signal(object)
    namespaces_asked = Signal()
    vault_needed = Signal(object, object)

    def __init__(self, services: Any, reads: ClusterReads | None = None, planner: Planner | None = None) -> None:
        """Keep the services; nothing is read before a chart or a cluster is chosen."""
        super().__init__()
        self._services = services
        self._reads = reads or ClusterReads()
        self._planner = planner or Planner(services)
        self._planner.planned.connect(self._on_planned)
        self._planner.rendered.connect(self._on_rendered)
        self.run = DeployRun(services)
        self.run.changed.connect(self._on_run_changed)
        self.run.output_added.connect(self.output_added)
        self.run.finished.connect(self._on_run_finished)
        self._known: frozenset[str] = frozenset()
        recent = tuple(services.settings.recent_charts)
        self.state = DeployState(recent=recent, read_only=bool(getattr(services, "read_only", False)))

    # What is chosen

    def choose_chart(self, path: str) -> None:
        """Take the chart folder `path` (as typed; `~` is the home folder) and read it off the window's thread."""
        whole = str(paths.expanded(path).absolute()) if path.strip() else ""
        if whole == self.state.chart_path and self.state.chart is not None:
            return
        self.clear_run()
        self._change(chart_path=whole, chart=None, chart_error=None, reading=bool(whole))
        self._start("chart", self._read_chart(whole, self._requests.begin("chart")))

    def reload_chart(self) -> None:
        """Read the chart's folder again: it may have changed on disk."""
        if self.state.chart_path:
            self._change(reading=True)
            self._start("chart", self._read_chart(self.state.chart_path, self._requests.begin("chart")))

    async def _read_chart(self, path: str, number: int) -> None:
        if not path:
            self._take_chart(None, None)
            return
        try:
            chart = await off_thread(lambda: self._planner.read_chart(path))
        except UserError as error:
            if self._requests.current("chart", number):
                self._take_chart(None, error)
            return
        if self._requests.current("chart", number):
            self._take_chart(chart, None)

    def _take_chart(self, chart: Chart | None, error: UserError | None) -> None:
        values = merged_values(chart, self.state.values)
        self._change(chart=chart, chart_error=error, reading=False, values=values)
        if chart is not None:
            self._prefill(chart)
        self.form_replaced.emit()
        self._follow_up()

    def _prefill(self, chart: Chart) -> None:
        last = self._services.settings.last.get(chart.path, LastDeploy())
        used = set(last.values_files)
        values = tuple(
            msgspec.structs.replace(choice, used=choice.used or choice.path in used) for choice in self.state.values
        )
        name = last.release_name or self._planner.default_release_name(chart)
        fits = last.cluster in ("", self.state.cluster)
        namespace = self.state.namespace or (last.namespace if fits else "") or chart.name[:63]
        self._change(release_name=name, namespace=namespace, values=values)

    @Slot(str)
    def choose_cluster(self, name: str) -> None:
        """Deploy to cluster `name`; the namespace was the old cluster's and is cleared."""
        first = not self.state.cluster
        namespace = self.state.namespace if first else ""
        self._change(cluster=name, namespace=namespace, namespace_list=None, kept="")
        self.form_replaced.emit()
        self._follow_up()

    @Slot(str, str)
    def rename_cluster(self, before: str, name: str) -> None:
        """Go on with the same cluster, which is called `name` now: what was typed for it stays."""
        if before == self.state.cluster:
            self._change(cluster=name)
            self.form_replaced.emit()
            self._follow_up()

    @Slot(str)
    def cluster_answered(self, name: str) -> None:
        """Ask again what the live release keeps: the cluster can be reached now."""
        if name == self.state.cluster:
            self._ask_kept()

    @Slot(object)
    def set_namespaces(self, found: NamespaceList | None) -> None:
        """Offer the chosen cluster's namespaces, with their age; None for none known."""
        self._change(namespace_list=found)
        self.form_replaced.emit()

    @Slot()
    def reload_namespaces(self) -> None:
        """Have the chosen cluster asked for its namespaces again."""
        self.namespaces_asked.emit()

    @Slot(str)
    def choose_namespace(self, name: str) -> None:
        """Take the namespace that was chosen in the top bar; empty (all) changes nothing here."""
        if name:
            self._change(namespace=name)
            self.form_replaced.emit()
            self._follow_up()

    def edit(self, **fields: Any) -> None:
        """Take what was typed: any of release_name, namespace, custom_values, wait, timeout, rollback, reset_values."""
        unknown = set(fields) - _FORM
        if unknown:
            raise TypeError(f"no such field: {', '.join(sorted(unknown))}")
        if any(getattr(self.state, name) != value for name, value in fields.items()):
            self._change(**fields)
            self._follow_up()

    # Values files

    def add_values_file(self, path: str) -> None:
        """Add a file to the end of the list, ticked."""
        whole = str(paths.expanded(path).absolute())
        if any(choice.path == whole for choice in self.state.values):
            self.use_values_file(whole, used=True)
            return
        added = ValuesChoice(path=whole, shown=Path(whole).name, used=True, found=False)
        self._change_values((*self.state.values, added))

    def remove_values_file(self, path: str) -> None:
        """Take an added file out of the list; one that lies in the chart is only unticked."""
        kept = tuple(
            msgspec.structs.replace(choice, used=False) if choice.path == path else choice
            for choice in self.state.values
            if choice.found or choice.path != path
        )
        self._change_values(kept)

    def use_values_file(self, path: str, *, used: bool) -> None:
        """Tick or untick a file."""
        self._change_values(
            tuple(
                msgspec.structs.replace(choice, used=used) if choice.path == path else choice
                for choice in self.state.values
            )
        )

    def move_values_file(self, path: str, by: int) -> None:
        """Move a file up (-1) or down (1); later files win."""
        order = list(self.state.values)
        here = next((index for index, choice in enumerate(order) if choice.path == path), -1)
        there = here + by
        if here >= 0 and 0 <= there < len(order):
            order[here], order[there] = order[there], order[here]
            self._change_values(tuple(order))

    def _change_values(self, values: tuple[ValuesChoice, ...]) -> None:
        self._change(values=values)
        self.form_replaced.emit()
        self._follow_up()

    # What follows

    def _follow_up(self) -> None:
        """Plan, render and ask again, each after its own pause; what is under way becomes stale at once."""
        preview = Preview(status=PreviewStatus.LOADING if self.state.chart else PreviewStatus.NONE)
        self._change(planned=False, preview=preview)
        self._start("plan", self._plan_later(self._requests.begin("plan")))
        self._start("render", self._render_later(self._requests.begin("render")))
        self._ask_kept()

    async def _plan_later(self, number: int) -> None:
        await asyncio.sleep(_PLAN_DELAY_S)
        self._planner.plan(number, self.state.request, self._known)

    async def _render_later(self, number: int) -> None:
        await asyncio.sleep(_PREVIEW_DELAY_S)
        if self.state.chart is not None:
            self._planner.render(number, self.state.request)

    @Slot(int, object)
    def _on_planned(self, number: int, answer: Plan) -> None:
        if self._requests.current("plan", number):
            changed = {"command": answer.command, "copy_text": answer.copy_text, "fetches": answer.fetches}
            self._change(planned=True, problems=answer.problems, **changed)

    @Slot(int, object)
    def _on_rendered(self, number: int, answer: Rendering) -> None:
        if self._requests.current("render", number):
            status = PreviewStatus.FAILED if answer.problems and not answer.text else PreviewStatus.READY
            self._change(
                preview=Preview(status=status, text=answer.text, objects=answer.objects, problems=answer.problems)
            )
            self._leave_out(answer.known)

    def _leave_out(self, known: frozenset[str]) -> None:
        """Plan anew where a Secret of the rendering holds what the command may show, and keep it out of the next."""
        request = self.state.request
        if known != self._known and (request.custom_values or request.set_values):
            self._stop("plan")
            self._planner.plan(self._requests.begin("plan"), request, known)
        self._known = known

    def _ask_kept(self) -> None:
        number = self._requests.begin("kept")
        if self.state.gives_values or not (self.state.cluster and self.state.namespace and self.state.release_name):
            self._stop("kept")
            self._change(kept="")
            return
        self._start("kept", self._read_kept(number))

    async def _read_kept(self, number: int) -> None:
        await asyncio.sleep(_KEPT_DELAY_S)
        state = self.state
        try:
            document = await off_thread(lambda: self._services.catalog.document(state.cluster))
            values = await self._reads.kept_values(document, state.namespace, state.release_name)
        except UserError:
            values = None  # the cluster's own state is shown in the top bar; here there is nothing to tell
        if self._requests.current("kept", number):
            self._change(kept=self._planner.as_yaml(values) if values else "")

    # The run

    def deploy(self) -> None:
        """Run what the form says, unless something known stands in the way."""
        if not self.state.can_deploy:
            return
        if self._lies_in_vault(self.state.cluster):
            self._start("deploy", self._deploy_once_open(self.state.cluster))
        else:
            self._run()

    def _lies_in_vault(self, cluster: str) -> bool:
        entries = self._services.catalog.entries()
        return any(entry.name == cluster and entry.source == OWN for entry in entries)

    async def _deploy_once_open(self, cluster: str) -> None:
        """Run, or have the vault opened first; what else is wrong is said by the run itself."""
        try:
            await off_thread(lambda: self._services.catalog.document(cluster))
        except UserError as error:
            from ansflow_desktop.presenters.cluster_form import is_locked_away

            if is_locked_away(error):
                self.vault_needed.emit(error, self.deploy)
                return
        if self.state.can_deploy and self.state.cluster == cluster:
            self._run()

    def _run(self) -> None:
        self._remember()
        self._stop("kept")
        self.run.start(self.state.request, time.time())

    def cancel(self) -> None:
        """Ask the run to stop; the second call stops it at once."""
        self.run.cancel()

    @Slot()
    def _on_run_changed(self) -> None:
        self.state = msgspec.structs.replace(self.state, run=self.run.view)
        self.run_changed.emit()

    @Slot(object)
    def _on_run_finished(self, phase: object) -> None:
        self._on_run_changed()
        self.state_changed.emit()
        self._ask_kept()
        self.finished.emit(phase)

    def show_finished(self, request: DeployRequest, events: Sequence[RunEvent]) -> None:
        """Show a run that has ended elsewhere as if it had run here: what was asked for, and everything it said."""
        found = tuple(ValuesChoice(path=path, shown=Path(path).name, used=True) for path in request.values_files)
        self._change(
            release_name=request.release_name,
            namespace=request.namespace,
            values=(*found, *(choice for choice in self.state.values if choice.path not in request.values_files)),
            custom_values=request.custom_values,
            reset_values=request.reset_values,
            wait=request.wait,
            timeout=request.timeout,
            rollback=request.rollback,
        )
        self.form_replaced.emit()
        self._follow_up()
        self.run.replay(request, events)

    def clear_run(self) -> None:
        """Put the verdict of the last run away."""
        if not self.state.running:
            self.state = msgspec.structs.replace(self.state, run=None)
            self.run_changed.emit()
            self.state_changed.emit()

    def _remember(self) -> None:
        state = self.state
        last = LastDeploy(
            cluster=state.cluster,
            namespace=state.namespace,
            release_name=state.release_name,
            values_files=state.request.values_files,
        )
        try:
            self._services.save_settings(self._services.settings.with_chart(state.chart_path, last))
        except OSError as error:
            self.failed.emit(UserError(msg("The settings could not be saved"), error.strerror or str(error)))
        except UserError as error:
            self.failed.emit(error)
        self._change(recent=tuple(self._services.settings.recent_charts))

    async def close(self) -> None:
        """End every task and thread of this page; a run that goes on is waited for."""
        await super().close()
        self._planner.close()
        self.run.close()

    def _change(self, **fields: Any) -> None:
        state = msgspec.structs.replace(self.state, **fields)
        if state != self.state:
            self.state = state
            self.state_changed.emit()
