"""Health of Kubernetes objects in plain words, from their status alone.

The rules follow what Helm's and Argo CD's checks look at: the controller must have seen the newest spec
(observedGeneration), and a rollout past its deadline is degraded, not merely slow (failure-modes.md, row 22).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube import pods
from ansflow_desktop.kube.fields import conditions, mapping, number, sequence, text
from ansflow_desktop.kube.pods import Assessment
from ansflow_desktop.models.run import Health

Object = Mapping[str, Any]


def assess(obj: Object) -> Assessment:
    """Return the health of `obj` (a decoded API object with `kind`); unknown kinds are judged by their conditions."""
    if text(mapping(obj, "metadata"), "deletionTimestamp"):
        return Assessment(health=Health.PROGRESSING, message=msg("Being deleted"))
    rule = _RULES.get(str(obj.get("kind") or ""), _by_conditions)
    return rule(obj)


def _behind(obj: Object) -> bool:
    """Return whether the controller has not seen the newest spec yet."""
    observed = mapping(obj, "status").get("observedGeneration")
    return isinstance(observed, int) and observed < number(mapping(obj, "metadata"), "generation")


def _progress(ready: int, wanted: int) -> Assessment:
    health = Health.HEALTHY if ready >= wanted else Health.PROGRESSING
    return Assessment(health=health, message=msg("%(ready)s of %(wanted)s ready", ready=ready, wanted=wanted))


def _waiting(message: Text, detail: str = "") -> Assessment:
    return Assessment(health=Health.PROGRESSING, message=message, detail=detail)


def _degraded(message: Text, detail: str = "") -> Assessment:
    return Assessment(health=Health.DEGRADED, message=message, detail=detail)


def _not_seen() -> Assessment:
    return _waiting(msg("Waiting for the controller to see the change"))


def _deployment(obj: Object) -> Assessment:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    if "observedGeneration" not in status or _behind(obj):
        return _not_seen()
    found = conditions(obj)
    progressing = found.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _degraded(msg("The rollout passed its deadline"), text(progressing, "message"))
    failure = found.get("ReplicaFailure", {})
    if failure.get("status") == "True":
        return _degraded(msg("Pods cannot be created"), text(failure, "message"))
    if spec.get("paused"):
        return Assessment(health=Health.SUSPENDED, message=msg("The rollout is paused"))
    wanted, updated = number(spec, "replicas", 1), number(status, "updatedReplicas")
    if updated < wanted:
        return _waiting(msg("%(updated)s of %(wanted)s updated", updated=updated, wanted=wanted))
    if number(status, "replicas") > updated:
        old = number(status, "replicas") - updated
        return _waiting(msg("%(count)s old still to end", count=old))
    return _progress(number(status, "availableReplicas"), wanted)


def _stateful_set(obj: Object) -> Assessment:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    if "observedGeneration" not in status or _behind(obj):
        return _not_seen()
    wanted = number(spec, "replicas", 1)
    strategy = mapping(spec, "updateStrategy")
    if strategy.get("type") == "OnDelete":
        return _progress(number(status, "readyReplicas"), wanted)
    partition = number(mapping(strategy, "rollingUpdate"), "partition")
    updated = number(status, "updatedReplicas")
    changing = status.get("updateRevision") != status.get("currentRevision")
    if changing and updated < wanted - partition:
        return _waiting(msg("%(updated)s of %(wanted)s updated", updated=updated, wanted=wanted - partition))
    return _progress(number(status, "readyReplicas"), wanted)


def _daemon_set(obj: Object) -> Assessment:
    status = mapping(obj, "status")
    if "observedGeneration" not in status or _behind(obj):
        return _not_seen()
    wanted = number(status, "desiredNumberScheduled")
    updated = number(status, "updatedNumberScheduled")
    on_delete = mapping(mapping(obj, "spec"), "updateStrategy").get("type") == "OnDelete"
    if updated < wanted and not on_delete:
        return _waiting(msg("%(updated)s of %(wanted)s updated", updated=updated, wanted=wanted))
    return _progress(number(status, "numberAvailable"), wanted)


def _replica_set(obj: Object) -> Assessment:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    if _behind(obj):
        return _not_seen()
    failure = conditions(obj).get("ReplicaFailure", {})
    if failure.get("status") == "True":
        return _degraded(msg("Pods cannot be created"), text(failure, "message"))
    wanted = number(spec, "replicas", 1)
    if not wanted and not number(status, "replicas"):
        return Assessment(health=Health.HEALTHY, message=msg("Scaled to zero"))
    return _progress(number(status, "availableReplicas"), wanted)


def _job(obj: Object) -> Assessment:
    spec, status, found = mapping(obj, "spec"), mapping(obj, "status"), conditions(obj)
    for kind in ("Failed", "FailureTarget"):
        if found.get(kind, {}).get("status") == "True":
            return _degraded(msg("The job failed"), text(found[kind], "message"))
    if found.get("Complete", {}).get("status") == "True":
        return Assessment(health=Health.HEALTHY, message=msg("Completed"))
    if spec.get("suspend"):
        return Assessment(health=Health.SUSPENDED, message=msg("The job is suspended"))
    done, wanted = number(status, "succeeded"), number(spec, "completions", 1)
    return _waiting(msg("%(done)s of %(wanted)s completed", done=done, wanted=wanted))


def _cron_job(obj: Object) -> Assessment:
    if mapping(obj, "spec").get("suspend"):
        return Assessment(health=Health.SUSPENDED, message=msg("The schedule is suspended"))
    return Assessment(health=Health.HEALTHY, message=msg("Scheduled"))


def _claim(obj: Object) -> Assessment:
    phase = text(mapping(obj, "status"), "phase")
    if phase == "Bound":
        return Assessment(health=Health.HEALTHY, message=msg("Bound"))
    if phase == "Lost":
        return _degraded(msg("The volume is lost"))
    return _waiting(msg("Waiting for a volume"))


def _service(obj: Object) -> Assessment:
    spec = mapping(obj, "spec")
    ingress = sequence(mapping(mapping(obj, "status"), "loadBalancer"), "ingress")
    if spec.get("type") == "LoadBalancer" and not ingress and not sequence(spec, "externalIPs"):
        return _waiting(msg("Waiting for a load balancer address"))
    return Assessment(health=Health.HEALTHY)


def _autoscaler(obj: Object) -> Assessment:
    found = conditions(obj)
    for kind in ("AbleToScale", "ScalingActive"):
        condition = found.get(kind, {})
        off = text(condition, "reason") == "ScalingDisabled"
        if condition.get("status") == "False" and not off:
            return _degraded(msg("Cannot scale"), text(condition, "message"))
    if not found:
        return _waiting(msg("Waiting for the first measurement"))
    return Assessment(health=Health.HEALTHY)


def _namespace(obj: Object) -> Assessment:
    phase = text(mapping(obj, "status"), "phase")
    return _waiting(msg("Being deleted")) if phase == "Terminating" else Assessment(health=Health.HEALTHY)


def _definition(obj: Object) -> Assessment:
    found = conditions(obj)
    if found.get("Established", {}).get("status") == "True":
        return Assessment(health=Health.HEALTHY)
    refused = found.get("NamesAccepted", {})
    if refused.get("status") == "False":
        return _degraded(msg("The names are taken"), text(refused, "message"))
    return _waiting(msg("Waiting until the type is established"))


def _disruption_budget(obj: Object) -> Assessment:
    return _not_seen() if _behind(obj) else Assessment(health=Health.HEALTHY)


def _by_conditions(obj: Object) -> Assessment:
    """Judge a kind that is not known by the usual conditions Stalled, Reconciling and Ready; without them: healthy."""
    if _behind(obj):
        return _not_seen()
    found = conditions(obj)
    stalled, ready = found.get("Stalled", {}), found.get("Ready", {})
    if stalled.get("status") == "True":
        return _degraded(msg("Stalled"), text(stalled, "message"))
    if ready and ready.get("status") != "True":
        return _waiting(msg("Not ready yet"), text(ready, "message"))
    return Assessment(health=Health.HEALTHY)


_RULES: dict[str, Callable[[Object], Assessment]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _replica_set,
    "Pod": pods.assess_pod,
    "Job": _job,
    "CronJob": _cron_job,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "Namespace": _namespace,
    "CustomResourceDefinition": _definition,
    "PodDisruptionBudget": _disruption_budget,
}

__all__ = ["Assessment", "assess"]
