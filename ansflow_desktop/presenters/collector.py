"""Python's cyclic garbage collector on the window's thread only.

A collection starts in whatever thread happens to allocate; one in a worker's thread then destroys QObjects that belong
to the window's, and the program dies of it (seen: 9 of 14 runs of a test that leaves Qt objects in cycles).
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

_EVERY_MS = 1000


class Collector(QObject):
    """Collects once a second what is due by Python's own thresholds; automatic collection is off while it lives."""

    def __init__(self) -> None:
        """Turn automatic collection off and begin."""
        super().__init__()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    @Slot()
    def collect(self) -> None:
        """Collect the oldest generation whose threshold is passed."""
        due = [number for number, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
               if count > limit > 0]  # fmt: skip
        if due:
            gc.collect(max(due))

    def stop(self) -> None:
        """Collect everything here and now, then leave it to Python again."""
        self._timer.stop()
        gc.collect()
        gc.enable()
