"""Who else decides how many replicas a workload has: autoscalers, controllers, and those who apply its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.executors.kubectl import FIELD_MANAGER
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.fields import mapping, number, sequence, text
from ansflow_desktop.kube.objects import Object, list_path, name_of, owner_of, release_of

_AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
_KEDA = "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects"
# those whose next apply is ours to keep working: Helm 4, and AnsFlow's own deploys of manifests
_DEPLOYERS = ("helm", FIELD_MANAGER)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of `metadata.managedFields` by its place: who says how many replicas there are, by the scale call."""

    index: int
    manager: str

    def release(self) -> str:
        """Return the JSON patch that takes the entry out, and only this one."""
        path = f"/metadata/managedFields/{self.index}"
        steps = [
            {"op": "test", "path": f"{path}/manager", "value": self.manager},
            {"op": "test", "path": f"{path}/subresource", "value": "scale"},
            {"op": "remove", "path": path},
        ]
        return msgspec.json.encode(steps).decode()


async def rivals(client: ClusterClient, namespace: str, kind: str, obj: Object) -> list[Message]:
    """Return a warning for each one that owns the count of `obj` (a workload of `kind`); empty where none does.

    What may not be listed is left out: a warning must not stop the step.
    """
    found = [_controller(owner) for owner in [owner_of(obj)] if owner]
    keda = [each for each in await _listed(client, _KEDA.format(namespace)) if _targets(each, kind, name_of(obj))]
    found += [_scaled_object(each) for each in keda]
    for each in await _listed(client, _AUTOSCALERS.format(namespace)):
        made_by_keda = text(owner_of(each) or {}, "kind") == "ScaledObject"
        if _targets(each, kind, name_of(obj)) and not made_by_keda:
            found.append(_autoscaler(each))
    return found


async def _listed(client: ClusterClient, path: str) -> list[Object]:
    try:
        return await list_path(client, path)
    except KubeError as error:
        if error.status in (403, 404):  # not allowed, or the kind is not served
            return []
        raise


def _targets(scaler: Object, kind: str, name: str) -> bool:
    target = mapping(mapping(scaler, "spec"), "scaleTargetRef")
    return text(target, "name") == name and (text(target, "kind") or "Deployment") == kind


def _controller(owner: Mapping[str, Any]) -> Message:
    return msg(
        "%(kind)s %(name)s controls it and may set the number of replicas back: scale that instead.",
        kind=text(owner, "kind"),
        name=text(owner, "name"),
    )


def _scaled_object(found: Object) -> Message:
    return msg(
        "The number of replicas is KEDA's: ScaledObject %(name)s will change it again. Change its minReplicaCount and "
        "maxReplicaCount, or pause it by the annotation autoscaling.keda.sh/paused.",
        name=name_of(found),
    )


def _autoscaler(found: Object) -> Message:
    spec = mapping(found, "spec")
    return msg(
        "The number of replicas is the autoscaler's: HorizontalPodAutoscaler %(name)s keeps it from %(least)d to "
        "%(most)d and will change it again. Change its minReplicas and maxReplicas instead.",
        name=name_of(found),
        least=number(spec, "minReplicas", 1),
        most=number(spec, "maxReplicas"),
    )


def deployer_of(obj: Object) -> str:
    """Return who applies this object server-side and would now meet a conflict: `helm`, `ansflow`, empty for nobody.

    Seen with Helm 4: after `kubectl scale` the next upgrade fails with a conflict on .spec.replicas, and goes on
    failing for every other number once the same number was applied. Helm 3 (client side) never conflicts.
    """
    entries = sequence(mapping(obj, "metadata"), "managedFields")
    applied = [text(entry, "manager") for entry in entries if entry.get("operation") == "Apply"]
    return next((manager for manager in _DEPLOYERS if manager in applied), "")


def claim_of(obj: Object, manager: str) -> Claim | None:
    """Return what `manager` (kubectl) holds by its scale call, None where it holds nothing."""
    for index, entry in enumerate(sequence(mapping(obj, "metadata"), "managedFields")):
        if entry.get("subresource") == "scale" and entry.get("manager") == manager:
            return Claim(index=index, manager=manager)
    return None


def next_deploy(obj: Object, deployer: str, replicas: int) -> Message:
    """Return what becomes of the count at the next deploy, and how to keep it."""
    if deployer == "helm":
        return msg(
            "The next deploy of release %(release)s sets the chart's own number of replicas again, if the chart has "
            "one. To keep %(replicas)d, set it in the values.",
            release=release_of(obj) or "-",
            replicas=replicas,
        )
    return msg(
        "The next deploy of the manifest sets its own number of replicas again, if it has one. To keep %(replicas)d, "
        "set it there.",
        replicas=replicas,
    )


def will_conflict(obj: Object, deployer: str, replicas: int) -> Message:
    """Return the warning where the claim could not be given up, with the way out."""
    if deployer == "helm":
        return msg(
            "The next deploy of release %(release)s by Helm 4 will stop with a conflict on .spec.replicas, unless its "
            "values set %(replicas)d replicas; helm upgrade --force-conflicts takes the field back.",
            release=release_of(obj) or "-",
            replicas=replicas,
        )
    return msg(
        "The next deploy of the manifest will stop with a conflict on .spec.replicas, unless it sets %(replicas)d "
        "replicas; kubectl apply --server-side --force-conflicts takes the field back.",
        replicas=replicas,
    )


def selector_of(obj: Object) -> str:
    """Return the labels of a workload's pods as a label selector; expressions are left out (owners are checked)."""
    labels = mapping(mapping(mapping(obj, "spec"), "selector"), "matchLabels")
    return ",".join(f"{key}={value}" for key, value in labels.items())
