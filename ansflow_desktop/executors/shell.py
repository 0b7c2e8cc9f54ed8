"""Runs a `shell` step: bash -e on the script as written, variables by environment, its last directory carried on."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.shell_capture import Captured, next_variables, read_report, write_prelude
from ansflow_desktop.files import is_folder
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.command import Command
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep
from ansflow_desktop.models.run import CommandStarted, Phase
from ansflow_desktop.process import ProcessResult, child_environment

# Linux, MAX_ARG_STRLEN: one argument or NAME=VALUE with its final NUL; a longer one makes every exec fail (E2BIG).
TEXT_LIMIT = 128 * 1024 - 1


class ShellStepExecutor:
    """Runs shell steps; it keeps nothing, so one serves all runs."""

    def execute(self, step: PipelineStep, context: ExecutionContext, scope: RunScope) -> StepResult:
        """Run the script and return what it left behind; raises UserError where it cannot be started.

        Only a script that ended with 0 changes the context (architecture.md, "Context that flows between steps").
        """
        command, report = _plan(step, context, scope.folder)
        argv = tuple(scope.redact(arg) for arg in command.shown_argv())
        scope.emit(CommandStarted(time=time.time(), run=scope.run_id, step=step.name, argv=argv, cwd=command.cwd))
        result = scope.processes.run(
            command,
            lambda stream, text: scope.output(step.name, stream, text),
            scope.cancel,
            capture=bool(step.output),
        )
        if result.cancelled or result.timed_out or result.exit_code != 0:
            return _ended_badly(step, context, result)
        captured = read_report(report)
        if captured is None:
            scope.notice(step.name, "warning", _not_captured())
        return _succeeded(step, context, result, captured, child_environment(command.env))


def _plan(step: PipelineStep, context: ExecutionContext, folder: Path) -> tuple[Command, Path]:
    directory = working_directory(step, context)
    variables = {**context.variables, **step.env}
    _check_sizes({"command": step.command, **variables})
    prelude, report = write_prelude(folder, variables.get("BASH_ENV", os.environ.get("BASH_ENV")))
    command = Command(
        argv=(find_bash(), "-e", "-c", step.command),
        cwd=directory,
        env={**variables, "BASH_ENV": str(prelude)},
        timeout=parse_duration(step.timeout) if step.timeout else None,
        purpose="shell",
    )
    return command, report


def working_directory(step: PipelineStep, context: ExecutionContext) -> str:
    """Return the absolute directory that the step starts in; raises UserError where there is none."""
    directory = os.path.normpath(Path(context.working_directory, paths.expanded(step.working_directory)))
    if is_folder(directory):
        return directory
    raise UserError(
        msg("The working directory %(path)s does not exist", path=directory),
        "",
        msg("Create it, or correct working_directory; it is relative to where the step before ended."),
        field="working_directory",
    )


def find_bash() -> str:
    """Return bash's absolute path; raises UserError where there is none."""
    bash = shutil.which("bash")
    if bash:
        return str(Path(bash).absolute())
    raise UserError(
        msg("bash was not found"),
        msg("A shell step is run by bash, which is in no directory of PATH."),
        msg("Install bash, or add its directory to PATH."),
        field="command",
    )


def _check_sizes(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if _too_long(name, text):
            raise UserError(
                msg("%(name)s is longer than the 128 KiB that a program can be given", name=name),
                "",
                msg("Keep it in a file and pass the file's name."),
                field=name,
                code=ExitCode.FAILED,
            )


def _too_long(name: str, text: str) -> bool:
    return len(os.fsencode(name)) + 1 + len(text.encode("utf-8", "surrogateescape")) > TEXT_LIMIT


def _ended_badly(step: PipelineStep, context: ExecutionContext, result: ProcessResult) -> StepResult:
    if result.cancelled:
        return StepResult(phase=Phase.CANCELLED, context=context, exit_code=result.exit_code, message=msg("Cancelled"))
    if result.timed_out:
        message = timeout_message(step.timeout)
        return StepResult(phase=Phase.FAILED, context=context, exit_code=result.exit_code, message=message)
    if result.exit_code < 0:
        message = msg("The command was ended by signal %(number)s", number=-result.exit_code)
    else:
        message = msg("The command ended with exit code %(code)s", code=result.exit_code)
    return StepResult(phase=Phase.FAILED, context=context, exit_code=result.exit_code, message=message)


def timeout_message(timeout: str) -> Message:
    """Return the sentence for a step that its outer deadline ended; `timeout` is as written."""
    return msg("The step took longer than its timeout of %(timeout)s", timeout=timeout)


def _not_captured() -> Message:
    return msg(
        "Where the command ended and what it exported could not be learned (it replaced the shell, or its EXIT trap); "
        "the next step starts where this one did"
    )


def _succeeded(
    step: PipelineStep,
    context: ExecutionContext,
    result: ProcessResult,
    captured: Captured | None,
    start: dict[str, str],
) -> StepResult:
    directory = captured.directory if captured else context.working_directory
    if not directory or not is_folder(directory):
        message: Text = msg("The directory in which the command ended does not exist any more")
        return _refused(context, result, message, directory)
    variables = next_variables(context.variables, start, captured.exported) if captured else dict(context.variables)
    outputs = dict(context.outputs)
    if step.output:
        outputs[step.output] = variables[step.output] = result.stdout.removesuffix("\n")
    problem = _unusable(step, variables, result)
    if problem is not None:
        return _refused(context, result, problem, msg("Write it to a file and pass the file's name."))
    following = msgspec.structs.replace(context, working_directory=directory, variables=variables, outputs=outputs)
    return StepResult(phase=Phase.SUCCEEDED, context=following, exit_code=0)


def _refused(context: ExecutionContext, result: ProcessResult, message: Text, hint: Text) -> StepResult:
    return StepResult(phase=Phase.FAILED, context=context, exit_code=result.exit_code, message=message, hint=hint)


def _unusable(step: PipelineStep, variables: dict[str, str], result: ProcessResult) -> Message | None:
    """Say why the next step could not be started with these variables, None where it could."""
    if step.output and "\0" in variables[step.output]:
        return msg("The output for %(name)s holds a NUL character", name=step.output)
    long = [name for name, text in variables.items() if _too_long(name, text)]
    if long or (step.output and result.truncated):
        name = long[0] if long else step.output
        return msg("%(name)s is longer than the 128 KiB that a program can be given", name=name)
    return None
