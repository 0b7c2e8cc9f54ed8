"""The window on a real control plane, driven by real clicks and keys: deploy, release row, cancel, failure."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QPushButton, QTabBar, QWidget
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
from ansflow_desktop.models.release import ReleaseStatus
from ansflow_desktop.models.run import Health, Phase

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
def window(loop, services, qtbot):
    with shown_window(services, qtbot, cluster="practice") as made:
        qtbot.waitUntil(lambda: made.frame.state.row.status.reach is Reach.REACHABLE, timeout=READY_MS)
        qtbot.waitUntil(lambda: bool(made.frame.state.namespaces), timeout=READY_MS)
        yield made


def find(window, kind: type[QWidget], name: str) -> QWidget:
    found = window.shell.findChild(kind, name)
    assert found is not None, name
    return found


def type_into(qtbot, widget, text: str) -> None:
    """Replace what stands in a field by keys, as a person does."""
    widget.setFocus()
    qtbot.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(widget, Qt.Key.Key_Delete)
    for number, line in enumerate(text.split("\n")):
        if number:
            qtbot.keyClick(widget, Qt.Key.Key_Return)
        qtbot.keyClicks(widget, line)


def choose_example(window, qtbot, namespace: str, values: str = "") -> QPushButton:
    """Type folder, namespace and values; return the Deploy button once it may be pressed."""
    folder = find(window, QLineEdit, "chart_path")
    type_into(qtbot, folder, str(EXAMPLE))
    qtbot.keyClick(folder, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)
    type_into(qtbot, find(window, QWidget, "deploy_namespace").lineEdit(), namespace)
    if values:
        type_into(qtbot, find(window, QPlainTextEdit, "custom_values"), values)
    button = find(window, QPushButton, "deploy")
    qtbot.waitUntil(button.isEnabled, timeout=READY_MS)
    return button


def press(qtbot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def nodes(view) -> dict:
    found = {}

    def walk(children):
        for node in children:
            found[node.key] = node
            walk(node.children)

    walk(view.resources)
    return found


def test_folder_to_release_row_by_clicks_and_keys(window, qtbot, namespace, kubectl_json):
    button = choose_example(window, qtbot, namespace)
    assert window.deploy.state.release_name == "fe-app-release"
    shown = find(window, QPlainTextEdit, "command").toPlainText().replace("\\\n", "")
    assert " ".join(shown.split()).startswith(
        f"helm upgrade --install fe-app-release . --namespace {namespace} --create-namespace --wait --timeout 300s"
    )
    qtbot.waitUntil(lambda: "kind: Deployment" in window.deploy.state.preview.text, timeout=READY_MS)

    with qtbot.waitSignal(window.deploy.finished, timeout=READY_MS):
        press(qtbot, button)
        assert not button.isVisible() and find(window, QPushButton, "cancel").isVisible()

    view = window.deploy.state.run
    assert view.phase is Phase.SUCCEEDED, view.verdict
    assert (view.verdict.release.status, view.verdict.release.revision) == (ReleaseStatus.DEPLOYED, 1)
    assert nodes(view)["Deployment/fe-app-release"].health is Health.HEALTHY
    assert find(window, QWidget, "verdict").isVisible() and button.isVisible()
    assert "STATUS: deployed" in find(window, QPlainTextEdit, "output").toPlainText()
    live = kubectl_json("get", "deployment", "fe-app-release", "-n", namespace)
    assert live["status"]["readyReplicas"] == 2

    qtbot.keyClick(window.shell, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: any(row.namespace == namespace for row in window.releases.state.rows), timeout=READY_MS)
    qtbot.keyClick(window.shell, Qt.Key.Key_Slash)
    qtbot.keyClicks(find(window, QLineEdit, "release_filter"), namespace)
    model = find(window, QWidget, "releases_table").model()
    wanted = ["fe-app-release", namespace, "fe-app", "0.1.0", "1.27", "1", "deployed"]
    qtbot.waitUntil(lambda: [model.index(0, column).data() for column in range(7)] == wanted, timeout=READY_MS)
    assert model.rowCount() == 1

    table = find(window, QWidget, "releases_table")
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    history = find(window, QWidget, "history_table")
    qtbot.waitUntil(lambda: history.isVisible() and history.model().rowCount() == 1, timeout=READY_MS)
    assert [history.model().index(0, column).data() for column in (0, 1, 5)] == ["1", "deployed", "Install complete"]
    qtbot.keyClick(history.window(), Qt.Key.Key_Escape)


def test_cancel_in_mid_deploy_shows_what_the_cluster_says(window, qtbot, namespace, kubectl_json):
    never = "podAnnotations:\npractice.ansflow.dev/behaviour: never-ready"
    button = choose_example(window, qtbot, namespace, never)
    press(qtbot, button)
    qtbot.waitUntil(lambda: "Pod" in {key.split("/")[0] for key in nodes(window.deploy.state.run)}, timeout=READY_MS)
    cancel = find(window, QPushButton, "cancel")
    with qtbot.waitSignal(window.deploy.finished, timeout=READY_MS):
        press(qtbot, cancel)
        assert window.deploy.state.run.cancelling

    verdict = window.deploy.state.run.verdict
    assert window.deploy.state.run.phase is Phase.CANCELLED
    assert verdict.release.status is ReleaseStatus.FAILED
    secret = kubectl_json("get", "secret", "sh.helm.release.v1.fe-app-release.v1", "-n", namespace)
    assert secret["metadata"]["labels"]["status"] == str(verdict.release.status)
    assert button.isVisible() and not cancel.isVisible()


def test_an_image_that_is_missing_is_said_in_plain_words_while_it_waits(window, qtbot, namespace):
    missing = "podAnnotations:\npractice.ansflow.dev/behaviour: image-missing"
    button = choose_example(window, qtbot, namespace, missing)
    type_into(qtbot, find(window, QLineEdit, "timeout"), "4s")
    qtbot.waitUntil(lambda: window.deploy.state.can_deploy and window.deploy.state.timeout == "4s", timeout=READY_MS)
    with qtbot.waitSignal(window.deploy.finished, timeout=READY_MS):
        press(qtbot, button)
    view = window.deploy.state.run
    assert (view.phase, view.verdict.tone) == (Phase.FAILED, "bad")
    assert "Image cannot be pulled" in {str(node.message) for node in nodes(view).values()}
    assert any(row.tone == "bad" for row in view.timeline)
    assert str(view.verdict.words) and str(view.verdict.hint)


def test_manifest_follows_what_is_typed(window, qtbot, namespace):
    choose_example(window, qtbot, namespace)
    type_into(qtbot, find(window, QPlainTextEdit, "custom_values"), "replicaCount: 7")
    tabs = window.shell.findChild(QTabBar)
    assert tabs.currentIndex() == 0
    qtbot.waitUntil(lambda: "replicas: 7" in window.deploy.state.preview.text, timeout=READY_MS)
