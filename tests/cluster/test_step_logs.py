"""`k8s_logs` on a real API server; simulated nodes play a bundled log (recipes.md, "kwok")."""

from __future__ import annotations

import threading

import pytest
from step_help import DEPLOYMENT, NOWHERE, Cable, limited, steps

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.models.run import Output, Phase

LINES = (paths.resources() / "practice" / "container.log").read_text().splitlines(keepends=True)
PLAYED = "".join(line.split(" F ", 1)[1] for line in LINES)
LAST_TWO = "".join(PLAYED.splitlines(keepends=True)[-2:])


@pytest.fixture
def tools(kubectl):
    return ToolSet(kubectl=kubectl)


@pytest.fixture
def logs(kubeconfig, tools, tmp_path, namespace):
    return steps(StepType.K8S_LOGS, kubeconfig, tools, tmp_path, namespace)


def ready(logs, count: int) -> list[str]:
    logs.prepare(DEPLOYMENT % (count, ""))
    logs.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return sorted(name.removeprefix("pod/") for name in logs.there("pods"))


def test_every_pod_of_a_workload_with_its_name(logs, tmp_path):
    pods = ready(logs, 3)
    file = tmp_path / "all.log"

    result = logs.run("deployment/web", to_file=str(file), output="LOG")

    assert result.phase is Phase.SUCCEEDED, result.message
    lines = logs.output.splitlines()
    assert sorted(lines) == sorted(f"[{pod}/main] {line}" for pod in pods for line in PLAYED.splitlines())
    assert file.read_text() == logs.output == result.context.outputs["LOG"] + "\n"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, PLAYED),
        ({"tail_lines": 2}, LAST_TWO),
        ({"tail_lines": 0}, ""),
        ({"previous": True}, PLAYED),
    ],
)
def test_one_pod(logs, config, text):
    [pod] = ready(logs, 1)
    assert logs.run(f"pod/{pod}", **config).phase is Phase.SUCCEEDED
    assert logs.output == text


def test_the_pattern_is_found_and_what_comes_after_it_left_out(logs):
    ready(logs, 1)
    result = logs.run("deployment/web", until="starting", timeout="30s")
    assert result.phase is Phase.SUCCEEDED
    assert "Found: starting up" in str(result.message)
    assert "listening" not in logs.output


def test_following_has_no_line_twice_and_ends_with_its_pod(logs):
    """A simulated node ends the stream, or keeps it open though the pod is gone; neither may be seen."""
    [pod] = ready(logs, 1)
    gone = threading.Thread(target=lambda: logs.kubectl("delete", "pod", pod, "--wait=false"))
    started = []

    def emit(event):
        said(event)
        if isinstance(event, Output) and not started:
            started.append(gone.start())

    said, logs._emit = logs._emit, emit
    result = logs.run(f"pod/{pod}", follow=True, timeout="60s")
    gone.join()

    assert result.phase is Phase.SUCCEEDED
    assert logs.output == PLAYED


def test_a_connection_that_is_lost_and_comes_back_costs_no_line(logs, kubeconfig, tools, tmp_path, namespace):
    [pod] = ready(logs, 1)
    cable = Cable(kubeconfig, tmp_path)
    far = steps(StepType.K8S_LOGS, cable.kubeconfig, tools, tmp_path, namespace)
    cut = []

    def emit(event):
        said(event)
        if isinstance(event, Output) and not cut:
            cut.append(cable.cut())
            threading.Timer(1.0, cable.mend).start()
            threading.Timer(2.5, lambda: logs.kubectl("delete", "pod", pod, "--wait=false")).start()

    said, far._emit = far._emit, emit
    result = far.run(f"pod/{pod}", follow=True, timeout="60s")
    cable.cut()

    assert cut and result.phase is Phase.SUCCEEDED, result.message
    assert far.output == PLAYED


def test_without_the_right_it_is_forbidden(logs, practice_api, kubeconfig, tools, tmp_path, namespace):
    [pod] = ready(logs, 1)
    own = limited(practice_api, kubeconfig, namespace, tmp_path, (["get"], "", ["pods"]))
    some = steps(StepType.K8S_LOGS, own, tools, tmp_path, namespace)

    with pytest.raises(UserError) as caught:
        some.run(f"pod/{pod}")

    assert caught.value.code is ExitCode.FORBIDDEN
    assert "pods/log" in str(caught.value.message)


def test_a_pod_that_never_starts_has_no_log(logs):
    logs.prepare(DEPLOYMENT % (1, NOWHERE))
    logs.kubectl("wait", "--for=condition=PodScheduled=false", "pod", "--selector=app=web", "--timeout=30s")

    result = logs.run("deployment/web", follow=True, timeout="2s")

    assert result.phase is Phase.FAILED
    assert "Cannot be scheduled" in str(result.message)
