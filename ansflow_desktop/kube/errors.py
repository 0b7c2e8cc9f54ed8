"""What goes wrong between here and an API server, in plain words, with the server's own words kept apart."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

_DENIED = re.compile(r"denied (the )?request|denied by|is forbidden: ")  # admission answers 422, 400 or what it likes
_UNREACHABLE_STATUSES = frozenset({429, 500, 502, 503, 504})


class KubeError(UserError):
    """A call to an API server failed: `status` is the HTTP status (0: there was no answer), `reason` the API's word."""

    def __init__(
        self, title: Text, message: Text = "", hint: Text = "", *, code: ExitCode, status: int = 0, reason: str = ""
    ) -> None:
        """Keep the parts; see UserError."""
        super().__init__(title, message, hint, code=code)
        self.status = status
        self.reason = reason


class Status(msgspec.Struct, frozen=True):
    """The parts of the API's `Status` object that are shown or decided on."""

    message: str = ""
    reason: str = ""
    code: int = 0


def unreachable(title: Text, message: Text = "", hint: Text = "", *, status: int = 0, reason: str = "") -> KubeError:
    """Return an error with exit code 3: the cluster cannot be reached, or the credentials were refused."""
    return KubeError(title, message, hint, code=ExitCode.UNREACHABLE, status=status, reason=reason)


def timed_out(server: str, seconds: float) -> KubeError:
    """Return the error of a server that did not answer within `seconds`."""
    title = msg("%(server)s did not answer within %(seconds)s s", server=server, seconds=f"{seconds:g}")
    return unreachable(title, "", msg("Check the network or VPN, and whether the cluster is running."))


def from_status(server: str, http_status: int, body: bytes) -> KubeError:
    """Return the error for an answer with `http_status` of 400 or more and its `body`."""
    try:
        status = msgspec.json.decode(body, type=Status)
        words, reason = status.message or status.reason, status.reason
    except (msgspec.MsgspecError, UnicodeDecodeError):
        words, reason = body[:300].decode("utf-8", "replace"), ""
    words = clean(words.strip()) or f"HTTP {http_status}"
    if http_status == 401:
        title = msg("%(server)s refused the credentials", server=server)
        hint = msg("Sign in again, or correct the user of this context in the kubeconfig.")
        return unreachable(title, words, hint, status=401, reason=reason)
    if http_status == 403:
        title, hint = (
            msg("This is not allowed"),
            msg("Ask the cluster's administrator for the right, or use another user."),
        )
        return KubeError(title, words, hint, code=ExitCode.FORBIDDEN, status=403, reason=reason)
    if 400 <= http_status < 500 and _DENIED.search(words):
        return KubeError(msg("This is not allowed"), words, code=ExitCode.FORBIDDEN, status=http_status, reason=reason)
    if http_status in _UNREACHABLE_STATUSES:
        title = msg("%(server)s cannot answer now", server=server)
        return unreachable(title, words, msg("Try again in a while."), status=http_status, reason=reason)
    title = msg("%(server)s answered with an error", server=server)
    hint = msg("Check that the address is that of a Kubernetes API server.")
    return KubeError(title, words, hint, code=ExitCode.FAILED, status=http_status, reason=reason)


def from_exception(server: str, error: BaseException) -> KubeError:
    """Return the error for a connection that failed: name, refusal, TLS, proxy, or a loss in the middle."""
    causes = list(_causes(error))
    words = clean(str(error) or type(error).__name__)
    network = msg("Check the address, and whether a VPN is needed.")
    if any("Proxy" in type(cause).__name__ or _is_elsewhere(cause, server) for cause in causes):
        hint = msg("Check proxy-url of the cluster, or HTTPS_PROXY and NO_PROXY.")
        return unreachable(msg("The proxy for %(server)s does not work", server=server), words, hint)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return unreachable(msg("The name of %(server)s cannot be resolved", server=server), words, network)
    if any(isinstance(cause, ssl.SSLError | ssl.CertificateError) for cause in causes):
        hint = msg("Check certificate-authority and client certificate of this cluster in the kubeconfig.")
        return unreachable(msg("No trusted connection to %(server)s", server=server), words, hint)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        hint = msg("Check the address, and whether the cluster is running.")
        return unreachable(msg("%(server)s does not accept connections", server=server), words, hint)
    if any(isinstance(cause, asyncio.TimeoutError) for cause in causes):
        hint = msg("Check the network or VPN, and whether the cluster is running.")
        return unreachable(msg("%(server)s did not answer in time", server=server), words, hint)
    return unreachable(msg("The connection to %(server)s failed", server=server), words, network)


def _is_elsewhere(cause: BaseException, server: str) -> bool:
    """Return whether `cause` (aiohttp's, with a `host`) is about another host than `server`: its proxy."""
    host = getattr(cause, "host", None)
    try:
        wanted = urlsplit(server).hostname or ""
    except ValueError:
        return False
    return isinstance(host, str) and wanted.isascii() and host.rstrip(".").lower() != wanted.rstrip(".") != ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what it was raised from (aiohttp keeps the system's error in `os_error`)."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = getattr(current, "os_error", None)
        pending += [current.__cause__, current.__context__, inner if isinstance(inner, BaseException) else None]
