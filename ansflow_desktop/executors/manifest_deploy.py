"""Plans a `k8s_deploy` step in YAML mode (failure-modes.md, row 19).

Namespaces and CRDs first, then a server dry run of the rest, then the apply, then the waits.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.kubectl import Kubectl
from ansflow_desktop.executors.manifest_documents import ManifestObject, read_objects
from ansflow_desktop.executors.planned import CONFIG, StepPlan, require_namespace, step_directory
from ansflow_desktop.files import is_file, is_folder
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import ExecutionContext, ManifestDeploy, PipelineStep
from ansflow_desktop.tools import require_kubectl, tool_warnings

_SOURCES = ("manifest", "manifest_files", "kustomize")
_ENDINGS = (".yaml", ".yml", ".json")


class ManifestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest's objects in the order of their apply, and kubectl to apply them with.

    `first` are Namespaces and CRDs; `created` is the Namespace that `create_namespace` adds, None where the manifest
    brings it or it is not to be made; `rest` is everything else.
    """

    kubectl: Kubectl
    namespace: str
    created: ManifestObject | None
    first: tuple[ManifestObject, ...]
    rest: tuple[ManifestObject, ...]

    @property
    def crds(self) -> tuple[ManifestObject, ...]:
        """The CustomResourceDefinitions."""
        return tuple(found for found in self.first if found.is_crd)

    def groups(self, objects: tuple[ManifestObject, ...]) -> list[tuple[str, tuple[ManifestObject, ...]]]:
        """Return `objects` by the namespace they name (kubectl takes one a call), in the order of first mention."""
        names = dict.fromkeys(found.namespace or self.namespace for found in objects)
        return [
            (name, tuple(found for found in objects if (found.namespace or self.namespace) == name)) for name in names
        ]


def plan_manifest(
    step: PipelineStep, config: ManifestDeploy, context: ExecutionContext, tools: ToolSet, target: KubeTarget
) -> StepPlan:
    """Return the plan of a manifest deploy for people to read; raises UserError naming the field at fault."""
    kubectl, namespace = kubectl_for(step, context, tools, target), require_namespace(step)
    seconds = check_config(config)
    notices: tuple[Text, ...] = tuple(
        msg("%(title)s: %(message)s", title=problem.title, message=problem.message)
        for problem in tool_warnings(ToolSet(kubectl=kubectl.tool))
    )
    if config.rollback_on_failure and not config.dry_run:
        notices = (*notices, msg("When it fails, what was there before is put back, and what is new is deleted."))
    if config.kustomize:
        folder = kustomization(config, kubectl.directory)
        commands = [kubectl.kustomize(folder), kubectl.apply_kustomization(folder, namespace)]
        notices = (*notices, msg("Namespaces and CRDs of the kustomization are applied first."))
    else:
        text = manifest_text(config, kubectl.directory)
        commands = manifest_commands(arrange(text, field_of(config), kubectl, namespace, config), config)
    return StepPlan(commands=tuple(commands), notices=notices, namespace=namespace, timeout=seconds)


def kubectl_for(step: PipelineStep, context: ExecutionContext, tools: ToolSet, target: KubeTarget) -> Kubectl:
    """Return kubectl bound to the step's directory, environment and cluster; raises UserError where there is none."""
    directory = step_directory(step, context)
    return Kubectl(tool=require_kubectl(tools), target=target, directory=directory, env=step.env)


def check_config(config: ManifestDeploy) -> float:
    """Return the step's timeout in seconds; raises UserError naming the field that cannot be carried out."""
    seconds = parse_duration(config.timeout, f"{CONFIG}.timeout")
    given = [name for name in _SOURCES if getattr(config, name)]
    if len(given) != 1:
        raise UserError(
            msg("Give one of manifest, manifest_files and kustomize"),
            msg("Given: %(names)s.", names=", ".join(given) or "-"),
            field=f"{CONFIG}.{given[1] if given else 'manifest'}",
        )
    return seconds


def field_of(config: ManifestDeploy) -> str:
    """Return the field that holds the manifest, as in the pipeline file."""
    return f"{CONFIG}.{next(name for name in _SOURCES if getattr(config, name))}"


def manifest_text(config: ManifestDeploy, directory: str) -> str:
    """Return the manifest as text, files one after the other, a folder's by name; raises UserError naming the file."""
    if config.manifest:
        return config.manifest
    texts = [
        safe_yaml.read_text(path, f"{CONFIG}.manifest_files[{index}]")
        for index, written in enumerate(config.manifest_files)
        for path in manifest_paths(absolute(written, directory), f"{CONFIG}.manifest_files[{index}]")
    ]
    return "\n---\n".join(texts)


def manifest_paths(path: str, field: str) -> list[str]:
    """Return `path`, or the manifests in it where it is a folder (not in folders below, as kubectl; sorted by name).

    Raises UserError for a folder without any.
    """
    if not is_folder(path):
        return [path]
    try:
        found = sorted(str(each) for each in Path(path).iterdir() if each.suffix in _ENDINGS and is_file(each))
    except OSError as error:
        raise UserError(msg("The folder %(folder)s cannot be read", folder=path), str(error), field=field) from error
    if not found:
        raise UserError(
            msg("No manifest in the folder %(folder)s", folder=path),
            msg("There is no file in it that ends in %(endings)s.", endings=", ".join(_ENDINGS)),
            msg("Choose another folder, or a chart or kustomization for what lies deeper."),
            field=field,
        )
    return found


def kustomization(config: ManifestDeploy, directory: str) -> str:
    """Return the absolute folder of the kustomization; raises UserError where it is none."""
    folder = Path(absolute(config.kustomize, directory))
    if not any(is_file(folder / name) for name in ("kustomization.yaml", "kustomization.yml", "Kustomization")):
        raise UserError(
            msg("No kustomization in %(folder)s", folder=str(folder)),
            msg("There is no kustomization.yaml in it.") if is_folder(folder) else msg("There is no such folder."),
            msg("Choose a folder that holds a kustomization.yaml."),
            field=f"{CONFIG}.kustomize",
        )
    return str(folder)


def arrange(text: str, field: str, kubectl: Kubectl, namespace: str, config: ManifestDeploy) -> ManifestPlan:
    """Cut a manifest into what goes first and the rest; raises UserError where it holds something else than objects."""
    objects = read_objects(text, field)
    _refuse_twice(objects, field, namespace)
    own = any(found.is_namespace and found.name == namespace for found in objects)
    wanted = config.create_namespace and not own and any(not found.comes_first for found in objects)
    return ManifestPlan(
        kubectl=kubectl,
        namespace=namespace,
        created=_namespace_object(namespace) if wanted else None,
        first=tuple(sorted((found for found in objects if found.comes_first), key=lambda found: found.is_crd)),
        rest=tuple(found for found in objects if not found.comes_first),
    )


def manifest_commands(plan: ManifestPlan, config: ManifestDeploy) -> list[Command]:
    """Return the commands of a whole apply in their order."""
    kubectl = plan.kubectl
    first = (*((plan.created,) if plan.created else ()), *plan.first)
    commands = [kubectl.apply(first, plan.namespace, dry_run=True)] if plan.first else []
    if first and not config.dry_run:
        commands.append(kubectl.apply(first, plan.namespace))
        commands += [kubectl.established(plan.crds)] if plan.crds else []
    commands += [kubectl.apply(group, name, dry_run=True) for name, group in plan.groups(plan.rest)]
    if config.dry_run:
        return commands
    commands += [kubectl.apply(group, name) for name, group in plan.groups(plan.rest)]
    return [*commands, *(waits(plan, config.timeout) if config.wait else [])]


def waits(plan: ManifestPlan, timeout: str) -> list[Command]:
    """Return a wait for each workload and Job of the manifest."""
    commands = [plan.kubectl.ready(found, plan.namespace, timeout) for found in plan.rest]
    return [command for command in commands if command]


def _namespace_object(name: str) -> ManifestObject:
    text = msgspec.json.encode({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).decode() + "\n"
    return ManifestObject(api_version="v1", kind="Namespace", name=name, text=text)


def _refuse_twice(objects: tuple[ManifestObject, ...], field: str, namespace: str) -> None:
    seen: dict[tuple[str, str, str, str], int] = {}
    for found in objects:
        key = (found.group, found.kind, found.namespace or namespace, found.name)
        if key in seen:
            raise UserError(
                msg("%(object)s is in the manifest twice", object=found.label),
                msg("On line %(one)d and on line %(two)d.", one=seen[key], two=found.line),
                msg("Keep one of them."),
                field=field,
            )
        seen[key] = found.line
