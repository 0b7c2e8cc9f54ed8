"""files.py: private folders for keys; what a killed process left of them is removed by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from ansflow_desktop import files
from ansflow_desktop.executors.run_folder import sweep_run_folders
from ansflow_desktop.paths import directories

KILLED = """
import os, signal
from ansflow_desktop import files
(files.make_private_folder() / "key").write_text("PRIVATE KEY")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_is_for_its_user_alone_and_goes_at_the_end():
    with files.private_folder() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "key").write_text("x")
    assert not folder.exists()


def test_keys_of_a_killed_process_go_at_the_next_start_and_those_of_a_living_one_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert ended.returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    assert (left / "key").exists()
    with files.private_folder() as mine:
        stranger = tmp_path / "ansflow-private-notes"
        stranger.mkdir()
        sweep_run_folders(directories(tmp_path / "data"))
        assert set(tmp_path.iterdir()) == {mine, stranger}
