"""Long waits of the command line: stderr says what is waited for, so that nobody takes it for a program that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube import sync

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session

T = TypeVar("T")

PATIENCE_S = 4.0
_MOST_NAMES = 3


def run(session: Session, work: Coroutine[Any, Any, T], what: Callable[[], Text]) -> T:
    """Run `work` to its end and return its value; where it takes longer than `PATIENCE_S` (seconds), `what` is noted.

    `what` is asked at that moment: it may name who has not answered yet.
    """
    return sync.run(_told(session, work, what))


async def _told(session: Session, work: Coroutine[Any, Any, T], what: Callable[[], Text]) -> T:
    note = asyncio.get_running_loop().call_later(PATIENCE_S, lambda: session.out.note(what()))
    try:
        return await work
    finally:
        note.cancel()


def for_answers(*names: str) -> Text:
    """Return that the clusters `names` did not answer yet; a few of many are named."""
    shown = ", ".join(names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        return msg("Waiting for answers of %(count)d clusters, %(names)s among them…", count=len(names), names=shown)
    return msg("Waiting for an answer of %(names)s…", names=shown)
