"""The first cluster and the chosen one: what stands in the top bar, what stays typed, what is read while searching."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from test_clusters_page import add, give_up, names, opened, press, put
from test_resources_view import FakeFeed
from window_kit import EXAMPLE, shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.kube import tables_watch
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, Finding, OwnCluster, Reach, Stage
from ansflow_desktop.widgets.cluster_form import ClusterDialog
from ansflow_desktop.widgets.cluster_stages import StageList
from ansflow_desktop.widgets.confirm_dialog import ConfirmDialog
from ansflow_desktop.widgets.dialogs import ApprovalDialog
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog
from ansflow_desktop.widgets.vault_dialogs import UnlockDialog
from ansflow_desktop.widgets.words import age


def own(services, name, port=1):
    known = OwnCluster(id=f"id-{name}", name=name, server=f"https://127.0.0.1:{port}")
    services.cluster_book.add(known, ClusterSecret(token="t-0123456789"), ClusterMarks())


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Services of somebody who has no kubeconfig at all."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    made = Services(Options(data_dir=str(tmp_path / "data"), lang="en"))
    made.vault.create("session")
    yield made
    made.close()


def test_the_first_cluster_takes_the_place_of_the_practice_cluster_that_is_only_offered(bare, loop, reads, qtbot):
    with shown_window(bare, qtbot, reads=reads) as window:
        assert window.frame.state.cluster == "practice"
        window.shell.show_page("clusters")
        page = window.shell.page
        press(qtbot, add(page, qtbot), "cluster_save")
        qtbot.waitUntil(lambda: window.frame.state.cluster == "shop")
        qtbot.waitUntil(lambda: names(page) == ["shop"])
        assert not page._problem_card.isVisible() and not window.clusters.state.problems


def test_a_cluster_that_was_asked_for_stays_though_it_is_only_offered(bare, loop, reads, qtbot):
    own(bare, "shop")
    with shown_window(bare, qtbot, reads=reads, cluster="practice") as window:
        window.clusters.refresh_list()
        qtbot.waitUntil(lambda: window.clusters.state.row("shop") is not None)
        assert window.frame.state.cluster == "practice"


def test_a_rename_keeps_the_namespace_that_was_typed(loop, services, reads, qtbot):
    services.vault.create("session")
    own(services, "shop")
    with shown_window(services, qtbot, reads=reads, cluster="shop") as window:
        window.frame.choose_namespace("fe")
        window.deploy.edit(namespace="mine")
        window.shell.show_page("clusters")
        page = window.shell.page
        page.table.choose("shop")
        press(qtbot, page, "edit_cluster")
        dialog = opened(page)
        put(dialog, "name", "shop-2")
        press(qtbot, dialog, "cluster_save")
        qtbot.waitUntil(lambda: window.frame.state.cluster == "shop-2")
        assert (window.deploy.state.cluster, window.deploy.state.namespace) == ("shop-2", "mine")
        assert (window.releases.state.cluster, window.releases.state.namespace) == ("shop-2", "fe")
        assert window.frame.state.namespace == "fe"
        qtbot.waitUntil(lambda: "shop-2" in names(page))


def test_who_walks_over_the_rows_reads_the_figures_of_the_last_one_only(loop, services, reads, qtbot):
    services.vault.create("session")
    for number in range(8):
        own(services, f"c{number}", number + 1)
    read = []
    figures = reads.statistics

    async def counted(document, name, told):
        read.append(name)
        return await figures(document, name, told)

    reads.statistics = counted
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        page = window.shell.page
        qtbot.waitUntil(lambda: len(reads.checked) >= 10 and page.details.state.statistics is not None)
        read.clear()
        page.table.choose("c0")
        page.table.setFocus()
        for _number in range(6):
            qtbot.keyClick(page.table, Qt.Key.Key_Down)
        last = page.details.state.name
        qtbot.waitUntil(lambda: read == [last])
        assert last not in ("c0", "dev")


def test_the_stage_at_fault_is_in_sight_after_a_test(loop, services, reads, qtbot):
    services.vault.create("session")
    diagnose = reads.diagnose

    async def many(entry, document, tools=None):
        found = await diagnose(entry, document, tools)
        good = [Stage(name=name, finding=Finding.GOOD, title=name) for name in ("address", "dns", "tcp")]
        words = "x509: certificate signed by unknown authority " * 6
        bad = Stage(name="tls", finding=Finding.BAD, title="Not trusted", message=words, hint="Give its authority.")
        return type(found)(status=found.status, stages=(*good, bad))

    reads.diagnose = many
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.resize(1024, 700)
        window.shell.show_page("clusters")
        dialog = add(window.shell.page, qtbot)
        dialog.resize(dialog.width(), 430)
        press(qtbot, dialog, "cluster_test")
        stages = dialog.findChild(StageList)
        qtbot.waitUntil(lambda: stages.at_fault is not None)
        qtbot.waitUntil(lambda: stages.at_fault.visibleRegion().boundingRect() == stages.at_fault.rect())
        top = dialog._column.verticalScrollBar()
        top.setValue(top.maximum())
        put(dialog, "description", "typing does not scroll")
        assert top.value() == top.maximum()
        give_up(qtbot, dialog)


def test_a_moment_ago_is_just_now_and_a_question_of_losing_is_red(window, qtbot):
    assert (age(0.4), age(1.2)) == ("just now", "1 second ago")
    window.shell.show_page("clusters")
    dialog = DeleteDialog(window.shell.page, "Delete it?", "It is lost.", "Delete")
    dialog.show()
    delete = dialog.findChild(QPushButton, "delete_confirm")
    text = delete.palette().buttonText().color()
    assert text.red() > 1.5 * text.green(), text.name()
    dialog.reject()


@pytest.mark.parametrize(("text", "told"), [("dev", ["dev"]), ("de", []), ("", [])])
def test_enter_confirms_only_once_the_whole_name_is_typed(window, qtbot, text, told):
    dialog, heard = ConfirmDialog(window.shell, "dev", UserError("Sure?", "It deletes objects")), []
    dialog.typed.connect(heard.append)
    dialog.open()
    line = dialog.findChild(QLineEdit, "confirm_name")
    qtbot.keyClicks(line, "devx")
    line.clear()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert heard == told and not dialog.isVisible()


def test_an_unapproved_program_is_shown_and_approved_from_the_credentials(window, qtbot, services):
    window.shell.show_page("credentials")
    page = window.shell.page
    qtbot.waitUntil(lambda: page._approve.isVisible())
    press(qtbot, page, "approve_missing")
    qtbot.waitUntil(lambda: any(one.isVisible() for one in window.shell.findChildren(ApprovalDialog)))
    dialog = opened(window.shell, ApprovalDialog)
    dialog.approved.emit(services.catalog.entry("prod"))
    dialog.reject()
    qtbot.waitUntil(lambda: not page._approve.isVisible())
    assert not window.shell.findChildren(ClusterDialog)


def test_what_is_changed_elsewhere_meanwhile_stays_where_nothing_was_typed(loop, services, reads, qtbot):
    services.vault.create("session")
    own(services, "shop")
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        page = window.shell.page
        for name in ("shop", "stage"):
            page.table.choose(name)
            press(qtbot, page, "edit_cluster")
            dialog = opened(page)
            put(dialog, "description", "typed here")
            services.cluster_book.mark(name, ClusterMarks(read_only=True, description="typed there", group="ours"))
            press(qtbot, dialog, "cluster_save")
            qtbot.waitUntil(lambda: not any(one.isVisible() for one in page.findChildren(ClusterDialog)))
            wanted = ClusterMarks(read_only=True, description="typed here", group="ours")
            assert services.catalog.entry(name).marks == wanted


def test_a_deploy_has_the_locked_vault_opened_first_and_then_goes_on(loop, services, reads, qtbot, monkeypatch):
    services.vault.create("passphrase", "correct horse battery staple")
    own(services, "shop")
    services.vault.lock()
    with shown_window(services, qtbot, reads=reads, cluster="shop", chart=str(EXAMPLE)) as window:
        started = []
        monkeypatch.setattr(window.deploy.run, "start", lambda request, now: started.append(request.release_name))
        window.deploy.edit(release_name="web", namespace="fe")
        qtbot.waitUntil(lambda: window.deploy.state.can_deploy)

        def asked():
            return [one for one in window.shell.findChildren(UnlockDialog) if one.isVisible()]

        window.deploy.deploy()
        qtbot.waitUntil(lambda: bool(asked()))
        asked()[0].reject()
        qtbot.waitUntil(lambda: not asked())
        assert not started and window.deploy.state.release_name == "web"
        window.deploy.deploy()
        qtbot.waitUntil(lambda: bool(asked()))
        window.vault.presenter.unlock("correct horse battery staple")
        qtbot.waitUntil(lambda: started == ["web"], timeout=20000)
        qtbot.waitUntil(lambda: not asked())


def test_the_row_of_a_cluster_follows_its_objects(window, qtbot, reads, monkeypatch):
    monkeypatch.setattr(tables_watch, "TableFeed", FakeFeed)
    window.shell.show_page("clusters")
    page = window.shell.page
    page.table.choose("dev")
    qtbot.waitUntil(lambda: page.details.state.statistics is not None)
    page._tabs.setCurrentIndex(1)
    resources = window.clusters_desk._resources
    qtbot.waitUntil(lambda: resources._feed is not None and resources._feed.choice is not None)
    reads.unreachable.add("dev")
    FakeFeed.last.on_state(FakeFeed.last.choice, UserError("It did not answer"))
    qtbot.waitUntil(lambda: window.clusters.state.row("dev").status.reach is Reach.UNREACHABLE)
    reads.unreachable.clear()
    FakeFeed.last.on_state(FakeFeed.last.choice, None)
    qtbot.waitUntil(lambda: window.clusters.state.row("dev").status.reach is Reach.REACHABLE)
