"""A pipeline file of 200 steps: one edit and one check beside one reading of the text by PyYAML's C loader.

Run with `python3 dev.py bench edit_text`. What a key costs off the window's thread; goals: an edit below 50 ms, a check
below 100 ms (issue 4), as multiples of the reading measured in the same run.
"""

from __future__ import annotations

import statistics
import textwrap
import time
from collections.abc import Callable

import yaml

from ansflow_desktop.pipelines import edit
from ansflow_desktop.pipelines.definitions import definitions
from ansflow_desktop.pipelines.validate import check_text

STEPS = 200
ROUNDS = 15
PATH = ("spec", "steps", 100, "description")
HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: many}\nspec:\n  variables: {env: dev}\n  steps:\n"


def pipeline(count: int) -> str:
    """Return a file with `count` steps of all types, from the examples of their definitions."""
    parts = []
    for index in range(count):
        example = definitions().types[index % len(definitions().types)].example
        name = example.partition("\n")[0]
        parts.append(textwrap.indent(example.replace(name, f"{name}-{index}", 1), "    "))
    return HEAD + "".join(parts)


def timed(call: Callable[[], object]) -> float:
    """Return the milliseconds that `call` took."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Measure interleaved and print medians, spreads and ratios."""
    text = pipeline(STEPS)
    times: dict[str, list[float]] = {"read": [], "edit": [], "check": []}
    for number in range(ROUNDS):
        times["read"].append(timed(lambda: yaml.load(text, yaml.CSafeLoader)))
        times["edit"].append(timed(lambda value=f"round {number}": edit.set_field(text, PATH, value)))
        times["check"].append(timed(lambda: check_text(text, "/")))
    plain = statistics.median(times["read"])
    for name, found in times.items():
        middle = statistics.median(found)
        spread = f"{min(found):.1f} to {max(found):.1f}"
        print(f"{name:6} median {middle:6.1f} ms ({spread}), {middle / plain:.2f} times the reading")


if __name__ == "__main__":
    main()
