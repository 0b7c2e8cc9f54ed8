"""Plans a `k8s_deploy` step in Helm mode: the chart, its dependencies, and the one helm command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.planned import CONFIG, StepPlan, require_namespace, step_directory
from ansflow_desktop.helm import commands
from ansflow_desktop.helm.charts import default_release_name
from ansflow_desktop.helm.dependencies import Preparation, prepare
from ansflow_desktop.helm.find import ChartRef, absolute, find_chart
from ansflow_desktop.helm.size import size_problems
from ansflow_desktop.helm.values import values_file_problems, values_text_problems
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.names import release_name_problem
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, PipelineStep
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.practice import pins
from ansflow_desktop.tools import require_helm, tool_warnings


def plan_helm(
    step: PipelineStep, config: HelmDeploy, context: ExecutionContext, tools: ToolSet, target: KubeTarget, folder: Path
) -> StepPlan:
    """Return the plan of a Helm deploy; `folder` is where a private copy of the chart would go. Nothing is written.

    Raises UserError naming the field at fault.
    """
    helm = require_helm(tools)
    directory = step_directory(step, context)
    namespace = require_namespace(step)
    seconds = parse_duration(config.timeout, f"{CONFIG}.timeout")
    with _fields_of_config():
        own = find_chart(config, directory)
    release = release_name(config, own)
    problems = values_problems(config, directory)
    _raise_first(problems)
    with _fields_of_config():
        preparation = prepare(helm, own.chart, folder, update=config.dependency_update) if own.chart else None
    ref = msgspec.structs.replace(own, cwd=preparation.chart) if preparation else own
    deploy = commands.upgrade(helm, ref, config, target, namespace, release=release, working_directory=directory)
    sizes = size_problems(own.chart.path, f"{CONFIG}.chart_path") if own.chart else ()
    warnings = [*tool_warnings(ToolSet(helm=helm)), *problems, *sizes]
    return StepPlan(
        commands=(*(preparation.commands if preparation else ()), _for_step(deploy, step)),
        notices=(*_sentences(warnings), *ref.warnings, *_about_dependencies(config, preparation), *_overridden()),
        chart=ref.chart,
        namespace=namespace,
        release=release,
        decisions=ref.decisions,
        preparation=preparation,
        keeps_values=keeps_values(config),
        timeout=seconds,
        shown=_as_typed(deploy, own, fetch=preparation is not None),
        template=commands.template(
            helm,
            ref,
            config,
            namespace,
            release=release,
            directory=directory,
            kube_version=pins.version("kubernetes"),
        ),
    )


def _about_dependencies(config: HelmDeploy, preparation: Preparation | None) -> tuple[Text, ...]:
    if preparation:
        return (preparation.notice,)
    if config.dependency_update:
        return (msg("dependency_update changes nothing here: the chart has no dependencies, or brings them packed."),)
    return ()


@contextlib.contextmanager
def _fields_of_config() -> Iterator[None]:
    """Name a chart's fields in full: what reads charts does not know of steps."""
    try:
        yield
    except UserError as error:
        error.field = f"{CONFIG}.{error.field}"
        raise


def _as_typed(deploy: Command, ref: ChartRef, *, fetch: bool) -> Command:
    """Return the deploy as a person would type it in the chart's own folder, where helm fetches what is missing."""
    if not fetch:
        return deploy
    place = deploy.argv.index("--namespace")
    argv = (*deploy.argv[:place], "--dependency-update", *deploy.argv[place:])
    masked = tuple(index + 1 for index in deploy.masked)
    return msgspec.structs.replace(deploy, argv=argv, masked=masked, cwd=ref.cwd)


def release_name(config: HelmDeploy, ref: ChartRef) -> str:
    """Return the release's name: as given, or `<chart>-release`; raises UserError naming `release_name`."""
    name = default_release_name(ref.name) if config.release_name is None else config.release_name
    problem = release_name_problem(name)
    if problem:
        raise UserError(
            msg("The release name cannot be used"),
            problem,
            msg("Correct the release name, such as %(name)s.", name=default_release_name(ref.name)),
            field=f"{CONFIG}.release_name",
        )
    return name


def keeps_values(config: HelmDeploy) -> bool:
    """Return whether helm would silently keep the release's own values (row 11): none given, and no reset asked for."""
    given = config.values_files or config.custom_values.strip() or config.set_values
    return config.upgrade and not given and not config.reset_values


def values_problems(config: HelmDeploy, directory: str) -> tuple[Problem, ...]:
    """Return what is wrong with the step's values, by field: `values_files[0]`, `custom_values`, `set_values[0]`."""
    found: list[Problem] = []
    for index, path in enumerate(config.values_files):
        found += values_file_problems(absolute(path, directory), f"{CONFIG}.values_files[{index}]")
    if config.custom_values:
        found += values_text_problems(config.custom_values, f"{CONFIG}.custom_values")
    for index, text in enumerate(config.set_values):
        found += [] if text.partition("=")[1] and text[0] != "=" else [_no_assignment(index, text)]
    return tuple(found)


def _no_assignment(index: int, text: str) -> Problem:
    return Problem(
        field=f"{CONFIG}.set_values[{index}]",
        title=msg("%(text)s is no assignment", text=text or '""'),
        hint=msg("Write KEY=VALUE."),
    )


def _raise_first(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        if problem.severity is Severity.ERROR:
            raise UserError(problem.title, problem.message, problem.hint, field=problem.field)


def _sentences(problems: list[Problem]) -> tuple[Text, ...]:
    return tuple(msg("%(title)s: %(message)s", title=problem.title, message=problem.message) for problem in problems)


def _overridden() -> tuple[Text, ...]:
    names = commands.overridden(os.environ)
    if not names:
        return ()
    return (msg("Set in the environment, but not used for this deploy: %(names)s.", names=", ".join(names)),)


def _for_step(command: Command, step: PipelineStep) -> Command:
    """Lay the step's own environment below ours, and let its outer deadline shorten the command's."""
    limits = [command.timeout, parse_duration(step.timeout, "timeout") if step.timeout else None]
    timeout = min(limit for limit in limits if limit is not None)
    return msgspec.structs.replace(command, env={**step.env, **command.env}, timeout=timeout)
