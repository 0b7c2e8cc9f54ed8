"""What tests of the window share: a loop, real services without a cluster, small fakes, and a watch over Qt's warnings.

Imported by tests/qt/conftest.py and by the window's tests on a real cluster.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from ansflow_desktop import app as program
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import (
    ClusterStatistics,
    ClusterStatus,
    Diagnosis,
    Finding,
    NamespaceList,
    Reach,
    Stage,
)
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.collector import Collector
from ansflow_desktop.widgets import theme

EXAMPLE = Path(__file__).parents[1] / "examples" / "fe-app"
_HARMLESS = ("This plugin does not support",)  # offscreen: size hints, raising, grabbing the keyboard for a menu

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: dev
clusters:
- {name: one, cluster: {server: "https://127.0.0.1:1"}}
users:
- {name: plain, user: {token: abc}}
- name: plugged
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: /opt/vendor/login
      args: [--account, "<b>prod</b>"]
      env: [{name: PROFILE, value: admin}]
      interactiveMode: Never
contexts:
- {name: dev, context: {cluster: one, user: plain}}
- {name: stage, context: {cluster: one, user: plain, namespace: web}}
- {name: prod, context: {cluster: one, user: plugged}}
"""


@pytest.fixture(autouse=True)
def garbage_here_only(qapp):
    """Collect garbage on the window's thread only, as the program does: nothing of Qt dies in a worker's thread."""
    collector = Collector()
    yield
    collector.stop()


@pytest.fixture(autouse=True)
def no_qt_warnings(qtlog):
    """Fail a test during which Qt complained."""
    yield
    found = [record.message for record in qtlog.records if not record.message.startswith(_HARMLESS)]
    assert not found, "\n".join(found)


@pytest.fixture(autouse=True)
def no_window_left(qapp):
    """Fail a test that leaves a window open."""
    yield
    qapp.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    left = [widget for widget in qapp.topLevelWidgets() if widget.isVisible()]
    for widget in left:
        widget.close()
    assert not left, left


@pytest.fixture
def loop(qapp):
    """A qasync loop that runs inside Qt's."""
    running = window_loop.open_loop(qapp)
    theme.apply(qapp, "light")
    yield running
    window_loop.close_loop(running)


@pytest.fixture
def services(tmp_path):
    """Real services on an empty data directory and a kubeconfig whose clusters nobody answers for."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    made = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(kubeconfig), lang="en"))
    yield made
    made.close()


class FakeReads:
    """Clusters that answer as told, without a server."""

    def __init__(self) -> None:
        self.rows = [release("shop"), release("blog", status=ReleaseStatus.FAILED), release("api", "prod", revision=12)]
        self.kept: dict | None = None
        self.unreachable: set[str] = set()
        self.checked: list[str] = []
        self.asked: list[str] = []
        self.on_rows = self.on_state = None

    async def check(self, entry, document):
        self.checked.append(entry.name)
        if entry.name in self.unreachable:
            return ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message="connection refused")
        return ClusterStatus(name=entry.name, reach=Reach.REACHABLE, version="v1.36.3", latency_ms=4.2)

    async def diagnose(self, entry, document, tools=None):
        status = await self.check(entry, document)
        good = status.reach is Reach.REACHABLE
        finding, title = (Finding.GOOD, "Connected") if good else (Finding.BAD, "Refused")
        stage = Stage(name="tcp", finding=finding, title=title)
        return Diagnosis(status=status, stages=(stage,), user="tester")

    async def statistics(self, document, name, told):
        return ClusterStatistics(cluster=name, version="v1.36.3", nodes=3, nodes_ready=2, read_at=time.time())

    async def namespaces(self, cache, cluster, document, candidates):
        return NamespaceList(names=("default", "fe", "prod"), read_at=time.time())

    async def watch_releases(self, document, on_rows, on_state):
        self.on_rows, self.on_state = on_rows, on_state
        on_rows(list(self.rows))
        await asyncio.Event().wait()

    async def release(self, document, namespace, name):
        self.asked.append(name)
        return next((row for row in self.rows if (row.namespace, row.name) == (namespace, name)), None)

    async def history(self, document, namespace, name):
        newest = next((row.revision for row in self.rows if (row.namespace, row.name) == (namespace, name)), 0)
        return [release(name, namespace, revision=number) for number in range(1, newest + 1)]

    async def kept_values(self, document, namespace, release):
        return self.kept


def release(name: str, namespace: str = "fe", *, revision: int = 1, status=ReleaseStatus.DEPLOYED) -> Release:
    """Return a row of the release table."""
    return Release(
        name=name,
        namespace=namespace,
        revision=revision,
        updated="2026-01-01T10:00:00Z",
        status=status,
        chart=f"{name}-0.1.0",
        app_version="1.0",
    )


class FakeRunner:
    """A runner that emits the given events, then waits for a cancel where told to."""

    def __init__(self, events, phase, wait_for_cancel=False) -> None:
        self.events, self.phase, self.wait = events, phase, wait_for_cancel
        self.requests: list = []
        self.cancels = 0

    def run(self, pipeline, emit, cancel, **_options):
        self.requests.append(pipeline)
        for event in self.events:
            if isinstance(event, UserError):
                raise event
            emit(event)
        if self.wait:
            with cancel.waking(self._count):
                while not cancel.wait(10):
                    pass
        return SimpleNamespace(phase=self.phase)

    def _count(self) -> None:
        self.cancels += 1


@pytest.fixture
def reads() -> FakeReads:
    """Clusters that answer as told."""
    return FakeReads()


@pytest.fixture
def window(loop, services, reads, qtbot):
    """The whole window on fakes of the clusters, shown at its usual size."""
    with shown_window(services, qtbot, reads=reads) as made:
        yield made


class shown_window:
    """The real window, shown and closed again."""

    def __init__(self, services, qtbot, chart=None, cluster=None, reads=None) -> None:
        self.arguments = (services, chart, cluster, reads)
        self.qtbot = qtbot

    def __enter__(self):
        self.window = program.make_window(*self.arguments)
        shell = self.window.shell
        shell.show()
        shell.activateWindow()
        self.qtbot.waitUntil(shell.isActiveWindow)
        self.qtbot.waitUntil(lambda: bool(self.window.clusters.state.rows and self.window.frame.state.tools))
        return self.window

    def __exit__(self, *_):
        window_loop.run_here(self.window.aclose())
        self.window.shell.may_close = True
        self.window.shell.close()
        self.window.shell.deleteLater()
