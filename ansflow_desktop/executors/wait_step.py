"""Plans `k8s_wait`: until a condition, a rollout or a value is there, or an object is there or gone."""

from __future__ import annotations

import enum
from pathlib import Path

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.kubectl import Kubectl
from ansflow_desktop.executors.objects_names import FIELD, ObjectName, parse_object
from ansflow_desktop.executors.objects_run import kubectl_of, waiting
from ansflow_desktop.executors.planned import CONFIG, StepPlan, require_namespace
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.command import Command, KubeTarget, Tool, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, Wait
from ansflow_desktop.pipelines import kinds, targets

_CREATE_SINCE = (1, 31)  # the first kubectl whose `wait` takes --for=create


class Goal(enum.Enum):
    """What is waited for; the value is the field's name in the file."""

    CONDITION = "condition"
    ROLLOUT = "rollout"
    JSONPATH = "jsonpath"
    DELETED = "deleted"
    CREATED = "created"


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """A checked k8s_wait step: the object, the goal, and the seconds to wait.

    `subject` is the condition's type or the JSONPath (without braces), `value` what it must be (None: any value).
    """

    found: ObjectName
    goal: Goal
    seconds: float
    subject: str = ""
    value: str | None = None

    @property
    def wanted(self) -> Message:
        """What is waited for, for a sentence."""
        parts = {"subject": self.subject, "value": self.value or ""}
        if self.goal is Goal.CONDITION:
            return msg("condition %(subject)s=%(value)s", **parts)
        if self.goal is Goal.JSONPATH:
            return msg("%(subject)s=%(value)s", **parts) if self.value else msg("a value of %(subject)s", **parts)
        words = {
            Goal.ROLLOUT: msg("the end of its rollout"),
            Goal.DELETED: msg("its deletion"),
            Goal.CREATED: msg("its creation"),
        }
        return words[self.goal]


def plan_wait(
    step: PipelineStep, config: Wait, context: ExecutionContext, tools: ToolSet, target: KubeTarget, folder: Path
) -> StepPlan:
    """Return what a wait step will run; raises UserError naming the field at fault."""
    del folder
    awaited, namespace = check_wait(step, config), require_namespace(step)
    kubectl = kubectl_of(step, context, tools, target)
    require_create(awaited, kubectl.tool)
    command = wait_command(kubectl, awaited, namespace, awaited.seconds)
    return StepPlan(commands=(command,), namespace=namespace, timeout=awaited.seconds)


def check_wait(step: PipelineStep, config: Wait) -> Awaited:
    """Return what the step waits for; raises UserError naming the field that cannot be carried out."""
    found = parse_object(step.k8s_resource_name)
    seconds = parse_duration(config.timeout, f"{CONFIG}.timeout")
    given = [goal for goal in Goal if getattr(config, goal.value)]
    if len(given) != 1:
        names = ", ".join(goal.value for goal in given) or "-"
        raise UserError(
            msg("Give one of condition, rollout, jsonpath, deleted and created"),
            msg("Given: %(names)s.", names=names),
            field=f"{CONFIG}.{given[1].value if given else 'condition'}",
        )
    subject, value = _subject(config, given[0])
    if given[0] is Goal.ROLLOUT:
        _require_rollout(found)
    return Awaited(found=found, goal=given[0], seconds=seconds, subject=subject, value=value)


def _subject(config: Wait, goal: Goal) -> tuple[str, str | None]:
    if goal is Goal.CONDITION:
        problem = targets.condition_name_problem(config.condition)
        if problem is not None:
            raise UserError(msg("The condition cannot be used"), problem, field=f"{CONFIG}.condition")
        name, _, value = config.condition.strip().partition("=")
        return name, value or "True"
    if goal is Goal.JSONPATH:
        split = targets.split_jsonpath(config.jsonpath)
        if split is None:
            problem = targets.jsonpath_problem(config.jsonpath)
            raise UserError(msg("The JSONPath cannot be used"), problem or "", field=f"{CONFIG}.jsonpath")
        return split.path, split.value
    return "", None


def _require_rollout(found: ObjectName) -> None:
    known = kinds.traits(found.kind)
    if known is None or not known.rollout:
        raise UserError(
            msg("%(kind)s has no rollout", kind=found.kind),
            msg("Deployments, StatefulSets and DaemonSets have one."),
            msg("Wait for a condition or a jsonpath instead."),
            field=FIELD,
        )


def require_create(awaited: Awaited, tool: Tool) -> None:
    """Raise UserError where this kubectl cannot wait for a creation."""
    numbers = [int(part) if part.isdigit() else 0 for part in tool.version.split(".")[:2]]
    if awaited.goal is Goal.CREATED and tuple(numbers) < _CREATE_SINCE:
        raise UserError(
            msg("kubectl %(version)s cannot wait for a creation", version=tool.version),
            "",
            msg("Use kubectl 1.31 or newer."),
            field=f"{CONFIG}.created",
        )


def wait_command(kubectl: Kubectl, awaited: Awaited, namespace: str, seconds: float) -> Command:
    """Return the kubectl call that waits; `seconds` is what is left of the timeout."""
    if awaited.goal is Goal.ROLLOUT:
        return waiting(kubectl, ("rollout", "status", awaited.found.argument), namespace, seconds, "wait")
    return waiting(kubectl, ("wait", f"--for={_for(awaited)}", awaited.found.argument), namespace, seconds, "wait")


def _for(awaited: Awaited) -> str:
    if awaited.goal is Goal.CONDITION:
        value = "" if awaited.value == "True" else f"={awaited.value}"
        return f"condition={awaited.subject}{value}"
    if awaited.goal is Goal.JSONPATH:
        value = f"={awaited.value}" if awaited.value else ""
        return f"jsonpath={{{awaited.subject}}}{value}"
    return "delete" if awaited.goal is Goal.DELETED else "create"
