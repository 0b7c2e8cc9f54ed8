"""What a deploy would change, told before it runs: its values and its objects against what is live.

A Helm deploy is compared with the release's own record (what helm itself compares with), a manifest with the live
objects, by what a server-side dry run says they would become. Nothing is changed. Free of Qt.
"""

from __future__ import annotations

import enum
from collections import Counter
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import live_diff_helm, live_diff_manifest
from ansflow_desktop.executors.live_diff_masks import texts_of_secrets
from ansflow_desktop.executors.live_diff_objects import LiveObject, compared
from ansflow_desktop.executors.planned import decode
from ansflow_desktop.executors.preview import RawRendering, render_raw
from ansflow_desktop.executors.server_check import AskingCancelled
from ansflow_desktop.executors.step_secrets import names_shown
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.diff import DiffLine
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, ManifestDeploy, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.process import Cancel


class Change(enum.StrEnum):
    """What becomes of an object."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class ObjectDiff(msgspec.Struct, frozen=True, kw_only=True):
    """One object that the deploy touches, and how, as lines of YAML with secrets masked."""

    kind: str
    namespace: str
    name: str
    change: Change
    lines: tuple[DiffLine, ...] = ()


class LiveDiff(msgspec.Struct, frozen=True, kw_only=True):
    """The difference of a step against what is live: user-supplied values, and the objects that differ.

    `unchanged` counts the objects that stay as they are. `problems` say why something could not be compared,
    `notices` what to know. `live` says whether anything of it is live yet. `cancelled`: given up, it holds nothing.
    """

    values: tuple[DiffLine, ...] = ()
    objects: tuple[ObjectDiff, ...] = ()
    unchanged: int = 0
    problems: tuple[Problem, ...] = ()
    notices: tuple[Text, ...] = ()
    live: bool = False
    cancelled: bool = False

    def count(self, change: Change) -> int:
        """Return how many objects are added, changed or removed."""
        return Counter(each.change for each in self.objects)[change]


def live_diff(
    step: PipelineStep,
    context: ExecutionContext,
    tools: ToolSet,
    document: dict[str, Any] | None,
    cancel: Cancel | None = None,
) -> LiveDiff:
    """Return what `step` would change on the cluster of `document` (its kubeconfig document).

    Blocking; `cancel` ends it at once. Never raises UserError: a cluster that cannot be asked is a problem, and what
    can be told without it is told.
    """
    cancel = cancel or Cancel()
    try:
        return _differ(step, context, tools, document, cancel)
    except AskingCancelled:
        return LiveDiff(cancelled=True)
    except UserError as error:
        return LiveDiff(problems=(_problem(error),))


def _differ(
    step: PipelineStep, context: ExecutionContext, tools: ToolSet, document: dict[str, Any] | None, cancel: Cancel
) -> LiveDiff:
    config = decode(step) if step.type is StepType.K8S_DEPLOY else None
    if isinstance(config, HelmDeploy):
        return _helm(step, config, context, tools, document, cancel)
    if isinstance(config, ManifestDeploy):
        return _manifest(step, config, context, tools, document, cancel)
    return LiveDiff(notices=(msg("A step of this type is not compared with what is live."),))


def _helm(
    step: PipelineStep,
    config: HelmDeploy,
    context: ExecutionContext,
    tools: ToolSet,
    document: dict[str, Any] | None,
    cancel: Cancel,
) -> LiveDiff:
    values = live_diff_helm.given_values(step, config, context, tools)
    release = live_diff_helm.release_of(step, config, context)
    if document is None:
        raise _no_cluster()
    live = live_diff_helm.read_live(document, step.k8s_namespace, release, cancel)
    coming = live_diff_helm.coming_values(config, values, live)
    raw = render_raw(step, context, tools, cancel, live_diff_helm.adapter(config, coming, live))
    if raw.cancelled:
        return LiveDiff(cancelled=True)
    pairs = live_diff_helm.objects_of(raw, live, step.k8s_namespace)
    known = _known(step, pairs)
    return _told(
        live_diff_helm.values_lines(live, coming, known),
        pairs,
        known,
        raw,
        live_diff_helm.notices(live, raw, step.k8s_namespace),
        is_live=live.revision > 0,
    )


def _manifest(
    step: PipelineStep,
    config: ManifestDeploy,
    context: ExecutionContext,
    tools: ToolSet,
    document: dict[str, Any] | None,
    cancel: Cancel,
) -> LiveDiff:
    raw = render_raw(step, context, tools, cancel)
    if raw.cancelled:
        return LiveDiff(cancelled=True)
    if raw.problems:
        return LiveDiff(problems=raw.problems)
    if document is None:
        raise _no_cluster()
    found = live_diff_manifest.read_live(
        document, raw.text, raw.field, step.k8s_namespace, creates_namespace=config.create_namespace, cancel=cancel
    )
    known = _known(step, found.pairs)
    ended = msgspec.structs.replace(raw, problems=found.problems)
    return _told((), found.pairs, known, ended, found.notices, is_live=found.is_live)


def _known(step: PipelineStep, pairs: list[tuple[LiveObject | None, LiveObject | None]]) -> frozenset[str]:
    """Return the texts that the Secrets of both sides hold; what the step shows openly is none."""
    return texts_of_secrets(each.data for pair in pairs for each in pair if each).difference(names_shown(step))


def _told(
    values: tuple[DiffLine, ...],
    pairs: list[tuple[LiveObject | None, LiveObject | None]],
    known: frozenset[str],
    raw: RawRendering,
    notices: tuple[Text, ...],
    *,
    is_live: bool,
) -> LiveDiff:
    found = [each for each in (_object(old, new, known) for old, new in pairs) if each]
    return LiveDiff(
        values=values,
        objects=tuple(found),
        unchanged=len(pairs) - len(found),
        problems=raw.problems,
        notices=notices,
        live=is_live,
    )


def _object(old: LiveObject | None, new: LiveObject | None, known: frozenset[str]) -> ObjectDiff | None:
    one = new or old
    assert one
    lines = compared(old, new, known)
    if old and new and not lines:
        return None
    change = Change.CHANGED if old and new else Change.ADDED if new else Change.REMOVED
    return ObjectDiff(kind=one.kind, namespace=one.namespace, name=one.name, change=change, lines=lines)


def _no_cluster() -> UserError:
    return UserError(
        msg("No cluster is chosen"),
        "",
        msg("Choose a cluster to see what would change there."),
        field="k8s_cluster",
    )


def _problem(error: UserError) -> Problem:
    field = error.field
    if not field and error.code in (ExitCode.UNREACHABLE, ExitCode.FORBIDDEN, ExitCode.FAILED):
        field = "k8s_cluster"
    return Problem(field=field, title=error.title, message=error.message, hint=error.hint)


__all__ = ["Change", "LiveDiff", "ObjectDiff", "live_diff"]
