"""A pipeline as a declarative Jenkinsfile: a stage for each step, the same commands in each."""

from __future__ import annotations

from ansflow_desktop.executors.convert.bash import call, runtime, variables
from ansflow_desktop.executors.convert.prepare import Prepared, Ready

_PLACE = ".ansflow"
_STATE = f'export ANSFLOW_STATE="$WORKSPACE/{_PLACE}/state"\n. "$WORKSPACE/{_PLACE}/runtime.sh"\n'


def to_jenkins(prepared: Prepared) -> str:
    """Return the Jenkinsfile; its agent needs bash, helm, kubectl and a kubeconfig with the steps' contexts."""
    stages = [_first_stage(prepared), *(_stage(step) for step in prepared.steps)]
    lines = [
        f"// {' '.join(prepared.name.split())}: converted from a pipeline of AnsFlow Desktop.",
        "pipeline {",
        "    agent any",
        *_parameters(prepared),
        "    stages {",
        *(_indented(stage, 8) for stage in stages),
        "    }",
        "    post {",
        "        always {",
        _indented(_sh("clean up", f'rm -rf -- "$WORKSPACE/{_PLACE}"'), 12),
        "        }",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _parameters(prepared: Prepared) -> list[str]:
    if not prepared.variables:
        return []
    named = [_parameter(name, text) for name, text in prepared.variables.items()]
    return ["    parameters {", *named, "    }"]


def _parameter(name: str, text: str) -> str:
    return f"        string(name: {_text(name)}, defaultValue: '', description: {_text(f'empty: {text}')})"


def _first_stage(prepared: Prepared) -> str:
    given = " ".join(f'${{{name}:+"{name}=${name}"}}' for name in prepared.variables)
    script = "\n".join(
        [
            f'mkdir -p "$WORKSPACE/{_PLACE}/state"',
            f"cat > \"$WORKSPACE/{_PLACE}/runtime.sh\" <<'ANSFLOW_RUNTIME'",
            runtime().rstrip("\n"),
            "ANSFLOW_RUNTIME",
            _STATE.rstrip("\n"),
            variables(prepared, given),
            'ansflow_begin "$WORKSPACE"',
        ]
    )
    return _wrapped("prepare", _sh("prepare", script))


def _stage(step: Ready) -> str:
    """Return a stage that fails alone: which steps behind it still run is decided by the runtime, as AnsFlow does."""
    inner = _indented(_sh(step.name, _STATE + call(step).lstrip("\n")), 4)
    return _wrapped(step.name, f"catchError(buildResult: 'FAILURE', stageResult: 'FAILURE') {{\n{inner}\n}}")


def _wrapped(name: str, steps: str) -> str:
    return f"stage({_text(name)}) {{\n    steps {{\n{_indented(steps, 8)}\n    }}\n}}"


def _sh(name: str, script: str) -> str:
    return f"sh label: {_text(name)}, script: '''#!/usr/bin/env bash\n{_escaped(script)}\n'''"


def _text(text: str) -> str:
    return "'" + _escaped(text).replace("\n", "\\n").replace("\r", "\\r") + "'"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _indented(text: str, by: int) -> str:
    """Indent the lines of Groovy, but not those inside a script: here-documents end at the margin."""
    lines, inside = [], False
    for one in text.split("\n"):
        lines.append(one if inside or not one else " " * by + one)
        if one.count("'''") % 2:
            inside = not inside
    return "\n".join(lines)
