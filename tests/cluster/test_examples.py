"""The pipelines of examples/ run as they are: what their comments promise is in the cluster afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansflow_desktop.models.pipeline import PipelineStep, StepType
from ansflow_desktop.pipelines.codec import load_pipeline

EVERY_STEP = Path(__file__).resolve().parents[2] / "examples" / "every-step.yaml"
LIMIT_S = 90


def kind(step: PipelineStep) -> str:
    """Return the type of a step, a deploy's with its mode."""
    mode = step.k8s_config.get("deploy_type", "")
    return f"{step.type.value} {mode}".strip()


def test_every_step_has_every_type_in_both_modes() -> None:
    found = {kind(step) for step in load_pipeline(EVERY_STEP).steps}
    assert found == {f"{one.value}" for one in StepType if one is not StepType.K8S_DEPLOY} | {
        "k8s_deploy helm",
        "k8s_deploy manifest",
    }


@pytest.fixture
def ran(tmp_path: Path, kubeconfig: Path, namespace: str, helm4, kubectl) -> list[dict]:
    """The events of a run of the example from another folder, with no variable given but the namespace."""
    words = [sys.executable, "-m", "ansflow_desktop", "--data-dir", str(tmp_path / "data"), "-o", "jsonl"]
    words += ["--kubeconfig", str(kubeconfig), "--helm", helm4.path, "--kubectl", kubectl.path]
    words += ["run", str(EVERY_STEP), "-v", f"namespace={namespace}"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_step_leaves_what_it_says(ran: list[dict], namespace: str, kubectl_json) -> None:
    """The chart with the script's own words in it, the worker scaled, its log passed on, the job gone; no exec."""

    def get(*words: str):
        return kubectl_json("get", *words, "--namespace", namespace)

    steps = load_pipeline(EVERY_STEP).steps
    phases = {event["step"]: event["phase"] for event in ran if event["type"] == "step_finished"}
    assert phases == {step.name: "Skipped" if step.type is StepType.K8S_EXEC else "Succeeded" for step in steps}
    page = get("configmap", "front-fe-app")["data"]["index.html"]
    assert "0.1.0, deployed on 20" in page
    assert get("deployment", "front-fe-app")["status"]["readyReplicas"] == 4  # values-production.yaml
    assert get("deployment", "worker")["status"]["readyReplicas"] == 3
    assert get("jobs")["items"] == []
    said = "".join(event["text"] for event in ran if event["type"] == "output" and event["step"] == "sum up")
    assert "fe-app 0.1.0 is deployed" in said and said.count("no work to do, idling") == 3
