"""The window's place on the screen, and what the desktop is told."""

from types import SimpleNamespace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget
from window_kit import EXAMPLE, FakeRunner

from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus
from ansflow_desktop.models.run import Phase, RunFinished, RunStarted
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.presenters.verdict import verdict
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.desktop import Notifier, restore_place, save_place
from ansflow_desktop.widgets.top_bar import ClusterBox


def test_the_place_of_the_window_is_kept(qtbot, tmp_path):
    one, two = QWidget(), QWidget()
    qtbot.addWidget(one)
    qtbot.addWidget(two)
    one.setGeometry(30, 40, 555, 333)
    save_place(one, tmp_path / "window.ini")
    assert restore_place(two, tmp_path / "window.ini")
    assert (two.width(), two.height()) == (555, 333)


def test_a_damaged_or_missing_place_is_none(qtbot, tmp_path):
    window = QWidget()
    qtbot.addWidget(window)
    assert not restore_place(window, tmp_path / "none.ini")
    (tmp_path / "window.ini").write_bytes(b"\xff\x00 not an ini [[[\n=\n")
    assert not restore_place(window, tmp_path / "window.ini")
    (tmp_path / "window.ini").write_text('[window]\ngeometry="@ByteArray(rubbish)"\n')
    assert not restore_place(window, tmp_path / "window.ini")


def test_the_desktop_is_told_of_an_end_only_without_focus(window, qtbot, services, monkeypatch):
    told = []
    monkeypatch.setattr(QApplication, "alert", lambda *_: told.append("alert"))
    events = [
        RunStarted(time=1.0, run="r", pipeline="p", steps=("d",)),
        RunFinished(time=2.0, run="r", phase=Phase.FAILED),
    ]
    services.runner = lambda: FakeRunner(events, Phase.FAILED)
    window.deploy.choose_chart(str(EXAMPLE))
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)
    with qtbot.waitSignal(window.deploy.finished):
        window.deploy.run.start(window.deploy.state.request, 1.0)
    assert not told
    monkeypatch.setattr(window.shell, "isActiveWindow", lambda: False)
    monkeypatch.setattr(window.shell, "raise_", lambda: told.append("raised"))  # offscreen has no order of windows
    with qtbot.waitSignal(window.deploy.finished):
        window.deploy.run.start(window.deploy.state.request, 1.0)
    assert told == ["alert"]
    window.shell.show_page("clusters")
    window._notifier.clicked.emit()
    assert window.shell.current == "deploy" and told == ["alert", "raised"]


def test_nothing_is_told_to_who_looks_at_the_window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert not Notifier(window).tell(verdict(Phase.SUCCEEDED, None).title, "")


def test_what_a_stranger_named_is_no_markup_of_the_desktop(qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    tray = SimpleNamespace(icon=lambda: None, showMessage=lambda *words: told.extend(words[:2]))
    monkeypatch.setattr(Notifier, "_icon", lambda _self: tray)
    window = QWidget()
    qtbot.addWidget(window)
    assert Notifier(window).tell("<b>prod</b>", '<a href="http://evil">anna @ prod</a> has expired.')
    assert len(told) == 2 and not set("<>") & set("".join(told)) and "anna @ prod" in told[1]


def test_the_servers_address_is_no_markup_of_a_tool_tip(qtbot):
    box = ClusterBox()
    qtbot.addWidget(box)
    hostile = ClusterEntry(name="a", context="a", server="https://<img src='file:///etc/passwd'>")
    box.set_rows((ClusterRow(entry=hostile, status=ClusterStatus(name="a")),), "a")
    assert "<img" not in box.toolTip() and "img" in box.toolTip()


def test_the_window_follows_the_desktop_from_light_to_dark(window, qtbot, monkeypatch):
    window.frame.choose_theme("system")
    assert not theme.current().dark
    monkeypatch.setattr(theme, "wants_dark", lambda choice, app: True)
    QApplication.instance().styleHints().colorSchemeChanged.connect(window.on_system_scheme)
    QApplication.instance().styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.current().dark
    QApplication.instance().styleHints().colorSchemeChanged.disconnect(window.on_system_scheme)
    monkeypatch.undo()
    window.frame.choose_theme("light")
