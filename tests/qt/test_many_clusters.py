"""Hundreds of clusters: checked a few at a time, shown together, in place, and never in a storm."""

from __future__ import annotations

import asyncio

import pytest
from window_kit import FakeReads

from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import ClusterEntry, ClusterMarks, ClusterStatus, Reach
from ansflow_desktop.presenters import clusters_checks
from ansflow_desktop.presenters.clusters import ClustersPresenter
from ansflow_desktop.presenters.clusters_checks import TOGETHER, Due, Gathered
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.presenters.loop import run_here
from ansflow_desktop.widgets.clusters_page import columns
from ansflow_desktop.widgets.table import RowsModel

COUNT = 120


class Held(FakeReads):
    """Clusters that answer once `answers` is set; counts how many are asked at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.now = self.most = 0

    async def check(self, entry, document):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.answers.wait()
            return await super().check(entry, document)
        finally:
            self.now -= 1


@pytest.fixture
def presenter(loop, tmp_path, monkeypatch):
    """A presenter of many clusters; nobody answers yet."""
    monkeypatch.setattr(clusters_checks, "_PACE_S", 0)
    lines = ["apiVersion: v1", "users: [{name: me, user: {token: t}}]", "clusters:"]
    lines += [f"- {{name: c{n:03d}, cluster: {{server: 'https://127.0.0.1:1'}}}}" for n in range(COUNT)]
    lines += ["contexts:", *(f"- {{name: c{n:03d}, context: {{cluster: c{n:03d}, user: me}}}}" for n in range(COUNT))]
    (tmp_path / "kubeconfig").write_text("\n".join(lines))
    services = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(tmp_path / "kubeconfig"), lang="en"))
    made = ClustersPresenter(services, Held())
    yield made
    run_here(made.close())
    services.close()


def reaches(presenter) -> list[Reach]:
    """What is shown of each cluster."""
    return [row.status.reach for row in presenter.state.rows if not row.practice]


def test_a_few_are_asked_at_a_time_and_answers_are_shown_together(presenter, qtbot):
    reads, told = presenter._reads, []
    presenter.state_changed.connect(lambda: told.append(1))
    presenter.load()
    qtbot.waitUntil(lambda: reads.now == TOGETHER)
    assert reaches(presenter).count(Reach.UNCHECKED) >= COUNT - TOGETHER
    reads.answers.set()
    qtbot.waitUntil(lambda: reaches(presenter) == [Reach.REACHABLE] * COUNT)
    assert reads.most == TOGETHER
    assert len(reads.checked) == COUNT
    assert len(told) < COUNT / 2


def test_one_that_somebody_asks_for_waits_for_no_other(presenter, qtbot):
    reads = presenter._reads
    presenter.load()
    qtbot.waitUntil(lambda: reads.now == TOGETHER)
    presenter.check("c119")
    qtbot.waitUntil(lambda: reads.now == TOGETHER + 1)
    qtbot.waitUntil(lambda: presenter.state.row("c119").status.reach is Reach.CHECKING)
    reads.answers.set()
    qtbot.waitUntil(lambda: reaches(presenter) == [Reach.REACHABLE] * COUNT)
    assert reads.checked.count("c119") == 1


def test_a_known_row_does_not_blink_while_it_is_checked_again(presenter, qtbot):
    reads, seen = presenter._reads, set()
    reads.unreachable = {f"c{number:03d}" for number in range(COUNT)}
    reads.answers.set()
    presenter.load()
    qtbot.waitUntil(lambda: reaches(presenter) == [Reach.UNREACHABLE] * COUNT)
    presenter.state_changed.connect(lambda: seen.update(reaches(presenter)))
    presenter.load()
    qtbot.waitUntil(lambda: len(reads.checked) == 2 * COUNT)
    assert seen <= {Reach.UNREACHABLE}


def test_the_answer_of_the_connection_before_is_dropped(presenter, qtbot):
    reads = presenter._reads
    first = reads.answers
    presenter.load()
    qtbot.waitUntil(lambda: reads.now == TOGETHER)
    reads.answers = asyncio.Event()
    presenter.changed("c000")
    qtbot.waitUntil(lambda: presenter.state.row("c000").status.reach is Reach.CHECKING and reads.now == TOGETHER + 1)
    first.set()
    qtbot.waitUntil(lambda: presenter.state.row("c001").status.reach is Reach.REACHABLE)
    assert presenter.state.row("c000").status.reach is Reach.CHECKING
    reads.unreachable = {"c000"}
    reads.answers.set()
    qtbot.waitUntil(lambda: presenter.state.row("c000").status.reach is Reach.UNREACHABLE)


def test_those_that_fail_are_asked_ever_more_seldom(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clusters_checks.time, "monotonic", lambda: now[0])
    due, waits = Due(), []
    for _ in range(7):
        due.note("gone", good=False)
        start = now[0]
        while not due.is_due("gone"):
            now[0] += 1
        waits.append(now[0] - start)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    due.note("gone", good=True)
    assert due.is_due("gone")


def test_the_first_change_is_told_at_once_and_the_rest_together(loop, qtbot):
    told = []
    gathered = Gathered(lambda: told.append(1))
    for _ in range(50):
        gathered.changed()
    assert told == [1]
    qtbot.waitUntil(lambda: told == [1, 1])
    gathered.stop()


def test_a_test_of_the_connection_is_shown(presenter):
    presenter.take_status(ClusterStatus(name="c000", reach=Reach.REFUSED))
    assert presenter._reach("c000") is Reach.REFUSED
    assert presenter.may_contact(ClusterEntry(name="c000", context="c000"))


def test_sorted_by_group_the_clusters_of_a_group_stand_side_by_side():
    noted = {"a": ("", True), "b": ("Shop", False), "c": ("shop", True), "d": ("bank", True), "e": ("", False)}
    entries = [
        ClusterEntry(name=name, context=name, marks=ClusterMarks(group=group, production=flag))
        for name, (group, flag) in noted.items()
    ]
    model = RowsModel(columns(), lambda one: one.entry.name)
    model.set_rows([ClusterRow(entry=entry, status=ClusterStatus(name=entry.name)) for entry in entries])
    model.sort(2)
    assert [model.row(number).entry.name for number in range(5)] == ["d", "b", "c", "a", "e"]
