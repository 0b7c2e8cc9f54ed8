"""What each single field of a step takes, by the kind in its definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.duration import duration_problem
from ansflow_desktop.models.names import container_problem, namespace_problem, release_name_problem
from ansflow_desktop.models.pipeline import PipelineStep, StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines import fields, kinds, targets
from ansflow_desktop.pipelines.conditions import condition_error
from ansflow_desktop.pipelines.definitions import applies, bounds_problem
from ansflow_desktop.pipelines.step_values import Given, values_of
from ansflow_desktop.pipelines.variables import has_variable

Check: TypeAlias = "Callable[[str], Message | None]"

COMMAND_LIMIT = 128 * 1024 - 1

_BY_KIND: dict[str, Check] = {
    "duration": duration_problem,
    "namespace": namespace_problem,
    "resource": targets.resource_problem,
    "selector": targets.selector_problem,
    "container": container_problem,
}
_BY_KEY: dict[str, Check] = {
    "release_name": release_name_problem,
    "condition": targets.condition_name_problem,
    "jsonpath": targets.jsonpath_problem,
    "until": targets.pattern_problem,
}
_EMPTY_IS_WRONG = frozenset({"release_name"})  # left out it is <chart>-release; empty is a mistake


def field_problems(step: PipelineStep, place: str, *, literal: bool) -> Iterator[Problem]:
    """Yield what is wrong with the single fields of `step`; `place` goes in front of their paths."""
    for one in values_of(step):
        if one.value is not None and applies(one.parameter, step.k8s_config) and not one.is_open(literal):
            yield from _problems(one, place + one.path, literal)
    if step.when and not literal:
        yield from _condition_problem(step.when, f"{place}when")
    if step.type is StepType.SHELL:
        yield from command_problem(step.command, f"{place}command")


def _problems(one: Given, field: str, literal: bool) -> Iterator[Problem]:
    kind = one.parameter.kind
    if kind == "integer":
        yield from _number_problem(one, field)
    elif kind == "choice":
        yield from _choice_problem(one, field)
    elif kind == "kinds":
        yield from _kinds_problems(one.value, field, literal)
    elif kind == "command":
        yield from _argument_problems(one.value, field)
    elif isinstance(one.value, str):
        yield from _text_problem(one, field)


def _text_problem(one: Given, field: str) -> Iterator[Problem]:
    key, kind = one.parameter.key, one.parameter.kind
    check = _BY_KEY.get(key) or _BY_KIND.get(kind)
    if check is None or (not one.value and key not in _EMPTY_IS_WRONG):
        return
    problem = check(one.value)
    if problem is not None:
        hint = msg("A variable is written as its name in braces after a dollar sign.") if "$" in one.value else ""
        yield Problem(field=field, title=problem, hint=hint)
    elif kind == "resource":
        yield from _unknown_kind(targets.split_resource(one.value).kind, field)


def _unknown_kind(kind: str, field: str) -> Iterator[Problem]:
    near = kinds.nearest(kind)
    if near:
        title = msg("%(kind)s is no kind that Kubernetes brings along", kind=targets.shown(kind))
        hint = msg("Did you mean %(name)s?", name=near)
        yield Problem(field=field, title=title, hint=hint, severity=Severity.WARNING)


def _number_problem(one: Given, field: str) -> Iterator[Problem]:
    if isinstance(one.value, bool) or not isinstance(one.value, int):
        yield Problem(field=field, title=msg("%(field)s must be a whole number", field=field))
        return
    problem = bounds_problem(one.parameter, one.value)
    if problem is not None:
        yield Problem(field=field, title=problem)


def _choice_problem(one: Given, field: str) -> Iterator[Problem]:
    known = [choice.value for choice in one.parameter.choices]
    if one.value not in known and one.value != "":
        title = msg("%(field)s cannot be %(value)s", field=one.parameter.key, value=targets.shown(str(one.value)))
        yield Problem(field=field, title=title, hint=fields.suggestion(str(one.value)[:80], known))


def _kinds_problems(value: Any, field: str, literal: bool) -> Iterator[Problem]:
    for index, kind in enumerate(value if isinstance(value, list | tuple) else ()):
        place = f"{field}[{index}]"
        if not literal and has_variable(kind):
            continue
        problem = targets.kind_problem(kind)
        if problem is not None:
            yield Problem(field=place, title=problem)
        else:
            yield from _unknown_kind(kind, place)


def _argument_problems(value: Any, field: str) -> Iterator[Problem]:
    if isinstance(value, str):
        yield from command_problem(value, field)
        return
    if value and not value[0]:
        yield Problem(field=f"{field}[0]", title=msg("The program to run is empty"))
    for index, argument in enumerate(value):
        yield from command_problem(argument, f"{field}[{index}]")


def command_problem(command: str, field: str) -> Iterator[Problem]:
    """Yield a problem for a text that is longer than one argument of a program can be (Linux: 128 KiB)."""
    if len(command.encode("utf-8", "surrogateescape")) > COMMAND_LIMIT:
        title = msg("The command is longer than the 128 KiB that a program can be given")
        yield Problem(field=field, title=title, hint=msg("Put it into a script file and run that."))


def _condition_problem(text: str, field: str) -> Iterator[Problem]:
    error = condition_error(text)
    if error is not None:
        yield Problem(field=field, title=error.title, hint=error.hint)
