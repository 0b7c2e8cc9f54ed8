"""All seven step types in both deploy modes in one run without a window: on a practice cluster that runs commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansflow_desktop.paths import Directories
from ansflow_desktop.pipelines.codec import load_pipeline
from ansflow_desktop.practice.cluster import PracticeClusters

EVERY_STEP = Path(__file__).resolve().parents[2] / "examples" / "every-step.yaml"
LIMIT_S = 60


@pytest.fixture
def with_exec(practice_tools, tmp_path_factory, alive):
    """A cluster of this test alone whose pods run commands on this machine."""
    clusters = PracticeClusters(Directories(data=tmp_path_factory.mktemp("exec"), tools=practice_tools))
    yield clusters.start("exec", exec_on_this_machine=True)
    clusters.remove("exec")


def test_every_step_of_the_example_runs(with_exec, helm4, kubectl, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ansflow_desktop", "--data-dir", str(tmp_path / "data"), "-o", "jsonl"]
    words += ["--kubeconfig", str(with_exec.kubeconfig), "--helm", helm4.path, "--kubectl", kubectl.path]
    words += ["run", str(EVERY_STEP), "-v", f"cluster={context(with_exec.kubeconfig)}", "-v", "exec=yes"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    events = [json.loads(line) for line in done.stdout.splitlines()]
    phases = {event["step"]: event["phase"] for event in events if event["type"] == "step_finished"}
    steps = load_pipeline(EVERY_STEP).steps
    assert phases == {step.name: "Succeeded" for step in steps}
    said = "".join(event["text"] for event in events if event["type"] == "output" and event["step"] == "look inside")
    assert said.startswith("this is ")


def context(kubeconfig: Path) -> str:
    """Return the name of the only context in `kubeconfig`."""
    return str(yaml.safe_load(kubeconfig.read_text())["current-context"])
