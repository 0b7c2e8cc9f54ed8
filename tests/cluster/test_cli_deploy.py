"""The command line on a real control plane, as processes: what a person types and what a script reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deploy_help import HELM_4

from ansflow_desktop.errors import ExitCode

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FE_APP = EXAMPLES / "fe-app"
LIMIT_S = 60


@pytest.fixture
def words(kubeconfig: Path, tmp_path: Path) -> list[str]:
    data, kube = str(tmp_path / "data"), str(kubeconfig)
    return [sys.executable, "-m", "ansflow_desktop", "--data-dir", data, "--kubeconfig", kube]


@pytest.fixture
def call(words: list[str], tmp_path: Path):
    """Run one command line as a process."""

    def run(*more: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([*words, *more], capture_output=True, text=True, cwd=cwd, timeout=LIMIT_S, check=False)
        assert "Traceback" not in done.stderr
        return done

    return run


def events(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_deploy_tells_the_whole_story(call, helm, namespace: str, kubectl_json, kubeconfig: Path) -> None:
    """One command: what ran, helm's words, the pods becoming ready, the release row, the verdict."""
    before = kubeconfig.read_bytes()
    done = call("deploy", str(FE_APP), "-c", "practice", "-n", namespace, "--helm", helm.path, "--timeout", "60s")
    assert done.returncode == 0, done.stderr
    wanted = f"helm upgrade --install fe-app-release . --namespace {namespace} --create-namespace --wait --timeout 60s"
    assert f"$ {wanted} --kubeconfig" in done.stdout
    assert f"In {FE_APP}:" in done.stdout
    assert "STATUS: deployed" in done.stdout
    assert "Pod/fe-app-release-" in done.stdout and "Healthy" in done.stdout
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("fe-app-release "))
    assert row[:3] == ["fe-app-release", namespace, "fe-app-0.1.0"]
    deployment = kubectl_json("get", "deployment", "fe-app-release", "--namespace", namespace)
    assert deployment["status"]["readyReplicas"] == deployment["spec"]["replicas"]
    assert kubeconfig.read_bytes() == before


def test_deploy_as_jsonl_then_the_listings(call, helm4, namespace: str) -> None:
    options = ("-c", "practice", "-n", namespace)
    done = call("deploy", str(FE_APP), *options, "-r", "web", "--helm", helm4.path, "-o", "jsonl")
    stream = events(done)
    assert done.returncode == 0
    types = [event["type"] for event in stream]
    assert types[0] == "run_started" and types[-1] == "run_finished"
    assert {"step_started", "command_started", "output", "resource", "step_finished"} <= set(types)
    assert all(event["run"] == stream[0]["run"] for event in stream)
    finished = next(event for event in stream if event["type"] == "step_finished")
    assert (finished["phase"], finished["exit_code"], finished["release"]["status"]) == ("Succeeded", 0, "deployed")

    rows = json.loads(call("releases", "list", *options, "-o", "json").stdout)
    keys = {"name", "namespace", "revision", "updated", "status", "chart", "app_version"}
    assert [row["name"] for row in rows] == ["web"] and keys <= set(rows[0])
    history = json.loads(call("releases", "history", "web", *options, "-o", "json").stdout)
    assert [row["revision"] for row in history] == [1]
    assert namespace in json.loads(call("clusters", "namespaces", "practice", "-o", "json").stdout)


def test_values_reach_the_cluster_in_order(call, helm4, namespace: str, kubectl_json, tmp_path: Path) -> None:
    first, second = tmp_path / "一.yaml", tmp_path / "two words.yaml"
    first.write_text("replicaCount: 3\n")
    second.write_text("replicaCount: 2\n")
    options = ("-c", "practice", "-n", namespace, "--helm", helm4.path, "-f", first.name, "-f", second.name)
    done = call("deploy", str(FE_APP), *options, "--set", "replicaCount=1")
    assert done.returncode == 0, done.stderr
    assert kubectl_json("get", "deployment", "fe-app-release", "--namespace", namespace)["spec"]["replicas"] == 1


def test_a_shell_steps_directory_is_where_the_chart_is_found(call, helm4, namespace: str) -> None:
    """The defect that started this product: `cd fe-app`, then a deploy of the chart fe-app."""
    options = ("-v", f"namespace={namespace}", "--helm", helm4.path, "-o", "jsonl")
    done = call("run", str(EXAMPLES / "pipeline.yaml"), *options)
    assert done.returncode == 0, done.stderr
    command = next(
        event for event in events(done) if event["type"] == "command_started" and event["argv"][0].endswith("helm")
    )
    assert command["cwd"] == str(FE_APP)
    wanted = ["upgrade", "--install", "fe-app-release", ".", "--namespace", namespace, "--create-namespace", "--wait"]
    assert command["argv"][1:9] == wanted


@HELM_4
def test_a_deploy_that_fails_is_1_with_the_reason(call, helm, namespace: str, tmp_path: Path) -> None:
    values = tmp_path / "crash.yaml"
    values.write_text(yaml.safe_dump({"podAnnotations": {"practice.ansflow.dev/behaviour": "image-missing"}}))
    options = ("-c", "practice", "-n", namespace, "--helm", helm.path, "-f", str(values), "--timeout", "4s")
    done = call("deploy", str(FE_APP), *options)
    assert done.returncode == ExitCode.FAILED
    assert "Failed" in done.stdout and "image" in done.stdout.lower()


def test_ctrl_c_cancels_and_says_what_the_cluster_says(words: list[str], helm, namespace: str, tmp_path: Path) -> None:
    values = tmp_path / "slow.yaml"
    values.write_text(yaml.safe_dump({"podAnnotations": {"practice.ansflow.dev/behaviour": "never-ready"}}))
    options = ["-c", "practice", "-n", namespace, "--helm", helm.path, "-f", str(values), "-o", "jsonl"]
    command = [*words, "deploy", str(FE_APP), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(json.loads(line))
            if seen[-1]["type"] == "resource" and seen[-1]["kind"] == "Pod":
                break
        os.kill(process.pid, signal.SIGINT)
        rest, words_said = process.communicate(timeout=LIMIT_S)
    finished = next(event for event in map(json.loads, rest.splitlines()) if event["type"] == "step_finished")
    assert process.returncode == ExitCode.CANCELLED
    assert finished["phase"] == "Cancelled"
    assert finished["release"]["status"] == "failed"
    assert "Ctrl+C" in words_said


def test_a_user_without_rights_is_4(call, namespace: str, kubeconfig: Path, kubectl, tmp_path: Path, helm4) -> None:
    """A ServiceAccount that may do nothing: the server's refusal becomes exit code 4."""
    run = [kubectl.path, "--kubeconfig", str(kubeconfig)]
    subprocess.run([*run, "create", "namespace", namespace], check=True, capture_output=True)
    subprocess.run([*run, "-n", namespace, "create", "serviceaccount", "nobody"], check=True, capture_output=True)
    made = subprocess.run(
        [*run, "-n", namespace, "create", "token", "nobody"], check=True, capture_output=True, text=True
    )
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": made.stdout.strip()}
    other = tmp_path / "nobody"
    other.write_text(yaml.safe_dump(document))
    options = ("--kubeconfig", str(other), "-c", "practice", "-n", namespace)
    listing = call("releases", "list", *options)
    assert listing.returncode == ExitCode.FORBIDDEN, listing.stderr
    done = call("deploy", str(FE_APP), *options, "--helm", helm4.path)
    assert done.returncode == ExitCode.FORBIDDEN, done.stdout + done.stderr
    assert made.stdout.strip() not in done.stdout + done.stderr
    assert "forbidden" in (done.stdout + done.stderr).lower()


WEB = """apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {{name: web}}
spec:
  variables: {{replicas: "1"}}
  steps:
    - name: deploy
      type: k8s_deploy
      k8s_cluster: practice
      k8s_namespace: {namespace}
      k8s_config:
        deploy_type: helm
        chart_path: {chart}
        release_name: web
        custom_values: "replicaCount: ${{replicas}}"
"""


def test_a_preview_says_what_would_change(call, namespace: str, helm4, tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(WEB.format(namespace=namespace, chart=FE_APP))
    tool = ("--helm", helm4.path)
    before = json.loads(call("preview", str(file), "--diff", "-o", "json", *tool).stdout)["steps"][0]["difference"]
    assert before["live"] is False
    assert {each["change"] for each in before["objects"]} == {"added"}
    assert call("run", str(file), *tool).returncode == 0
    done = call("preview", str(file), "--diff", "-v", "replicas=3", *tool)
    assert done.returncode == 0, done.stderr
    assert f"Deployment {namespace}/web-fe-app is changed" in done.stdout
    lines = done.stdout.splitlines()
    assert "-replicaCount: 1" in lines and "+replicaCount: 3" in lines
    assert any(line.startswith("+") and line[1:].strip() == "replicas: 3" for line in lines)
