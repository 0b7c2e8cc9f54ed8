"""`k8s_exec` and `k8s_logs` in a pod that really runs, through `ansflow-desktop run` without a window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from node_deploy import REPOSITORY, Deployed

sys.path.insert(0, str(REPOSITORY / "tests"))

from cut_proxy import CutProxy, behind, through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from node_host import RealNode

pytestmark = pytest.mark.node

_GREETER = "echo 'héllo 中文'; sleep 0.3; echo to stderr >&2; trap 'exit 0' TERM; while :; do sleep 0.1; done"
_OUTER_DEADLINE_S = 90.0
_COUNTER = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); sleep 0.02; done; echo the end"


def deployment(name: str, image: str, script: str) -> dict[str, Any]:
    container = {"name": "main", "image": image, "imagePullPolicy": "Never", "command": ["sh", "-c", script]}
    side = {**container, "name": "side", "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]}
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container, side], "terminationGracePeriodSeconds": 1},
            },
        },
    }


@pytest.fixture(scope="module")
def greeter(real_node: RealNode) -> Iterator[str]:
    """A deployment of two containers, ready."""
    apply(real_node, deployment("exec-greeter", real_node.image, _GREETER))
    done = real_node.kubectl("rollout", "status", "deploy/exec-greeter", "--timeout=60s", timeout=70)
    assert done.returncode == 0, done.stderr
    yield "exec-greeter"
    real_node.kubectl("delete", "deploy", "exec-greeter", "--wait=false")


def apply(node: RealNode, obj: dict[str, Any]) -> None:
    argv = [node.kubectl_path, "--kubeconfig", node.kubeconfig, "--context", node.context, "apply", "-f", "-"]
    subprocess.run(argv, input=json.dumps(obj), text=True, check=True, capture_output=True, timeout=30)


def run(
    node: RealNode,
    folder: Path,
    *steps: dict[str, Any],
    kubeconfig: Path | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> Deployed:
    """Run a pipeline of `steps` headless; cluster and namespace are filled in, `on_line` gets each line of jsonl."""
    where = {"k8s_cluster": node.context, "k8s_namespace": "default"}
    full = [{**where, **step} if step["type"] != "shell" else step for step in steps]
    document = {"apiVersion": "ansflow.dev/v1", "kind": "Pipeline", "metadata": {"name": "p"}, "spec": {"steps": full}}
    file = folder / "pipeline.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True))
    options = ["--kubeconfig", str(kubeconfig or node.kubeconfig), "--data-dir", str(folder / "data"), "--lang", "en"]
    argv = [sys.executable, "-m", "ansflow_desktop", *options, "-o", "jsonl", "run", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(folder)}
    events: list[dict[str, Any]] = []
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        watchdog = threading.Timer(_OUTER_DEADLINE_S, process.kill)
        watchdog.start()
        assert process.stdout and process.stderr
        for line in process.stdout:
            on_line(line)
            events.append(json.loads(line))
        said = process.stderr.read()
        watchdog.cancel()
    return Deployed(process.returncode, [event for event in events if "type" in event], said)


def cut_at(proxy: CutProxy, *words: str) -> Callable[[str], None]:
    """Return what cuts the proxy's connections at the first line of output with each of `words`."""
    left = list(words)

    def look(line: str) -> None:
        if left and '"type":"output"' in line.replace(" ", "") and left[0] in line:
            left.pop(0)
            proxy.cut()

    return look


def text(ended: Deployed, stream: str = "stdout") -> str:
    return "".join(event["text"] for event in ended.of("output") if event["stream"] == stream)


def exec_step(target: str, command: Any, **config: Any) -> dict[str, Any]:
    return {
        "name": "exec",
        "type": "k8s_exec",
        "k8s_resource_name": target,
        "k8s_config": {"command": command, **config},
    }


def test_exit_code_3_is_reported_as_3(real_node: RealNode, greeter: str, tmp_path: Path) -> None:
    ended = run(real_node, tmp_path, exec_step(f"deployment/{greeter}", "echo out; echo err >&2; exit 3"))

    assert (ended.code, ended.step["phase"], ended.step["exit_code"]) == (1, "Failed", 3), ended.verdict
    assert (text(ended), text(ended, "stderr")) == ("out\n", "err\n")


def test_exit_code_0_gives_the_output_to_the_next_step(real_node: RealNode, greeter: str, tmp_path: Path) -> None:
    show = {"name": "show", "type": "shell", "command": 'echo "got <$WORD>"'}
    command = ["printf", "%s\\n", "中文 $HOME 'quoted'"]
    ended = run(real_node, tmp_path, exec_step(f"deployment/{greeter}", command, output="WORD", container="side"), show)

    assert ended.code == 0, ended.verdict
    assert "got <中文 $HOME 'quoted'>\n" in text(ended)
    assert ended.of("command_started")[0]["argv"][1].startswith("exec")
    assert any("Picked pod exec-greeter-" in message(event) for event in ended.of("notice"))


def message(event: dict[str, Any]) -> str:
    """The English text of an event's message."""
    said = event["message"]
    return said if isinstance(said, str) else said["text"]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("nosuch-program", 127, "exit code 127"),
        (["nosuch-program"], None, "has no program nosuch-program"),
        (["/etc"], None, "/etc cannot be run"),
    ],
)
def test_a_command_that_is_not_there(
    real_node: RealNode, greeter: str, tmp_path: Path, command: Any, code: int | None, words: str
) -> None:
    ended = run(real_node, tmp_path, exec_step(f"deployment/{greeter}", command))

    assert (ended.code, ended.step["phase"], ended.step["exit_code"]) == (1, "Failed", code)
    assert words in ended.verdict
    assert ended.step["hint"] or code is None


def test_a_command_that_takes_too_long_may_still_run(real_node: RealNode, greeter: str, tmp_path: Path) -> None:
    ended = run(real_node, tmp_path, exec_step(f"deployment/{greeter}", "echo on; exec sleep 61", timeout="1s"))

    assert (ended.code, ended.step["phase"]) == (1, "Failed")
    assert "may still run" in ended.verdict
    look = ("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    still = real_node.kubectl("exec", f"deployment/{greeter}", "-c", "main", "--", *look)
    assert "sleep 61" in still.stdout, "the command was ended after all: the message is wrong"


def test_a_lost_connection_is_unknown(real_node: RealNode, greeter: str, tmp_path: Path) -> None:
    """The command goes on in the container and ends with 0, but nobody was told: that is neither a success nor 1."""
    with through(real_node.kubeconfig) as proxy:
        kubeconfig = behind(proxy, real_node.kubeconfig, tmp_path)
        step = exec_step(f"deployment/{greeter}", "echo begun; sleep 3; exit 0")
        ended = run(real_node, tmp_path, step, kubeconfig=kubeconfig, on_line=cut_at(proxy, "begun"))

    assert (ended.code, ended.step["phase"], ended.step["exit_code"]) == (5, "Unknown", None), ended.verdict
    assert "not known" in ended.verdict


def test_logs_of_both_pods_go_to_a_file_and_a_variable(real_node: RealNode, greeter: str, tmp_path: Path) -> None:
    config = {"selector": "app=exec-greeter", "until": "to std[e]rr", "timeout": "30s", "to_file": "out.log"}
    config |= {"output": "LOG", "container": "main"}
    show = {"name": "show", "type": "shell", "command": 'echo "got <$LOG>"'}
    ended = run(real_node, tmp_path, {"name": "logs", "type": "k8s_logs", "k8s_config": config}, show)

    assert ended.code == 0, ended.verdict
    assert (tmp_path / "out.log").read_text() == "héllo 中文\nto stderr\n"
    assert "got <héllo 中文\nto stderr>\n" in text(ended)


def test_a_followed_log_is_whole_over_breaks_and_ends_with_its_pod(real_node: RealNode, tmp_path: Path) -> None:
    container = {
        "name": "main",
        "image": real_node.image,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", _COUNTER],
    }
    spec = {"restartPolicy": "Never", "containers": [container]}
    apply(real_node, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "counter"}, "spec": spec})
    step = {"name": "logs", "type": "k8s_logs", "k8s_resource_name": "pod/counter"}
    config = {"follow": True, "timeout": "60s", "to_file": "counter.log"}
    with through(real_node.kubeconfig) as proxy:
        kubeconfig = behind(proxy, real_node.kubeconfig, tmp_path)
        cutting = cut_at(proxy, "line 20\\n", "line 71", "line 133")
        ended = run(real_node, tmp_path, {**step, "k8s_config": config}, kubeconfig=kubeconfig, on_line=cutting)
    real_node.kubectl("delete", "pod", "counter", "--wait=false")

    assert (ended.code, ended.step["phase"]) == (0, "Succeeded"), ended.verdict
    expected = "".join(f"line {number}\n" for number in range(200)) + "the end\n"
    assert text(ended) == expected
    assert (tmp_path / "counter.log").read_text() == expected
    assert sum("broke off" in message(event) for event in ended.of("notice")) >= 1
    assert not any("missing" in message(event) for event in ended.of("notice"))
