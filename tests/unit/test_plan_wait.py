"""Wait steps as data, and what an object's status says about whether the wait makes sense."""

from __future__ import annotations

import pytest
from plan_kit import BAD_NAMES, all_words, plan

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import wait_reasons
from ansflow_desktop.executors.objects_names import ObjectName
from ansflow_desktop.executors.wait_step import Awaited, Goal
from ansflow_desktop.models.pipeline import StepType


def wait(resource="web", **config):
    return plan(StepType.K8S_WAIT, resource, **config)


@pytest.mark.parametrize(
    ("config", "first"),
    [
        ({"condition": "Available"}, ["wait", "--for=condition=Available", "deployment/web"]),
        ({"condition": "Available=False"}, ["wait", "--for=condition=Available=False", "deployment/web"]),
        ({"rollout": True}, ["rollout", "status", "deployment/web"]),
        ({"jsonpath": "{.status.phase}=Running"}, ["wait", "--for=jsonpath={.status.phase}=Running", "deployment/web"]),
        ({"jsonpath": ".status.phase"}, ["wait", "--for=jsonpath={.status.phase}", "deployment/web"]),
        (
            {"jsonpath": '{.status.conditions[?(@.type=="Ready")].status}=True'},
            ["wait", '--for=jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', "deployment/web"],
        ),
        ({"deleted": True}, ["wait", "--for=delete", "deployment/web"]),
        ({"created": "true"}, ["wait", "--for=create", "deployment/web"]),
    ],
)
def test_each_goal_is_one_command_with_both_timeouts_and_an_outer_deadline(config, first):
    planned = wait(timeout="90s", **config)
    assert all_words(planned) == [[*first, "--namespace", "fe", "--timeout=90s"]]
    [command] = planned.commands
    assert "--request-timeout=100s" in command.argv
    assert command.timeout > 100


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "condition"),
        ({"condition": "Ready", "rollout": True}, "rollout"),
        ({"deleted": True, "created": True}, "created"),
        ({"condition": "-Ready"}, "condition"),
        ({"condition": "Ready now"}, "condition"),
        ({"jsonpath": "{.status.phase}="}, "jsonpath"),
        ({"jsonpath": "-x"}, "jsonpath"),
        ({"condition": "Ready", "timeout": "0s"}, "timeout"),
        ({"condition": ["Ready"]}, "condition"),
    ],
)
def test_wrong_fields_are_named(config, field):
    with pytest.raises(UserError) as caught:
        wait("pod/web", **config)
    assert caught.value.field == f"k8s_config.{field}"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_never_reach_a_command(name):
    with pytest.raises(UserError) as caught:
        wait(name, created=True)
    assert caught.value.field == "k8s_resource_name"


@pytest.mark.parametrize("name", ["job/x", "pod/x", "crontab.stable.example.com/x"])
def test_only_kinds_that_have_one_are_asked_for_their_rollout(name):
    with pytest.raises(UserError) as caught:
        wait(name, rollout=True)
    assert caught.value.field == "k8s_resource_name"


def test_an_old_kubectl_that_cannot_wait_for_a_creation_is_refused_by_name():
    with pytest.raises(UserError) as caught:
        wait(created=True, version="1.30.9")
    assert caught.value.field == "k8s_config.created"
    assert wait(created=True, version="1.31.0").commands


def awaited(goal=Goal.CONDITION, subject="", value="True"):
    return Awaited(found=ObjectName(kind="x", name="x"), goal=goal, seconds=1, subject=subject, value=value)


def with_conditions(phase="", leaving=False, generation=1, **found):
    metadata = {"generation": generation, **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if leaving else {})}
    listed = [{"type": name, **status} for name, status in found.items()]
    return {"metadata": metadata, "status": {"conditions": listed, "observedGeneration": 1, "phase": phase}}


TRUE = {"status": "True", "message": "because"}
LATE = {"status": "False", "reason": "ProgressDeadlineExceeded", "message": "too slow"}


@pytest.mark.parametrize(
    ("goal", "kind", "obj"),
    [
        (awaited(subject="Complete"), "Job", with_conditions(Failed=TRUE)),
        (awaited(subject="complete"), "Job", with_conditions(FailureTarget=TRUE)),
        (awaited(subject="Failed"), "Job", with_conditions(Complete=TRUE)),
        (awaited(Goal.ROLLOUT), "Deployment", with_conditions(Progressing=LATE)),
        (awaited(subject="Available"), "Deployment", with_conditions(Progressing=LATE)),
        (awaited(subject="Ready"), "Pod", with_conditions(phase="Succeeded")),
        (awaited(Goal.JSONPATH, ".status.phase", "Running"), "Pod", with_conditions(phase="Failed")),
        (awaited(subject="Ready"), "Widget", with_conditions(leaving=True)),
        (awaited(subject="Ready"), "Widget", None),
        (awaited(Goal.JSONPATH, ".a", "b"), "Widget", None),
    ],
)
def test_what_will_never_come(goal, kind, obj):
    assert wait_reasons.hopeless(goal, kind, obj)


@pytest.mark.parametrize(
    ("goal", "kind", "obj"),
    [
        (awaited(subject="Complete"), "Job", with_conditions(Complete=TRUE)),
        (awaited(subject="Complete"), "Job", with_conditions(Suspended=TRUE)),
        (awaited(subject="Complete", value="False"), "Job", with_conditions(Failed=TRUE)),
        (awaited(Goal.ROLLOUT), "Deployment", with_conditions(generation=2, Progressing=LATE)),
        (awaited(subject="Available", value="False"), "Deployment", with_conditions(Progressing=LATE)),
        (awaited(subject="Ready"), "Pod", with_conditions(phase="Running")),
        (awaited(subject="Ready", value="False"), "Pod", with_conditions(leaving=True)),
        (awaited(Goal.JSONPATH, ".status.phase", "Failed"), "Pod", with_conditions(phase="Failed")),
        (awaited(Goal.DELETED), "Pod", None),
        (awaited(Goal.CREATED), "Pod", None),
    ],
)
def test_what_still_may_come(goal, kind, obj):
    assert wait_reasons.hopeless(goal, kind, obj) is None


def test_a_misspelt_condition_is_told_with_those_that_exist():
    found = wait_reasons.unknown_condition(awaited(subject="Avialable"), "Deployment", with_conditions(Progressing={}))
    assert str(found.reason) == ("There is no condition Avialable; there are: Progressing, Available, ReplicaFailure.")
    assert str(found.hint) == "Did you mean Available?"


def test_a_kind_without_conditions_names_another_way():
    found = wait_reasons.unknown_condition(awaited(subject="Ready"), "StatefulSet", with_conditions())
    assert "rollout: true" in str(found.hint)


@pytest.mark.parametrize(
    ("subject", "kind", "obj", "told"),
    [
        ("ready", "Widget", with_conditions(Ready=TRUE), False),
        ("Synced", "Widget", with_conditions(), False),  # its controller may not have come to it yet
        ("Synced", "Widget", with_conditions(Ready=TRUE), True),
        ("example.com/gate", "Pod", with_conditions(Ready=TRUE), True),
        ("ReplicaFailure", "Deployment", with_conditions(Available=TRUE), False),
    ],
)
def test_conditions_that_others_may_still_add_are_only_told(subject, kind, obj, told):
    found = wait_reasons.unknown_condition(awaited(subject=subject), kind, obj)
    assert bool(found) is told
    assert not (found and found.hint)
