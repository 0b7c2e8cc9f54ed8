"""The certificates that an API server shows, trusted or not: for the dashboard, which tells when they end.

No credential is sent: the connection is closed right after the handshake.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

_HTTPS = 443
_PROXY_PORT = 3128


async def server_chain(document: dict[str, Any], timeout: float = 5.0) -> tuple[bytes, ...]:
    """Return the chain (DER, the server's own first) of the one cluster of `document` within `timeout` seconds.

    Empty where there is none to be had: plain HTTP, no answer, no TLS, a proxy other than an HTTP one. Never raises
    for what a server or network does.
    """
    cluster = document["clusters"][0]["cluster"]
    parts = tls_address(cluster)
    if parts is None:
        return ()
    name = str(cluster.get("tls-server-name") or parts.hostname)
    try:
        async with asyncio.timeout(timeout):
            return await _shake_hands(parts, name, str(cluster.get("proxy-url") or ""))
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
        return ()


def tls_address(cluster: dict[str, Any]) -> SplitResult | None:
    """Return the address of a kubeconfig cluster that is reached by TLS, None for plain HTTP and what is no address.

    Without a scheme it is https where there is an authority, as for kubectl.
    """
    server = str(cluster.get("server") or "")
    trusted = cluster.get("certificate-authority") or cluster.get("certificate-authority-data")
    with contextlib.suppress(ValueError):
        parts = urlsplit(server if "://" in server else f"{'https' if trusted else 'http'}://{server}")
        if parts.scheme == "https" and parts.hostname and (parts.port or _HTTPS):
            return parts
    return None


async def _shake_hands(parts: SplitResult, name: str, proxy: str) -> tuple[bytes, ...]:
    context = await asyncio.to_thread(_unverified)
    host, port = str(parts.hostname), parts.port or _HTTPS
    if proxy:
        _reader, writer = await _through(urlsplit(proxy), host, port)
    else:
        _reader, writer = await _connect(host, port)
    try:
        await writer.start_tls(context, server_hostname=name)
        return _chain(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


async def _connect(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address of `host` that answers; a dead name server does not hold up the program's end."""
    from ansflow_desktop.kube.resolver import DaemonResolver

    failed: OSError = OSError(f"{host} has no address")
    for found in await DaemonResolver().resolve(host, port):
        try:
            return await asyncio.open_connection(found["host"], found["port"], family=found["family"])
        except OSError as error:
            failed = error
    raise failed


async def _through(proxy: SplitResult, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect through an HTTP proxy (RFC 9110, CONNECT); raises OSError where it does not let us through."""
    if proxy.scheme != "http" or not proxy.hostname:
        raise OSError("a proxy of another kind")
    reader, writer = await _connect(proxy.hostname, proxy.port or _PROXY_PORT)
    try:
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", *_proxy_login(proxy), "", ""]
        writer.write("\r\n".join(lines).encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if answer.split(b" ", 2)[1:2] != [b"200"]:
            raise OSError("the proxy refuses")
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


def _proxy_login(proxy: SplitResult) -> list[str]:
    if not proxy.username:
        return []
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return [f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}"]


def _unverified() -> ssl.SSLContext:
    """Return a context that trusts everybody: nothing is sent, and an expired certificate is what we want to see."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _chain(connection: Any) -> tuple[bytes, ...]:
    """Return what the server sent; the whole chain is public in Python 3.13, and below it in the C object."""
    if connection is None:
        return ()
    if hasattr(connection, "get_unverified_chain"):
        return tuple(connection.get_unverified_chain())
    read: Callable[[], Sequence[Any]] = getattr(connection._sslobj, "get_unverified_chain", tuple)
    own = connection.getpeercert(binary_form=True)
    return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in read() or ()) or ((own,) if own else ())
