"""Inside of the node: the first process of its namespaces. Mounts, network, services, and a way in for the API.

`python node_inside.py FOLDER LISTENER_FD CGROUP`. FOLDER holds `plan.json` (node_files.py). LISTENER_FD is a socket
that listens on the outside's loopback; what connects there is passed on to the API server in here. Ends when a service
does, or is killed by the guard; with it the kernel ends every process, mount and network device in here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from node_guard import hierarchies

if TYPE_CHECKING:
    from collections.abc import Callable

# What the kubelet wants to set for the whole machine: it gets files of its own, and nothing changes outside.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
_PATIENCE_S = 60.0
_TURN_S = 0.05


def mounts(folder: Path) -> None:
    """Give the node its own /run, /var/lib, /var/log and kernel settings."""
    _call("mount", "-t", "tmpfs", "tmpfs", "/run")
    for own in ("/var/lib", "/var/log"):
        (folder / own[1:]).mkdir(parents=True, exist_ok=True)
        _call("mount", "--bind", str(folder / own[1:]), own)
    for name, value in KERNEL_SETTINGS.items():
        file = folder / name.replace("/", "-")
        file.write_text(value)
        _call("mount", "--bind", str(file), f"/proc/sys/{name}")
    _call("mount", "--make-rshared", "/")


def network(address: str) -> None:
    """Bring up loopback and the bridge `cni0` with `address` (CIDR), which is also the node's own address."""
    _call("ip", "link", "set", "lo", "up")
    _call("ip", "link", "add", "cni0", "type", "bridge")
    _call("ip", "address", "add", address, "dev", "cni0")
    _call("ip", "link", "set", "cni0", "up")
    _call("ip", "route", "add", "default", "dev", "cni0")


def enter_cgroups(name: str) -> None:
    """Move this process, and thereby all that it starts, into the guard's groups."""
    for root in hierarchies():
        (root / name / "init" / "cgroup.procs").write_text("0")


def _call(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")


class Services:
    """The long-running programs, each with a log file of its name; the end of any of them is the end of the node."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet; logs go to `folder`."""
        self._folder = folder
        self._running: dict[int, str] = {}

    def start(self, name: str, argv: list[str]) -> None:
        """Start `argv` in the background."""
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        process.returncode = 0  # reaped below, together with the shims that become this process's children
        self._running[process.pid] = name

    def reap(self) -> None:
        """Take in every ended child; raises SystemExit where it was a service."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if name := self._running.get(ended[0]):
                    raise SystemExit(f"{name} ended with {os.waitstatus_to_exitcode(ended[1])}")

    def wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        """Wait until `ready` says so; raises SystemExit when that takes too long or a service ends."""
        end = time.monotonic() + _PATIENCE_S
        while not ready():
            self.reap()
            if time.monotonic() > end:
                raise SystemExit(f"{what} was not ready within {_PATIENCE_S:.0f} s")
            time.sleep(_TURN_S)


def listening(place: str | tuple[str, int]) -> bool:
    """Tell whether a connection to a unix socket's path, or to (host, port), is taken."""
    with socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET) as probe:
        return probe.connect_ex(place) == 0


def api_ready(certificate: str, token: str) -> bool:
    """Tell whether the API server says that it is ready."""
    request = urllib.request.Request("https://127.0.0.1:6443/readyz", headers={"Authorization": f"Bearer {token}"})
    with contextlib.suppress(OSError):
        context = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    return False


def bring_up(plan: dict[str, Any], services: Services) -> None:
    """Start everything in the order in which one needs the other."""

    def start(*names: str) -> None:
        for name in names:
            services.start(name, plan["services"][name])

    start("etcd", "containerd")
    services.wait_for("etcd", lambda: listening(("127.0.0.1", 2379)))
    start("kube-apiserver")
    services.wait_for("containerd", lambda: listening(plan["containerd_socket"]))
    for argv in plan["imports"]:
        _call(*argv)
    services.wait_for("kube-apiserver", lambda: api_ready(plan["certificate"], plan["token"]))
    start("kube-controller-manager", "kube-scheduler", "kubelet")


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", 6443)
        await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))
        inner_writer.close()
    writer.close()


async def serve(listener: socket.socket, services: Services) -> None:
    """Pass connections on until a service ends; say which."""
    loop = asyncio.get_running_loop()
    stop = loop.create_future()

    def reap() -> None:
        try:
            services.reap()
        except SystemExit as error:
            if not stop.done():
                stop.set_result(str(error))

    loop.add_signal_handler(signal.SIGCHLD, reap)
    server = await asyncio.start_server(_relay, sock=listener)
    reap()
    print(await stop, file=sys.stderr, flush=True)
    server.close()


def main(folder: str, listener: str, cgroup: str) -> None:
    """Bring the node up, say `up` on standard output, serve until the end, which is always a failure."""
    enter_cgroups(cgroup)
    place = Path(folder)
    plan = json.loads((place / "plan.json").read_text())
    mounts(place)
    network(plan["address"])
    services = Services(place)
    bring_up(plan, services)
    print("up", flush=True)
    asyncio.run(serve(socket.socket(fileno=int(listener)), services))
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
