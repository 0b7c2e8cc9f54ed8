"""One real control plane a test session, shared by all workers of pytest-xdist; the last one out removes it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import uuid
from pathlib import Path

import pytest
from practice_kit import api_of

from ansflow_desktop.models.command import Tool, ToolSet
from ansflow_desktop.paths import Directories
from ansflow_desktop.practice import daemons, locks, pins, tools
from ansflow_desktop.practice.api import Api
from ansflow_desktop.practice.cluster import PracticeClusters


def pytest_collection_modifyitems(items):
    """Everything in this folder needs the tools; slow enough to be worth a marker."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def practice_tools(real_tools) -> Path:
    """The folder of the practice tools, every one of them there."""
    tools.ensure(real_tools, pins.TEST_TOOLS, lambda progress: None)
    return real_tools


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory) -> Path:
    """A folder that all workers of this session share; other sessions' leftovers are ended first."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    if folder.parent.name.startswith("pytest-of-"):
        _end_leftovers(folder)
    return folder


@pytest.fixture(scope="session")
def alive(session_folder):
    """A locked file that says this worker is alive: the kernel unlocks it when the worker is killed."""
    path = session_folder / "workers" / os.environ.get("PYTEST_XDIST_WORKER", "main")
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
        path.unlink()


@pytest.fixture(scope="session")
def directories(practice_tools, session_folder) -> Directories:
    """Directories of the shared practice cluster."""
    return Directories(data=session_folder / "shared", tools=practice_tools)


@pytest.fixture(scope="session")
def cluster(directories, session_folder, alive):
    """The running practice cluster of this session (`PracticeInfo`)."""
    clusters = PracticeClusters(directories)
    with locks.held(session_folder / "shared.lock"):
        info = clusters.start()
        alive.with_suffix(".uses-cluster").touch()
    yield info
    with locks.held(session_folder / "shared.lock"):
        alive.with_suffix(".uses-cluster").unlink()
        if not _others(session_folder, alive):
            clusters.remove()


def _others(folder: Path, mine: Path | None) -> list[Path]:
    """Return the workers other than `mine` that are alive and use the cluster."""
    users = [path.with_suffix("") for path in (folder / "workers").glob("*.uses-cluster")]
    return [path for path in users if path != mine and _is_locked(path)]


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _end_leftovers(mine: Path) -> None:
    """End the daemons of sessions that were killed: those below a session's folder with no worker alive."""
    for daemon in daemons.running(mine.parent):
        match = re.search(re.escape(f"{mine.parent}/") + r"[^/]+", " ".join(daemon.argv))
        session = Path(match.group()) if match else mine
        if session != mine and not _lives(session):
            daemons.stop(session)


def _lives(session: Path) -> bool:
    """Return whether a worker of `session` is alive, or the pytest that made its folder (pytest's own lock file)."""
    if any(_is_locked(worker) for worker in (session / "workers").glob("*")):
        return True
    try:
        pid = int((session / ".lock").read_text())
        return b"pytest" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


@pytest.fixture(scope="session")
def kubeconfig(cluster) -> Path:
    """The kubeconfig of the shared cluster; its one context is `practice`."""
    return cluster.kubeconfig


@pytest.fixture(scope="session")
def practice_api(kubeconfig) -> Api:
    """Plain requests to the shared cluster as its administrator."""
    return api_of(kubeconfig)


@pytest.fixture
def namespace(request, practice_api):
    """A name that no other test uses, not created; it is deleted afterwards without waiting."""
    name = f"{_slug(request.node.name)}-{uuid.uuid4().hex[:6]}"
    yield name
    practice_api.request("DELETE", f"/api/v1/namespaces/{name}")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "test"


@pytest.fixture(scope="session", params=["helm3", "helm4"])
def helm(request, practice_tools) -> Tool:
    """Helm 3 and Helm 4, one after the other."""
    return _tool(practice_tools, request.param)


@pytest.fixture(scope="session")
def helm4(practice_tools) -> Tool:
    """Helm 4 alone, for tests in which the version makes no difference."""
    return _tool(practice_tools, "helm4")


@pytest.fixture(scope="session")
def kubectl(practice_tools) -> Tool:
    """The pinned kubectl."""
    return _tool(practice_tools, "kubectl")


def _tool(folder: Path, key: str) -> Tool:
    pin = pins.pin(key)
    return Tool(name=pin.name, path=str(tools.path_of(folder, pin)), version=pin.version)


@pytest.fixture
def toolset(helm, kubectl) -> ToolSet:
    """Helm (3, then 4) and kubectl."""
    return ToolSet(helm=helm, kubectl=kubectl)


@pytest.fixture(scope="session")
def kubectl_json(kubectl, kubeconfig):
    """A function that runs kubectl on the shared cluster and returns its parsed JSON output."""

    def run(*arguments: str):
        argv = [kubectl.path, "--kubeconfig", str(kubeconfig), *arguments, "-o", "json"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
