"""From a step to the commands that it will run: data that can be shown, copied and tested (architecture.md)."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from ansflow_desktop.executors.delete_step import plan_delete
from ansflow_desktop.executors.exec_step import plan_exec
from ansflow_desktop.executors.helm_deploy import plan_helm
from ansflow_desktop.executors.logs_step import plan_logs
from ansflow_desktop.executors.manifest_deploy import plan_manifest
from ansflow_desktop.executors.planned import StepPlan, decode, step_directory
from ansflow_desktop.executors.scale_step import plan_scale
from ansflow_desktop.executors.wait_step import plan_wait
from ansflow_desktop.helm.commands import SECRET_KEY
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.pipeline import (
    Delete,
    Exec,
    ExecutionContext,
    HelmDeploy,
    Logs,
    ManifestDeploy,
    PipelineStep,
    Scale,
    StepType,
    Wait,
)

__all__ = ["StepPlan", "copy_text", "plan_step"]

Planner: TypeAlias = Callable[[PipelineStep, Any, ExecutionContext, ToolSet, KubeTarget, Path], StepPlan]


def _plan_manifest(
    step: PipelineStep,
    config: ManifestDeploy,
    context: ExecutionContext,
    tools: ToolSet,
    target: KubeTarget,
    folder: Path,
) -> StepPlan:
    """Plan a manifest deploy, which needs no private folder."""
    del folder
    return plan_manifest(step, config, context, tools, target)


_PLANS: dict[type[Any], Planner] = {
    HelmDeploy: plan_helm,
    ManifestDeploy: _plan_manifest,
    Exec: plan_exec,
    Logs: plan_logs,
    Scale: plan_scale,
    Wait: plan_wait,
    Delete: plan_delete,
}

_YAML_PAIR = re.compile(r"^(?P<head>[\s-]*[\"']?(?P<key>[^\s:#\"'][^:#]*?)[\"']?\s*:\s+)(?P<value>[^\s#&*|>{\[].*)$")


def plan_step(
    step: PipelineStep, context: ExecutionContext, tools: ToolSet, target: KubeTarget, folder: Path
) -> StepPlan:
    """Return what `step` will run on `target`; `folder` is where private files of the run would lie.

    Quick, local, and writes nothing. Raises UserError naming the field at fault.
    """
    if step.type is StepType.SHELL:
        script = Command(argv=("bash", "-e", "-c", step.command), cwd=step_directory(step, context), purpose="shell")
        return StepPlan(commands=(script,))
    config = decode(step)
    return _PLANS[type(config)](step, config, context, tools, target, folder)


def copy_text(command: Command) -> str:
    """Return `command` as text that works when pasted into a shell (conventions.md, 5).

    The directory, the program, typed values as a heredoc, secrets as placeholders; several kubeconfig files go by
    environment, as the flag takes but one.
    """
    argv, prefix = _kubeconfig(list(command.shown_argv()))
    program = Path(argv[0]).name
    argv[0] = program if shutil.which(program) == command.argv[0] else argv[0]
    line = f"cd {shlex.quote(command.cwd)} && {prefix}{shlex.join(argv)}"
    if command.stdin is None:
        return line
    text = _placeholders(command.stdin).rstrip("\n")
    mark = _mark(text)
    return f"{line} <<'{mark}'\n{text}\n{mark}"


def _kubeconfig(argv: list[str]) -> tuple[list[str], str]:
    if "--kubeconfig" not in argv:
        return argv, ""
    place = argv.index("--kubeconfig")
    files = argv[place + 1]
    if os.pathsep not in files:
        return argv, ""
    return argv[:place] + argv[place + 2 :], f"KUBECONFIG={shlex.quote(files)} "


def _mark(text: str) -> str:
    mark = "YAML"
    while mark in text.splitlines():
        mark += "_"
    return mark


def _placeholders(text: str) -> str:
    """Replace values whose key looks secret by `<KEY>`, line by line: the shape of the text stays as typed."""
    return "\n".join(_placeholder(line) for line in text.split("\n"))


def _placeholder(line: str) -> str:
    found = _YAML_PAIR.match(line)
    if not found or not SECRET_KEY.search(found["key"]):
        return line
    return f'{found["head"]}"<{found["key"].strip().upper()}>"'
