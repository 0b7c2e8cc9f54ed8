"""Names, ports, locks, kubeconfig texts and the recognition of daemons: no cluster needed."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.paths import Directories
from ansflow_desktop.practice import components, daemons, locks, pins, pki, simulation, tools
from ansflow_desktop.practice.cluster import PracticeClusters
from ansflow_desktop.practice.components import Layout
from ansflow_desktop.practice.names import check_name
from ansflow_desktop.process import Cancel


@pytest.mark.parametrize("name", ["practice", "a", "a-1", "1", "x" * 63])
def test_rfc_1123_names_are_accepted(name):
    check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "..", "x" * 64, "ä", "a b", "a\n"])
def test_other_names_are_refused_with_the_rule(name):
    with pytest.raises(UserError, match="lower case letters") as caught:
        check_name(name)
    assert caught.value.field == "name"
    assert caught.value.code is ExitCode.INVALID


@pytest.fixture
def clusters(tmp_path):
    return PracticeClusters(Directories(data=tmp_path / "data", tools=tmp_path / "tools"))


@pytest.fixture
def with_tools(clusters, tmp_path):
    """The same clusters on a machine where all tools are (they are never started here)."""
    for key in pins.CLUSTER_TOOLS:
        program = tools.path_of(tmp_path / "tools", pins.pin(key))
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
    return clusters


def test_waiting_for_another_process_can_be_cancelled(with_tools, tmp_path):
    cancel, told = Cancel(), []

    def on_progress(progress):
        told.append(str(progress.what))
        cancel.request()

    with locks.held(tmp_path / "data" / "practice" / ".practice.lock"), pytest.raises(UserError) as raised:
        with_tools.start(on_progress=on_progress, cancel=cancel)
    assert raised.value.code is ExitCode.CANCELLED
    assert told == ["Waiting for another process that works on it"]


class _Server:
    """Answers like an API server that has no nodes yet; the person cancels at the third."""

    def __init__(self, cancel):
        self.cancel, self.made = cancel, []

    def get(self, path):
        return {}

    def create(self, path, body):
        self.made.append(body["metadata"]["name"])
        if len(self.made) == 3:
            self.cancel.request()
        return True


def test_making_nodes_can_be_cancelled():
    cancel = Cancel()
    server = _Server(cancel)
    assert simulation.populate(server, 1000, simulation.Place(address="127.0.0.1", port=1), False, cancel) is False
    assert len(server.made) == 3


@pytest.mark.parametrize("method", ["stop", "status", "remove"])
def test_a_cluster_that_does_not_exist_is_an_error_with_the_way_out(clusters, method):
    with pytest.raises(
        UserError, match=r"no practice cluster called nosuch.*`ansflow-desktop practice start` starts one"
    ):
        getattr(clusters, method)("nosuch")


@pytest.mark.parametrize("method", ["start", "stop", "status", "remove"])
def test_a_bad_name_touches_nothing(clusters, method, tmp_path):
    with pytest.raises(UserError):
        getattr(clusters, method)("../evil")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    clusters = PracticeClusters(Directories(data=tmp_path / "data", tools=tmp_path / "tools"))
    with pytest.raises(
        UserError, match=r"files of practice cluster practice could not be written.*directory"
    ) as caught:
        clusters.remove("practice")
    assert caught.value.code is ExitCode.FAILED


def test_no_clusters_is_an_empty_list(clusters):
    assert clusters.list() == []


def test_ports_are_different_and_kept_while_free():
    ports = components.free_ports()
    assert len(set(ports.all())) == 4
    assert components.free_ports(ports) == ports


def test_a_taken_port_is_replaced():
    ports = components.free_ports()
    with socket.create_server(("127.0.0.1", ports.etcd)):
        fresh = components.free_ports(ports)
    assert ports.etcd not in fresh.all()


def test_every_listening_address_of_the_command_lines_is_loopback(tmp_path):
    from pathlib import Path

    ports = components.free_ports()
    programs = {name: Path("/bin") / name for name in components.PROGRAMS}
    starts = components.starts(Layout(folder=tmp_path), programs, ports)
    words = [word for start in starts for word in start.argv]
    assert not [word for word in words if "0.0.0.0" in word]
    assert "--bind-address=127.0.0.1" in words
    assert f"--server-address=127.0.0.1:{ports.nodes}" in words
    assert words.count("--secure-port=0") == 2
    assert all(any(f"{tmp_path}/" in word for word in start.argv) for start in starts)


def test_a_lock_holds_off_another_thread_until_it_is_released(tmp_path):
    order, entered = [], threading.Event()

    def second():
        with locks.held(tmp_path / "lock", on_wait=lambda: (order.append("waits"), entered.set())):
            order.append("second")

    with locks.held(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        assert entered.wait(5)
        order.append("first")
    thread.join()
    assert order == ["waits", "first", "second"]


def test_waiting_for_a_lock_can_be_cancelled(tmp_path):
    cancel = Cancel()
    cancel.request()
    with locks.held(tmp_path / "lock"), locks.held(tmp_path / "lock", cancel) as locked:
        assert not locked


def test_a_lock_of_a_killed_process_is_free_at_once(tmp_path):
    code = (
        "import sys, fcntl; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        holder.wait()
        with locks.held(tmp_path / "lock") as locked:
            assert locked


def test_private_files_are_0600_and_replaced_whole(tmp_path):
    path = tmp_path / "secret"
    pki.write_private(path, "one")
    pki.write_private(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_exec_is_in_the_configuration_only_when_asked_for(tmp_path):
    layout = Layout(folder=tmp_path)
    simulation.write_configuration(layout, False)
    assert "ClusterExec" not in layout.simulation.read_text()
    simulation.write_configuration(layout, True)
    assert "ClusterExec" in layout.simulation.read_text()


@pytest.fixture
def impostor(tmp_path):
    """A process called etcd whose arguments name another cluster's folder: none of ours."""
    program = tmp_path / "etcd"
    program.symlink_to(os.path.realpath(sys.executable))
    argv = [str(program), "-c", "import sys; sys.stdin.read()", f"{tmp_path}/practice-2/data"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as process:
        yield process
        process.stdin.close()


def test_a_neighbour_whose_folder_begins_alike_is_not_ours(tmp_path, impostor):
    assert daemons.running(tmp_path / "practice") == ()
    daemons.stop(tmp_path / "practice", grace=0.1)
    assert impostor.poll() is None
    assert [daemon.pid for daemon in daemons.running(tmp_path / "practice-2")] == [impostor.pid]


def test_a_process_that_took_over_a_pid_is_not_signalled(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as other:
        stale = daemons.Daemon(program="etcd", pid=other.pid, argv=("/x/etcd", f"--data-dir={tmp_path}/etcd"))
        daemons._signal_verified(stale, 9)
        other.stdin.close()
        assert other.wait(10) == 0


def test_a_daemon_is_found_outlives_its_starter_and_is_stopped(tmp_path):
    program = tmp_path / "bin" / "etcd"
    program.parent.mkdir()
    program.symlink_to(os.path.realpath(sys.executable))
    folder = tmp_path / "cluster"
    folder.mkdir()
    code = "import os, sys, time; print(os.getcwd(), flush=True); time.sleep(60)"
    log = folder / "log"
    daemons.start(folder, [daemons.Start(argv=(str(program), "-c", code, f"{folder}/data"), log=str(log))])
    (daemon,) = daemons.running(folder)
    assert daemon.program == "etcd"
    assert os.getsid(daemon.pid) != os.getsid(0)
    daemons.stop(folder)
    assert daemons.running(folder) == ()
    assert log.read_text().strip() in ("", str(folder))


def test_a_daemon_that_ignores_sigterm_is_killed(tmp_path):
    program = tmp_path / "bin" / "kwok"
    program.parent.mkdir()
    program.symlink_to(os.path.realpath(sys.executable))
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    log = tmp_path / "log"
    daemons.start(tmp_path, [daemons.Start(argv=(str(program), "-u", "-c", code, f"{tmp_path}/data"), log=str(log))])
    while "deaf" not in log.read_text():
        os.sched_yield()
    daemons.stop(tmp_path, grace=0.3)
    assert daemons.running(tmp_path) == ()


def test_a_program_that_is_not_there_is_told(tmp_path):
    start = daemons.Start(argv=("/no/such/etcd", f"{tmp_path}/x"), log=str(tmp_path / "log"))
    with pytest.raises(UserError, match=r"/no/such/etcd: No such file"):
        daemons.start(tmp_path, [start])
    assert daemons.running(tmp_path) == ()
