"""AnsFlow itself dies in mid-run (failure-modes.md, rows 1 and 17): what was done is known, and nothing is repeated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ansflow_desktop.executors.run_folder import sweep_run_folders
from ansflow_desktop.models.run import CommandStarted, Phase, StepFinished, StepStarted
from ansflow_desktop.paths import Directories
from ansflow_desktop.store.journal import Journal

SCRIPT = """
import os, signal, sys
from pathlib import Path
from ansflow_desktop.executors.runner import PipelineRunner
from ansflow_desktop.executors.shell import ShellStepExecutor
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models import run
from ansflow_desktop.paths import Directories
from ansflow_desktop.process import Cancel
from ansflow_desktop.store.journal import Journal

folder, kind, step = Path(sys.argv[1]), getattr(run, sys.argv[2]), sys.argv[3]
directories = Directories(data=folder / "data", tools=folder)
steps = tuple(
    PipelineStep(name=name, type=StepType.SHELL, command=f"echo {name} >> {folder}/done") for name in ("a", "b", "c")
)

def emit(event):
    if isinstance(event, kind) and event.step == step:
        os.kill(os.getpid(), signal.SIGKILL)

runner = PipelineRunner(
    {StepType.SHELL: ShellStepExecutor()}, Journal(directories.database), ToolSet(), None, directories
)
runner.run(Pipeline(name="p", steps=steps, folder=str(folder)), emit, Cancel())
"""


@pytest.mark.parametrize(
    ("kind", "step", "done", "last"),
    [
        ("StepStarted", "a", "", StepStarted),
        ("CommandStarted", "b", "a\n", CommandStarted),
        ("StepFinished", "b", "a\nb\n", StepFinished),
        ("StepStarted", "c", "a\nb\n", StepStarted),
    ],
)
def test_killed_at_a_transition(kind, step, done, last, tmp_path):
    child = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path), kind, step], timeout=60)
    assert child.returncode == -signal.SIGKILL
    directories = Directories(data=tmp_path / "data", tools=tmp_path)
    journal = Journal(directories.database)
    (record,) = journal.unfinished()
    events = journal.events(record.id)
    assert record.phase is Phase.RUNNING
    assert (type(events[-1]), events[-1].step) == (last, step)
    assert sweep_run_folders(directories) == [record.id]
    assert ((tmp_path / "done").read_text() if (tmp_path / "done").exists() else "") == done
    assert os.listdir(directories.runs) == []
    journal.close()
