"""The wheel, installed outside the clone: it deploys, and it opens the window. No network, no clone on the path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory) -> Path:
    """The installed `ansflow-desktop`; its dependencies come from this environment, the package from the wheel."""
    venv = tmp_path_factory.mktemp("installed") / "安装 here"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=LIMIT_S)
    python = venv / "bin" / "python"
    install = ["install", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "-q", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True, timeout=LIMIT_S)
    site = next((venv / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin" / "ansflow-desktop"


@pytest.fixture
def call(program: Path, kubeconfig: Path, tmp_path: Path):
    """Run the installed program in a folder outside the clone."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(program), "--data-dir", str(tmp_path / "data"), "--kubeconfig", str(kubeconfig), *words]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=LIMIT_S, check=False
        )

    return run


def test_the_wheel_holds_the_resources(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = "ansflow_desktop/resources/"
    wanted = [path for path in (ROOT / "resources").rglob("*") if path.is_file()]
    assert wanted
    assert {inside + path.relative_to(ROOT / "resources").as_posix() for path in wanted} <= names
    assert f"{inside}tools/kubernetes/go.mod" in names
    assert "ansflow_desktop/practice/pins.toml" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/")) or name.endswith(".pyc")]


def test_what_runs_is_the_installed_package(program: Path, tmp_path: Path) -> None:
    script = "import ansflow_desktop, ansflow_desktop.paths as p; print(ansflow_desktop.__file__, p.resources())"
    python = str(program.with_name("python"))
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert str(ROOT) not in done.stdout.replace(str(tmp_path), "")
    assert str(program.parent.parent) in done.stdout


def test_the_installed_program_deploys(call, helm4, namespace: str, tmp_path: Path) -> None:
    chart = shutil.copytree(ROOT / "examples" / "fe-app", tmp_path / "fe-app")
    done = call("deploy", str(chart), "-c", "practice", "-n", namespace, "--helm", helm4.path, "-o", "json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert document["steps"][0]["release"]["status"] == "deployed"


def test_the_installed_program_speaks_chinese_and_knows_the_schema(call) -> None:
    assert "命名空间" in call("--lang", "zh_CN", "deploy", "--help").stdout
    assert json.loads(call("schema").stdout)["title"]


def test_the_installed_program_opens_the_window(call, tmp_path: Path) -> None:
    done = call("screenshot", str(tmp_path / "pictures"), "--theme", "light", "--lang", "zh_CN")
    assert done.returncode == 0, done.stderr
    pictures = [Path(line) for line in done.stdout.splitlines()]
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG\r\n")
        assert picture.stat().st_size > 10_000
