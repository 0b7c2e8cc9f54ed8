"""What follows from a request: command, problems and manifest, worked out off the window's thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal, Slot

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.chart import Chart
from ansflow_desktop.models.command import KubeTarget, ToolSet
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.duration import duration_seconds
from ansflow_desktop.models.pipeline import ExecutionContext
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from ansflow_desktop.executors.worker import CallThread


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The command as shown and as copied, both empty where it cannot be planned, and what is wrong.

    `fetches` says which missing dependencies are fetched into a private copy, empty where none are.
    """

    command: str = ""
    copy_text: str = ""
    fetches: Text = ""
    problems: tuple[Problem, ...] = ()


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest that helm renders, how many objects it holds, or why there is none.

    `known` are the texts that its Secrets hold: they are never shown.
    """

    text: str = ""
    objects: int = 0
    problems: tuple[Problem, ...] = ()
    known: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Say how much it is: it holds secrets."""
        return f"Rendering(objects={self.objects}, problems={len(self.problems)})"


class Planner(QObject):
    """Two threads, started at the first question: one plans, one runs `helm template`; the latest question wins."""

    planned = Signal(int, object)
    rendered = Signal(int, object)

    def __init__(self, services: Any) -> None:
        """Keep the services; no thread is started."""
        super().__init__()
        self._services = services
        self._plans: CallThread | None = None
        self._renders: CallThread | None = None
        self._rendering = Cancel()

    def plan(self, number: int, request: DeployRequest, known: frozenset[str] = frozenset()) -> None:
        """Answer question `number` with `planned(number, Plan)`; its command shows none of the `known` texts."""
        if self._plans is None:
            self._plans = self._thread(self._on_planned)
        self._plans.call(number, lambda: self._plan(request, known))

    def render(self, number: int, request: DeployRequest) -> None:
        """Answer question `number` with `rendered(number, Rendering)`; a rendering under way is ended."""
        if self._renders is None:
            self._renders = self._thread(self._on_rendered)
        self._rendering.request()
        cancel = self._rendering = Cancel()
        self._renders.call(number, lambda: self._render(request, cancel))

    def _thread(self, on_answer: Any) -> CallThread:
        from ansflow_desktop.executors.worker import CallThread

        thread = CallThread()
        thread.answered.connect(on_answer)
        return thread

    @Slot(int, object)
    def _on_planned(self, number: int, answer: object) -> None:
        self.planned.emit(number, answer if isinstance(answer, Plan) else Plan(problems=_problems(answer)))

    @Slot(int, object)
    def _on_rendered(self, number: int, answer: object) -> None:
        self.rendered.emit(number, answer if isinstance(answer, Rendering) else Rendering(problems=_problems(answer)))

    def _plan(self, request: DeployRequest, known: frozenset[str]) -> Plan:
        try:
            return self._planned(request, known)
        except (OSError, ValueError) as error:
            return Plan(problems=_problems(_not_a_path(error)))

    def _planned(self, request: DeployRequest, known: frozenset[str]) -> Plan:
        from ansflow_desktop.executors.known_texts import without
        from ansflow_desktop.executors.plan import copy_text, plan_step
        from ansflow_desktop.executors.preflight import check_request

        tools: ToolSet = self._services.tools
        problems = (*check_request(request, tools, self._services.catalog), *self._cluster_problems(request))
        try:
            plan = plan_step(request.step(), _context(request), tools, self._target(request), Path(request.chart_path))
        except UserError as error:
            return Plan(problems=problems or _problems(error))
        typed = without(plan.shown or plan.commands[-1], known)
        fetches = plan.preparation.notice if plan.preparation else ""
        return Plan(command=typed.shown(), copy_text=copy_text(typed), fetches=fetches, problems=problems)

    def _cluster_problems(self, request: DeployRequest) -> tuple[Problem, ...]:
        """Return what the cluster's marks and credentials say against this run."""
        from ansflow_desktop.executors import expiry

        catalog, name = self._services.catalog, request.cluster
        if not any(entry.name == name and not entry.problem for entry in catalog.entries()):
            return ()
        seconds = duration_seconds(request.timeout)
        return (
            *expiry.read_only_problems(catalog, name, "cluster"),
            *expiry.ending_problems(self._services.credentials, [name], seconds, "cluster"),
        )

    def _target(self, request: DeployRequest) -> KubeTarget:
        if not request.cluster:
            return KubeTarget(kubeconfig="", context="")
        target: KubeTarget = self._services.catalog.user_target(request.cluster)
        return target

    def _render(self, request: DeployRequest, cancel: Cancel) -> Rendering:
        from ansflow_desktop.executors.preview import render

        found = render(request.step(), _context(request), self._services.tools, cancel)
        return Rendering(text=found.text, objects=len(found.objects), problems=tuple(found.problems), known=found.known)

    def read_chart(self, path: str) -> Chart:
        """Return the chart in folder `path` (absolute); raises UserError; blocking."""
        from ansflow_desktop.helm.charts import read_chart

        try:
            return read_chart(path)
        except (OSError, ValueError) as error:
            raise _not_a_path(error) from error

    def default_release_name(self, chart: Chart) -> str:
        """Return the release name to prefill for `chart`; never empty."""
        from ansflow_desktop.helm.charts import default_release_name

        return default_release_name(chart)

    def as_yaml(self, values: dict[str, Any]) -> str:
        """Return values as YAML text, for people to read."""
        import yaml

        return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=False))

    def close(self) -> None:
        """End what is under way and both threads."""
        self._rendering.request()
        for thread in (self._plans, self._renders):
            if thread is not None:
                thread.close()
        self._plans = self._renders = None


def _context(request: DeployRequest) -> ExecutionContext:
    return ExecutionContext(working_directory=request.chart_path or str(paths.home()))


def _not_a_path(error: OSError | ValueError) -> UserError:
    """Return what to say of a text that no file system takes as a path: too long, or with a NUL in it."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UserError(
        msg("This folder cannot be read"), reason, msg("Choose the folder that holds Chart.yaml."), field="chart_path"
    )


def _problems(answer: object) -> tuple[Problem, ...]:
    if isinstance(answer, UserError):
        return (Problem(field=answer.field, title=answer.title, message=answer.message, hint=answer.hint),)
    return (Problem(field="", title=str(answer)),)
