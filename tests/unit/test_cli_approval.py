"""A credential program is shown on a terminal and runs only after a yes (failure-modes.md, row 8)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansflow_desktop.errors import ExitCode

LIMIT_S = 30


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "touch",
        "args": [str(tmp_path / "ran")],
        "env": [{"name": "ROLE", "value": "admin"}],
        "interactiveMode": "Never",
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": plugin}}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return file


def answer(kubeconfig: Path, tmp_path: Path, word: str) -> tuple[int, str]:
    """Run `clusters namespaces dev` on a terminal of its own, type `word`, return exit code and what was shown."""
    command = [sys.executable, "-m", "ansflow_desktop", "--data-dir", str(tmp_path / "data")]
    command += ["--kubeconfig", str(kubeconfig), "clusters", "namespaces", "dev"]
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdin=slave, stdout=subprocess.DEVNULL, stderr=slave, close_fds=True) as process:
        os.close(slave)
        os.write(master, f"{word}\n".encode())
        shown = _read_all(master)
        code = process.wait(LIMIT_S)
    os.close(master)
    return code, shown


def _read_all(master: int) -> str:
    shown = b""
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:  # the other end is closed
            return shown.decode()
        if not data:
            return shown.decode()
        shown += data


@pytest.mark.parametrize("word", ["n", "", "whatever"])
def test_anything_but_yes_is_no(kubeconfig: Path, tmp_path: Path, word: str) -> None:
    code, shown = answer(kubeconfig, tmp_path, word)
    assert code == ExitCode.INVALID
    assert "command: touch" in shown and "ROLE=admin" in shown and str(tmp_path / "ran") in shown
    assert not (tmp_path / "ran").exists()


def test_yes_runs_it_and_it_is_not_asked_again(kubeconfig: Path, tmp_path: Path) -> None:
    code, shown = answer(kubeconfig, tmp_path, "y")
    assert code == ExitCode.UNREACHABLE and "[y/N]" in shown
    assert (tmp_path / "ran").exists()
    assert "[y/N]" not in answer(kubeconfig, tmp_path, "")[1]


def test_a_changed_program_is_asked_about_again(kubeconfig: Path, tmp_path: Path) -> None:
    answer(kubeconfig, tmp_path, "y")
    kubeconfig.write_text(kubeconfig.read_text().replace("value: admin", "value: root"))
    code, shown = answer(kubeconfig, tmp_path, "n")
    assert code == ExitCode.INVALID and "ROLE=root" in shown
