"""The demonstration that `dev.py demo` starts: the practice cluster and `examples/fe-app`, in the window or without.

`python -m ansflow_desktop.commands.demo [--headless] [--no-practice] [--data-dir DIR]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import paths
from ansflow_desktop.commands.interrupt import run_cancellable
from ansflow_desktop.commands.output import Format, Output
from ansflow_desktop.commands.practice import ProgressLines
from ansflow_desktop.commands.progress import TextReporter
from ansflow_desktop.commands.window import draw_without_display, load_app, open_window
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.services import Options, Services, build
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.process import Cancel, let_children_be_interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansflow_desktop.executors.runner import RunOutcome
    from ansflow_desktop.models.run import RunEvent
    from ansflow_desktop.practice.cluster import PracticeInfo

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "examples" / "fe-app"
PICTURE = ROOT / "demo-output" / "deploy.png"
NAMESPACE = "fe"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration and return its exit code."""
    args = _arguments(argv)
    out = Output(Format.TEXT)
    let_children_be_interrupted()
    options = Options(data_dir=args.data_dir, lang=args.lang)
    services = build(options)
    try:
        return _demo(args, services, out)
    except UserError as error:
        out.error(error)
        return int(error.code)
    finally:
        services.close()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--headless", action="store_true")
    parser.add_argument("--no-practice", action="store_true")
    parser.add_argument("--data-dir")
    parser.add_argument("--lang")
    return parser.parse_args(argv)


def _demo(args: argparse.Namespace, services: Services, out: Output) -> int:
    if args.no_practice:
        return _without_practice(args, services, out)
    was_running = any(info.running for info in services.practice.list() if info.name == "practice")
    info = run_cancellable(lambda cancel: _start(services, out, cancel))
    if not args.headless:
        return _window(services, info.name)
    try:
        return _deploy(services, info, out)
    finally:
        if not was_running:
            services.practice.stop(info.name)
            out.note(msg("The practice cluster is stopped again; its state is kept."))


def _without_practice(args: argparse.Namespace, services: Services, out: Output) -> int:
    if not args.headless:
        return _window(services, None)
    out.note(msg("Without a practice cluster and without a display there is nothing to show."))
    return int(ExitCode.FAILED)


def _start(services: Services, out: Output, cancel: Cancel) -> PracticeInfo:
    return services.practice.start(on_progress=ProgressLines(out.note), cancel=cancel)


def _window(services: Services, cluster: str | None) -> int:
    services.close()
    return open_window(services.options, str(CHART), cluster)


def _deploy(services: Services, info: PracticeInfo, out: Output) -> int:
    """Deploy the example by the executor that the window uses, then draw the window with the finished run."""
    request = DeployRequest(
        chart_path=str(CHART), cluster=info.name, namespace=NAMESPACE, release_name="fe-app-release", timeout="300s"
    )
    events: list[RunEvent] = []
    report = TextReporter(out, "info")
    runner = services.runner()

    def work(cancel: Cancel) -> RunOutcome:
        def emit(event: RunEvent) -> None:
            events.append(event)
            report.emit(event)

        return runner.run(request.pipeline(), emit, cancel)

    outcome = run_cancellable(work)
    if outcome.exit_code is ExitCode.DONE:
        for picture in _pictures(services, request, events):
            out.line(msg("Picture of the window: %(file)s", file=str(picture)))
    return int(outcome.exit_code)


def _pictures(services: Services, request: DeployRequest, events: Sequence[RunEvent]) -> list[Path]:
    draw_without_display()
    paths.make_private(PICTURE.parent)
    load_app()
    from ansflow_desktop.shots import screenshot_of_run

    return screenshot_of_run(services, request, events, PICTURE)


if __name__ == "__main__":
    sys.exit(main())
