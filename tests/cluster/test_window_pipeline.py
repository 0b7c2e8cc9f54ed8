"""A pipeline made by clicks and keys in the window, run on a real control plane, saved, and found again."""

import pytest
from pipeline_kit import Hands
from PySide6.QtWidgets import QPlainTextEdit
from window_kit import (
    EXAMPLE,
    garbage_here_only,
    loop,
    no_qt_warnings,
    no_window_left,
    shown_window,
)

from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.models.run import Phase

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

READY_MS = 60_000


@pytest.fixture
def services(tmp_path, kubeconfig, helm4, kubectl):
    options = Options(
        data_dir=str(tmp_path / "data"), kubeconfig=str(kubeconfig), helm=helm4.path, kubectl=kubectl.path, lang="en"
    )
    made = Services(options)
    yield made
    made.close()


@pytest.fixture
def hands(loop, services, qtbot):
    with shown_window(services, qtbot, cluster="practice") as window:
        qtbot.waitUntil(lambda: window.frame.state.row.status.reach is Reach.REACHABLE, timeout=READY_MS)
        qtbot.waitUntil(lambda: bool(window.frame.state.namespaces), timeout=READY_MS)
        window.shell.show_page("pipelines")
        made = Hands(window, qtbot)
        made.until(lambda: window.pipelines.state.loaded)
        yield made


def run(hands: Hands, button: str) -> None:
    hands.qtbot.waitUntil(lambda: hands.desk.can_run, timeout=READY_MS)
    with hands.qtbot.waitSignal(hands.desk.run_finished, timeout=READY_MS):
        hands.click(button)


def test_shell_deploy_and_scale_made_by_hand_run_and_are_found_again(hands, namespace, kubectl_json, services):
    hands.click("pipelines_new")
    hands.until(lambda: hands.state.open)
    hands.type("pipeline_name", "shop")
    hands.click("palette_shell")
    hands.steps("shell")
    hands.type("field_command", "echo from the shell")
    hands.settle()
    hands.click("palette_k8s_deploy")
    hands.steps("shell", "deploy")
    hands.type("field_k8s_namespace", namespace)
    hands.type("field_config_chart_path", str(EXAMPLE))
    hands.settle()
    hands.click("palette_k8s_scale")
    hands.steps("shell", "deploy", "scale")
    hands.type("field_k8s_namespace", namespace)
    hands.type("field_k8s_resource_name", "deployment/fe-app-release")
    hands.type("field_config_replicas", "3")
    hands.settle()

    run(hands, "pipeline_run")
    view = hands.desk.run.view
    assert view.phase is Phase.SUCCEEDED, view.verdict
    assert [(step.name, step.phase) for step in view.steps] == [
        (name, Phase.SUCCEEDED) for name in ("shell", "deploy", "scale")
    ]
    assert "from the shell" in hands.find("pipeline_output", QPlainTextEdit).toPlainText()
    live = kubectl_json("get", "deployment", "fe-app-release", "-n", namespace)
    assert (live["spec"]["replicas"], live["status"]["readyReplicas"]) == (3, 3)

    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty and hands.state.home.saved)
    text = hands.state.text
    hands.click("pipeline_back")
    hands.desk.editor.leave()
    hands.until(lambda: bool(hands.window.pipelines.state.rows))
    hands.find("pipelines_table").selectRow(0)
    hands.click("pipelines_open")
    hands.steps("shell", "deploy", "scale")
    assert hands.state.text == text

    hands.desk.editor.select(2)
    hands.until(lambda: hands.state.selected == 2)
    hands.type("field_config_replicas", "1")
    hands.settle()
    run(hands, "step_run_one")
    assert [step.name for step in hands.desk.run.view.steps] == ["scale"]
    assert kubectl_json("get", "deployment", "fe-app-release", "-n", namespace)["spec"]["replicas"] == 1
