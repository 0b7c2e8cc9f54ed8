"""Growing pauses with jitter between attempts, so that many windows do not fall on a recovering server at once."""

from __future__ import annotations

import random


class Backoff:
    """Pauses of 0.5 s, 1 s, 2 s … up to `limit` seconds, each between half and whole; `reset` after a success."""

    def __init__(self, first: float = 0.5, limit: float = 30.0) -> None:
        """Start with `first` seconds."""
        self._first = first
        self._limit = limit
        self._pause = first

    def next(self) -> float:
        """Return the seconds to wait before the next attempt."""
        pause, self._pause = self._pause, min(self._limit, self._pause * 2)
        return pause * random.uniform(0.5, 1)  # noqa: S311  # spreads load, guards nothing

    def reset(self) -> None:
        """Begin again with the first pause."""
        self._pause = self._first
