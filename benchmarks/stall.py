"""Goal 4: how long the window stands still while pods are listed, sorted by every column, filtered and counted.

Run: `python3 dev.py bench stall`. The real views on a real API server; a beat every millisecond notes each gap. Rounds
in which the same window does nothing tell what the machine itself adds. The goal is for 10,000 pods;
20,000 of them are measured too.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from many_pods import CLUSTER, cluster_of_pods, fill
from PySide6.QtCore import QObject, Qt, QTimer, Slot
from ratios import interleave

from ansflow_desktop import app as program
from ansflow_desktop.executors.services import Services
from ansflow_desktop.models.cluster import ClusterStatistics
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.collector import Collector
from ansflow_desktop.presenters.reads import ClusterReads
from ansflow_desktop.presenters.resources import ResourcesPresenter
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.cluster_statistics import StatisticsCard
from ansflow_desktop.widgets.resources_view import ResourcesView

PODS, NAMESPACES, ROUNDS = (10_000, 20_000), 10, 5
PATIENCE_S = 60.0
REST_S = 0.3


class Beat(QObject):
    """Notes the gaps (seconds) between beats that should be a millisecond apart."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)

    @Slot()
    def _on_beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(max(0.0, now - self._last - 0.001))
        self._last = now

    def over(self, work) -> list[float]:
        """Return the gaps while `work` is done."""
        self.gaps, self._last = [], time.perf_counter()
        self._timer.start()
        work()
        self._timer.stop()
        return self.gaps


class Bench:
    """The window's resource view and statistics, read anew each round, beside the same window at rest."""

    def __init__(self, services: Services) -> None:
        self._reads, self._document = ClusterReads(), services.catalog.document(CLUSTER)
        self._card = StatisticsCard()
        self._card.show()
        self._presenter = ResourcesPresenter(services)
        self._view = ResourcesView(self._presenter)
        self._view.resize(1200, 760)
        self._view.show()
        self._beat = Beat()
        self.gaps: dict[str, list[float]] = {"idle": [], "rows": [], "figures": []}
        self._list()  # the first time imports the client, in another thread

    def close(self) -> None:
        window_loop.run_here(self._presenter.close())
        self._view.close()
        self._card.close()

    def idle(self) -> float:
        """Do nothing for as long as a round takes, and return the longest gap."""
        return self._keep("idle", lambda: window_loop.spin(lambda: False, 5 * REST_S))

    def rows(self) -> float:
        """List, sort and filter, and return the longest gap."""
        return self._keep("rows", self._work)

    def figures(self) -> float:
        """Count the pods and what they request, and return the longest gap."""
        return self._keep("figures", lambda: window_loop.run_here(self._figures()))

    async def _figures(self) -> None:
        self._show(await self._reads.statistics(self._document, CLUSTER, self._show))

    def _show(self, found: ClusterStatistics) -> None:
        self._card.show_statistics(found, None, reading=not found.complete)

    def _keep(self, name: str, work) -> float:
        gaps = self._beat.over(work)
        self.gaps[name] += gaps
        return max(gaps)

    def _work(self) -> None:
        self._list()
        for column in range(len(self._presenter.state.columns)):
            self._view.table.model().sort(column, Qt.SortOrder.DescendingOrder)
            window_loop.spin(lambda: False, REST_S / 5)
        for text in ("w", "we", "web-1", "web-12", ""):
            self._presenter.filter(text)
            window_loop.spin(lambda: False, REST_S / 5)

    def _list(self) -> None:
        self._presenter.show("")
        self._presenter.show(CLUSTER)
        if not window_loop.spin(lambda: self._presenter.state.complete, PATIENCE_S):
            raise SystemExit(f"waited in vain: {self._presenter.state.error}")
        window_loop.spin(lambda: False, REST_S)


def tell(name: str, gaps: list[float]) -> tuple[float, float]:
    """Print a case's gaps and return (p99, longest) in milliseconds."""
    p99, longest = statistics.quantiles(gaps, n=100)[98] * 1000, max(gaps) * 1000
    print(f"{name:6} p99 {p99:6.1f} ms   longest {longest:6.1f} ms   ({len(gaps)} beats)")
    return p99, longest


def measure(services: Services, pods: int) -> None:
    """Measure with `pods` pods in shuffled rounds, then print the gaps of all cases and the goals."""
    print(f"{pods} pods", flush=True)
    application = program.application()
    theme.apply(application, "light")
    loop = window_loop.open_loop(application)
    collector = Collector()
    bench = Bench(services)
    longest = interleave(ROUNDS, {"idle": bench.idle, "rows": bench.rows, "figures": bench.figures})
    bench.close()
    window_loop.close_loop(loop)
    collector.stop()
    tell("idle", bench.gaps["idle"])
    print("longest of each round, ms:", {name: [round(one * 1000) for one in each] for name, each in longest.items()})
    for name in ("rows", "figures"):
        p99, most = tell(name, bench.gaps[name])
        print(f"{name}, stall p99: {p99:.1f} ms (goal: under 8) {'met' if p99 < 8 else 'MISSED'}")
        print(f"{name}, longest stall: {most:.0f} ms (goal: at most 33) {'met' if most <= 33 else 'MISSED'}")


def main() -> None:
    """Fill a practice cluster and measure, then fill it up and measure again."""
    first, *more = PODS
    with cluster_of_pods(first, NAMESPACES) as (services, info):
        measure(services, first)
        for pods in more:
            asyncio.run(fill(info, pods, NAMESPACES))
            measure(services, pods)


if __name__ == "__main__":
    main()
