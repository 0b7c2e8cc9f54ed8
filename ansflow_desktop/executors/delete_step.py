"""Plans `k8s_delete`: objects by name, by label or as a manifest names them, and nothing outside the namespace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.kubectl import Kubectl
from ansflow_desktop.executors.manifest_documents import ManifestObject, read_objects
from ansflow_desktop.executors.objects_names import FIELD, ObjectName, checked_kind, checked_selector, parse_object
from ansflow_desktop.executors.objects_run import call, kubectl_of, waiting
from ansflow_desktop.executors.planned import CONFIG, StepPlan, require_namespace
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import Delete, ExecutionContext, PipelineStep
from ansflow_desktop.pipelines import kinds, targets

DEFAULT_KINDS = (
    "deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob", "pod", "service", "ingress", "configmap",
    "horizontalpodautoscaler",
)  # fmt: skip
"""What a selector deletes where no kinds are named: never secrets or volume claims."""
MOST_AT_ONCE = 100
_PROPAGATIONS = ("background", "foreground", "orphan")
_PROTECTED = ("default", "kube-system", "kube-public", "kube-node-lease")


class Doomed(msgspec.Struct, frozen=True, kw_only=True):
    """A checked k8s_delete step: named objects (of `k8s_resource_name` or of a manifest), or a selector with kinds.

    `own_kinds` is True where the step itself names the kinds. `field` is where the objects come from.
    """

    named: tuple[ObjectName, ...] = ()
    selector: str = ""
    kinds: tuple[str, ...] = ()
    own_kinds: bool = False
    field: str
    seconds: float

    @property
    def is_namespace(self) -> bool:
        """True where the whole namespace goes."""
        return len(self.named) == 1 and self.field == FIELD and _is_namespace(self.named[0].kind)


def plan_delete(
    step: PipelineStep, config: Delete, context: ExecutionContext, tools: ToolSet, target: KubeTarget, folder: Path
) -> StepPlan:
    """Return what a delete step will run; raises UserError naming the field at fault."""
    del folder
    namespace = require_namespace(step)
    doomed = check_delete(step, config)
    kubectl = kubectl_of(step, context, tools, target)
    if doomed.selector:
        commands = [list_command(kubectl, doomed, namespace), selector_command(kubectl, doomed, config, namespace)]
        notices = [_LISTED, msg("What they find is deleted by name: nothing that comes in between goes with it.")]
    else:
        names = [found.argument for found in doomed.named]
        where = "" if doomed.is_namespace else namespace
        commands = delete_commands(kubectl, names, config, where, doomed.seconds)
        notices = [_LISTED]
    return StepPlan(commands=tuple(commands), notices=tuple(notices), namespace=namespace, timeout=doomed.seconds)


_LISTED: Message = msg("The objects are looked up and listed first, then deleted.")


def check_delete(step: PipelineStep, config: Delete) -> Doomed:
    """Return what the step deletes; raises UserError naming the field that cannot be carried out."""
    seconds = parse_duration(config.timeout, f"{CONFIG}.timeout")
    _check_options(config)
    given = {
        FIELD: bool(step.k8s_resource_name.strip()),
        f"{CONFIG}.selector": bool(config.selector.strip()),
        f"{CONFIG}.manifest": bool(config.manifest.strip()),
    }
    sources = [field for field, there in given.items() if there]
    if len(sources) != 1:
        raise UserError(
            msg("Give one of k8s_resource_name, selector and manifest"),
            msg("Given: %(names)s.", names=", ".join(sources) or "-"),
            field=sources[1] if sources else FIELD,
        )
    if sources[0] == FIELD:
        return Doomed(named=(_named(step),), field=FIELD, seconds=seconds)
    if config.selector.strip():
        return _selected(config, sources[0], seconds)
    return Doomed(named=_of_manifest(step, config, sources[0]), field=sources[0], seconds=seconds)


def _check_options(config: Delete) -> None:
    if config.propagation not in _PROPAGATIONS:
        raise UserError(
            msg("%(word)s is no propagation", word=config.propagation or '""'),
            "",
            msg("Write background, foreground or orphan."),
            field=f"{CONFIG}.propagation",
        )
    grace = config.grace_period
    if grace is not None and (grace < 0 or (config.force and grace > 0)):
        negative = msg("Give a number of seconds, 0 or more.")
        raise UserError(
            msg("The grace period cannot be used"),
            "",
            negative if grace < 0 else msg("With force it is 0: leave one of the two out."),
            field=f"{CONFIG}.grace_period",
        )


def _named(step: PipelineStep) -> ObjectName:
    found = parse_object(step.k8s_resource_name)
    if _is_namespace(found.kind):
        _check_namespace(found.name, step.k8s_namespace)
    elif _is_cluster_wide(found.kind):
        raise outside(found.argument, FIELD)
    return found


def _check_namespace(name: str, namespace: str) -> None:
    if name != namespace:
        raise UserError(
            msg("The namespace %(name)s is not the step's namespace %(namespace)s", name=name, namespace=namespace),
            "",
            msg("To delete a namespace, name it in k8s_namespace too."),
            field=FIELD,
        )
    if name in _PROTECTED:
        raise UserError(msg("The namespace %(name)s belongs to Kubernetes itself", name=name), field=FIELD)


def outside(what: str, field: str) -> UserError:
    """Return the error for what does not lie in the step's namespace."""
    return UserError(
        msg("%(object)s does not lie in the step's namespace", object=what),
        msg("This step deletes only objects of its namespace, or the namespace itself by kind/name."),
        msg("Use a shell step with kubectl for objects of the whole cluster."),
        field=field,
    )


def _selected(config: Delete, field: str, seconds: float) -> Doomed:
    selector = checked_selector(config.selector, field)
    wanted = tuple(dict.fromkeys(checked_kind(kind, f"{CONFIG}.kinds") for kind in config.kinds)) or DEFAULT_KINDS
    for kind in wanted:
        if _is_cluster_wide(kind):
            raise outside(kind, f"{CONFIG}.kinds")
    return Doomed(selector=selector, kinds=wanted, own_kinds=bool(config.kinds), field=field, seconds=seconds)


def _of_manifest(step: PipelineStep, config: Delete, field: str) -> tuple[ObjectName, ...]:
    found = [_of_object(each, step.k8s_namespace, field) for each in read_objects(config.manifest, field)]
    return tuple(dict.fromkeys(found))


def _of_object(found: ManifestObject, namespace: str, field: str) -> ObjectName:
    if found.namespace not in ("", namespace) or _is_cluster_wide(found.kind):
        raise outside(found.label, field)
    problem = targets.resource_problem(f"{found.kind}/{found.name}")
    if problem is not None:
        raise UserError(msg("%(object)s cannot be deleted", object=found.label), problem, field=field)
    version = found.api_version.rpartition("/")[2]
    kind = f"{found.kind}.{version}.{found.group}" if found.group else found.kind.lower()
    return ObjectName(kind=kind, name=found.name)


def _is_namespace(kind: str) -> bool:
    known = kinds.traits(kind)
    return known is not None and known.name == "namespace"


def _is_cluster_wide(kind: str) -> bool:
    known = kinds.traits(kind)
    return known is not None and not known.namespaced


def list_command(kubectl: Kubectl, doomed: Doomed, namespace: str) -> Command:
    """List what a selector finds."""
    words = ("get", ",".join(doomed.kinds), f"--selector={doomed.selector}", "--output=name")
    return call(kubectl, words, namespace, "list")


def selector_command(kubectl: Kubectl, doomed: Doomed, config: Delete, namespace: str) -> Command:
    """Return the deletion by selector, for people to read and copy."""
    words = ("delete", ",".join(doomed.kinds), f"--selector={doomed.selector}", *_flags(config))
    return _bounded(kubectl, words, namespace, doomed.seconds if config.wait else None)


def delete_commands(
    kubectl: Kubectl, names: Sequence[str], config: Delete, namespace: str, seconds: float
) -> list[Command]:
    """Delete objects by name; of many, several calls that do not wait: the step waits for all of them itself."""
    parts = [tuple(names[start : start + MOST_AT_ONCE]) for start in range(0, len(names), MOST_AT_ONCE)]
    wait = seconds if config.wait and len(parts) == 1 else None
    return [_bounded(kubectl, ("delete", *part, *_flags(config)), namespace, wait) for part in parts]


def _bounded(kubectl: Kubectl, words: tuple[str, ...], namespace: str, seconds: float | None) -> Command:
    if seconds is None:
        return call(kubectl, (*words, "--wait=false"), namespace, "delete")
    return waiting(kubectl, (*words, "--wait=true"), namespace, seconds, "delete")


def _flags(config: Delete) -> tuple[str, ...]:
    grace = 0 if config.force else config.grace_period
    return (
        f"--cascade={config.propagation}",
        *((f"--grace-period={grace}",) if grace is not None else ()),
        *(("--force",) if config.force else ()),
        *(("--ignore-not-found",) if config.ignore_not_found else ()),
    )
