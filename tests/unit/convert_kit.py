"""Runs converted pipelines with programs that write down how they were called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ansflow_desktop.executors.convert.bash import to_bash
from ansflow_desktop.executors.convert.prepare import prepare
from ansflow_desktop.pipelines.codec import parse

_FAKE = """#!{python}
import json, os, sys
stdin = "" if os.isatty(0) else sys.stdin.read()
call = {{"program": {name!r}, "argv": sys.argv[1:], "cwd": os.getcwd(), "stdin": stdin}}
with open({log!r}, "a") as file:
    file.write(json.dumps(call) + "\\n")
if {name!r} == "helm" and sys.argv[1] == "version":
    print("v4.3.1+g0")
elif {name!r} == "kubectl" and sys.argv[1] == "apply":
    print("deployment.apps/web\\nservice/web\\njob.batch/once")
elif {name!r} == "kubectl" and sys.argv[1:3] == ["get", "pods"]:
    print("pod/one\\npod/two")
elif {name!r} == "kubectl" and sys.argv[1] == "exec":
    print("said by the pod")
"""

HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: try}\n"


class Tried:
    """What a converted pipeline did: its exit code, output, and the calls of helm and kubectl."""

    def __init__(self, folder: Path, result: subprocess.CompletedProcess[str]) -> None:
        """Read the calls from `folder`."""
        self.code = result.returncode
        self.output = result.stdout + result.stderr
        log = folder / "calls"
        self.calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def argv(self, program: str) -> list[list[str]]:
        """Return the arguments of each call of `program`."""
        return [call["argv"] for call in self.calls if call["program"] == program]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which helm and kubectl only write down their calls."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("helm", "kubectl"):
        program = programs / name
        program.write_text(_FAKE.format(python=sys.executable, name=name, log=str(folder / "calls")))
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(folder)}


def script_of(folder: Path, spec: str, given: dict[str, str] | None = None) -> str:
    """Return the bash script of the pipeline whose `spec` is given as YAML."""
    return to_bash(prepare(parse(HEAD + spec, str(folder)), given or {}))


def run_bash(folder: Path, spec: str, *arguments: str) -> Tried:
    """Convert and run in `folder`."""
    script = folder / "converted.sh"
    script.write_text(script_of(folder, spec))
    result = subprocess.run(
        ["bash", str(script), *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Tried(folder, result)
