"""Finds, starts and ends the daemons of a practice cluster.

There are no pid files: a pid that was written down may belong to somebody else after a crash or a restart of the
machine. A daemon is recognised by its command line alone: its program's name, and an argument that names the
cluster's own folder. It is looked at again, through a handle that cannot be recycled, right before any signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import Command
from ansflow_desktop.process import ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LAUNCHER = Path(__file__).parent / "launcher.py"
_POLL_S = 0.02
_FOREIGN = ("KUBECONFIG", "KUBERC", "PYTHONPATH", "PYTHONHOME")


class Daemon(msgspec.Struct, frozen=True, kw_only=True):
    """One running daemon: its `program` (file name), process id and whole command line."""

    program: str
    pid: int
    argv: tuple[str, ...]


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One daemon to start: argv (the program by absolute path) and the file that gets its output."""

    argv: tuple[str, ...]
    log: str


def running(folder: Path) -> tuple[Daemon, ...]:
    """Return the daemons whose command line names something inside `folder` (absolute); zombies do not count."""
    inside = f"{folder}{os.sep}"
    return tuple(daemon for daemon in _processes() if _is_ours(daemon.argv, inside))


def start(folder: Path, starts: Sequence[Start]) -> None:
    """Start daemons in `folder`; they outlive this program. Raises UserError when they could not be handed over."""
    order = {"cwd": str(folder), "daemons": [{"argv": one.argv, "log": one.log} for one in starts]}
    command = Command(
        argv=(sys.executable, "-I", "-S", str(_LAUNCHER)),
        cwd=str(folder),
        env=dict.fromkeys(_FOREIGN),
        stdin=msgspec.json.encode(order).decode(),
        timeout=30,
        purpose="practice",
    )
    result = ProcessRunner().run(command)
    if result.exit_code != 0:
        raise UserError(
            msg("The practice cluster's programs could not be started"), result.stderr.strip(), code=ExitCode.FAILED
        )


def stop(folder: Path, programs: Iterable[str] | None = None, grace: float = 3.0) -> None:
    """End the daemons of `folder` (only `programs` when given): SIGTERM, and SIGKILL after `grace` seconds."""
    wanted = None if programs is None else set(programs)
    _signal(folder, wanted, signal.SIGTERM)
    if not wait_gone(folder, wanted, grace):
        _signal(folder, wanted, signal.SIGKILL)
        wait_gone(folder, wanted, grace)


def wait_gone(folder: Path, programs: set[str] | None, seconds: float) -> bool:
    """Wait at most `seconds` until no such daemon is left; return whether that is so."""
    deadline = time.monotonic() + seconds
    while _chosen(folder, programs):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _chosen(folder: Path, programs: set[str] | None) -> list[Daemon]:
    return [daemon for daemon in running(folder) if programs is None or daemon.program in programs]


def _signal(folder: Path, programs: set[str] | None, kind: signal.Signals) -> None:
    for daemon in _chosen(folder, programs):
        _signal_verified(daemon, kind)


def _signal_verified(daemon: Daemon, kind: signal.Signals) -> None:
    """Signal `daemon` only if its pid still belongs to it: looked at after a handle is held, so never too late."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "pidfd_open"):
            os.kill(daemon.pid, kind)
            return
        handle = os.pidfd_open(daemon.pid)
        try:
            if _command_line(daemon.pid) == daemon.argv:
                signal.pidfd_send_signal(handle, kind)
        finally:
            os.close(handle)


def _is_ours(argv: tuple[str, ...], inside: str) -> bool:
    return any(inside in argument for argument in argv[1:])


def _processes() -> Iterator[Daemon]:
    """Yield the programs of practice clusters among all processes of this user."""
    known = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
    lines = _from_proc() if Path("/proc/self/cmdline").exists() else _from_ps()
    for pid, argv in lines:
        program = argv[0].rsplit("/", 1)[-1] if argv else ""
        if program in known:
            yield Daemon(program=program, pid=pid, argv=argv)


def _from_proc() -> Iterator[tuple[int, tuple[str, ...]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name), _command_line(int(entry.name))


def _command_line(pid: int) -> tuple[str, ...]:
    """Return the argv of `pid`; empty for a zombie, a kernel thread, or one that is gone or hidden."""
    try:
        data = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(os.fsdecode(part) for part in data.split(b"\0")[:-1])


def _from_ps() -> Iterator[tuple[int, tuple[str, ...]]]:
    """For systems without /proc. A path with spaces is cut there, which the search for the folder's name survives."""
    listing = subprocess.run(["/bin/ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), tuple(command.split(" ", 1))
