"""Jenkinsfiles and Argo Workflows carry the same scripts: each is taken out as the engine would read it, and run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from convert_kit import HEAD, Tried, environment

from ansflow_desktop.executors.convert.argo import to_argo
from ansflow_desktop.executors.convert.jenkins import to_jenkins
from ansflow_desktop.executors.convert.prepare import Prepared, prepare
from ansflow_desktop.pipelines.codec import parse

SPEC = r"""spec:
  variables: {place: here, name: x, left: y, option: z, word: 'it''s {{x}} \ "so"'}
  steps:
    - {name: enter, type: shell, command: "mkdir -p ${place}/sub; cd ${place}/sub"}
    - {name: write, type: shell, command: "printf '%s' \"$word\" > told; echo '{{.Version}} \\n'", output: said}
    - name: say
      type: k8s_exec
      k8s_cluster: dev
      k8s_namespace: shop
      k8s_resource_name: pod/x
      k8s_config: {command: ["echo", "${said}"]}
    - {name: 'it''s wrong', type: shell, command: exit 3}
    - {name: never, type: shell, command: touch never}
    - {name: clean, type: shell, command: touch cleaned, always: true}
"""
WHERE = ["--namespace", "shop", "--context", "dev"]
_STAGE = re.compile(r"stage\('((?:[^'\\]|\\.)*)'\)")
_SCRIPT = re.compile(r"sh label: '(?:[^'\\]|\\.)*', script: '''((?:[^'\\]|\\.|'(?!''))*)'''")


def prepared(folder: Path) -> Prepared:
    return prepare(parse(HEAD + SPEC, str(folder)), {})


def run_all(folder: Path, scripts: list[str], env: Mapping[str, str]) -> tuple[list[int], Tried]:
    """Run each script in a bash of its own, as an engine does; return their exit codes and the calls."""
    results = [
        subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env={**environment(folder), **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for script in scripts
    ]
    output = "".join(one.stdout + one.stderr for one in results)
    last = subprocess.CompletedProcess([], results[-1].returncode, output, "")
    return [one.returncode for one in results], Tried(folder, last)


def groovy(text: str) -> str:
    """Return what Groovy makes of the inside of a quoted string."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text, flags=re.S)


def check(folder: Path, codes: list[int], tried: Tried) -> None:
    assert codes == [0, 0, 0, 0, 3, 0, 0], tried.output
    assert (folder / "here/sub/told").read_text() == 'it\'s {{x}} \\ "so"'
    assert (folder / "here/sub/cleaned").exists()
    assert not list(folder.rglob("never"))
    assert tried.argv("kubectl") == [["exec", "pod/x", *WHERE, "--", "echo", "{{.Version}} \\n"]]


def test_jenkins_stages_run_the_steps(tmp_path: Path) -> None:
    text = to_jenkins(prepared(tmp_path))
    stages = [groovy(name) for name in _STAGE.findall(text)]
    assert stages == ["prepare", "enter", "write", "say", "it's wrong", "never", "clean"]
    scripts = [groovy(script) for script in _SCRIPT.findall(text)]
    assert len(scripts) == len(stages) + 1  # the last one cleans up
    codes, tried = run_all(tmp_path, scripts[:-1], {"WORKSPACE": str(tmp_path)})
    check(tmp_path, codes, tried)


def test_jenkins_parameters_win_over_the_defaults(tmp_path: Path) -> None:
    text = to_jenkins(prepared(tmp_path))
    assert "string(name: 'place', defaultValue: ''" in text
    scripts = [groovy(script) for script in _SCRIPT.findall(text)][:2]
    codes, tried = run_all(tmp_path, scripts, {"WORKSPACE": str(tmp_path), "place": "elsewhere"})
    assert codes == [0, 0], tried.output
    assert (tmp_path / "elsewhere/sub").is_dir()


def test_argo_templates_run_the_steps_in_order(tmp_path: Path) -> None:
    workflow = yaml.safe_load(to_argo(prepared(tmp_path)))
    spec = workflow["spec"]
    templates = {one["name"]: one for one in spec["templates"]}
    order = [row[0] for row in templates["pipeline"]["steps"]]
    assert [one["name"] for one in order][:3] == ["prepare", "step-01-enter", "step-02-write"]
    assert all(one["continueOn"]["failed"] for one in order[1:-1])
    (tmp_path / "source").mkdir()
    scripts = [templates[one["template"]]["script"]["source"] for one in order]
    assert not any("{{" in script for script in scripts), "Argo would take it for a parameter of its own"
    here = [script.replace("/workspace", str(tmp_path)) for script in scripts]
    codes, tried = run_all(tmp_path, here, {"FOLDER": "."})
    assert codes[-1] == 1, "the workflow fails where a step failed"
    check_in(tmp_path / "source", tmp_path, codes[:-1], tried)


def check_in(source: Path, folder: Path, codes: list[int], tried: Tried) -> None:
    assert source.is_relative_to(folder)
    check(source, codes, tried)


def test_argo_names_fit_and_every_template_is_used_once(tmp_path: Path) -> None:
    long = "名前 " + "very long name " * 20
    spec = (
        f"spec: {{steps: [{{name: '{long}', type: shell, command: x}}, {{name: '{long}2', type: shell, command: x}}]}}"
    )
    workflow: dict[str, Any] = yaml.safe_load(to_argo(prepare(parse(HEAD + spec, str(tmp_path)), {})))
    names = [one["name"] for one in workflow["spec"]["templates"]]
    used = [row[0]["template"] for row in workflow["spec"]["templates"][0]["steps"]]
    assert sorted(names[1:]) == sorted(used)
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)
