"""What can be typed next in the YAML of a pipeline, worked out off the window's thread. Places count as Qt counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop.presenters.base import Presenter

if TYPE_CHECKING:
    from ansflow_desktop.executors.worker import CallThread


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to type: `insert` replaces what stands from `replace_from` (UTF-16 units) up to the cursor."""

    label: str
    insert: str
    help: str
    replace_from: int


class PipelineCompletion(Presenter):
    """Emits `answered(number, offers)` for the question asked last; earlier ones are never answered."""

    answered = Signal(int, tuple)

    def __init__(self) -> None:
        """Start without a thread: the first question begins it."""
        super().__init__()
        self._thread: CallThread | None = None

    def ask(self, text: str, position: int) -> int:
        """Ask what can be typed at `position` (UTF-16 units) of `text`; return the question's number."""
        from ansflow_desktop.executors.worker import CallThread

        if self._thread is None:
            self._thread = CallThread()
            self._thread.answered.connect(self._on_answer)
        number = self._requests.begin("complete")
        self._thread.call(number, partial(offers, text, position))
        return number

    def forget(self) -> None:
        """Answer no earlier question any more."""
        self._requests.begin("complete")

    @Slot(int, object)
    def _on_answer(self, number: int, answer: Any) -> None:
        if self._requests.current("complete", number):
            self.answered.emit(number, answer if isinstance(answer, tuple) else ())

    async def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()
        await super().close()


def offers(text: str, position: int) -> tuple[Offer, ...]:
    """Return what can be typed at `position` (UTF-16 units) of `text`."""
    from ansflow_desktop.pipelines.completion import complete

    found = complete(text, len(of_units(text, position)))
    return tuple(_offer(text, one.label, one.insert, one.help, one.replace_from) for one in found)


def _offer(text: str, label: str, insert: str, said: str, start: int) -> Offer:
    """Return what is offered; a value right behind its colon gets the space that YAML needs."""
    glued = start > 0 and text[start - 1] == ":" and not insert.startswith(" ")
    return Offer(label=label, insert=f" {insert}" if glued else insert, help=said, replace_from=units(text[:start]))


def units(text: str) -> int:
    """Return the length of `text` as Qt counts it (UTF-16)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def of_units(text: str, count: int) -> str:
    """Return the first `count` units (UTF-16) of `text`."""
    if text.isascii():
        return text[:count]
    return text.encode("utf-16-le", "surrogatepass")[: count * 2].decode("utf-16-le", "replace")
