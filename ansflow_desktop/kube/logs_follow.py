"""Reads one container's log to its end, over breaks of the connection, restarts of the container and the pod's end."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import email.utils
import enum
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.kube import login
from ansflow_desktop.kube.backoff import Backoff
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError, from_exception, from_status
from ansflow_desktop.kube.fields import mapping, number, text
from ansflow_desktop.kube.logs import Lines, LogRequest, Position
from ansflow_desktop.kube.pick import container_status, pod_state
from ansflow_desktop.kube.session import Session, open_session

OnLines: TypeAlias = Callable[[bytes], None]
OnNote: TypeAlias = Callable[[str, Message], None]

_LOGIN_S = 20.0
_OPEN_S = 30.0
_SILENCE_S = 60.0  # a silent stream may be a dead one: it is opened anew, and nothing is read twice
_POLL_S = 2.0
_DRAIN_S = 1.0
_ATTEMPTS = 5


class _Stream(enum.Enum):
    DONE = "done"  # the server ended it
    BROKEN = "broken"
    SILENT = "silent"
    POD_ENDED = "pod ended"


class _Pod(msgspec.Struct, frozen=True, kw_only=True):
    """What following needs to know of the pod: whether it has ended, which run of the container it is."""

    ended: bool
    running: bool = False
    run: str = ""
    restarts: int = 0
    state: Message | None = None


class LogSession:
    """The connections of one step's logs: use as an async context manager in one event loop."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Keep the kubeconfig document."""
        self._document = document
        self._client = ClusterClient(document)
        self._session: Session | None = None

    async def __aenter__(self) -> LogSession:
        """Log in; raises KubeError."""
        await self._client.__aenter__()
        try:
            self._session = await open_session(self._document, _LOGIN_S)
        except BaseException:
            await self._client.__aexit__(None, None, None)
            raise
        self._session.api.rest_client.maxsize = 0  # every followed log holds a connection
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._client.__aexit__(None, None, None)
        if self._session:
            await self._session.close()

    @property
    def client(self) -> ClusterClient:
        """The client for everything else."""
        return self._client

    async def open(self, path: str) -> Any:
        """Return the response whose body is the log; raises KubeError for a refusal or no connection."""
        from aiohttp import ClientError, ClientTimeout
        from kubernetes.aio.client.exceptions import ApiException
        from multidict import CIMultiDict

        assert self._session, "used outside its block"
        url, lasting = f"{self._session.server}{path}", ClientTimeout(total=None, sock_read=_SILENCE_S)
        headers = CIMultiDict([("Accept", "*/*"), *self._session.headers])
        try:
            async with asyncio.timeout(_OPEN_S):
                asked = self._session.api.rest_client.request("GET", url, headers=headers, _request_timeout=lasting)
                response = (await asked).response
                if response.status < 300:
                    return response
                body = await response.read()
        except ApiException as error:
            raise from_status(self._session.server, error.status or 503, str(error.reason or "").encode()) from error
        except (ClientError, OSError) as error:
            raise from_exception(self._session.server, error) from error
        if response.status == 401:
            login.forget(self._document)
        raise from_status(self._session.server, response.status, body)


class PodLog:
    """One container's log, read once (`read`) or followed until its pod has ended (`follow`)."""

    def __init__(self, session: LogSession, request: LogRequest, uid: str, on_lines: OnLines, on_note: OnNote) -> None:
        """Keep the parts; `on_lines` gets whole lines, joined, `on_note` (level, what happened on the way)."""
        self._session, self._request, self._uid = session, request, uid
        self._on_lines, self._on_note = on_lines, on_note
        self._position, self._lines = Position(), Lines()
        self._known = _Pod(ended=False)
        self._opened = self._progress = self._skipping = False
        self._began = ""
        self.trouble: KubeError | None = None
        """Why nothing is read at this moment, None while all is well."""
        self.waiting: Message | None = None
        """The pod's state while its container has not started yet."""

    async def read(self) -> None:
        """Read the log as it is; raises KubeError where it cannot be had, or breaks off again and again."""
        pause = Backoff()
        for attempt in range(_ATTEMPTS):
            how = await self._stream()
            if how is _Stream.DONE:
                self._give(self._lines.rest())
                return
            self._broken()
            if attempt + 1 < _ATTEMPTS:
                await asyncio.sleep(pause.next())
        assert self.trouble
        raise self.trouble

    async def follow(self) -> None:
        """Read until the pod has ended; raises KubeError for what does not go away by waiting."""
        pause = Backoff(limit=5.0)
        self._known = await self._pod()
        self._note_wait(self._known)
        while True:
            self._progress = False
            how = await self._attempt()
            if self._progress:
                pause.reset()
            if how is not _Stream.SILENT and await self._ended_or_on(how, pause.next()):
                self._give(self._lines.rest())
                return
            self._broken() if how is _Stream.BROKEN else self._dropped()

    async def _ended_or_on(self, how: _Stream | None, pause: float) -> bool:
        """Return whether the pod has ended; if not, after a pause, which run of its container is to be read now."""
        if await self._has_ended(how):
            return True
        await asyncio.sleep(pause)
        return await self._has_ended(how)

    async def _attempt(self) -> _Stream | None:
        """Read once; None where the container has no log yet."""
        try:
            how = await self._stream()
        except KubeError as error:
            if error.status not in (400, 404, 429, 500, 502, 503, 504, 0):
                raise
            self.trouble = error
            return _Stream.BROKEN if self._opened else None
        return how

    async def _has_ended(self, how: _Stream | None) -> bool:
        """Ask for the pod: gone or ended for good, or its container runs (again), or will."""
        try:
            pod = await self._pod()
        except KubeError as error:
            if error.status in (401, 403):
                raise
            self.trouble = error
            return False
        if pod.ended:
            if self.trouble and not self._opened:
                raise self.trouble
            return True
        self._note_wait(pod)
        if pod.run != self._known.run:
            self._restarted(pod, broken=how is _Stream.BROKEN)
        return False

    def _note_wait(self, pod: _Pod) -> None:
        if pod.running or pod.run or pod.ended:
            self.waiting = None
        elif self.waiting is None and pod.state:
            self.waiting = pod.state
            words = msg("Waiting for container %(name)s of pod %(pod)s to start.", **self._names)
            self._on_note("info", words)
        else:
            self.waiting = pod.state

    def _restarted(self, pod: _Pod, *, broken: bool) -> None:
        """Go on with another run of the container; of what ran between two looks nothing can be read any more."""
        known, self._known = self._known, pod
        if not known.run:
            return
        self._position.gap = broken or pod.restarts > known.restarts + 1
        self._position.restart()
        self._lines.drop()
        self._on_note("info", msg("Container %(name)s of pod %(pod)s was started again.", **self._names))
        self._tell_gap()

    @property
    def _names(self) -> dict[str, str]:
        return {"name": self._request.container, "pod": self._request.pod}

    async def _pod(self) -> _Pod:
        path = f"/api/v1/namespaces/{self._request.namespace}/pods/{self._request.pod}"
        try:
            pod = msgspec.json.decode(await self._session.client.get(path, timeout=10))
        except KubeError as error:
            if error.status == 404:
                return _Pod(ended=True)
            raise
        return _seen(pod, self._uid, self._request.container)

    async def _stream(self) -> _Stream:
        """Read one response; breaks are an answer, refusals are raised."""
        response = await self._session.open(self._request.path(self._position.since_time or self._began))
        self._opened, self.trouble = True, None
        began = _date(response) if self._request.tail == 0 else ""
        self._began = self._began or began
        self._position.resume()
        with contextlib.closing(response):
            if not self._request.follow:
                return await self._read(response)
            return await self._read_until_end(response)

    async def _read(self, response: Any) -> _Stream:
        from aiohttp import ClientError, SocketTimeoutError

        try:
            async for chunk in response.content.iter_any():
                self._give(self._lines.feed(chunk))
                self._tell_gap()
        except SocketTimeoutError:
            return _Stream.SILENT
        except (ClientError, OSError) as error:
            self.trouble = from_exception(self._session.client.server, error)
            return _Stream.BROKEN
        return _Stream.DONE

    async def _read_until_end(self, response: Any) -> _Stream:
        """Read, and look after the pod meanwhile: a simulated node never ends a followed log (recipes.md, "kwok")."""
        reading = asyncio.create_task(self._read(response))
        watching = asyncio.create_task(self._until_pod_ends())
        try:
            await asyncio.wait((reading, watching), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await asyncio.wait((reading,), timeout=_DRAIN_S)
            return reading.result() if reading.done() else _Stream.POD_ENDED
        finally:
            for task in (reading, watching):
                task.cancel()
            await asyncio.gather(reading, watching, return_exceptions=True)

    async def _until_pod_ends(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            with contextlib.suppress(KubeError):
                pod = await self._pod()
                if pod.ended:
                    return
                self._note_wait(pod)

    def _give(self, lines: Any) -> None:
        """Hand on what was not read before, without timestamps."""
        new = b"".join(found for found in (self._new(*each) for each in lines) if found is not None)
        if new:
            self._progress = True
            self._on_lines(new)

    def _new(self, line: bytes, begins: bool) -> bytes | None:
        found = self._position.take(line) if begins else None if self._skipping else line
        self._skipping = found is None
        return found

    def _broken(self) -> None:
        """Forget half a line, which comes again; where a part of it was given out already, its rest does not."""
        self._dropped()
        where = msg("The log of pod %(pod)s broke off; it is read on from the last line.", pod=self._request.pod)
        self._on_note("info", where)

    def _dropped(self) -> None:
        self._position.gap = self._lines.drop() or self._position.gap

    def _tell_gap(self) -> None:
        if self._position.gap:
            self._position.gap = False
            self._on_note("warning", msg("Lines of pod %(pod)s may be missing here.", pod=self._request.pod))


def _date(response: Any) -> str:
    """Return the server's time of an answer as RFC 3339, empty where it says none."""
    try:
        said = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return ""
    return said.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seen(pod: Any, uid: str, container: str) -> _Pod:
    """Judge a pod: another of the same name means that ours has ended."""
    status, metadata = mapping(pod, "status"), mapping(pod, "metadata")
    own = container_status(pod, container)
    state = mapping(own, "state")
    other = bool(uid) and text(metadata, "uid") != uid
    leaving = bool(metadata.get("deletionTimestamp")) and "terminated" in state
    ended = other or leaving or text(status, "phase") in ("Succeeded", "Failed")
    return _Pod(
        ended=ended,
        running="running" in state,
        run=text(own, "containerID"),
        restarts=number(own, "restartCount"),
        state=pod_state(pod),
    )
