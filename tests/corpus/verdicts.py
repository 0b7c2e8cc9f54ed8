"""Writes a case as files, asks Helm and us about it, and keeps Helm's answers beside the corpus.

`python -m corpus.verdicts` (in tests/) asks Helm 3 and Helm 4 about every case and writes answers.json anew;
`python -m corpus.verdicts whole` prints where our whole verdict differs from Helm's (some minutes).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from corpus.cases import CASES, Case

from ansflow_desktop import paths
from ansflow_desktop.executors.checks import helm_problems
from ansflow_desktop.executors.checks_helm import helm_says
from ansflow_desktop.models.command import Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.practice import pins, tools
from ansflow_desktop.process import Cancel

ANSWERS = Path(__file__).with_name("answers.json")
KUBE_VERSION = pins.version("kubernetes")


def write(case: Case, folder: Path) -> HelmDeploy:
    """Write a case below `folder` and return the deploy that it stands for; the chart lies in `folder`/chart."""
    for path, content in case.files.items():
        file = folder / "chart" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else str(content).encode())
    (folder / "chart").mkdir(exist_ok=True)
    texts = [*case.more, *([case.values] if case.values else [])]
    for number, text in enumerate(texts):
        (folder / f"values-{number}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    files = tuple(f"values-{number}.yaml" for number in range(len(texts)))
    return HelmDeploy(chart_path="chart", release_name="r", values_files=files, set_values=case.sets)


def helm_of(major: int) -> Tool:
    """Return the practice tools' Helm of a major version."""
    pin = pins.pin(f"helm{major}")
    return Tool(name="helm", path=str(tools.path_of(paths.cache_dir() / "tools", pin)), version=pin.version)


def ask(helm: Tool, case: Case) -> dict[str, Any]:
    """Return whether plain `helm template` and `helm lint` take a case, and the first words of why not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write(case, folder)
        values = [f"--values={path}" for path in config.values_files] + [f"--set={text}" for text in config.set_values]
        template = _run([helm.path, "template", "r", "chart", f"--kube-version={KUBE_VERSION}", *values], folder)
        lint = _run([helm.path, "lint", "chart", f"--kube-version={KUBE_VERSION}", *values], folder)
    said = template.stderr.strip().splitlines()
    return {
        "template": template.returncode == 0,
        "lint": lint.returncode == 0,
        "said": " ".join(said)[:160].replace(name, "") if template.returncode else "",
    }


def _run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "KUBE"))}
    env = {**kept, "KUBECONFIG": os.devnull, "HELM_NO_PLUGINS": "1"}
    return subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, errors="replace", check=False, timeout=60
    )


def answers() -> dict[str, dict[str, dict[str, Any]]]:
    """Return Helm's kept answers by version and by the case's name."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return found


def local_errors(case: Case, folder: Path, major: int) -> list[Problem]:
    """Return our errors from files alone."""
    config = write(case, folder)
    return [each for each in helm_problems(config, str(folder), major) if each.severity is Severity.ERROR]


def whole_errors(case: Case, folder: Path, helm: Tool) -> list[Problem]:
    """Return all our errors: from files alone, then by `helm template` and `helm lint` as we run them."""
    local = local_errors(case, folder, helm.major)
    config = write(case, folder)
    step = PipelineStep(
        name="deploy",
        type=StepType.K8S_DEPLOY,
        k8s_namespace="default",
        k8s_config={
            "deploy_type": "helm",
            "chart_path": config.chart_path,
            "release_name": "r",
            "values_files": list(config.values_files),
            "set_values": list(config.set_values),
        },
    )
    said = helm_says(step, ExecutionContext(working_directory=str(folder)), ToolSet(helm=helm), Cancel())
    return [*local, *(each for each in said.problems if each.severity is Severity.ERROR)]


def main() -> None:
    """Ask both Helms about every case and keep what they say; with `whole`, print where our whole verdict differs."""
    if sys.argv[1:] == ["whole"]:
        return compare()
    kept = {}
    for major in (3, 4):
        helm = helm_of(major)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            said = pool.map(lambda case, helm=helm: ask(helm, case), CASES)
            kept[helm.version] = {case.name: answer for case, answer in zip(CASES, said, strict=True)}
    ANSWERS.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(CASES)} cases, Helm {', '.join(kept)}\n")
    return None


def compare() -> None:
    """Print how far our whole verdict (files, helm template, helm lint) agrees with `helm template`, and where not."""
    kept = answers()
    for major in (3, 4):
        helm = helm_of(major)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda case, helm=helm: _whole(case, helm), CASES))
        odd = [
            case.name
            for case, errors in zip(CASES, found, strict=True)
            if (not errors) is not kept[helm.version][case.name]["template"]
        ]
        sys.stdout.write(f"Helm {helm.version}: {1 - len(odd) / len(CASES):.1%} of {len(CASES)} agree; others: {odd}\n")


def _whole(case: Case, helm: Tool) -> list[Problem]:
    with tempfile.TemporaryDirectory() as name:
        return whole_errors(case, Path(name), helm)


if __name__ == "__main__":
    main()
