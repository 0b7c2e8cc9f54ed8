"""Every page of the real window: names for assistive tools, nothing cut off, keyboard, languages, themes."""

import asyncio
import gettext
import time

import pytest
from look_kit import cut_off, parts, settled
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollBar,
    QTabBar,
    QWidget,
)
from window_kit import EXAMPLE, FakeReads, release, shown_window

from ansflow_desktop import i18n
from ansflow_desktop.errors import UserError
from ansflow_desktop.models.cluster import NamespaceList, Reach
from ansflow_desktop.presenters.releases import chart_parts
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.code import CommandView
from ansflow_desktop.widgets.controls import Chip
from ansflow_desktop.widgets.rail import PAGES
from ansflow_desktop.widgets.tokens import DARK, LIGHT

INTERACTIVE = (QAbstractButton, QLineEdit, QComboBox, QPlainTextEdit, QAbstractItemView, QTabBar)
KEYS = [page[0] for page in PAGES]


class Longer(gettext.NullTranslations):
    """Every text 40 % longer, as a translation may be."""

    def gettext(self, message):
        return f"{message} {'wyz ' * (len(message) // 10)}".rstrip()

    def ngettext(self, one, many, count):
        return self.gettext(one if count == 1 else many)


@pytest.fixture
def longer(monkeypatch):
    monkeypatch.setattr(i18n._Active, "catalogue", Longer())


@pytest.mark.parametrize("page", KEYS)
def test_everything_interactive_has_a_name_and_takes_the_keyboard(window, qtbot, page):
    settled(window, qtbot)
    window.shell.show_page(page)
    checked = 0
    for part in parts(window):
        if not isinstance(part, INTERACTIVE) or isinstance(part, QScrollBar):
            continue
        if part.objectName().startswith("qt_") or isinstance(part.parent(), QComboBox | QPlainTextEdit):
            continue
        assert part.accessibleName(), f"{type(part).__name__} {part.objectName()} on {page}"
        if part.focusPolicy() is Qt.FocusPolicy.NoFocus:
            assert part.__class__.__name__ == "_Header", f"{part.accessibleName()} cannot be reached by keyboard"
        checked += 1
    assert checked > 5


@pytest.mark.parametrize("size", [(1024, 700), (1440, 900)], ids=["small", "usual"])
@pytest.mark.parametrize("page", KEYS)
def test_nothing_is_cut_off(window, qtbot, page, size):
    settled(window, qtbot)
    window.shell.resize(*size)
    window.shell.show_page(page)
    qtbot.wait(60)

    def nothing_stays_cut() -> None:  # figures that arrive at this moment are laid out by the next
        assert not cut_off(window)

    qtbot.waitUntil(nothing_stays_cut, timeout=2000)


@pytest.mark.parametrize("page", KEYS)
def test_nothing_is_cut_off_in_a_longer_language(longer, window, qtbot, page):
    settled(window, qtbot)
    window.shell.resize(1024, 700)
    window.shell.show_page(page)
    qtbot.wait(60)
    assert not cut_off(window)


def test_the_rail_folds_where_there_is_little_room(window, qtbot):
    window.shell.resize(1024, 700)
    qtbot.waitUntil(lambda: window.shell.rail.width() < 100)
    window.shell.resize(1200, 800)
    qtbot.waitUntil(lambda: window.shell.rail.width() > 150)


def test_one_primary_button_a_page(window, qtbot):
    settled(window, qtbot)
    for page in KEYS:
        window.shell.show_page(page)
        primary = [one for one in parts(window, QPushButton) if one.property("role") == "primary"]
        assert len(primary) <= 1, page


def test_language_and_theme_change_at_once_and_are_kept(window, qtbot, services):
    settled(window, qtbot)
    window.shell.show_page("releases")
    window.frame.choose_theme("dark")
    assert theme.current() is DARK
    window.frame.choose_language("zh_CN")
    assert i18n.active_language() == "zh_CN"
    assert (services.settings.theme, services.settings.language) == ("dark", "zh_CN")
    assert window.shell.current == "releases"
    window.frame.choose_theme("light")
    assert theme.current() is LIGHT
    qtbot.keyClick(window.shell, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert window.shell.current == "deploy"


def test_what_is_typed_outlives_a_change_of_theme(window, qtbot):
    settled(window, qtbot)
    window.deploy.choose_chart(str(EXAMPLE))
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)
    editor = window.shell.findChild(QPlainTextEdit, "custom_values")
    qtbot.keyClicks(editor, "a: 1")
    window.frame.choose_theme("dark")
    again = window.shell.page.findChild(QPlainTextEdit, "custom_values")
    assert again.toPlainText() == "a: 1"
    assert window.deploy.state.custom_values == "a: 1"


def test_keys_go_to_pages_filter_and_lists(window, qtbot):
    settled(window, qtbot)
    qtbot.keyClick(window.shell, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert window.shell.current == "releases"
    qtbot.keyClick(window.shell, Qt.Key.Key_Slash)
    line = window.shell.findChild(QLineEdit, "release_filter")
    assert line.hasFocus()
    qtbot.keyClicks(line, "a/?")
    assert line.text() == "a/?", "plain keys are letters inside editors"
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "" and not line.hasFocus()
    qtbot.keyClick(window.shell, Qt.Key.Key_Question)
    dialog = window.shell.findChild(QDialog)
    assert dialog.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)


class NoAnswer(FakeReads):
    """A cluster that has not told its releases yet."""

    async def watch_releases(self, document, on_rows, on_state):
        await asyncio.Event().wait()


def test_the_filter_gives_the_keyboard_back_while_nothing_was_read_yet(loop, services, qtbot):
    with shown_window(services, qtbot, reads=NoAnswer()) as window:
        settled(window, qtbot)
        window.shell.show_page("releases")
        line = window.shell.findChild(QLineEdit, "release_filter")
        qtbot.keyClick(window.shell, Qt.Key.Key_Slash)
        assert line.hasFocus()
        qtbot.keyClick(line, Qt.Key.Key_Escape)
        assert not line.hasFocus()


def test_a_dropped_folder_is_chosen(window, qtbot):
    window.shell.show_page("clusters")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(EXAMPLE))])
    action, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.shell.dropEvent(QDropEvent(QPointF(5, 5), action, data, left, none))
    qtbot.waitUntil(lambda: window.deploy.state.chart is not None)
    assert window.shell.current == "deploy"
    assert window.shell.findChild(QLineEdit, "chart_path").text().endswith("fe-app")


def test_missing_dependencies_are_said_and_the_command_names_the_persons_folder(window, qtbot, tmp_path):
    for name, more in (
        ("common", ""),
        ("shop", "dependencies: [{name: common, version: 0.1.0, repository: 'file://../common'}]\n"),
    ):
        (tmp_path / name).mkdir()
        chart = f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n{more}"
        (tmp_path / name / "Chart.yaml").write_text(chart)
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    settled(window, qtbot)
    window.deploy.choose_chart(str(tmp_path / "shop"))
    qtbot.waitUntil(lambda: bool(window.deploy.state.command) and window.deploy.state.planned)
    note = window.shell.findChild(QLabel, "fetched")
    assert note.isVisible()
    assert note.text() == "1 of 1 dependency will be fetched into a private copy of the chart."
    assert "common" in note.toolTip()
    assert "--dependency-update" in window.deploy.state.command
    assert window.deploy.state.copy_text.startswith(f"cd {tmp_path / 'shop'}")
    assert [path for path in before if path not in {str(one) for one in tmp_path.rglob("*")}] == []
    window.deploy.choose_chart(str(EXAMPLE))
    qtbot.waitUntil(lambda: not note.isVisible())


def test_a_typed_namespace_is_not_completed_to_another_one(window, qtbot):
    settled(window, qtbot)
    window.deploy.set_namespaces(NamespaceList(names=("default", "fe-app"), read_at=time.time()))
    line = window.shell.findChild(QComboBox, "deploy_namespace").lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "fe")
    qtbot.keyClick(line, Qt.Key.Key_Tab)
    assert line.text() == "fe"
    assert window.deploy.state.namespace == "fe"


# Clusters


def test_every_context_is_listed_and_the_plugin_is_not_run_unasked(window, qtbot, reads):
    qtbot.waitUntil(lambda: {"dev", "stage"} <= set(reads.checked))
    assert [row.entry.name for row in window.clusters.state.rows][:3] == ["dev", "stage", "prod"]
    qtbot.waitUntil(lambda: window.clusters.state.row("prod").status.reach is Reach.APPROVAL_NEEDED)
    assert "prod" not in reads.checked


def test_the_plugin_runs_once_it_was_shown_and_approved(window, qtbot, reads, services):
    qtbot.waitUntil(lambda: window.clusters.state.row("prod").status.reach is Reach.APPROVAL_NEEDED)
    window.clusters.check("prod")
    asked = lambda: [one for one in window.shell.findChildren(QDialog) if one.isVisible()]  # noqa: E731
    qtbot.waitUntil(lambda: bool(asked()))
    dialog = asked()[0]
    shown = {
        name: dialog.findChild(QPlainTextEdit, f"approval_{name}").toPlainText() for name in ("command", "args", "env")
    }
    assert shown == {"command": "/opt/vendor/login", "args": "--account\n<b>prod</b>", "env": "PROFILE=admin"}
    assert dialog.findChild(QPushButton, "approval_cancel").isDefault()
    dialog.reject()
    assert "prod" not in reads.checked
    qtbot.waitUntil(lambda: not asked())
    window.clusters.check("prod")
    qtbot.waitUntil(lambda: bool(asked()))
    dialog = asked()[-1]
    qtbot.mouseClick(dialog.findChild(QPushButton, "approval_approve"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.clusters.state.row("prod").status.reach is Reach.REACHABLE)
    assert services.approvals.approved(window.clusters.state.row("prod").entry.exec_plugin)


def test_a_cluster_that_does_not_answer_is_said_in_words(window, qtbot, reads):
    settled(window, qtbot)
    reads.unreachable = {"stage"}
    window.clusters.check("stage")
    qtbot.waitUntil(lambda: window.clusters.state.row("stage").status.reach is Reach.UNREACHABLE)
    window.shell.show_page("clusters")
    model = window.shell.findChild(QWidget, "clusters_table").model()
    rows = {model.index(row, 0).data(): model.index(row, 1).data() for row in range(model.rowCount())}
    assert rows["stage"] == "Not reachable" and rows["dev"] == "Reachable"


def test_switching_the_cluster_forgets_namespace_and_releases(window, qtbot):
    settled(window, qtbot)
    qtbot.waitUntil(lambda: bool(window.releases.state.rows))
    window.frame.choose_namespace("fe")
    assert window.deploy.state.namespace == "fe"
    assert {row.namespace for row in window.releases.state.rows} == {"fe"}
    window.frame.choose_cluster("stage")
    assert (window.frame.state.namespace, window.deploy.state.namespace) == ("", "")
    qtbot.waitUntil(lambda: len(window.releases.state.rows) == 3)


def test_an_added_file_that_is_none_is_said_and_forgotten(window, qtbot, tmp_path):
    settled(window, qtbot)
    window.clusters.add_file(str(tmp_path / "missing"))
    qtbot.waitUntil(lambda: any(banner.key == "error" for banner in window.frame.state.banners))
    window.frame.close_banner("error")
    assert not any(banner.key == "error" for banner in window.frame.state.banners)


@pytest.fixture
def stage_down(reads):
    reads.unreachable = {"stage"}


def test_releases_of_a_cluster_that_cannot_be_asked_are_not_waited_for(stage_down, window, qtbot):
    settled(window, qtbot)
    window.shell.show_page("releases")
    window.frame.choose_cluster("stage")
    qtbot.waitUntil(lambda: window.releases.state.error is not None)
    assert "stage cannot be asked" in {one.text().splitlines()[0] for one in parts(window, QLabel) if one.text()}
    assert not window.releases.state.stale


def test_rows_read_before_the_connection_was_lost_stay_with_their_age(window, qtbot, reads):
    settled(window, qtbot)
    window.shell.show_page("releases")
    qtbot.waitUntil(lambda: bool(window.releases.state.rows))
    reads.on_state(UserError("connection lost", "EOF"))
    assert [chip.text for chip in parts(window, Chip) if "Reconnecting" in chip.text]
    assert window.shell.findChild(QWidget, "releases_table").model().rowCount() == 3
    reads.on_rows(list(reads.rows))
    assert not [chip for chip in parts(window, Chip) if "Reconnecting" in chip.text]


def test_sorting_and_selection_outlive_a_refresh(window, qtbot, reads):
    settled(window, qtbot)
    window.shell.show_page("releases")
    qtbot.waitUntil(lambda: bool(window.releases.state.rows))
    table = window.shell.findChild(QWidget, "releases_table")
    model = table.model()
    assert [model.index(row, 0).data() for row in range(3)] == ["api", "blog", "shop"]
    header = table.horizontalHeader()
    spot = QPoint(header.sectionViewportPosition(5) + 20, header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert model.index(0, 5).data() == "12"
    table.selectRow(0)
    assert table.chosen_row().name == "api"
    reads.on_rows([release("zoo", revision=99), *reads.rows])
    assert [model.index(row, 0).data() for row in range(2)] == ["zoo", "api"]
    assert table.chosen_row().name == "api"


def test_the_filter_takes_every_word(window, qtbot):
    settled(window, qtbot)
    qtbot.waitUntil(lambda: bool(window.releases.state.rows))
    window.releases.filter("FAILED blog")
    assert [row.name for row in window.releases.state.rows] == ["blog"]
    window.releases.filter("blog deployed")
    assert not window.releases.state.rows and window.releases.state.total == 3


@pytest.mark.parametrize(
    ("chart", "parts"),
    [
        ("fe-app-0.1.0", ("fe-app", "0.1.0")),
        ("fe-app-0.1.0-rc.1+build.5", ("fe-app", "0.1.0-rc.1+build.5")),
        ("app-v2.0.0", ("app", "v2.0.0")),
        ("kube-2-state-1.2.3", ("kube-2-state", "1.2.3")),
        ("odd-chart-1.2", ("odd-chart-1.2", "")),
        ("-1.2.3", ("-1.2.3", "")),
        ("", ("", "")),
    ],
)
def test_chart_name_and_version_are_told_apart(chart, parts):
    assert chart_parts(chart) == parts


def test_enter_shows_the_history_of_a_release(window, qtbot, reads):
    settled(window, qtbot)
    window.shell.show_page("releases")
    qtbot.waitUntil(lambda: bool(window.releases.state.rows))
    table = window.shell.findChild(QWidget, "releases_table")
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    history = window.shell.findChild(QWidget, "history_table")
    qtbot.waitUntil(lambda: history.model().rowCount() == 12)
    assert history.model().index(0, 0).data() == "12"
    assert not cut_off(window)
    qtbot.keyClick(history.window(), Qt.Key.Key_Escape)
    assert window.shell.isVisible()


def test_a_history_that_cannot_be_read_is_said(window, qtbot, reads):
    async def refuse(*_):
        raise UserError("Not allowed", "secrets is forbidden", "Ask for the right.")

    reads.history = refuse
    settled(window, qtbot)
    window.shell.show_page("releases")
    qtbot.waitUntil(lambda: bool(window.releases.state.rows))
    window.shell.page._on_activated(window.releases.state.rows[0])
    qtbot.waitUntil(lambda: any("secrets is forbidden" in one.text() for one in parts(window, QLabel)))
    next(one for one in window.shell.findChildren(QDialog) if one.isVisible()).reject()


# Closing


def test_unexpected_errors_are_banners_not_crashes(window, qtbot):
    window.frame.show_error(UserError("Title", "server <b>words</b>", "hint"))
    assert any(one.text() == "server <b>words</b>" for one in parts(window, QLabel))


def test_a_command_breaks_only_at_its_backslashes(loop, qtbot):
    view = CommandView("Command")
    qtbot.addWidget(view)
    view.show()
    view.show_command("helm upgrade --install web . " + "--set a=b " * 60)
    for width in range(300, 900, 7):
        view.resize(width, 200)
        blocks = [view.document().findBlockByNumber(number) for number in range(view.blockCount())]
        assert max(one.layout().lineCount() for one in blocks) == 1, width
