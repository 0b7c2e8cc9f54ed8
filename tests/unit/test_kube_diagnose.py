"""Connection tests against real sockets that misbehave: each time the stage at fault, the words, and the row."""

from __future__ import annotations

import asyncio
import socket

import pytest
from api_kit import (
    ACCESS,
    FORBIDDEN,
    WHO,
    Api,
    Authority,
    authority,
    document,
    good_api,
    listening,
    no_proxy_around,
    play,
    pump,
    reviewed,
    silent,
    status,
)

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.diagnose import diagnose
from ansflow_desktop.kube.diagnose_stages import STAGES
from ansflow_desktop.kube.diagnose_versions import skew
from ansflow_desktop.models.cluster import ClusterEntry, Finding, Reach
from ansflow_desktop.models.command import Tool, ToolSet

__all__ = ["authority", "no_proxy_around"]

ENTRY = ClusterEntry(name="x", context="x", user="anna")


def look(asked, timeout=5.0, **more):
    return sync.run(diagnose(ENTRY, asked, timeout, **more))


def served(api, scheme="http", context=None, timeout=5.0, tools=None, **cluster):
    """Return what a test of a server finds that answers as `api` does."""

    async def story(port):
        host = cluster.pop("host", "127.0.0.1")
        return await diagnose(ENTRY, document(f"{scheme}://{host}:{port}", **cluster), timeout, tools)

    return play(story, api if callable(api) else api.serve, context)


def stage(found, name):
    return next(one for one in found.stages if one.name == name)


def at_fault(found, name, reach=Reach.UNREACHABLE):
    """Check that stage `name` alone is at fault and nothing behind it was looked at; return its words."""
    bad = [one.name for one in found.stages if one.finding is Finding.BAD]
    assert bad == [name]
    behind = STAGES[STAGES.index(name) + 1 :]
    assert {stage(found, one).finding for one in behind} <= {Finding.SKIPPED}
    assert found.status.reach is reach and translate(found.status.message)
    assert found.worst.name == name
    return "\n".join(translate(text) for text in (found.worst.title, found.worst.message, found.worst.hint))


def test_all_is_well():
    found = served(Api(), tools=ToolSet())
    assert found.status.reach is Reach.REACHABLE and found.status.version == "v1.36.3"
    assert found.status.latency_ms > 0
    assert (found.user, found.groups) == ("anna", ("dev", "system:authenticated"))
    assert [one.name for one in found.stages] == list(STAGES)
    assert found.worst is None


def test_a_name_that_nobody_knows():
    words = at_fault(look(document("https://no-such-host.invalid:6443")), "dns")
    assert "no-such-host.invalid cannot be resolved" in words and "VPN" in words


def test_a_closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    words = at_fault(look(document(f"https://127.0.0.1:{port}")), "tcp")
    assert f"Port {port} of 127.0.0.1 does not accept connections" in words


@pytest.mark.parametrize(("scheme", "name"), [("https", "tls"), ("http", "api")])
def test_a_frozen_server_is_given_up(scheme, name):
    found = served(silent, scheme, timeout=0.2)
    assert "0.2 s" in at_fault(found, name)


@pytest.mark.parametrize(
    ("server", "cluster"),
    [
        ("", {}),
        ("https://", {}),
        ("ftp://example.org", {}),
        ("https://h:99999", {}),
        ("https://[::1", {}),
        (None, {}),
        ("https://:6443", {}),
    ],
)
def test_an_address_that_is_none(server, cluster):
    found = look(document(server, **cluster))
    assert found.status.reach is Reach.UNREACHABLE
    assert found.worst.finding is Finding.BAD and found.worst.name in ("address", "dns", "tcp")


@pytest.mark.parametrize(
    "junk",
    [{}, {"clusters": []}, {"clusters": [{}]}, {"clusters": [{"cluster": None}]}, {"clusters": "x"}],
    ids=["empty", "none", "bare", "null", "text"],
)
def test_a_document_of_another_shape_is_told_and_not_raised(junk):
    at_fault(look(junk), "address")


def test_a_certificate_for_another_name(authority, tmp_path):
    context = authority.context(tmp_path, names=("api.example.org", "10.0.0.1"))
    found = served(Api(), "https", context, **{"certificate-authority-data": authority.data})
    words = at_fault(found, "tls")
    assert "not for 127.0.0.1 but for api.example.org, 10.0.0.1" in words
    named = {"certificate-authority-data": authority.data, "tls-server-name": "api.example.org"}
    assert stage(served(Api(), "https", context, **named), "tls").finding is Finding.GOOD


def test_an_authority_that_is_not_trusted(authority, tmp_path):
    other = Authority()
    found = served(Api(), "https", authority.context(tmp_path), **{"certificate-authority-data": other.data})
    assert "signed by an authority that is not trusted: CN=test authority" in at_fault(found, "tls")


@pytest.mark.parametrize(("days", "words"), [((-3, -1), "ended on"), ((1, 3), "begins on")])
def test_a_certificate_out_of_its_time(authority, tmp_path, days, words):
    context = authority.context(tmp_path, begins=days[0], ends=days[1])
    found = served(Api(), "https", context, **{"certificate-authority-data": authority.data})
    said = at_fault(found, "tls")
    assert f"The server's certificate {words}" in said and "clock" in said


def test_a_certificate_that_ends_soon_is_a_warning(authority, tmp_path):
    context = authority.context(tmp_path, ends=3)
    found = served(Api(), "https", context, **{"certificate-authority-data": authority.data})
    assert found.status.reach is Reach.REACHABLE
    assert stage(found, "tls").finding is Finding.WARNING and "ends soon" in translate(stage(found, "tls").title)


def test_a_certificate_that_is_not_verified_is_a_warning(authority, tmp_path):
    found = served(Api(), "https", authority.context(tmp_path), **{"insecure-skip-tls-verify": True})
    assert found.status.reach is Reach.REACHABLE
    assert translate(found.worst.title) == "The server's certificate is not verified"


@pytest.mark.parametrize("data", ["***", "eA==", "bm8gUEVN"], ids=["no-base64", "no-pem", "text"])
def test_an_authority_that_cannot_be_read(authority, tmp_path, data):
    found = served(Api(), "https", authority.context(tmp_path), **{"certificate-authority-data": data})
    assert "certificate of the authority cannot be read" in at_fault(found, "tls")


def test_https_where_the_server_speaks_http():
    assert "does not speak TLS" in at_fault(served(Api(), "https"), "tls")


def test_http_where_the_server_speaks_https(authority, tmp_path):
    at_fault(served(Api(), "http", authority.context(tmp_path)), "api")


def test_a_web_page_in_the_place_of_the_server_gets_no_token():
    portal = Api({"/version": (200, b"<!DOCTYPE html><title>Sign in to Hotel WLAN</title>")})
    words = at_fault(served(portal), "api")
    assert "A web page answers" in words and "Hotel WLAN" in words
    assert portal.asked and not any("authorization" in headers for *_, headers in portal.asked)


@pytest.mark.parametrize("answer", [(200, {}), (200, b"hello"), (200, b"\xff\xfe"), (404, b"no")])
def test_something_else_answers(answer):
    at_fault(served(Api({"/version": answer})), "api")


def test_a_server_that_cannot_answer_now():
    found = served(Api({"/version": status(500, "etcd is gone")}), timeout=0.5)
    at_fault(found, "api")


@pytest.mark.parametrize(
    "answer",
    [
        status(401, "Unauthorized", "Unauthorized"),
        status(403, 'User "system:anonymous" cannot create', "Forbidden"),
        reviewed("system:anonymous"),
    ],
    ids=["401", "anonymous-403", "anonymous"],
)
def test_credentials_that_the_server_refuses(answer):
    found = served(Api({**good_api(), WHO: answer}))
    assert "The server refuses the credentials" in at_fault(found, "credentials", Reach.REFUSED)
    assert found.status.version == "v1.36.3"


def test_a_server_that_shows_its_version_to_nobody_unknown():
    api = Api()
    api.answers["/version"] = lambda query, body: (
        (200, {"gitVersion": "v1.30.0"}) if "authorization" in api.asked[-1][3] else status(401, "Unauthorized")
    )
    found = served(api)
    assert found.status.reach is Reach.REACHABLE and found.status.version == "v1.30.0"


def test_an_older_server_that_cannot_say_who_we_are():
    api = Api({**good_api(), WHO: status(404, "no"), "/api": (200, {})})
    found = served(api)
    assert found.status.reach is Reach.REACHABLE and found.user == ""
    refused = Api({**good_api(), WHO: status(404, "no"), "/api": status(401, "Unauthorized")})
    at_fault(served(refused), "credentials", Reach.REFUSED)


@pytest.mark.parametrize(("ahead", "words"), [(300, "ahead of"), (-300, "behind")])
def test_clocks_that_differ(ahead, words):
    found = served(Api(clock_ahead=ahead))
    assert found.status.reach is Reach.REACHABLE
    assert stage(found, "credentials").finding is Finding.WARNING
    assert words in translate(stage(found, "credentials").title)
    assert abs(found.clock_ahead - ahead) < 30
    refused = served(Api({**good_api(), WHO: status(401, "Unauthorized")}, clock_ahead=ahead))
    assert words in at_fault(refused, "credentials", Reach.REFUSED)


def test_a_program_that_is_missing_is_at_fault_and_not_the_way():
    plugin = {"exec": {"command": "no-such-program-here", "apiVersion": "client.authentication.k8s.io/v1"}}
    found = served(Api(), user=plugin)
    assert "no-such-program-here" in at_fault(found, "credentials", Reach.REFUSED)


def test_rights_that_a_deploy_would_miss():
    def allowed(query, body):
        asked = body["spec"]["resourceAttributes"]
        return 201, {"status": {"allowed": asked["resource"] != "secrets"}}

    found = served(Api({**good_api(), ACCESS: allowed}))
    assert found.status.reach is Reach.REACHABLE
    assert stage(found, "rights").finding is Finding.WARNING
    assert translate(stage(found, "rights").message) == "Not allowed: get secrets, create secrets"
    unknown = served(Api({**good_api(), ACCESS: FORBIDDEN}))
    assert stage(unknown, "rights").finding is Finding.SKIPPED


def test_tools_that_do_not_support_the_server():
    old = ToolSet(kubectl=Tool(name="kubectl", path="/k", version="1.30.1"))
    found = served(Api(), tools=old)
    assert stage(found, "version").finding is Finding.WARNING
    assert "kubectl 1.30.1 is too old" in translate(stage(found, "version").title)


@pytest.mark.parametrize(
    ("server", "kubectl", "helm", "words"),
    [
        ("v1.36.3", "1.35.0", "4.3.1", []),
        ("v1.36.3", "1.37.9", "3.22.0", []),
        ("v1.36.3", "1.38.0", "3.17.3", ["kubectl 1.38.0 is too new", "helm 3.17.3 is too old"]),
        ("v1.36.3+k3s1", "1.34.0", "3.19.0", ["kubectl 1.34.0 is too old"]),
        ("v1.30.0", "1.31.0", "4.3.1", ["helm 4.3.1 is too new"]),
        ("v0.0.0-master", "1.31.0", "4.3.1", []),
        ("", "", "", []),
        ("v1.36.3", "what", "5.0.0", []),
    ],
)
def test_versions_that_do_not_go_together(server, kubectl, helm, words):
    tools = ToolSet(
        kubectl=Tool(name="kubectl", path="/k", version=kubectl), helm=Tool(name="helm", path="/h", version=helm)
    )
    found = [translate(message) for message in skew(server, tools)]
    assert len(found) == len(words)
    assert all(said.startswith(word) for said, word in zip(found, words, strict=True))


class Proxy:
    """An HTTP proxy that answers CONNECT with `line`, and connects when that says 200."""

    def __init__(self, line=b"HTTP/1.1 200 OK"):
        self.line = line
        self.heads = []

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        writer.write(self.line + b"\r\n\r\n")
        if b" 200 " in self.line:
            port = int(head.split(b" ")[1].rsplit(b":", 1)[1])
            far = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, far[1]), pump(far[0], writer))
        writer.transport.abort()


def by_proxy(proxy, authority, folder, monkeypatch=None, login=""):
    """Return what a test finds by way of `proxy`, named by the cluster or, with `monkeypatch`, by the environment."""

    async def story(port):
        more = {"certificate-authority-data": authority.data}
        async with listening(proxy.serve) as near:
            url = f"http://{login}127.0.0.1:{near}"
            if monkeypatch:
                monkeypatch.setenv("HTTPS_PROXY", url)
            else:
                more["proxy-url"] = url
            return await diagnose(ENTRY, document(f"https://api.invalid:{port}", **more), 5.0)

    return play(story, Api().serve, authority.context(folder, ("api.invalid",)))


@pytest.mark.parametrize("by_environment", [False, True])
def test_by_way_of_a_proxy(authority, tmp_path, monkeypatch, by_environment):
    proxy = Proxy()
    found = by_proxy(proxy, authority, tmp_path, monkeypatch if by_environment else None, "me:p%40ss@")
    assert found.status.reach is Reach.REACHABLE
    assert stage(found, "proxy").finding is Finding.GOOD
    assert stage(found, "dns").finding is Finding.SKIPPED
    assert "p@ss" not in repr(found) and "p%40ss" not in repr(found)
    assert all("Proxy-Authorization: Basic bWU6cEBzcw==" in head for head in proxy.heads)


def test_a_proxy_that_refuses(authority, tmp_path):
    words = at_fault(by_proxy(Proxy(b"HTTP/1.1 407 Proxy Authentication Required"), authority, tmp_path), "proxy")
    assert "asks for a name and a password" in words
    words = at_fault(by_proxy(Proxy(b"HTTP/1.1 403 Blocked by policy"), authority, tmp_path), "proxy")
    assert "does not connect to api.invalid" in words and "Blocked by policy" in words


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:1", "cannot be reached"),
        ("http://no-such-proxy.invalid:3128", "cannot be reached"),
        ("socks5://127.0.0.1:1080", "SOCKS"),
        ("nonsense", "address of the proxy is wrong"),
        ("http://h:99999", "address of the proxy is wrong"),
    ],
)
def test_a_proxy_that_cannot_be_used(proxy, words):
    assert words in at_fault(look(document("https://127.0.0.1:6443", **{"proxy-url": proxy})), "proxy")
