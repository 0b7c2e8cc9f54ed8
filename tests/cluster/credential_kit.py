"""A practice cluster of its own for tests of credentials: static tokens, signed tokens and certificates, a freezer."""

from __future__ import annotations

import base64
import contextlib
import csv
import datetime
import http.client
import http.server
import io
import json
import os
import secrets
import select
import signal
import socket
import ssl
import threading
import time
from pathlib import Path

import jwt
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from practice_kit import api_of

from ansflow_desktop import paths
from ansflow_desktop.practice import components, daemons
from ansflow_desktop.practice.cluster import PracticeClusters

ISSUER = components._SERVICE_ISSUER
UTC = datetime.UTC
STATIC_KEY = secrets.token_bytes(32)  # of nobody: the API server knows these tokens by their text alone


def static_jwt(**claims):
    """Return a JWT that no key of the cluster signed; only the API server's token file makes it known."""
    return jwt.encode({"sub": "static", "jti": secrets.token_hex(8), **claims}, STATIC_KEY, "HS256")


def account_that_renews(api, namespace, name="deployer"):
    """Make `namespace` with a ServiceAccount in it that may renew its own token, and nothing else."""
    api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": [name], "verbs": ["create"]}
    api.create(f"{rbac}/roles", {"metadata": {"name": "renew"}, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "renew"}
    api.create(f"{rbac}/rolebindings", {"metadata": {"name": "renew"}, "roleRef": role, "subjects": [subject]})


class Place:
    """A running practice cluster whose static tokens were there before its start."""

    def __init__(self, directories: paths.Directories, static: dict[str, str]) -> None:
        self.name = "credentials"
        self._clusters = PracticeClusters(directories)
        self.folder = directories.practice.resolve() / self.name
        self._write_tokens(static)
        self.info = self._clusters.start(self.name, nodes=1)
        self.api = api_of(self.info.kubeconfig)

    def _write_tokens(self, static):
        pki = self.folder / "pki"
        for folder in (self.folder.parent, self.folder, pki):
            paths.make_private(folder)
        rows = [(secrets.token_urlsafe(32), "practice-admin", "practice-admin", "system:masters")]
        rows += [(token, user, user, "people,testers") for user, token in static.items()]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        (pki / "tokens.csv").write_text(text.getvalue())
        (pki / "tokens.csv").chmod(0o600)

    def remove(self):
        self._clusters.remove(self.name)

    def document(self, user, server=None, **cluster):
        """Return a minimal kubeconfig document that signs in as `user` (fields of a kubeconfig user)."""
        found = yaml.safe_load(self.info.kubeconfig.read_text())
        name = found["users"][0]["name"]
        found["users"] = [{"name": name, "user": user}]
        found["clusters"][0]["cluster"].update({"server": server or self.info.server, **cluster})
        return found

    def account(self, name):
        """Create the ServiceAccount `name` in `default` and return its uid."""
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
        status, answer = self.api.request("POST", "/api/v1/namespaces/default/serviceaccounts", body)
        assert status == 201, answer
        return json.loads(answer)["metadata"]["uid"]

    def remove_account(self, name):
        status, answer = self.api.request("DELETE", f"/api/v1/namespaces/default/serviceaccounts/{name}")
        assert status == 200, answer

    def requested(self, name, seconds):
        """Return a token of a ServiceAccount that the cluster itself gave by TokenRequest."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        path = f"/api/v1/namespaces/default/serviceaccounts/{name}/token"
        status, answer = self.api.request("POST", path, body)
        assert status == 201, answer
        return json.loads(answer)["status"]["token"]

    def signed(self, name, uid, begins, ends):
        """Return a token of a ServiceAccount signed with the cluster's own key, for any time (seconds from now)."""
        now = int(time.time())
        account = {"namespace": "default", "serviceaccount": {"name": name, "uid": uid}}
        claims = {
            "iss": ISSUER,
            "aud": [ISSUER],
            "sub": f"system:serviceaccount:default:{name}",
            "iat": now + min(begins, 0),
            "nbf": now + begins,
            "exp": now + ends,
            "kubernetes.io": account,
        }
        key = (self.folder / "pki" / "service-account.key").read_bytes()
        return jwt.encode(claims, key, "RS256")

    def certificate(self, user, begins, ends, group="people"):
        """Return the kubeconfig fields of a client certificate of the cluster's CA (seconds from now)."""
        pki = self.folder / "pki"
        authority = x509.load_pem_x509_certificate((pki / "ca.crt").read_bytes())
        signer = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), None)
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(UTC).replace(microsecond=0)
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, user), x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)]
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(seconds=begins))
            .not_valid_after(now + datetime.timedelta(seconds=ends))
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(signer, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "client-certificate-data": _encoded(made.public_bytes(serialization.Encoding.PEM)),
            "client-key-data": _encoded(private),
        }

    @contextlib.contextmanager
    def frozen(self):
        """Stop the API server's process, which this object started, and let it go on again whatever happens."""
        [server] = [one for one in daemons.running(self.folder) if one.program == "kube-apiserver"]
        os.kill(server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(server.pid, signal.SIGCONT)


def _encoded(data):
    return base64.b64encode(data).decode()


class _Relay(http.server.BaseHTTPRequestHandler):
    """Passes a request on to the API server and its answer back, with another Date."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPSConnection(*self.server.target, context=self.server.trust, timeout=10)
        try:
            connection.request("POST", self.path, body, _passed_on(self.headers))
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheader("Content-Type"), answer.read())
        finally:
            connection.close()

    def _answer(self, status, kind, body):
        self.send_response(status)  # adds Date
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + self.server.ahead)

    def log_message(self, *_):
        """Say nothing."""


class _Page(_Relay):
    """A captive portal: a page for every question."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(200, "text/html", b"<html>Please accept our terms</html>")


def _passed_on(headers):
    kept = ("authorization", "content-type", "accept", "user-agent")
    return {name: value for name, value in headers.items() if name.lower() in kept}


@contextlib.contextmanager
def _serving(handler, **fields):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        vars(server).update(fields)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


def clock_proxy(place: Place, ahead: float):
    """Return a context with the address of a proxy before the cluster whose Date is `ahead` seconds ahead."""
    trust = ssl.create_default_context(cafile=str(Path(place.folder) / "pki" / "ca.crt"))
    return _serving(_Relay, target=("127.0.0.1", place.api.port), trust=trust, ahead=ahead)


def captive_portal():
    """Return a context with the address of a server that answers every question with a page."""
    return _serving(_Page, ahead=0)


class _Connect(http.server.BaseHTTPRequestHandler):
    """An HTTP proxy that knows CONNECT alone."""

    def do_CONNECT(self):
        self.server.asked.append(self.path)
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):  # who asked went away
                self._pass_on(far)

    def _pass_on(self, far):
        both = {self.connection: far, far: self.connection}
        while True:
            for ready in select.select(list(both), [], [], 10)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                both[ready].sendall(data)

    def log_message(self, *_):
        """Say nothing."""


class _Proxy:
    """Where a proxy is, and what it was asked for."""

    def __init__(self) -> None:
        self.url, self.asked = "", []


@contextlib.contextmanager
def connect_proxy():
    """Return a context with an HTTP proxy: its `url`, and the places it was `asked` to connect to."""
    proxy = _Proxy()
    with _serving(_Connect, asked=proxy.asked) as proxy.url:
        yield proxy
