"""The library on a real file: what is saved is there, nobody's work is overwritten, no file is dropped."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.models.run import Output, Phase
from ansflow_desktop.store import database, shared, tables
from ansflow_desktop.store.journal import Journal
from ansflow_desktop.store.library import MAX_DOCUMENT, Conflict, Library, LibraryItem

SCHEMA_0001 = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0001');
CREATE TABLE runs (
    id VARCHAR NOT NULL PRIMARY KEY, pipeline TEXT NOT NULL, started FLOAT NOT NULL, finished FLOAT,
    phase VARCHAR NOT NULL, pid INTEGER NOT NULL, process_started VARCHAR NOT NULL, boot VARCHAR NOT NULL,
    cluster TEXT NOT NULL, namespace TEXT NOT NULL, release TEXT NOT NULL, details TEXT NOT NULL);
CREATE INDEX runs_started ON runs (started);
CREATE TABLE events (
    run VARCHAR NOT NULL REFERENCES runs (id) ON DELETE CASCADE, seq INTEGER NOT NULL, time FLOAT NOT NULL,
    type VARCHAR NOT NULL, json TEXT NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID;
INSERT INTO runs VALUES ('r1', '部署', 1.0, 2.0, 'Succeeded', 1, '', '', 'dev', 'fe', 'web', '{"a": [1]}');
INSERT INTO runs VALUES ('r2', 'p', 3.0, 4.0, 'Failed', 1, '', '', 'dev', 'fe', 'web', '{}');
INSERT INTO events VALUES ('r1', 1, 1.5, 'output',
    '{"type":"output","time":1.5,"run":"r1","step":"s","stream":"stdout","text":"x"}');
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "ansflow.db"


@pytest.fixture
def library(path):
    library = Library(path)
    yield library
    library.close()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.05)


def run_python(script):
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


class TestItems:
    def test_what_is_saved_is_there_in_another_process(self, library, path):
        document = "name: 部署\r\ncommand: |\n  echo\t😀\n"
        before = time.time()
        item = library.save("step", "部署", document, folder="team/a", origin="import")
        assert before <= item.updated <= time.time()
        assert library.read("step", "部署") == item
        run_python(
            "from pathlib import Path; from ansflow_desktop.store.library import Library\n"
            f"item = Library(Path({str(path)!r})).read('step', '部署')\n"
            f"assert (item.document, item.folder, item.origin) == ({document!r}, 'team/a', 'import')\n"
        )

    def test_kinds_are_apart_and_sorted_by_name(self, library):
        for name in ("b", "C", "a"):
            library.save("step", name, name)
        library.save("template", "a", "t")
        assert [item.name for item in library.items("step")] == ["a", "b", "C"]
        assert [item.document for item in library.items("template")] == ["t"]
        assert library.items("pipeline") == ()

    def test_save_replaces_and_its_time_always_grows(self, library, monkeypatch):
        first = library.save("step", "a", "1", folder="f")
        monkeypatch.setattr(time, "time", lambda: 5.0)
        second = library.save("step", "a", "2")
        assert second.updated > first.updated
        assert library.items("step") == (second,)

    def test_rename(self, library):
        item = library.save("step", "a", "1", folder="f", origin="import")
        library.save("step", "b", "2")
        renamed = library.rename("step", "a", "c")
        assert (renamed.document, renamed.folder, renamed.origin) == ("1", "f", "import")
        assert [found.name for found in library.items("step")] == ["b", "c"]
        assert renamed.updated > item.updated
        assert library.rename("step", "c", "c") == renamed
        with pytest.raises(UserError) as caught:
            library.rename("step", "c", "b")
        assert caught.value.field == "name"
        assert library.read("step", "b").document == "2"

    def test_remove_returns_what_it_was(self, library):
        item = library.save("step", "a", "1")
        library.save("template", "a", "2")
        assert library.remove("step", "a") == item
        assert library.remove("step", "a") is None
        assert library.read("step", "a") is None
        assert library.read("template", "a").document == "2"

    @given(document=st.text(), folder=st.text(st.characters(exclude_categories=["Cc", "Cs"])))
    @settings(
        deadline=None, max_examples=40, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_any_text_comes_back_as_it_was(self, library, document, folder):
        library.save("step", "x", document, folder)
        found = library.read("step", "x")
        assert (found.document, found.folder) == (document, folder)

    @pytest.mark.parametrize(
        ("name", "document", "folder", "field"),
        [
            ("", "x", "", "name"),
            (" \t", "x", "", "name"),
            ("a\nb", "x", "", "name"),
            ("a\0", "x", "", "name"),
            ("\udcff", "x", "", "name"),
            ("x" * 256, "x", "", "name"),
            ("a", "\udcff", "", "document"),
            ("a", "é" * (MAX_DOCUMENT // 2 + 1), "", "document"),
            ("a", "x", "f\0", "folder"),
        ],
        ids=lambda value: repr(value)[:12],
    )
    def test_what_cannot_be_stored_is_refused_by_name(self, library, name, document, folder, field):
        with pytest.raises(UserError) as caught:
            library.save("step", name, document, folder)
        assert caught.value.field == field
        assert library.items("step") == ()

    def test_names_that_no_item_has_are_found_nowhere(self, library):
        for name in ("", "\udcff", "x" * 5000, "' OR 1=1 --"):
            assert library.read("step", name) is None
            assert library.remove("step", name) is None
        with pytest.raises(UserError):
            library.rename("step", "\udcff", "a")
        library.save("step", "a", "x")
        with pytest.raises(UserError):
            library.rename("step", "a", "\udcff")


class TestConflicts:
    def test_an_item_changed_meanwhile_is_not_overwritten(self, library, path):
        mine = library.save("step", "a", "1")
        other = Library(path)
        theirs = other.save("step", "a", "2", expected=mine.updated)
        for attempt in (
            lambda: library.save("step", "a", "3", expected=mine.updated),
            lambda: library.rename("step", "a", "b", expected=mine.updated),
            lambda: library.remove("step", "a", expected=mine.updated),
        ):
            with pytest.raises(Conflict) as caught:
                attempt()
            assert caught.value.theirs == theirs
        assert library.items("step") == (theirs,)
        assert library.save("step", "a", "3", expected=theirs.updated).document == "3"
        other.close()

    def test_an_item_removed_meanwhile_does_not_come_back_unasked(self, library):
        item = library.save("step", "a", "1")
        library.remove("step", "a", expected=item.updated)
        with pytest.raises(Conflict) as caught:
            library.save("step", "a", "2", expected=item.updated)
        assert caught.value.theirs is None
        with pytest.raises(Conflict):
            library.rename("step", "a", "b")
        assert library.save("step", "a", "2").document == "2"

    def test_a_new_item_does_not_overwrite_one_of_its_name(self, library):
        library.save("step", "a", "1", expected=0.0)
        with pytest.raises(Conflict):
            library.save("step", "a", "2", expected=0.0)
        assert library.read("step", "a").document == "1"

    def test_of_many_threads_each_write_is_on_the_one_before(self, library):
        """Each thread reads and adds one, trying again after a conflict: no addition is lost."""
        library.save("step", "n", "0")

        def add():
            done = 0
            while done < 10:
                item = library.read("step", "n")
                try:
                    library.save("step", "n", str(int(item.document) + 1), expected=item.updated)
                except Conflict:
                    continue
                done += 1

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert library.read("step", "n").document == "40"

    def test_two_processes_write_beside_a_journal(self, path):
        script = (
            "import sys; from pathlib import Path; from ansflow_desktop.store.library import Library\n"
            f"library = Library(Path({str(path)!r}))\n"
            "for number in range(50): library.save('step', f'{sys.argv[1]}{number}', 'x' * 3000)\n"
            "library.close()"
        )
        children = [subprocess.Popen([sys.executable, "-c", script, name]) for name in ("a", "b")]
        journal = Journal(path)
        for number in range(20):
            journal.begin(f"r{number}", "p", {})
            journal.finish(f"r{number}", Phase.SUCCEEDED)
        assert [child.wait(60) for child in children] == [0, 0]
        library = Library(path)
        assert (len(library.items("step")), len(journal.runs())) == (100, 20)
        library.close()
        journal.close()


class TestOneFile:
    def test_journal_and_library_share_what_is_open_until_both_are_closed(self, path, monkeypatch):
        opened = []
        real = shared.open_database
        monkeypatch.setattr(shared, "open_database", lambda path: opened.append(path) or real(path))
        journal = Journal(path)
        library = Library(path.parent / "." / path.name)
        assert opened == [path]
        journal.begin("r", "p", {})
        library.save("step", "a", "x")
        journal.close()
        journal.close()
        Journal(path).close()
        assert (library.read("step", "a").document, opened) == ("x", [path])
        assert library.save("step", "b", "y").name == "b"
        library.close()
        again = Library(path)
        assert (len(opened), len(again.items("step"))) == (2, 2)
        again.close()

    def test_a_file_that_was_replaced_is_opened_anew(self, path, tmp_path):
        first = Library(path)
        first.save("step", "a", "x")
        for name in (path, path.with_name("ansflow.db-wal"), path.with_name("ansflow.db-shm")):
            name.rename(tmp_path / name.name)
        second = Library(path)
        assert second.items("step") == ()
        second.save("step", "b", "y")
        second.close()
        first.close()

    def test_a_database_of_the_first_version_keeps_its_runs(self, path):
        path.parent.mkdir()
        with sqlite3.connect(path) as connection:
            connection.executescript(SCHEMA_0001)
        connection.close()
        library = Library(path)
        library.save("step", "a", "x")
        journal = Journal(path)
        assert [(run.id, run.pipeline, run.phase) for run in journal.runs()] == [
            ("r2", "p", Phase.FAILED),
            ("r1", "部署", Phase.SUCCEEDED),
        ]
        assert journal.run("r1").details == {"a": [1]}
        assert journal.events("r1") == [Output(time=1.5, run="r1", step="s", stream="stdout", text="x")]
        journal.begin("r3", "p", {})
        assert (journal.notice, library.notice, library.read("step", "a").document) == (None, None, "x")
        journal.close()
        library.close()
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(tables.HEAD,)]
        connection.close()
        assert [entry.name for entry in path.parent.iterdir() if "damaged" in entry.name] == []

    def test_a_migration_that_fails_leaves_the_old_database_whole(self, path, monkeypatch):
        path.parent.mkdir()
        with sqlite3.connect(path) as connection:
            connection.executescript(SCHEMA_0001 + "CREATE TABLE library (x);")
        connection.close()
        before = path.read_bytes()
        with pytest.raises(UserError) as caught:
            Library(path)
        assert "library" in str(caught.value.message)
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
            assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(2,)]
        connection.close()
        assert len(path.read_bytes()) == len(before)


class TestTrouble:
    def test_locked_for_too_long(self, path, impatient):
        library = Library(path)
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        for attempt in (
            lambda: library.save("step", "a", "x"),
            lambda: library.rename("step", "a", "b"),
            lambda: library.remove("step", "a"),
        ):
            with pytest.raises(UserError) as caught:
                attempt()
            assert (caught.value.code, "try again" in str(caught.value.hint)) == (ExitCode.FAILED, True)
            assert "library" in str(caught.value.title)
        assert library.items("step") == ()
        blocker.execute("ROLLBACK")
        blocker.close()
        assert library.save("step", "a", "x").document == "x"
        library.close()

    def test_locked_while_it_is_opened(self, path, impatient):
        Library(path).close()
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("PRAGMA locking_mode=EXCLUSIVE")
        blocker.execute("BEGIN EXCLUSIVE")
        blocker.execute("CREATE TABLE held (x)")
        with pytest.raises(UserError) as caught:
            Library(path)
        assert "try again" in str(caught.value.hint)
        blocker.execute("ROLLBACK")
        blocker.close()
        library = Library(path)
        assert library.notice is None
        library.close()

    def test_a_read_only_database(self, library):
        item = library.save("step", "a", "x")
        with library._database.engine.execution_options(reading=True).connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(UserError) as caught:
            library.save("step", "a", "y")
        assert "writable" in str(caught.value.hint)
        assert library.items("step") == (item,)

    def test_a_read_only_file(self, path, monkeypatch):
        Library(path).close()
        before = path.read_bytes()

        def refused(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(database.os, "open", refused)
        with pytest.raises(UserError) as caught:
            Library(path)
        assert ("Permission denied" in str(caught.value.message), path.read_bytes()) == (True, before)

    def test_a_damaged_file_is_kept_and_named(self, path):
        path.parent.mkdir()
        path.write_bytes(b"garbage" * 1000)
        library = Library(path)
        (kept,) = [entry for entry in path.parent.iterdir() if ".damaged-" in entry.name]
        assert kept.read_bytes() == b"garbage" * 1000
        assert str(kept) in str(library.notice)
        journal = Journal(path)
        assert journal.notice is None
        library.save("step", "a", "x")
        journal.close()
        library.close()

    def test_damage_while_it_is_open_is_an_error_by_name(self, path):
        library = Library(path)
        for number in range(200):
            library.save("step", f"s{number}", "x" * 2000)
        library.close()
        data = path.read_bytes()
        library = Library(path)
        library._database.engine.dispose()  # a connection that has read the pages keeps them
        path.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
        with pytest.raises(UserError) as caught:
            library.items("step")
        assert "Start AnsFlow Desktop again" in str(caught.value.hint)
        library.close()
        again = Library(path)
        assert "damaged" in str(again.notice)
        again.close()

    def test_a_newer_version_is_refused_and_untouched(self, path):
        library = Library(path)
        library.save("step", "a", "x")
        library.close()
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        before = path.read_bytes()
        with pytest.raises(UserError) as caught:
            Library(path)
        assert ("newer version" in str(caught.value.title), path.read_bytes()) == (True, before)


def test_garbage_of_another_program_hides_no_other_item(library, path):
    library.save("template", "good", "kind: Template")
    with sqlite3.connect(path) as other:
        for name, document in (("bytes", b"\xff\x00x"), ("number", 12345)):
            other.execute("INSERT INTO library VALUES ('template', ?, ?, '', 'user', 'never')", (name, document))
        other.execute("INSERT INTO library VALUES ('template', 'text', CAST(x'ff41' AS TEXT), '', 'user', 1.0)")
    found = {item.name: item for item in library.items("template")}
    assert {name: item.document for name, item in found.items()} == {
        "good": "kind: Template", "bytes": "\ufffd\0x", "number": "12345", "text": "\ufffdA"
    }  # fmt: skip
    assert found["bytes"].updated == 0.0


def test_five_thousand_items_are_listed_at_once(library):
    rows = [
        {
            "kind": "step",
            "name": f"step {number}",
            "document": f"name: step {number}\n{'command: x ' * 150}",
            "folder": "",
            "origin": "user",
            "updated": float(number),
        }
        for number in range(5000)
    ]
    with library._database.writing() as connection:
        connection.execute(insert(tables.library), rows)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = library.items("step")
        times.append(time.perf_counter() - start)
    assert {item.name for item in found} == {row["name"] for row in rows}
    assert all(isinstance(item, LibraryItem) for item in found)
    assert min(times) < 0.5


def test_files_are_private(library, path):
    library.save("step", "a", "x")
    assert {entry.stat().st_mode & 0o077 for entry in Path(path.parent).iterdir()} == {0}


def test_a_file_removed_while_it_is_open_is_made_anew_and_nothing_is_saved_nowhere(tmp_path):
    path = tmp_path / "ansflow.db"
    library = Library(path)
    library.save("pipeline", "shop", "old")
    for one in tmp_path.glob("ansflow.db*"):
        one.unlink()
    with pytest.raises(Conflict):
        library.save("pipeline", "shop", "mine", expected=1.0)
    library.save("pipeline", "shop", "mine")
    library.close()
    again = Library(path)
    assert again.read("pipeline", "shop").document == "mine"
    again.close()
