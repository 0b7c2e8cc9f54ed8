"""What people and others throw at the window: drops, pastes, hostile kubeconfigs, closing whenever they like."""

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from window_kit import EXAMPLE

from ansflow_desktop.models.cluster import ClusterEntry, ExecPlugin
from ansflow_desktop.models.run import Phase, StepFinished
from ansflow_desktop.presenters.run_view import RunView
from ansflow_desktop.presenters.verdict import verdict
from ansflow_desktop.widgets.dialogs import ApprovalDialog
from ansflow_desktop.widgets.run_panel import VerdictCard

NONSENSE = {
    "long": "x" * 10_000,
    "lines": "one\ntwo\r\nthree\0four",
    "right to left": "\u202egnp.exe\u2066 עברית العربية",
    "emoji": "🚀👩‍👩‍👧‍👦" * 50,
    "flag": "--kubeconfig=/etc/passwd",
    "markup": "<img src='file:///etc/passwd'><b>x</b>",
    "percent": "%(name)s %s %n {0}",
    "shell": "; rm -rf / $(id) `id` | & > x",
}
FIELDS = ("chart_path", "release_name", "timeout", "namespace", "custom_values")


def drop(window, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.shell.dropEvent(QDropEvent(QPointF(5, 5), action, data, left, none))


def test_a_dropped_chart_yaml_means_its_folder(window, qtbot):
    drop(window, EXAMPLE / "Chart.yaml")
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)
    assert window.deploy.state.chart_path == str(EXAMPLE)


@pytest.mark.parametrize("names", [("values.yaml",), ("templates", "charts")], ids=["a file", "two folders"])
def test_what_is_no_chart_folder_is_said_and_changes_nothing(window, qtbot, names):
    drop(window, *(EXAMPLE / name for name in names))
    assert window.shell.toast.isVisible() and "chart folder" in window.shell.toast.text()
    assert window.deploy.state.chart_path == ""
    qtbot.waitUntil(lambda: not window.shell.toast.isVisible(), timeout=5000)


def field(window, name) -> QWidget:
    if name == "namespace":
        return window.shell.findChild(QWidget, "deploy_namespace").lineEdit()
    kind = QPlainTextEdit if name == "custom_values" else QLineEdit
    return window.shell.findChild(kind, name)


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_in_any_field_is_a_problem_beside_it_and_never_a_deploy(window, qtbot, kind):
    qtbot.waitUntil(lambda: bool(window.frame.state.namespaces))
    window.deploy.choose_chart(str(EXAMPLE))
    qtbot.waitUntil(lambda: window.deploy.state.can_deploy, timeout=15_000)
    before = (window.shell.width(), window.shell.height())
    for name in ("release_name", "namespace", "timeout"):
        old = getattr(window.deploy.state, name)
        paste(qtbot, field(window, name), NONSENSE[kind])
        qtbot.waitUntil(lambda: window.deploy.state.planned and not window.deploy.state.can_deploy, timeout=15_000)
        found = window.deploy.state.problems_of(name, f"k8s_{name}")
        assert found, name
        paste(qtbot, field(window, name), old)
        qtbot.waitUntil(lambda: window.deploy.state.can_deploy, timeout=15_000)
    for name in ("custom_values", "chart_path"):
        paste(qtbot, field(window, name), NONSENSE[kind])
    qtbot.keyClick(field(window, "chart_path"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.deploy.state.planned and not window.deploy.state.reading, timeout=15_000)
    assert not window.deploy.state.can_deploy and window.deploy.state.problems_of("chart_path", "chart_name")
    assert (window.shell.width(), window.shell.height()) == before


def paste(qtbot, widget, text):
    QGuiApplication.clipboard().setText(text)
    widget.setFocus()
    widget.selectAll()
    qtbot.keyClick(widget, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_a_hostile_credential_program_is_shown_as_it_is_and_fits_the_window(window, qtbot):
    plugin = ExecPlugin(
        command="/bin/sh\x1b[2J\u202ehs",
        args=("-c", "<b>curl</b> " + "x" * 20_000, "\x07\x1b]0;title\x07", *(f"--arg={n}" for n in range(200))),
        env=(("LD_PRELOAD", "/tmp/evil.so"), ("A\nB", "c\nd")),
    )
    entry = ClusterEntry(name="<i>prod</i>" * 30, context="prod", source="/home/me/" + "d" * 300, exec_plugin=plugin)
    dialog = ApprovalDialog(window.shell, entry)
    dialog.open()
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.width() <= window.shell.width() and dialog.height() <= window.shell.height()
    texts = [dialog.findChild(QPlainTextEdit, f"approval_{name}").toPlainText() for name in ("command", "args", "env")]
    assert not any(mark in text for text in texts for mark in "\x1b\x07\u202e")
    assert "\\x1b[2J\\u202ehs" in texts[0] and "A\\nB=c\\nd" in texts[2]
    assert "<b>curl</b>" in texts[1] and "--arg=199" in texts[1] and "LD_PRELOAD=/tmp/evil.so" in texts[2]
    assert all(one.textFormat() is Qt.TextFormat.PlainText for one in dialog.findChildren(QLabel) if one.text())
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)


def test_the_folder_dialog_chooses_a_chart(window, qtbot, monkeypatch):
    page = window.shell.page
    qtbot.mouseClick(window.shell.findChild(QPushButton, "browse_chart") or find_tool(page), Qt.MouseButton.LeftButton)
    dialog = page.findChild(QFileDialog)
    assert dialog is not None and dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.fileSelected.emit(str(EXAMPLE))
    dialog.reject()
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)


def find_tool(page):
    return page.findChild(QWidget, "browse_chart")


def test_settings_are_saved_and_used(window, qtbot, services):
    qtbot.keyClick(window.shell, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    dialog = next(one for one in window.shell.findChildren(QDialog) if one.isVisible())
    dialog._theme.setCurrentIndex(dialog._theme.findData("dark"))
    qtbot.mouseClick(dialog.findChild(QPushButton, "settings_save"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: services.settings.theme == "dark")
    assert window.frame.state.theme == "dark"


def test_a_verdict_that_is_unknown_says_so_and_what_to_do(qtbot):
    step = StepFinished(time=2, run="r", phase=Phase.UNKNOWN, message="connection <lost>", hint="")
    view = RunView(phase=Phase.UNKNOWN, started=1, finished=2, verdict=verdict(Phase.UNKNOWN, step))
    card = VerdictCard()
    qtbot.addWidget(card)
    card.show_view(view)
    card.show()
    texts = [one.text() for one in card.findChildren(QLabel) if one.text()]
    assert "It is not known how the deploy ended" in texts
    assert "connection <lost>" in texts and any("release table" in text for text in texts)
    assert card.property("tone") == "warn"
    assert msgspec.structs.replace(view, verdict=None).verdict is None
    card.show_view(None)
    assert not card.isVisible()
