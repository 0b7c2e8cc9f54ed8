"""The one way of a run's events: redacted, journalled, handed on, in one order whatever thread they come from."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message
from ansflow_desktop.models.run import CommandStarted, Phase, RunEvent, StepFinished, StepStarted

_log = logging.getLogger(__name__)
_DURABLE = (StepStarted, CommandStarted, StepFinished)


class RunJournal(Protocol):
    """What a run needs of the journal; `store.journal.Journal` is the real one."""

    @property
    def lost(self) -> UserError | None:
        """Why events could not be written, None when all is well."""

    def begin(self, run_id: str, pipeline: str, details: Mapping[str, Any]) -> None:
        """Write that a run begins, at once; raises UserError."""

    def append(self, event: RunEvent) -> None:
        """Queue an event."""

    def flush(self) -> None:
        """Write what is queued."""

    def finish(self, run_id: str, phase: Phase) -> None:
        """Write that a run ended; raises UserError."""


class EventStream:
    """Redacts, journals and forwards; `close` ends it, and what comes later (a follower's thread) is dropped."""

    def __init__(self, journal: RunJournal, forward: Callable[[RunEvent], None], redact: Callable[[str], str]) -> None:
        """Keep the parts."""
        self._journal, self._forward, self._redact = journal, forward, redact
        self._lock = threading.RLock()
        self._closed = False
        self.commands = 0

    def emit(self, event: RunEvent) -> None:
        """Pass one event on; safe from any thread. A step's beginning and end and each command are written at once."""
        event = redacted(event, self._redact)
        with self._lock:
            if self._closed:
                return
            self.commands += isinstance(event, CommandStarted)
            self._journal.append(event)
            if isinstance(event, _DURABLE):
                self._journal.flush()
            self._hand_on(event)

    def close(self) -> None:
        """Drop whatever comes from now on."""
        with self._lock:
            self._closed = True

    def _hand_on(self, event: RunEvent) -> None:
        """Give the event to whoever shows it; what goes wrong there must not end a deploy."""
        try:
            self._forward(event)
        except Exception:
            _log.exception("an event of a run could not be shown")


def redacted(event: RunEvent, redact: Callable[[str], str]) -> RunEvent:
    """Return `event` with every text in it redacted; names, ids and times stay as they are."""
    changed = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in ("run", "step", "steps") and isinstance(value, str | Message | tuple):
            cleaned = _clean(value, redact)
            if cleaned != value:
                changed[name] = cleaned
    return msgspec.structs.replace(event, **changed) if changed else event


def _clean(value: Any, redact: Callable[[str], str]) -> Any:
    if type(value) is str:
        return redact(value)
    if isinstance(value, tuple):
        return tuple(_clean(item, redact) for item in value)
    if isinstance(value, Message):
        params = {name: _clean(param, redact) for name, param in value.params.items()}
        return msgspec.structs.replace(value, params=params)
    return value
