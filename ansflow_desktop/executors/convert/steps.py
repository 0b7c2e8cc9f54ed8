"""What each kind of step is as lines of bash, for the runtime in resources/shell/runtime.sh."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.convert.words import Raw, heredoc, line, pieces, word
from ansflow_desktop.executors.delete_step import DEFAULT_KINDS
from ansflow_desktop.executors.planned import decode
from ansflow_desktop.helm import commands as helm_commands
from ansflow_desktop.helm.find import ChartRef
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import KubeTarget, Tool
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import (
    Delete,
    Exec,
    HelmDeploy,
    Logs,
    ManifestDeploy,
    PipelineStep,
    Scale,
    StepType,
    Wait,
)
from ansflow_desktop.pipelines.shell_places import Place
from ansflow_desktop.pipelines.variables import shell_places

Lines: TypeAlias = "list[str]"

_HELM = Tool(name="helm", path="helm", version="3.22.0")
_ROLLOUTS = ("deployment", "statefulset", "daemonset")
_SCHEMES = ("http://", "https://", "oci://")


def script_of(step: PipelineStep) -> str:
    """Return the script of `step`, whose true/false, number and duration fields hold no variable any more.

    Raises UserError naming a field of the wrong type.
    """
    if step.type is StepType.SHELL:
        return "\n".join([*_own(step), step.command])
    config = decode(step)
    return "\n".join([*_own(step), *_WRITERS[type(config)](step, config)])


def _own(step: PipelineStep) -> Lines:
    """Return the step's own directory and environment."""
    there = [f"cd -- {word(step.working_directory)}"] if step.working_directory else []
    return [*there, *(f"export {name}={word(text)}" for name, text in step.env.items())]


def _where(step: PipelineStep) -> tuple[str, ...]:
    namespace = ("--namespace", step.k8s_namespace) if step.k8s_namespace else ()
    return (*namespace, *_context(step))


def _context(step: PipelineStep) -> tuple[str, ...]:
    return ("--context", step.k8s_cluster)


# Deploys


def _helm(step: PipelineStep, config: HelmDeploy) -> Lines:
    lines, ref = _chart(config)
    release = Raw('"$release"') if config.release_name is None else config.release_name
    bare = msgspec.structs.replace(config, values_files=())
    command = helm_commands.upgrade(
        _HELM,
        ref,
        bare,
        KubeTarget(kubeconfig="", context=step.k8s_cluster),
        step.k8s_namespace,
        release="@release@",
        working_directory="/",
    )
    argv = _helm_argv(list(command.argv), release, ref)
    place = next((index for index, one in enumerate(argv) if one.startswith(("--values=", "--set="))), len(argv) - 2)
    argv[place:place] = [f"--values={path}" for path in config.values_files]
    return [*lines, line(*argv) + (heredoc(config.custom_values) if config.custom_values else "")]


def _helm_argv(argv: list[str], release: str, ref: ChartRef) -> list[str]:
    place = argv.index("--kubeconfig")
    del argv[place : place + 2]
    swapped: dict[str, str] = {"--atomic": Raw('"$(ansflow_atomic)"'), "@release@": release}
    if ref.argument == "@chart@":
        swapped["@chart@"] = Raw('"$chart"')
    return [swapped.get(one, one) for one in argv]


def _chart(config: HelmDeploy) -> tuple[Lines, ChartRef]:
    """Return the lines that find a chart folder, and the chart as helm is given it."""
    given = config.chart_path or config.chart_name
    away = given.startswith(_SCHEMES) or bool(config.chart_repo) or given.endswith(".tgz")
    if away:
        return _release_line(config, given), _elsewhere(config, given)
    folder = word(f"./{given}" if config.chart_path and not given.startswith(("/", ".", "~")) else given)
    lines = [f"chart={folder}" if config.chart_path else f"chart=$(ansflow_chart {word(given)})"]
    if config.release_name is None:
        lines.append("release=$(sed -n 's/^name: *//p' \"$chart/Chart.yaml\")-release")
    lines.append('ansflow_dependencies "$chart"')
    return lines, ChartRef(cwd="/", argument="@chart@")


def _release_line(config: HelmDeploy, given: str) -> Lines:
    if config.release_name is not None:
        return []
    name = given.rstrip("/").rpartition("/")[2].removesuffix(".tgz").partition(":")[0]
    return [f"release={word(f'{name}-release')}"]


def _elsewhere(config: HelmDeploy, given: str) -> ChartRef:
    repo, version = config.chart_repo, config.chart_version
    if repo.startswith("oci://") or (repo and "://" not in repo):
        return ChartRef(cwd="/", argument=f"{repo.rstrip('/')}/{given}", version=version)
    return ChartRef(cwd="/", argument=given, repo=repo, version=version)


def _manifest(step: PipelineStep, config: ManifestDeploy) -> Lines:
    lines = []
    if config.create_namespace and step.k8s_namespace and not config.dry_run:
        lines.append(line("ansflow_namespace", step.k8s_namespace, *_context(step)))
    source = [f"--kustomize={config.kustomize}"] if config.kustomize else []
    source += [f"--filename={path}" for path in config.manifest_files]
    source += ["--filename=-"] if config.manifest else []
    trial = ["--dry-run=server"] if config.dry_run else []
    wait = "true" if config.wait and not config.dry_run else "false"
    command = line("ansflow_apply", config.timeout, wait, *source, *trial, *_where(step))
    return [*lines, command + (heredoc(config.manifest) if config.manifest else "")]


# Single operations


def _scale(step: PipelineStep, config: Scale) -> Lines:
    kind, name = _resource(step)
    lines = [line("kubectl", "scale", f"{kind}/{name}", f"--replicas={config.replicas}", *_where(step))]
    if config.wait and kind in _ROLLOUTS:
        lines.append(_rollout(step, f"{kind}/{name}", config.timeout))
    return lines


def _rollout(step: PipelineStep, resource: str, timeout: str) -> str:
    return line("kubectl", "rollout", "status", resource, f"--timeout={timeout}", *_where(step))


def _delete(step: PipelineStep, config: Delete) -> Lines:
    what = [f"{'/'.join(_resource(step))}"]
    if config.selector:
        what = [",".join(config.kinds or DEFAULT_KINDS), f"--selector={config.selector}"]
    elif config.manifest:
        what = ["--filename=-"]
    flags = [f"--cascade={config.propagation}", f"--wait={str(config.wait).lower()}", f"--timeout={config.timeout}"]
    flags += [f"--grace-period={config.grace_period}"] if config.grace_period is not None else []
    flags += ["--force"] if config.force else []
    flags += ["--ignore-not-found"] if config.ignore_not_found else []
    listed = line("kubectl", "get", *what, "--output=name", *_optional(config), *_where(step))
    shown = [] if config.manifest else [listed]
    command = line("kubectl", "delete", *what, *flags, *_where(step))
    return [*shown, command + (heredoc(config.manifest) if config.manifest else "")]


def _optional(config: Delete) -> tuple[str, ...]:
    return ("--ignore-not-found",) if config.ignore_not_found else ()


def _wait(step: PipelineStep, config: Wait) -> Lines:
    resource = "/".join(_resource(step))
    if config.rollout:
        return [_rollout(step, resource, config.timeout)]
    wanted = f"condition={config.condition}"
    if config.jsonpath:
        wanted = f"jsonpath={config.jsonpath}"
    if config.deleted or config.created:
        wanted = "delete" if config.deleted else "create"
    return [line("kubectl", "wait", resource, f"--for={wanted}", f"--timeout={config.timeout}", *_where(step))]


def _exec(step: PipelineStep, config: Exec) -> Lines:
    lines, target = _target(step, config.selector, running=True)
    container = [f"--container={config.container}"] if config.container else []
    command = ["sh", "-c", _quoted(config.command)] if isinstance(config.command, str) else list(config.command)
    inner = line("kubectl", "exec", target, *container, *_where(step), "--", *command)
    return [*lines, f"timeout {_seconds(config.timeout)} {inner}"]


def _quoted(text: str) -> str:
    """Return a text for `sh -c` whose variables are quoted for that shell (pipeline-file.md, "Variables").

    Raises UserError for one that stands where no value can be quoted.
    """
    following = iter(shell_places(text))
    parts = [_in_place(name, next(following)) if name else word(_plain(literal)) for literal, name in pieces(text)]
    return Raw("".join(parts))


def _in_place(name: str, place: Place) -> str:
    if place is Place.OTHER:
        raise UserError(
            msg("The value of %(name)s cannot be quoted where it stands in the command", name=name),
            "",
            msg("Take the variable out of the here-document, comment or backticks, or write the command as a list."),
            field="k8s_config.command",
        )
    around = shlex.quote(place.value) if place.value else ""
    return f'{around}"$(ansflow_quote "${{{name}?}}")"{around}'


def _plain(literal: str) -> str:
    return literal.replace("$", "$$")


def _target(step: PipelineStep, selector: str, *, running: bool) -> tuple[Lines, str]:
    if not selector:
        return [], "/".join(_resource(step, "pod" if "/" not in step.k8s_resource_name else ""))
    alive = ["--field-selector=status.phase=Running"] if running else []
    found = line("kubectl", "get", "pods", f"--selector={selector}", *alive, "--output=name", *_where(step))
    lines = [f"pod=$({found} | head -n 1)", '[[ -n $pod ]] || { echo "No pod matches the selector." >&2; exit 1; }']
    return lines, Raw('"$pod"')


def _logs(step: PipelineStep, config: Logs) -> Lines:
    resource = _target(step, "", running=False)[1]
    what = [f"--selector={config.selector}" if config.selector else resource]
    if not config.selector and not resource.startswith(("pod/", "pods/")):
        what += ["--all-pods=true", "--prefix"]
    flags = [f"--container={config.container}"] if config.container else []
    flags += [f"--tail={-1 if config.tail_lines is None else config.tail_lines}"]
    flags += [f"--since={config.since}"] if config.since else []
    flags += ["--previous"] if config.previous else []
    command = line("kubectl", "logs", *what, *flags, *(["--follow"] if config.follow else []), *_where(step))
    if config.follow:
        command = f"ansflow_follow {word(config.until)} {_seconds(config.timeout)} {command}"
    if not config.to_file:
        return [command]
    shown = [line("cat", "--", config.to_file)] if config.output else []
    return [f"{command} > {word(config.to_file)}", *shown]


def _resource(step: PipelineStep, kind: str = "deployment") -> tuple[str, str]:
    before, slash, name = step.k8s_resource_name.partition("/")
    return (before.lower(), name) if slash else (kind or "deployment", before)


def _seconds(text: str) -> str:
    return str(max(1, round(parse_duration(text))))


_WRITERS: dict[type[Any], Callable[[PipelineStep, Any], Lines]] = {
    HelmDeploy: _helm,
    ManifestDeploy: _manifest,
    Scale: _scale,
    Delete: _delete,
    Wait: _wait,
    Exec: _exec,
    Logs: _logs,
}


def require_known(step: PipelineStep) -> None:
    """Raise UserError where `step` still holds a variable in a field that must be known at conversion."""
    for name in step.deferred:
        raise UserError(
            msg("It is only known when the pipeline runs"),
            "",
            msg("Give the variable with -v NAME=VALUE, or write the value into the step."),
            field=name,
        )
