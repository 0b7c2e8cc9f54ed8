"""Which proxy leads to a server: that of the cluster, else that of the environment, as kubectl and helm choose it.

The rules are Go's (golang.org/x/net/http/httpproxy), so that window and tools take the same way: HTTPS_PROXY or
HTTP_PROXY by the scheme of the server, never ALL_PROXY; never a proxy for this machine itself; NO_PROXY with names,
addresses, networks and ports. A cluster's own `proxy-url` is always used, whatever NO_PROXY says.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.errors import KubeError, unreachable

_PORTS = {"https": 443, "http": 80}
SOCKS_TITLE = msg("A SOCKS proxy cannot be used by this program")
SOCKS_HINT = msg("Name an HTTP proxy; helm and kubectl alone can use this one.")


def proxy_of(cluster: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> str:
    """Return the proxy for the kubeconfig cluster `cluster` as it is written, empty for none; contacts nobody."""
    if cluster.get("proxy-url"):
        return str(cluster["proxy-url"])
    server = str(cluster.get("server") or "")
    trusted = cluster.get("certificate-authority-data") or cluster.get("certificate-authority")
    text = server if "://" in server else f"{'https' if trusted else 'http'}://{server}"
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    name = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    found = _variable(environ, name)
    if not found or not host or _is_spared(host, port, _variable(environ, "NO_PROXY")):
        return ""
    return found if "://" in found else f"http://{found}"


def is_socks(proxy: str) -> bool:
    """Return whether `proxy` is of the kind that kubectl and helm can use, and this program cannot."""
    return proxy.lower().startswith("socks")


def usable(cluster: Mapping[str, Any]) -> str:
    """Return the proxy for `cluster`, empty for none.

    Raises KubeError (3) for a SOCKS proxy, and for one whose address is none.
    """
    proxy = proxy_of(cluster)
    if is_socks(proxy):
        raise unreachable(SOCKS_TITLE, "", SOCKS_HINT)
    if proxy and not _is_address(proxy):
        raise wrong_address()
    return proxy


def wrong_address() -> KubeError:
    """Return the error of a proxy whose address is none; the address may hold a password and is not shown."""
    hint = msg("Check proxy-url of the cluster, or HTTPS_PROXY and NO_PROXY.")
    return unreachable(msg("The address of the proxy is wrong"), "", hint)


def _is_address(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        return bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
    except ValueError:
        return False


def _variable(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.lower()) or "").strip()


def _is_spared(host: str, port: int, spared: str) -> bool:
    host = host.lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_fits(rule.strip().lower(), host, port, address) for rule in spared.split(","))


def _fits(rule: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if rule in ("", "*"):
        return rule == "*"
    if "/" in rule:
        return address is not None and _in_network(address, rule)
    name, wanted = _split(rule)
    if wanted and wanted != str(port):
        return False
    if _address(name) is not None:
        return address == _address(name)
    name = name.removeprefix("*")
    return bool(name) and (host.endswith(f".{name.removeprefix('.')}") or host == name)


def _split(rule: str) -> tuple[str, str]:
    """Return name and port of a rule; an IPv6 address has a port only behind its brackets."""
    if rule.startswith("["):
        name, _bracket, rest = rule[1:].partition("]")
        return name, rest.removeprefix(":")
    if _address(rule) is not None:
        return rule, ""
    name, _colon, port = rule.partition(":")
    return name, port


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, rule: str) -> bool:
    try:
        return address in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False
