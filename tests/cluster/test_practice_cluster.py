"""A practice cluster's life: start, stop, keep, crash, repair, side by side, remove. Never the shared one."""

import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
import yaml
from practice_kit import api_of, until

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.paths import Directories
from ansflow_desktop.practice import components, daemons
from ansflow_desktop.practice.cluster import PracticeClusters
from ansflow_desktop.process import Cancel

NAMESPACES = "/api/v1/namespaces"
READY_GOAL_S = 10
LOADED = 4  # a machine that runs other things beside the tests


@pytest.fixture(scope="module")
def own(practice_tools, tmp_path_factory, alive):
    """Practice clusters of this file alone; all are removed afterwards."""
    clusters = PracticeClusters(
        Directories(data=tmp_path_factory.mktemp("数据, mit Leerzeichen"), tools=practice_tools)
    )
    yield clusters
    for info in clusters.list():
        clusters.remove(info.name)


def folder_of(info):
    return info.kubeconfig.parent


def pids(info):
    return {daemon.program: daemon.pid for daemon in daemons.running(folder_of(info))}


def make_namespace(info, name):
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    status, answer = api_of(info.kubeconfig).request("POST", NAMESPACES, body)
    assert status == 201, answer


def has_namespace(info, name):
    return bool(api_of(info.kubeconfig).get(f"{NAMESPACES}/{name}"))


def test_a_first_start_is_ready_with_a_private_kubeconfig_of_one_context(own):
    begun = time.monotonic()
    info = own.start("first")
    assert time.monotonic() - begun < READY_GOAL_S * LOADED
    assert info.running
    document = yaml.safe_load(info.kubeconfig.read_text())
    names = [
        document["current-context"],
        *(entry["name"] for key in ("clusters", "users", "contexts") for entry in document[key]),
    ]
    assert names == ["first"] * 4
    assert stat.S_IMODE(info.kubeconfig.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder_of(info) / "pki").stat().st_mode) == 0o700
    keys = [path for path in (folder_of(info) / "pki").iterdir() if stat.S_IMODE(path.stat().st_mode) != 0o600]
    assert keys == []


def test_a_second_start_leaves_the_running_cluster_alone(own):
    before = pids(own.start("first"))
    assert pids(own.start("first")) == before


def test_everything_listens_on_loopback_only(own):
    info = own.start("first")
    listening = {pid: listening_addresses(pid) for pid in pids(info).values()}
    addresses = [address for found in listening.values() for address in found]
    assert len(addresses) == len(components.Ports.__struct_fields__)
    assert {host for host, _ in addresses} == {"127.0.0.1"}


def listening_addresses(pid):
    """Return (host, port) of every listening TCP socket of a process, from /proc: IPv4 and IPv6."""
    inodes = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                host, port = fields[1].split(":")
                found.append((decode(host), int(port, 16)))
    return found


def decode(host):
    family = socket.AF_INET if len(host) == 8 else socket.AF_INET6
    words = [bytes.fromhex(host[start : start + 8])[::-1] for start in range(0, len(host), 8)]
    return socket.inet_ntop(family, b"".join(words))


def test_another_user_of_the_machine_reads_nothing_without_the_token(own):
    info = own.start("first")
    api = api_of(info.kubeconfig)
    stranger = type(api)(port=api.port, ca=api.ca, token="guess")
    assert stranger.request("GET", "/api/v1/secrets")[0] == 401
    state = (folder_of(info) / "cluster.json").read_text()
    ports = components.Ports(**yaml.safe_load(state)["ports"])
    etcd = type(api)(port=ports.etcd, ca=api.ca, token="guess")
    assert etcd.request("GET", "/version")[0] == 0


def test_rbac_is_on(own):
    info = own.start("first")
    api = api_of(info.kubeconfig)
    body = {"spec": {"expirationSeconds": 600}}
    status, answer = api.request("POST", f"{NAMESPACES}/default/serviceaccounts/default/token", body)
    assert status == 201, answer
    token = yaml.safe_load(answer)["status"]["token"]
    assert type(api)(port=api.port, ca=api.ca, token=token).request("GET", "/api/v1/secrets")[0] == 403


def test_state_and_address_survive_a_stop(own):
    info = own.start("first")
    make_namespace(info, "kept")
    own.stop("first")
    assert not own.status("first").running
    assert pids(info) == {}
    again = own.start("first")
    assert again.server == info.server
    assert has_namespace(again, "kept")


def test_a_stopped_cluster_whose_port_was_taken_moves_to_another(own):
    info = own.start("first")
    own.stop("first")
    port = int(info.server.rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", port)):
        again = own.start("first")
    assert again.server != info.server
    assert again.server in again.kubeconfig.read_text()
    nodes = api_of(again.kubeconfig).get("/api/v1/nodes")["items"]
    kubelets = {node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] for node in nodes}
    assert kubelets == {yaml.safe_load((folder_of(again) / "cluster.json").read_text())["ports"]["nodes"]}


@pytest.mark.parametrize("program", ["etcd", "kube-apiserver", "kwok"])
def test_a_killed_program_is_noticed_and_repaired_by_the_next_start(own, program):
    info = own.start("first")
    make_namespace(info, f"before-{program}")
    os.kill(pids(info)[program], signal.SIGKILL)
    assert daemons.wait_gone(folder_of(info), {program}, 5)
    assert not own.status("first").running
    again = own.start("first")
    assert again.running
    assert has_namespace(again, f"before-{program}")


def test_everything_killed_at_once_as_by_a_power_cut(own):
    info = own.start("first")
    make_namespace(info, "before-the-cut")
    for pid in pids(info).values():
        os.kill(pid, signal.SIGKILL)
    again = own.start("first")
    assert has_namespace(again, "before-the-cut")


def test_two_starts_at_once_make_one_cluster(own):
    own.stop("first")
    started, failures = [], []

    def start():
        try:
            started.append(own.start("first"))
        except UserError as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert started[0] == started[1]
    assert len(daemons.running(folder_of(started[0]))) == len(components.PROGRAMS)


def test_two_clusters_run_side_by_side_and_know_nothing_of_each_other(own):
    first, second = own.start("first"), own.start("first-b")
    assert first.server != second.server
    make_namespace(second, "only-here")
    assert not has_namespace(first, "only-here")
    assert [info.name for info in own.list() if info.running] == ["first", "first-b"]
    own.remove("first-b")
    assert not folder_of(second).exists()
    assert pids(second) == {}
    assert own.status("first").running
    assert [info.name for info in own.list()] == ["first"]


def test_a_program_that_cannot_start_is_named_with_its_own_words(own):
    info = own.start("first")
    own.stop("first")
    key = folder_of(info) / "pki" / "service-account.key"
    good = key.read_text()
    key.write_text("broken")
    with pytest.raises(UserError, match=r"kube-apiserver of the practice cluster did not start") as caught:
        own.start("first")
    assert str(caught.value.message)
    assert pids(info) == {}
    key.write_text(good)
    assert own.start("first").running


def test_exec_on_this_machine_is_off_until_asked_for_by_name(own, kubectl):
    info = own.start("first")
    assert not info.exec_enabled
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shell"},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    api = api_of(info.kubeconfig)
    assert api.create(f"{NAMESPACES}/default/pods", pod)
    until(lambda: api.get(f"{NAMESPACES}/default/pods/shell")["status"]["phase"] == "Running")
    refused = kubectl_exec(kubectl, info)
    assert refused.returncode != 0
    assert "simulated and run nothing" in refused.stderr
    assert own.start("first", exec_on_this_machine=True).exec_enabled
    until(lambda: kubectl_exec(kubectl, info).stdout == "on this machine\n")
    kubelets = listening_addresses(pids(info)["kwok"])
    assert kubelets and all(address[0].startswith("127.") and address[0] != "127.0.0.1" for address in kubelets)
    assert not own.start("first").exec_enabled
    until(lambda: "simulated and run nothing" in kubectl_exec(kubectl, info).stderr)


def kubectl_exec(kubectl, info):
    import subprocess

    argv = [kubectl.path, "--kubeconfig", str(info.kubeconfig), "exec", "shell", "--", "echo", "on this machine"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30)


def test_a_port_that_is_taken_at_the_last_moment_is_replaced(own, monkeypatch):
    own.start("first")
    own.stop("first")
    real, ports = components.free_ports, components.free_ports()
    monkeypatch.setattr(components, "free_ports", lambda preferred=None: real() if preferred is None else ports)
    with socket.create_server(("127.0.0.1", ports.api)):
        info = own.start("first")
    assert info.running
    assert not info.server.endswith(f":{ports.api}")


def test_a_cancelled_start_leaves_nothing_running_and_the_state_whole(own):
    info = own.start("first")
    make_namespace(info, "before-cancel")
    own.stop("first")
    cancel = Cancel()
    with pytest.raises(UserError) as caught:
        own.start("first", on_progress=lambda progress: cancel.request(), cancel=cancel)
    assert caught.value.code is ExitCode.CANCELLED
    assert pids(info) == {}
    logs = {path.name for path in folder_of(info).rglob("*.log")}
    assert "kube-apiserver.log" in logs
    assert "kube-controller-manager.log" not in logs  # it gives up on an API server that is slow: that comes first
    assert has_namespace(own.start("first"), "before-cancel")
