"""A run as the Deploy page shows it: a fold over the run's events (architecture.md)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.models.run import (
    ClusterEvent,
    CommandStarted,
    Health,
    Notice,
    Output,
    Phase,
    ResourceChanged,
    RunEvent,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from ansflow_desktop.presenters.verdict import Verdict, verdict

_TIMELINE_CAP = 400
_ENDED = (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED, Phase.UNKNOWN)
_GOOD = (Health.HEALTHY, Health.SUSPENDED)


class TimelineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the timeline: epoch seconds, tone (muted, ok, warn, bad), the object, what happened, how often."""

    time: float
    tone: str
    subject: str
    text: Text
    count: int = 1


class ResourceNode(msgspec.Struct, frozen=True, kw_only=True):
    """An object with those it owns; `key` is `kind/name`."""

    key: str
    kind: str
    name: str
    health: Health
    message: Text = ""
    detail: str = ""
    children: tuple[ResourceNode, ...] = ()


class StepProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one step of a run is; `seconds` is how long it took, 0 before its end; `message` says why it ended so."""

    name: str
    phase: Phase = Phase.PENDING
    seconds: float = 0
    message: Text = ""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a run that is not its output; times are epoch seconds, `timeout` seconds (0: none)."""

    phase: Phase = Phase.PENDING
    started: float = 0
    finished: float = 0
    timeout: float = 0
    doing: Text = ""
    cancelling: bool = False
    resources: tuple[ResourceNode, ...] = ()
    timeline: tuple[TimelineRow, ...] = ()
    verdict: Verdict | None = None
    steps: tuple[StepProgress, ...] = ()

    @property
    def running(self) -> bool:
        """True from the press of Deploy to the verdict."""
        return self.phase in (Phase.PENDING, Phase.RUNNING)


class RunFold:
    """Takes events one by one; `view()` is cheap to ask for after a burst of them."""

    def __init__(self, started: float, timeout: float = 0) -> None:
        """Begin a run at `started` (epoch seconds) that may wait `timeout` seconds (0: no limit is known)."""
        self._started = started
        self._phase = Phase.PENDING
        self._finished = 0.0
        self._timeout = timeout
        self._doing: Text = msg("Preparing")
        self._objects: dict[str, ResourceChanged] = {}
        self._timeline: deque[TimelineRow] = deque(maxlen=_TIMELINE_CAP)
        self._last_step: StepFinished | None = None
        self._warnings: list[Text] = []
        self.cancelling = False

    def apply(self, event: RunEvent) -> str:
        """Take one event and return the output text that it carries, empty for none."""
        if isinstance(event, Output):
            return event.text
        if isinstance(event, ResourceChanged):
            self._objects[f"{event.kind}/{event.name}"] = event
        elif isinstance(event, ClusterEvent):
            self._add(_from_cluster(event))
        elif isinstance(event, Notice):
            self._take_notice(event)
        else:
            self._take_progress(event)
        return ""

    def _take_notice(self, event: Notice) -> None:
        tones = {"info": "muted", "warning": "warn", "error": "bad"}
        if event.level in tones:
            self._add(TimelineRow(time=event.time, tone=tones[event.level], subject="", text=event.message))
        if event.level in ("warning", "error"):
            self._warnings.append(event.message)

    def _take_progress(self, event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            self._phase, self._started = Phase.RUNNING, event.time
        elif isinstance(event, StepStarted):
            self._timeout = event.timeout or self._timeout
        elif isinstance(event, CommandStarted):
            program = event.argv[0].rsplit("/", 1)[-1] if event.argv else ""
            self._doing = msg("Running %(program)s", program=program)
        elif isinstance(event, StepFinished):
            self._last_step = event
        elif isinstance(event, RunFinished):
            self._phase, self._finished = event.phase, event.time

    def _add(self, row: TimelineRow) -> None:
        last = self._timeline[-1] if self._timeline else None
        if last and (last.subject, last.text, last.tone) == (row.subject, row.text, row.tone):
            self._timeline[-1] = msgspec.structs.replace(row, count=last.count + 1)
        else:
            self._timeline.append(row)

    def fail(self, title: Text, message: Text, hint: Text, when: float) -> None:
        """End the run with an error that came instead of events (nothing could be started)."""
        self._phase, self._finished = Phase.FAILED, when
        self._last_step = StepFinished(
            time=when, run="", phase=Phase.FAILED, message=_joined(title, message), hint=hint
        )

    def end(self, phase: Phase, when: float) -> None:
        """End the run in `phase` where its last event did not come through."""
        if self._phase not in _ENDED:
            self._phase, self._finished = phase, when

    def view(self) -> RunView:
        """Return what to show now."""
        ended = self._phase in _ENDED
        return RunView(
            phase=self._phase,
            started=self._started,
            finished=self._finished,
            timeout=self._timeout,
            doing=self._waiting_for(),
            cancelling=self.cancelling and not ended,
            resources=tree(self._objects.values()),
            timeline=tuple(self._timeline),
            verdict=verdict(self._phase, self._last_step, self._warnings) if ended else None,
        )

    def _waiting_for(self) -> Text:
        tops = [event for event in self._objects.values() if not event.owner]
        bad = sum(1 for event in tops if event.health not in _GOOD)
        if self.cancelling:
            return msg("Cancelling: waiting for helm to record the release's state")
        if bad:
            return msg_n(
                "Waiting for %(bad)s of %(count)s resource",
                "Waiting for %(bad)s of %(count)s resources",
                len(tops),
                bad=bad,
            )
        return msg("All resources are ready") if tops else self._doing


def _joined(title: Text, message: Text) -> Text:
    return msg("%(title)s: %(message)s", title=title, message=message) if message else title


def _from_cluster(event: ClusterEvent) -> TimelineRow:
    subject = f"{event.kind} {event.name}"
    return TimelineRow(time=event.time, tone="bad" if event.warning else "muted", subject=subject, text=event.message)


def tree(objects: Iterable[ResourceChanged]) -> tuple[ResourceNode, ...]:
    """Return the objects (ResourceChanged) as trees by their owner; one whose owner is not known is a root."""
    by_key = {f"{event.kind}/{event.name}": event for event in objects}
    owned: dict[str, list[str]] = {}
    for key, event in by_key.items():
        owned.setdefault(event.owner if event.owner in by_key and event.owner != key else "", []).append(key)
    return tuple(_node(key, by_key, owned) for key in owned.get("", ()))


def _node(key: str, by_key: dict[str, ResourceChanged], owned: dict[str, list[str]]) -> ResourceNode:
    event = by_key[key]
    return ResourceNode(
        key=key,
        kind=event.kind,
        name=event.name,
        health=event.health,
        message=event.message,
        detail=event.detail,
        children=tuple(_node(child, by_key, owned) for child in owned.get(key, ())),
    )
