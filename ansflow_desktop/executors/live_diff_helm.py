"""The live side of a Helm deploy: the release's record, the values that stay, and what the chart renders to now."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.helm_deploy import keeps_values, release_name
from ansflow_desktop.executors.live_diff_masks import as_yaml, difference, masked_values
from ansflow_desktop.executors.live_diff_objects import LiveObject, objects_in, paired
from ansflow_desktop.executors.planned import CONFIG, require_namespace, step_directory
from ansflow_desktop.executors.preview import RawRendering
from ansflow_desktop.executors.server_check import ask_cluster
from ansflow_desktop.helm.find import find_chart
from ansflow_desktop.helm.values_merge import SourceProblem, Values, sources_of, user_values
from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.kube import blobs
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.revisions import list_revisions, newest, secret
from ansflow_desktop.models.command import Command, ToolSet
from ansflow_desktop.models.diff import DiffLine
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, PipelineStep
from ansflow_desktop.models.release import ReleaseStatus
from ansflow_desktop.process import Cancel

_CRDS = "/crds/"
_KEEP = "helm.sh/resource-policy"


class LiveRelease(msgspec.Struct, frozen=True, kw_only=True):
    """What is live of a release: the `revision` that helm compares with (0: none), its record, and the newest one.

    `version` is the server's, `groups` the group versions that it serves.
    """

    revision: int = 0
    status: str = ""
    newest: int = 0
    newest_status: str = ""
    record: blobs.Record = blobs.Record()
    version: str = ""
    groups: tuple[str, ...] = ()


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    versions: tuple[dict[str, str], ...] = ()


class _Groups(msgspec.Struct, frozen=True):
    groups: tuple[_Group, ...] = ()


def release_of(step: PipelineStep, config: HelmDeploy, context: ExecutionContext) -> str:
    """Return the name of the step's release; raises UserError where namespace, chart or name cannot be used."""
    require_namespace(step)
    try:
        ref = find_chart(config, step_directory(step, context))
    except UserError as error:
        error.field = f"{CONFIG}.{error.field}"
        raise
    return release_name(config, ref)


def given_values(step: PipelineStep, config: HelmDeploy, context: ExecutionContext, tools: ToolSet) -> Values:
    """Return the values that the step itself gives; raises UserError where they cannot be read."""
    major = tools.helm.major if tools.helm else 4
    try:
        return user_values(sources_of(config, step_directory(step, context), helm_major=major))
    except SourceProblem as error:
        title, hint = msg("The values are not YAML that can be used"), msg("Correct the YAML.")
        raise UserError(title, error.problem.text(), hint, field=f"{CONFIG}.{error.field}") from error


def read_live(document: dict[str, Any], namespace: str, release: str, cancel: Cancel) -> LiveRelease:
    """Return what is live of a release; blocking; raises KubeError, AskingCancelled."""

    async def ask(client: ClusterClient) -> LiveRelease:
        version = await client.server_version()
        groups = await _groups(client)
        revisions, _ = await list_revisions(client, namespace, release)
        last = next(iter(newest(revisions)), None)
        deployed = newest([each for each in revisions if each.status is ReleaseStatus.DEPLOYED])
        source = next(iter(deployed), last)
        if source is None or last is None:
            return LiveRelease(version=version, groups=groups)
        return LiveRelease(
            revision=source.number,
            status=source.status.value,
            newest=last.number,
            newest_status=last.status.value,
            record=blobs.record(await secret(client, source)),
            version=version,
            groups=groups,
        )

    return ask_cluster(document, ask, cancel)


async def _groups(client: ClusterClient) -> tuple[str, ...]:
    """Return the group versions that the cluster serves, for charts that ask; none where that is not allowed."""
    try:
        found = msgspec.json.decode(await client.get("/apis"), type=_Groups)
    except (KubeError, msgspec.MsgspecError):
        return ()
    return tuple(version.get("groupVersion", "") for group in found.groups for version in group.versions)


def coming_values(config: HelmDeploy, given: Values, live: LiveRelease) -> Values:
    """Return the user-supplied values after the deploy: an upgrade that gives none keeps the release's own (row 11)."""
    if keeps_values(config) and live.revision:
        return live.record.config or {}
    return given


def values_lines(live: LiveRelease, coming: Values, known: Collection[str] = ()) -> tuple[DiffLine, ...]:
    """Return how the user-supplied values change, secrets masked; `known` are texts that Secrets hold."""
    before = live.record.config or {}
    if not before and not coming:
        return ()
    return difference(masked_values(before, known), masked_values(coming, known))


def adapter(config: HelmDeploy, coming: Values, live: LiveRelease) -> Callable[[Command], Command]:
    """Return what makes a `helm template` render as this cluster would: its version, its APIs, the values that stay."""

    def adapt(command: Command) -> Command:
        argv = [word for word in command.argv if not (live.version and word.startswith("--kube-version="))]
        argv += [f"--kube-version={live.version}"] if live.version else []
        argv += [f"--api-versions={group}" for group in live.groups if group]
        argv += ["--is-upgrade"] if live.revision else []
        stdin = command.stdin
        if keeps_values(config) and live.revision and coming:
            argv, stdin = [*argv, "--values=-"], as_yaml(coming)
        return msgspec.structs.replace(command, argv=tuple(argv), stdin=stdin, masked=())

    return adapt


def objects_of(
    raw: RawRendering, live: LiveRelease, namespace: str
) -> list[tuple[LiveObject | None, LiveObject | None]]:
    """Return the release's objects beside the rendered ones; none where nothing could be rendered.

    CRDs of the chart's crds/ folder are left out: helm installs them once and never changes them (row 31).
    """
    if raw.problems:
        return []
    try:
        new = [each for each in objects_in(raw.text, namespace) if not _is_crd_file(each)]
        old = objects_in(_live_text(live.record), namespace)
    except safe_yaml.YamlProblem as problem:
        title = msg("What the chart renders to is not YAML")
        raise UserError(title, problem.text(), msg("Correct the templates."), field=f"{CONFIG}.chart_path") from problem
    return paired(old, new)


def _live_text(record: blobs.Record) -> str:
    return "\n---\n".join([record.manifest, *(hook.manifest for hook in record.hooks or ())])


def _is_crd_file(found: LiveObject) -> bool:
    return found.kind == "CustomResourceDefinition" and _CRDS in f"/{found.source}"


def notices(live: LiveRelease, raw: RawRendering, namespace: str) -> tuple[Text, ...]:
    """Return what to know beside the difference."""
    said: list[Text] = []
    if not live.revision:
        said.append(msg("The release is not deployed yet: everything is new."))
    elif live.newest != live.revision:
        said.append(
            msg(
                "Compared with revision %(revision)d, the last one deployed; revision %(newest)d is %(status)s.",
                revision=live.revision,
                newest=live.newest,
                status=live.newest_status,
            )
        )
    crds = [each for each in _objects(raw.text, namespace) if _is_crd_file(each)]
    if crds:
        said.append(
            msg_n(
                "%(count)d CRD of the chart's crds/ folder is installed once and never changed by helm.",
                "%(count)d CRDs of the chart's crds/ folder are installed once and never changed by helm.",
                len(crds),
            )
        )
    kept = [each for each in _objects(_live_text(live.record), namespace) if _stays(each)]
    if kept and live.revision:
        names = ", ".join(f"{each.kind} {each.name}" for each in kept[:5])
        said.append(msg("Kept in the cluster even where the chart drops them: %(names)s.", names=names))
    return tuple(said)


def _objects(text: str, namespace: str) -> list[LiveObject]:
    try:
        return objects_in(text, namespace)
    except safe_yaml.YamlProblem:
        return []


def _stays(found: LiveObject) -> bool:
    notes = found.data["metadata"].get("annotations")
    return isinstance(notes, dict) and notes.get(_KEEP) == "keep"
