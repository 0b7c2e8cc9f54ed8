"""A pipeline's run as the Pipelines page shows it: the fold of one deploy, with the state of every step."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.models.run import Phase, RunEvent, RunStarted, StepFinished, StepStarted
from ansflow_desktop.presenters.run_view import RunFold, RunView, StepProgress
from ansflow_desktop.presenters.verdict import Verdict, verdict

_BAD = (Phase.FAILED, Phase.CANCELLED, Phase.UNKNOWN)
_WORDS = {
    Phase.SUCCEEDED: msg("The pipeline succeeded"),
    Phase.FAILED: msg("The pipeline failed"),
    Phase.CANCELLED: msg("The pipeline was cancelled"),
    Phase.UNKNOWN: msg("It is not known how the pipeline ended"),
}


class PipelineFold(RunFold):
    """Takes the events of a pipeline's run; resources and waiting are those of the step that runs."""

    def __init__(self, started: float, timeout: float = 0) -> None:
        """Begin a run at `started` (epoch seconds); each step brings its own `timeout` (seconds)."""
        super().__init__(started, timeout)
        self._steps: dict[str, StepProgress] = {}
        self._finished_steps: list[StepFinished] = []
        self._running = ""

    def apply(self, event: RunEvent) -> str:
        """Take one event and return the output text that it carries, empty for none."""
        if isinstance(event, RunStarted):
            self._steps = {name: StepProgress(name=name) for name in event.steps}
        elif isinstance(event, StepStarted):
            self._begin_step(event.step)
        elif isinstance(event, StepFinished):
            self._end_step(event)
        return super().apply(event)

    def _begin_step(self, name: str) -> None:
        self._running = name
        self._objects.clear()
        self._doing = msg("Preparing")
        self._steps[name] = StepProgress(name=name, phase=Phase.RUNNING)

    def _end_step(self, event: StepFinished) -> None:
        self._finished_steps.append(event)
        done = StepProgress(name=event.step, phase=event.phase, seconds=event.duration_s, message=event.message)
        self._steps[event.step] = done

    def view(self) -> RunView:
        """Return what to show now."""
        shown = super().view()
        ended = None if shown.running else self._verdict(shown)
        return msgspec.structs.replace(shown, doing=self._now(shown.doing), steps=self._progress(), verdict=ended)

    def _progress(self) -> tuple[StepProgress, ...]:
        """Return the steps; one that was under way when the run ended, ended with it."""
        if self._phase in (Phase.PENDING, Phase.RUNNING):
            return tuple(self._steps.values())
        lost = {Phase.RUNNING: self._phase, Phase.PENDING: Phase.SKIPPED}
        return tuple(
            msgspec.structs.replace(step, phase=lost.get(step.phase, step.phase)) for step in self._steps.values()
        )

    def _now(self, doing: Text) -> Text:
        if self.cancelling:
            return msg("Stopping: waiting until the state is known")
        return msg("%(step)s: %(doing)s", step=self._running, doing=doing) if self._running else doing

    def _verdict(self, shown: RunView) -> Verdict:
        """Return the verdict by the step that decided it; without any, by the error that nothing could be run for."""
        bad = next((step for step in self._finished_steps if step.phase in _BAD), None)
        if bad is None and self._phase is not Phase.SUCCEEDED:
            bad = self._last_step
        made = verdict(self._phase, bad, self._warnings)
        title: Text = _WORDS.get(self._phase, made.title)
        if bad is not None and bad.step and self._phase is Phase.FAILED:
            title = msg("Step %(name)s failed", name=bad.step)
        return msgspec.structs.replace(made, title=title, state=made.state or counted(self._progress()))


def counted(steps: Sequence[StepProgress]) -> Text:
    """Return how many of the steps succeeded, empty where none was to run."""
    good = sum(1 for step in steps if step.phase is Phase.SUCCEEDED)
    if not steps:
        return ""
    return msg_n("%(good)s of %(count)s step succeeded", "%(good)s of %(count)s steps succeeded", len(steps), good=good)
