"""`k8s_exec` on a real API server: what is picked, what it refuses and in which words. Simulated nodes run nothing."""

from __future__ import annotations

import pytest
from step_help import DEPLOYMENT, NOWHERE, limited, steps

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import StepType


@pytest.fixture
def runner(kubeconfig, kubectl, tmp_path, namespace):
    return steps(StepType.K8S_EXEC, kubeconfig, ToolSet(kubectl=kubectl), tmp_path, namespace)


def ready(runner, count: int) -> None:
    runner.prepare(DEPLOYMENT % (count, ""))
    runner.kubectl("rollout", "status", "deployment/web", "--timeout=60s")


@pytest.mark.parametrize("target", ["deployment/web", "deploy/web", "web", "selector"])
def test_a_ready_pod_is_picked_and_the_servers_refusal_is_told(runner, target):
    """The practice cluster's policy refuses exec in words; that those arrive shows that the right pod was asked for."""
    ready(runner, 2)
    selector = {"selector": "app=web"} if target == "selector" else {}

    with pytest.raises(UserError) as caught:
        runner.run("" if selector else target, command="echo hi", **selector)

    assert "simulated and run nothing" in str(caught.value.message)
    [picked] = [said for said in runner.notices("info") if said.startswith("Picked pod web-")]
    [argv] = runner.argvs
    assert argv[1] == "exec" and argv[2].removeprefix("pod/") in picked
    assert argv[-4:] == ("--", "sh", "-c", "echo hi")


def test_without_the_right_nothing_is_started(runner, practice_api, kubeconfig, kubectl, tmp_path, namespace):
    ready(runner, 1)
    rules = ((["get", "list"], "", ["pods"]), (["get"], "apps", ["deployments"]))
    own = limited(practice_api, kubeconfig, namespace, tmp_path, *rules)
    some = steps(StepType.K8S_EXEC, own, ToolSet(kubectl=kubectl), tmp_path, namespace)

    with pytest.raises(UserError) as caught:
        some.run("deployment/web", command="true")

    assert caught.value.code is ExitCode.FORBIDDEN
    assert "pods/exec" in str(caught.value.message)


def test_pods_that_are_not_ready_are_told_one_by_one(runner):
    runner.prepare(DEPLOYMENT % (2, NOWHERE))
    runner.kubectl("wait", "--for=condition=PodScheduled=false", "pod", "--selector=app=web", "--timeout=30s")

    with pytest.raises(UserError) as caught:
        runner.run("deployment/web", command="true")

    assert str(caught.value.title) == "No pod of deployment/web is ready"
    assert str(caught.value.message).count("is Pending (Cannot be scheduled)") == 2


@pytest.mark.parametrize(
    ("target", "config", "words"),
    [
        ("deployment/gone", {}, "deployment/gone is not in namespace"),
        ("pod/gone", {}, "pod/gone is not in namespace"),
        ("", {"selector": "app=gone"}, "app=gone has no pods"),
        ("deployment/web", {"container": "gone"}, "has no container gone"),
        ("", {"selector": "app in (web"}, "answered with an error"),
    ],
)
def test_what_is_not_there(runner, target, config, words):
    ready(runner, 1)
    with pytest.raises(UserError) as caught:
        runner.run(target, command="true", **config)
    assert words in str(caught.value.title)
    assert caught.value.code is ExitCode.FAILED
