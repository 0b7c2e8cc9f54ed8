"""The way to an API server, hop by hop on sockets of our own: address, proxy, name, port. No credential is sent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import ssl
from collections.abc import Sequence
from typing import Any, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from ansflow_desktop.files import read_small
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.diagnose_stages import Stages
from ansflow_desktop.kube.proxy import SOCKS_HINT, SOCKS_TITLE, is_socks, proxy_of
from ansflow_desktop.kube.resolver import DaemonResolver
from ansflow_desktop.kube.text import clean

_PORTS = {"https": 443, "http": 80}
_MOST_ADDRESSES = 8
_LINE = 8192
_Streams: TypeAlias = "tuple[asyncio.StreamReader, asyncio.StreamWriter]"
_NETWORK = msg("Check the address, and whether a VPN is needed.")


class Connection(msgspec.Struct, frozen=True):
    """An open connection to the server, or to the end of the proxy's tunnel."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        """End it without a farewell."""
        self.writer.transport.abort()


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server is and how it is reached; `proxy` is None without one, `hosts` are resolved addresses."""

    host: str
    port: int
    tls: bool
    proxy: SplitResult | None = None
    proxy_tls: ssl.SSLContext | None = None
    hosts: tuple[str, ...] = ()


async def find_way(cluster: dict[str, Any], stages: Stages, timeout: float) -> Way:
    """Note the stages address, proxy, dns and tcp; returns the way once its far end accepts connections.

    Raises Stop where it does not.
    """
    way = _address(cluster, stages)
    proxy = proxy_of(cluster)
    if not proxy:
        stages.skip("proxy", msg("No proxy is used"))
        hosts = await _resolve(way.host, stages, timeout)
        way = msgspec.structs.replace(way, hosts=hosts)
        await _reach(way, stages, timeout)
        return way
    parts = _parsed_proxy(proxy, stages)
    tls = await asyncio.to_thread(_proxy_tls, cluster, stages) if parts.scheme == "https" else None
    way = msgspec.structs.replace(way, proxy=parts, proxy_tls=tls)
    await _try_proxy(way, stages, timeout)
    return way


async def connect(way: Way, timeout: float) -> Connection:
    """Return a connection to the server; raises OSError (TimeoutError is one) or ProxyRefused."""
    async with asyncio.timeout(timeout):
        if not way.proxy:
            return await _first(way.hosts, way.port)
        return await _through_proxy(way)


def _address(cluster: dict[str, Any], stages: Stages) -> Way:
    server = str(cluster.get("server") or "").strip()
    trusted = cluster.get("certificate-authority-data") or cluster.get("certificate-authority")
    text = server if "://" in server else f"{'https' if trusted else 'http'}://{server}"  # as kubectl takes it
    hint = msg("Use an address such as https://10.0.0.1:6443.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise stages.bad("address", msg("%(server)s is no address", server=clean(server)), str(error), hint) from error
    if not host or parts.scheme not in _PORTS:
        raise stages.bad("address", msg("%(server)s is no address of an API server", server=clean(server)), "", hint)
    way = Way(host=host, port=port, tls=parts.scheme == "https")
    if way.tls or _is_here(host):
        stages.good("address", msg("%(host)s, port %(port)s", host=host, port=str(port)))
    else:
        title = msg("The connection to %(host)s is not encrypted", host=host)
        stages.warn("address", title, server, msg("Anybody on the way can read the credentials: use https."))
    return way


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _parsed_proxy(text: str, stages: Stages) -> SplitResult:
    hint = msg("Check proxy-url of the cluster, or HTTPS_PROXY and NO_PROXY.")
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise stages.bad("proxy", msg("The address of the proxy is wrong"), str(error), hint) from error
    if is_socks(text):
        raise stages.bad("proxy", SOCKS_TITLE, "", SOCKS_HINT)
    if not usable or parts.scheme not in ("http", "https"):
        raise stages.bad("proxy", msg("The address of the proxy is wrong"), parts.hostname or "", hint)
    return parts


async def _resolve(host: str, stages: Stages, timeout: float) -> tuple[str, ...]:
    stages.begin()
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host.partition("%")[0])
        stages.skip("dns", msg("The address needs no name lookup"))
        return (host,)
    title = msg("The name %(host)s cannot be resolved", host=host)
    try:
        found = await _look_up(host, timeout)
    except TimeoutError as error:
        raise stages.bad("dns", title, _no_answer(timeout), _NETWORK) from error
    except (OSError, UnicodeError) as error:
        raise stages.bad("dns", title, _words(error), _NETWORK) from error
    stages.good("dns", msg("%(host)s is %(addresses)s", host=host, addresses=", ".join(found)))
    return found


async def _look_up(host: str, timeout: float) -> tuple[str, ...]:
    async with asyncio.timeout(timeout):
        found = await DaemonResolver().resolve(host)
    return tuple(dict.fromkeys(item["host"] for item in found))[:_MOST_ADDRESSES]


async def _reach(way: Way, stages: Stages, timeout: float) -> None:
    port = str(way.port)
    try:
        (await connect(way, timeout)).close()
    except TimeoutError as error:
        title = msg("Port %(port)s of %(host)s does not answer", host=way.host, port=port)
        hint = msg("Check the network or VPN, a firewall on the way, and whether the cluster is running.")
        raise stages.bad("tcp", title, _no_answer(timeout), hint) from error
    except ConnectionRefusedError as error:
        title = msg("Port %(port)s of %(host)s does not accept connections", host=way.host, port=port)
        hint = msg("Check the address, and whether the cluster is running.")
        raise stages.bad("tcp", title, _words(error), hint) from error
    except OSError as error:
        title = msg("There is no way to %(host)s", host=way.host)
        raise stages.bad("tcp", title, _words(error), _NETWORK) from error
    stages.good("tcp", msg("Port %(port)s accepts connections", port=port))


async def _first(hosts: Sequence[str], port: int) -> Connection:
    """Return the first connection that any of the addresses grants; raises the error of the last that fails."""
    tasks = [asyncio.ensure_future(asyncio.open_connection(host, port)) for host in hosts]
    last: OSError = OSError("no address")
    kept = None
    try:
        for done in asyncio.as_completed(tasks):
            try:
                kept = Connection(*await done)
                return kept
            except OSError as error:
                last = error
        raise last
    finally:
        await _end(tasks, kept)


async def _end(tasks: Sequence[asyncio.Future[_Streams]], kept: Connection | None) -> None:
    """End the attempts that were not needed, those that have just succeeded too."""
    for task in tasks:
        task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(found, BaseException) and (kept is None or found[1] is not kept.writer):
            Connection(*found).close()


class ProxyRefused(OSError):
    """The proxy answered that it does not connect: `status` is its HTTP status, the text its first line."""

    def __init__(self, status: int, line: str) -> None:
        """Keep both."""
        super().__init__(line)
        self.status = status


async def _try_proxy(way: Way, stages: Stages, timeout: float) -> None:
    assert way.proxy
    stages.begin()
    shown = f"{way.proxy.hostname}:{_proxy_port(way.proxy)}"
    hint = msg("Check proxy-url of the cluster, or HTTPS_PROXY and NO_PROXY.")
    try:
        (await connect(way, timeout)).close()
    except ProxyRefused as error:
        title = msg("The proxy %(proxy)s does not connect to %(host)s", proxy=shown, host=way.host)
        if error.status == 407:
            title = msg("The proxy %(proxy)s asks for a name and a password", proxy=shown)
        raise stages.bad("proxy", title, clean(str(error)), hint) from error
    except TimeoutError as error:
        title = msg("The proxy %(proxy)s does not answer", proxy=shown)
        raise stages.bad("proxy", title, _no_answer(timeout), hint) from error
    except (OSError, UnicodeError) as error:
        title = msg("The proxy %(proxy)s cannot be reached", proxy=shown)
        raise stages.bad("proxy", title, _words(error), hint) from error
    stages.good("proxy", msg("The proxy %(proxy)s connects to %(host)s", proxy=shown, host=way.host))
    stages.skip("dns", msg("The proxy looks the name up"))
    stages.skip("tcp", msg("The proxy connects"))


def _proxy_port(proxy: SplitResult) -> int:
    return proxy.port or _PORTS[proxy.scheme]


async def _through_proxy(way: Way) -> Connection:
    """Return the end of a tunnel (HTTP CONNECT); for a server without TLS the proxy itself, which is asked as it is."""
    assert way.proxy and way.proxy.hostname
    hosts = await _look_up(way.proxy.hostname, 60)
    if way.proxy.scheme == "https":
        port, name = _proxy_port(way.proxy), way.proxy.hostname
        opened = Connection(*await asyncio.open_connection(hosts[0], port, ssl=way.proxy_tls, server_hostname=name))
    else:
        opened = await _first(hosts, _proxy_port(way.proxy))
    if way.tls:
        try:
            await _tunnel(opened, way)
        except BaseException:
            opened.close()
            raise
    return opened


def _proxy_tls(cluster: dict[str, Any], stages: Stages) -> ssl.SSLContext:
    """Return what an https:// proxy is trusted by: what the server is trusted by, as in the client and in kubectl."""
    try:
        return context_of(cluster)
    except (OSError, ValueError, TypeError) as error:
        raise stages.bad("proxy", msg("The certificate of the authority cannot be read"), clean(str(error))) from error


def context_of(cluster: dict[str, Any]) -> ssl.SSLContext:
    """Return the context that the client uses too; raises OSError, ValueError or TypeError for a wrong authority."""
    context = ssl.create_default_context(cadata=_authority(cluster))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as kubectl: older cluster CAs lack RFC 5280 extensions
    return context


def _authority(cluster: dict[str, Any]) -> str | None:
    data, file = cluster.get("certificate-authority-data"), cluster.get("certificate-authority")
    if not data and not file:
        return None
    raw = data or read_small(str(file))
    text = (raw if isinstance(raw, bytes) else base64.b64decode(str(raw))).decode("ascii", "replace")
    if "-----BEGIN" not in text:
        raise ValueError("no PEM text")
    return text


async def _tunnel(opened: Connection, way: Way) -> None:
    host = f"[{way.host}]" if ":" in way.host else way.host
    lines = [f"CONNECT {host}:{way.port} HTTP/1.1", f"Host: {host}:{way.port}"]
    assert way.proxy
    if way.proxy.username:
        login = f"{unquote(way.proxy.username)}:{unquote(way.proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    opened.writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    await opened.writer.drain()
    answer = await _head(opened.reader)
    first = answer.split(b"\r\n", 1)[0].decode("latin-1")
    words = first.split(" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    if status != 200:
        raise ProxyRefused(status, first)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError:
        return await reader.read(_LINE)


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return clean(error.strerror)
    return clean(str(error) or type(error).__name__)


def _no_answer(timeout: float) -> Text:
    return msg("No answer within %(seconds)s s", seconds=f"{timeout:g}")
