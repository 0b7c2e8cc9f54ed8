"""Statistics on the Clusters page: what is counted shows at once, what pods request when it is known."""

from __future__ import annotations

import asyncio
import time

import pytest
from PySide6.QtWidgets import QLabel
from window_kit import shown_window

from ansflow_desktop.models.cluster import Amount, ClusterStatistics

ROOM = Amount(cpu=8, memory=16 * 1024.0**3)


def figures(cluster, *, pods, requested=None, complete=True):
    phases = {"Running": pods, "Pending": 0, "Succeeded": 0, "Failed": 0, "Unknown": 0}
    now = time.time()
    return ClusterStatistics(
        cluster=cluster, nodes=3, pods=phases, allocatable=ROOM, requested=requested, complete=complete, read_at=now
    )


@pytest.fixture
def page(loop, services, reads, qtbot):
    """The Clusters page of a cluster whose pods are counted, and read for what they request when `whole` is set."""
    reads.whole, reads.pods = asyncio.Event(), 7

    async def statistics(document, name, told):
        told(figures(name, pods=reads.pods, complete=False))
        await reads.whole.wait()
        return figures(name, pods=reads.pods, requested=Amount(cpu=2, memory=1024.0**3))

    reads.statistics = statistics
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        yield window.shell.page


def texts(page):
    return [one.text() for one in page._statistics.findChildren(QLabel) if one.isVisible()]


def test_pods_are_counted_before_what_they_request_is_known(page, qtbot, reads):
    qtbot.waitUntil(lambda: "7" in texts(page))
    assert "What pods request is being read." in texts(page)
    reads.whole.set()
    qtbot.waitUntil(lambda: "2 cores of 8 cores requested" in texts(page))
    assert "What pods request is being read." not in texts(page)


def test_what_was_requested_stays_while_the_figures_are_read_again(page, qtbot, reads):
    reads.whole.set()
    qtbot.waitUntil(lambda: "2 cores of 8 cores requested" in texts(page))
    reads.whole.clear()
    reads.pods = 9
    page.details.read()
    qtbot.waitUntil(lambda: "9" in texts(page))
    assert "2 cores of 8 cores requested" in texts(page)
    reads.whole.set()
    qtbot.waitUntil(lambda: not page.details.state.reading)
