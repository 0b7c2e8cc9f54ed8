"""The journal of runs on a real file: order, crashes, damage, newer versions, full disks, two processes."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, inspect

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import (
    ClusterEvent,
    CommandStarted,
    Health,
    Notice,
    Output,
    Phase,
    ResourceChanged,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from ansflow_desktop.store import database, tables
from ansflow_desktop.store import journal as journals
from ansflow_desktop.store.identity import ProcessIdentity, is_alive, this_process
from ansflow_desktop.store.journal import Journal

ALL_EVENTS = [
    RunStarted(time=1.0, run="r", pipeline="p", steps=("a", "部署")),
    StepStarted(time=2.0, run="r", step="a", step_type="shell", timeout=300.0),
    CommandStarted(time=3.0, run="r", step="a", argv=("/bin/bash", "-c", "x"), cwd="/图 b"),
    Output(
        time=4.0,
        run="r",
        step="a",
        stream="stderr",
        text="Zeile\n😀",
    ),
    ResourceChanged(
        time=5.0, run="r", kind="Pod", namespace="n", name="x", health=Health.DEGRADED, message=msg("%(n)s of 2", n=1)
    ),
    ClusterEvent(time=6.0, run="r", kind="Pod", namespace="n", name="x", reason="BackOff", message="m", warning=True),
    Notice(time=7.0, run="r", level="warning", message=msg("%(a)s", a=msg("inner"))),
    StepFinished(
        time=8.0,
        run="r",
        step="a",
        phase=Phase.UNKNOWN,
        exit_code=1,
        message="server's words",
        release=Release(name="x", namespace="n", revision=2, status=ReleaseStatus.PENDING_UPGRADE),
    ),
    RunFinished(time=9.0, run="r", phase=Phase.UNKNOWN),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "ansflow.db"


@pytest.fixture
def journal(path):
    journal = Journal(path)
    yield journal
    journal.close()


def output(run, number):
    return Output(time=float(number), run=run, step="s", stream="stdout", text=f"{number}\n")


def dead_process():
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    return ProcessIdentity(child.pid, "1", this_process().boot)


def insert_run(path, run_id, process):
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO runs VALUES (?, 'p', 1.0, NULL, 'Running', ?, ?, ?, 'c', 'n', 'r', '{}')",
            (run_id, process.pid, process.started, process.boot),
        )
    connection.close()


def test_every_kind_of_event_comes_back_as_it_was(journal):
    journal.begin("r", "p", {})
    for event in ALL_EVENTS:
        journal.append(event)
    journal.finish("r", Phase.UNKNOWN)
    assert journal.events("r") == ALL_EVENTS
    assert journal.lost is None


def test_begin_is_on_disk_when_it_returns(journal, path):
    details = {"cluster": "dev", "namespace": "fe", "release": "fe-app", "steps": [{"name": "deploy"}]}
    journal.begin("r1", "fe-app", details)
    other = Journal(path)
    (record,) = other.runs()
    other.close()
    assert (record.cluster, record.namespace, record.release, record.phase) == ("dev", "fe", "fe-app", Phase.RUNNING)
    assert record.details == details
    assert (record.finished, record.process) == (None, this_process())


def test_queued_events_are_written_without_being_asked(journal, path):
    journal.begin("r", "p", {})
    journal.append(output("r", 1))
    reader = Journal(path)
    waited = threading.Event()
    for _ in range(200):
        if reader.events("r"):
            break
        waited.wait(0.02)
    assert reader.events("r") == [output("r", 1)]
    reader.close()


def test_events_of_many_threads_are_all_kept_and_each_thread_in_order(journal):
    journal.begin("r", "p", {})

    def work(stream):
        for number in range(500):
            journal.append(Output(time=float(number), run="r", step="s", stream=stream, text="x"))

    threads = [threading.Thread(target=work, args=(stream,)) for stream in ("stdout", "stderr")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.finish("r", Phase.SUCCEEDED)
    events = journal.events("r")
    for stream in ("stdout", "stderr"):
        assert [event.time for event in events if event.stream == stream] == [float(number) for number in range(500)]


def test_events_go_on_where_an_earlier_process_stopped(path):
    for number in range(3):
        journal = Journal(path)
        if not number:
            journal.begin("r", "p", {})
        journal.append(output("r", number))
        journal.close()
    journal = Journal(path)
    assert journal.events("r") == [output("r", number) for number in range(3)]
    journal.close()


def test_runs_are_newest_first_and_limited(journal):
    for number in range(5):
        journal.begin(f"r{number}", "p", {})
    assert [record.id for record in journal.runs(2)] == ["r4", "r3"]
    assert journal.run("r1").id == "r1"
    assert journal.run("none") is None


def test_the_newest_runs_are_kept_and_those_without_an_end(journal, path, monkeypatch):
    monkeypatch.setattr(journals, "KEPT_RUNS", 2)
    journal.begin("open", "p", {})
    for number in range(4):
        journal.begin(f"r{number}", "p", {})
        journal.append(output(f"r{number}", 1))
        journal.finish(f"r{number}", Phase.SUCCEEDED)
    assert [record.id for record in journal.runs()] == ["r3", "r2", "open"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT DISTINCT run FROM events ORDER BY run").fetchall() == [("r2",), ("r3",)]
    connection.close()


def test_the_same_run_twice_is_refused(journal):
    journal.begin("r", "p", {})
    with pytest.raises(UserError):
        journal.begin("r", "p", {})


class TestUnfinished:
    def test_a_run_of_this_process_is_not_left_over(self, journal):
        journal.begin("r", "p", {})
        assert journal.unfinished() == []

    def test_a_run_of_a_dead_process_is(self, journal, path):
        insert_run(path, "dead", dead_process())
        assert [record.id for record in journal.unfinished()] == ["dead"]

    def test_a_pid_that_is_used_again_is_noticed(self, journal, path):
        me = this_process()
        insert_run(path, "recycled", ProcessIdentity(me.pid, str(int(me.started) - 1), me.boot))
        insert_run(path, "rebooted", ProcessIdentity(me.pid, me.started, "another boot"))
        assert {record.id for record in journal.unfinished()} == {"recycled", "rebooted"}

    def test_a_finished_run_is_not(self, journal):
        journal.begin("r", "p", {})
        journal.finish("r", Phase.FAILED)
        assert journal.unfinished() == []
        assert journal.runs()[0].phase is Phase.FAILED

    def test_after_kill_9_in_mid_run_everything_written_is_there(self, path):
        script = (
            "import sys; from pathlib import Path\n"
            "from ansflow_desktop.store.journal import Journal\n"
            "from ansflow_desktop.models.run import CommandStarted\n"
            f"journal = Journal(Path({str(path)!r}))\n"
            "journal.begin('r', 'p', {'release': 'fe-app'})\n"
            "journal.append(CommandStarted(time=1.0, run='r', argv=('helm',), cwd='/'))\n"
            "journal.flush()\n"
            "print('ready', flush=True); sys.stdin.read()"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGKILL)
        child.communicate()
        journal = Journal(path)
        (record,) = journal.unfinished()
        assert (record.id, record.release) == ("r", "fe-app")
        assert journal.events("r") == [CommandStarted(time=1.0, run="r", argv=("helm",), cwd="/")]
        assert journal.notice is None
        journal.close()


def test_identity_of_zombies_and_of_nobody():
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(ProcessIdentity(child.pid, "5", this_process().boot))
    child.wait()
    assert is_alive(ProcessIdentity(os.getpid()))
    assert not is_alive(ProcessIdentity(child.pid))


class TestFiles:
    def test_they_are_private(self, journal, path):
        journal.begin("r", "p", {})
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert {entry.stat().st_mode & 0o077 for entry in path.parent.iterdir()} == {0}

    def test_wal_and_foreign_keys(self, journal, path):
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
        journal.append(output("no such run", 1))
        journal.flush()
        assert "FOREIGN KEY" in str(journal.lost.message)

    def test_close_twice_and_reading_afterwards(self, path):
        journal = Journal(path)
        journal.begin("r", "p", {})
        journal.append(output("r", 1))
        journal.close()
        journal.close()
        again = Journal(path)
        assert len(again.events("r")) == 1
        again.close()


def whole_database(path):
    journal = Journal(path)
    for number in range(50):
        journal.begin(f"r{number}", "p", {"text": "x" * 500})
    journal.close()
    return path.read_bytes()


DAMAGE = {
    "garbage": lambda data: b"this is no database, not at all" * 100,
    "truncated": lambda data: data[: len(data) // 2],
    "cut header": lambda data: data[:50],
    "overwritten page": lambda data: data[:4096] + b"\xff" * 4096 + data[8192:],
    "zeroes": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_kept_aside_and_named(kind, path):
    damaged = DAMAGE[kind](whole_database(path))
    path.write_bytes(damaged)
    journal = Journal(path)
    kept = [
        entry
        for entry in path.parent.iterdir()
        if ".damaged-" in entry.name and not entry.name.endswith(("-wal", "-shm"))
    ]
    assert [entry.read_bytes() for entry in kept] == [damaged]
    assert str(kept[0]) in str(journal.notice)
    journal.begin("new", "p", {})
    assert [record.id for record in journal.runs()] == ["new"]
    journal.close()
    again = Journal(path)
    assert again.notice is None
    again.close()


def test_the_wal_of_a_damaged_file_is_kept_beside_it(path):
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)
    path.with_name("ansflow.db-wal").write_bytes(b"wal of it")
    Journal(path).close()
    names = sorted(entry.name for entry in path.parent.iterdir() if ".damaged-" in entry.name)
    assert len(names) == 2
    assert names[1] == f"{names[0]}-wal"


def test_an_empty_file_is_a_new_database(path):
    path.parent.mkdir()
    path.touch()
    journal = Journal(path)
    assert journal.notice is None
    assert journal.runs() == []
    journal.close()


def test_a_newer_schema_is_refused_and_untouched(path):
    whole_database(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        Journal(path)
    assert "newer version" in str(caught.value.title)
    assert path.read_bytes() == before
    assert not [entry for entry in path.parent.iterdir() if "damaged" in entry.name]


def test_events_of_a_newer_version_are_left_out(journal, path):
    journal.begin("r", "p", {})
    journal.append(output("r", 1))
    journal.flush()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO events VALUES ('r', 2, 1.0, 'teleported', '{\"type\": \"teleported\"}')")
    connection.close()
    assert journal.events("r") == [output("r", 1)]


def test_the_head_and_the_tables_are_those_of_the_migrations(path):
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == tables.HEAD
    Journal(path).close()
    engine = create_engine(f"sqlite:///{path}")
    for table in tables.metadata.sorted_tables:
        columns = inspect(engine).get_columns(table.name)
        found = {column["name"]: (str(column["type"]), column["nullable"]) for column in columns}
        assert found == {column.name: (str(column.type), bool(column.nullable)) for column in table.columns}
        assert {index["name"] for index in inspect(engine).get_indexes(table.name)} == {i.name for i in table.indexes}
    engine.dispose()


def test_alembic_is_not_imported_for_a_database_at_the_head(path):
    Journal(path).close()
    script = (
        "import sys; from pathlib import Path; from ansflow_desktop.store.journal import Journal\n"
        f"Journal(Path({str(path)!r})).close()\nassert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


class TestCannotBeWritten:
    def test_a_file_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "data").write_text("")
        with pytest.raises(UserError) as caught:
            Journal(tmp_path / "data" / "ansflow.db")
        assert caught.value.code is ExitCode.FAILED
        assert "--data-dir" in str(caught.value.hint)

    def test_a_read_only_folder(self, tmp_path, monkeypatch):
        def refused(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(database.os, "open", refused)
        with pytest.raises(UserError) as caught:
            Journal(tmp_path / "data" / "ansflow.db")
        assert "Permission denied" in str(caught.value.message)

    def test_a_folder_in_its_place(self, path):
        path.mkdir(parents=True)
        with pytest.raises(UserError):
            Journal(path)

    def test_begin_on_a_full_disk(self, path):
        """A limit on the size of files stands for the full disk; the child ignores the signal that comes with it."""
        assert _answer(_in_child("begin_without_space", str(path))) == "refused"
        journal = Journal(path)
        assert (journal.notice, [record.id for record in journal.runs()]) == (None, ["before"])
        journal.close()

    def test_events_on_a_full_disk_end_no_run_but_are_told(self, path):
        assert _answer(_in_child("append_without_space", str(path))) == "lost"

    def test_locked_for_too_long(self, path):
        journal = Journal(path)
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with journal._database.engine.execution_options(reading=True).connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=50")
        with pytest.raises(UserError) as caught:
            journal.begin("r", "p", {})
        blocker.execute("ROLLBACK")
        blocker.close()
        assert "try again" in str(caught.value.hint)
        journal.begin("r", "p", {})
        journal.close()


def _in_child(work, *args):
    """Call `work` of this file in a process of its own and return what it prints."""
    script = f"import {Path(__file__).stem} as tests; tests.{work}(*{args!r})"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)


def _answer(child):
    text = child.communicate(timeout=120)[0]
    assert child.returncode == 0
    return text.strip()


def _limit_files(path):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = max(entry.stat().st_size for entry in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def begin_without_space(name):
    path = Path(name)
    journal = Journal(path)
    journal.begin("before", "p", {})
    _limit_files(path)
    try:
        journal.begin("r", "p", {"text": "x" * 5_000_000})
    except UserError as error:
        print("refused" if "space" in str(error.hint) else error)


def append_without_space(name):
    path = Path(name)
    journal = Journal(path)
    journal.begin("before", "p", {})
    _limit_files(path)
    journal.append(Output(time=1.0, run="before", step="s", stream="stdout", text="x" * 5_000_000))
    journal.flush()
    print("lost" if journal.lost else "kept")


def write_many(path, name):
    journal = Journal(Path(path))
    for number in range(10):
        journal.begin(f"{name}-{number}", "p", {})
        for line in range(20):
            journal.append(output(f"{name}-{number}", line))
        journal.finish(f"{name}-{number}", Phase.SUCCEEDED)
    journal.close()
    assert journal.lost is None


def test_two_processes_at_once_make_the_file_and_write(path):
    children = [_in_child("write_many", str(path), name) for name in ("a", "b")]
    for child in children:
        _answer(child)
    journal = Journal(path)
    assert len(journal.runs(1000)) == 20
    assert all(len(journal.events(record.id)) == 20 for record in journal.runs(1000))
    assert {record.phase for record in journal.runs(1000)} == {Phase.SUCCEEDED}
    journal.close()


def test_texts_with_lone_surrogates_do_not_stop_the_writer(journal):
    journal.begin("r", "p", {})
    journal.append(Output(time=1.0, run="r", step="s", stream="stdout", text="bad \udcff"))
    journal.append(output("r", 2))
    journal.flush()
    assert output("r", 2) in journal.events("r")


def test_records_are_plain_data(journal):
    journal.begin("r", "p", {})
    assert msgspec.json.encode(journal.runs())
