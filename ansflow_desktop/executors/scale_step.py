"""Plans `k8s_scale`: how many replicas a Deployment, StatefulSet or ReplicaSet has."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.kubectl import Kubectl
from ansflow_desktop.executors.objects_names import FIELD, parse_object
from ansflow_desktop.executors.objects_run import call, kubectl_of, waiting
from ansflow_desktop.executors.planned import CONFIG, StepPlan, require_namespace
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, Scale

_KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "replicaset": "ReplicaSet"}
_ALIASES = {"deploy": "deployment", "sts": "statefulset", "rs": "replicaset"}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A checked k8s_scale step: the workload (`kind` as the API writes it), its count, and the seconds to wait."""

    kind: str
    name: str
    replicas: int
    seconds: float

    @property
    def argument(self) -> str:
        """`kind/name` for kubectl."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def label(self) -> str:
        """`Kind name`, for people."""
        return f"{self.kind} {self.name}"


def plan_scale(
    step: PipelineStep, config: Scale, context: ExecutionContext, tools: ToolSet, target: KubeTarget, folder: Path
) -> StepPlan:
    """Return what a scale step will run; raises UserError naming the field at fault."""
    del folder
    wanted, namespace = check_scale(step, config), require_namespace(step)
    kubectl = kubectl_of(step, context, tools, target)
    commands = [scale_command(kubectl, wanted, namespace)]
    if config.wait and wanted.replicas:
        commands.append(rollout_command(kubectl, wanted, namespace, wanted.seconds))
    notices = [_RELEASED, *([_WAITS] if config.wait else [])]
    return StepPlan(commands=tuple(commands), notices=tuple(notices), namespace=namespace, timeout=wanted.seconds)


_RELEASED: Message = msg(
    "Where Helm 4 or a manifest deploy of AnsFlow made the workload, kubectl's claim on .spec.replicas is given up "
    "afterwards, so that the next deploy does not stop with a conflict."
)
_WAITS: Message = msg("Then it is waited until no pods are left over.")


def check_scale(step: PipelineStep, config: Scale) -> Wanted:
    """Return what the step asks for; raises UserError naming the field that cannot be carried out."""
    found = parse_object(step.k8s_resource_name)
    word = found.kind.removesuffix(".apps")
    kind = _KINDS.get(_ALIASES.get(word, word.removesuffix("s")))
    if kind is None:
        raise UserError(
            msg("%(kind)s cannot be scaled", kind=found.kind),
            msg("Deployments, StatefulSets and ReplicaSets can."),
            msg("Write deployment/NAME, statefulset/NAME or replicaset/NAME."),
            field=FIELD,
        )
    return Wanted(
        kind=kind,
        name=found.name,
        replicas=_replicas(config.replicas),
        seconds=parse_duration(config.timeout, f"{CONFIG}.timeout"),
    )


def _replicas(number: int | None) -> int:
    if number is not None and 0 <= number < 2**31:
        return number
    words = msg("It is missing.") if number is None else msg("It is %(number)s.", number=str(number))
    hint = msg("Give the number of replicas: 0 or more.")
    raise UserError(msg("The number of replicas cannot be used"), words, hint, field=f"{CONFIG}.replicas")


def scale_command(kubectl: Kubectl, wanted: Wanted, namespace: str) -> Command:
    """Set the number of replicas."""
    return call(kubectl, ("scale", wanted.argument, f"--replicas={wanted.replicas}"), namespace, "scale")


def rollout_command(kubectl: Kubectl, wanted: Wanted, namespace: str, seconds: float) -> Command:
    """Wait until the workload is rolled out; a ReplicaSet has no rollout: its ready replicas are counted."""
    if wanted.kind == "ReplicaSet":
        return ready_command(kubectl, wanted, namespace, seconds)
    return waiting(kubectl, ("rollout", "status", wanted.argument), namespace, seconds, "wait")


def ready_command(kubectl: Kubectl, wanted: Wanted, namespace: str, seconds: float) -> Command:
    """Wait until that many replicas are ready, for workloads of which kubectl cannot tell the rollout."""
    goal = f"--for=jsonpath={{.status.readyReplicas}}={wanted.replicas}"
    return waiting(kubectl, ("wait", goal, wanted.argument), namespace, seconds, "wait")


def release_command(kubectl: Kubectl, wanted: Wanted, namespace: str, patch: str) -> Command:
    """Give up what kubectl's scale call holds of the object's fields."""
    return call(kubectl, ("patch", wanted.argument, "--type=json", f"--patch={patch}"), namespace, "patch")
