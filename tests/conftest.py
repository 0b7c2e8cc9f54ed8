"""For every test: a home of its own, a fixed language, and no process left behind."""

from __future__ import annotations

import gc
import itertools
import locale
import os
import signal
import time
from pathlib import Path

import pytest

from ansflow_desktop import i18n, paths

# The tools are built once per user: found before the home directory is hidden, and linked into the hidden one.
REAL_TOOLS = paths.cache_dir() / "tools"

_REMOVED = ("KUBECONFIG", "KUBERC", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "HELM_NAMESPACE", "HELM_KUBECONTEXT")
_REAP_S = 2.0
_NUMBERS = itertools.count()


def pytest_configure() -> None:
    """Start as from a terminal: what `nohup` or a job runner ignores would be ignored by every child too."""
    for kind in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(kind) is signal.SIG_IGN:
            signal.signal(kind, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """Let garbage collection skip all tests and modules from now on: each test of a window ends with a whole one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def real_tools() -> Path:
    """The user's real tools folder, whatever HOME is during a test."""
    return REAL_TOOLS


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory):
    """Give every test an empty home; the environment is as before afterwards."""
    before = dict(os.environ)
    home = tmp_path_factory.getbasetemp() / "home" / str(next(_NUMBERS))  # mktemp would look at all there were before
    home.mkdir(mode=0o700, parents=True)
    cache = home / ".cache" / paths.APP
    cache.mkdir(parents=True)
    (cache / "tools").symlink_to(REAL_TOOLS)
    for name in _REMOVED:
        os.environ.pop(name, None)
    os.environ.update(_environment(home))
    i18n.set_language("en")
    locale.setlocale(locale.LC_MESSAGES, "C")  # Qt sets it from the environment: system errors are English here
    yield home
    os.environ.clear()
    os.environ.update(before)


def _environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "HELM_CACHE_HOME": str(home / "helm" / "cache"),
        "HELM_CONFIG_HOME": str(home / "helm" / "config"),
        "HELM_DATA_HOME": str(home / "helm" / "data"),
    }


@pytest.fixture(autouse=True)
def no_process_left(isolated_home):
    """Fail a test that leaves a child process running or unreaped; session-wide helpers are known before it starts."""
    known = _children()
    yield
    deadline = time.monotonic() + _REAP_S
    while (left := _children() - known) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"the test left processes behind: {[_describe(pid) for pid in sorted(left)]}"


def _children() -> set[int]:
    """Return the pids of this process's children, those of all its threads; empty where there is no /proc."""
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found.update(map(int, task.read_text().split()))
        except OSError:
            continue
    return found


def _describe(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return f"{pid} {words or Path(f'/proc/{pid}/stat').read_text()[:60]}"
    except OSError:
        return f"{pid} (gone)"
