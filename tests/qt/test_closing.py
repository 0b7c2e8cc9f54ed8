"""A run in the window: what closing asks, how it is shown, and a second cancel."""

import pytest
from look_kit import cut_off, parts, settled
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLabel,
    QMessageBox,
    QPushButton,
)
from window_kit import EXAMPLE, FakeRunner

from ansflow_desktop.models.run import ClusterEvent, Health, Phase, ResourceChanged, RunFinished, RunStarted

HEAD = {"time": 1.0, "run": "r"}


@pytest.fixture
def running(window, services, qtbot):
    events = [
        RunStarted(**HEAD, pipeline="p", steps=("deploy",)),
        ResourceChanged(
            **HEAD, kind="Deployment", namespace="fe", name="web", health=Health.PROGRESSING, message="0 of 2 ready"
        ),
        ClusterEvent(
            **HEAD, kind="Pod", namespace="fe", name="web-1-abcde", reason="Failed", message="no image", warning=True
        ),
        RunFinished(**HEAD, phase=Phase.CANCELLED),
    ]
    runner = FakeRunner(events[:3], Phase.CANCELLED, wait_for_cancel=True)
    services.runner = lambda: runner
    settled(window, qtbot)
    window.deploy.choose_chart(str(EXAMPLE))
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)
    window.deploy.run.start(window.deploy.state.request, 1.0)
    qtbot.waitUntil(lambda: window.deploy.state.run is not None and bool(window.deploy.state.run.timeline))
    yield runner
    if window.deploy.run.running:
        with qtbot.waitSignal(window.deploy.finished):
            window.deploy.cancel()


def ask_to_close(window, qtbot) -> QMessageBox:
    window.shell.close()
    qtbot.waitUntil(lambda: any(one.isVisible() for one in window.shell.findChildren(QMessageBox)))
    return next(one for one in window.shell.findChildren(QMessageBox) if one.isVisible())


def click(qtbot, dialog, name):
    qtbot.mouseClick(dialog.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def test_closing_during_a_run_asks_and_going_back_changes_nothing(window, running, qtbot):
    dialog = ask_to_close(window, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.shell.isVisible() and window.deploy.run.running and running.cancels == 0


def test_closing_can_wait_for_the_end(window, running, qtbot):
    click(qtbot, ask_to_close(window, qtbot), "close_wait")
    assert window.shell.isVisible() and running.cancels == 0
    with qtbot.waitSignal(window.closed):
        window.deploy.cancel()
    assert not window.shell.isVisible()


def test_closing_can_cancel_the_run(window, running, qtbot):
    dialog = ask_to_close(window, qtbot)
    with qtbot.waitSignal(window.closed):
        click(qtbot, dialog, "close_cancel")
    assert window.deploy.state.run.phase is Phase.CANCELLED


def test_closing_without_a_run_closes(window, qtbot):
    with qtbot.waitSignal(window.closed):
        window.shell.close()


def test_a_run_in_progress_is_shown_with_words(window, running, qtbot):
    qtbot.waitUntil(lambda: window.frame.state.running == 1)
    assert not window.shell.findChild(QPushButton, "deploy").isVisible()
    assert window.shell.findChild(QPushButton, "cancel").isVisible()
    shown = {one.text() for one in parts(window, QLabel)}
    assert "Waiting for 1 of 1 resource" in shown
    assert not cut_off(window)


def test_a_second_cancel_asks_before_it_stops_at_once(window, running, qtbot, services):
    running.wait = True
    page = window.shell.page
    page.presenter.run._fold.cancelling = True
    page.presenter.run._publish()
    page._on_cancel()
    dialog = next(one for one in window.shell.findChildren(QMessageBox) if one.isVisible())
    assert dialog.defaultButton().text() == "Keep waiting"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert running.cancels == 0
