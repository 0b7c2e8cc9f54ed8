"""One command in a container, over the API's WebSocket protocol `v5.channel.k8s.io`.

The exit code comes from the stream's final Status and from nowhere else (failure-modes.md, row 6): a stream that ends
without one says nothing about the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from ansflow_desktop.kube import login
from ansflow_desktop.kube.errors import KubeError, from_exception, from_status, timed_out
from ansflow_desktop.kube.session import Session, open_session
from ansflow_desktop.kube.text import clean

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_LOGIN_S = 20.0
_HANDSHAKE_S = 30.0
_HEARTBEAT_S = 30.0  # a ping; without its answer within half of it the connection is lost
_CLOSE_S = 1.0
_MOST_BYTES = 16 * 1024 * 1024
_STREAMS: dict[int, Literal["stdout", "stderr"]] = {1: "stdout", 2: "stderr"}
_STATUS_CHANNEL = 3
_EXIT_STATUS = re.compile(r"\bexit status (\d{1,3})$")

OnBytes: TypeAlias = Callable[[Literal["stdout", "stderr"], bytes], None]


class ExecPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command runs."""

    namespace: str
    pod: str
    container: str


class Ended(enum.Enum):
    """How the stream ended: the command's own end, its start refused, we stopped, or no Status came (lost)."""

    EXITED = "exited"
    REFUSED = "refused"
    STOPPED = "stopped"
    LOST = "lost"


class ExecEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended: `exit_code` is set with EXITED only, `message` holds the server's words."""

    how: Ended
    exit_code: int | None = None
    message: str = ""


class _Cause(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct, frozen=True):
    causes: tuple[_Cause, ...] = ()


class _Status(msgspec.Struct, frozen=True):
    status: str = ""
    message: str = ""
    reason: str = ""
    details: _Details | None = None


async def run_in_pod(
    document: dict[str, Any], place: ExecPlace, argv: Sequence[str], on_bytes: OnBytes, stop: asyncio.Event
) -> ExecEnd:
    """Run `argv` in a container until its end, or until `stop` is set; `on_bytes` gets its output as it comes.

    Raises KubeError where the server refused to start it (4 forbidden, 3 unreachable, 1 anything else). Nothing is ever
    sent twice: a connection that is lost while the command may have been started is `LOST`.
    """
    session = await open_session(document, _LOGIN_S)
    try:
        async with _connected(document, session, place, argv) as socket:
            if isinstance(socket, ExecEnd):
                return socket
            return await _follow(socket, on_bytes, stop)
    finally:
        await session.close()


@contextlib.asynccontextmanager
async def _connected(
    document: dict[str, Any], session: Session, place: ExecPlace, argv: Sequence[str]
) -> AsyncIterator[Any]:
    """Yield the open WebSocket, or how the command ended where the connection was lost on the way."""
    import aiohttp

    try:
        async with asyncio.timeout(_HANDSHAKE_S):
            socket = await _handshake(session, _path(place, argv))
    except aiohttp.WSServerHandshakeError as error:
        if error.status == 401:
            login.forget(document)
        raise await _refusal(session, _path(place, argv), error.status) from error
    except aiohttp.ClientConnectorError as error:
        raise from_exception(session.server, error) from error
    except (aiohttp.ClientError, OSError) as error:
        yield _lost(error)
        return
    try:
        yield socket
    finally:
        await socket.close()


def _path(place: ExecPlace, argv: Sequence[str]) -> str:
    asked = [("container", place.container), ("stdout", "true"), ("stderr", "true")]
    query = urlencode([*asked, *(("command", word) for word in argv)])
    return f"/api/v1/namespaces/{place.namespace}/pods/{quote(place.pod)}/exec?{query}"


async def _handshake(session: Session, path: str) -> Any:
    import aiohttp

    rest = session.api.rest_client
    rest.pool_manager = pool = rest.pool_manager or rest._create_pool_manager()
    # aiohttp sends a GET a second time when the connection is lost, and the command would run twice
    pool._retry_connection = False
    return await pool.ws_connect(
        f"{_ws(session.server)}{path}",
        protocols=PROTOCOLS,
        heartbeat=_HEARTBEAT_S,
        max_msg_size=_MOST_BYTES,
        timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
        **_way(session),
    )


def _way(session: Session) -> dict[str, Any]:
    """Return what every request of the session carries: headers, the proxy, the name in the server's certificate."""
    from multidict import CIMultiDict

    rest = session.api.rest_client
    return {
        "headers": CIMultiDict(session.headers),
        "proxy": rest.proxy,
        "proxy_headers": rest.proxy_headers,
        "server_hostname": rest.configuration.tls_server_name or None,
    }


def _ws(server: str) -> str:
    parts = urlsplit(server)
    return parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl()


async def _refusal(session: Session, path: str, status: int) -> KubeError:
    """Return why the server refuses, in its own words: a WebSocket handshake does not hand them on.

    Asked again without an upgrade the API server gives the same answer, and cannot start anything.
    """
    try:
        async with asyncio.timeout(_HANDSHAKE_S):
            pool = session.api.rest_client.pool_manager
            async with pool.post(f"{session.server}{path}", **_way(session)) as answer:
                body = await answer.read()
                if answer.status == status:
                    return from_status(session.server, status, body)
    except TimeoutError:
        return timed_out(session.server, _HANDSHAKE_S)
    except Exception as error:
        return from_exception(session.server, error)
    return from_status(session.server, status, b"")


async def _follow(socket: Any, on_bytes: OnBytes, stop: asyncio.Event) -> ExecEnd:
    """Pass output on until the Status comes; whichever of it and `stop` is first decides."""
    reading = asyncio.create_task(_read(socket, on_bytes))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else ExecEnd(how=Ended.STOPPED)
    finally:
        for task in (reading, stopping):
            task.cancel()
        await asyncio.gather(reading, stopping, return_exceptions=True)


async def _read(socket: Any, on_bytes: OnBytes) -> ExecEnd:
    import aiohttp

    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY and message.data:
            channel, data = message.data[0], message.data[1:]
            if channel == _STATUS_CHANNEL:
                return _ended(data)
            if channel in _STREAMS and data:
                on_bytes(_STREAMS[channel], data)
        elif message.type is aiohttp.WSMsgType.ERROR:
            return _lost(message.data)
        elif message.type is not aiohttp.WSMsgType.BINARY:
            return ExecEnd(how=Ended.LOST, message=clean(str(message.extra or "")))


def _lost(error: BaseException) -> ExecEnd:
    return ExecEnd(how=Ended.LOST, message=clean(str(error) or type(error).__name__))


def _ended(body: bytes) -> ExecEnd:
    """Return what the final Status says; one that cannot be read, or says neither, is none."""
    try:
        status = msgspec.json.decode(body, type=_Status)
    except msgspec.MsgspecError:
        return ExecEnd(how=Ended.LOST, message=clean(body[:300].decode("utf-8", "replace")))
    if status.status == "Success":
        return ExecEnd(how=Ended.EXITED, exit_code=0)
    causes = status.details.causes if status.details else ()
    code = next((cause.message for cause in causes if cause.reason == "ExitCode"), "")
    if not code:  # simulated nodes (kwok) put the command's own end into the words of an internal error
        code = next(iter(_EXIT_STATUS.findall(status.message)), "")
    if code.isdecimal():
        return ExecEnd(how=Ended.EXITED, exit_code=int(code), message=clean(status.message))
    return ExecEnd(how=_without_code(status.message), message=clean(status.message or status.reason))


_NEVER_STARTED = (
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "exec format error",
    "container not found",
    "unable to start container process",
    "failed to create exec",
    "failed to start exec",
    "failed to exec in container",
    "is not in running state",
    "not running",
    "unable to upgrade connection",
)


def _without_code(message: str) -> Ended:
    """Take a failure without an exit code for a refusal only where the runtime says that nothing was started."""
    lowered = message.lower()
    return Ended.REFUSED if any(words in lowered for words in _NEVER_STARTED) else Ended.LOST
