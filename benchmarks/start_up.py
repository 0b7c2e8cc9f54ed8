"""Goal 9: start to a painted, clickable window and to a usable Deploy page, against the import of QtWidgets alone.

Run: `python3 dev.py bench start_up`. Every figure is the wall-clock time of a process of its own, from its birth.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ratios import interleave, report, spread

from ansflow_desktop import settings
from ansflow_desktop.store.journal import Journal

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: one, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: one, user: {token: none}}]
contexts: [{name: one, context: {cluster: one, user: one}}]
"""
_BARE = "import sys, time; from PySide6 import QtWidgets; print(time.time() - float(sys.argv[1]))"


def main() -> None:
    """Measure, then print the medians, the ratios and the goals."""
    with tempfile.TemporaryDirectory() as data:
        starts: list[dict[str, float]] = []
        settings.save(
            Path(data, "settings.json"), settings.Settings(recent_charts=(str(ROOT / "examples" / "fe-app"),))
        )
        Journal(Path(data, "ansflow.db")).close()
        Path(data, "kubeconfig").write_text(_KUBECONFIG)
        _ours(data, starts)  # the first start writes byte code and the data directory: not counted
        _bare()
        starts.clear()
        bare = interleave(ROUNDS, {"bare": _bare, "ours": lambda: _ours(data, starts)})["bare"]
    frame, deploy = ([start[name] for start in starts] for name in ("frame", "deploy"))
    print(f"import of QtWidgets alone   {spread(bare)}")
    print(f"window painted and clicked  {spread(frame)}")
    print(f"Deploy page usable          {spread(deploy)}")
    base = statistics.median(bare)
    report("start to a painted, clickable window", statistics.median(frame) / base, 2.0)
    report("start to a usable Deploy page", statistics.median(deploy) / base, 3.5)
    stalls = [start["stall"] for start in starts]
    print(f"longest stall while the rest is loaded: {spread(stalls)}; worst {max(stalls) * 1000:.0f} ms (goal: 100 ms)")


def _environment(data: str) -> dict[str, str]:
    """Without what a user's machine has not: a switch that makes every start compile the program anew."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "QT_QPA_PLATFORM": "offscreen",
        "KUBECONFIG": str(Path(data, "kubeconfig")),
        "PYTHONPATH": str(ROOT),
    }


def _run(data: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=_environment(data), capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def _bare() -> float:
    return float(_run("", "-c", _BARE, str(time.time())))


def _ours(data: str, starts: list[dict[str, float]]) -> float:
    probe = Path(__file__).with_name("start_probe.py")
    started = json.loads(_run(data, str(probe), str(time.time()), data).splitlines()[-1])
    starts.append(started)
    return started["frame"]


if __name__ == "__main__":
    main()
