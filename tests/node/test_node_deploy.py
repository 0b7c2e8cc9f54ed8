"""Deploys that really run: one that becomes ready, and four of the ways in which one does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from node_deploy import Deployed, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from node_host import RealNode

pytestmark = pytest.mark.node

# How long helm waits for what cannot happen, and the values that make it so.
_FAILURES: dict[str, tuple[str, dict[str, object]]] = {
    "absent": ("6s", {"image": "docker.io/library/absent:1"}),
    "unreachable": ("20s", {"image": "127.0.0.1:1/x:1", "pullPolicy": "IfNotPresent"}),
    "crashing": ("9s", {"command": ["sh", "-c", "echo no database; exit 4"]}),
    "unready": ("8s", {"probedPath": "/absent"}),
}


@pytest.fixture(scope="module")
def deploys(
    real_node: RealNode, node_tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Deployed]:
    """Every deploy's end; they run at once, since most of the time is waiting."""
    folder = tmp_path_factory.mktemp("deploys")
    cases = {"ready": ("60s", dict[str, object]()), **_FAILURES}
    with ThreadPoolExecutor(len(cases)) as pool:
        futures = {
            name: pool.submit(deploy, real_node, node_tools["helm"], folder, name, *case)
            for name, case in cases.items()
        }
        return {name: future.result() for name, future in futures.items()}


def test_a_deploy_becomes_ready(real_node: RealNode, deploys: dict[str, Deployed]) -> None:
    ended = deploys["ready"]
    assert (ended.code, ended.step["phase"]) == (0, "Succeeded"), ended.verdict
    assert ended.of("run_finished")[-1]["phase"] == "Succeeded"
    assert ended.step["release"]["status"] == "deployed"
    assert ended.seen("Deployment", "Healthy")
    ready = real_node.kubectl("-n", "ready", "get", "deploy", "ready", "-o", "jsonpath={.status.readyReplicas}")
    assert ready.stdout == "1"


@pytest.mark.parametrize("name", _FAILURES)
def test_a_deploy_that_cannot_become_ready_fails(name: str, deploys: dict[str, Deployed]) -> None:
    ended = deploys[name]
    assert (ended.code, ended.step["phase"]) == (1, "Failed"), ended.verdict
    assert ended.step["release"]["status"] == "failed"
    assert ended.step["hint"], "nothing says what to do"


@pytest.mark.parametrize("name", ["absent", "unreachable"])
def test_an_image_that_cannot_be_pulled_is_named(name: str, deploys: dict[str, Deployed]) -> None:
    ended = deploys[name]
    assert "mage cannot be pulled" in ended.verdict, ended.verdict
    image = str(_FAILURES[name][1]["image"])
    assert any("mage cannot be pulled" in words and image in words for words in ended.seen("Pod", "Degraded"))


def test_a_crash_loop_is_named(deploys: dict[str, Deployed]) -> None:
    ended = deploys["crashing"]
    assert "keeps crashing" in ended.verdict, ended.verdict
    assert any("exit code 4" in words for words in ended.seen("Pod", "Degraded"))


def test_a_failing_readiness_probe_is_named(deploys: dict[str, Deployed]) -> None:
    ended = deploys["unready"]
    assert any("Readiness probe failed" in event["message"] for event in ended.of("event"))
    assert "probe" in ended.verdict.lower(), ended.verdict
