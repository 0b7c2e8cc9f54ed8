"""The run of the Deploy page: a pipeline of one step, from the press of Deploy to the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.duration import duration_seconds
from ansflow_desktop.models.run import RunEvent
from ansflow_desktop.presenters.pipeline_run import PipelineRun
from ansflow_desktop.presenters.run_view import RunFold


class DeployRun(PipelineRun):
    """Emits `changed()` at most every 80 ms, `output_added(text)` per batch, `finished(Phase)` once a run."""

    fold_type = RunFold

    def start(self, request: DeployRequest, now: float) -> None:
        """Run `request` in a thread of its own; what cannot be started ends as a failed run with its reason."""
        self.start_pipeline(request.pipeline, now, _seconds(request))

    def replay(self, request: DeployRequest, events: Sequence[RunEvent]) -> None:
        """Show a run from its recorded events; one without an end is shown as unknown."""
        self.replay_events(events, _seconds(request))


def _seconds(request: DeployRequest) -> float:
    return duration_seconds(request.timeout) if request.wait else 0
