"""How long the window stands still while 300 clusters are checked, searched and scrolled on the Clusters page.

Run: `python3 dev.py bench many_clusters`. The whole window; behind the addresses stand servers in a process of their
own: some answer, some slowly, some never, some with a certificate that nobody trusts, and some refuse. Rounds in
which the same window does nothing tell what the machine itself adds.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import ipaddress
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import yaml
from PySide6.QtCore import Slot
from PySide6.QtTest import QTest
from ratios import interleave
from stall import Beat, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTERS, ROUNDS = 300, 3
KINDS = ("answers", "slow", "silent", "untrusted", "refused", "answers")
"""What stands behind cluster 0, 1, 2 … in turn."""

SLOW_S, REST_S, IDLE_S, PATIENCE_S = 1.0, 0.05, 3.0, 240.0
GOAL_P99_MS, GOAL_LONGEST_MS = 8, 33
_REVIEW = {"status": {"userInfo": {"username": "bench"}}}


# The servers


async def serve(folder: Path) -> None:
    """Listen for the kinds that listen, print their ports as JSON, and answer until the process is ended."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    ports = {}
    for kind, delay in (("answers", 0.0), ("slow", SLOW_S)):
        ports[kind] = await _listen(_answering(delay), context)
    ports["silent"] = await _listen(_silent, None)
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


async def _listen(handler, context: ssl.SSLContext | None) -> int:
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context, backlog=1000)
    return server.sockets[0].getsockname()[1]


_HELD: list[object] = []


async def _silent(_reader, writer) -> None:
    _HELD.append((writer, asyncio.current_task()))  # nothing else does, and it would be swept away
    await asyncio.sleep(3600)


def _answering(delay: float):
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
                await asyncio.sleep(delay)
                writer.write(_answer_to(head.split(b" ")[1]))
                await writer.drain()
        writer.close()

    return handle


def _answer_to(path: bytes) -> bytes:
    known = {b"/version": {"gitVersion": "v1.36.3"}, b"/apis/authentication.k8s.io/v1/selfsubjectreviews": _REVIEW}
    body = json.dumps(known.get(path, {"kind": "Status", "code": 404})).encode()
    words = "200 OK" if path in known else "404 Not Found"
    return f"HTTP/1.1 {words}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _certificate(folder: Path) -> bytes:
    """Write key and certificate of 127.0.0.1 to `server.pem` and return the certificate (PEM)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=2))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(
        here, False
    )
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pkcs8, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, bare) + certificate)
    return certificate


def _kubeconfig(folder: Path, ports: dict[str, int], certificate: bytes) -> Path:
    trusted = {"certificate-authority-data": base64.b64encode(certificate).decode()}
    clusters, contexts = [], []
    for number in range(CLUSTERS):
        kind, name = KINDS[number % len(KINDS)], f"{('prod', 'test', 'stage')[number % 3]}-{number:03d}"
        port = 1 if kind == "refused" else ports["answers" if kind == "untrusted" else kind]
        cluster = {"server": f"https://127.0.0.1:{port}", **({} if kind == "untrusted" else trusted)}
        clusters.append({"name": name, "cluster": cluster})
        contexts.append({"name": name, "context": {"cluster": name, "user": "bench"}})
    users = [{"name": "bench", "user": {"token": "bench"}}]
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump({"clusters": clusters, "contexts": contexts, "users": users}))
    return path


@contextlib.contextmanager
def many_clusters() -> Iterator[Path]:
    """Yield a kubeconfig of all clusters; their servers run until the end."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        certificate = _certificate(folder)
        servers = subprocess.Popen([sys.executable, __file__, "--serve", place], stdout=subprocess.PIPE)
        try:
            yield _kubeconfig(folder, json.loads(servers.stdout.readline()), certificate)
        finally:
            servers.kill()
            servers.wait()


# The window


class WorkBeat(Beat):
    """Notes beside the gaps what the window's thread itself worked between two beats: other load counts less there."""

    def __init__(self) -> None:
        super().__init__()
        self.works: list[float] = []
        self._worked = time.thread_time()

    @Slot()
    def _on_beat(self) -> None:
        super()._on_beat()
        now = time.thread_time()
        self.works.append(now - self._worked)
        self._worked = now

    def over(self, work) -> list[float]:
        """Return the gaps while `work` is done; `works` are then of it alone."""
        self.works, self._worked = [], time.thread_time()
        return super().over(work)


class Bench:
    """The window on its Clusters page, checked anew each round, beside the same window at rest."""

    def __init__(self, window) -> None:
        self.window, self.beat = window, WorkBeat()
        self.gaps: dict[str, list[float]] = {"idle": [], "busy": []}
        self.works: dict[str, list[float]] = {"idle": [], "busy": []}
        self.published = 0
        window.clusters.state_changed.connect(self._on_published)
        window.shell.show_page("clusters")
        self.page = window.shell.page
        self._spin(self._all_known)

    def _on_published(self) -> None:
        self.published += 1

    def idle(self) -> float:
        """Do nothing for a while and return the longest gap."""
        return self._keep("idle", lambda: self._spin(lambda: False, IDLE_S))

    def busy(self) -> float:
        """Check all anew, type into the search, sort and scroll meanwhile; return the longest gap."""
        return self._keep("busy", self._work)

    def _keep(self, name: str, work) -> float:
        gaps = self.beat.over(work)
        self.gaps[name] += gaps
        self.works[name] += self.beat.works
        return max(gaps)

    def _work(self) -> None:
        self.page.reload()
        self._spin(lambda: False, REST_S)
        for letter in "prod-1":
            QTest.keyClick(self.page.filter, letter)
            self._spin(lambda: False, REST_S)
        self.page.filter.clear()
        for column in (1, 2, 3, 0):
            self.page.table.horizontalHeader().sectionClicked.emit(column)
            self._spin(lambda: False, REST_S)
        bar = self.page.table.verticalScrollBar()
        for step in range(40):
            bar.setValue(bar.maximum() * step // 40)
            self._spin(lambda: False, REST_S / 2)
        self._spin(lambda: False, IDLE_S)

    def _all_known(self) -> bool:
        from ansflow_desktop.models.cluster import Reach

        waiting = (Reach.UNCHECKED, Reach.CHECKING)
        rows = self.window.clusters.state.rows
        return len(rows) >= CLUSTERS and not any(row.status.reach in waiting for row in rows)

    @staticmethod
    def _spin(ready, seconds: float = PATIENCE_S) -> None:
        from ansflow_desktop.presenters import loop as window_loop

        window_loop.spin(ready, seconds)


def measure(kubeconfig: Path, data: str) -> None:
    """Measure in shuffled rounds, then print the gaps of both cases and the goals."""
    from ansflow_desktop import app as program
    from ansflow_desktop.executors.services import Options, Services
    from ansflow_desktop.presenters import loop as window_loop
    from ansflow_desktop.presenters.collector import Collector
    from ansflow_desktop.widgets import theme

    application = program.application()
    theme.apply(application, "light")
    sys.setswitchinterval(program._SWITCH_S)
    loop, collector = window_loop.open_loop(application), Collector()
    services = Services(Options(data_dir=data, kubeconfig=str(kubeconfig), lang="en"))
    window = program.make_window(services, None, None, None)
    window.shell.show()
    started = time.perf_counter()
    bench = Bench(window)
    print(f"all {CLUSTERS} known after {time.perf_counter() - started:.1f} s, {bench.published} times published")
    longest = interleave(ROUNDS, {"idle": bench.idle, "busy": bench.busy})
    window_loop.run_here(window.aclose())
    window_loop.close_loop(loop)
    collector.stop()
    services.close()
    tell("idle", bench.gaps["idle"])
    p99, most = tell("busy", bench.gaps["busy"])
    print("what the window's thread itself worked between two beats:")
    for name, works in bench.works.items():
        tell(name, works)
    print("longest of each round, ms:", {name: [round(one * 1000) for one in each] for name, each in longest.items()})
    print(f"stall p99: {p99:.1f} ms (goal: under {GOAL_P99_MS}) {'met' if p99 < GOAL_P99_MS else 'MISSED'}")
    verdict = "met" if most <= GOAL_LONGEST_MS else "MISSED"
    print(f"longest stall: {most:.0f} ms (goal: at most {GOAL_LONGEST_MS}) {verdict}")


def main() -> None:
    """Serve where asked to, else measure."""
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
        return
    with many_clusters() as kubeconfig, tempfile.TemporaryDirectory() as data:
        measure(kubeconfig, data)


if __name__ == "__main__":
    main()
