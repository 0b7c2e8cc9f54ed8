"""Downloads against a real HTTP server on loopback: good, wrong, cut off and resumed, missing, without a checksum."""

import hashlib
import http.server
import io
import json
import socket
import tarfile
import threading
import time
import zipfile

import pytest

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.practice import downloads, pins
from ansflow_desktop.practice.downloads import Downloader, Unavailable
from ansflow_desktop.process import Cancel

PROGRAM = b"#!/bin/sh\necho program\n" + bytes(range(256)) * 4096
CHECKSUM = hashlib.sha256(PROGRAM).hexdigest()


class Files(http.server.ThreadingHTTPServer):
    """Serves `files` by path; `cut` says after how many bytes the first answers for a path break off."""

    daemon_threads = False
    block_on_close = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.requests = {}, {}, []

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Files

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        content = self.server.files.get(self.path)
        if content is None:
            return self.send_error(404)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if wanted and start >= len(content):
            return self.send_error(416)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cuts = self.server.cut.get(self.path, [])
        self.wfile.write(content[start : cuts.pop(0) if cuts else None])
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Files() as files:
        thread = threading.Thread(target=files.serve_forever, args=(0.01,))
        thread.start()
        yield files
        files.shutdown()
        thread.join()


def a_pin(server, path="/tool", **changes):
    values = {
        "key": "tool",
        "name": "tool",
        "version": "1.0.0",
        "url": server.base + path,
        "member": "",
        "sha256": CHECKSUM,
        "checksum": server.base + path + ".sha256",
        "module": "kwok",
        "package": "example.com/none",
        "ldflags": "",
    }
    return pins.Pin(**{**values, **changes})


def fetch(pin, folder, cancel=None, report=lambda progress: None):
    return Downloader().fetch(pin, folder, report, cancel)


def test_a_good_download_is_the_program_and_leaves_no_partial_file(server, tmp_path):
    server.files["/tool"] = PROGRAM
    seen = []
    program = fetch(a_pin(server), tmp_path, report=seen.append)
    assert program.read_bytes() == PROGRAM
    assert list(tmp_path.iterdir()) == [program]
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_a_wrong_checksum_refuses_and_drops_the_download(server, tmp_path):
    server.files["/tool"] = PROGRAM + b"tampered"
    with pytest.raises(UserError, match="not what its publisher released") as caught:
        fetch(a_pin(server), tmp_path)
    assert caught.value.code is ExitCode.FAILED
    assert CHECKSUM in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_download_cut_off_twice_goes_on_where_it_was(server, tmp_path):
    server.files["/tool"] = PROGRAM
    server.cut["/tool"] = [300_000, 700_000]
    assert fetch(a_pin(server), tmp_path).read_bytes() == PROGRAM
    starts = [wanted for path, wanted in server.requests if path == "/tool"]
    assert starts == [None, "bytes=300000-", "bytes=700000-"]


def test_a_download_that_keeps_breaking_off_is_resumed_by_the_next_call(server, tmp_path):
    server.files["/tool"] = PROGRAM
    server.cut["/tool"] = [1000, 2000, 3000, 4000]
    with pytest.raises(Unavailable, match="cut off"):
        fetch(a_pin(server), tmp_path)
    assert fetch(a_pin(server), tmp_path).read_bytes() == PROGRAM
    assert server.requests[-1] == ("/tool", "bytes=4000-")


def test_a_partial_file_longer_than_the_download_is_thrown_away(server, tmp_path):
    server.files["/tool"] = PROGRAM
    (tmp_path / "tool-1.0.0-tool.part").write_bytes(PROGRAM * 2)
    assert fetch(a_pin(server), tmp_path).read_bytes() == PROGRAM


def test_a_missing_file_is_unavailable_and_names_the_address(server, tmp_path):
    with pytest.raises(Unavailable, match=r"/tool.*404"):
        fetch(a_pin(server), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        CHECKSUM,
        f"{CHECKSUM}\n",
        f"{CHECKSUM}  tool\n",
        f"{'0' * 64}  other\n{CHECKSUM.upper()} *tool\n",
    ],
)
def test_the_publishers_own_checksum_file_is_used_when_none_is_pinned(server, tmp_path, text):
    server.files["/tool"], server.files["/tool.sha256"] = PROGRAM, text.encode()
    assert fetch(a_pin(server, sha256=""), tmp_path).read_bytes() == PROGRAM


@pytest.mark.parametrize(
    "text", ["", "<html>not a checksum</html>", f"{'0' * 64}  other\n{'1' * 64}  another\n", "1234"]
)
def test_nothing_is_downloaded_without_a_checksum(server, tmp_path, text):
    server.files["/tool"], server.files["/tool.sha256"] = PROGRAM, text.encode()
    with pytest.raises(Unavailable, match="No checksum"):
        fetch(a_pin(server, sha256=""), tmp_path)
    assert ("/tool", None) not in server.requests


def test_a_missing_checksum_file_is_unavailable(server, tmp_path):
    server.files["/tool"] = PROGRAM
    with pytest.raises(Unavailable, match="404"):
        fetch(a_pin(server, sha256=""), tmp_path)


def test_githubs_digest_of_the_asset_is_used(server, tmp_path):
    assets = [{"name": "other", "digest": "sha256:" + "0" * 64}, {"name": "tool", "digest": f"sha256:{CHECKSUM}"}]
    server.files["/tool"], server.files["/release"] = PROGRAM, json.dumps({"assets": assets}).encode()
    pin = a_pin(server, sha256="", checksum=f"github:{server.base}/release")
    assert fetch(pin, tmp_path).read_bytes() == PROGRAM


@pytest.mark.parametrize("answer", [b"[]", b"no json", b'{"assets": [{"name": "tool", "digest": null}]}'])
def test_github_without_a_digest_refuses(server, tmp_path, answer):
    server.files["/tool"], server.files["/release"] = PROGRAM, answer
    with pytest.raises(Unavailable, match="No checksum"):
        fetch(a_pin(server, sha256="", checksum=f"github:{server.base}/release"), tmp_path)


def a_tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as bundle:
        info = tarfile.TarInfo("linux-amd64/tool")
        info.size = len(PROGRAM)
        bundle.addfile(info, io.BytesIO(PROGRAM))
    return buffer.getvalue()


def a_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("linux-amd64/tool", PROGRAM)
    return buffer.getvalue()


@pytest.mark.parametrize(("path", "make"), [("/tool.tar.gz", a_tar), ("/tool.zip", a_zip)])
def test_the_program_is_taken_out_of_an_archive(server, tmp_path, path, make):
    server.files[path] = make()
    pin = a_pin(server, path, member="linux-amd64/tool", sha256=hashlib.sha256(server.files[path]).hexdigest())
    assert fetch(pin, tmp_path).read_bytes() == PROGRAM


def test_an_archive_without_the_program_is_unavailable(server, tmp_path):
    server.files["/tool.tar.gz"] = a_tar()
    checksum = hashlib.sha256(server.files["/tool.tar.gz"]).hexdigest()
    with pytest.raises(Unavailable, match="could not be read"):
        fetch(a_pin(server, "/tool.tar.gz", member="elsewhere", sha256=checksum), tmp_path)


def test_cancel_stops_in_mid_download_and_keeps_what_came(server, tmp_path):
    server.files["/tool"] = PROGRAM
    cancel = Cancel()
    with pytest.raises(UserError) as caught:
        fetch(a_pin(server), tmp_path, cancel, report=lambda progress: cancel.request())
    assert caught.value.code is ExitCode.CANCELLED
    assert 0 < (tmp_path / "tool-1.0.0-tool.part").stat().st_size < len(PROGRAM)


def test_an_address_that_does_not_answer_is_tried_once_a_session(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        fillers = _fill_backlog(silent.getsockname())
        downloader = Downloader()
        pin = pins.pin("etcd", "linux", "amd64")
        pin = pins.Pin(**{name: getattr(pin, name) for name in pin.__struct_fields__} | {"url": _url(silent)})
        took = []
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(Unavailable, match="could not be reached"):
                downloader.fetch(pin, tmp_path, lambda progress: None)
            took.append(time.monotonic() - begun)
        for filler in fillers:
            filler.close()
    assert took[1] < took[0]
    assert took[1] < 0.05


def _url(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}/etcd"


def _fill_backlog(address):
    """Make further connections to `address` hang as they do behind a firewall that drops packets."""
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(address)
        fillers.append(filler)
    return fillers


def test_a_refused_connection_is_unavailable_at_once(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        pin = pins.pin("kwok", "linux", "amd64")
        values = {name: getattr(pin, name) for name in pin.__struct_fields__}
        values["url"] = f"http://127.0.0.1:{port}/kwok"
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="could not be reached"):
            fetch(pins.Pin(**values), tmp_path)
    assert time.monotonic() - begun < downloads.CONNECT_S


def test_a_tool_that_is_not_published_for_this_system_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="offers no kube-apiserver"):
        fetch(pins.pin("kube-apiserver", "darwin", "arm64"), tmp_path)
