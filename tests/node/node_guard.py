"""Outside of the node: starts it in namespaces of its own, waits, and takes away what the kernel does not.

`python node_guard.py FOLDER LISTENER_FD`. Ends when its standard input ends, thus also after a `kill -9` of pytest.
Mounts, network devices, shims and containers live in the node's own mount, network and process namespaces and end
with the first process in there; left to take away are the control groups and FOLDER.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc")
_PATIENCE_S = 10.0
_TURN_S = 0.05


def hierarchies() -> list[Path]:
    """Return the roots of the control group trees: one (version 2), or one a controller (version 1)."""
    if (CGROUPS / "cgroup.procs").exists():
        return [CGROUPS]
    return sorted({path.parent.resolve() for path in CGROUPS.glob("*/cgroup.procs")})


def make_cgroups(name: str) -> None:
    """Create the group `name` and in it `init`, where the node's own processes go; containers come beside or below.

    Raises OSError where the kernel refuses.
    """
    for root in hierarchies():
        (root / name / "init").mkdir(parents=True, exist_ok=True)
        for group in (root / name, root / name / "init"):
            _inherit_cpuset(group)


def _inherit_cpuset(group: Path) -> None:
    """Copy the parent's cpus and memory nodes: a fresh version 1 cpuset has none and takes no process."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        if (group / file).exists() and not (group / file).read_text().strip():
            with contextlib.suppress(OSError):
                (group / file).write_text((group.parent / file).read_text())


def remove_cgroups(name: str) -> list[Path]:
    """Remove the groups `name` with all below them, waiting for their last process; return what could not be."""
    end = time.monotonic() + _PATIENCE_S
    tops = [root / name for root in hierarchies()]
    while left := [top for top in tops if top.exists() and not _remove_tree(top)]:
        if time.monotonic() > end:
            return left
        time.sleep(_TURN_S)
    return []


def _remove_tree(top: Path) -> bool:
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return not top.exists()


def sweep() -> None:
    """Remove groups of nodes whose guard was killed; a group's name ends in the guard's process id."""
    for root in hierarchies():
        for group in root.glob("ansflow-node-*"):
            if not Path("/proc", group.name.rpartition("-")[2]).exists():
                _remove_tree(group)


def main(folder: str, listener: str) -> int:
    """Keep the node until standard input ends or the node does; return its exit code."""
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, signal.SIG_IGN)
    name = f"ansflow-node-{os.getpid()}"
    try:
        sweep()
        make_cgroups(name)
        return _keep([sys.executable, str(Path(__file__).with_name("node_inside.py")), folder, listener, name])
    finally:
        remove_cgroups(name)
        shutil.rmtree(folder, ignore_errors=True)


def _keep(argv: list[str]) -> int:
    listener = int(argv[3])
    node = subprocess.Popen(["unshare", *NAMESPACES, *argv], stdin=subprocess.DEVNULL, pass_fds=[listener])
    os.close(listener)
    ended = os.pidfd_open(node.pid)
    try:
        _wait_for_either(ended)
        return node.poll() or 0
    finally:
        node.kill()  # "--kill-child": with it goes the first process of the namespaces, and with that all the others
        node.wait()
        sys.stdin.buffer.read()  # the logs stay for whoever started this, until they close the pipe


def _wait_for_either(pidfd: int) -> None:
    """Block until the node ended, or the pipe from pytest did."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(sys.stdin.fileno(), select.POLLHUP | select.POLLIN)
    poll.poll()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
