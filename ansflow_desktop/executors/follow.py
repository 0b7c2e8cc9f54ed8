"""Follows the objects of a deploy while it runs, and turns what is seen into events of the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.causes import Causes
from ansflow_desktop.executors.context import RunScope
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.kube.live import ReleaseFollower
from ansflow_desktop.kube.live_board import EventUpdate, ResourceUpdate
from ansflow_desktop.models.pipeline import PipelineStep
from ansflow_desktop.models.run import ClusterEvent, ResourceChanged

_FIRST_LOOK_S = 0.3
_STOP_S = 2.0
_REMEMBERED = 10_000


class Follow:
    """Inside the `with` block the release's objects are watched; `causes` holds their troubles.

    `objects` are (kind, name) of a manifest; a release's objects are known by Helm's own annotations. Following never
    holds a deploy up and never fails it: what could not be watched is a debug notice.
    """

    def __init__(
        self,
        scope: RunScope,
        step: PipelineStep,
        document: dict[str, Any],
        namespace: str,
        *,
        release: str = "",
        objects: Sequence[tuple[str, str]] = (),
        on_change: Callable[[ResourceChanged], None] | None = None,
    ) -> None:
        """Keep the parts; nothing is started. `release` is "" for a manifest.

        `on_change` hears of every object's change, on the follower's thread.
        """
        self._scope, self._step = scope, step
        self._where = (document, namespace, release, objects)
        self._follower: ReleaseFollower | None = None
        self._on_change = on_change
        self._causes = Causes()
        self._told: dict[tuple[str, ...], None] = {}
        self._lock = threading.Lock()

    @property
    def causes(self) -> list[ResourceChanged]:
        """The troubles of the objects during the run, the most telling one first (`Causes.ranked`)."""
        with self._lock:
            return self._causes.ranked()

    def __enter__(self) -> Follow:
        """Start following."""
        self._follower = ReleaseFollower(*self._where, self._on_update)
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop following, in bounded time; a deploy of a blink is still seen once unless it was cancelled."""
        assert self._follower
        if not self._scope.cancel.requested:
            self._follower.wait_ready(_FIRST_LOOK_S)
        self._follower.stop(_STOP_S)
        for what, problem in self._follower.problems.items():
            self._scope.notice(self._step.name, "debug", _not_followed(what, problem))

    def _on_update(self, update: ResourceUpdate | EventUpdate) -> None:
        if isinstance(update, ResourceUpdate):
            self._on_resource(update)
        else:
            self._on_event(self._event(update))

    def _on_resource(self, update: ResourceUpdate) -> None:
        event = ResourceChanged(
            time=time.time(),
            run=self._scope.run_id,
            step=self._step.name,
            kind=update.kind,
            namespace=update.namespace,
            name=update.name,
            health=update.health,
            message=update.message,
            owner=update.owner,
            detail=self._scope.redact(update.detail),
        )
        with self._lock:
            self._causes.put(event)
        self._scope.emit(event)
        if self._on_change:
            self._on_change(event)

    def _on_event(self, event: ClusterEvent) -> None:
        """Pass on what was not said before: a kubelet repeats the same words every second."""
        words = (event.kind, event.namespace, event.name, event.reason, event.message)
        with self._lock:
            self._causes.put_event(event)
            again = words in self._told
            self._told[words] = None
            if len(self._told) > _REMEMBERED:
                self._told.pop(next(iter(self._told)))
        if not again:
            self._scope.emit(event)

    def _event(self, update: EventUpdate) -> ClusterEvent:
        return ClusterEvent(
            time=time.time(),
            run=self._scope.run_id,
            step=self._step.name,
            kind=update.kind,
            namespace=update.namespace,
            name=update.name,
            reason=update.reason,
            message=self._scope.redact(update.message),
            warning=update.warning,
        )


def _not_followed(kind: str, problem: UserError) -> Message:
    return msg("Could not be followed live: %(kind)s: %(reason)s", kind=kind or "-", reason=str(problem))
