"""Which process wrote a row: a pid alone is used again by the system, so its start and the boot are kept too."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class ProcessIdentity(msgspec.Struct, frozen=True):
    """A process: `started` is its start in the kernel's ticks since boot, `boot` the boot's id; empty where unknown."""

    pid: int
    started: str = ""
    boot: str = ""


def this_process() -> ProcessIdentity:
    """Return the identity of the calling process."""
    return ProcessIdentity(os.getpid(), _start_of(os.getpid()), _boot())


def is_alive(process: ProcessIdentity) -> bool:
    """Say whether exactly this process still runs; where the kernel tells no more, whether its pid is in use."""
    if process.boot and process.boot != _boot():
        return False
    if process.started:
        return _start_of(process.pid) == process.started
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start_of(pid: int) -> str:
    """Return field 22 of /proc/PID/stat, counted behind the name, which may hold spaces; empty for a zombie or none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
