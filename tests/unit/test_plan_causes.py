"""Why a deploy failed, from what was seen of its objects: named, in the server's words, with a way out."""

from __future__ import annotations

import pytest

from ansflow_desktop.executors.causes import Causes
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.health import assess
from ansflow_desktop.models.run import ClusterEvent, Health, ResourceChanged

LATE = "Error: resource not ready, name: web, kind: Deployment, status: InProgress\ncontext deadline exceeded"


def seen(name, health, message="", detail="", kind="Pod", owner=""):
    return ResourceChanged(
        time=0,
        run="r",
        kind=kind,
        namespace="fe",
        name=name,
        health=health,
        message=message,
        detail=detail,
        owner=owner,
    )


def warned(name, reason, message, kind="Pod"):
    return ClusterEvent(
        time=0, run="r", kind=kind, namespace="fe", name=name, reason=reason, message=message, warning=True
    )


def ranked(*things):
    causes = Causes()
    for thing in things:
        causes.put(thing) if isinstance(thing, ResourceChanged) else causes.put_event(thing)
    return causes.ranked()


def hint(*things, stderr=LATE):
    return str(failure_hint(stderr, ranked(*things)))


def container(state, last=None):
    status = {"name": "main", "state": state, "lastState": last or {}}
    found = assess({"kind": "Pod", "status": {"phase": "Pending", "containerStatuses": [status]}})
    return seen("web-1", found.health, found.message, found.detail)


def waiting(reason, message, last=None):
    return container({"waiting": {"reason": reason, "message": message}}, last)


def test_failing_probe_is_named_with_the_kubelets_words():
    said = hint(
        seen("web-1", Health.PROGRESSING, msg("0 of 1 ready")),
        warned("web-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404"),
    )
    assert said.startswith("Pod web-1: A probe fails: Readiness probe failed: HTTP probe failed with statuscode: 404.")
    assert "path and port" in said


def test_probe_of_a_pod_that_is_ready_by_now_is_no_cause():
    found = ranked(
        warned("web-1", "Unhealthy", "Readiness probe failed"),
        seen("web-1", Health.HEALTHY),
        seen("web", Health.PROGRESSING, msg("Waiting for a load balancer address"), kind="Service"),
    )
    assert [each.name for each in found] == ["web"]


def test_trouble_outlives_the_rollback_that_deletes_its_pod():
    said = hint(
        waiting("ErrImagePull", 'failed to pull image "nowhere.example/absent:1": not found'),
        seen("web-1", Health.PROGRESSING, msg("Being deleted")),
        seen("web-1", Health.MISSING, msg("Deleted")),
        seen("web", Health.HEALTHY, kind="Deployment"),
    )
    assert said.startswith("Pod web-1: Image cannot be pulled: main: failed to pull")
    assert "nowhere.example/absent:1" in said


def test_pod_that_found_its_node_late_is_no_cause():
    assert (
        ranked(
            seen("web-1", Health.DEGRADED, msg("Cannot be scheduled")),
            seen("web-1", Health.PROGRESSING, msg("Container is being created")),
            seen("web-1", Health.HEALTHY),
        )
        == []
    )


def test_what_is_unhealthy_now_comes_before_what_was_and_pods_before_the_rest():
    found = ranked(
        seen("old", Health.DEGRADED),
        seen("old", Health.MISSING),
        seen("web", Health.DEGRADED, kind="Deployment"),
        seen("new", Health.DEGRADED),
    )
    assert [each.name for each in found] == ["new", "web", "old"]


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (waiting("ImagePullBackOff", 'Back-off pulling image "absent:1"'), ["absent:1", "image.tag", "pull secret"]),
        (waiting("InvalidImageName", 'couldn\'t parse image name "a b"'), ['"a b"', "image.repository"]),
        (
            waiting("CreateContainerConfigError", 'configmap "settings" not found'),
            ['configmap "settings" not found', "ConfigMap or Secret"],
        ),
        (
            waiting("CrashLoopBackOff", "back-off", {"terminated": {"reason": "Error", "exitCode": 4}}),
            ["exit code 4", "kubectl logs web-1 --previous --namespace fe"],
        ),
        (
            waiting(
                "CrashLoopBackOff",
                "back-off",
                {
                    "terminated": {
                        "exitCode": 128,
                        "message": 'exec: "/no/such": no such file or directory',
                    }
                },
            ),
            ["/no/such", "correct the command"],
        ),
        (container({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}), ["memory limit"]),
        (seen("p", Health.DEGRADED, msg("Cannot be scheduled"), "0/3 nodes: taint"), ["0/3 nodes", "nodeSelector"]),
        (
            seen("web", Health.DEGRADED, msg("Pods cannot be created"), "exceeded quota: small", "ReplicaSet"),
            ["exceeded quota: small", "quota is used up"],
        ),
        (
            seen(
                "web", Health.DEGRADED, msg("Pods cannot be created"), 'violates PodSecurity "restricted"', "ReplicaSet"
            ),
            ["securityContext"],
        ),
        (warned("w", "FailedCreate", "exceeded quota: small", "StatefulSet"), ["StatefulSet w", "quota is used up"]),
        (warned("p", "FailedMount", 'secret "tls" not found'), ['secret "tls" not found', "ConfigMap or Secret"]),
    ],
)
def test_cause_is_told_in_the_servers_words_with_a_way_out(cause, words):
    said = hint(cause)
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    "stderr",
    [
        "Error: failed pre-install: 1 error occurred:\n\t* job failed: BackoffLimitExceeded",
        "Error: UPGRADE FAILED: pre-upgrade hooks failed: resource Job/fe/migrate not ready. status: Failed",
    ],
)
def test_failed_hook_is_named_before_older_troubles(stderr):
    said = hint(
        seen("web-1", Health.DEGRADED, msg("Image cannot be pulled")),
        seen("migrate-x", Health.DEGRADED, msg("Container ended with exit code %(code)s", code=3), owner="Job/migrate"),
        stderr=stderr,
    )
    assert "hook, Job migrate, failed. Pod migrate-x: Container ended with exit code 3" in said
    assert "timeout" not in said


def test_failed_hook_that_was_not_seen_is_not_called_slow():
    said = hint(stderr="Error: failed post-install: timed out waiting for the condition")
    assert "post-install hook failed" in said


def test_words_of_helm_count_more_than_objects_that_were_ill_before():
    said = hint(
        seen("old", Health.DEGRADED, msg("Image cannot be pulled")),
        stderr="Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
    )
    assert "Another helm" in said
