"""Python's cyclic garbage collector on the window's thread only.

A collection starts in whatever thread happens to allocate; one in a worker's thread then destroys QObjects that belong
to the window's, and the program dies of it (seen: 9 of 14 runs of a test that leaves Qt objects in cycles).
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer, Slot

_EVERY_MS = 1000
_STARTING_S = 15.0
_BURST = 10_000


class Collector(QObject):
    """Collects once a second what is due by Python's own thresholds; automatic collection is off while it lives.

    While the program starts, a burst of new objects is what was just imported: it is set aside for good (`gc.freeze`)
    instead of walked through, which stalled the window for 80 to 114 ms (performance.md, goal 9).
    """

    def __init__(self) -> None:
        """Turn automatic collection off and begin."""
        super().__init__()
        gc.disable()
        self._began = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    @Slot()
    def collect(self) -> None:
        """Collect the oldest generation whose threshold is passed."""
        if gc.get_count()[0] > _BURST and time.monotonic() - self._began < _STARTING_S:
            gc.freeze()
            return
        due = [number for number, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
               if count > limit > 0]  # fmt: skip
        if due:
            gc.collect(max(due))

    def stop(self) -> None:
        """Collect everything here and now, then leave it to Python again."""
        self._timer.stop()
        gc.collect()
        gc.enable()
