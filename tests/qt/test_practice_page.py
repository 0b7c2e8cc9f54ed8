"""The practice clusters on the Clusters page: listed, started, stopped, removed, made by name, given up."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QLineEdit, QMessageBox, QPushButton, QWidget
from window_kit import shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.practice.cluster import PracticeInfo
from ansflow_desktop.widgets.controls import Chip


class FakePractice:
    """Practice clusters without programs; a start waits while `hold` is set."""

    def __init__(self, folder: Path) -> None:
        self.known: dict[str, PracticeInfo] = {}
        self.folder = folder
        self.hold = threading.Event()
        self.hold.set()
        self.calls: list[tuple] = []

    def put(self, name, *, running, exec_here=False):
        info = PracticeInfo(
            name=name, kubeconfig=self.folder / name, running=running, server="https://x", exec_enabled=exec_here
        )
        self.known[name] = info

    def list(self):
        return sorted(self.known.values(), key=lambda info: info.name)

    def start(self, name, exec_on_this_machine=False, nodes=3, on_progress=None, cancel=None):
        self.calls.append(("start", name, exec_on_this_machine))
        on_progress(SimpleNamespace(what="Downloading", tool="etcd", fraction=0.4))
        while not self.hold.wait(0.01):
            if cancel.requested:
                raise UserError("Given up")
        self.put(name, running=True, exec_here=exec_on_this_machine)

    def stop(self, name):
        self.calls.append(("stop", name))
        self.put(name, running=False, exec_here=self.known[name].exec_enabled)

    def remove(self, name):
        self.calls.append(("remove", name))
        del self.known[name]


@pytest.fixture
def practice(services, tmp_path):
    made = FakePractice(tmp_path)
    services._made["practice"] = made
    return made


@pytest.fixture
def page(loop, services, practice, reads, qtbot):
    practice.put("one", running=True, exec_here=True)
    practice.put("two", running=False)
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        yield window.shell.page
        practice.hold.set()


def buttons(page, name):
    return [made for made in page.findChildren(QPushButton, name) if made.isVisible()]


def press(qtbot, made):
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)


def idle(page):
    return lambda: (
        not page.presenter.state.practice.doing and all(made.isEnabled() for made in buttons(page, "practice_start"))
    )


def test_every_practice_cluster_has_its_own_buttons(page, qtbot, practice):
    qtbot.waitUntil(lambda: len(buttons(page, "practice_remove")) == 2)
    names = {made.accessibleName() for made in buttons(page, "practice_start") + buttons(page, "practice_stop")}
    assert names == {"Stop practice cluster one", "Start practice cluster two"}
    press(qtbot, buttons(page, "practice_start")[0])
    qtbot.waitUntil(lambda: len(buttons(page, "practice_stop")) == 2)
    assert practice.calls == [("start", "two", False)]
    qtbot.waitUntil(idle(page))
    stop = next(made for made in buttons(page, "practice_stop") if "one" in made.accessibleName())
    press(qtbot, stop)
    qtbot.waitUntil(lambda: len(buttons(page, "practice_start")) == 1)
    qtbot.waitUntil(idle(page))
    press(qtbot, buttons(page, "practice_start")[0])
    qtbot.waitUntil(lambda: practice.calls[-1] == ("start", "one", True), timeout=2000)


def test_removing_asks_names_the_cluster_and_keeps_by_default(page, qtbot, practice):
    qtbot.waitUntil(lambda: len(buttons(page, "practice_remove")) == 2)
    press(qtbot, buttons(page, "practice_remove")[1])
    dialog = page.findChild(QMessageBox)
    assert "two" in dialog.text() and dialog.defaultButton().text() == "Keep"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert set(practice.known) == {"one", "two"}
    press(qtbot, buttons(page, "practice_remove")[1])
    dialog = next(one for one in page.findChildren(QMessageBox) if one.isVisible())
    press(qtbot, dialog.findChild(QPushButton, "delete_confirm"))
    qtbot.waitUntil(lambda: len(buttons(page, "practice_remove")) == 1)
    assert set(practice.known) == {"one"}


def test_a_start_shows_its_progress_and_can_be_given_up(page, qtbot, practice):
    practice.hold.clear()
    qtbot.waitUntil(lambda: len(buttons(page, "practice_start")) == 1)
    press(qtbot, buttons(page, "practice_start")[0])
    qtbot.waitUntil(lambda: page.presenter.state.practice.fraction == 0.4)
    texts = {one.text() for one in page.findChildren(QLabel) if one.isVisible()}
    assert "two  ·  Downloading  ·  etcd" in texts
    assert not any(made.isEnabled() for made in buttons(page, "practice_stop"))
    press(qtbot, buttons(page, "practice_cancel")[0])
    qtbot.waitUntil(idle(page))
    assert not buttons(page, "practice_cancel") and not practice.known["two"].running


def test_another_one_is_made_by_name(page, qtbot, practice):
    qtbot.waitUntil(lambda: len(buttons(page, "practice_remove")) == 2)
    press(qtbot, buttons(page, "practice_new")[0])
    dialog = next(one for one in page.findChildren(QDialog) if one.isVisible())
    line, make = dialog.findChild(QLineEdit, "practice_name"), dialog.findChild(QPushButton, "practice_make")
    assert line.text() == "practice" and make.isEnabled()
    for bad in ("", "two", "dev", "Ü", "-a", "a" * 64, "a b", "../x", "--flag"):
        line.setText(bad)
        assert not make.isEnabled(), bad
        qtbot.waitUntil(lambda: any("name" in one.text() or "letters" in one.text() for one in shown(dialog)))
    line.setText("third")
    dialog.findChild(QCheckBox, "practice_exec").setChecked(True)
    press(qtbot, make)
    qtbot.waitUntil(lambda: practice.calls == [("start", "third", True)])
    qtbot.waitUntil(lambda: len(buttons(page, "practice_remove")) == 3)


def shown(dialog):
    return [one for one in dialog.findChildren(QLabel) if one.isVisible()]


def test_exec_on_this_machine_is_said(page, qtbot):
    qtbot.waitUntil(lambda: any(chip.text == "Exec runs on this machine" for chip in page.findChildren(Chip)))


def test_without_a_practice_cluster_one_is_offered(loop, services, practice, reads, qtbot):
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        offered = buttons(window.shell.page, "practice_start")
        assert [made.accessibleName() for made in offered] == ["Start practice cluster practice"]
        assert not buttons(window.shell.page, "practice_remove")


def test_a_selected_cluster_shows_what_is_known_of_it(page, qtbot):
    table = page.findChild(QWidget, "clusters_table")
    qtbot.waitUntil(lambda: table.model().rowCount() == 3)
    place = next(row for row in range(3) if table.model().index(row, 0).data() == "prod")
    table.selectRow(place)
    wanted = {"prod", "https://127.0.0.1:1", "plugged", "/opt/vendor/login"}
    qtbot.waitUntil(lambda: wanted <= {one.accessibleName() for one in shown(page)})
    way = page.findChild(QPushButton, "check_cluster")
    qtbot.waitUntil(lambda: way.text() == "Show and approve…")  # the state comes after the row
