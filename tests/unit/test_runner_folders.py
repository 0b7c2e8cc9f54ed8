"""Private folders of runs: removed at the end, swept after a crash, links never followed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from ansflow_desktop.executors import run_folder as folders
from ansflow_desktop.executors.run_folder import run_folder, sweep_run_folders
from ansflow_desktop.paths import Directories


@pytest.fixture
def directories(tmp_path):
    return Directories(data=tmp_path / "data", tools=tmp_path)


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_leftovers_of_dead_processes_are_swept_and_others_left(directories, elsewhere):
    dead = directories.runs / "dead"
    dead.mkdir(parents=True)
    (dead / ".owner").write_text(json.dumps({"pid": os.getpid(), "started": "1", "boot": "other"}))
    (dead / "kubeconfig").write_text("token")
    fresh = directories.runs / "fresh"
    fresh.mkdir()
    old = directories.runs / "old"
    old.mkdir()
    os.utime(old, (1, 1))
    (directories.runs / "link").symlink_to(elsewhere)
    with run_folder(directories, "mine") as mine:
        assert sorted(sweep_run_folders(directories)) == ["dead", "old"]
        assert mine.is_dir()
    assert sorted(os.listdir(directories.runs)) == ["fresh", "link"]
    assert elsewhere.is_dir()


def test_sweeping_without_a_folder(directories):
    assert sweep_run_folders(directories) == []


def test_links_in_it_are_not_followed(directories, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    with run_folder(directories, "r") as folder:
        (folder / "link").symlink_to(precious)
    assert (precious / "file").exists()


def test_what_cannot_be_removed_is_logged_not_raised(directories, monkeypatch, caplog):
    monkeypatch.setattr(folders.shutil, "rmtree", lambda *_, **__: None)
    with caplog.at_level("WARNING", logger="ansflow_desktop"), run_folder(directories, "r"):
        pass
    assert "could not be removed" in caplog.text


@pytest.fixture
def of_a_dead_run(directories):
    folder = directories.runs / "dead"
    folder.mkdir(parents=True)
    (folder / ".owner").write_text(json.dumps({"pid": os.getpid(), "started": "1", "boot": "other"}))
    return folder


WAITS = "import sys; sys.stdout.write('up\\n'); sys.stdout.flush(); sys.stdin.read()"


@pytest.mark.parametrize("named_by", ["argument", "environment", "directory"])
def test_a_folder_stays_while_a_process_of_its_run_lives(directories, of_a_dead_run, named_by):
    """The AnsFlow of a run was killed, its helm lives on with the private kubeconfig in the folder."""
    extra = {
        "argument": {"args": [sys.executable, "-c", WAITS, f"--kubeconfig={of_a_dead_run}/kubeconfig"]},
        "environment": {"args": [sys.executable, "-c", WAITS], "env": {"KUBECONFIG": f"{of_a_dead_run}/kubeconfig"}},
        "directory": {"args": [sys.executable, "-c", WAITS], "cwd": of_a_dead_run},
    }[named_by]
    with subprocess.Popen(stdin=subprocess.PIPE, stdout=subprocess.PIPE, **extra) as helm:
        assert helm.stdout.readline() == b"up\n"
        assert sweep_run_folders(directories) == []
        helm.stdin.close()
        helm.wait()
    assert sweep_run_folders(directories) == ["dead"]


def test_without_proc_a_folder_counts_as_in_use_for_a_day(of_a_dead_run, tmp_path):
    assert folders.processes_left(of_a_dead_run, tmp_path / "no-proc")
    yesterday = time.time() - 25 * 3600
    os.utime(of_a_dead_run, (yesterday, yesterday))
    assert not folders.processes_left(of_a_dead_run, tmp_path / "no-proc")
