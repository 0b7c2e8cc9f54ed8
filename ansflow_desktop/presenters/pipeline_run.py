"""The run of any pipeline as the window sees it: from the press to the verdict, coalesced state and batched output."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.run import Phase, RunEvent
from ansflow_desktop.presenters.pipeline_run_view import PipelineFold
from ansflow_desktop.presenters.run_view import RunFold, RunView

if TYPE_CHECKING:
    from ansflow_desktop.executors.worker import RunThread

_PUBLISH_MS = 80
_KEPT_CHUNKS = 4000


class _RunnerOfServices:
    """Makes pipeline and runner in the run's thread: reading the text and the journal's library cost time (goal 9)."""

    def __init__(self, services: Any, make: Callable[[], Pipeline]) -> None:
        self._services, self._make = services, make

    def run(self, _pipeline: object, *args: Any, **options: Any) -> object:
        return self._services.runner().run(self._make(), *args, **options)


class PipelineRun(QObject):
    """Emits `changed()` at most every 80 ms, `output_added(text)` per batch, `finished(Phase)` once a run."""

    changed = Signal()
    output_added = Signal(str)
    finished = Signal(object)
    fold_type: type[RunFold] = PipelineFold

    def __init__(self, services: Any) -> None:
        """Keep the services; no thread is started."""
        super().__init__()
        self._services = services
        self._thread: RunThread | None = None
        self._fold = self.fold_type(0)
        self._output: deque[str] = deque(maxlen=_KEPT_CHUNKS)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PUBLISH_MS)
        self._timer.timeout.connect(self._publish)
        self.view: RunView | None = None
        self.refusal: UserError | None = None
        """Why the last run was not started, None where it was."""

    @property
    def output(self) -> str:
        """What the run's processes have written so far, as far as it is kept."""
        return "".join(self._output)

    @property
    def running(self) -> bool:
        """True from the start to `finished`."""
        return self.view is not None and self.view.running

    def start_pipeline(self, make: Callable[[], Pipeline], now: float, timeout: float = 0, **options: Any) -> None:
        """Run what `make` returns in a thread of its own, `make` included; `now` is in epoch seconds.

        `options` are `variables`, `only`, `start_from` and `confirmed` of the runner. What cannot be started (a
        UserError of `make` too) ends as a failed run with its reason.
        """
        from ansflow_desktop.executors.worker import RunThread

        self.close()
        self.refusal = None
        self.begin(now, timeout)
        runner: Any = _RunnerOfServices(self._services, make)
        self._thread = RunThread(runner, Pipeline(name="", steps=()), **options)
        self._thread.events_ready.connect(self.take_all)
        self._thread.finished.connect(self._on_finished)
        self._thread.start()

    def begin(self, now: float, timeout: float = 0) -> None:
        """Start an empty view at `now` (epoch seconds); `timeout` (seconds) is waited at most, 0: not known."""
        self._fold = self.fold_type(now, timeout)
        self._output.clear()
        self._publish()

    def replay_events(self, events: Sequence[RunEvent], timeout: float = 0) -> None:
        """Show a run from its recorded events; one without an end is shown as unknown."""
        self.begin(events[0].time if events else 0, timeout)
        self.take_all(events)
        self._fold.end(Phase.UNKNOWN, events[-1].time if events else 0)
        self._end()

    def clear(self) -> None:
        """Put the last run away; one that goes on stays."""
        if not self.running:
            self.view = None
            self.changed.emit()

    def cancel(self) -> None:
        """Ask the run to stop (a direct, thread-safe call); the second call stops at once."""
        if self._thread is not None and self.running:
            self._fold.cancelling = True
            self._thread.cancel()
            self._publish()

    @Slot(object)
    def take_all(self, events: Sequence[RunEvent]) -> None:
        """Take events of the run in their order; the output among them is passed on as one text."""
        text = "".join([self._fold.apply(event) for event in events])
        if text:
            self._output.append(text)
            self.output_added.emit(text)
        if not self._timer.isActive():
            self._timer.start()

    @Slot(object)
    def _on_finished(self, answer: object) -> None:
        if isinstance(answer, UserError):
            self.refusal = answer
            self._fold.fail(answer.title, answer.message, answer.hint, time.time())
        else:
            self._fold.end(getattr(answer, "phase", Phase.UNKNOWN), time.time())
        self._end()

    def _end(self) -> None:
        self._timer.stop()
        self._publish()
        self.finished.emit(self.view.phase if self.view else Phase.UNKNOWN)

    @Slot()
    def _publish(self) -> None:
        self.view = self._fold.view()
        self.changed.emit()

    def close(self) -> None:
        """Wait for the run's thread to end; to be called when nothing runs or after a cancel."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.close()
            self._thread = None
