"""A step's options at work: its deadline over all attempts, the pauses between them, clean-up after the end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.duration import duration_problem, parse_duration
from ansflow_desktop.models.pipeline import PipelineStep
from ansflow_desktop.models.run import Phase
from ansflow_desktop.paths import make_private
from ansflow_desktop.process import Cancel

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
CLEANUP_S = 300.0
"""How long a clean-up step may take behind a cancel where it has no timeout of its own."""


class Deadline:
    """The time a step may take, all attempts together; `seconds` None means that there is none."""

    def __init__(self, seconds: float | None) -> None:
        """Begin to count."""
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds
        self._passed = threading.Event()

    @property
    def passed(self) -> bool:
        """True once the step was asked to stop because of it."""
        return self._passed.is_set()

    @property
    def left(self) -> float | None:
        """Seconds that are left, None where there is no deadline."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @contextlib.contextmanager
    def stopping(self, cancel: Cancel) -> Iterator[None]:
        """Ask the step to stop, by `cancel`, once the time is over."""
        if self._seconds is None:
            yield
            return

        def stop() -> None:
            self._passed.set()
            cancel.request()

        timer = threading.Timer(min(self._seconds, threading.TIMEOUT_MAX), stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def deadline_of(step: PipelineStep, *, cleaning_up: bool) -> Deadline:
    """Return the step's outer deadline; a clean-up step behind a cancel always has one."""
    if step.timeout:
        return Deadline(parse_duration(step.timeout))
    return Deadline(CLEANUP_S if cleaning_up else None)


def shown_timeout(step: PipelineStep) -> float:
    """Return the seconds that are shown beside the elapsed time: the step's deadline, else its own way of waiting."""
    for text in (step.timeout, step.k8s_config.get("timeout", "")):
        if isinstance(text, str) and text and duration_problem(text) is None:
            return parse_duration(text)
    return 0.0


def pause_before(step: PipelineStep, attempt: int) -> float:
    """Return the seconds to wait before `attempt` (the second is 2): `retry_delay` or 5 s, doubled, at most 5 min."""
    first = parse_duration(step.retry_delay, "retry_delay") if step.retry_delay else FIRST_PAUSE_S
    return float(min(first * 2.0 ** min(attempt - 2, 60), max(first, LONGEST_PAUSE_S)))


class Tried(NamedTuple):
    """How an attempt ended; `code` is that of the error that ended it, `unexpected` an error of this program."""

    result: StepResult
    code: ExitCode | None = None
    unexpected: bool = False

    @property
    def may_be_repeated(self) -> bool:
        """True for a failure that another attempt may mend: no bad input, no cancel, no unknown state."""
        failed = self.result.phase is Phase.FAILED and self.result.repeatable
        return failed and self.code is not ExitCode.INVALID and not self.unexpected


def _sentence(text: Text) -> Text:
    return text if str(text).rstrip().endswith((".", "?", "!", "\u3002")) else msg("%(text)s.", text=text)


def failed_attempt(step: PipelineStep, attempt: int, why: Text, seconds: float) -> Message:
    """Return what is told after an attempt that failed and is followed by another."""
    return msg(
        "Attempt %(attempt)d of %(attempts)d failed: %(reason)s The next one begins in %(seconds)s s.",
        attempt=attempt,
        attempts=step.retries + 1,
        reason=_sentence(why or msg("no reason is known.")),
        seconds=f"{seconds:g}",
    )


def stopped_between(result: StepResult) -> StepResult:
    """Return the end of a step that was stopped in the pause before its next attempt."""
    message = msg("Stopped before the next attempt. The last one failed: %(reason)s", reason=result.message)
    return msgspec.structs.replace(result, phase=Phase.CANCELLED, message=message)


def no_time_left(step: PipelineStep, attempt: int) -> Message:
    """Return what is told where the deadline leaves no time for another attempt."""
    return msg(
        "Attempt %(attempt)d of %(attempts)d failed; the timeout of %(timeout)s leaves no time for another one.",
        attempt=attempt,
        attempts=step.retries + 1,
        timeout=step.timeout or f"{CLEANUP_S:g}s",
    )


@contextlib.contextmanager
def renewed(cancel: Cancel) -> Iterator[Cancel]:
    """Give a request of its own to what cleans up behind a cancel: only a further request reaches it."""
    inner = Cancel()
    with cancel.waking(inner.request):
        yield inner


def scope_for(scope: RunScope, cancel: Cancel, attempt: int) -> RunScope:
    """Return the scope of one attempt: with its own request to stop, and from the second on a folder of its own."""
    folder = scope.folder
    if attempt > 1:
        folder = make_private(folder / f"attempt-{attempt}")
    return RunScope(
        run_id=scope.run_id,
        emit=scope.emit,
        cancel=cancel,
        tools=scope.tools,
        clusters=scope.clusters,
        folder=folder,
        redact=scope.redact,
        processes=scope.processes,
        confirmed=scope.confirmed,
    )
