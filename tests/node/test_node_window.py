"""The window on a node that really runs containers: a command's own exit code, and a pod's log, made by clicks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from every_step_kit import add
from pipeline_kit import Hands
from PySide6.QtWidgets import QLabel, QPlainTextEdit
from test_node_exec_logs import greeter
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, shown_window

from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.models.run import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node_host import RealNode

__all__ = ["garbage_here_only", "greeter", "loop", "no_qt_warnings", "no_window_left"]

pytestmark = pytest.mark.node

READY_MS = 60_000


@pytest.fixture
def hands(loop, qtbot, tmp_path: Path, real_node: RealNode) -> Iterator[Hands]:
    """The window on the real node, with an empty pipeline open."""
    options = Options(
        data_dir=str(tmp_path / "data"),
        kubeconfig=str(real_node.kubeconfig),
        kubectl=str(real_node.kubectl_path),
        lang="en",
    )
    services = Services(options)
    with shown_window(services, qtbot, cluster=real_node.context) as window:
        qtbot.waitUntil(lambda: window.frame.state.row.status.reach is Reach.REACHABLE, timeout=READY_MS)
        window.shell.show_page("pipelines")
        made = Hands(window, qtbot)
        made.until(lambda: window.pipelines.state.loaded)
        made.click("pipelines_new")
        made.until(lambda: made.state.open)
        yield made
        made.desk.editor.discard()
    services.close()


def run(hands: Hands) -> dict[str, Phase]:
    hands.qtbot.waitUntil(lambda: hands.desk.can_run, timeout=READY_MS)
    with hands.qtbot.waitSignal(hands.desk.run_finished, timeout=READY_MS):
        hands.click("pipeline_run")
    return {step.name: step.phase for step in hands.desk.run.view.steps}


def words(hands: Hands, name: str) -> str:
    """Return every text in the part of the window called `name`."""
    return "\n".join(one.text() for one in hands.find(name).findChildren(QLabel) if one.isVisible())


def test_the_window_shows_the_log_then_exit_code_3(hands: Hands, greeter: str) -> None:
    place = {"k8s_namespace": "default", "k8s_resource_name": f"deployment/{greeter}"}
    add(hands, "k8s_logs", {**place, "config_container": "main"})
    command = "echo inside; echo wrong >&2; exit 3"
    add(hands, "k8s_exec", {**place, "config_container": "side", "config_command": command})

    assert run(hands) == {"logs": Phase.SUCCEEDED, "exec": Phase.FAILED}
    hands.until(lambda: "exit code 3" in words(hands, "pipeline_verdict"))
    output = hands.find("pipeline_output", QPlainTextEdit).toPlainText()
    assert "héllo 中文" in output and "inside" in output and "wrong" in output
