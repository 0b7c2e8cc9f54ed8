"""Everything that can be told of a pipeline's text from files alone, within a keystroke: no cluster, no process.

Each problem names its field as the pipeline file does (`steps[1].k8s_config.custom_values`) and says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.checks_context import StepView, step_views
from ansflow_desktop.executors.checks_manifest import manifest_problems, texts_of
from ansflow_desktop.executors.helm_deploy import values_problems
from ansflow_desktop.executors.manifest_deploy import kustomization
from ansflow_desktop.executors.planned import CONFIG, decode, step_directory
from ansflow_desktop.helm.chart_files import ChartFiles, chart_files
from ansflow_desktop.helm.find import ChartRef, find_chart
from ansflow_desktop.helm.size import size_problems
from ansflow_desktop.helm.template_check import template_problems
from ansflow_desktop.helm.values_merge import SourceProblem, ValuesSource, coalesce, sources_of, user_values
from ansflow_desktop.helm.values_schema import schema_problems
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.openapi import Schemas
from ansflow_desktop.models.pipeline import Delete, HelmDeploy, ManifestDeploy, Pipeline, StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.codec import examine
from ansflow_desktop.pipelines.validate import validate

SchemasOf: TypeAlias = Callable[[str, str], Schemas | None]

_FILE_FIELDS = ("values_files", "chart_path", "chart_name", "manifest_files", "kustomize")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a local check knows beyond the text: names of clusters, Helm's major version, and known schemas.

    `clusters` None means that they are not known; `schemas` is asked for (cluster name, group version).
    """

    clusters: tuple[str, ...] | None = None
    helm_major: int = 4
    schemas: SchemasOf | None = None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a local check found; `views` are the steps where the text could be read at all."""

    problems: tuple[Problem, ...] = ()
    views: tuple[StepView, ...] = ()
    pipeline: Pipeline | None = None


def check_text(text: str, folder: str, around: Surroundings | None = None) -> Checked:
    """Return what is wrong with the pipeline in `text`; relative paths start in `folder` (absolute)."""
    read = examine(text, folder)
    if read.pipeline is None:
        return Checked(problems=read.problems)
    views = tuple(view for view in step_views(read.pipeline) if view.index not in read.unreadable)
    unread = tuple(f"steps[{index}]" for index in read.unreadable)
    found = [*read.problems, *(each for each in validate(read.pipeline) if not each.field.startswith(unread))]
    for view in views:
        found += step_problems(view, around or Surroundings())
    return Checked(problems=without_doubles(found), views=views, pipeline=read.pipeline)


def step_problems(view: StepView, around: Surroundings) -> list[Problem]:
    """Return what is wrong with one step beyond what `validate` says, fields from the file's top."""
    found = [*_cluster(view, around)]
    if view.step.type is not StepType.SHELL and view.known:
        try:
            found += _config_problems(view, around)
        except UserError as error:
            found.append(problem_of(error))
        except (OSError, ValueError) as error:  # a path that no file system takes
            title = msg("A path of this step cannot be used")
            found.append(Problem(field=CONFIG, title=title, message=str(error), hint=msg("Correct the path.")))
    if not view.placed and view.known:
        found = _without_files(found)
    return [below(view.field, problem) for problem in found]


def _config_problems(view: StepView, around: Surroundings) -> list[Problem]:
    config = decode(view.step)
    directory = step_directory(view.step, view.context)
    if isinstance(config, HelmDeploy):
        return helm_problems(config, directory, around.helm_major)
    if isinstance(config, ManifestDeploy):
        return _manifest(config, directory, view.step.k8s_cluster, around)
    if isinstance(config, Delete) and config.manifest:
        return list(manifest_problems(config.manifest, f"{CONFIG}.manifest", _no_schemas))
    return []


def _cluster(view: StepView, around: Surroundings) -> Iterator[Problem]:
    name = view.step.k8s_cluster
    if around.clusters is None or not name or name in around.clusters or "${" in name:
        return
    offered = ", ".join(around.clusters[:10])
    yield Problem(
        field="k8s_cluster",
        title=msg("There is no cluster %(name)s", name=name),
        hint=msg("Choose one of: %(names)s.", names=offered) if offered else msg("Add a kubeconfig file."),
    )


def helm_problems(config: HelmDeploy, directory: str, helm_major: int = 4) -> list[Problem]:
    """Return what files alone tell of a Helm deploy: chart, values, and the values against the chart's schema."""
    found = list(values_problems(config, directory))
    bad = {each.field.removeprefix(f"{CONFIG}.") for each in found if each.severity is Severity.ERROR}
    ref = _chart(config, directory, found)
    try:
        sources = sources_of(config, directory, helm_major=helm_major, skip=bad)
    except SourceProblem as error:
        title = msg("The values are not YAML that can be used")
        hint = msg("Correct the YAML.")
        return [*found, Problem(field=f"{CONFIG}.{error.field}", title=title, message=error.problem.text(), hint=hint)]
    if ref and ref.chart:
        found += [_of_step(each, config) for each in chart_check(chart_files(ref.chart.path), sources)]
    return found


def chart_check(chart: ChartFiles, sources: Sequence[ValuesSource]) -> tuple[Problem, ...]:
    """Return what a chart says against the values: its schemas first, and where these are content its templates."""
    values = coalesce(chart, user_values(sources))
    problems = schema_problems(chart, sources, values)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return problems
    whole = chart.whole and not any(dependency.imports for dependency in chart.dependencies)
    return (*problems, *(template_problems(chart, values) if whole else ()))


def _of_step(problem: Problem, config: HelmDeploy) -> Problem:
    """Name the chart by the field that the step has for it."""
    named = "chart_name" if problem.field == "chart_path" and not config.chart_path else problem.field
    return below(CONFIG, msgspec.structs.replace(problem, field=named))


def _chart(config: HelmDeploy, directory: str, found: list[Problem]) -> ChartRef | None:
    try:
        ref = find_chart(config, directory)
    except UserError as error:
        if config.chart_name or config.chart_path:  # none at all is told by `validate`
            found.append(below(CONFIG, problem_of(error)))
        return None
    if ref.chart:
        found += size_problems(ref.chart.path, f"{CONFIG}.chart_path")
    return ref


def _manifest(config: ManifestDeploy, directory: str, cluster: str, around: Surroundings) -> list[Problem]:
    if config.kustomize:
        kustomization(config, directory)
        return []

    def known(api_version: str) -> Schemas | None:
        return around.schemas(cluster, api_version) if around.schemas and cluster else None

    found: list[Problem] = []
    for field, text in texts_of(config, directory):
        found += [problem_of(text)] if isinstance(text, UserError) else manifest_problems(text, field, known)
    return found


def _no_schemas(_api_version: str) -> Schemas | None:
    return None


def _without_files(found: Iterable[Problem]) -> list[Problem]:
    """Claim nothing about files where the directory is only known when the step runs."""
    kept = [each for each in found if not each.field.removeprefix(f"{CONFIG}.").startswith(_FILE_FIELDS)]
    told = Problem(
        field=CONFIG,
        title=msg("The files of this step are checked when it runs"),
        message=msg("A shell step above it decides the directory."),
        hint=msg("Begin the shell step with a plain cd to a folder that exists, or give absolute paths."),
        severity=Severity.INFO,
    )
    return [*kept, told]


def below(field: str, problem: Problem) -> Problem:
    """Return `problem` with its field below `field`."""
    named = f"{field}.{problem.field}" if problem.field else field
    return msgspec.structs.replace(problem, field=named)


def problem_of(error: UserError) -> Problem:
    """Return an error as the problem of its field."""
    return Problem(field=error.field, title=error.title, message=error.message, hint=error.hint)


def without_doubles(found: Collection[Problem]) -> tuple[Problem, ...]:
    """Return the problems in order, each once; of two with the same field and title the first."""
    kept: dict[tuple[str, str, str], Problem] = {}
    for problem in found:
        kept.setdefault((problem.field, str(problem.title), str(problem.message)), problem)
    return tuple(kept.values())


def joined(local: Sequence[Problem], helms: Sequence[Problem], servers: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return all problems, ours first; a field that we named is not named again in others' words."""
    ours = {(problem.field, str(problem.title)) for problem in (*local, *helms)}
    refused = {problem.field for problem in local if problem.severity is Severity.ERROR}
    later = [each for each in helms if not (each.field in refused and each.severity is Severity.ERROR)]
    return without_doubles([*local, *later, *(each for each in servers if (each.field, str(each.title)) not in ours)])
