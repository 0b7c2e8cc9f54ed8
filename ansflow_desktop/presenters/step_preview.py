"""The preview of the chosen step: its exact commands, its manifest, and its difference against what is live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Qt, QTimer, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters import step_preview_work as work
from ansflow_desktop.presenters.base import Presenter
from ansflow_desktop.presenters.step_preview_state import (
    Commands,
    Difference,
    Preview,
    PreviewStatus,
    StepPreviewState,
)
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from ansflow_desktop.executors.worker import CallThread

RENDER_DELAY_MS = 250
DIFFERENCE_DELAY_MS = 400


class StepPreview(Presenter):
    """`state` is what is known of the step shown last; `state_changed` says that it is another one now.

    The commands come at once, the manifest after a pause, the difference only while somebody looks at it
    (`want_difference`), as it asks the cluster. What the manifest's Secrets hold is known when it is there: the
    commands come again without it, and it stays out of those of the next text of the same step.
    """

    def __init__(self, services: Any) -> None:
        """Keep the services; no thread is started before the first step is shown."""
        super().__init__()
        self._services = services
        self._threads: dict[str, CallThread] = {}
        self._cancels: dict[str, Cancel] = {}
        self._asked: tuple[str, str, int] | None = None
        self._question: work.Question | None = None
        self._turn = 0
        self._known: frozenset[str] = frozenset()
        self._wanted = False
        self._render_timer = self._timer(RENDER_DELAY_MS)
        self._render_timer.timeout.connect(self._render)
        self._difference_timer = self._timer(DIFFERENCE_DELAY_MS)
        self._difference_timer.timeout.connect(self._compare)
        self.state = StepPreviewState()

    def _timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setTimerType(Qt.TimerType.PreciseTimer)  # a coarse one is up to a twentieth late
        timer.setInterval(milliseconds)
        return timer

    def show(self, text: str, folder: str, index: int | None) -> None:
        """Preview step `index` of `text` (None: none); relative paths start in `folder`. What was shown is stale."""
        asked = None if index is None else (text, folder, index)
        if asked != self._asked:
            if asked is None or self._asked is None or asked[1:] != self._asked[1:]:
                self._known = frozenset()
            self._asked = asked
            self._begin()

    def refresh(self) -> None:
        """Work everything out anew: files or the cluster may have changed."""
        self._begin()

    def want_difference(self, wanted: bool) -> None:
        """Say whether somebody looks at the difference; only then the cluster is asked."""
        if wanted and not self._wanted and self._question and self.state.difference.status is PreviewStatus.NONE:
            self._set(difference=Difference(status=PreviewStatus.LOADING))
            self._difference_timer.start()
        self._wanted = wanted

    def _begin(self) -> None:
        self._stop_all()
        self._question = self._ask_anew()
        loading = PreviewStatus.LOADING if self._question else PreviewStatus.NONE
        compared = loading if self._wanted else PreviewStatus.NONE
        state = StepPreviewState(
            index=self._question.index if self._question else None,
            commands=Commands(status=loading),
            manifest=Preview(status=loading),
            difference=Difference(status=compared),
        )
        self._change(state)
        if self._question is None:
            return
        question = self._question
        self._ask_commands(question)
        self._render_timer.start()
        if self._wanted:
            self._difference_timer.start()

    def _ask_commands(self, question: work.Question) -> None:
        known = self._known
        self._call("commands", self._on_commands, lambda: work.commands(question, self._services, known))

    def _ask_anew(self) -> work.Question | None:
        """Return what is asked for as a question of its own: an answer to an earlier one never stands for it."""
        if self._asked is None:
            return None
        self._turn += 1
        text, folder, index = self._asked
        return work.Question(text=text, folder=folder, index=index, turn=self._turn)

    def _stop_all(self) -> None:
        """End what is under way; its answers are stale from now on."""
        self._render_timer.stop()
        self._difference_timer.stop()
        for cancel in self._cancels.values():
            cancel.request()
        self._cancels = {}
        for kind in ("commands", "manifest", "difference"):
            self._requests.begin(kind)

    def _call(self, kind: str, on_answer: Any, call: Any) -> None:
        from ansflow_desktop.executors.worker import CallThread

        if kind not in self._threads:
            self._threads[kind] = CallThread()
            self._threads[kind].answered.connect(on_answer)
        self._threads[kind].call(self._requests.begin(kind), call)

    @Slot()
    def _render(self) -> None:
        question, cancel = self._question, Cancel()
        if question:
            self._cancels["manifest"] = cancel
            self._call("manifest", self._on_manifest, lambda: work.manifest(question, self._services, cancel))

    @Slot()
    def _compare(self) -> None:
        question, cancel = self._question, Cancel()
        if question:
            self._cancels["difference"] = cancel
            self._call("difference", self._on_difference, lambda: work.difference(question, self._services, cancel))

    @Slot(int, object)
    def _on_commands(self, number: int, answer: Any) -> None:
        if self._requests.current("commands", number):
            failed = Commands(status=PreviewStatus.FAILED, problems=_problems(answer))
            self._set(commands=failed if isinstance(answer, UserError) else answer)

    @Slot(int, object)
    def _on_manifest(self, number: int, answer: Any) -> None:
        if self._requests.current("manifest", number) and answer is not None:
            failed = Preview(status=PreviewStatus.FAILED, problems=_problems(answer))
            shown = failed if isinstance(answer, UserError) else answer
            self._set(manifest=shown)
            if self._question and shown.known != self._known:
                self._known = shown.known
                self._ask_commands(self._question)

    @Slot(int, object)
    def _on_difference(self, number: int, answer: Any) -> None:
        if self._requests.current("difference", number) and answer is not None:
            failed = Difference(status=PreviewStatus.FAILED, problems=_problems(answer))
            self._set(difference=failed if isinstance(answer, UserError) else answer)

    def _set(self, **fields: Any) -> None:
        self._change(msgspec.structs.replace(self.state, **fields))

    def _change(self, state: StepPreviewState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()

    async def close(self) -> None:
        """End what is under way, and the threads."""
        self._asked = self._question = None
        self._stop_all()
        threads, self._threads = self._threads, {}
        for thread in threads.values():
            thread.close()
        await super().close()


def _problems(answer: Any) -> tuple[Problem, ...]:
    """Return an error that nobody foresaw as a problem."""
    if not isinstance(answer, UserError):
        return ()
    return (Problem(field="", title=answer.title, message=answer.message, hint=answer.hint),)
