"""What the Deploy page shows, as data."""

from __future__ import annotations

import enum
from pathlib import Path

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text
from ansflow_desktop.models.chart import Chart
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.run_view import RunView


class ValuesChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A values file of the ordered list: absolute `path`, how it is shown, `used` when ticked, `found` in the chart."""

    path: str
    shown: str
    used: bool = False
    found: bool = True


class PreviewStatus(enum.StrEnum):
    """How the manifest stands: old text is never shown as the present one."""

    NONE = "none"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The rendered manifest, or why there is none: `problems` in helm's words.

    `known` are the texts that its Secrets hold, to be taken out of the commands: they are never shown.
    """

    status: PreviewStatus = PreviewStatus.NONE
    text: str = ""
    objects: int = 0
    problems: tuple[Problem, ...] = ()
    known: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Say how it stands: it holds secrets."""
        return f"Preview({self.status.value}, objects={self.objects}, problems={len(self.problems)})"


class DeployState(msgspec.Struct, frozen=True, kw_only=True):
    """The form, what follows from it, and the run. Paths are absolute, `timeout` is a duration text.

    `command` is the command as shown, `copy_text` as pasted, `fetches` which dependencies are fetched first; `kept` are
    the live release's own values as YAML, which helm keeps silently when none are given (failure-modes.md, row 11).
    """

    cluster: str = ""
    chart_path: str = ""
    chart: Chart | None = None
    chart_error: UserError | None = None
    reading: bool = False
    release_name: str = ""
    namespace: str = ""
    values: tuple[ValuesChoice, ...] = ()
    custom_values: str = ""
    wait: bool = True
    timeout: str = "300s"
    rollback: bool = False
    reset_values: bool = False
    namespace_list: NamespaceList | None = None
    recent: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    planned: bool = False
    command: str = ""
    copy_text: str = ""
    fetches: Text = ""
    preview: Preview = Preview()
    kept: str = ""
    run: RunView | None = None
    read_only: bool = False

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that are offered."""
        return self.namespace_list.names if self.namespace_list else ()

    @property
    def request(self) -> DeployRequest:
        """The form as the request that is planned, previewed and run."""
        return DeployRequest(
            chart_path=self.chart_path,
            cluster=self.cluster,
            namespace=self.namespace,
            release_name=self.release_name,
            values_files=tuple(choice.path for choice in self.values if choice.used),
            custom_values=self.custom_values,
            reset_values=self.reset_values,
            wait=self.wait,
            timeout=self.timeout,
            rollback=self.rollback,
        )

    @property
    def running(self) -> bool:
        """True while a deploy of this page runs."""
        return self.run is not None and self.run.running

    @property
    def gives_values(self) -> bool:
        """True when values are given: then helm does not keep the release's own."""
        return bool(self.custom_values.strip()) or any(choice.used for choice in self.values)

    @property
    def can_deploy(self) -> bool:
        """True when nothing known stands in the way."""
        errors = any(problem.severity is Severity.ERROR for problem in self.problems)
        return bool(self.planned and self.chart and self.cluster and not errors and not self.running) and (
            not self.read_only
        )

    def problems_of(self, *fields: str) -> tuple[Problem, ...]:
        """Return the problems of these fields; `steps[1].k8s_config.values_files[0]` counts as `values_files`.

        Before a chart folder is chosen there are none to tell: nobody has done anything wrong yet.
        """
        if not self.chart_path:
            return ()
        return tuple(problem for problem in self.problems if last_part(problem.field) in fields)

    def problems_elsewhere(self, *fields: str) -> tuple[Problem, ...]:
        """Return the problems that belong to none of these fields."""
        if not self.chart_path:
            return ()
        return tuple(problem for problem in self.problems if last_part(problem.field) not in fields)


def last_part(field: str) -> str:
    """Return the field's own name without its path and index."""
    return field.rsplit(".", 1)[-1].split("[", 1)[0]


def merged_values(chart: Chart | None, old: tuple[ValuesChoice, ...]) -> tuple[ValuesChoice, ...]:
    """Return the list for `chart`: files that were added by hand stay, those of another chart go, found ones come."""
    if chart is None:
        return tuple(choice for choice in old if not choice.found)
    found = {str(Path(chart.path) / name): name for name in chart.values_files}
    kept = tuple(choice for choice in old if choice.path in found or not choice.found)
    known = {choice.path for choice in kept}
    return (*kept, *(ValuesChoice(path=path, shown=name) for path, name in found.items() if path not in known))
