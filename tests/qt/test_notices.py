"""What the window tells at its start: runs left over, another window, damage, tools, read-only, TLS."""

import os

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton
from window_kit import release, shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.instance import InstanceLock
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.i18n import translate
from ansflow_desktop.models.command import Tool, ToolSet
from ansflow_desktop.models.release import ReleaseStatus
from ansflow_desktop.models.run import CommandStarted
from ansflow_desktop.presenters import notices
from ansflow_desktop.store import journal as journal_module
from ansflow_desktop.store.identity import ProcessIdentity


def left_over(services, monkeypatch, run_id="r1", cluster="dev"):
    """Journal a run of a process that is gone: it was about to upgrade a release."""
    gone = ProcessIdentity(pid=os.getpid(), started="1", boot="another boot")
    monkeypatch.setattr(journal_module, "this_process", lambda: gone)
    services.journal.begin(run_id, "deploy shop", {"steps": [{"name": "deploy", "cluster": cluster}]})
    argv = ("/h/helm", "upgrade", "--install", "shop", ".", "--namespace", "fe")
    services.journal.append(CommandStarted(time=1.0, run=run_id, step="deploy", argv=argv, cwd="/"))
    services.journal.flush()


def banner(window, key):
    return next((one for one in window.frame.state.banners if one.key == key), None)


def shown(window) -> str:
    return "\n".join(one.text() for one in window.shell.banners.findChildren(QLabel) if one.isVisible())


def test_a_run_left_over_is_told_with_what_the_cluster_says_and_the_way_out(
    window, qtbot, reads, services, monkeypatch
):
    reads.rows = [release("shop", status=ReleaseStatus.PENDING_UPGRADE, revision=2)]
    left_over(services, monkeypatch)
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "run r1") is not None)
    text = shown(window)
    assert "The deploy of shop in fe on dev did not end" in text
    assert "revision 2 is pending-upgrade" in text and "helm rollback shop REVISION --namespace fe" in text
    assert banner(window, "run r1").tone == "bad"


def test_private_folders_of_runs_left_over_are_removed_at_the_start(window, qtbot, services, monkeypatch):
    left_over(services, monkeypatch)
    folder = services.directories.runs / "r1"
    folder.mkdir(parents=True)
    (folder / ".owner").write_text('{"pid": 1, "started": "1", "boot": "another boot"}')
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "run r1") is not None)
    assert not folder.exists()


def test_a_closed_banner_on_a_run_is_told_for_good(window, qtbot, services, monkeypatch):
    left_over(services, monkeypatch)
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "run r1") is not None)
    assert "revision 1 is deployed" in shown(window)
    close = window.shell.banners.findChildren(QToolButton)[0]
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not services.journal.unfinished())
    assert banner(window, "run r1") is None
    window.look_back()
    qtbot.waitUntil(lambda: window.frame._tasks["past"].done())
    assert banner(window, "run r1") is None


def test_a_run_whose_cluster_does_not_answer_is_unknown_and_asked_again(window, qtbot, reads, services, monkeypatch):
    answers = reads.release

    async def refuse(*_):
        raise UserError("The cluster cannot be reached", "connection refused")

    reads.release = refuse
    left_over(services, monkeypatch, cluster="stage")
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "run r1") is not None)
    assert "What became of it is not known: The cluster cannot be reached: connection refused" in shown(window)
    reads.release = answers
    window.frame.choose_cluster("stage")
    qtbot.waitUntil(lambda: "revision 1 is deployed" in shown(window))


def test_an_unapproved_credential_program_is_not_run_to_ask_about_a_run(window, qtbot, reads, services, monkeypatch):
    left_over(services, monkeypatch, cluster="prod")
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "run r1") is not None)
    assert "What became of it is not known" in shown(window) and not reads.asked


def test_a_second_window_is_said_and_closing_this_one_frees_the_lock(window, qtbot, services):
    other = InstanceLock(services.directories.data / "instance.lock")
    assert other.acquire()
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "instance") is not None)
    other.release()
    window.look_back()
    qtbot.waitUntil(lambda: banner(window, "instance") is None)
    assert not InstanceLock(services.directories.data / "instance.lock").acquire()


def test_damaged_files_are_kept_aside_and_named(loop, tmp_path, qtbot, reads, request):
    data = tmp_path / "data"
    data.mkdir()
    (data / "settings.json").write_text("{broken")
    (data / "ansflow.db").write_bytes(b"no database at all" * 100)
    services = Services(Options(data_dir=str(data), kubeconfig=str(tmp_path / "none"), lang="en"))
    request.addfinalizer(services.close)
    with shown_window(services, qtbot, reads=reads) as window:
        qtbot.waitUntil(lambda: banner(window, "settings") is not None)
        window.look_back()
        qtbot.waitUntil(lambda: banner(window, "journal") is not None)
        kept = sorted(file.name for file in data.iterdir() if "damaged" in file.name)
        assert len(kept) == 2
        assert all(
            name in translate(banner(window, key).text) for name, key in zip(kept, ("journal", "settings"), strict=True)
        )


@pytest.mark.parametrize(
    ("tools", "wanted"),
    [
        (ToolSet(), {"helm": "bad", "kubectl": "warn"}),
        (ToolSet(helm=Tool(name="helm", path="/h", version="2.17.0")), {"helm": "bad", "kubectl": "warn"}),
        (
            ToolSet(
                helm=Tool(name="helm", path="/h", version="3.12.0"),
                kubectl=Tool(name="kubectl", path="/k", version="1.26.0"),
            ),
            {"helm": "warn", "kubectl": "warn"},
        ),
        (
            ToolSet(
                helm=Tool(name="helm", path="/h", version="4.3.1"),
                kubectl=Tool(name="kubectl", path="/k", version="1.36.3"),
            ),
            {},
        ),
    ],
    ids=["none", "too old", "holes", "good"],
)
def test_tools_that_are_missing_or_old_are_said_with_how_to_get_them(tools, wanted):
    found = notices.tool_banners(tools)
    assert {one.key: one.tone for one in found} == wanted
    assert all("nstall" in translate(one.text) for one in found)


def test_a_wrong_path_of_helm_is_said_and_can_be_mended(window, qtbot, services, tmp_path):
    window.frame.choose_tools(str(tmp_path / "no-helm"), "")
    qtbot.waitUntil(lambda: banner(window, "tools") is not None)
    assert "no-helm" in shown(window)
    window.frame.choose_tools("", "")
    qtbot.waitUntil(lambda: banner(window, "tools") is None)


def test_a_read_only_start_says_so_and_deploys_nothing(loop, tmp_path, qtbot, reads, request):
    services = Services(Options(data_dir=str(tmp_path), kubeconfig=str(tmp_path / "none"), read_only=True, lang="en"))
    request.addfinalizer(services.close)
    with shown_window(services, qtbot, reads=reads) as window:
        assert "Read-only: nothing can be deployed" in shown(window)
        assert not window.shell.banners.findChildren(QToolButton)
        assert not window.shell.findChild(QPushButton, "deploy").isEnabled()


def test_an_unverified_cluster_says_so_until_another_is_chosen(window, qtbot):
    qtbot.waitUntil(lambda: window.frame.state.row is not None)
    state = window.frame.state
    row = msgspec.structs.replace(state.row, entry=msgspec.structs.replace(state.row.entry, insecure=True))
    window.shell.show_state(msgspec.structs.replace(state, rows=(row, *state.rows[1:])))
    assert "TLS is not verified for dev" in shown(window)
    window.shell.show_state(state)
    assert "TLS" not in shown(window)


def test_many_banners_leave_the_page_its_room(window, qtbot):
    window.shell.resize(1024, 700)
    for number in range(6):
        window.frame.add_banner(notices.Banner(key=f"k{number}", tone="warn", title=f"line {number}"))
    window.frame.add_banner(notices.Banner(key="last", tone="bad", title="the worst"))
    qtbot.waitUntil(lambda: len(shown(window).splitlines()) == 3)
    assert shown(window).splitlines()[0] == "the worst"
    more = next(one for one in window.shell.banners.findChildren(QPushButton) if one.isVisible())
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "line 5" in shown(window))
