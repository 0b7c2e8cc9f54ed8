"""A pipeline as an Argo Workflow: a template for each step, run one after the other in one workspace."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ansflow_desktop.executors.convert.bash import call, runtime, variables
from ansflow_desktop.executors.convert.prepare import Prepared, Ready
from ansflow_desktop.pipelines.templates import as_yaml

_SPACE = "/workspace"
_SOURCE = f"{_SPACE}/source"
_STATE = f'export ANSFLOW_STATE={_SPACE}/state KUBECONFIG=/kubeconfig/config\n. "{_SPACE}/runtime.sh"\n'


def to_argo(prepared: Prepared) -> str:
    """Return the Workflow as YAML; the Secret `kubeconfig` (key `config`) holds the contexts that the steps name.

    The repository with charts and files is fetched from the parameter `repository`.
    """
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"{_name(prepared.name, 50)}-"},
        "spec": {
            "entrypoint": "pipeline",
            "arguments": {"parameters": _parameters(prepared)},
            "volumeClaimTemplates": [_claim()],
            "volumes": [{"name": "kubeconfig", "secret": {"secretName": "kubeconfig"}}],
            "templates": [_pipeline(prepared), _prepare(prepared), *map(_template, _numbered(prepared)), _end()],
        },
    }
    text = as_yaml(document)
    return f"# {' '.join(prepared.name.split())}: converted from a pipeline of AnsFlow Desktop.\n{text}"


def _parameters(prepared: Prepared) -> list[dict[str, str]]:
    fixed = [
        {"name": "image", "description": "An image with bash, coreutils, helm, kubectl.", "value": "alpine/k8s:1.36.0"},
        {"name": "repository", "description": "The Git repository that holds the pipeline's folder."},
        {"name": "revision", "value": "HEAD"},
        {"name": "folder", "description": "The pipeline's folder in the repository.", "value": "."},
    ]
    own = prepared.variables.items()
    return [*fixed, *({"name": _parameter(name), "value": "", "description": _default(text)} for name, text in own)]


def _default(text: str) -> str:
    return f"empty: {text}".replace("{{", "{ {")


def _parameter(name: str) -> str:
    return f"var-{name}"


def _numbered(prepared: Prepared) -> list[tuple[str, Ready]]:
    return [(f"{number:02d}-{_name(step.name, 50)}", step) for number, step in enumerate(prepared.steps, 1)]


def _name(text: str, most: int) -> str:
    """Return a name that Kubernetes takes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:most].strip("-") or "step"


def _pipeline(prepared: Prepared) -> dict[str, Any]:
    """Return the list of steps; one that fails does not end it: the runtime skips what AnsFlow would skip."""
    rows: list[list[dict[str, Any]]] = [[{"name": "prepare", "template": "prepare"}]]
    goes_on = {"failed": True, "error": True}
    for name, _step in _numbered(prepared):
        rows.append([{"name": f"step-{name}", "template": f"step-{name}", "continueOn": goes_on}])
    return {"name": "pipeline", "steps": [*rows, [{"name": "result", "template": "result"}]]}


def _prepare(prepared: Prepared) -> dict[str, Any]:
    given = " ".join(f'${{VAR_{name}:+"{name}=$VAR_{name}"}}' for name in prepared.variables)
    script = "\n".join(
        [
            f"mkdir -p {_SPACE}/state",
            f"cat > {_SPACE}/runtime.sh <<'ANSFLOW_RUNTIME'",
            runtime().rstrip("\n"),
            "ANSFLOW_RUNTIME",
            _STATE.rstrip("\n"),
            variables(prepared, given),
            f'ansflow_begin "{_SOURCE}/$FOLDER"',
        ]
    )
    made = _script("prepare", script)
    made["script"]["env"] = [
        {"name": "FOLDER", "value": "{{workflow.parameters.folder}}"},
        *(
            {"name": f"VAR_{name}", "value": f"{{{{workflow.parameters.{_parameter(name)}}}}}"}
            for name in prepared.variables
        ),
    ]
    git = {"repo": "{{workflow.parameters.repository}}", "revision": "{{workflow.parameters.revision}}"}
    return {**made, "inputs": {"artifacts": [{"name": "source", "path": _SOURCE, "git": git}]}}


def _template(numbered: tuple[str, Ready]) -> dict[str, Any]:
    """Return one step's template; Argo reads double braces as its own, so those of a script are parted by a word."""
    name, step = numbered
    parted = msgspec.structs.replace(step, script=step.script.replace("{{", "{ANSFLOW{"))
    braces = "export ANSFLOW_BRACES=1\n" if parted.script != step.script else ""
    return _script(f"step-{name}", f"{_STATE}{braces}{call(parted).lstrip()}\n")


def _end() -> dict[str, Any]:
    return _script("result", f"{_STATE}ansflow_end\n")


def _script(name: str, source: str) -> dict[str, Any]:
    mounts = [{"name": "workspace", "mountPath": _SPACE}, {"name": "kubeconfig", "mountPath": "/kubeconfig"}]
    return {
        "name": name,
        "script": {
            "image": "{{workflow.parameters.image}}",
            "command": ["bash"],
            "source": source.replace("{{", "{''{"),  # between single quotes: the same text
            "volumeMounts": mounts,
        },
    }


def _claim() -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": "workspace"}, "spec": spec}
