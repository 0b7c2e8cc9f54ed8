"""What the two ways of a Kubernetes deploy share while they run: starting a command, telling of it, its output."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import Command
from ansflow_desktop.models.pipeline import PipelineStep
from ansflow_desktop.models.run import CommandStarted
from ansflow_desktop.process import Cancel, ProcessResult, StreamName


def run_command(
    command: Command,
    step: PipelineStep,
    scope: RunScope,
    *,
    stdout_shown: bool = True,
    stderr_shown: bool = True,
    cancel: Cancel | None = None,
) -> ProcessResult:
    """Tell that `command` starts, run it to its end, pass its output on, and return how it ended.

    `cancel` ends this command alone where it is not the run's own.
    """
    argv = tuple(scope.redact(arg) for arg in command.shown_argv())
    scope.emit(CommandStarted(time=time.time(), run=scope.run_id, step=step.name, argv=argv, cwd=command.cwd))

    def show(stream: StreamName, text: str) -> None:
        if stdout_shown if stream == "stdout" else stderr_shown:
            scope.output(step.name, stream, text)

    return scope.processes.run(command, show, cancel or scope.cancel)


def step_folder(step: PipelineStep, scope: RunScope) -> Path:
    """Return a private folder of `step` in the run's folder; raises UserError where it cannot be made."""
    folder = scope.folder / f"step-{hashlib.sha256(step.name.encode()).hexdigest()[:12]}"
    try:
        return paths.make_private(folder)
    except OSError as error:
        raise UserError(
            msg("The run's private folder cannot be written"),
            str(error),
            msg("Check the free space and the permissions of %(folder)s.", folder=str(scope.folder)),
            code=ExitCode.FAILED,
        ) from error
