"""Checks of a pipeline as one types: local ones at once, helm's and the clusters' after a pause; none stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.base import Presenter
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from ansflow_desktop.executors.checks import Checked
    from ansflow_desktop.executors.checks_slow import Answer, SlowChecks
    from ansflow_desktop.executors.worker import CallThread
    from ansflow_desktop.kube.openapi import SchemaStore

HELM_DELAY_MS = 600  # behind the preview's own helm: two at once would make both late
CLUSTER_DELAY_MS = 400  # after helm's answer


class StepChecks(Presenter):
    """`problems` are those of the text that was checked last; `problems_changed` says that they are others now.

    Local problems come within a keystroke, off the window's thread. What helm and the clusters said of a step stays
    only as long as that step, its directory and its variables are the same.
    """

    problems_changed = Signal()

    def __init__(self, services: Any) -> None:
        """Keep the services; no thread is started before the first check."""
        super().__init__()
        self._services = services
        self._threads: dict[str, CallThread] = {}
        self._cancel = Cancel()
        self._slow: SlowChecks | None = None
        self._store: SchemaStore | None = None
        self._checked: Checked | None = None
        self._asked = ("", "")
        self._helm: list[Answer] = []
        self._cluster: list[Answer] = []
        self._said: Any = None
        self._timers = {"helm": self._timer(HELM_DELAY_MS), "cluster": self._timer(CLUSTER_DELAY_MS)}
        self._timers["helm"].timeout.connect(self._ask_helm)
        self._timers["cluster"].timeout.connect(self._ask_cluster)
        self.problems: tuple[Problem, ...] = ()
        self.checking = False

    def _timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        return timer

    def check(self, text: str, folder: str) -> None:
        """Check `text`, whose relative paths start in `folder` (absolute); what is under way becomes stale."""
        self._asked = (text, folder)
        self._stop_slow()
        self.checking = True
        self._call("local", self._on_local, lambda: self._check(text, folder))

    def check_again(self) -> None:
        """Check the same text anew: files or clusters may have changed."""
        self.check(*self._asked)

    def _stop_slow(self) -> None:
        self._cancel.request()
        self._cancel = Cancel()
        for name, timer in self._timers.items():
            timer.stop()
            self._requests.begin(name)

    def _call(self, kind: str, on_answer: Any, call: Any) -> None:
        from ansflow_desktop.executors.worker import CallThread

        if kind not in self._threads:
            self._threads[kind] = CallThread()
            self._threads[kind].answered.connect(on_answer)
        self._threads[kind].call(self._requests.begin(kind), call)

    @Slot(int, object)
    def _on_local(self, number: int, answer: Any) -> None:
        if not self._requests.current("local", number):
            return
        if isinstance(answer, UserError):
            self._failed(answer)
            return
        self._checked = answer
        self._helm = _still(self._helm, answer.views)
        self._cluster = _still(self._cluster, answer.views)
        self._tell()
        if answer.views:
            self._timers["helm"].start()
        else:
            self._finished()

    @Slot()
    def _ask_helm(self) -> None:
        checked, cancel = self._checked, self._cancel
        if checked and self._slow:
            slow = self._slow
            self._call("helm", self._on_helm, lambda: slow.helm(checked.views, self._services.tools, cancel))

    @Slot(int, object)
    def _on_helm(self, number: int, answer: Any) -> None:
        if not self._requests.current("helm", number) or answer is None:
            return
        if isinstance(answer, UserError):
            self._failed(answer)
            return
        from ansflow_desktop.executors.checks_slow import helm_problems_of

        self._said, self._helm = answer, helm_problems_of(answer)
        self._tell()
        self._timers["cluster"].start()

    @Slot()
    def _ask_cluster(self) -> None:
        said, cancel, slow = self._said, self._cancel, self._slow
        if slow:
            self._call("cluster", self._on_cluster, lambda: slow.server(said, self._services.catalog.document, cancel))

    @Slot(int, object)
    def _on_cluster(self, number: int, answer: Any) -> None:
        if not self._requests.current("cluster", number) or answer is None:
            return
        if isinstance(answer, UserError):
            self._failed(answer)
            return
        self._cluster = answer
        self._finished()
        self._tell()

    def _failed(self, error: UserError) -> None:
        """Show what nobody foresaw as a problem of the whole, so that a check never ends in silence."""
        self._finished()
        self._publish((Problem(field="", title=error.title, message=error.message, hint=error.hint),))

    def _finished(self) -> None:
        self.checking = False
        self.state_changed.emit()

    def _tell(self) -> None:
        from ansflow_desktop.executors.checks import joined
        from ansflow_desktop.executors.checks_slow import flat

        local = self._checked.problems if self._checked else ()
        self._publish(joined(local, flat(self._helm), flat(self._cluster)))

    def _publish(self, problems: tuple[Problem, ...]) -> None:
        if problems != self.problems:
            self.problems = problems
            self.problems_changed.emit()

    async def close(self) -> None:
        """End what is under way, and the threads."""
        self._stop_slow()
        threads, self._threads = self._threads, {}
        for thread in threads.values():
            thread.close()
        await super().close()

    def _check(self, text: str, folder: str) -> Checked:
        """Return what files alone tell; runs in the checking thread."""
        from ansflow_desktop.executors.checks import check_text
        from ansflow_desktop.executors.checks_slow import SlowChecks, schema_store, surroundings

        if self._slow is None or self._store is None:
            self._store = schema_store(self._services)
            self._slow = SlowChecks(self._store)
        return check_text(text, folder, surroundings(self._services, self._store))


def _still(answers: list[Answer], views: tuple[Any, ...]) -> list[Answer]:
    """Keep the answers about steps that are as they were: the others are stale."""
    return [answer for answer in answers if answer[0] in views]
