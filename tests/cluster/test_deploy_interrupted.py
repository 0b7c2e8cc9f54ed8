"""A deploy that is cancelled, killed, or loses its API server: the state shown is the cluster's (rows 1 to 4)."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from deploy_help import DEPLOYMENT, NO_NODE, Deployer, is_pending_pod, make_chart

from ansflow_desktop.executors import helm_run
from ansflow_desktop.models.release import ReleaseStatus
from ansflow_desktop.models.run import Phase
from ansflow_desktop.practice import daemons
from ansflow_desktop.practice.cluster import PracticeClusters

STUCK = f"nodeSelector: {NO_NODE}"


@pytest.fixture
def deployer(kubeconfig, toolset, tmp_path, namespace):
    return Deployer(kubeconfig, toolset, tmp_path, namespace)


@pytest.fixture
def chart(tmp_path):
    return make_chart(tmp_path / "web", app=DEPLOYMENT)


def helm_pids(deployer) -> list[int]:
    """Return the helm processes that deploy into the test's namespace."""
    found = subprocess.run(["pgrep", "-f", f"namespace {deployer.namespace} "], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def test_cancel_in_mid_deploy_shows_the_true_state(deployer, chart):
    assert deployer.run(chart, chart_name="web").phase is Phase.SUCCEEDED
    thread = deployer.start(chart, chart_name="web", custom_values=STUCK)
    deployer.wait_for(lambda event: is_pending_pod(event) and "node" in f"{event.message} {event.detail}".lower())
    deployer.cancel.request()
    thread.join(60)

    result = deployer.result
    assert result.phase is Phase.CANCELLED
    assert (result.release.status, result.release.revision) == (ReleaseStatus.FAILED, 2)
    assert "failed at revision 2" in str(result.message)


def test_killed_helm_leaves_a_lock_that_is_told_and_refused(deployer, chart):
    thread = deployer.start(chart, chart_name="web", custom_values=STUCK)
    deployer.wait_for(is_pending_pod)
    for pid in helm_pids(deployer):
        os.kill(pid, signal.SIGKILL)
    thread.join(60)

    result = deployer.result
    assert (result.phase, result.exit_code) == (Phase.FAILED, -signal.SIGKILL)
    assert result.release.status is ReleaseStatus.PENDING_INSTALL
    assert "helm uninstall web-release" in str(result.hint)

    again = deployer.run(chart, chart_name="web")
    assert (again.phase, again.exit_code) == (Phase.FAILED, None)
    assert "locked" in str(again.message)
    assert deployer.argvs == []


def test_frozen_api_server_leaves_the_state_unknown(directories, helm4, kubectl, tmp_path, chart, monkeypatch, request):
    from ansflow_desktop.models.command import ToolSet
    from ansflow_desktop.paths import Directories

    monkeypatch.setattr(helm_run, "_READ_S", 2.0)
    monkeypatch.setattr(helm_run, "_READ_AGAIN_S", 0.5)
    own = Directories(data=tmp_path / "own", tools=directories.tools)
    clusters = PracticeClusters(own)
    info = clusters.start("frozen")
    request.addfinalizer(lambda: clusters.remove("frozen"))
    deployer = Deployer(info.kubeconfig, ToolSet(helm=helm4, kubectl=kubectl), tmp_path, "fe", cluster="frozen")
    thread = deployer.start(chart, chart_name="web", custom_values=STUCK)
    deployer.wait_for(is_pending_pod)
    [server] = [daemon.pid for daemon in daemons.running(own.data) if "kube-apiserver" in daemon.argv[0]]
    os.kill(server, signal.SIGSTOP)
    try:
        deployer.cancel.request()
        deployer.cancel.request()
        thread.join(60)
    finally:
        os.kill(server, signal.SIGCONT)

    assert deployer.result.phase is Phase.UNKNOWN
    assert deployer.result.release is None
    assert "not known" in str(deployer.result.message)
