"""k8s_wait on a real control plane (failure-modes.md, rows 23 and 24): what ends it, when, and with which words."""

from __future__ import annotations

import time

import pytest
from step_help import DEPLOYMENT, HELD, JOB, NOWHERE, Cable, limited, steps

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import objects_run
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.models.run import CommandStarted, Notice, Phase

WEB = DEPLOYMENT % (1, "")
STUCK = DEPLOYMENT % (1, NOWHERE)
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later}\n"
LONG = "300s"
SOON = 30


@pytest.fixture
def tools(kubectl):
    return ToolSet(kubectl=kubectl)


@pytest.fixture
def waiter(kubeconfig, tools, tmp_path, namespace):
    return steps(StepType.K8S_WAIT, kubeconfig, tools, tmp_path, namespace)


def started(event):
    return isinstance(event, CommandStarted)


@pytest.mark.parametrize(
    "config", [{"rollout": True}, {"condition": "Available"}, {"jsonpath": "{.status.readyReplicas}=1"}]
)
def test_what_comes_is_waited_for(waiter, config):
    waiter.prepare(WEB)
    result = waiter.run("web", timeout="60s", **config)
    assert (result.phase, result.exit_code) == (Phase.SUCCEEDED, 0), result.message
    assert waiter.kubectl("get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}") == "1"


def test_a_job_that_failed_ends_the_wait_for_its_completion_at_once(waiter):
    waiter.prepare(JOB)
    began = time.monotonic()
    result = waiter.run("job/broken", condition="Complete", timeout=LONG)
    assert time.monotonic() - began < SOON
    assert result.phase is Phase.FAILED
    assert "The Job is Fail" in str(result.message)
    assert waiter.run("job/broken", condition="Failed", timeout="60s").phase is Phase.SUCCEEDED


def test_a_rollout_past_its_deadline_ends_the_wait(waiter):
    waiter.prepare(STUCK.replace("replicas: 1", "progressDeadlineSeconds: 1\n  replicas: 1"))
    began = time.monotonic()
    result = waiter.run("web", condition="Available", timeout=LONG)
    assert time.monotonic() - began < SOON
    assert result.phase is Phase.FAILED
    assert "passed its deadline" in str(result.message)
    assert str(result.hint).startswith("Pod web-")


def test_a_missing_object_is_told_at_once(waiter):
    waiter.prepare(WEB)
    for config in ({"condition": "Available"}, {"rollout": True}, {"jsonpath": "{.status}"}):
        with pytest.raises(UserError) as caught:
            waiter.run("webb", timeout=LONG, **config)
        assert (caught.value.field, caught.value.code) == ("k8s_resource_name", ExitCode.FAILED)
        assert str(caught.value.hint) == "Did you mean web?"
    assert waiter.argvs == []


def test_a_kind_or_namespace_that_is_not_there_is_told_at_once(waiter):
    with pytest.raises(UserError) as caught:
        waiter.run("gadget.example.com/x", created=True)
    assert (caught.value.field, caught.value.code) == ("k8s_resource_name", ExitCode.FAILED)
    for config in ({"rollout": True}, {"deleted": True}):
        with pytest.raises(UserError) as caught:
            waiter.run("web", **config)
        assert caught.value.field == "k8s_namespace"
    assert waiter.argvs == []


def test_a_misspelt_condition_ends_the_wait_and_names_those_that_exist(waiter):
    waiter.prepare(WEB)
    result = waiter.run("web", condition="Avialable", timeout="4s")
    assert result.phase is Phase.FAILED
    assert "Available" in str(result.message)
    assert str(result.hint) == "Did you mean Available?"


def test_a_condition_that_others_may_add_is_told_but_waited_for(waiter):
    waiter.prepare("apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {containers: [{name: a, image: b}]}\n")
    assert waiter.run("pod/one", condition="Ready", timeout="60s").phase is Phase.SUCCEEDED
    result = waiter.run("pod/one", condition="example.com/gate", timeout="3s")
    assert result.phase is Phase.FAILED
    [warning] = waiter.notices("warning")
    assert "example.com/gate; there are: " in warning
    assert "Ready" in warning


def test_creation_is_waited_for_even_in_a_namespace_to_come(waiter):
    thread = waiter.start("configmap/later", created=True, timeout=LONG)
    waiter.wait_for(started)
    waiter.prepare(MAP)
    thread.join(SOON)
    assert waiter.result.phase is Phase.SUCCEEDED
    again = waiter.run("cm/later", created=True)
    assert (again.phase, waiter.argvs) == (Phase.SUCCEEDED, [])


def test_deletion_is_waited_for_until_the_last_finalizer_is_out(waiter):
    waiter.prepare(HELD)
    waiter.kubectl("delete", "configmap/held", "--wait=false")
    assert waiter.run("configmap/held", deleted=True, timeout="1s").phase is Phase.FAILED
    thread = waiter.start("configmap/held", deleted=True, timeout=LONG)
    waiter.wait_for(started)
    waiter.kubectl("patch", "configmap/held", "--type=merge", "--patch", '{"metadata":{"finalizers":null}}')
    thread.join(SOON)
    assert waiter.result.phase is Phase.SUCCEEDED
    assert waiter.there("configmaps") == set()


def test_the_deletion_of_what_never_was_succeeds_with_a_warning(waiter):
    waiter.prepare()
    assert waiter.run("cm/nothing", deleted=True).phase is Phase.SUCCEEDED
    [warning] = waiter.notices("warning")
    assert "ConfigMap nothing is not there" in warning


def test_an_object_that_is_deleted_meanwhile_ends_the_wait(waiter):
    waiter.prepare(STUCK)
    thread = waiter.start("web", condition="Available", timeout=LONG)
    waiter.wait_for(started)
    waiter.kubectl("delete", "deployment/web")
    thread.join(SOON)
    assert waiter.result.phase is Phase.FAILED
    assert "deleted" in str(waiter.result.message)


def test_the_timeout_ends_it_and_says_how_the_object_is(waiter):
    waiter.prepare(STUCK)
    began = time.monotonic()
    result = waiter.run("web", condition="Available", timeout="2s")
    assert time.monotonic() - began < SOON
    assert result.phase is Phase.FAILED
    assert "condition Available=True did not come within 2s" in str(result.message)
    assert "Available is False" in str(result.message)
    assert str(result.hint).startswith("Pod web-")


def test_a_cancel_ends_it_and_says_how_the_object_is(waiter):
    waiter.prepare(STUCK)
    thread = waiter.start("web", rollout=True, timeout=LONG)
    waiter.wait_for(started)
    waiter.cancel.request()
    thread.join(SOON)
    assert waiter.result.phase is Phase.CANCELLED
    assert "0 of 1" in str(waiter.result.message)


def test_rights_and_reach_are_told_as_such(waiter, kubeconfig, tools, tmp_path, namespace, practice_api):
    waiter.prepare(WEB)
    user = limited(practice_api, kubeconfig, namespace, tmp_path, (["get"], "", ["pods"]))
    cable = Cable(kubeconfig, tmp_path)
    cable.cut()
    for config, code in ((user, ExitCode.FORBIDDEN), (cable.kubeconfig, ExitCode.UNREACHABLE)):
        other = steps(StepType.K8S_WAIT, config, tools, tmp_path, namespace)
        with pytest.raises(UserError) as caught:
            other.run("web", rollout=True)
        assert (caught.value.code, other.argvs) == (code, [])


@pytest.fixture
def cable(kubeconfig, tmp_path):
    return Cable(kubeconfig, tmp_path)


def test_a_connection_that_comes_back_does_not_end_the_wait(cable, kubeconfig, tools, tmp_path, namespace):
    waiter = steps(StepType.K8S_WAIT, cable.kubeconfig, tools, tmp_path, namespace)
    waiter.admin = kubeconfig
    waiter.prepare(MAP)
    thread = waiter.start("cm/later", jsonpath="{.data.ready}=yes", timeout=LONG)
    waiter.wait_for(started)
    cable.cut()
    waiter.kubectl("patch", "configmap/later", "--type=merge", "--patch", '{"data":{"ready":"yes"}}')
    cable.mend()
    thread.join(60)
    assert waiter.result.phase is Phase.SUCCEEDED, waiter.result.message


def test_a_connection_lost_for_good_is_unknown(cable, kubeconfig, tools, tmp_path, namespace, monkeypatch):
    monkeypatch.setattr(objects_run, "_READ_AGAIN_S", 0.5)
    waiter = steps(StepType.K8S_WAIT, cable.kubeconfig, tools, tmp_path, namespace)
    waiter.admin = kubeconfig
    waiter.prepare(MAP)
    thread = waiter.start("cm/later", jsonpath="{.data.ready}=yes", timeout="5s")
    waiter.wait_for(started)
    cable.cut()
    thread.join(60)
    assert waiter.result.phase is Phase.UNKNOWN
    assert not [event for event in waiter.of(Notice) if event.level == "error"]
