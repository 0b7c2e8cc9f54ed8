"""What every presenter shares: coroutines on the window's loop, request ids, and one outlet for errors."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
_log = logging.getLogger(__name__)
KUBE_CLIENT = ("kubernetes.aio.client", "kubernetes.aio.config")
"""The Kubernetes client, which takes half a second to import."""
_imported: set[str] = set()


class Requests:
    """Numbers for questions asked of slow things, so that a late answer to an old question is dropped."""

    def __init__(self) -> None:
        """Start with no question asked."""
        self._latest: dict[str, int] = {}

    def begin(self, kind: str) -> int:
        """Return the number of a new question of this kind; answers to earlier ones are stale from now on."""
        self._latest[kind] = self._latest.get(kind, 0) + 1
        return self._latest[kind]

    def current(self, kind: str, number: int) -> bool:
        """Return whether `number` is the latest question of this kind."""
        return self._latest.get(kind, 0) == number


class Presenter(QObject):
    """State in, signals out, no widgets: `state_changed` says that the presenter's `state` is another one now."""

    state_changed = Signal()
    failed = Signal(object)

    def __init__(self) -> None:
        """Start with no task running."""
        super().__init__()
        self._requests = Requests()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def _start(self, kind: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` on the window's loop in place of the last work of this kind, which is cancelled."""
        self._stop(kind)
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks[kind] = task

    def _stop(self, kind: str) -> None:
        task = self._tasks.pop(kind, None)
        if task is not None:
            task.cancel()

    def _on_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, UserError):
            self.failed.emit(error)
        elif isinstance(error, Exception):
            _log.error("a task of the window failed", exc_info=error)
            self.failed.emit(unexpected(error))

    async def close(self) -> None:
        """End every task and wait for their ends."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def off_thread(call: Callable[[], T]) -> T:
    """Return what `call` returns, run in a thread of its own: one that hangs holds up neither window nor exit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            result = call()
        except BaseException as error:  # handed to whoever waits
            _tell(loop, answer, error=error)
        else:
            _tell(loop, answer, result=result)

    threading.Thread(target=work, name="window-call", daemon=True).start()
    return await answer


async def imported(*names: str) -> Any:
    """Return the last of the modules `names`, all imported in another thread: on the window's they would stall it."""

    def work() -> None:
        for name in names:
            importlib.import_module(name)

    if not _imported.issuperset(names):
        await off_thread(work)
        _imported.update(names)
    return sys.modules[names[-1]]


def _tell(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any], result: Any = None, error: BaseException | None = None
) -> None:
    def deliver() -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
        loop.call_soon_threadsafe(deliver)


def unexpected(error: BaseException) -> UserError:
    """Return what the window shows for an error that nobody foresaw; its own words are kept."""
    words = f"{type(error).__name__}: {error}"
    return UserError(msg("Something went wrong inside AnsFlow"), words, code=ExitCode.FAILED)
