"""dev.py: refuses what it cannot do in plain words, and does nothing twice. Nothing is installed here."""

from __future__ import annotations

import ast
import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dev(monkeypatch, tmp_path: Path):
    """A fresh copy of the module that may not start any process."""
    spec = importlib.util.spec_from_file_location("dev_under_test", ROOT / "dev.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ran = []
    monkeypatch.setattr(module, "run", lambda *words, **options: module.ran.append(list(map(str, words))) or 0)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    return module


def test_it_is_short_and_needs_the_standard_library_only() -> None:
    text = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 330
    names = {alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_another_python_is_refused_in_a_plain_line(dev, monkeypatch, version: tuple[int, int, int], capsys) -> None:
    monkeypatch.setattr(dev.sys, "version_info", version)
    monkeypatch.setattr(dev.sys, "argv", ["dev.py", "tools"])
    assert dev.main() == 1
    assert ".".join(map(str, version)) in capsys.readouterr().err
    assert dev.ran == []


def test_root_installs_what_is_missing(dev, monkeypatch) -> None:
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    dev.apt_install({"libegl1", "libgl1"}, "Missing")
    assert [words[2:4] for words in dev.ran] == [["apt-get", "update"], ["apt-get", "install"]]
    assert dev.ran[1][-2:] == ["libegl1", "libgl1"]


def test_without_rights_the_exact_command_is_given(dev, monkeypatch) -> None:
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev, "quiet", lambda *words: False)
    with pytest.raises(dev.Stop, match=r"sudo sh -c 'apt-get update && apt-get install .* libegl1'"):
        dev.apt_install({"libegl1"}, "Missing")
    assert dev.ran == []


def test_elsewhere_the_names_are_given(dev, monkeypatch) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.Stop, match="libegl1"):
        dev.apt_install({"libegl1"}, "Missing")


def test_only_what_cannot_be_loaded_is_installed(dev, monkeypatch) -> None:
    asked: list[set[str]] = []
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "loadable", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(dev, "has_chinese_font", lambda: True)
    monkeypatch.setattr(dev, "apt_install", lambda packages, why: asked.append(packages))
    dev.system_libraries()
    assert asked == [{"libegl1"}]


def test_a_missing_font_does_not_stop_anything(dev, monkeypatch, capsys) -> None:
    def refuse(packages, why):
        raise dev.Stop(why)

    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "loadable", lambda library: True)
    monkeypatch.setattr(dev, "has_chinese_font", lambda: False)
    monkeypatch.setattr(dev, "apt_install", refuse)
    dev.system_libraries()
    assert "Chinese" in capsys.readouterr().out


def test_the_lock_is_installed_with_hashes_and_only_once(dev, monkeypatch) -> None:
    monkeypatch.setattr(dev, "make_venv", lambda: dev.VENV.mkdir())
    monkeypatch.setattr(dev, "add_clone_to_path", lambda: None)
    monkeypatch.setattr(dev, "quiet", lambda *words: True)
    dev.virtual_environment("dev")
    assert len(dev.ran) == 1
    assert {"--require-hashes", "--only-binary", "--no-compile"} <= set(dev.ran[0])
    assert dev.ran[0][-1].endswith("packaging/requirements-dev.lock")
    dev.virtual_environment("dev")
    assert len(dev.ran) == 1


def test_an_interrupted_set_up_is_done_again(dev, monkeypatch) -> None:
    def broken(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "make_venv", lambda: dev.VENV.mkdir(exist_ok=True))
    monkeypatch.setattr(dev, "add_clone_to_path", lambda: None)
    monkeypatch.setattr(dev, "quiet", lambda *words: True)
    works = dev.run
    monkeypatch.setattr(dev, "run", broken)
    with pytest.raises(KeyboardInterrupt):
        dev.virtual_environment("run")
    monkeypatch.setattr(dev, "run", works)
    dev.virtual_environment("run")
    assert len(dev.ran) == 1


def test_demo_without_tools_says_so_and_goes_on(dev, monkeypatch, capsys) -> None:
    for name in ("virtual_environment", "system_libraries"):
        monkeypatch.setattr(dev, name, lambda *words: None)
    monkeypatch.setattr(dev, "practice_tools", lambda: False)
    monkeypatch.setattr(dev, "has_display", lambda: False)
    assert dev.demo(dev.argparse.Namespace(headless=False)) == 0
    assert dev.ran[0][1:] == ["-m", "ansflow_desktop.commands.demo", "--headless", "--no-practice"]
    assert "neither downloaded nor built" in capsys.readouterr().out


def test_help_lists_the_commands() -> None:
    done = subprocess.run([sys.executable, ROOT / "dev.py", "--help"], capture_output=True, text=True, check=True)
    for command in ("demo", "test", "lint", "bench", "screenshots", "tools"):
        assert command in done.stdout


WAITS = """
import signal, sys, time
print("up", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    open(sys.argv[1], "w").write("cleaned up")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_from_outside_lets_the_command_clean_up(tmp_path: Path, number: signal.Signals) -> None:
    """Interrupted, dev.py must not kill what it started: pytest has clusters to end."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['dev.py', 'tools']; import dev\n"
        f"dev.tools.__code__ = (lambda o: run(sys.executable, '-c', {WAITS!r}, {str(tmp_path / 'note')!r})).__code__\n"
        "sys.exit(dev.main())"
    )
    command = [sys.executable, "-B", "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        child.send_signal(number)
        assert child.wait(30) == 130
    assert (tmp_path / "note").read_text() == "cleaned up"


def test_an_unknown_option_is_wrong_usage() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py", "lint", "--fast"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--fast" in done.stderr


def test_both_locks_pin_everything_with_hashes() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / "packaging" / lock).read_text(encoding="utf-8")
        pinned = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)
