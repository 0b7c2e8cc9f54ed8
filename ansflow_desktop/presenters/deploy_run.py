"""The run of the Deploy page: from the press of Deploy to the verdict, as coalesced state and batched output."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.run import Phase, RunEvent
from ansflow_desktop.presenters.run_view import RunFold, RunView

if TYPE_CHECKING:
    from ansflow_desktop.executors.worker import RunThread

_PUBLISH_MS = 80
_KEPT_CHUNKS = 4000


class _RunnerOfServices:
    """Makes the real runner in the run's thread: the journal and its database library come with it (goal 9)."""

    def __init__(self, services: Any) -> None:
        self._services = services

    def run(self, *args: Any, **options: Any) -> object:
        return self._services.runner().run(*args, **options)


class DeployRun(QObject):
    """Emits `changed()` at most every 80 ms, `output_added(text)` per batch, `finished(Phase)` once a run."""

    changed = Signal()
    output_added = Signal(str)
    finished = Signal(object)

    def __init__(self, services: Any) -> None:
        """Keep the services; no thread is started."""
        super().__init__()
        self._services = services
        self._thread: RunThread | None = None
        self._fold = RunFold(0)
        self._output: deque[str] = deque(maxlen=_KEPT_CHUNKS)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PUBLISH_MS)
        self._timer.timeout.connect(self._publish)
        self.view: RunView | None = None

    @property
    def output(self) -> str:
        """What the run's processes have written so far, as far as it is kept."""
        return "".join(self._output)

    @property
    def running(self) -> bool:
        """True from `start` to `finished`."""
        return self.view is not None and self.view.running

    def start(self, request: DeployRequest, now: float) -> None:
        """Run `request` in a thread of its own; what cannot be started ends as a failed run with its reason."""
        from ansflow_desktop.executors.worker import RunThread

        self.begin(now, _seconds(request))
        runner: Any = _RunnerOfServices(self._services)
        self._thread = RunThread(runner, request.pipeline())
        self._thread.events_ready.connect(self.take_all)
        self._thread.finished.connect(self._on_finished)
        self._thread.start()

    def begin(self, now: float, timeout: float = 0) -> None:
        """Start an empty view at `now` (epoch seconds); `timeout` in seconds is what helm waits at most, 0: not."""
        self._fold = RunFold(now, timeout)
        self._output.clear()
        self._publish()

    def replay(self, request: DeployRequest, events: Sequence[RunEvent]) -> None:
        """Show a run from its recorded events; one without an end is shown as unknown."""
        self.begin(events[0].time if events else 0, _seconds(request))
        self.take_all(events)
        self._fold.end(Phase.UNKNOWN, events[-1].time if events else 0)
        self._timer.stop()
        self._publish()
        self.finished.emit(self.view.phase if self.view else Phase.UNKNOWN)

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
            self._fold.fail(answer.title, answer.message, answer.hint, time.time())
        else:
            self._fold.end(getattr(answer, "phase", Phase.UNKNOWN), time.time())
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


def _seconds(request: DeployRequest) -> float:
    try:
        return parse_duration(request.timeout) if request.wait else 0
    except UserError:
        return 0
