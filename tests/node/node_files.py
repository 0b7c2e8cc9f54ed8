"""The files of a node: certificate, tokens, configurations, one small image, and the plan of what to start."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import secrets
import subprocess
import tarfile
from pathlib import Path

import yaml

ADDRESS = "10.244.0.1"
SUBNET = "10.244.0.0/24"
IMAGE = "docker.io/library/ansflow-busybox:1"
PAUSE = "docker.io/library/ansflow-pause:1"
BUSYBOX = Path("/bin/busybox")
CNI_PLUGINS = Path("/usr/lib/cni")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")


def write_all(folder: Path, port: int, tools: dict[str, Path]) -> Path:
    """Write everything below `folder` and return the kubeconfig for the outside, where the API is at `port`."""
    token = secrets.token_hex(16)
    _certificate(folder)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    inner, outer = folder / "inner.kubeconfig", folder / "kubeconfig"
    _kubeconfig(inner, 6443, token, folder)
    _kubeconfig(outer, port, token, folder)
    _write_image(folder / "image.tar")
    _containerd(folder)
    _cni(folder / "cni")
    _kubelet(folder)
    (folder / "plan.json").write_text(json.dumps(_plan(folder, tools, token)))
    return outer


def _certificate(folder: Path) -> None:
    """One self-signed certificate for the API server; its key also signs service account tokens."""
    subject = ["-subj", "/CN=ansflow-node", "-addext", f"subjectAltName=IP:127.0.0.1,IP:{ADDRESS},DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key.pem")]
    argv = ["openssl", "req", "-x509", "-days", "2", *key, "-out", str(folder / "certificate.pem"), *subject]
    subprocess.run(argv, check=True, capture_output=True)


def _kubeconfig(path: Path, port: int, token: str, folder: Path) -> None:
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "certificate.pem")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "node", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "real-node", "context": {"cluster": "node", "user": "admin"}}],
        "current-context": "real-node",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document))


def _containerd(folder: Path) -> None:
    config = f"""
version = 2
root = "{folder}/containerd"
state = "/run/containerd"
[grpc]
  address = "{_socket()}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{folder}/cni"
"""
    (folder / "containerd.toml").write_text(config)


def _socket() -> str:
    return "/run/containerd/containerd.sock"


def _cni(folder: Path) -> None:
    folder.mkdir()
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipam": {"type": "host-local", "subnet": SUBNET, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    document = {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}
    (folder / "10-pods.conflist").write_text(json.dumps(document))


def _kubelet(folder: Path) -> None:
    """What differs from the defaults: see control-plane.md, "One real node"; and no eviction on a full disk."""
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "failCgroupV1": False,
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,
        "containerRuntimeEndpoint": f"unix://{_socket()}",
        "clusterDNS": ["10.96.0.10"],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "1Mi", "imagefs.available": "1Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "2s",
        "syncFrequency": "2s",
    }
    (folder / "kubelet.yaml").write_text(yaml.safe_dump(document))


def _plan(folder: Path, tools: dict[str, Path], token: str) -> dict[str, object]:
    services = {
        "etcd": _etcd(folder, tools),
        "containerd": ["containerd", "--config", str(folder / "containerd.toml")],
        "kube-apiserver": _apiserver(folder, tools),
        "kube-controller-manager": _controllers(folder, tools),
        "kube-scheduler": [
            str(tools["kube-scheduler"]),
            f"--kubeconfig={folder}/inner.kubeconfig",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ],
        "kubelet": [
            str(tools["kubelet"]),
            f"--config={folder}/kubelet.yaml",
            f"--kubeconfig={folder}/inner.kubeconfig",
            "--root-dir=/var/lib/kubelet",
            "--hostname-override=localhost",
            f"--node-ip={ADDRESS}",
        ],
    }
    load = ["ctr", "--address", _socket(), "-n", "k8s.io", "images", "import", "--snapshotter", "native"]
    return {
        "address": f"{ADDRESS}/24",
        "certificate": str(folder / "certificate.pem"),
        "token": token,
        "containerd_socket": _socket(),
        "services": services,
        "imports": [[*load, str(folder / "image.tar")]],
    }


def _etcd(folder: Path, tools: dict[str, Path]) -> list[str]:
    return [
        str(tools["etcd"]),
        f"--data-dir={folder}/etcd",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
    ]


def _apiserver(folder: Path, tools: dict[str, Path]) -> list[str]:
    return [
        str(tools["kube-apiserver"]),
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=127.0.0.1",
        f"--advertise-address={ADDRESS}",
        f"--tls-cert-file={folder}/certificate.pem",
        f"--tls-private-key-file={folder}/key.pem",
        f"--cert-dir={folder}/apiserver",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={folder}/key.pem",
        f"--service-account-key-file={folder}/certificate.pem",
        "--kubelet-preferred-address-types=InternalIP",
        "--endpoint-reconciler-type=none",
    ]


def _controllers(folder: Path, tools: dict[str, Path]) -> list[str]:
    return [
        str(tools["kube-controller-manager"]),
        f"--kubeconfig={folder}/inner.kubeconfig",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=false",
        f"--service-account-private-key-file={folder}/key.pem",
        f"--root-ca-file={folder}/certificate.pem",
        f"--cert-dir={folder}/controllers",
    ]


def _write_image(path: Path) -> None:
    """Write a docker archive of one layer: busybox under the name of each of its programs, tagged twice."""
    layer = _layer()
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Cmd": ["/bin/sleep", "2147483647"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [IMAGE, PAUSE], "Layers": ["layer.tar"]}]
    parts = {"config.json": json.dumps(config), "manifest.json": json.dumps(manifest)}
    with tarfile.open(path, "w") as archive:
        _add(archive, "layer.tar", layer)
        for name, text in parts.items():
            _add(archive, name, text.encode())


def _layer() -> bytes:
    applets = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add(archive, "bin/busybox", BUSYBOX.read_bytes(), 0o755)
        _add(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        for applet in applets:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                archive.addfile(link)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))
