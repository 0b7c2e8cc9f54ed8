"""Goal 1: a deploy from the real window with every live panel on, against plain `helm upgrade --install --wait`.

Run: `python3 dev.py bench deploy_overhead [PAIRS]` (about 45 s a pair). Both deploy examples/fe-app afresh to the
practice cluster, with pods that take 20 s to become ready. What AnsFlow does before and after helm is reported apart.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from ratios import interleave, report, spread

from ansflow_desktop import app as program
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.run import CommandStarted, Output, Phase, StepFinished, StepStarted
from ansflow_desktop.presenters import loop as window_loop

if TYPE_CHECKING:
    from ansflow_desktop.practice.cluster import PracticeInfo

CHART = Path(__file__).resolve().parent.parent / "examples" / "fe-app"
VALUES = "podAnnotations: {practice.ansflow.dev/behaviour: slow, practice.ansflow.dev/delay: 20s}\n"
PAIRS = 20
PATIENCE_S = 120.0
CLUSTER = "bench"


class Bench:
    """The two ways to deploy, each into a namespace of its own that is removed afterwards."""

    def __init__(self, services: Services, info: PracticeInfo) -> None:
        self._services, self._info = services, info
        self._window = program.make_window(services, cluster=CLUSTER)
        self._window.shell.show()
        self._number = 0
        self.before: list[float] = []
        self.after: list[float] = []

    def close(self) -> None:
        window_loop.run_here(self._window.aclose())
        self._window.shell.may_close = True
        self._window.shell.close()

    def plain(self) -> float:
        """Return the seconds of plain helm."""
        namespace = self._namespace("plain")
        command = ["upgrade", "--install", "fe-app-release", ".", "--namespace", namespace, "--create-namespace"]
        took = self._helm([*command, "--wait", "--timeout", "300s", "--values", "-"], VALUES)
        self._remove(namespace)
        return took

    def ours(self) -> float:
        """Return the seconds of helm inside a deploy by the window; note what came before and after."""
        namespace = self._namespace("ours")
        form = self._window.deploy
        form.clear_run()
        form.choose_chart(str(CHART))
        _wait(lambda: form.state.chart is not None and not form.state.reading)
        form.edit(namespace=namespace, release_name="fe-app-release", custom_values=VALUES)
        _wait(lambda: form.state.planned and not form.state.problems and "kind: Deployment" in form.state.preview.text)
        form.deploy()
        _wait(lambda: form.state.run is not None and form.state.run.phase is not Phase.RUNNING and not form.run.running)
        took = self._taken(form.state.run.phase)
        self._remove(namespace)
        return took

    def _taken(self, phase: Phase) -> float:
        if phase is not Phase.SUCCEEDED:
            sys.exit(f"the deploy ended {phase}")
        journal = self._services.journal
        events = list(journal.events(journal.runs(1)[0].id))
        begin, start, last, end = (
            next(event.time for event in order if isinstance(event, kind))
            for kind, order in (
                (StepStarted, events),
                (CommandStarted, events),
                (Output, events[::-1]),
                (StepFinished, events[::-1]),
            )
        )
        self.before.append(start - begin)
        self.after.append(end - last)
        return last - start

    def _namespace(self, kind: str) -> str:
        self._number += 1
        return f"bench-{kind}-{self._number}"

    def _helm(self, arguments: list[str], values: str | None = None) -> float:
        helm = self._services.tools.helm
        target = ["--kubeconfig", str(self._info.kubeconfig), "--kube-context", CLUSTER]
        started = time.perf_counter()
        argv = [helm.path, *arguments, *target]
        subprocess.run(argv, input=values, text=True, cwd=CHART, check=True, capture_output=True)
        return time.perf_counter() - started

    def _remove(self, namespace: str) -> None:
        self._helm(["uninstall", "fe-app-release", "--namespace", namespace, "--wait"])


def _wait(ready) -> None:
    if not window_loop.spin(ready, PATIENCE_S):
        sys.exit("waited in vain")


def main() -> None:
    """Start a practice cluster, run the pairs in shuffled order, print the ratio and the milliseconds."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with tempfile.TemporaryDirectory() as data:
        services = Services(Options(data_dir=data, kubeconfig=os.devnull, lang="en"))
        info = services.practice.start(CLUSTER)
        loop = window_loop.open_loop(program.application())
        bench = Bench(services, info)
        try:
            took = interleave(pairs, {"plain": bench.plain, "ours": bench.ours})
        finally:
            bench.close()
            window_loop.close_loop(loop)
            services.practice.remove(CLUSTER)
            services.close()
    print(f"plain helm                  {spread(took['plain'])}")
    print(f"helm inside our deploy      {spread(took['ours'])}")
    print(f"before helm (planning)      {spread(bench.before)}")
    print(f"after helm (reading back)   {spread(bench.after)}")
    report("deploy with live panels", statistics.median(took["ours"]) / statistics.median(took["plain"]), 1.03)
    around = statistics.median(bench.before) + statistics.median(bench.after)
    print(f"before and after together: {around * 1000:.0f} ms (goal: at most 300 ms)")


if __name__ == "__main__":
    main()
