"""What a step's executor is given and gives back: the joint between runner, shell and Kubernetes executors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from ansflow_desktop.i18n import Text
from ansflow_desktop.models.command import KubeTarget, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep
from ansflow_desktop.models.release import Release
from ansflow_desktop.models.run import Notice, Output, Phase, RunEvent
from ansflow_desktop.process import Cancel, ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansflow_desktop.process import StreamName


class ClusterAccess(Protocol):
    """How executors reach clusters; `kube.catalog.ClusterCatalog` is the real one."""

    def private_target(self, name: str, folder: Path) -> KubeTarget:
        """Write a 0600 kubeconfig holding only cluster `name` into `folder` and return where it is.

        Raises UserError for an unknown cluster, a broken entry, or an exec plugin that was not approved.
        """

    def user_target(self, name: str) -> KubeTarget:
        """Return the user's own kubeconfig and context of `name`, for commands that are shown and copied."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ended and the context that the next one gets (unchanged unless the phase is Succeeded).

    `repeatable` False means that what it started may be at work still: it is not tried again by itself.
    """

    phase: Phase
    context: ExecutionContext
    exit_code: int | None = None
    message: Text = ""
    hint: Text = ""
    release: Release | None = None
    repeatable: bool = True


class RunScope:
    """Everything one run shares: its id, where events go, the cancel request, tools, clusters, private files.

    `folder` is a 0700 directory of this run that is removed afterwards. `redact` masks secrets in any text before it
    is emitted; every event passes through `emit`, which is thread-safe.
    """

    def __init__(
        self,
        *,
        run_id: str,
        emit: Callable[[RunEvent], None],
        cancel: Cancel,
        tools: ToolSet,
        clusters: ClusterAccess,
        folder: Path,
        redact: Callable[[str], str],
        processes: ProcessRunner | None = None,
        confirmed: frozenset[str] = frozenset(),
    ) -> None:
        """Keep the parts; nothing is started. `confirmed` are the production clusters whose names were typed."""
        self.confirmed = confirmed
        self.run_id = run_id
        self.emit = emit
        self.cancel = cancel
        self.tools = tools
        self.clusters = clusters
        self.folder = folder
        self.redact = redact
        self.processes = processes or ProcessRunner()

    def output(self, step: str, stream: StreamName, text: str) -> None:
        """Emit redacted output of a process of `step`."""
        self.emit(Output(time=time.time(), run=self.run_id, step=step, stream=stream, text=self.redact(text)))

    def notice(self, step: str, level: str, message: Text) -> None:
        """Emit something that AnsFlow itself says; `level` is debug, info, warning or error."""
        self.emit(Notice(time=time.time(), run=self.run_id, step=step, level=level, message=message))  # type: ignore[arg-type]


class StepExecutor(Protocol):
    """Runs one type of step."""

    def execute(self, step: PipelineStep, context: ExecutionContext, scope: RunScope) -> StepResult:
        """Run `step` (variables already replaced) to its end; raises UserError where nothing could be started."""
