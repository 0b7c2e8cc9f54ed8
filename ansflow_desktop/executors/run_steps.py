"""The loop over a run's steps: what is skipped, what a failure means for the rest, and each step's deadline."""

from __future__ import annotations

import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope, StepExecutor, StepResult
from ansflow_desktop.executors.shell import timeout_message
from ansflow_desktop.executors.step_options import (
    CLEANUP_S,
    Deadline,
    Tried,
    deadline_of,
    failed_attempt,
    no_time_left,
    pause_before,
    renewed,
    scope_for,
    shown_timeout,
    stopped_between,
)
from ansflow_desktop.executors.step_secrets import secrets_in_step, secrets_in_variables
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import Phase, StepFinished, StepStarted
from ansflow_desktop.pipelines.conditions import met
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
        learn: Callable[[Iterable[str]], None],
    ) -> None:
        """Keep the parts; `commands` counts the processes started so far, `literal` leaves variables alone.

        `learn` is told the secrets of a step before it starts.
        """
        self._executors, self._scope = executors, scope
        self._literal, self._commands, self._learn = literal, commands, learn
        self._phase, self._code = Phase.SUCCEEDED, ExitCode.DONE
        self._skip: Message | None = None

    def run(self, steps: list[Selected], context: ExecutionContext) -> tuple[Phase, ExitCode]:
        """Run `steps` in order and return the run's phase and exit code.

        A failed step makes the run Failed, with `continue_on_error` too (exit code 1: a step failed); the steps behind
        it run only with it. Behind that, a cancel or an unknown state only `always` steps run, with the last good
        context; a second cancel ends them too.
        """
        for index, step in steps:
            if self._scope.cancel.requested and self._skip is None:
                self._end(Phase.CANCELLED, ExitCode.CANCELLED)
                self._skip = msg("The run was cancelled")
            context = self._one(index, step, context)
        return self._phase, self._code

    def _one(self, index: int, step: PipelineStep, context: ExecutionContext) -> ExecutionContext:
        try:
            why = self._why_not(step, context)
            ready = step if self._literal or why else substitute(step, context.variables)
        except UserError as error:
            self._finished(step, _refused(error, "" if self._literal else f"steps[{index}]", context), error.code, 0.0)
            return context
        why = why or _disabled(ready)
        if why:
            self._skipped(step, why)
            return context
        return self._execute(ready, context)

    def _why_not(self, step: PipelineStep, context: ExecutionContext) -> Message | None:
        """Return why `step` does not run, None where it does; raises UserError for a condition that cannot be told."""
        if self._skip is not None and (self._scope.cancel.forced or not _cleans_up(step, context)):
            return self._skip
        if _disabled(step) or (step.when and not met(step.when, context.variables)):
            return _disabled(step) or msg("Its condition is not met: %(condition)s", condition=step.when)
        return None

    def _execute(self, step: PipelineStep, context: ExecutionContext) -> ExecutionContext:
        self._learn((*secrets_in_variables(context.variables, step), *secrets_in_step(step, context)))
        self._scope.emit(
            StepStarted(
                time=time.time(),
                run=self._scope.run_id,
                step=step.name,
                step_type=step.type.value,
                timeout=shown_timeout(step),
            )
        )
        began = time.monotonic()
        result, code, _ = self._result(step, context)
        self._finished(step, result, code, time.monotonic() - began)
        return result.context if result.phase is Phase.SUCCEEDED else context

    def _result(self, step: PipelineStep, context: ExecutionContext) -> Tried:
        """Return how the step ended, all attempts included."""
        behind_cancel = self._skip is not None and self._scope.cancel.requested
        try:
            deadline = deadline_of(step, cleaning_up=behind_cancel)
            pause_before(step, 2)
        except UserError as error:
            return Tried(_refused(error, "" if self._literal else step.name, context), error.code)
        narrow = renewed if behind_cancel else Cancel.narrowed
        with narrow(self._scope.cancel) as run_cancel, run_cancel.narrowed() as cancel, deadline.stopping(cancel):
            return self._attempts(step, context, deadline, run_cancel, cancel)

    def _attempts(
        self, step: PipelineStep, context: ExecutionContext, deadline: Deadline, run_cancel: Cancel, cancel: Cancel
    ) -> Tried:
        """Try until it succeeds, is not to be tried again, or there is no time; a cancel ends a pause at once."""
        attempt = 1
        while True:
            tried = self._attempt(step, context, cancel, attempt)
            tried = tried._replace(result=_judged(step, tried.result, deadline, run_cancel))
            if deadline.passed or cancel.requested or attempt > step.retries or not tried.may_be_repeated:
                return tried
            pause = pause_before(step, attempt + 1)
            if deadline.left is not None and deadline.left <= pause:
                self._scope.notice(step.name, "warning", no_time_left(step, attempt))
                return tried
            self._scope.notice(step.name, "warning", failed_attempt(step, attempt, tried.result.message, pause))
            if cancel.wait(pause):
                return Tried(_judged(step, stopped_between(tried.result), deadline, run_cancel))
            attempt += 1

    def _attempt(self, step: PipelineStep, context: ExecutionContext, cancel: Cancel, attempt: int) -> Tried:
        try:
            scope = scope_for(self._scope, cancel, attempt)
            return Tried(self._executors[step.type].execute(step, context, scope))
        except UserError as error:
            return Tried(_refused(error, "" if self._literal else step.name, context), error.code)
        except Exception as error:
            return Tried(self._unexpected(step, error, context), unexpected=True)

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


def _disabled(step: PipelineStep) -> Message | None:
    return None if step.enabled else msg("The step is disabled")


def _judged(step: PipelineStep, result: StepResult, deadline: Deadline, run_cancel: Cancel) -> StepResult:
    """Call it a failure, not a cancel, where the step's own deadline stopped it."""
    if deadline.passed and result.phase is Phase.CANCELLED and not run_cancel.requested:
        said = timeout_message(step.timeout or f"{CLEANUP_S:g}s")
        return msgspec.structs.replace(result, phase=Phase.FAILED, message=_with_detail(said, result))
    return result


def _cleans_up(step: PipelineStep, context: ExecutionContext) -> bool:
    """Return whether `step` runs behind a failure; `always: ${name}` is told by the variable, where it is defined."""
    if "always" not in step.deferred:
        return step.always
    bare = PipelineStep(name=step.name, type=step.type, deferred={"always": step.deferred["always"]})
    with contextlib.suppress(UserError):
        return substitute(bare, context.variables).always
    return False


def _with_detail(said: Message, result: StepResult) -> Text:
    if not result.message or result.message == msg("Cancelled"):
        return said
    return msg("%(title)s: %(reason)s", title=said, reason=result.message)
