"""Clusters that break, vanish or change while somebody looks at them; impatient hands in their dialog."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit
from window_kit import KUBECONFIG, shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.kube import tables_watch
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, NamespaceList, OwnCluster, Reach
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.cluster_form import _address
from ansflow_desktop.presenters.cluster_form_state import FormState
from ansflow_desktop.widgets.cluster_form import ClusterDialog


class FakeFeed:
    """A feed that keeps what it was made of."""

    made: list[FakeFeed]

    def __init__(self, document, on_rows, on_state, on_kinds) -> None:
        self.document, self.on_state, self.choice = document, on_state, None
        FakeFeed.made.append(self)

    def choose(self, choice) -> None:
        self.choice = choice

    async def run(self) -> None:
        await window_loop.asyncio.Event().wait()


@pytest.fixture
def page(loop, services, reads, qtbot, monkeypatch):
    FakeFeed.made = []
    monkeypatch.setattr(tables_watch, "TableFeed", FakeFeed)
    services.vault.create("session")
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        made = window.shell.page
        made.window_made = window
        qtbot.waitUntil(lambda: made.details.state.statistics is not None)
        yield made


def add_own(services, name="shop", token="one"):
    cluster = OwnCluster(id="0123456789abcdef", name=name, server="https://127.0.0.1:1", auth="token")
    services.cluster_book.add(cluster, ClusterSecret(token=token), ClusterMarks())


def working_in_own(page, qtbot, services):
    """Add the cluster shop, work in it, and return the window."""
    add_own(services)
    page.presenter.refresh_list()
    qtbot.waitUntil(lambda: page.presenter.state.row("shop") is not None)
    page.window_made.frame.choose_cluster("shop")
    return page.window_made


def feed_of(page, qtbot, name, count=1):
    """Follow the objects of `name` and return the feed once it knows what to follow."""
    qtbot.waitUntil(lambda: page.presenter.state.row(name) is not None)
    page.table.choose(name)
    page._tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: len(FakeFeed.made) == count and FakeFeed.made[-1].choice is not None)
    return FakeFeed.made[-1]


def test_figures_come_back_by_themselves_when_the_cluster_does(page, qtbot, reads):
    read, lost = reads.statistics, []

    async def broken(document, name, told):
        lost.append(name)
        raise UserError("The cluster does not answer")

    reads.statistics = broken
    page.details.read()
    qtbot.waitUntil(lambda: page.details.state.error is not None)
    page.presenter.load()
    qtbot.waitUntil(lambda: reads.checked.count("dev") >= 2)
    assert lost == ["dev"], "a failure is not asked again and again"
    reads.unreachable.add("dev")
    page.presenter.load()
    qtbot.waitUntil(lambda: page.details.state.row.status.reach is Reach.UNREACHABLE)
    assert page.details.state.error is not None and page.details.state.statistics is not None
    reads.statistics = read
    reads.unreachable.clear()
    page.presenter.load()
    qtbot.waitUntil(lambda: page.details.state.error is None)


def test_figures_of_another_server_are_not_shown_for_this_one(page, qtbot, tmp_path, reads):
    reads.unreachable.add("dev")
    assert page.details.state.name == "dev" and page.details.state.statistics is not None
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.replace("127.0.0.1:1", "127.0.0.1:2222"))
    page.presenter.load()
    qtbot.waitUntil(lambda: page.details.state.row.entry.server.endswith(":2222"))
    qtbot.waitUntil(lambda: page.details.state.statistics is None)


def test_a_renewed_token_is_used_by_a_watch_that_was_refused(page, qtbot, services):
    add_own(services)
    page.presenter.refresh_list()
    first = feed_of(page, qtbot, "shop")
    first.on_state(first.choice, UserError("401"))
    services.cluster_book.replace_secret("shop", ClusterSecret(token="two"))
    first.on_state(first.choice, UserError("401"))
    qtbot.waitUntil(lambda: len(FakeFeed.made) == 2 and FakeFeed.made[-1].choice is not None)
    assert FakeFeed.made[-1].document["users"][0]["user"]["token"] == "two"
    assert page.window_made.clusters_desk._resources.state.error is None


def test_the_objects_of_a_removed_cluster_are_left(page, qtbot, services):
    add_own(services)
    page.presenter.refresh_list()
    feed_of(page, qtbot, "shop")
    services.cluster_book.remove("shop")  # by the command line, say
    page.presenter.refresh_list()
    qtbot.waitUntil(lambda: page.details.state.name == "dev")
    resources = page.window_made.clusters_desk._resources
    assert page._tabs.currentIndex() == 0 and "feed" not in resources._tasks
    page._tabs.setCurrentIndex(1)
    assert resources.state.cluster == "dev" and page._tabs.tabText(1) == "Resources of dev"


def test_removing_a_cluster_here_lets_its_objects_go(page, qtbot, services):
    add_own(services)
    page.presenter.refresh_list()
    feed_of(page, qtbot, "shop")
    page.presenter.remove("shop")
    resources = page.window_made.clusters_desk._resources
    qtbot.waitUntil(lambda: resources.state.cluster == "")
    assert not services.shelf.own()


def form_of(page, **fields):
    """Open the dialog of a new cluster and type `fields`; return it and its presenter."""
    page.add_cluster()
    dialog = next(one for one in page.findChildren(ClusterDialog) if one.isVisible())
    for name, text in {"server": "10.0.0.1", "name": "shop", "token": "abc", **fields}.items():
        dialog.findChild(QLineEdit, f"cluster_{name}").setText(text)
    return dialog, dialog.presenter


def test_what_a_test_found_goes_with_the_address_that_it_tested(page, qtbot):
    dialog, form = form_of(page)
    form.test()
    qtbot.waitUntil(lambda: form.state.diagnosis is not None and not form.state.testing)
    dialog.findChild(QLineEdit, "cluster_description").setText("a note")
    assert form.state.diagnosis is not None, "a note changes no connection"
    dialog.findChild(QLineEdit, "cluster_server").setText("10.0.0.2")
    assert form.state.diagnosis is None
    dialog._give_up()


def test_a_test_under_way_ends_when_another_address_is_typed(page, qtbot, reads):
    begun, ended = [], []

    async def slow(entry, document, tools=None):
        begun.append(entry.server)
        try:
            await window_loop.asyncio.Event().wait()
        finally:
            ended.append(entry.server)

    reads.diagnose = slow
    dialog, form = form_of(page)
    form.test()
    qtbot.waitUntil(lambda: bool(begun))
    dialog.findChild(QLineEdit, "cluster_server").setText("10.0.0.2")
    assert not form.state.testing
    form.test()
    qtbot.waitUntil(lambda: ended == ["https://10.0.0.1"] and len(begun) == 2)
    assert form.state.testing, "the end of the first is not the end of the second"
    dialog._give_up()
    qtbot.waitUntil(lambda: ended == ["https://10.0.0.1", "https://10.0.0.2"])


@pytest.mark.filterwarnings("ignore")
def test_an_error_that_nobody_foresaw_lets_one_save_again(page, qtbot, services, monkeypatch):
    def broken(*_):
        raise RuntimeError("no idea")

    dialog, form = form_of(page)
    monkeypatch.setattr(services.cluster_book, "add", broken)
    form.save()
    qtbot.waitUntil(lambda: bool(form.state.problems))
    assert dialog.keep.isEnabled() and form.state.form.token == "abc" and dialog.isVisible()
    monkeypatch.undo()
    form.save()
    form.save()  # a double click
    qtbot.waitUntil(lambda: [one.name for one in services.shelf.own()] == ["shop"])


def test_closing_the_dialog_while_it_saves_keeps_what_was_typed(page, qtbot, services, monkeypatch):
    gate, add = threading.Event(), services.cluster_book.add

    def slow(*arguments):
        assert gate.wait(10)
        add(*arguments)

    monkeypatch.setattr(services.cluster_book, "add", slow)
    dialog, form = form_of(page)
    form.save()
    dialog._give_up()
    assert not dialog.isVisible() or dialog.result() == 0
    gate.set()
    qtbot.waitUntil(lambda: page.presenter.state.row("shop") is not None)
    assert services.cluster_book.secret(services.shelf.own()[0]).token == "abc"
    assert form.state == FormState()


def test_a_large_pasted_text_is_read_off_the_windows_thread(page, qtbot, services, monkeypatch):
    threads = []

    def read(text, refused):
        threads.append(threading.current_thread())
        return ()

    monkeypatch.setattr(services.cluster_book, "from_kubeconfig", read)
    dialog, form = form_of(page)
    with qtbot.waitSignal(form.found):
        form.find("x")
    assert threads and threads[0] is not threading.main_thread()
    dialog._give_up()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("h:1/", "https://h:1"), ("https://", "https://"), ("//", ""), (" h ", "https://h"), ("http://h//", "http://h")],
)
def test_addresses_as_they_are_typed(typed, meant):
    assert _address(typed) == meant


def test_the_cluster_one_works_in_is_followed_under_its_new_name(page, qtbot, services):
    window = working_in_own(page, qtbot, services)
    window.frame.choose_namespace("fe")
    page.table.choose("shop")
    page.edit()
    dialog = next(one for one in page.findChildren(ClusterDialog) if one.isVisible())
    dialog.findChild(QLineEdit, "cluster_name").setText("store")
    dialog.presenter.save()
    qtbot.waitUntil(lambda: window.frame.state.row is not None and window.frame.state.cluster == "store")
    assert (window.deploy.state.cluster, window.releases.state.cluster) == ("store", "store")
    assert window.frame.state.namespace == "fe"
    qtbot.waitUntil(lambda: window.frame.state.row.status.reach is Reach.REACHABLE)


def test_no_other_cluster_takes_the_place_of_a_removed_one(page, qtbot, services):
    window = working_in_own(page, qtbot, services)
    page.presenter.remove("shop")
    qtbot.waitUntil(lambda: page.presenter.state.row("shop") is None)
    assert (window.frame.state.cluster, window.deploy.state.cluster, window.releases.state.cluster) == ("", "", "")
    assert "watch" not in window.releases._tasks
    window.frame.choose_cluster("stage")
    assert window.deploy.state.cluster == "stage"


def test_a_cluster_whose_file_is_written_anew_stays_chosen(page, qtbot, tmp_path):
    window, file = page.window_made, tmp_path / "kubeconfig"
    window.frame.choose_cluster("stage")
    qtbot.waitUntil(lambda: window.releases.state.fresh_at > 0)
    file.write_text("{")
    page.presenter.load()
    qtbot.waitUntil(lambda: page.presenter.state.row("stage") is None)
    assert window.frame.state.cluster == "stage"
    assert str(window.releases.state.error.title).startswith("There is no cluster")
    file.write_text(KUBECONFIG)
    page.presenter.load()
    qtbot.waitUntil(lambda: window.releases.state.error is None and window.frame.state.row is not None)


def test_objects_are_read_once_the_vault_is_open_again(page, qtbot, services, monkeypatch):
    add_own(services)
    page.presenter.refresh_list()
    qtbot.waitUntil(lambda: page.presenter.state.row("shop") is not None)
    document, locked = services.catalog.document, [True]

    def guarded(name):
        if locked[0] and name == "shop":
            raise UserError("The vault is locked")
        return document(name)

    monkeypatch.setattr(services.catalog, "document", guarded)
    page.table.choose("shop")
    page._tabs.setCurrentIndex(1)
    resources = page.window_made.clusters_desk._resources
    page.presenter.load()
    reach = lambda: page.presenter.state.row("shop").status.reach  # noqa: E731
    qtbot.waitUntil(lambda: resources.state.error is not None and reach() is Reach.UNREACHABLE)
    locked[0] = False
    page.presenter.load()
    qtbot.waitUntil(lambda: resources.state.error is None and bool(FakeFeed.made))


def test_a_round_of_checks_that_fails_is_not_the_last_one(page, qtbot, services, monkeypatch):
    monkeypatch.setattr("ansflow_desktop.presenters.clusters.AGAIN_S", 0.05)
    entries, broken = services.catalog.entries, [True]

    def moody():
        if broken[0]:
            raise RuntimeError("no idea")
        return entries()

    monkeypatch.setattr(services.catalog, "entries", moody)
    with qtbot.waitSignal(page.presenter.failed):
        page.presenter.load()
    broken[0] = False
    add_own(services)
    qtbot.waitUntil(lambda: page.presenter.state.row("shop") is not None)


def test_a_cluster_that_is_looked_at_is_asked_in_every_round(page, qtbot, services, reads, monkeypatch):
    monkeypatch.setattr("ansflow_desktop.presenters.clusters.AGAIN_S", 0.05)
    reads.unreachable.update({"dev", "stage"})
    page.presenter.load()
    qtbot.waitUntil(lambda: reads.checked.count("dev") >= 8, timeout=15_000)
    assert reads.checked.count("stage") < 8, "the others are asked more and more seldom"


def test_the_namespace_of_the_objects_can_be_chosen_and_stays(page, qtbot, services, monkeypatch):
    services.shelf.set_marks("stage", ClusterMarks(namespace="web"))
    monkeypatch.setattr(services.namespaces, "known", lambda *_: NamespaceList(names=("default", "fe"), read_at=1.0))
    page.presenter.refresh_list()
    qtbot.waitUntil(lambda: page.presenter.state.row("stage").entry.namespace == "web")
    feed = feed_of(page, qtbot, "stage")
    box = page.findChild(QComboBox, "resource_namespace")
    assert [box.itemData(place) for place in range(box.count())] == ["", "default", "fe", "web"]
    assert box.currentData() == "web" == feed.choice.namespace and feed.choice.known == ("default", "fe")
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert feed.choice.namespace == ""
    page._tabs.setCurrentIndex(0)
    page._tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: len(FakeFeed.made) == 2 and FakeFeed.made[-1].choice is not None)
    assert FakeFeed.made[-1].choice.namespace == "" == box.currentData()
