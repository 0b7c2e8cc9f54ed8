"""Local checks of a pipeline that was read: no cluster, no process, nothing but the files it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.duration import duration_problem
from ansflow_desktop.models.names import namespace_problem, release_name_problem
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.pipelines.variables import undefined

Check: TypeAlias = "Callable[[str], Message | None]"

_COMMAND_LIMIT = 128 * 1024 - 1
_CHART_SOURCES = ("chart_name", "chart_path")
_MANIFEST_SOURCES = ("manifest", "manifest_files", "kustomize")


def validate(
    pipeline: Pipeline, given: Collection[str] = (), chosen: Collection[int] | None = None
) -> tuple[Problem, ...]:
    """Return the problems of `pipeline` that can be known before anything runs, in the order of the file.

    `given` are variables defined from outside (`-v`), `chosen` the indexes of the steps that will run (None: all).
    What depends on a variable is checked when the step runs. Disabled steps are checked too, but for variables.
    """
    problems = [] if pipeline.literal else undefined(pipeline, given, chosen)
    for index, step in enumerate(pipeline.steps):
        if chosen is None or index in chosen:
            problems.extend(step_problems(step, f"steps[{index}]", literal=pipeline.literal))
    return tuple(problems)


def step_problems(step: PipelineStep, field: str, *, literal: bool) -> Iterator[Problem]:
    """Yield the problems of one step; `literal` False leaves out texts that hold a variable."""
    yield from _text_problem(f"{field}.timeout", step.timeout, duration_problem, literal)
    if step.type is StepType.SHELL:
        yield from _command_problem(field, step.command)
        return
    yield from _text_problem(f"{field}.k8s_namespace", step.k8s_namespace, namespace_problem, literal)
    config = step.k8s_config
    for name, check in (("timeout", duration_problem), ("release_name", release_name_problem)):
        value = config.get(name)
        if isinstance(value, str) and (value or name == "release_name"):
            yield from _text_problem(f"{field}.k8s_config.{name}", value, check, literal, empty=True)
    if config.get("deploy_type") == "manifest":
        yield from _source_problem(field, config, _MANIFEST_SOURCES)
    elif config:
        yield from _chart_problem(field, config)


def _text_problem(field: str, text: str, check: Check, literal: bool, empty: bool = False) -> Iterator[Problem]:
    if (not text and not empty) or ("$" in text and not literal):
        return
    problem = check(text)
    if problem is not None:
        yield Problem(field=field, title=problem)


def _command_problem(field: str, command: str) -> Iterator[Problem]:
    if len(command.encode("utf-8", "surrogateescape")) > _COMMAND_LIMIT:
        title = msg("The command is longer than the 128 KiB that a program can be given")
        yield Problem(field=f"{field}.command", title=title, hint=msg("Put it into a script file and run that."))


def _source_problem(field: str, config: dict[str, object], sources: tuple[str, ...]) -> Iterator[Problem]:
    given = [name for name in sources if config.get(name)]
    if len(given) != 1:
        title: Text = msg("Exactly one of %(names)s is needed", names=", ".join(sources))
        yield Problem(field=f"{field}.k8s_config", title=title)


def _chart_problem(field: str, config: dict[str, object]) -> Iterator[Problem]:
    if not any(config.get(name) for name in _CHART_SOURCES):
        title = msg("One of %(names)s is needed", names=", ".join(_CHART_SOURCES))
        yield Problem(field=f"{field}.k8s_config", title=title)
