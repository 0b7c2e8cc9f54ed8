"""Charts that are no folder: from a repository by version, an OCI registry, an address, a packed file."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from deploy_help import HELM_4, Deployer, make_chart

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.run import Phase

CONFIG = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(scope="session")
def packed(tmp_path_factory, helm) -> Path:
    """A chart repository's folder: `shop` 0.1.0 and 0.2.0, which differ in their greeting; packed once."""
    place = tmp_path_factory.mktemp("packed")
    folder = place / "charts"
    home = {f"HELM_{name}_HOME": str(place / name) for name in ("CONFIG", "CACHE", "DATA")}
    for version in ("0.1.0", "0.2.0"):
        chart = make_chart(place / version / "shop", "shop")
        (chart / "values.yaml").write_text(f"greeting: from {version}\nnodeSelector: {{}}\n")
        package = [helm.path, "package", str(chart), "--version", version, "--destination", str(folder)]
        subprocess.run(package, check=True, capture_output=True, env=home)
    subprocess.run([helm.path, "repo", "index", str(folder)], check=True, capture_output=True, env=home)
    return folder


@pytest.fixture
def charts(tmp_path, packed) -> Path:
    """The repository's folder, the test's own."""
    return shutil.copytree(packed, tmp_path / "charts")


def serve(handler, context: ssl.SSLContext | None = None):
    """Serve on the loopback; yields the port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args) -> None:
        """Say nothing."""


@pytest.fixture
def repository(charts):
    """The address of the repository."""
    for port in serve(functools.partial(_Quiet, directory=str(charts))):
        yield f"http://127.0.0.1:{port}"


class _Registry(http.server.BaseHTTPRequestHandler):
    """The reading half of the OCI distribution API for one repository, `charts/shop`."""

    blobs: dict[str, tuple[str, bytes]]
    tags: dict[str, str]

    def do_GET(self) -> None:
        what, _, name = self.path.removeprefix("/v2/charts/shop/").partition("/")
        if self.path == "/v2/":
            self._send("application/json", b"{}")
        elif what == "tags":
            self._send("application/json", json.dumps({"name": "charts/shop", "tags": list(self.tags)}).encode())
        elif self.tags.get(name, name) in self.blobs:
            self._send(*self.blobs[self.tags.get(name, name)])
        else:
            self._send("application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', 404)

    do_HEAD = do_GET

    def _send(self, kind: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", digest(body))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_args) -> None:
        """Say nothing."""


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def registry(charts, kubeconfig, monkeypatch):
    """The address of an OCI registry with both charts; helm trusts its certificate, which is the API server's."""
    pki = kubeconfig.parent / "pki"
    monkeypatch.setenv("SSL_CERT_FILE", str(pki / "ca.crt"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "server.crt", pki / "server.key")
    _Registry.blobs, _Registry.tags = {}, {}
    for version in ("0.1.0", "0.2.0"):
        _push(charts / f"shop-{version}.tgz", version)
    for port in serve(_Registry, context):
        yield f"oci://127.0.0.1:{port}/charts"


def _push(archive: Path, version: str) -> None:
    def store(kind: str, data: bytes) -> dict[str, object]:
        _Registry.blobs[digest(data)] = (kind, data)
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    config = store(CONFIG, json.dumps({"apiVersion": "v2", "name": "shop", "version": version}).encode())
    layer = store(LAYER, archive.read_bytes())
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    _Registry.tags[version] = str(store(MANIFEST, json.dumps(manifest).encode())["digest"])


@pytest.fixture
def deployer(kubeconfig, toolset, tmp_path, namespace, monkeypatch):
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"HELM_{name}_HOME", str(tmp_path / "home" / name))
    return Deployer(kubeconfig, toolset, tmp_path, namespace)


def greeting(kubectl_json, deployer, release="shop-release") -> str:
    name = f"{release}-shop"
    return kubectl_json("get", "configmap", name, "-n", deployer.namespace)["data"]["greeting"]


def test_from_a_repository_by_version_range_and_newest(deployer, repository, kubectl_json, tmp_path):
    for version, expected in (("0.1.0", "from 0.1.0"), ("~0.2", "from 0.2.0"), ("", "from 0.2.0")):
        result = deployer.run(tmp_path, chart_name="shop", chart_repo=repository, chart_version=version)
        assert result.phase is Phase.SUCCEEDED, (result.message, deployer.output)
        assert greeting(kubectl_json, deployer) == expected


@HELM_4
def test_values_are_laid_over_a_repositorys_chart(deployer, repository, kubectl_json, tmp_path):
    (tmp_path / "over.yaml").write_text("greeting: from the file\n")
    config = {"chart_name": "shop", "chart_repo": repository, "values_files": ["over.yaml"]}

    assert deployer.run(tmp_path, **config).phase is Phase.SUCCEEDED
    assert greeting(kubectl_json, deployer) == "from the file"
    assert deployer.run(tmp_path, **config, custom_values="greeting: typed\n").phase is Phase.SUCCEEDED
    assert greeting(kubectl_json, deployer) == "typed"


def test_a_repository_that_the_user_has_configured(deployer, repository, helm, kubectl_json, tmp_path):
    subprocess.run([helm.path, "repo", "add", "mine", repository], check=True, capture_output=True)

    result = deployer.run(tmp_path, chart_name="shop", chart_repo="mine", chart_version="0.1.0")

    assert result.phase is Phase.SUCCEEDED, result.message
    assert greeting(kubectl_json, deployer) == "from 0.1.0"


@pytest.mark.parametrize("place", ["chart_repo", "chart_path"])
def test_from_an_oci_registry(deployer, registry, kubectl_json, tmp_path, place):
    given = (
        {"chart_repo": registry, "chart_name": "shop"} if place == "chart_repo" else {"chart_path": f"{registry}/shop"}
    )

    result = deployer.run(tmp_path, **given, chart_version="0.1.0")

    assert result.phase is Phase.SUCCEEDED, (result.message, deployer.output)
    assert greeting(kubectl_json, deployer) == "from 0.1.0"
    assert deployer.run(tmp_path, **given).phase is Phase.SUCCEEDED
    assert greeting(kubectl_json, deployer) == "from 0.2.0"


@pytest.mark.parametrize("field", ["chart_name", "chart_path"])
def test_from_an_address_and_a_packed_file(deployer, repository, charts, kubectl_json, field):
    for place in (f"{repository}/shop-0.1.0.tgz", "./shop-0.2.0.tgz"):
        result = deployer.run(charts, **{field: place})
        assert result.phase is Phase.SUCCEEDED, (result.message, deployer.output)
        assert greeting(kubectl_json, deployer) == f"from {place[-9:-4]}"


@pytest.mark.parametrize(
    ("config", "words", "hint"),
    [
        ({"chart_name": "gone"}, "gone", "chart_name"),
        ({"chart_name": "shop", "chart_version": "9.9.9"}, "9.9.9", "chart_version"),
    ],
)
def test_what_the_repository_does_not_have_changes_nothing(deployer, repository, kubectl_json, config, words, hint):
    result = deployer.run("/", chart_repo=repository, **config)

    assert result.phase is Phase.FAILED
    assert words in str(result.message)
    assert hint in str(result.hint)
    found = {item["metadata"]["name"] for item in kubectl_json("get", "namespaces")["items"]}
    assert deployer.namespace not in found


def test_a_repository_that_does_not_answer(deployer):
    result = deployer.run("/", chart_repo="http://127.0.0.1:9", chart_name="shop")
    assert result.phase is Phase.FAILED
    assert "127.0.0.1:9" in str(result.message)
    assert "chart_repo" in str(result.hint)


def test_a_version_that_the_registry_does_not_have(deployer, registry, tmp_path):
    result = deployer.run(tmp_path, chart_path=f"{registry}/shop", chart_version="9.9.9")
    assert result.phase is Phase.FAILED
    assert "chart_version" in str(result.hint), (result.message, result.hint)


@pytest.mark.parametrize(
    "config",
    [
        {"chart_repo": "https://me:secret@charts.example", "chart_name": "shop"},
        {"chart_path": "https://me:secret@charts.example/shop-0.1.0.tgz"},
        {"chart_name": "https://me:secret@charts.example/shop-0.1.0.tgz"},
    ],
)
def test_a_password_in_an_address_never_reaches_a_command_line(deployer, config):
    with pytest.raises(UserError) as caught:
        deployer.run("/", **config)
    assert "secret" not in str(caught.value)
    assert deployer.argvs == []
