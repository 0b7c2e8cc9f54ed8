"""Variables that every run has: `run_id`, `date` (YYYY-MM-DD, UTC), `git_commit` and `git_branch` of the folder."""

from __future__ import annotations

import shutil
import time

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.command import Command
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.process import Cancel, ProcessRunner

BUILTIN = ("run_id", "date", "git_commit", "git_branch")
_GIT = {"git_commit": ("rev-parse", "HEAD"), "git_branch": ("rev-parse", "--abbrev-ref", "HEAD")}
_TIMEOUT_S = 10.0


def builtin_variables(pipeline: Pipeline, run_id: str, cancel: Cancel | None = None) -> dict[str, str]:
    """Return the built-in variables of a run; git is only asked where the pipeline mentions one of its variables.

    Without git, or outside a repository, its variables stay undefined and a step that uses one says so.
    """
    found = {"run_id": run_id, "date": time.strftime("%Y-%m-%d", time.gmtime())}
    text = repr(pipeline)
    for name, arguments in _GIT.items():
        value = _git(arguments, pipeline.folder, cancel) if name in text else ""
        if value:
            found[name] = value
    return found


def _git(arguments: tuple[str, ...], folder: str, cancel: Cancel | None) -> str:
    git = shutil.which("git")
    if not git:
        return ""
    command = Command(argv=(git, *arguments), cwd=folder, timeout=_TIMEOUT_S, purpose="git")
    try:
        result = ProcessRunner().run(command, None, cancel)
    except UserError:
        return ""
    return result.stdout.strip() if result.exit_code == 0 else ""
