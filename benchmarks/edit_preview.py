"""Goal 11: from an edit to the rendered preview, against bare `helm template`; local checks within 100 ms.

Run: `python3 dev.py bench edit_preview`. A pipeline with a Helm step is edited as by typing, through the presenters of
the window; the pause before rendering (the debounce) is taken off. Then bursts of edits: no stale preview is shown.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from ratios import interleave, report, spread

from ansflow_desktop import app as program
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.practice import pins
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.step_checks import StepChecks
from ansflow_desktop.presenters.step_preview import RENDER_DELAY_MS, StepPreview
from ansflow_desktop.presenters.step_preview_state import PreviewStatus

CHART = Path(__file__).resolve().parent.parent / "examples" / "fe-app"
ROUNDS = 25
WARM_UP = 3
BURST = 10
PATIENCE_S = 30.0
LOCAL_GOAL_S = 0.1
_TEXT = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {{name: bench}}
spec:
  steps:
    - name: deploy
      type: k8s_deploy
      k8s_cluster: dev
      k8s_namespace: fe
      k8s_config:
        deploy_type: helm
        chart_path: {chart}
        release_name: fe
        custom_values: |
          replicaCount: {number}
          page: {{title: edit-{number}}}
          odd: {odd}
"""
_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: one, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: none, user: {}}]
contexts: [{name: dev, context: {cluster: one, user: none}}]
"""


class Bench:
    """The presenters of a step's preview and checks, and bare helm beside them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._preview, self._checks = StepPreview(services), StepChecks(services)
        self._number = 0
        self.local: list[float] = []

    def close(self) -> None:
        window_loop.run_here(self._preview.close())
        window_loop.run_here(self._checks.close())

    def bare(self) -> float:
        """Return the seconds of `helm template` as a person would run it, with the same values."""
        self._settle()
        helm = self._services.tools.helm
        argv = [helm.path, "template", "fe", ".", "--namespace", "fe", "--include-crds", "--values", "-"]
        argv.append(f"--kube-version={pins.version('kubernetes')}")
        values = "replicaCount: 2\npage: {title: edit}\nodd: 1\n"
        env = {**os.environ, "KUBECONFIG": os.devnull, "HELM_NO_PLUGINS": "1"}
        started = time.perf_counter()
        subprocess.run(argv, input=values, text=True, cwd=CHART, env=env, check=True, capture_output=True)
        return time.perf_counter() - started

    def ours(self) -> float:
        """Return the seconds from an edit to the preview that shows it, without the pause; it is checked meanwhile."""
        self._settle()
        text = self._edited()
        mark = f"edit-{self._number}"
        started = time.perf_counter()
        self._checks.check(text, "/")
        self._preview.show(text, "/", 0)
        _until(self._preview.state_changed, lambda: self._preview.state.manifest.status is not PreviewStatus.LOADING)
        took = time.perf_counter() - started
        if mark not in self._preview.state.manifest.text:
            sys.exit(f"not the preview of this edit: {self._preview.state.manifest}")
        return took - RENDER_DELAY_MS / 1000

    def check(self) -> float:
        """Return the seconds from an edit to the problem that it makes."""
        self._settle()
        odd = f"0{self._number % 7 + 1}0"
        text, wanted = self._edited(odd), f"{odd} is read as"
        started = time.perf_counter()
        self._checks.check(text, "/")
        _until(
            self._checks.problems_changed,
            lambda: any(wanted in str(problem.message) for problem in self._checks.problems),
        )
        return time.perf_counter() - started

    def burst(self) -> int:
        """Edit ten times, 30 ms apart, and return how many previews were shown that were not of the last edit."""
        seen: list[tuple[str, int]] = []

        def look() -> None:
            manifest = self._preview.state.manifest
            if manifest.status is PreviewStatus.READY:
                seen.append((manifest.text, self._number))

        self._preview.state_changed.connect(look)
        for _ in range(BURST):
            self._preview.show(self._edited(), "/", 0)
            window_loop.spin(lambda: False, 0.03)
        _wait(lambda: self._preview.state.manifest.status is PreviewStatus.READY)
        self._preview.state_changed.disconnect(look)
        return sum(f"edit-{number}" not in text for text, number in seen)

    def _settle(self) -> None:
        """Wait until nothing of the last edit is under way: it must not fall on the next figure."""
        _wait(lambda: not self._checks.checking)

    def _edited(self, odd: str = "1") -> str:
        self._number += 1
        return _TEXT.format(chart=CHART, number=self._number, odd=odd)


def _until(signal, ready) -> None:
    """Come back at the very signal after which `ready()` holds: looking every few milliseconds would count too."""
    here, patience = QEventLoop(), QTimer()
    patience.setSingleShot(True)
    patience.timeout.connect(here.quit)
    patience.start(int(PATIENCE_S * 1000))

    def look() -> None:
        if ready():
            here.quit()

    signal.connect(look)
    if not ready():
        here.exec()
    signal.disconnect(look)
    if not ready():
        sys.exit("waited in vain")


def _wait(ready) -> None:
    if not window_loop.spin(ready, PATIENCE_S):
        sys.exit("waited in vain")


def main() -> None:
    """Measure in shuffled rounds, then print the medians, the ratio and whether anything stale was shown."""
    with tempfile.TemporaryDirectory() as data:
        kubeconfig = Path(data, "kubeconfig")
        kubeconfig.write_text(_KUBECONFIG)
        services = Services(Options(data_dir=data, kubeconfig=str(kubeconfig), lang="en"))
        loop = window_loop.open_loop(program.application())
        bench = Bench(services)
        cases = {"bare": bench.bare, "ours": bench.ours, "check": bench.check}
        try:
            for _ in range(WARM_UP):
                for case in cases.values():
                    case()
            took = interleave(ROUNDS, cases)
            stale = sum(bench.burst() for _ in range(3))
        finally:
            bench.close()
            window_loop.close_loop(loop)
            services.close()
    print(f"bare helm template            {spread(took['bare'])}")
    print(f"edit to preview, no debounce  {spread(took['ours'])}   (debounce {RENDER_DELAY_MS} ms)")
    print(f"edit to local problems        {spread(took['check'])}; worst {max(took['check']) * 1000:.0f} ms")
    report("edit to rendered preview", statistics.median(took["ours"]) / statistics.median(took["bare"]), 1.3)
    met = "met" if statistics.median(took["check"]) <= LOCAL_GOAL_S else "MISSED"
    print(f"local validation: {statistics.median(took['check']) * 1000:.0f} ms (goal: at most 100 ms) {met}")
    print(f"stale previews in three bursts of {BURST} edits: {stale} (goal: none) {'MISSED' if stale else 'met'}")


if __name__ == "__main__":
    main()
