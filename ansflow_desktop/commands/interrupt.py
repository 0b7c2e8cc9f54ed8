"""Ctrl+C on the command line: the first asks a run to stop, the second skips what is left of the grace times.

A closed terminal (SIGHUP) asks to stop like Ctrl+C, but never insists: shell and kernel may both tell of it.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_STOP, _HANG_UP, _DONE = "stop", "hang up", "done"
_LOOK_S = 0.2


def run_cancellable(work: Callable[[Cancel], T], on_stop: Callable[[int], None] | None = None) -> T:
    """Run `work` on a thread of its own and return what it returns, or raise what it raises.

    Each SIGINT or SIGTERM becomes one `Cancel.request`, SIGHUP only where there was none before; `on_stop` is told how
    many there were. The handler does nothing but put into a queue whose `put` is reentrant: a handler that took a lock
    could meet itself.
    """
    cancel = Cancel()
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    outcome: dict[str, Any] = {}
    worker = threading.Thread(target=_work, args=(work, cancel, outcome, inbox), name="run")
    with _handling(inbox):
        worker.start()
        _wait(inbox, cancel, on_stop)
        worker.join()
    if "error" in outcome:
        raise outcome["error"]
    return cast("T", outcome["result"])


def _work(work: Callable[[Cancel], T], cancel: Cancel, outcome: dict[str, Any], inbox: queue.SimpleQueue[str]) -> None:
    try:
        outcome["result"] = work(cancel)
    except BaseException as error:  # it is raised again on the main thread
        outcome["error"] = error
    finally:
        inbox.put(_DONE)


def _wait(inbox: queue.SimpleQueue[str], cancel: Cancel, on_stop: Callable[[int], None] | None) -> None:
    count = 0
    while (word := _next(inbox)) != _DONE:
        if word == _HANG_UP and count:
            continue
        count += 1
        cancel.request()
        if on_stop:
            on_stop(count)


def _next(inbox: queue.SimpleQueue[str]) -> str:
    """Wait for a word, looking again now and then: a signal that comes right before the sleep does not end it."""
    while True:
        with contextlib.suppress(queue.Empty):
            return inbox.get(timeout=_LOOK_S)


@contextlib.contextmanager
def _handling(inbox: queue.SimpleQueue[str]) -> Iterator[None]:
    """Send the signals into `inbox` inside the block; away from the main thread they stay as they are.

    A SIGHUP that is ignored (`nohup`) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    words: dict[int, str] = {signal.SIGINT: _STOP, signal.SIGTERM: _STOP, signal.SIGHUP: _HANG_UP}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        del words[signal.SIGHUP]
    before = {number: signal.signal(number, lambda got, _: inbox.put(words[got])) for number in words}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
