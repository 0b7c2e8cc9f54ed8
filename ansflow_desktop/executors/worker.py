"""Runs and blocking calls off the window's thread, as Qt signals; QtCore only (architecture.md, "Threads").

The objects that live in a thread are held here until the thread has ended, whatever happens to the object that the
window keeps: a parent that dies in mid-run takes no running QThread with it.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.runner import PipelineRunner
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.run import Output, RunEvent
from ansflow_desktop.process import Cancel

_log = logging.getLogger(__name__)
BATCH_MS = 30
_STOP_MS = 5000


class _Held:
    """Threads that run, with the objects that live in them."""

    def __init__(self) -> None:
        self._pairs: list[tuple[QThread, QObject, Callable[[], None]]] = []

    def start(self, thread: QThread, worker: QObject, stop: Callable[[], None]) -> None:
        """Start `thread` and hold both until it has ended; `stop` asks the worker to end, from any thread."""
        self._pairs = [pair for pair in self._pairs if not pair[0].isFinished()]
        self._pairs.append((thread, worker, stop))
        thread.start()

    def stop_all(self) -> None:
        """Ask all to end and wait for them, so that the interpreter never destroys a running QThread."""
        pairs, self._pairs = self._pairs, []
        for _, _, stop in pairs:
            stop()
        for thread, _, _ in pairs:
            thread.quit()
            thread.wait()


_held = _Held()
atexit.register(_held.stop_all)


class RunWorker(QObject):
    """Runs one pipeline in the thread that it was moved to; made and started by `RunThread`."""

    queued = Signal()
    finished = Signal(object)

    def __init__(self, runner: PipelineRunner, pipeline: Pipeline, options: Mapping[str, Any]) -> None:
        """Keep what is to be run; `options` are those of `PipelineRunner.run`."""
        super().__init__()
        self._runner, self._pipeline, self._options = runner, pipeline, dict(options)
        self._cancel = Cancel()
        self._lock = threading.Lock()
        self._events: deque[RunEvent] = deque()

    def cancel(self) -> None:
        """Ask the run to stop: a direct call from any thread, never a queued one."""
        self._cancel.request()

    def take(self) -> list[RunEvent]:
        """Return the events since the last call, neighbouring output of one stream joined; safe from any thread."""
        with self._lock:
            events, self._events = self._events, deque()
        return joined(events)

    @Slot()
    def run(self) -> None:
        """Run to the end, then emit `finished` with the RunOutcome, or with the UserError that prevented the run."""
        try:
            answer: object = self._runner.run(self._pipeline, self._add, self._cancel, **self._options)
        except Exception as error:
            answer = as_user_error(error)
        self.finished.emit(answer)

    def _add(self, event: RunEvent) -> None:
        with self._lock:
            first = not self._events
            self._events.append(event)
        if first:
            self.queued.emit()


def joined(events: deque[RunEvent]) -> list[RunEvent]:
    """Return `events` with neighbouring outputs of one step and stream made one: a storm of lines becomes few texts."""
    result: list[RunEvent] = []
    texts: list[str] = []
    for event in events:
        last = result[-1] if result else None
        if isinstance(event, Output) and isinstance(last, Output) and _same_stream(event, last):
            texts.append(event.text)
            continue
        _fill_last(result, texts)
        texts = [event.text] if isinstance(event, Output) else []
        result.append(event)
    _fill_last(result, texts)
    return result


def _same_stream(one: Output, other: Output) -> bool:
    return (one.run, one.step, one.stream) == (other.run, other.step, other.stream)


def _fill_last(result: list[RunEvent], texts: list[str]) -> None:
    if len(texts) > 1:
        result[-1] = msgspec.structs.replace(result[-1], text="".join(texts))


def as_user_error(error: Exception) -> UserError:
    """Return a UserError as it is, anything else as one, with its traceback in the log."""
    if isinstance(error, UserError):
        return error
    _log.error("a call off the window's thread failed", exc_info=error)
    return UserError(
        msg("An unexpected error happened"),
        f"{type(error).__name__}: {error}",
        msg("The details are in AnsFlow's log; please report this."),
        code=ExitCode.FAILED,
    )


class RunThread(QObject):
    """One run seen from the window's thread, where all its signals are emitted, in strict order.

    `events_ready(list)` comes at most every 30 ms with the new RunEvents, neighbouring output joined. `finished` comes
    once, last, when the thread has ended: with the RunOutcome, or with the UserError where nothing could be run.
    Deleted in mid-run, it cancels the run and leaves the thread to end by itself.
    """

    events_ready = Signal(object)
    finished = Signal(object)

    def __init__(
        self, runner: PipelineRunner, pipeline: Pipeline, parent: QObject | None = None, **options: Any
    ) -> None:
        """Prepare the run; `options` are `variables`, `only` and `start_from` of `PipelineRunner.run`."""
        super().__init__(parent)
        self._worker = RunWorker(runner, pipeline, options)
        self._thread = QThread()
        self._worker.moveToThread(self._thread)
        self._thread.started.connect(self._worker.run)
        self._worker.queued.connect(self._on_queued, Qt.ConnectionType.QueuedConnection)
        self._worker.finished.connect(self._on_finished, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(BATCH_MS)
        self._timer.timeout.connect(self._deliver)
        self.destroyed.connect(self._worker.cancel, Qt.ConnectionType.DirectConnection)
        self._started = self._ended = False

    @property
    def running(self) -> bool:
        """True from `start` to `finished`."""
        return self._started and not self._ended

    def start(self) -> None:
        """Start the run; a second call does nothing."""
        if not self._started:
            self._started = True
            _held.start(self._thread, self._worker, self._worker.cancel)

    def cancel(self) -> None:
        """Ask the run to stop, at once and from any thread; a second call skips what is left of the grace times."""
        self._worker.cancel()

    def close(self) -> None:
        """Wait for the thread to end: after `finished`, or after a cancel that nobody wants to see the end of."""
        if self.running:
            self._worker.cancel()
        self._thread.quit()
        self._thread.wait()

    @Slot()
    def _on_queued(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _deliver(self) -> None:
        events = self._worker.take()
        if events:
            self.events_ready.emit(events)

    @Slot(object)
    def _on_finished(self, answer: object) -> None:
        self._timer.stop()
        self._deliver()
        self._thread.quit()
        self._thread.wait()
        self._ended = True
        self.finished.emit(answer)


class _CallWorker(QObject):
    """Runs the newest call that was asked for, again and again, until it is closed."""

    answered = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._call: tuple[int, Callable[[], object]] | None = None
        self._closed = False

    def put(self, number: int, call: Callable[[], object]) -> None:
        """Make `call` the next one; one that has not begun is dropped."""
        with self._changed:
            self._call = (number, call)
            self._changed.notify()

    def close(self) -> None:
        """End after the call under way."""
        with self._changed:
            self._closed = True
            self._call = None
            self._changed.notify()

    @Slot()
    def run(self) -> None:
        """Answer calls until `close`."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._call is not None)
                if self._call is None:
                    return
                (number, call), self._call = self._call, None
            self.answered.emit(number, _answer(call))


def _answer(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:
        return as_user_error(error)


class CallThread(QObject):
    """Runs blocking callables one at a time off the window's thread; the latest wins.

    A call that has not begun when a newer one comes is dropped; the answer of one under way then is too.
    `answered(number, result or UserError)` comes on the window's thread. The callable must not touch widgets.
    """

    answered = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Prepare; the thread starts with the first call."""
        super().__init__(parent)
        self._worker = _CallWorker()
        self._thread = QThread()
        self._worker.moveToThread(self._thread)
        self._thread.started.connect(self._worker.run)
        self._worker.answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)
        self.destroyed.connect(self._worker.close, Qt.ConnectionType.DirectConnection)
        self._latest: int | None = None
        self._started = False

    def call(self, number: int, call: Callable[[], object]) -> None:
        """Ask for `call()` under the request id `number`, on the window's thread."""
        self._latest = number
        self._worker.put(number, call)
        if not self._started:
            self._started = True
            _held.start(self._thread, self._worker, self._worker.close)

    def close(self) -> None:
        """End the thread and wait for the call under way (cancel it first where it is long); no answer comes later."""
        self._latest = None
        self._worker.close()
        self._thread.quit()
        self._thread.wait()

    @Slot(int, object)
    def _on_answered(self, number: int, answer: object) -> None:
        if number == self._latest:
            self.answered.emit(number, answer)
