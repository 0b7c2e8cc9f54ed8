"""Name lookups in threads that nobody waits for: a dead DNS server must not hold the program at its end.

The event loop's own executor is joined when a loop closes, so a lookup that hangs would outlive every timeout.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class DaemonResolver(AbstractResolver):
    """Resolves each name by getaddrinfo in a daemon thread of its own."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; raises OSError (gaierror) where there are none."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Any]] = loop.create_future()

        def look_up() -> None:
            try:
                found: Any = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
                setter = answer.set_result
            except OSError as error:
                found, setter = error, answer.set_exception  # type: ignore[assignment]
            except UnicodeError:  # a part of more than 63 letters, or none
                unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
                found, setter = unknown, answer.set_exception  # type: ignore[assignment]
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(lambda: None if answer.done() else setter(found))

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        return [_result(host, port, info) for info in await answer]

    async def close(self) -> None:
        """Nothing to release."""


def _result(host: str, port: int, info: tuple[Any, ...]) -> ResolveResult:
    family, _, protocol, _, address = info
    return ResolveResult(
        hostname=host, host=address[0], port=port, family=family, proto=protocol, flags=socket.AI_NUMERICHOST
    )
