"""A small loopback proxy whose connections can be cut: for what happens when a network goes away in the middle."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import yaml


class CutProxy:
    """Passes TCP on to `host:port` until `cut`; with `most` bytes each connection ends by itself after so many."""

    def __init__(self, host: str, port: int, most: list[int] | None = None) -> None:
        self._to = (host, port)
        self._most = most or []
        self._lock = threading.Lock()
        self._pairs: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._start(self._accept)

    def __enter__(self) -> CutProxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """Reset every connection that is open now; new ones are taken as before."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for each in pairs:
            _reset(each)

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
            except OSError:
                return
            with self._lock:
                self._pairs += [near, far]
                most = self._most[self.connections] if self.connections < len(self._most) else None
                self.connections += 1
            self._start(self._pass_on, near, far, None)
            self._start(self._pass_on, far, near, most)

    def _pass_on(self, source: socket.socket, sink: socket.socket, most: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536 if most is None else min(65536, max(1, most))):
                sink.sendall(data)
                most = None if most is None else most - len(data)
                if most == 0:
                    break
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _reset(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


def behind(proxy: CutProxy, kubeconfig: Path, folder: Path) -> Path:
    """Write a copy of `kubeconfig` whose cluster is reached through the proxy; its certificate is checked as before."""
    document = yaml.safe_load(Path(kubeconfig).read_text())
    cluster = document["clusters"][0]["cluster"]
    parts = urlsplit(cluster["server"])
    cluster["tls-server-name"] = cluster.get("tls-server-name") or parts.hostname
    cluster["server"] = f"{parts.scheme}://127.0.0.1:{proxy.port}"
    copy = folder / "behind-proxy.yaml"
    copy.write_text(yaml.safe_dump(document))
    return copy


def through(kubeconfig: Path, most: list[int] | None = None) -> CutProxy:
    """Return a proxy before the server of `kubeconfig`."""
    parts = urlsplit(yaml.safe_load(Path(kubeconfig).read_text())["clusters"][0]["cluster"]["server"])
    return CutProxy(str(parts.hostname), int(parts.port or 443), most)
