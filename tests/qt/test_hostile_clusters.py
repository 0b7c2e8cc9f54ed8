"""Clusters that break, vanish or change while somebody looks at them; impatient hands in their dialog."""

from __future__ import annotations

import pytest
from window_kit import KUBECONFIG, shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.kube import tables_watch
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster, Reach
from ansflow_desktop.presenters import loop as window_loop


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


def feed_of(page, qtbot, name, count=1):
    """Follow the objects of `name` and return the feed once it knows what to follow."""
    qtbot.waitUntil(lambda: page.presenter.state.row(name) is not None)
    page.table.choose(name)
    page._tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: len(FakeFeed.made) == count and FakeFeed.made[-1].choice is not None)
    return FakeFeed.made[-1]


def test_figures_come_back_by_themselves_when_the_cluster_does(page, qtbot, reads):
    read, lost = reads.statistics, []

    async def broken(document, name):
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
