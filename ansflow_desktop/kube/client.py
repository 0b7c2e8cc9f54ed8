"""A client for one cluster: raw bytes in, msgspec Structs made by the caller (performance.md), every call bounded."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import time
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube import login
from ansflow_desktop.kube.errors import KubeError, from_exception, from_status, timed_out
from ansflow_desktop.kube.session import Session, open_session
from ansflow_desktop.kube.text import clean

if TYPE_CHECKING:
    from types import TracebackType

JSON = "application/json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
APPLY = "application/apply-patch+yaml; charset=utf-8"  # named so, the library sends the text as it is

Params: TypeAlias = Mapping[str, "str | int"]

_CALL_S = 30.0
_LOGIN_S = 20.0
_WATCH_S = 240
_NO_VERDICT = frozenset({401, 403, 429, 502, 503, 504})
_MOST_BYTES = 256 * 1024 * 1024  # of one answer, unpacked: 50,000 objects in one list take less
_MOST_LINE = 32 * 1024 * 1024  # of one event of a watch; etcd keeps objects of 1.5 MB
_SILENCE_S = 90.0  # bookmarks come every minute: a longer silence means that the server or the network is gone


class WatchEvent(msgspec.Struct, frozen=True):
    """One line of a watch: `type` is ADDED, MODIFIED, DELETED or BOOKMARK, `object` its undecoded JSON."""

    type: str
    object: msgspec.Raw


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str = ""


class ClusterClient:
    """One cluster's API, to be used as an async context manager in one event loop.

    `document` holds exactly one context (`ClusterCatalog.document`). Every call ends within its timeout with bytes or
    a KubeError: 3 unreachable or refused, 4 forbidden. Nothing is written to any kubeconfig.
    """

    def __init__(self, document: dict[str, Any], *, timeout: float = _CALL_S, login_timeout: float = _LOGIN_S) -> None:
        """Keep the document; `timeout` (seconds) is for each call, `login_timeout` for a credential program."""
        self._document = document
        self._timeout = timeout
        self._login_timeout = login_timeout
        self._session: Session | None = None
        self.clock_ahead = 0.0
        """Seconds by which the server's clock is ahead of ours, as its last answer said (to a second)."""
        self.server = str(document["clusters"][0]["cluster"].get("server", ""))

    async def __aenter__(self) -> ClusterClient:
        """Load the credentials; raises KubeError where there are none to be had."""
        self._session = await open_session(self._document, self._login_timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def get(
        self, path: str, params: Params | None = None, accept: str = JSON, timeout: float | None = None
    ) -> bytes:
        """Return the body of `path` (with its leading slash); raises KubeError."""
        return await self._call("GET", path, params, accept, None, timeout)

    async def post(self, path: str, body: Mapping[str, Any], timeout: float | None = None) -> bytes:
        """Send `body` as JSON to `path` and return the answer's body; raises KubeError.

        For reviews, and for the requests by which a credential is renewed.
        """
        return await self._call("POST", path, None, JSON, dict(body), timeout)

    async def put(self, path: str, body: Mapping[str, Any], timeout: float | None = None) -> bytes:
        """Replace what lies at `path` by `body` and return the answer's body; raises KubeError."""
        return await self._call("PUT", path, None, JSON, dict(body), timeout)

    async def delete(self, path: str, timeout: float | None = None) -> bytes:
        """Delete the object at `path` and return the answer's body; raises KubeError."""
        return await self._call("DELETE", path, None, JSON, None, timeout)

    async def dry_apply(self, path: str, text: str, manager: str) -> tuple[int, bytes]:
        """Have the server check one object (YAML) as server-side apply would, strictly; nothing is changed.

        Returns the HTTP status and body of any verdict: 200 or 201 with the object as it would be, 400, 404, 409, 422
        and 500 with a Status that says what is wrong (recipes.md, "Server-side validation"). Raises KubeError where the
        server gave none.
        """
        asked = {"fieldManager": manager, "dryRun": "All", "fieldValidation": "Strict"}
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._request("PATCH", path, asked, JSON, text.encode(), self._timeout + 1, APPLY)
                with contextlib.closing(response):
                    if response.status in _NO_VERDICT or 300 <= response.status < 400:
                        raise await self._refusal(response)
                    return int(response.status), await _body(response)
        except TimeoutError as error:
            raise timed_out(self.server, self._timeout) from error
        except Exception as error:
            raise self._as_kube_error(error) from error

    async def server_version(self) -> str:
        """Return the server's version as it says it (`v1.36.3`), empty where it says none; raises KubeError."""
        try:
            return clean(msgspec.json.decode(await self.get("/version"), type=_Version).git_version)
        except msgspec.MsgspecError as error:
            raise from_status(self.server, 200, str(error).encode()) from error

    async def watch(self, path: str, params: Params, accept: str = JSON) -> AsyncGenerator[WatchEvent, None]:
        """Yield changes of the collection `path` until the server ends the watch (some 4 minutes).

        Raises KubeError, with status 410 where the `resourceVersion` in `params` is too old: list again then.
        """
        from aiohttp import ClientTimeout

        asked = {"watch": 1, "allowWatchBookmarks": "true", "timeoutSeconds": _WATCH_S, **params}
        try:
            async with asyncio.timeout(self._timeout):
                lasting = ClientTimeout(total=None, sock_read=_SILENCE_S)
                response = await self._request("GET", path, asked, accept, None, lasting)
                with contextlib.ExitStack() as undo:
                    undo.enter_context(contextlib.closing(response))
                    if response.status >= 300:
                        raise await self._refusal(response)
                    undo.pop_all()
            with contextlib.closing(response):
                async for line in _lines(response):
                    yield self._event(line)
        except TimeoutError as error:
            raise timed_out(self.server, self._timeout) from error
        except Exception as error:
            raise self._as_kube_error(error) from error

    def _event(self, line: bytes) -> WatchEvent:
        event = msgspec.json.decode(_readable(line), type=WatchEvent)
        if event.type == "ERROR":
            body = bytes(event.object)
            code = msgspec.json.decode(body, type=_Code).code
            raise from_status(self.server, code, body)
        return event

    async def _call(
        self, method: str, path: str, params: Params | None, accept: str, body: Any, timeout: float | None
    ) -> bytes:
        seconds = timeout or self._timeout
        try:
            async with asyncio.timeout(seconds):
                response = await self._request(method, path, params, accept, body, seconds + 1)
                with contextlib.closing(response):
                    self.clock_ahead = _clock_ahead(response.headers.get("Date"), self.clock_ahead)
                    if response.status >= 300:  # a redirect that names no place, too
                        raise await self._refusal(response)
                    return await _body(response)
        except TimeoutError as error:
            raise timed_out(self.server, seconds) from error
        except Exception as error:
            raise self._as_kube_error(error) from error

    async def _request(
        self, method: str, path: str, params: Params | None, accept: str, body: Any, seconds: Any, content: str = ""
    ) -> Any:
        from multidict import CIMultiDict

        assert self._session, "the client is used outside its block"
        url = f"{self._session.server}{path}" + (f"?{urlencode(params)}" if params else "")
        headers = CIMultiDict([("Accept", accept), *self._session.headers])
        if content:
            headers["Content-Type"] = content
        answer = await self._session.api.rest_client.request(
            method, url, headers=headers, body=body, _request_timeout=seconds
        )
        return answer.response

    async def _refusal(self, response: Any) -> KubeError:
        if response.status == 401:
            login.forget(self._document)
        if response.status < 400:
            return self._sent_on(response)
        return from_status(self.server, response.status, await _body(response))

    def _sent_on(self, response: Any) -> KubeError:
        title = msg("%(server)s sends us on to another address", server=self.server)
        hint = msg("Sign in to the network you are in with a browser, or correct the server's address.")
        there = clean(response.headers.get("Location", ""), 300)
        return KubeError(title, there, hint, code=ExitCode.FAILED, status=int(response.status))

    def _as_kube_error(self, error: Exception) -> Exception:
        """Return `error` as a KubeError; errors of this program itself pass."""
        from aiohttp import ClientError
        from kubernetes.aio.client.exceptions import ApiException

        if isinstance(error, KubeError):
            return error
        if isinstance(error, ApiException):
            return from_status(self.server, error.status or 503, str(error.reason or "").encode())
        if isinstance(error, ClientError | OSError | ValueError):
            return from_exception(self.server, error)
        return error


class _Code(msgspec.Struct, frozen=True):
    code: int = 500


def _clock_ahead(date: str | None, known: float) -> float:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() - time.time() if date else known
    except ValueError:
        return known


async def _body(response: Any) -> bytes:
    """Return the body of an answer; raises KubeError for one that would fill the memory (a few packed kB may)."""
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > _MOST_BYTES:
            raise _too_much(_MOST_BYTES)
        parts.append(chunk)
    return _readable(b"".join(parts))


def _readable(data: bytes) -> bytes:
    """Return `data` as every decoder takes it: UTF-8, other bytes replaced; raises KubeError for endless nesting."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError:
        pass  # no JSON: who decodes it says so
    return data if data.isascii() else data.decode("utf-8", "replace").encode()


async def _lines(response: Any) -> AsyncGenerator[bytes, None]:
    """Yield whole lines: aiohttp's own line reader refuses objects larger than its buffer. Raises KubeError."""
    rest = bytearray()
    async for chunk in response.content.iter_any():
        first, newline, more = chunk.partition(b"\n")
        rest += first
        if len(rest) > _MOST_LINE:
            raise _too_much(_MOST_LINE)
        if not newline:
            continue
        *whole, last = more.split(b"\n")
        for line in (bytes(rest), *whole):
            if line:
                yield line
        rest = bytearray(last)


def _too_deep() -> KubeError:
    hint = msg("Check that the address is that of a Kubernetes API server.")
    return KubeError(msg("The server's answer is nested too deeply"), "", hint, code=ExitCode.FAILED)


def _too_much(most: int) -> KubeError:
    title = msg("The server's answer is larger than %(mb)d MB", mb=most // 1024 // 1024)
    return KubeError(title, "", msg("Check that the address is that of a Kubernetes API server."), code=ExitCode.FAILED)
