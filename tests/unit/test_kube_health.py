"""kube/health.py and kube/pods.py: a table of objects and what is said of them."""

from __future__ import annotations

import pytest

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.health import assess


def obj(kind, spec=None, status=None, generation=1, **metadata):
    return {
        "kind": kind,
        "metadata": {"generation": generation, **metadata},
        "spec": spec or {},
        "status": status or {},
    }


def condition(kind, status="True", reason="", message=""):
    return {"type": kind, "status": status, "reason": reason, "message": message}


def deployment(replicas=2, updated=2, available=2, total=None, observed=1, conditions=(), **spec):
    status = {
        "observedGeneration": observed,
        "replicas": updated if total is None else total,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "conditions": list(conditions),
    }
    return obj("Deployment", {"replicas": replicas, **spec}, status)


def stateful(replicas=2, ready=2, updated=2, current="a", update="a", **spec):
    status = {"observedGeneration": 1, "readyReplicas": ready, "updatedReplicas": updated}
    return obj(
        "StatefulSet", {"replicas": replicas, **spec}, {**status, "currentRevision": current, "updateRevision": update}
    )


def daemon(wanted=2, updated=2, available=2, **spec):
    status = {"observedGeneration": 1, "desiredNumberScheduled": wanted, "updatedNumberScheduled": updated}
    return obj("DaemonSet", spec, {**status, "numberAvailable": available})


def pod(phase="Running", containers=(), init=(), conditions=(), **status):
    parts = {"phase": phase, "containerStatuses": list(containers), "initContainerStatuses": list(init)}
    return obj("Pod", {"containers": [{"name": "app"}]}, {**parts, "conditions": list(conditions), **status})


def waiting(reason, message="", last=None):
    return {
        "name": "app",
        "ready": False,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": last or {},
    }


def ended(code, reason="Error", message=""):
    return {"name": "app", "state": {"terminated": {"exitCode": code, "reason": reason, "message": message}}}


HEALTHY = [
    (deployment(), "2 of 2 ready"),
    (deployment(replicas=0, updated=0, available=0), "0 of 0 ready"),
    (stateful(), "2 of 2 ready"),
    (stateful(updated=1, update="b", updateStrategy={"rollingUpdate": {"partition": 1}}), "2 of 2 ready"),
    (stateful(updated=0, update="b", updateStrategy={"type": "OnDelete"}), "2 of 2 ready"),
    (daemon(), "2 of 2 ready"),
    (daemon(wanted=0, updated=0, available=0), "0 of 0 ready"),
    (daemon(updated=0, updateStrategy={"type": "OnDelete"}), "2 of 2 ready"),
    (obj("ReplicaSet", {"replicas": 0}), "Scaled to zero"),
    (obj("ReplicaSet", {"replicas": 1}, {"availableReplicas": 1, "replicas": 1}), "1 of 1 ready"),
    (pod(conditions=[condition("Ready")]), "Ready"),
    (pod("Succeeded"), "Completed"),
    (obj("Job", {}, {"conditions": [condition("Complete")]}), "Completed"),
    (obj("CronJob"), "Scheduled"),
    (obj("PersistentVolumeClaim", {}, {"phase": "Bound"}), "Bound"),
    (obj("Service", {"type": "ClusterIP"}), ""),
    (obj("Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}), ""),
    (obj("HorizontalPodAutoscaler", {}, {"conditions": [condition("AbleToScale")]}), ""),
    (
        obj("HorizontalPodAutoscaler", {}, {"conditions": [condition("ScalingActive", "False", "ScalingDisabled")]}),
        "",
    ),
    (obj("Namespace", {}, {"phase": "Active"}), ""),
    (obj("CustomResourceDefinition", {}, {"conditions": [condition("Established")]}), ""),
    (obj("PodDisruptionBudget", {}, {"observedGeneration": 1}), ""),
    (obj("Ingress"), ""),
    (obj("ConfigMap"), ""),
    (obj("Widget", {}, {"conditions": [condition("Ready")]}), ""),
]
PROGRESSING = [
    (obj("Deployment", {"replicas": 1}), "Waiting for the controller to see the change"),
    (deployment(observed=0), "Waiting for the controller to see the change"),
    (deployment(updated=1), "1 of 2 updated"),
    (deployment(total=3), "1 old still to end"),
    (deployment(available=1), "1 of 2 ready"),
    (stateful(updated=0, update="b"), "0 of 2 updated"),
    (stateful(ready=1), "1 of 2 ready"),
    (obj("StatefulSet"), "Waiting for the controller to see the change"),
    (daemon(updated=1), "1 of 2 updated"),
    (daemon(available=0), "0 of 2 ready"),
    (obj("DaemonSet"), "Waiting for the controller to see the change"),
    (obj("ReplicaSet", {"replicas": 2}, {"availableReplicas": 1, "replicas": 2}), "1 of 2 ready"),
    (obj("ReplicaSet", {"replicas": 2}, {"observedGeneration": 0}), "Waiting for the controller to see the change"),
    (pod("Pending", [waiting("ContainerCreating")]), "Container is being created"),
    (pod("Pending", [waiting("PodInitializing")]), "Waiting for the init containers"),
    (pod("Running", [{"name": "app", "ready": False, "state": {"running": {}}}]), "0 of 1 containers ready"),
    (obj("Job", {"completions": 3}, {"succeeded": 1}), "1 of 3 completed"),
    (obj("PersistentVolumeClaim", {}, {"phase": "Pending"}), "Waiting for a volume"),
    (obj("Service", {"type": "LoadBalancer"}), "Waiting for a load balancer address"),
    (obj("HorizontalPodAutoscaler"), "Waiting for the first measurement"),
    (obj("Namespace", {}, {"phase": "Terminating"}), "Being deleted"),
    (obj("CustomResourceDefinition"), "Waiting until the type is established"),
    (obj("Pod", deletionTimestamp="2026-01-01T00:00:00Z"), "Being deleted"),
    (obj("Widget", {}, {"conditions": [condition("Ready", "False")]}), "Not ready yet"),
    (obj("Widget", {}, {"observedGeneration": 1}, generation=2), "Waiting for the controller to see the change"),
]
DEGRADED = [
    (
        deployment(available=0, conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded", "words")]),
        "The rollout passed its deadline",
    ),
    (deployment(available=0, conditions=[condition("ReplicaFailure", message="words")]), "Pods cannot be created"),
    (
        obj("ReplicaSet", {"replicas": 1}, {"conditions": [condition("ReplicaFailure", message="words")]}),
        "Pods cannot be created",
    ),
    (pod("Pending", [waiting("ImagePullBackOff", "words")]), "Image cannot be pulled"),
    (pod("Pending", [waiting("ErrImagePull", "words")]), "Image cannot be pulled"),
    (pod("Pending", [waiting("ErrImageNeverPull", "words")]), "Image cannot be pulled"),
    (pod("Pending", [waiting("InvalidImageName", "words")]), "Image name is not valid"),
    (
        pod("Pending", [waiting("CreateContainerConfigError", 'secret "words" not found')]),
        "Configuration is missing (ConfigMap or Secret not found)",
    ),
    (pod("Running", [waiting("RunContainerError", "words")]), "Container cannot be started"),
    (pod("Running", [waiting("CrashLoopBackOff", "words")]), "Container keeps crashing"),
    (pod("Pending", init=[waiting("CrashLoopBackOff", "words")]), "Container keeps crashing"),
    (pod("Running", [ended(3, message="words")]), "Container ended with exit code 3"),
    (pod("Running", [ended(137, "OOMKilled", "words")]), "Container ran out of memory"),
    (pod("Pending", conditions=[condition("PodScheduled", "False", "Unschedulable", "words")]), "Cannot be scheduled"),
    (pod("Failed", reason="Evicted", message="words"), "Evicted from its node"),
    (pod("Failed", [ended(1, message="words")]), "Container ended with exit code 1"),
    (pod("Failed", message="words"), "Failed"),
    (obj("Job", {}, {"conditions": [condition("Failed", message="words")]}), "The job failed"),
    (obj("Job", {}, {"conditions": [condition("FailureTarget", message="words")]}), "The job failed"),
    (
        obj("HorizontalPodAutoscaler", {}, {"conditions": [condition("AbleToScale", "False", message="words")]}),
        "Cannot scale",
    ),
    (
        obj("CustomResourceDefinition", {}, {"conditions": [condition("NamesAccepted", "False", message="words")]}),
        "The names are taken",
    ),
    (obj("Widget", {}, {"conditions": [condition("Stalled", message="words")]}), "Stalled"),
]
SUSPENDED = [
    (deployment(available=0, paused=True), "The rollout is paused"),
    (obj("Job", {"suspend": True}), "The job is suspended"),
    (obj("CronJob", {"suspend": True}), "The schedule is suspended"),
    (
        pod("Pending", conditions=[condition("PodScheduled", "False", "SchedulingGated")]),
        "Held back by a scheduling gate",
    ),
]
ROWS = [
    *((item, "Healthy", words) for item, words in HEALTHY),
    *((item, "Progressing", words) for item, words in PROGRESSING),
    *((item, "Degraded", words) for item, words in DEGRADED),
    *((item, "Suspended", words) for item, words in SUSPENDED),
    (obj("PersistentVolumeClaim", {}, {"phase": "Lost"}), "Degraded", "The volume is lost"),
    (pod("Unknown"), "Unknown", "Its node does not answer"),
]


@pytest.mark.parametrize(("item", "health", "words"), ROWS, ids=[f"{row[0]['kind']}-{row[1]}-{row[2]}" for row in ROWS])
def test_health_and_plain_words(item, health, words):
    found = assess(item)
    assert (str(found.health), translate(found.message)) == (health, words)


@pytest.mark.parametrize("item", [item for item, _ in DEGRADED], ids=[words for _, words in DEGRADED])
def test_what_is_degraded_keeps_the_servers_own_words(item):
    assert "words" in assess(item).detail


def test_a_crash_tells_how_the_last_run_ended():
    last = {"terminated": {"exitCode": 1, "reason": "Error", "message": "no database\n"}}
    found = assess(pod("Running", [waiting("CrashLoopBackOff", "back-off 10s", last)]))
    assert found.detail == "app: back-off 10s (Error, exit code 1: no database)"


def test_hostile_words_are_cleaned():
    found = assess(pod("Pending", [waiting("ErrImagePull", "\x1b[31mx\u202e")]))
    assert found.detail == "app: x"


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "Service", "Widget", None]
)
@pytest.mark.parametrize(
    "rubbish", [None, 5, "x", [], {"conditions": 5}, {"conditions": [5, {}], "containerStatuses": "x"}]
)
def test_an_object_of_any_shape_is_assessed(kind, rubbish):
    assert assess({"kind": kind, "metadata": rubbish, "spec": rubbish, "status": rubbish}).health
