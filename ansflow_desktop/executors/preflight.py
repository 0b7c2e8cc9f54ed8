"""What can be told of a deploy request before anything runs: local, fast, next to the field it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.helm_deploy import values_problems
from ansflow_desktop.executors.planned import CONFIG
from ansflow_desktop.helm.charts import read_chart, refuse_library
from ansflow_desktop.helm.dependencies import check_repositories
from ansflow_desktop.helm.size import size_problems
from ansflow_desktop.i18n import Message, Text, msg, msg_n
from ansflow_desktop.models.chart import Chart
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.duration import duration_problem
from ansflow_desktop.models.names import namespace_problem, release_name_problem
from ansflow_desktop.models.pipeline import HelmDeploy
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.tools import require_helm, tool_warnings


class Clusters(Protocol):
    """What is asked of the cluster list; `kube.catalog.ClusterCatalog` is the real one."""

    def entries(self) -> tuple[ClusterEntry, ...]:
        """Return the clusters that can be chosen."""


def check_request(request: DeployRequest, tools: ToolSet, catalog: Clusters) -> tuple[Problem, ...]:
    """Return what is wrong with `request`; fields are those of DeployRequest (`values_files[0]`), `helm` for the tool.

    Only files are read; no process is started and no cluster asked.
    """
    return (
        *_helm(tools),
        *_chart(request.chart_path),
        *_cluster(request.cluster, catalog),
        *_text("namespace", request.namespace, namespace_problem, msg("The namespace cannot be used")),
        *_text("release_name", request.release_name, release_name_problem, msg("The release name cannot be used")),
        *_text("timeout", request.timeout, duration_problem, msg("The timeout cannot be used"), _duration_hint()),
        *_values(request),
    )


def _helm(tools: ToolSet) -> Iterable[Problem]:
    try:
        require_helm(tools)
    except UserError as error:
        return [_problem(error, "helm")]
    return tool_warnings(ToolSet(helm=tools.helm))


def _chart(path: str) -> Iterable[Problem]:
    if not path:
        title = msg("No chart is chosen")
        return [Problem(field="chart_path", title=title, hint=msg("Choose a folder that holds a Chart.yaml."))]
    try:
        chart = read_chart(path)
        refuse_library(chart)
        check_repositories(chart)
    except UserError as error:
        return [_problem(error, "chart_path")]
    return [*_missing(chart), *size_problems(chart.path, "chart_path")]


def _missing(chart: Chart) -> list[Problem]:
    missing = chart.missing
    if not missing:
        return []
    return [
        Problem(
            field="chart_path",
            title=msg_n("A dependency is missing", "%(count)d dependencies are missing", len(missing)),
            message=", ".join(dependency.name for dependency in missing),
            hint=msg("At the deploy they are fetched into a private copy; your folder stays as it is."),
            severity=Severity.INFO,
        )
    ]


def _cluster(name: str, catalog: Clusters) -> Iterable[Problem]:
    entries = {entry.name: entry for entry in catalog.entries()}
    if name in entries:
        return _entry(entries[name])
    title = msg("There is no cluster %(name)s", name=name) if name else msg("No cluster is chosen")
    hint = msg("Choose one of: %(names)s.", names=", ".join(list(entries)[:10]))
    none = msg("Add a kubeconfig file, or start the practice cluster.")
    return [Problem(field="cluster", title=title, hint=hint if entries else none)]


def _entry(entry: ClusterEntry) -> Iterable[Problem]:
    if not entry.problem:
        return []
    title = msg("The cluster %(name)s cannot be used", name=entry.name)
    return [Problem(field="cluster", title=title, message=entry.problem, hint=msg("Correct its kubeconfig entry."))]


def _text(
    field: str, text: str, check: Callable[[str], Message | None], title: Message, hint: Text = ""
) -> Iterable[Problem]:
    problem = check(text)
    return [Problem(field=field, title=title, message=problem, hint=hint)] if problem else []


def _duration_hint() -> Message:
    return msg("Write a number with its unit, such as 300s, 5m or 1h30m.")


def _values(request: DeployRequest) -> Iterable[Problem]:
    config = HelmDeploy(
        values_files=request.values_files, custom_values=request.custom_values, set_values=request.set_values
    )
    return [_bare(problem) for problem in values_problems(config, request.chart_path or "/")]


def _bare(problem: Problem) -> Problem:
    return Problem(
        field=problem.field.removeprefix(f"{CONFIG}."),
        title=problem.title,
        message=problem.message,
        hint=problem.hint,
        severity=problem.severity,
    )


def _problem(error: UserError, field: str) -> Problem:
    return Problem(field=field, title=error.title, message=error.message, hint=error.hint)
