"""Looks at objects once a second, in a thread of its own, while kubectl waits for them in another process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.kube.client import ClusterClient

_EVERY_S = 1.0
_STOP_S = 2.0
_READ_S = 10.0


class ObjectWatch:
    """Inside the `with` block `look` is called every second; it never holds a step up and never fails it.

    `look` runs on the thread of the watch; what it cannot read it meets again at the next look.
    """

    def __init__(self, document: dict[str, Any], look: Callable[[ClusterClient], Awaitable[None]]) -> None:
        """Keep the parts; nothing is started."""
        self._document, self._look = document, look
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="object watch", daemon=True)

    def __enter__(self) -> ObjectWatch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, in bounded time even when the API server is frozen."""
        self._stopped.set()
        with self._lock:
            if self._loop and self._wake:
                self._loop.call_soon_threadsafe(self._wake.set)
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        wake = asyncio.Event()
        with self._lock:
            self._loop, self._wake = asyncio.get_running_loop(), wake
        try:
            looking = asyncio.create_task(self._keep_looking())
            stopping = asyncio.create_task(self._until_stopped(wake))
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (looking, stopping):
                task.cancel()
            await asyncio.gather(looking, stopping, return_exceptions=True)
        finally:
            with self._lock:
                self._loop = None

    async def _until_stopped(self, wake: asyncio.Event) -> None:
        if not self._stopped.is_set():
            await wake.wait()

    async def _keep_looking(self) -> None:
        while True:
            try:
                async with ClusterClient(self._document, timeout=_READ_S) as client:
                    while True:
                        await self._look(client)
                        await asyncio.sleep(_EVERY_S)
            except UserError:
                await asyncio.sleep(_EVERY_S)
