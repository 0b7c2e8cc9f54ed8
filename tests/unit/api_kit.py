"""A small HTTP(S) server on a real socket that answers as it is told, and certificates made for a test."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import email.utils
import ipaddress
import json
import ssl
import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


def reviewed(name, *groups):
    """Return the answer of a server that takes the caller for `name`."""
    user = {"username": name, "groups": list(groups)}
    return 201, {"kind": "SelfSubjectReview", "status": {"userInfo": user}}


def status(code, message, reason=""):
    return code, {"kind": "Status", "message": message, "reason": reason, "code": code}


FORBIDDEN = status(403, "it is forbidden", "Forbidden")


def good_api():
    """Return the answers of a server that knows and allows everything."""
    return {
        "/version": (200, {"gitVersion": "v1.36.3"}),
        WHO: reviewed("anna", "dev", "system:authenticated"),
        ACCESS: (201, {"status": {"allowed": True}}),
    }


class Api:
    """Answers by path: `(status, JSON or bytes)`, or a function of the query and the body that gives these two.

    What was asked is kept in `asked` as (method, path, query, headers).
    """

    def __init__(self, answers=None, clock_ahead=0.0):
        self.answers = good_api() if answers is None else answers
        self.clock_ahead = clock_ahead
        self.asked = []

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(1)
            if first == b"\x16":  # the begin of a TLS handshake
                writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return writer.close()
            head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query))
            self.asked.append((method, parts.path, query, headers))
            answer = self.answers.get(parts.path, status(404, "not found"))
            code, content = answer(query, json.loads(body or b"{}")) if callable(answer) else answer
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            date = email.utils.formatdate(time.time() + self.clock_ahead, usegmt=True)
            lines = [f"HTTP/1.1 {code} x", f"Content-Length: {len(data)}", f"Date: {date}", "Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode() + data)
            await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def listening(handler, context=None):
    """Run a server on a free port of 127.0.0.1, which is the value; every connection is ended with it."""
    running, writers = [], []

    async def tracked(reader, writer):
        running.append(asyncio.current_task())
        writers.append(writer)
        await handler(reader, writer)

    server = await asyncio.start_server(tracked, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*running)


async def silent(reader, writer):
    """Accept and never say a word, as a frozen server does."""
    with contextlib.suppress(OSError):
        await reader.read()
    writer.transport.abort()


def play(story, handler, context=None):
    """Run the coroutine function `story` with the port of a server that runs `handler`."""

    async def whole():
        async with asyncio.timeout(20), listening(handler, context) as port:
            return await story(port)

    return asyncio.run(whole())


def document(server, user=None, **cluster):
    """Return a kubeconfig document that leads to `server`."""
    return {
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "x", "user": {"token": "canary-token"} if user is None else user}],
    }


class Authority:
    """A certificate authority of a test."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._sign(self.name, self.key, [], -2, 365, ca=True)

    @property
    def data(self):
        """`certificate-authority-data`."""
        return base64.b64encode(_pem(self.certificate)).decode()

    def context(self, folder, names=("127.0.0.1", "localhost"), begins=-1, ends=100):
        """Return the context of a server whose certificate is for `names` and for these days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = self._sign(subject, key, names, begins, ends)
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (folder / "server.pem").write_bytes(_pem(certificate) + key.private_bytes(*form))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        return context

    def _sign(self, subject, key, names, begins, ends, ca=False):
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + ends * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            built = built.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        return built.sign(self.key, hashes.SHA256())


def _name(text):
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(text))
    return x509.DNSName(text)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


async def pump(reader, writer):
    """Carry bytes on until their end, as a tunnel does."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


def play_app(server, story):
    """Run the coroutine function `story` with a document that leads to `server`, whose `handle` answers (aiohttp)."""

    async def whole():
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", server.handle)
        # headers as large as a real server takes: a token may be 100 kB
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, max_field_size=200_000)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(20):
                return await story(document(f"http://127.0.0.1:{port}"))
        finally:
            await runner.cleanup()

    return asyncio.run(whole())


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(autouse=True)
def no_proxy_around(monkeypatch):
    """No proxy of this machine; autouse in every test file that names it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
