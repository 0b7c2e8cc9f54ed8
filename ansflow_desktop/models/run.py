"""A run as a stream of events: every view, the history and the headless output are folds over it (architecture.md)."""

from __future__ import annotations

import enum
from typing import Literal, TypeAlias

import msgspec

from ansflow_desktop.i18n import Text
from ansflow_desktop.models.release import Release


class Phase(enum.StrEnum):
    """How far a run or a step is, or how it ended; UNKNOWN when the cluster could not be asked."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"
    UNKNOWN = "Unknown"


class Health(enum.StrEnum):
    """Health of an object, the same six words everywhere."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    SUSPENDED = "Suspended"
    MISSING = "Missing"
    UNKNOWN = "Unknown"


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every event has: `time` (epoch seconds), `run` (id), `step` (name, empty for the run's own)."""

    time: float
    run: str
    step: str = ""


class RunStarted(_Event, frozen=True, kw_only=True, tag="run_started"):
    """A run begins: the pipeline's name and its steps' names in order."""

    pipeline: str
    steps: tuple[str, ...]


class StepStarted(_Event, frozen=True, kw_only=True, tag="step_started"):
    """A step begins; `timeout` in seconds is the deadline shown beside the elapsed time (0: none)."""

    step_type: str
    timeout: float = 0


class CommandStarted(_Event, frozen=True, kw_only=True, tag="command_started"):
    """A process is about to start: argv and cwd, masked."""

    argv: tuple[str, ...]
    cwd: str


class Output(_Event, frozen=True, kw_only=True, tag="output"):
    """Text that a process wrote, redacted: whole lines with their newline where possible."""

    stream: Literal["stdout", "stderr"]
    text: str


class ResourceChanged(_Event, frozen=True, kw_only=True, tag="resource"):
    """An object of the release changed; `message` is plain words first (`1 of 2 ready`, `Image cannot be pulled`).

    `owner` is `kind/name` of the object that controls it, for the tree; `detail` holds the server's own words.
    """

    kind: str
    namespace: str
    name: str
    health: Health
    message: Text = ""
    owner: str = ""
    detail: str = ""


class ClusterEvent(_Event, frozen=True, kw_only=True, tag="event"):
    """A Kubernetes event about an object of the release; `warning` is True for type Warning."""

    kind: str
    namespace: str
    name: str
    reason: str
    message: str
    warning: bool = False


class Notice(_Event, frozen=True, kw_only=True, tag="notice"):
    """Something AnsFlow itself says during a run (a decision, a warning), translated where it is shown."""

    level: Literal["debug", "info", "warning", "error"]
    message: Text


class StepFinished(_Event, frozen=True, kw_only=True, tag="step_finished"):
    """A step ended: `exit_code` of its last process (None: none ran), seconds, why (`message`) and a `hint`.

    `release` is the release's state read from the cluster after a Helm deploy, None where it could not be read.
    """

    phase: Phase
    exit_code: int | None = None
    duration_s: float = 0
    message: Text = ""
    hint: Text = ""
    release: Release | None = None


class RunFinished(_Event, frozen=True, kw_only=True, tag="run_finished"):
    """The run ended in `phase`."""

    phase: Phase


RunEvent: TypeAlias = (
    RunStarted
    | StepStarted
    | CommandStarted
    | Output
    | ResourceChanged
    | ClusterEvent
    | Notice
    | StepFinished
    | RunFinished
)
