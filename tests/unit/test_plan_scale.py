"""Scale steps as data, and what is read of managed fields and autoscalers."""

from __future__ import annotations

import json

import pytest
from plan_kit import BAD_NAMES, all_words, plan

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import scale_owners
from ansflow_desktop.models.pipeline import StepType


def scale(resource="web", **config):
    return plan(StepType.K8S_SCALE, resource, **config)


def test_a_bare_name_is_a_deployment():
    planned = scale(replicas=3, timeout="2m")
    assert all_words(planned) == [
        ["scale", "deployment/web", "--replicas=3", "--namespace", "fe"],
        ["rollout", "status", "deployment/web", "--namespace", "fe", "--timeout=120s"],
    ]
    assert (planned.namespace, planned.timeout) == ("fe", 120)
    assert planned.commands[1].timeout > 120


@pytest.mark.parametrize(
    ("written", "argument"),
    [
        ("deploy/web", "deployment/web"),
        ("Deployment/web", "deployment/web"),
        ("deployments.apps/web", "deployment/web"),
        ("sts/db", "statefulset/db"),
        ("statefulsets/db", "statefulset/db"),
        ("rs/web-1", "replicaset/web-1"),
        (" deployment/web.v2 ", "deployment/web.v2"),
    ],
)
def test_kinds_by_all_their_names(written, argument):
    assert all_words(scale(written, replicas=1))[0][1] == argument


def test_a_replica_set_has_no_rollout_its_ready_replicas_are_counted():
    wait = all_words(scale("rs/web-1", replicas=2))[1]
    assert wait[:3] == ["wait", "--for=jsonpath={.status.readyReplicas}=2", "replicaset/web-1"]


@pytest.mark.parametrize("config", [{"replicas": 0}, {"replicas": 2, "wait": False}, {"replicas": "0"}])
def test_nothing_is_rolled_out_without_waiting_or_to_zero(config):
    assert len(scale(**config).commands) == 1


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "replicas"),
        ({"replicas": None}, "replicas"),
        ({"replicas": -1}, "replicas"),
        ({"replicas": 2**31}, "replicas"),
        ({"replicas": "many"}, "replicas"),
        ({"replicas": 1.5}, "replicas"),
        ({"replicas": [1]}, "replicas"),
        ({"replicas": 1, "timeout": "soon"}, "timeout"),
        ({"replicas": 1, "wait": "perhaps"}, "wait"),
        ({"replicas": 1, "replica": 2}, "replica"),
    ],
)
def test_wrong_fields_are_named(config, field):
    with pytest.raises(UserError) as caught:
        scale(**config)
    assert caught.value.field == f"k8s_config.{field}"


@pytest.mark.parametrize("name", [*BAD_NAMES, "pod/web", "daemonset/web", "cronjob/web", "rs.example.com/web"])
def test_bad_names_and_kinds_never_reach_a_command(name):
    with pytest.raises(UserError) as caught:
        scale(name, replicas=1)
    assert caught.value.field == "k8s_resource_name"


NAMES = ("manager", "operation", "subresource")


def managed(*entries):
    return {"metadata": {"managedFields": [dict(zip(NAMES, e, strict=True)) for e in entries]}}


HELM4 = ("helm", "Apply", "")
STATUS = ("kube-controller-manager", "Update", "status")
SCALED = ("kubectl", "Update", "scale")


@pytest.mark.parametrize(
    ("entries", "deployer"),
    [
        ([HELM4, STATUS, SCALED], "helm"),
        ([("ansflow", "Apply", "")], "ansflow"),
        ([("helm", "Update", "")], ""),  # Helm 3 writes by updates, which never conflict
        ([("argocd-controller", "Apply", "")], ""),
        ([], ""),
    ],
)
def test_who_would_meet_a_conflict(entries, deployer):
    assert scale_owners.deployer_of(managed(*entries)) == deployer


def test_the_claim_that_is_given_up_is_kubectls_scale_call_alone():
    claim = scale_owners.claim_of(managed(HELM4, STATUS, SCALED), "kubectl")
    steps = json.loads(claim.release())
    assert steps[-1] == {"op": "remove", "path": "/metadata/managedFields/2"}
    assert {step["op"] for step in steps[:-1]} == {"test"}
    hpa = ("kube-controller-manager", "Update", "scale")
    assert scale_owners.claim_of(managed(HELM4, hpa, ("kubectl", "Update", "")), "kubectl") is None
