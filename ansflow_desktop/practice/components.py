"""The command lines of a practice cluster's programs: loopback only, RBAC on, every connection by TLS and token.

etcd and the API server ask each other for certificates, so that another user of the same machine cannot read the
cluster's state through the loopback address. Scheduler and controller manager serve nothing at all.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop.practice.daemons import Start

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
"""What has to run, in the order in which it is started."""

FIRST = PROGRAMS[:2]
"""What has to be ready before the rest is started: a controller manager gives up on an API server after 10 seconds."""

LOOPBACK = "127.0.0.1"
"""Where everything listens, the kubelets of a cluster with exec on this machine excepted."""

STOP_ORDER = (PROGRAMS[:0:-1], ("etcd",))
"""Everything but etcd is ended first: etcd keeps the state, and its clients would only complain."""

_SERVICE_ISSUER = "https://kubernetes.default.svc.cluster.local"
_UNROUTED = "198.51.100.1"  # TEST-NET-2: a loopback address is refused there, and a machine may have no other
_FIRST_PORT, _LAST_PORT = 20000, 30000  # below the ports that systems hand out to outgoing connections


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The loopback ports of one cluster: API server, etcd for its client and its peers, and the nodes' kubelets."""

    api: int
    etcd: int
    peer: int
    nodes: int

    def all(self) -> tuple[int, ...]:
        """Return the four ports."""
        return (self.api, self.etcd, self.peer, self.nodes)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one cluster below its `folder` (absolute, real path)."""

    folder: Path

    @property
    def pki(self) -> Path:
        """Keys, certificates and tokens, 0700."""
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        """Output of the programs, one file each."""
        return self.folder / "logs"

    @property
    def etcd(self) -> Path:
        """The cluster's whole state."""
        return self.folder / "etcd"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, 0600."""
        return self.folder / "kubeconfig"

    @property
    def state(self) -> Path:
        """What the program remembers of the cluster, JSON."""
        return self.folder / "cluster.json"

    @property
    def simulation(self) -> Path:
        """How nodes, pods, volumes and services behave: the configuration of kwok."""
        return self.folder / "kwok.yaml"

    @property
    def ca(self) -> Path:
        """The certificate that signed the servers' certificates."""
        return self.pki / "ca.crt"

    @property
    def tokens(self) -> Path:
        """The API server's static tokens."""
        return self.pki / "tokens.csv"

    def log(self, program: str) -> Path:
        """Return the file with the output of `program`."""
        return self.logs / f"{program}.log"


def node_address(exec_on_this_machine: bool) -> str:
    """Return the loopback address on which the nodes' kubelets listen.

    kwok asks nobody who they are, answers plain HTTP too and ignores where a request comes from: with exec on this
    machine a web page in the user's browser could find the port on 127.0.0.1 and run commands. On one address of the
    16 million of 127.0.0.0/8 it cannot be found by trying (macOS has only the one). Other users of the machine can
    still look the address up; the command line and the guide say so.
    """
    import secrets

    if not exec_on_this_machine or sys.platform != "linux":
        return LOOPBACK
    return "127." + ".".join(str(secrets.choice(range(1, 255))) for _ in range(3))


def free_ports(preferred: Ports | None = None) -> Ports:
    """Return four free loopback ports: the preferred ones where all are free, otherwise new ones."""
    if preferred and all(_is_free(port) for port in preferred.all()):
        return preferred
    found: set[int] = set()
    while len(found) < len(Ports.__struct_fields__):
        found.add(_free_port())
    api, etcd, peer, nodes = found
    return Ports(api=api, etcd=etcd, peer=peer, nodes=nodes)


def _free_port() -> int:
    import random

    for port in random.SystemRandom().sample(range(_FIRST_PORT, _LAST_PORT), 200):
        if _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def starts(layout: Layout, programs: Mapping[str, Path], ports: Ports, nodes: str = LOOPBACK) -> tuple[Start, ...]:
    """Return the five programs with their arguments; `programs` maps each name to its path.

    `nodes` is the loopback address of the nodes' kubelets.
    """
    arguments = {
        "etcd": _etcd(layout, ports),
        "kube-apiserver": _api_server(layout, ports),
        "kube-controller-manager": _controller_manager(layout),
        "kube-scheduler": _scheduler(layout),
        "kwok": _kwok(layout, ports, nodes),
    }
    return tuple(Start(argv=(str(programs[name]), *arguments[name]), log=str(layout.log(name))) for name in PROGRAMS)


def _etcd(layout: Layout, ports: Ports) -> tuple[str, ...]:
    client, peer = f"https://127.0.0.1:{ports.etcd}", f"https://127.0.0.1:{ports.peer}"
    return (
        "--name=practice",
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=practice={peer}",
        "--client-cert-auth=true",
        f"--trusted-ca-file={layout.ca}",
        f"--cert-file={layout.pki}/server.crt",
        f"--key-file={layout.pki}/server.key",
        "--peer-client-cert-auth=true",
        f"--peer-trusted-ca-file={layout.ca}",
        f"--peer-cert-file={layout.pki}/server.crt",
        f"--peer-key-file={layout.pki}/server.key",
        "--auto-compaction-retention=1",
        "--log-level=warn",
    )


def _api_server(layout: Layout, ports: Ports) -> tuple[str, ...]:
    pki = layout.pki
    return (
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.api}",
        f"--advertise-address={_UNROUTED}",
        "--external-hostname=localhost",
        "--endpoint-reconciler-type=none",
        f"--etcd-servers=https://127.0.0.1:{ports.etcd}",
        f"--etcd-cafile={layout.ca}",
        f"--etcd-certfile={pki}/server.crt",
        f"--etcd-keyfile={pki}/server.key",
        f"--cert-dir={pki}",
        f"--tls-cert-file={pki}/server.crt",
        f"--tls-private-key-file={pki}/server.key",
        f"--client-ca-file={layout.ca}",
        f"--token-auth-file={layout.tokens}",
        f"--service-account-issuer={_SERVICE_ISSUER}",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--anonymous-auth=true",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
    )


def _controller_manager(layout: Layout) -> tuple[str, ...]:
    pki = layout.pki
    return (
        f"--kubeconfig={layout.kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        "--node-monitor-grace-period=120s",
        f"--root-ca-file={layout.ca}",
        f"--service-account-private-key-file={pki}/service-account.key",
        f"--cluster-signing-cert-file={layout.ca}",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--profiling=false",
    )


def _scheduler(layout: Layout) -> tuple[str, ...]:
    return (f"--kubeconfig={layout.kubeconfig}", "--secure-port=0", "--leader-elect=false", "--profiling=false")


def _kwok(layout: Layout, ports: Ports, address: str) -> tuple[str, ...]:
    return (
        f"--kubeconfig={layout.kubeconfig}",
        f"--config={layout.simulation.name}",  # relative to where it runs: a comma in a path would cut it in two
        "--manage-all-nodes=true",
        f"--node-ip={address}",
        "--node-name=localhost",
        f"--node-port={ports.nodes}",
        f"--server-address={address}:{ports.nodes}",
        f"--tls-cert-file={layout.pki}/server.crt",
        f"--tls-private-key-file={layout.pki}/server.key",
        "--node-lease-duration-seconds=0",
        "--cidr=10.244.0.0/16",
    )
