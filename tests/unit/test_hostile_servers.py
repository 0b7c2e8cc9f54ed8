"""Servers and files that mean harm: what leads elsewhere, what has no end, what is looked at again and again."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os

import pytest

from ansflow_desktop.credentials.certificates import read_certificates
from ansflow_desktop.executors.renewal_holder import holder_of
from ansflow_desktop.kube import client as client_module
from ansflow_desktop.kube import own
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.diagnose_network import context_of
from ansflow_desktop.kube.errors import KubeError
from tests.unit.api_kit import listening

SECRET = "kind: Secret\nstringData: {password: planted-secret}"


def document(port, **user):
    return {
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "one", "user": {"token": "planted-token", **user}}],
    }


class Answering:
    """A server that answers every request with the same bytes, or by path, and keeps what it was sent."""

    def __init__(self, *lines, body=b"{}", paths=None):
        self.asked = []
        self.paths = paths or {}
        self.answer = self.made(*lines, body=body)

    @staticmethod
    def made(*lines, body=b"{}"):
        head = [*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]
        return "\r\n".join(head).encode() + body

    async def __call__(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head + await reader.read(head.lower().count(b"content-length") * 4096))
            writer.write(self.paths.get(head.split(b" ")[1], self.answer))
            await writer.drain()
        writer.close()


async def asked(port, call):
    async with ClusterClient(document(port), timeout=10) as client:
        return await call(client)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get("/version"),
        lambda client: client.dry_apply("/api/v1/x", SECRET, "ansflow"),
        lambda client: client.put("/api/v1/x", {"password": "planted-secret"}),
    ],
)
@pytest.mark.parametrize("status", [302, 307])
def test_nothing_follows_a_redirect_to_another_server(call, status):
    other = Answering("HTTP/1.1 200 OK")

    async def run():
        async with listening(other) as away:
            sender = Answering(f"HTTP/1.1 {status} Found", f"Location: http://localhost:{away}/x")
            async with listening(sender) as here:
                with pytest.raises(KubeError) as caught:
                    await asked(here, call)
        return caught.value

    error = asyncio.run(run())
    assert other.asked == [] and "localhost" in str(error.message)


def test_a_body_follows_no_redirect_at_all():
    sender = Answering("HTTP/1.1 307 Found", "Location: /other")

    async def run():
        async with listening(sender) as here:
            with pytest.raises(KubeError):
                await asked(here, lambda client: client.dry_apply("/api/v1/x", SECRET, "ansflow"))

    asyncio.run(run())
    assert len(sender.asked) == 1


def test_a_redirect_to_nowhere_is_no_answer():
    async def run():
        async with listening(Answering("HTTP/1.1 302 Found", body=b"<html>")) as here:
            await asked(here, lambda client: client.get("/version"))

    with pytest.raises(KubeError):
        asyncio.run(run())


@pytest.mark.parametrize("status", ["200 OK", "500 No"])
def test_a_packed_answer_does_not_fill_the_memory(monkeypatch, status):
    monkeypatch.setattr(client_module, "_MOST_BYTES", 1024 * 1024)
    bomb = gzip.compress(b" " * 8 * 1024 * 1024)

    async def run():
        server = Answering(f"HTTP/1.1 {status}", "Content-Encoding: gzip", body=bomb)
        async with listening(server) as here:
            await asked(here, lambda client: client.get("/version"))

    with pytest.raises(KubeError, match="larger than 1 MB"):
        asyncio.run(run())


def test_an_event_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(client_module, "_MOST_LINE", 64 * 1024)

    async def events(client):
        return [event async for event in client.watch("/api/v1/pods", {})]

    async def run():
        async with listening(Answering("HTTP/1.1 200 OK", body=b"x" * 1024 * 1024)) as here:
            await asked(here, events)

    with pytest.raises(KubeError, match="larger than 0 MB"):
        asyncio.run(run())


def test_events_come_whole_whatever_their_pieces():
    lines = [b'{"type":"ADDED","object":{"n":%d}}' % number for number in range(3)]

    class Pieces:
        async def iter_any(self):
            whole = b"\n".join(lines) + b"\n\n"
            for place in range(0, len(whole), 7):
                yield whole[place : place + 7]

    class Response:
        content = Pieces()

    async def run():
        return [line async for line in client_module._lines(Response())]

    assert asyncio.run(run()) == lines


def test_a_token_file_without_end_or_writer_is_no_token(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def run(path):
        async with ClusterClient(document(1, tokenFile=path)):
            pass

    with pytest.raises(KubeError, match="cannot be read"):
        asyncio.run(run("/dev/zero"))
    asyncio.run(run(str(pipe)))  # an empty one: what the server says of no token is shown
    for path in ("/dev/zero", str(pipe)):
        assert not holder_of(document(1, token="", tokenFile=path)).user
        with pytest.raises(ValueError):
            context_of({"certificate-authority": path})


def test_beginnings_without_an_end_are_looked_at_once():
    """Half a megabyte of them took minutes when each looked for its own end."""
    many = 500_000
    (claims,) = read_certificates(b"-----BEGIN CERTIFICATE-----" * (many // 27))
    assert claims.problem
    assert own._pem_problem("-----BEGIN KEY-----" * (many // 19), "KEY")
    assert not own._pem_problem("-----BEGIN KEY-----x-----END KEY-----", "KEY")
