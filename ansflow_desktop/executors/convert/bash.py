"""A pipeline as one script for bash: the same commands, directory and variables handed on from step to step."""

from __future__ import annotations

import shlex

from ansflow_desktop import paths
from ansflow_desktop.executors.convert.prepare import Prepared, Ready
from ansflow_desktop.executors.convert.words import exact_heredoc, word

_MARK = "ANSFLOW_STEP"


def runtime() -> str:
    """Return the functions that every converted pipeline uses."""
    return (paths.resources() / "shell" / "runtime.sh").read_text(encoding="utf-8")


def to_bash(prepared: Prepared) -> str:
    """Return the script; run it in the pipeline's folder, with NAME=VALUE arguments for its variables."""
    head = [
        "#!/usr/bin/env bash",
        f"# {' '.join(prepared.name.split())}: converted from a pipeline of AnsFlow Desktop.",
        "# Run it in the pipeline's folder; variables as NAME=VALUE. Needs bash 4.2, GNU timeout, helm and kubectl.",
    ]
    body = [variables(prepared), 'ansflow_begin "$PWD"', *(call(step) for step in prepared.steps)]
    end = ["ansflow_end", "ansflow_code=$?", 'rm -rf -- "$ansflow_state"', 'exit "$ansflow_code"']
    return "\n".join([*head, "", runtime(), *body, "", *end, ""])


def variables(prepared: Prepared, arguments: str = '"$@"') -> str:
    """Return the lines that set the variables at the start."""
    computed = [f'export {name}="{text}"' for name, text in prepared.computed.items()]
    given = [f"ansflow_variable {name} {word(text)} {arguments}" for name, text in prepared.variables.items()]
    return "\n".join([*computed, *given])


def call(step: Ready) -> str:
    """Return the call of one step."""
    note = f"# {' '.join(step.description.split())}\n" if step.description else ""
    options = "".join(f" {shlex.quote(option)}" for option in step.options)
    return f"\n{note}ansflow_step {shlex.quote(step.name)}{options}{exact_heredoc(step.script, _MARK)}"
