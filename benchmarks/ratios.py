"""What every benchmark shares: interleaved rounds, medians, the spread, and one line a ratio."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def interleave(rounds: int, cases: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run every case once a round, in a new order each round, and return each case's figures (seconds).

    Shuffled rounds let a noisy neighbour on a shared machine fall on every case alike.
    """
    figures: dict[str, list[float]] = {name: [] for name in cases}
    names = list(cases)
    for number in range(rounds):
        random.SystemRandom().shuffle(names)
        for name in names:
            figures[name].append(cases[name]())
        print(f"  round {number + 1} of {rounds}", flush=True)
    return figures


def spread(values: list[float]) -> str:
    """Return the median and the middle half of `values` (seconds), in milliseconds."""
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return f"{middle * 1000:8.0f} ms   (middle half {low * 1000:.0f} to {high * 1000:.0f})"


def report(label: str, value: float, goal: float) -> None:
    """Print one ratio beside its goal (performance.md)."""
    verdict = "met" if value <= goal else "MISSED"
    print(f"{label}: {value:.2f} times (goal: at most {goal:g}) {verdict}")


def faster(label: str, theirs: list[float], ours: list[float], goal: float) -> None:
    """Print how many times faster `ours` is than `theirs` by medians, beside its goal (performance.md)."""
    times = statistics.median(theirs) / statistics.median(ours)
    print(f"{label}: {times:.0f} times faster (goal: at least {goal:g}) {'met' if times >= goal else 'MISSED'}")
