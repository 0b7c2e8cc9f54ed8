"""AnsFlow or the terminal goes away in mid-deploy: what is left is told at the next start, once (row 1)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from practice_kit import until

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.models.run import Phase
from ansflow_desktop.store.journal import Journal

FE_APP = Path(__file__).resolve().parents[2] / "examples" / "fe-app"
LIMIT_S = 60


@pytest.fixture
def words(kubeconfig: Path, tmp_path: Path) -> list[str]:
    data, kube = str(tmp_path / "data"), str(kubeconfig)
    return [sys.executable, "-m", "ansflow_desktop", "--data-dir", data, "--kubeconfig", kube]


@pytest.fixture
def deploying(words: list[str], helm4, namespace: str, tmp_path: Path):
    """A deploy that never becomes ready, in mid-flight; it must have ended at the end of the test."""
    values = tmp_path / "slow.yaml"
    values.write_text(yaml.safe_dump({"podAnnotations": {"practice.ansflow.dev/behaviour": "never-ready"}}))
    options = ["-c", "practice", "-n", namespace, "--helm", helm4.path, "-f", str(values), "-o", "jsonl"]
    with subprocess.Popen(
        [*words, "deploy", str(FE_APP), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if '"kind":"Pod"' in line)
        yield process
        if process.poll() is None:
            process.kill()


def info(words: list[str]) -> str:
    done = subprocess.run([*words, "info"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0
    return done.stderr


def helm_of(namespace: str) -> list[int]:
    found = subprocess.run(["pgrep", "-f", f"helm upgrade .*namespace {namespace} "], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def run_folders(tmp_path: Path) -> list[str]:
    return os.listdir(tmp_path / "data" / "runs")


def test_a_closed_terminal_cancels_and_leaves_no_lock(deploying, words, namespace: str, tmp_path: Path) -> None:
    deploying.send_signal(signal.SIGHUP)
    rest, _ = deploying.communicate(timeout=LIMIT_S)
    assert deploying.returncode == ExitCode.CANCELLED
    assert '"phase":"Cancelled"' in rest and '"status":"failed"' in rest
    assert helm_of(namespace) == [] and run_folders(tmp_path) == []
    assert info(words) == ""


def test_a_killed_ansflow_is_told_at_the_next_start_once(deploying, words, namespace: str, tmp_path: Path) -> None:
    """First its helm still works with the kubeconfig in the run's folder, then it is killed too: the lock stays."""
    deploying.kill()
    deploying.communicate(timeout=LIMIT_S)
    (helm,) = helm_of(namespace)
    title = f"The deploy of fe-app-release in {namespace} on practice did not end"
    said = info(words)
    assert title in said and "still at work" in said
    assert len(run_folders(tmp_path)) == 1
    os.kill(helm, signal.SIGKILL)
    until(lambda: not helm_of(namespace))
    said = info(words)
    assert title in said and "revision 1 is pending-install" in said
    assert f"helm uninstall fe-app-release --namespace {namespace}" in said
    assert run_folders(tmp_path) == []
    assert info(words) == ""
    journal = Journal(tmp_path / "data" / "ansflow.db")
    assert [(run.phase, run.finished is not None) for run in journal.runs()] == [(Phase.FAILED, True)]
    journal.close()
