"""Deploys that really run: one that becomes ready, and four of the ways in which one does not."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from node_deploy import Deployed, deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node_host import RealNode

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("node")]

_PATIENCE_S = 80.0

# What each chart's values are, and how long helm waits for what cannot happen.
_FAILURES = {
    "absent": ("6s", {"image": "docker.io/library/absent:1"}),
    "unreachable": ("20s", {"image": "127.0.0.1:1/x:1", "pullPolicy": "IfNotPresent"}),
    "crashing": ("9s", {"command": ["sh", "-c", "echo no database; exit 4"]}),
    "unready": ("8s", {"probedPath": "/absent"}),
}


@pytest.fixture(scope="module")
def deploys(real_node: RealNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Deployed]]]:
    """Every deploy at once, since most of the time is waiting."""
    folder = tmp_path_factory.mktemp("deploys")
    cases = {"ready": ("60s", {}), **_FAILURES}
    with ThreadPoolExecutor(len(cases)) as pool:
        yield {name: pool.submit(deploy, real_node, folder, name, *case) for name, case in cases.items()}  # type: ignore[arg-type]


def _ended(deploys: dict[str, Future[Deployed]], name: str) -> Deployed:
    return deploys[name].result(_PATIENCE_S)


def test_a_deploy_becomes_ready(real_node: RealNode, deploys: dict[str, Future[Deployed]]) -> None:
    ended = _ended(deploys, "ready")
    assert (ended.code, ended.step["phase"], ended.of("run_finished")[-1]["phase"]) == (0, "Succeeded", "Succeeded"), (
        ended.verdict
    )
    assert ended.step["release"]["status"] == "deployed"
    assert ended.healths("Deployment")[-1][0] == "Healthy"
    ready = real_node.kubectl("-n", "ready", "get", "deploy", "ready", "-o", "jsonpath={.status.readyReplicas}")
    assert ready.stdout == "1"


@pytest.mark.parametrize("name", _FAILURES)
def test_a_deploy_that_cannot_become_ready_fails(name: str, deploys: dict[str, Future[Deployed]]) -> None:
    ended = _ended(deploys, name)
    assert (ended.code, ended.step["phase"]) == (1, "Failed"), ended.verdict
    assert ended.step["release"]["status"] == "failed"
    assert ended.step["hint"], "nothing says what to do"


@pytest.mark.parametrize("name", ["absent", "unreachable"])
def test_an_image_that_cannot_be_pulled_is_named(name: str, deploys: dict[str, Future[Deployed]]) -> None:
    ended = _ended(deploys, name)
    assert "mage cannot be pulled" in ended.verdict, ended.verdict
    assert str(_FAILURES[name][1]["image"]) in ended.verdict
    assert any(health == "Degraded" for health, _ in ended.healths("Pod"))


def test_a_crash_loop_is_named(deploys: dict[str, Future[Deployed]]) -> None:
    ended = _ended(deploys, "crashing")
    assert "crash" in ended.verdict.lower(), ended.verdict
    assert any("crash" in words.lower() for _, words in ended.healths("Pod")), ended.healths("Pod")


def test_a_failing_readiness_probe_is_named(deploys: dict[str, Future[Deployed]]) -> None:
    ended = _ended(deploys, "unready")
    assert "probe" in ended.verdict.lower(), ended.verdict
    assert any("Readiness probe failed" in event["message"] for event in ended.of("event"))
