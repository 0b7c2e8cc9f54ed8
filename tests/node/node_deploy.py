"""AnsFlow's own command line, run against the real node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from node_host import RealNode

CHART = Path(__file__).parent / "chart"
REPOSITORY = Path(__file__).parents[2]
_OUTER_DEADLINE_S = 90.0


class Deployed(msgspec.Struct, frozen=True):
    """How a deploy ended: its exit code, the events of `-o jsonl`, what it wrote to stderr."""

    code: int
    events: list[dict[str, Any]]
    stderr: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one type, oldest first."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def step(self) -> dict[str, Any]:
        """The one step's end; fails the test with what was said where there is none."""
        finished = self.of("step_finished")
        assert finished, f"exit code {self.code}, {self.events}, {self.stderr}"
        return finished[-1]

    @property
    def verdict(self) -> str:
        """What a person reads at the end: why, and what to do."""
        return f"{self.step['message']}\n{self.step['hint']}"

    def seen(self, kind: str, health: str) -> list[str]:
        """Return what was said of objects of `kind` while they were in that health: plain words, the server's own."""
        events = [event for event in self.of("resource") if (event["kind"], event["health"]) == (kind, health)]
        return [f"{event['message']}: {event['detail']}" for event in events]


def deploy(node: RealNode, helm: Path, folder: Path, name: str, timeout: str, values: Mapping[str, object]) -> Deployed:
    """Deploy the chart as release `name` into a namespace of that name; `values` replace the chart's own.

    The data directory and the home are below `folder`.
    """
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(dict(values)))
    options = ["--kubeconfig", str(node.kubeconfig), "--data-dir", str(folder / name), "--helm", str(helm)]
    options += ["-o", "jsonl", "--lang", "en"]
    where = ["-c", node.context, "-n", name, "-r", name, "-f", str(file), "--timeout", timeout]
    argv = [sys.executable, "-m", "ansflow_desktop", *options, "deploy", str(CHART), *where]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(folder)}
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=_OUTER_DEADLINE_S, env=environment, cwd=folder, check=False
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return Deployed(done.returncode, [event for event in events if "type" in event], done.stderr)
