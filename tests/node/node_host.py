"""The node as the tests see it: what it needs, starting it, waiting until it is Ready, ending it."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import node_files
import node_guard

READY_S = 90.0
END_S = 30.0
_TURN_S = 0.1


def reason_to_skip() -> str:
    """Say why no node can run on this machine; empty where one can."""
    if sys.platform != "linux" or os.geteuid():
        return "a real node needs Linux and root"
    programs = ("containerd", "ctr", "runc", "ip", "openssl", "unshare", "mount")
    missing = [name for name in programs if not shutil.which(name)]
    missing += [str(path) for path in (node_files.BUSYBOX, node_files.CNI_PLUGINS / "bridge") if not path.exists()]
    if missing:
        packages = "containerd runc containernetworking-plugins busybox-static iproute2 openssl"
        return f"a real node needs {', '.join(missing)} (Debian packages: {packages})"
    return _refusal_of_kernel()


def _refusal_of_kernel() -> str:
    """Try in a moment what the node does for a minute: namespaces, mounts, a bridge, control groups."""
    script = "mount -t tmpfs tmpfs /run && mount --make-rshared / && ip link add cni0 type bridge"
    argv = ["unshare", *node_guard.NAMESPACES, "sh", "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        return f"this kernel or container refuses a real node: {done.stderr.strip()}"
    name = f"ansflow-node-probe-{os.getpid()}"
    try:
        node_guard.make_cgroups(name)
    except OSError as error:
        return f"this kernel or container refuses control groups: {error}"
    finally:
        node_guard.remove_cgroups(name)
    return "" if node_guard.hierarchies() else "no control groups are mounted at /sys/fs/cgroup"


class RealNode:
    """A control plane and one node; `kubeconfig` reaches it from outside, its context is `real-node`."""

    context = "real-node"
    image = node_files.IMAGE

    def __init__(self, tools: dict[str, Path], kubectl: Path) -> None:
        """Start; `ready()` waits. `tools` are the paths of `node_files.PROGRAMS`."""
        self.folder = Path(tempfile.mkdtemp(prefix="ansflow-node-"))
        self.folder.chmod(0o755)
        self.kubectl_path = kubectl
        try:
            self._guard = self._start(tools)
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def _start(self, tools: dict[str, Path]) -> subprocess.Popen[bytes]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.kubeconfig = node_files.write_all(self.folder, listener.getsockname()[1], tools)
            return subprocess.Popen(
                [sys.executable, node_guard.__file__, str(self.folder), str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )

    def ready(self) -> None:
        """Wait until pods can run; raises RuntimeError with the services' last words where that does not happen."""
        end = time.monotonic() + READY_S
        said = self._heard(READY_S)
        while said == "up\n" and time.monotonic() < end:
            if self._can_run_pods():
                return
            said += self._heard(_TURN_S)
        raise RuntimeError(f"the node did not become ready: {said}{self._last_words()}")

    def _heard(self, seconds: float) -> str:
        """Return the node's next line: `up`, or why it ended; empty where it says nothing for so long."""
        assert self._guard.stdout
        ready = select.select([self._guard.stdout], [], [], seconds)[0]
        return self._guard.stdout.readline().decode() if ready else ""

    def _can_run_pods(self) -> bool:
        condition = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
        nodes = self.kubectl("get", "nodes", "-o", condition)
        return nodes.stdout == "True" and self.kubectl("get", "serviceaccount", "default").returncode == 0

    def kubectl(self, *args: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run kubectl against this node; the caller looks at the exit code."""
        argv = [self.kubectl_path, "--kubeconfig", self.kubeconfig, "--context", self.context, *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)

    def _last_words(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "".join(f"\n--- {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in logs)

    def stop(self) -> None:
        """End everything; returns when processes, mounts, control groups and files are gone."""
        assert self._guard.stdin and self._guard.stdout
        self._guard.stdin.close()
        try:
            self._guard.wait(END_S)
        finally:
            self._guard.kill()
            self._guard.wait()
            self._guard.stdout.close()

    @property
    def guard_pid(self) -> int:
        """The process that ends last, after everything of the node is gone."""
        return self._guard.pid

    def leftovers(self) -> list[str]:
        """Name what is left of this node on the machine after `stop`."""
        return leftovers(self.folder, self._guard.pid)


def leftovers(folder: Path, guard_pid: int) -> list[str]:
    """Name the processes, mounts, control groups and folders that are left of a node."""
    processes = [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder) in _read(path)]
    mounts = [line for line in _read(Path("/proc/self/mountinfo")).splitlines() if str(folder) in line]
    groups = [root / f"ansflow-node-{guard_pid}" for root in node_guard.hierarchies()]
    return processes + mounts + [str(path) for path in (*groups, folder) if path.exists()]


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""
