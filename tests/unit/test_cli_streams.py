"""Standard streams that are closed, full, or whose reader goes away; a disk that takes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ansflow_desktop.errors import ExitCode

SHELL_ONLY = """apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  steps:
    - {name: enter, type: shell, command: "cd 'sub dir'"}
"""


def test_as_a_program_with_a_reader_that_goes_away(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ansflow_desktop --data-dir {tmp_path} schema | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("streams", "words", "code"),
    [
        (">&-", "info", 0),
        (">&- 2>&-", "info", 0),
        ("<&-", "info", 0),
        ("<&- >&- 2>&-", "run {file}", 0),
        (">/dev/full", "info", ExitCode.FAILED),
        (">/dev/full", "run {file}", 0),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path: Path, streams: str, words: str, code: int) -> None:
    """A result that could not be written is a failure; a deed that was done is not."""
    file, marker, errors = tmp_path / "s.yaml", tmp_path / "ran", tmp_path / "errors"
    file.write_text(SHELL_ONLY.replace("cd 'sub dir'", f"touch {marker}"))
    command = f"{sys.executable} -m ansflow_desktop --data-dir {tmp_path}/data {words.format(file=file)} {streams}"
    done = subprocess.run(["bash", "-c", f"({command}) 2>{errors}"], capture_output=True, text=True, check=False)
    assert "Traceback" not in errors.read_text() and "Exception ignored" not in errors.read_text()
    assert done.returncode == code, errors.read_text()
    assert marker.exists() == words.startswith("run")


def test_on_a_full_disk_nothing_is_started(tmp_path: Path) -> None:
    """Every write fails from the start (as on a full disk): no step runs that could not be recorded."""
    file, marker = tmp_path / "s.yaml", tmp_path / "ran"
    file.write_text(SHELL_ONLY.replace("cd 'sub dir'", f"mkdir {marker}"))
    words = f"{sys.executable} -m ansflow_desktop --data-dir {tmp_path}/data run {file}"
    done = subprocess.run(["bash", "-c", f"ulimit -f 0; {words}"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr and "--data-dir" in done.stderr
    assert not marker.exists()
