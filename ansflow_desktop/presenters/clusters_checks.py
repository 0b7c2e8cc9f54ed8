"""When which of hundreds of clusters is asked, and how often the window hears of it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ansflow_desktop.models.cluster import ClusterEntry

TOGETHER = 16
AGAIN_S = 30.0
_MOST_S = 600.0
_GATHER_MS = 200
_PACE_S = 0.05  # a check costs some 15 ms of work: twenty a second leave the window its time


class Due:
    """When each cluster is to be asked again: one that fails is asked more and more seldom, at most every 10 minutes.

    A credential program that cannot sign in would else be started (and open a browser) every half minute.
    """

    def __init__(self) -> None:
        """Start with every cluster due."""
        self._failures: dict[str, int] = {}
        self._at: dict[str, float] = {}

    def note(self, name: str, *, good: bool) -> None:
        """Note that `name` answered just now, or did not."""
        failures = self._failures[name] = 0 if good else self._failures.get(name, 0) + 1
        wait = 0.0 if good else min(AGAIN_S * 2 ** min(failures - 1, 10), _MOST_S)
        self._at[name] = time.monotonic() + wait

    def is_due(self, name: str) -> bool:
        """Return whether `name` is to be asked in a round that begins now."""
        return time.monotonic() >= self._at.get(name, 0.0)

    def forget(self) -> None:
        """Make every cluster due: somebody asked for all of them, or the network or the vault is another one."""
        self._failures.clear()
        self._at.clear()


class Line:
    """Clusters that wait to be asked: each stands in it once, a few are asked at a time, many at a pace."""

    def __init__(self, ask: Callable[[ClusterEntry], Awaitable[None]]) -> None:
        """Ask a cluster by `ask`."""
        self._ask = ask
        self._gate = asyncio.Semaphore(TOGETHER)
        self._pace = asyncio.Lock()
        self._waiting: dict[str, ClusterEntry] = {}

    async def ask(self, entries: Iterable[ClusterEntry]) -> None:
        """Ask these clusters in their order, and return once nobody waits any more."""
        self._waiting.update({entry.name: entry for entry in entries})
        many = len(self._waiting) > TOGETHER
        await asyncio.gather(*(self._take(many=many) for _ in range(min(TOGETHER, len(self._waiting)))))

    def leave(self, name: str) -> None:
        """Take `name` out of the line: it is asked at once, or it is gone."""
        self._waiting.pop(name, None)

    async def _take(self, *, many: bool) -> None:
        while self._waiting:
            async with self._gate:
                if many:
                    await self._wait_a_little()
                if not self._waiting:
                    return
                name = next(iter(self._waiting))
                await self._ask(self._waiting.pop(name))

    async def _wait_a_little(self) -> None:
        async with self._pace:
            await asyncio.sleep(_PACE_S)


class Gathered(QObject):
    """Calls `tell` for the first of many changes at once, then for all that came within a fifth of a second."""

    def __init__(self, tell: Callable[[], None]) -> None:
        """Keep `tell`."""
        super().__init__()
        self._tell = tell
        self._more = False
        self._timer = QTimer(self)
        self._timer.setInterval(_GATHER_MS)
        self._timer.timeout.connect(self._on_time)

    def changed(self) -> None:
        """Say that something changed."""
        if self._timer.isActive():
            self._more = True
            return
        self._timer.start()
        self._tell()

    def stop(self) -> None:
        """Say nothing any more."""
        self._timer.stop()
        self._more = False

    @Slot()
    def _on_time(self) -> None:
        if not self._more:
            self._timer.stop()
            return
        self._more = False
        self._tell()
