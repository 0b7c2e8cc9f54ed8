"""The one qasync loop of the window: inside Qt's own loop, so that the window is painted before qasync is imported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

_TICK_MS = 15


class _Host:
    """What qasync asks of an application. `exit` does nothing: Qt's loop is not qasync's to end."""

    def __init__(self, app: QCoreApplication) -> None:
        self.aboutToQuit = app.aboutToQuit

    def exit(self) -> None:
        """Leave Qt's loop alone."""


def open_loop(app: QCoreApplication) -> asyncio.AbstractEventLoop:
    """Return a running qasync loop inside the Qt loop of `app`; to be closed by `close_loop`."""
    import qasync

    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(_Host(app), already_running=True)
    asyncio.set_event_loop(loop)
    return loop


def close_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on `loop`, wait for its ends, and close it."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    spin(lambda: all(task.done() for task in tasks), 5)
    run_here(loop.shutdown_asyncgens())
    loop.stop()
    asyncio._set_running_loop(None)
    asyncio.set_event_loop(None)
    loop.close()


def spin(ready: Callable[[], bool], seconds: float) -> bool:
    """Let events happen until `ready()` or `seconds` are over; return whether it became ready."""
    here = QEventLoop()

    def look() -> None:
        if ready():
            here.quit()

    tick, end = QTimer(), QTimer()
    tick.timeout.connect(look)
    end.timeout.connect(here.quit)
    end.setSingleShot(True)
    tick.start(_TICK_MS)
    end.start(int(seconds * 1000))
    if not ready():
        here.exec()
    tick.stop()
    end.stop()
    return ready()


def run_here(work: Coroutine[Any, Any, None], seconds: float = 30) -> None:
    """Run `work` on the window's loop and come back when it has ended; raises what it raises."""
    task = asyncio.get_running_loop().create_task(work)
    spin(task.done, seconds)
    if task.done():
        task.result()
    else:
        task.cancel()
