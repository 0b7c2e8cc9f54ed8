"""The loop over a run's steps: what is skipped, what a failure means for the rest, and each step's deadline."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope, StepExecutor, StepResult
from ansflow_desktop.executors.shell import timeout_message
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.duration import duration_problem, parse_duration
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import Phase, StepFinished, StepStarted
from ansflow_desktop.pipelines.variables import substitute
from ansflow_desktop.process import Cancel

_log = logging.getLogger(__name__)
Selected: TypeAlias = "tuple[int, PipelineStep]"

_PHASE_OF = {ExitCode.UNKNOWN: Phase.UNKNOWN, ExitCode.CANCELLED: Phase.CANCELLED}
_CODE_OF = {Phase.UNKNOWN: ExitCode.UNKNOWN, Phase.CANCELLED: ExitCode.CANCELLED, Phase.FAILED: ExitCode.FAILED}
_GRAVITY = (Phase.FAILED, Phase.CANCELLED, Phase.UNKNOWN)


class StepLoop:
    """Runs steps one after the other and keeps the gravest end."""

    def __init__(
        self,
        executors: Mapping[StepType, StepExecutor],
        scope: RunScope,
        *,
        literal: bool,
        commands: Callable[[], int],
    ) -> None:
        """Keep the parts; `commands` counts the processes started so far, `literal` leaves variables alone."""
        self._executors, self._scope = executors, scope
        self._literal, self._commands = literal, commands
        self._phase, self._code = Phase.SUCCEEDED, ExitCode.DONE
        self._skip: Message | None = None

    def run(self, steps: list[Selected], context: ExecutionContext) -> tuple[Phase, ExitCode]:
        """Run `steps` in order and return the run's phase and exit code.

        A failed step makes the run Failed, with `continue_on_error` too (exit code 1: a step failed); the steps behind
        it run only with it. Nothing runs behind a cancel or an unknown state.
        """
        for index, step in steps:
            if self._scope.cancel.requested and self._skip is None:
                self._end(Phase.CANCELLED, ExitCode.CANCELLED)
                self._skip = msg("The run was cancelled")
            context = self._one(index, step, context)
        return self._phase, self._code

    def _one(self, index: int, step: PipelineStep, context: ExecutionContext) -> ExecutionContext:
        if self._skip is not None:
            self._skipped(step, self._skip)
            return context
        try:
            ready = step if self._literal else substitute(step, context.variables)
        except UserError as error:
            if step.enabled:
                self._finished(step, _refused(error, f"steps[{index}]", context), error.code, 0.0)
                return context
            ready = step
        if not ready.enabled:
            self._skipped(step, msg("The step is disabled"))
            return context
        return self._execute(ready, context)

    def _execute(self, step: PipelineStep, context: ExecutionContext) -> ExecutionContext:
        self._scope.emit(
            StepStarted(
                time=time.time(),
                run=self._scope.run_id,
                step=step.name,
                step_type=step.type.value,
                timeout=_shown_timeout(step),
            )
        )
        began = time.monotonic()
        result, code = self._result(step, context)
        self._finished(step, result, code, time.monotonic() - began)
        return result.context if result.phase is Phase.SUCCEEDED else context

    def _result(self, step: PipelineStep, context: ExecutionContext) -> tuple[StepResult, ExitCode | None]:
        """Return how the step ended and the code of the error that ended it, if one did."""
        try:
            with self._scope.cancel.narrowed() as cancel, _deadline(step, cancel) as passed:
                result = self._executors[step.type].execute(step, context, _with_cancel(self._scope, cancel))
            return self._judged(step, result, passed.is_set()), None
        except UserError as error:
            return _refused(error, "" if self._literal else step.name, context), error.code
        except Exception as error:
            return self._unexpected(step, error, context), None

    def _judged(self, step: PipelineStep, result: StepResult, passed: bool) -> StepResult:
        """Call it a failure, not a cancel, where the step's own deadline stopped it."""
        if passed and result.phase is Phase.CANCELLED and not self._scope.cancel.requested:
            said = timeout_message(step.timeout)
            return msgspec.structs.replace(result, phase=Phase.FAILED, message=_with_detail(said, result))
        return result

    def _unexpected(self, step: PipelineStep, error: Exception, context: ExecutionContext) -> StepResult:
        report = self._scope.redact("".join(traceback.format_exception(error)))
        _log.error("a step ended unexpectedly", extra={"run": self._scope.run_id, "step": step.name, "report": report})
        said = self._scope.redact(f"{type(error).__name__}: {error}")
        return StepResult(
            phase=Phase.FAILED,
            context=context,
            message=msg("An unexpected error ended the step: %(error)s", error=said),
            hint=msg("The details are in AnsFlow's log; please report this."),
        )

    def _finished(self, step: PipelineStep, result: StepResult, code: ExitCode | None, seconds: float) -> None:
        self._scope.emit(
            StepFinished(
                time=time.time(),
                run=self._scope.run_id,
                step=step.name,
                phase=result.phase,
                exit_code=result.exit_code,
                duration_s=seconds,
                message=result.message,
                hint=result.hint,
                release=result.release,
            )
        )
        if result.phase is Phase.SUCCEEDED:
            return
        self._end(result.phase, self._code_of(result.phase, code))
        if result.phase is not Phase.FAILED or not step.continue_on_error:
            self._skip = _because(result.phase, step.name)

    def _code_of(self, phase: Phase, code: ExitCode | None) -> ExitCode:
        """Return the exit code: bad input is 2 only while nothing was run (cli.md)."""
        if phase is Phase.FAILED and code in (ExitCode.UNREACHABLE, ExitCode.FORBIDDEN):
            return code
        if phase is Phase.FAILED and code is ExitCode.INVALID and not self._commands():
            return code
        return _CODE_OF.get(phase, ExitCode.FAILED)

    def _end(self, phase: Phase, code: ExitCode) -> None:
        """Keep the gravest end; of equal ones the first."""
        if self._phase is Phase.SUCCEEDED or _GRAVITY.index(phase) > _GRAVITY.index(self._phase):
            self._phase, self._code = phase, code

    def _skipped(self, step: PipelineStep, why: Text) -> None:
        event = StepFinished(time=time.time(), run=self._scope.run_id, step=step.name, phase=Phase.SKIPPED, message=why)
        self._scope.emit(event)


def _because(phase: Phase, name: str) -> Message:
    if phase is Phase.CANCELLED:
        return msg("The run was cancelled")
    if phase is Phase.UNKNOWN:
        return msg("The state after step %(name)s is not known", name=name)
    return msg("Step %(name)s failed", name=name)


def _refused(error: UserError, where: str, context: ExecutionContext) -> StepResult:
    """Return the failure that a UserError is, with the field at fault where a pipeline file has one."""
    message: Text = error.title
    if error.message:
        message = msg("%(title)s: %(reason)s", title=error.title, reason=error.message)
    if where and error.field:
        message = msg("%(field)s: %(message)s", field=f"{where}.{error.field}", message=message)
    phase = _PHASE_OF.get(error.code, Phase.FAILED)
    return StepResult(phase=phase, context=context, message=message, hint=error.hint)


def _with_detail(said: Message, result: StepResult) -> Text:
    if not result.message or result.message == msg("Cancelled"):
        return said
    return msg("%(title)s: %(reason)s", title=said, reason=result.message)


def _with_cancel(scope: RunScope, cancel: Cancel) -> RunScope:
    return RunScope(
        run_id=scope.run_id,
        emit=scope.emit,
        cancel=cancel,
        tools=scope.tools,
        clusters=scope.clusters,
        folder=scope.folder,
        redact=scope.redact,
        processes=scope.processes,
    )


@contextlib.contextmanager
def _deadline(step: PipelineStep, cancel: Cancel) -> Iterator[threading.Event]:
    """Ask the step to stop once its timeout has passed; the event says that it has."""
    passed = threading.Event()
    if not step.timeout:
        yield passed
        return

    def stop() -> None:
        passed.set()
        cancel.request()

    timer = threading.Timer(min(parse_duration(step.timeout), threading.TIMEOUT_MAX), stop)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()
        timer.join()


def _shown_timeout(step: PipelineStep) -> float:
    """Return the seconds that are shown beside the elapsed time: the step's deadline, else its own way of waiting."""
    for text in (step.timeout, step.k8s_config.get("timeout", "")):
        if isinstance(text, str) and text and duration_problem(text) is None:
            return parse_duration(text)
    return 0.0
