"""From a YAML deploy to a Helm deploy: a chart folder, proven to render to the same objects before it is kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop import files, safe_yaml
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.kubectl import Kubectl
from ansflow_desktop.executors.manifest_deploy import field_of, kustomization, manifest_text
from ansflow_desktop.executors.manifest_documents import ManifestObject, read_objects
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.planned import CONFIG, decode, step_directory
from ansflow_desktop.helm.commands import environment
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.command import Command, KubeTarget, Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, ManifestDeploy, PipelineStep
from ansflow_desktop.pipelines.migration import ChartDraft, Source, draft
from ansflow_desktop.pipelines.variables import fill
from ansflow_desktop.process import Cancel, ProcessRunner
from ansflow_desktop.safe_yaml import YamlProblem
from ansflow_desktop.tools import require_helm, require_kubectl

_TIMEOUT_S = 60.0
_ANY = "x1"  # stands for a variable whose value nobody knows yet


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """A chart that was written to `folder`, the step's new `k8s_config`, and how many objects were compared.

    The fields of YAML mode stay in the configuration, so that one can go back.
    """

    folder: str
    config: dict[str, Any]
    compared: int
    notices: tuple[Message, ...]


def migrate(
    step: PipelineStep,
    context: ExecutionContext,
    tools: ToolSet,
    folder: Path,
    cancel: Cancel | None = None,
) -> Migrated:
    """Write the manifests of `step` as a chart into `folder`, which must not exist, and return the Helm step's fields.

    `context.variables` are used to compare where the manifest holds variables. Raises UserError where the step deploys
    no YAML, where helm cannot render the chart, and where it renders to other objects; nothing is left behind then.
    """
    config = decode(step)
    if not isinstance(config, ManifestDeploy):
        raise UserError(msg("This step deploys a chart already"), field=f"{CONFIG}.deploy_type")
    if files.is_there(folder):
        title = msg("%(path)s exists already", path=str(folder))
        raise UserError(title, "", msg("Choose a folder that does not exist yet."), field="folder")
    text = _text(step, config, context, tools, cancel)
    made = _draft(folder.name, text, config)
    values = {name: context.variables.get(name, _ANY) for name in made.variables}
    with _written(made, folder) as place:
        rendered = _rendered(require_helm(tools), place, step.k8s_namespace, values, cancel)
        written = fill(text, values) if config.manifest else text
        compared = _require_same(written, rendered)
    return _migrated(step, config, context, folder, made, compared)


def _text(
    step: PipelineStep, config: ManifestDeploy, context: ExecutionContext, tools: ToolSet, cancel: Cancel | None
) -> str:
    directory = step_directory(step, context)
    if not config.kustomize:
        return manifest_text(config, directory)
    nowhere = KubeTarget(kubeconfig="", context="")
    kubectl = Kubectl(tool=require_kubectl(tools), target=nowhere, directory=directory, env=step.env)
    result = ProcessRunner().run(kubectl.kustomize(kustomization(config, directory)), None, cancel)
    if result.cancelled or result.exit_code != 0:
        raise UserError(msg("The kustomization could not be rendered."), said_by(result), field=f"{CONFIG}.kustomize")
    return result.stdout


def _draft(name: str, text: str, config: ManifestDeploy) -> ChartDraft:
    field = field_of(config)
    try:
        sources = [_source(one) for one in read_objects(text, field)]
        return draft(name, sources, has_variables=bool(config.manifest))
    except YamlProblem as problem:
        title = msg("The manifest is not YAML that can be used")
        raise UserError(title, problem.text(), msg("Correct the YAML."), field=field) from problem


def _source(found: ManifestObject) -> Source:
    return Source(kind=found.kind, name=found.name, text=found.text)


@contextlib.contextmanager
def _written(made: ChartDraft, folder: Path) -> Iterator[Path]:
    """Write the chart beside its place and move it there once what is done with it has succeeded."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        private = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise files.cannot_write(folder, error) from error
    try:
        for path, text in made.files.items():
            (private / path).parent.mkdir(exist_ok=True)
            (private / path).write_text(text, encoding="utf-8")
        yield private
        private.chmod(0o755)
        private.rename(folder)
    except OSError as error:
        raise files.cannot_write(folder, error) from error
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _rendered(helm: Tool, folder: Path, namespace: str, values: Mapping[str, str], cancel: Cancel | None) -> str:
    argv = (
        helm.path,
        "template",
        "compare",
        ".",
        "--namespace",
        namespace or "default",
        "--include-crds",
        "--values=-",
    )
    typed = msgspec.json.encode({"variables": dict(values)} if values else {}).decode()
    command = Command(
        argv=argv, cwd=str(folder), env=environment(), stdin=typed, timeout=_TIMEOUT_S, purpose="template"
    )
    result = ProcessRunner().run(command, None, cancel)
    if result.cancelled:
        raise UserError(msg("Cancelled."), code=ExitCode.CANCELLED)
    if result.exit_code != 0:
        title = msg("The chart that was made cannot be rendered")
        raise UserError(title, said_by(result), _stay(), code=ExitCode.FAILED)
    return result.stdout


def _require_same(written: str, rendered: str) -> int:
    """Return how many objects were compared; raises UserError naming those that differ."""
    before, after = _by_name(written), _by_name(rendered)
    differ = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if not differ:
        return sum(len(objects) for objects in before.values())
    title = msg("The chart that was made does not render to the same objects")
    raise UserError(title, ", ".join(differ[:10]), _stay(), code=ExitCode.FAILED)


def _stay() -> Message:
    return msg("Nothing was written. The step can stay a YAML deploy; please report this.")


def _by_name(text: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in read_objects(text, CONFIG):
        name = " ".join(part for part in (one.kind, one.namespace, one.name) if part)
        found.setdefault(name, []).append(safe_yaml.load(one.text))
    return found


def _migrated(
    step: PipelineStep, config: ManifestDeploy, context: ExecutionContext, folder: Path, made: ChartDraft, compared: int
) -> Migrated:
    fields: dict[str, Any] = {"deploy_type": "helm", "chart_path": _relative(folder, step_directory(step, context))}
    if config.rollback_on_failure:
        fields["atomic"] = True
    if made.variables:
        lines = [f"  {name}: {msgspec.json.encode(f'${{{name}}}').decode()}\n" for name in made.variables]
        fields["custom_values"] = f"variables:\n{''.join(lines)}"
    return Migrated(
        folder=str(folder), config={**step.k8s_config, **fields}, compared=compared, notices=(_adoption(step),)
    )


def _relative(folder: Path, directory: str) -> str:
    relative = os.path.relpath(folder.absolute(), directory)
    return relative if relative.startswith("..") else f"./{relative}"


def _adoption(step: PipelineStep) -> Message:
    return msg(
        "Helm refuses objects that it did not make: those already in %(namespace)s must be deleted first, or taken "
        "over once with helm's --take-ownership.",
        namespace=step.k8s_namespace or "default",
    )
