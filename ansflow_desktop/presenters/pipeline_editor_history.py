"""Undo and redo of a document: the texts it had, one for each step that a person would call one."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

_LIMIT = 300
_BYTES = 32_000_000
_PAUSE_S = 1.5
TYPING = "text"


class Moment(msgspec.Struct, frozen=True):
    """A text and the step that was selected with it."""

    text: str
    selected: int | None = None


class History:
    """The moments of one document; `key` of an edit joins it with the one before that had the same key."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start empty; `now` gives seconds, for the pause that ends one piece of typing."""
        self._now = now
        self._past: list[Moment] = []
        self._future: list[Moment] = []
        self._key, self._last = "", 0.0

    @property
    def can_undo(self) -> bool:
        """True when there is a moment to go back to."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True when something was undone."""
        return bool(self._future)

    def clear(self) -> None:
        """Forget everything: another document was opened."""
        self._past.clear()
        self._future.clear()
        self._key = ""

    def pause(self) -> None:
        """Let the next edit be a step of its own, whatever its key."""
        self._key = ""

    def push(self, before: Moment, key: str = "") -> None:
        """Keep the moment before an edit; one with the key of the last edit joins it.

        Typing in the text itself (key TYPING) begins anew after a pause; typing in one field of a form does not.
        """
        paused = key == TYPING and self._now() - self._last > _PAUSE_S
        joins = bool(key) and key == self._key and not paused and bool(self._past)
        self._key, self._last = key, self._now()
        self._future.clear()
        if joins:
            return
        self._past.append(before)
        while len(self._past) > _LIMIT or sum(len(one.text) for one in self._past) > _BYTES:
            self._past.pop(0)

    def undo(self, present: Moment) -> Moment | None:
        """Return the moment before the last edit, None where there is none; `present` can be had again by redo."""
        return self._step(self._past, self._future, present)

    def redo(self, present: Moment) -> Moment | None:
        """Return the moment that was undone last, None where there is none."""
        return self._step(self._future, self._past, present)

    def _step(self, source: list[Moment], target: list[Moment], present: Moment) -> Moment | None:
        self._key = ""
        if not source:
            return None
        target.append(present)
        return source.pop()
