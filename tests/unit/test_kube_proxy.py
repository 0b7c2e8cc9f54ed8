"""Which proxy leads to a server, by Go's rules, and a cluster reached by one: HTTP, TLS to the proxy, SOCKS."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from api_kit import Api, Authority, authority, document, listening, no_proxy_around, play, pump

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import own, probe, sync
from ansflow_desktop.kube.diagnose import diagnose
from ansflow_desktop.kube.proxy import proxy_of
from ansflow_desktop.models.cluster import ClusterEntry, Finding, OwnCluster, Reach
from ansflow_desktop.models.problem import Severity

__all__ = ["authority", "no_proxy_around"]

ENTRY = ClusterEntry(name="x", context="x", user="anna")
NEAR, FAR = "http://near:3128", "https://api.corp.example:6443"


@pytest.mark.parametrize(
    ("server", "spared", "used"),
    [
        (FAR, "", True),
        (FAR, "*", False),
        (FAR, "corp.example", False),
        (FAR, ".corp.example", False),
        (FAR, "*.corp.example", False),
        (FAR, "corp.example:443", True),
        (FAR, "other, corp.example:6443", False),
        (FAR, "p.example", True),
        (FAR, "API.CORP.EXAMPLE", False),
        ("https://10.1.2.3:6443", "10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "10.1.2.3", False),
        ("https://10.1.2.3:6443", "10.1.2.4", True),
        ("https://11.1.2.3:6443", "10.0.0.0/8, 1/2/3", True),
        ("https://[fd00::1]:6443", "fd00::/8", False),
        ("https://[fd00::1]:6443", "[fd00::1]:6443", False),
        ("https://[fd00::1]:6443", "[fd00::1]:443", True),
        ("https://127.0.0.1:6443", "", False),
        ("https://localhost:6443", "", False),
        ("https://[::1]:6443", "", False),
    ],
)
def test_the_environment_is_read_as_kubectl_reads_it(server, spared, used):
    environ = {"HTTPS_PROXY": NEAR, "NO_PROXY": spared, "HTTP_PROXY": "http://other", "ALL_PROXY": "socks5://no"}
    assert proxy_of({"server": server}, environ) == (NEAR if used else "")


def test_whose_proxy_it_is():
    assert proxy_of({"server": FAR, "proxy-url": NEAR}, {"NO_PROXY": "*"}) == NEAR
    assert proxy_of({"server": FAR}, {"ALL_PROXY": NEAR, "HTTP_PROXY": NEAR}) == ""
    assert proxy_of({"server": FAR}, {"https_proxy": "near:3128"}) == NEAR
    assert proxy_of({"server": "http://api"}, {"HTTP_PROXY": NEAR, "HTTPS_PROXY": "http://other"}) == NEAR
    assert proxy_of({"server": "api", "certificate-authority": "/ca"}, {"HTTPS_PROXY": NEAR}) == NEAR
    assert proxy_of({"server": "https://h:99999"}, {"HTTPS_PROXY": NEAR}) == ""


class Tunnels:
    """An HTTP proxy that connects to this machine whatever name is asked for, and counts."""

    def __init__(self):
        self.asked = []

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.split(b" ")[1].decode())
            far = await asyncio.open_connection("127.0.0.1", int(self.asked[-1].rsplit(":", 1)[1]))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(pump(reader, far[1]), pump(far[0], writer))
        writer.transport.abort()


def through(authority, folder, *, near_context=None, environ=None, **cluster):
    """Return what check and test find of a server with TLS by way of a proxy, and the proxy."""
    proxy = Tunnels()

    async def story(port):
        async with listening(proxy.serve, near_context) as near:
            url = f"{'https' if near_context else 'http'}://127.0.0.1:{near}"
            more = {"certificate-authority-data": authority.data, **cluster}
            if environ:
                environ("HTTPS_PROXY", url)
            else:
                more["proxy-url"] = url
            asked = document(f"https://localhost:{port}", **more)
            return await probe.check(ENTRY, asked), await diagnose(ENTRY, asked, 5.0)

    return (*play(story, Api().serve, authority.context(folder)), proxy)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_by_way_of_a_proxy(authority, tmp_path, tls):
    context = authority.context(tmp_path) if tls else None
    status, found, proxy = through(authority, tmp_path, near_context=context)
    assert translate(status.message) == "" and status.reach is Reach.REACHABLE
    assert found.worst is None and found.status.reach is Reach.REACHABLE
    assert proxy.asked and all(asked.startswith("localhost:") for asked in proxy.asked)


def test_a_proxy_of_another_authority(authority, tmp_path):
    stranger = Authority().context(tmp_path)
    status, found, proxy = through(authority, tmp_path, near_context=stranger)
    assert status.reach is Reach.UNREACHABLE and "certificate" in translate(status.message).lower()
    assert found.worst.name == "proxy" and "certificate" in translate(found.worst.message).lower()
    assert proxy.asked == []


def test_this_machine_is_never_reached_by_the_proxy_of_the_environment(authority, tmp_path, monkeypatch):
    status, found, proxy = through(authority, tmp_path, environ=monkeypatch.setenv)
    assert (status.reach, found.status.reach, proxy.asked) == (Reach.REACHABLE, Reach.REACHABLE, [])


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS5"])
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_socks_proxy_is_named(monkeypatch, scheme, by_environment):
    cluster = {} if by_environment else {"proxy-url": f"{scheme}://127.0.0.1:1080"}
    if by_environment:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://127.0.0.1:1080")
    asked = document("https://no-such-host.invalid:6443", **cluster)
    status, found = sync.run(probe.check(ENTRY, asked)), sync.run(diagnose(ENTRY, asked, 5.0))
    assert (status.reach, translate(status.message)) == (
        Reach.UNREACHABLE,
        "A SOCKS proxy cannot be used by this program",
    )
    bad = [stage.name for stage in found.stages if stage.finding is Finding.BAD]
    assert bad == ["proxy"] and "SOCKS" in translate(found.worst.title)


@pytest.mark.parametrize("proxy", ["nonsense", "http://h:99999", "ftp://h", "http://me:secret@"])
def test_a_proxy_that_is_no_address(proxy):
    asked = document("https://no-such-host.invalid:6443", **{"proxy-url": proxy})
    status = sync.run(probe.check(ENTRY, asked))
    assert translate(status.message) == "The address of the proxy is wrong"


def test_a_proxy_whose_name_nobody_knows_is_not_taken_for_the_server():
    asked = document(FAR, **{"proxy-url": "http://no-such-proxy.invalid:3128"})
    assert translate(sync.run(probe.check(ENTRY, asked)).message).startswith(f"The proxy for {FAR} does not work")


def test_a_socks_proxy_is_said_when_it_is_typed_and_may_be_kept():
    cluster = OwnCluster(id="1", name="x", server=FAR, auth="none", proxy_url="socks5://127.0.0.1:1080")
    (problem,) = own.check(cluster, None)
    assert (problem.field, problem.severity) == ("proxy_url", Severity.WARNING)
    assert "helm and kubectl alone" in translate(problem.hint)
