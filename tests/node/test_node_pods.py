"""What only a real kubelet answers: a container's own log and the exit code of a command in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node_host import RealNode

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def greeter(real_node: RealNode) -> Iterator[str]:
    """A running pod that has written a line to each stream."""
    script = "echo to stdout; echo to stderr >&2; exec sleep 600"
    run = ("run", "greeter", "--image", real_node.image, "--image-pull-policy=Never", "--", "sh", "-c", script)
    assert real_node.kubectl(*run).returncode == 0
    waited = real_node.kubectl("wait", "--for=condition=Ready", "pod/greeter", "--timeout=30s", timeout=40)
    assert waited.returncode == 0, waited.stderr
    yield "greeter"
    real_node.kubectl("delete", "pod", "greeter", "--grace-period=0", "--force")


def test_logs_hold_what_the_container_wrote(real_node: RealNode, greeter: str) -> None:
    logs = real_node.kubectl("logs", greeter)
    assert (logs.returncode, sorted(logs.stdout.splitlines())) == (0, ["to stderr", "to stdout"])


@pytest.mark.parametrize("code", [0, 3, 127])
def test_exec_passes_the_exit_code_on(real_node: RealNode, greeter: str, code: int) -> None:
    assert real_node.kubectl("exec", greeter, "--", "sh", "-c", f"exit {code}").returncode == code


def test_exec_keeps_the_two_streams_apart(real_node: RealNode, greeter: str) -> None:
    done = real_node.kubectl("exec", greeter, "--", "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
