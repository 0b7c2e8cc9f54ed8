"""The practice clusters by the window's own buttons and the real programs: made, stopped, started, removed."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, shown_window

from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import Reach

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

READY_MS = 90_000


@pytest.fixture
def services(practice_tools, alive, tmp_path):
    made = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig=None, lang="en"))
    yield made
    for info in made.practice.list():
        made.practice.remove(info.name)
    made.close()


def press(qtbot, page, name):
    qtbot.waitUntil(lambda: any(one.isVisible() and one.isEnabled() for one in page.findChildren(QPushButton, name)))
    button = next(one for one in page.findChildren(QPushButton, name) if one.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_practice_cluster_is_made_stopped_started_and_removed_by_its_buttons(loop, services, qtbot):
    with shown_window(services, qtbot) as window:
        window.shell.show_page("clusters")
        page, state = window.shell.page, lambda: window.clusters.state
        idle = lambda: not state().practice.doing  # noqa: E731
        press(qtbot, page, "practice_new")
        line = page.findChild(QLineEdit, "practice_name")
        line.setText("by-hand")
        press(qtbot, page, "practice_make")

        def reach() -> Reach | None:
            row = state().row("by-hand")
            return row.status.reach if row and row.running else None

        qtbot.waitUntil(lambda: reach() is Reach.REACHABLE, timeout=READY_MS)
        assert services.practice.status("by-hand").running
        press(qtbot, page, "practice_stop")
        qtbot.waitUntil(lambda: idle() and not state().row("by-hand").running, timeout=READY_MS)
        assert not services.practice.status("by-hand").running
        press(qtbot, page, "practice_start")
        qtbot.waitUntil(lambda: reach() is Reach.REACHABLE, timeout=READY_MS)
        press(qtbot, page, "practice_remove")
        press(qtbot, page.findChild(QMessageBox), "delete_confirm")
        qtbot.waitUntil(lambda: idle() and not services.practice.list(), timeout=READY_MS)
        qtbot.waitUntil(lambda: not any(one.made for one in state().practices), timeout=READY_MS)  # it is read anew


def test_a_start_that_is_given_up_leaves_nothing_running(loop, services, qtbot):
    with shown_window(services, qtbot) as window:
        window.shell.show_page("clusters")
        press(qtbot, window.shell.page, "practice_start")
        press(qtbot, window.shell.page, "practice_cancel")
        qtbot.waitUntil(lambda: not window.clusters.state.practice.doing, timeout=READY_MS)
        assert not any(info.running for info in services.practice.list())
