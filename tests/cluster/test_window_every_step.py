"""One pipeline of every step type in both deploy modes: made by clicks and keys, run on a real control plane, reopened.

Commands in containers end in a refusal here, as the practice cluster's nodes run nothing: tests/node runs them.
"""

import pytest
from every_step_kit import NAMES, found_again, make, pick
from pipeline_kit import Hands
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, shown_window

from ansflow_desktop import i18n
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.models.run import Phase

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

READY_MS = 60_000
REFUSED = "exec"


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
        window.shell.show_page("pipelines")
        made = Hands(window, qtbot)
        made.until(lambda: window.pipelines.state.loaded)
        yield made
    i18n.set_language("en")


def run_all(hands: Hands) -> dict[str, Phase]:
    hands.qtbot.waitUntil(lambda: hands.desk.can_run, timeout=READY_MS)
    with hands.qtbot.waitSignal(hands.desk.run_finished, timeout=READY_MS):
        hands.click("pipeline_run")
    return {step.name: step.phase for step in hands.desk.run.view.steps}


def spoken(hands: Hands) -> list[str]:
    """What the step list says of each step."""
    steps = hands.find("step_list")
    return [steps.item(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(steps.count())]


def test_every_step_type_in_both_modes_by_hand(hands, namespace, kubectl_json, services):
    hands.click("pipelines_new")
    hands.until(lambda: hands.state.open)
    hands.type("pipeline_name", "everything")
    make(hands, namespace)

    phases = run_all(hands)
    assert phases == {name: Phase.FAILED if name == REFUSED else Phase.SUCCEEDED for name in NAMES}
    for name, said in zip(NAMES, spoken(hands), strict=True):
        assert said.endswith("Failed" if name == REFUSED else "Succeeded"), said
    output = hands.find("pipeline_output", QPlainTextEdit).toPlainText()
    assert "said <from the shell: 第一步>" in output
    assert "log <" in output and "no work to do, idling" in output
    left_behind(namespace, kubectl_json)

    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty and hands.state.home.saved)
    text = services.library.read("pipeline", "everything").document
    hands.window.frame.choose_language("zh_CN")
    reopen(hands)
    assert hands.state.text == text and hands.names() == NAMES
    found_again(hands, namespace)
    assert hands.state.text == text, "looking at the fields changes nothing"


def left_behind(namespace: str, kubectl_json) -> None:
    """The chart with the values that were typed, the manifest's worker scaled, its finished job deleted."""
    front = kubectl_json("get", "deployment", "front-fe-app", "-n", namespace)
    assert (front["spec"]["replicas"], front["status"]["readyReplicas"]) == (4, 4)
    page = kubectl_json("get", "configmap", "front-fe-app", "-n", namespace)["data"]["index.html"]
    assert "made by hand" in page
    worker = kubectl_json("get", "deployment", "worker", "-n", namespace)
    assert (worker["spec"]["replicas"], worker["status"]["readyReplicas"]) == (3, 3)
    assert kubectl_json("get", "jobs", "-n", namespace)["items"] == []


def reopen(hands: Hands) -> None:
    """Close the pipeline and open it from the list."""
    hands.until(lambda: hands.shown("pipeline_back"))
    hands.click("pipeline_back")
    hands.desk.editor.leave()
    hands.until(lambda: bool(hands.window.pipelines.state.rows))
    hands.find("pipelines_table").selectRow(0)
    hands.click("pipelines_open")
    hands.until(lambda: hands.state.open)
    hands.settle()
    pick(hands, 0)
