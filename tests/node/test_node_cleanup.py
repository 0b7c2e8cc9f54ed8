"""Nothing of a node outlives its session, however that ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import node_host
import pytest

pytestmark = pytest.mark.node

_KILLED_SESSION = """
import sys, signal
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import node_files, node_host
tools = dict(pair.split("=", 1) for pair in sys.argv[2:])
node = node_host.RealNode({name: Path(path) for name, path in tools.items()}, Path(tools["kubectl"]))
node.ready()
node.kubectl("run", "sleeper", "--image", node.image, "--image-pull-policy=Never")
assert node.kubectl("wait", "--for=condition=Ready", "pod/sleeper", "--timeout=30s").returncode == 0
print(node.folder, node.guard_pid, flush=True)
signal.pause()
"""


@pytest.mark.timeout(60)
def test_a_killed_session_leaves_no_process_mount_group_or_file(node_tools: dict[str, Path]) -> None:
    pairs = [f"{name}={path}" for name, path in node_tools.items()]
    here = str(Path(__file__).parent)
    argv = [sys.executable, "-c", _KILLED_SESSION, here, *pairs]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout
        folder, guard = session.stdout.readline().split()
        ended = os.pidfd_open(int(guard))
        assert node_host.leftovers(Path(folder), int(guard)), "a running node is not seen"
        session.send_signal(signal.SIGKILL)
    try:
        assert select.select([ended], [], [], node_host.END_S)[0], "the guard did not end"
    finally:
        os.close(ended)
    assert node_host.leftovers(Path(folder), int(guard)) == []


@pytest.mark.timeout(60)
def test_a_node_that_does_not_start_says_why_and_leaves_nothing(node_tools: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "kubelet"
    broken.write_text("#!/bin/sh\necho no cgroups today; exit 7\n")
    broken.chmod(0o755)
    node = node_host.RealNode({**node_tools, "kubelet": broken}, node_tools["kubectl"])
    try:
        with pytest.raises(RuntimeError, match=r"(?s)kubelet ended with 7.*no cgroups today"):
            node.ready()
    finally:
        node.stop()
    assert node.leftovers() == []
