"""How the fields of one step go together: what its kind of object can do, and what contradicts or does nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.duration import duration_problem, parse_duration
from ansflow_desktop.models.pipeline import PipelineStep, StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines import kinds
from ansflow_desktop.pipelines.shell_places import Place
from ansflow_desktop.pipelines.targets import shown, split_resource
from ansflow_desktop.pipelines.variables import has_variable, names_in, shell_places

Check: TypeAlias = "Callable[[PipelineStep, str], Iterator[Problem]]"

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh"})
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$\{[A-Za-z_]", re.ASCII)


def together_problems(step: PipelineStep, place: str, *, literal: bool) -> Iterator[Problem]:
    """Yield what is wrong between the fields of `step`; a field that holds a variable is left for the run."""
    yield from _repetition(step, place)
    yield from _deadlines(step, place)
    check = _CHECKS.get(step.type)
    if check is None:
        return
    yield from (one for one in check(step, place) if literal or not _depends(step, one.field.removeprefix(place)))


def _depends(step: PipelineStep, path: str) -> bool:
    """Say whether a variable is in the field at `path` or in the name of the object."""
    value = step.k8s_config.get(path.removeprefix("k8s_config."), "")
    texts = (step.k8s_resource_name, value if isinstance(value, str) and path != _COMMAND else "")
    return any(map(has_variable, texts))


_COMMAND = "k8s_config.command"


def _repetition(step: PipelineStep, place: str) -> Iterator[Problem]:
    if step.retry_delay and not step.retries and "retries" not in step.deferred:
        title = msg("retry_delay is not used: there are no retries")
        yield Problem(field=f"{place}retry_delay", title=title, severity=Severity.INFO)


def _deadlines(step: PipelineStep, place: str) -> Iterator[Problem]:
    """Warn of a deadline below the wait: it ends the step whatever it waits for."""
    outer, inner = step.timeout, step.k8s_config.get("timeout")
    if not isinstance(inner, str) or any(not text or duration_problem(text) for text in (outer, inner)):
        return
    if parse_duration(outer) < parse_duration(inner):
        title = msg(
            "The step is stopped after %(outer)s, before k8s_config.timeout (%(inner)s)", outer=outer, inner=inner
        )
        hint = msg("Give timeout more than k8s_config.timeout.")
        yield Problem(field=f"{place}timeout", title=title, hint=hint, severity=Severity.WARNING)


def _object_problem(place: str, title: Message, hint: Message | str = "") -> Problem:
    return Problem(field=f"{place}k8s_resource_name", title=title, hint=hint)


def _scale(step: PipelineStep, place: str) -> Iterator[Problem]:
    kind = split_resource(step.k8s_resource_name).kind
    known = kinds.traits(kind)
    if known is not None and not known.scalable:
        hint = msg("Name a deployment, statefulset or replicaset.")
        yield _object_problem(place, msg("A %(kind)s has no number of replicas", kind=known.name), hint)


def _pods(step: PipelineStep, place: str) -> Iterator[Problem]:
    known = kinds.traits(split_resource(step.k8s_resource_name).kind) if step.k8s_resource_name else None
    if known is not None and not known.has_pods:
        hint = msg("Name a pod, or a workload such as a deployment.")
        yield _object_problem(place, msg("A %(kind)s has no pods", kind=known.name), hint)


def _exec(step: PipelineStep, place: str) -> Iterator[Problem]:
    yield from _pods(step, place)
    command = step.k8s_config.get("command")
    if isinstance(command, str):
        yield from _unquoted(command, f"{place}{_COMMAND}")
    elif isinstance(command, list | tuple):
        yield from _script_in_list([word for word in command if isinstance(word, str)], f"{place}{_COMMAND}")


def _unquoted(command: str, field: str) -> Iterator[Problem]:
    """Warn of a variable whose value cannot be quoted; what is no variable at all is said by others."""
    try:
        found = names_in(command) and shell_places(command)
    except UserError:
        return
    if Place.OTHER in found:
        title = msg("A variable stands in a here-document, a comment or backticks, where its value cannot be quoted")
        hint = msg("The step fails for a value with special characters. Use the variable in an argument of a command.")
        yield Problem(field=field, title=title, hint=hint, severity=Severity.WARNING)


def _script_in_list(words: list[str], field: str) -> Iterator[Problem]:
    """Warn of a variable in a script for `sh -c` that is written as a list: its value would be run."""
    is_script = len(words) > 2 and words[0].rpartition("/")[2] in _SHELLS and words[1].endswith("c")
    if is_script and words[1].startswith("-") and _VARIABLE.search(words[2]):
        title = msg("The value of a variable becomes part of the script and is run with it")
        hint = msg("Write the command as a text, or use $1 in the script and add the variable as an argument.")
        yield Problem(field=field, title=title, hint=hint, severity=Severity.WARNING)


def _logs(step: PipelineStep, place: str) -> Iterator[Problem]:
    yield from _pods(step, place)
    config = step.k8s_config
    if config.get("previous") is True and (config.get("follow") is True or config.get("until")):
        title = msg("The log of an earlier run cannot be followed")
        hint = msg("Give either previous or follow (until means following).")
        yield Problem(field=f"{place}k8s_config.previous", title=title, hint=hint)


def _delete(step: PipelineStep, place: str) -> Iterator[Problem]:
    config = step.k8s_config
    if config.get("kinds") and not config.get("selector"):
        title = msg("kinds is not used: it belongs to a selector")
        yield Problem(field=f"{place}k8s_config.kinds", title=title, severity=Severity.INFO)
    grace = config.get("grace_period")
    if config.get("force") is True and isinstance(grace, int) and grace > 0:
        title = msg("force and a grace period above 0 contradict each other")
        hint = msg("Take grace_period out, or force.")
        yield Problem(field=f"{place}k8s_config.grace_period", title=title, hint=hint)


def _wait(step: PipelineStep, place: str) -> Iterator[Problem]:
    kind = split_resource(step.k8s_resource_name).kind
    known = kinds.traits(kind)
    if known is None or not step.k8s_resource_name:
        return
    if step.k8s_config.get("rollout") is True and not known.rollout:
        hint = msg("Name a deployment, statefulset or daemonset.")
        yield _object_problem(place, msg("A %(kind)s has no rollout", kind=known.name), hint)
    condition = step.k8s_config.get("condition")
    if isinstance(condition, str) and condition and known.conditions is not None:
        yield from _condition(condition.partition("=")[0], known, f"{place}k8s_config.condition")


def _condition(name: str, known: kinds.KindTraits, field: str) -> Iterator[Problem]:
    """Warn of a condition that will never come (failure-modes.md, row 24: a misspelt one just times out)."""
    names = known.conditions or ()
    if name.lower() in {one.lower() for one in names}:
        return
    if not names:
        title = msg("A %(kind)s reports no conditions", kind=known.name)
        hint = msg("Wait for its rollout, or for a value by jsonpath.") if known.rollout else msg("Use jsonpath.")
        yield Problem(field=field, title=title, hint=hint, severity=Severity.WARNING)
        return
    title = msg("%(name)s is no condition that a %(kind)s usually reports", name=shown(name), kind=known.name)
    near = difflib.get_close_matches(name.lower(), {one.lower(): one for one in names}, n=1)
    found = next((one for one in names if near and one.lower() == near[0]), "")
    hint = msg("Did you mean %(name)s?", name=found) if found else msg("Known: %(names)s.", names=", ".join(names))
    yield Problem(field=field, title=title, hint=hint, severity=Severity.WARNING)


_CHECKS: dict[StepType, Check] = {
    StepType.K8S_SCALE: _scale,
    StepType.K8S_DELETE: _delete,
    StepType.K8S_WAIT: _wait,
    StepType.K8S_EXEC: _exec,
    StepType.K8S_LOGS: _logs,
}
