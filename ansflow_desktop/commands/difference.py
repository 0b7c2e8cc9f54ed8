"""The difference of a step against what is live, for `preview --diff`: as text with its signs, or as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.interrupt import run_cancellable
from ansflow_desktop.i18n import Message, Text, msg, msg_n
from ansflow_desktop.models.diff import DiffLine, Sign
from ansflow_desktop.models.pipeline import StepType

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.executors.checks_context import StepView
    from ansflow_desktop.executors.live_diff import ObjectDiff

_CHANGES = ("added", "changed", "removed")


def difference(session: Session, view: StepView) -> dict[str, Any]:
    """Return what a deploy step would change, secrets masked; empty for steps that are not compared.

    Raises UserError for a cluster that cannot be used; one that does not answer is a problem of the difference.
    """
    from ansflow_desktop.executors.live_diff import live_diff

    step = view.step
    if step.type is not StepType.K8S_DEPLOY:
        return {}
    session.entry(step.k8s_cluster)
    document = session.services.catalog.document(step.k8s_cluster)
    tools = session.services.tools
    found = run_cancellable(lambda cancel: live_diff(step, view.context, tools, document, cancel))
    return {
        "live": found.live,
        "values": _lines(found.values),
        "objects": [_object(each) for each in found.objects],
        "unchanged": found.unchanged,
        "notices": list(found.notices),
        "problems": list(found.problems),
    }


def _lines(lines: Sequence[DiffLine]) -> list[str]:
    return ["..." if line.sign is Sign.GAP else f"{line.sign.value}{line.text}" for line in lines]


def _object(each: ObjectDiff) -> dict[str, Any]:
    named = {"kind": each.kind, "namespace": each.namespace, "name": each.name}
    return {**named, "change": each.change.value, "lines": _lines(each.lines)}


def difference_texts(found: dict[str, Any]) -> list[Text]:
    """Return the lines that are shown for people, counts first."""
    objects = found["objects"]
    counts = {change: sum(each["change"] == change for each in objects) for change in _CHANGES}
    head = msg(
        "Against what is live: %(added)d added, %(changed)d changed, %(removed)d removed; %(same)s.",
        **counts,
        same=msg_n("%(count)d object stays as it is", "%(count)d objects stay as they are", found["unchanged"]),
    )
    lines: list[Text] = [head, *found["notices"]]
    if found["values"]:
        lines += [msg("Values:"), *found["values"]]
    for each in objects:
        lines += [_named(each), *each["lines"]]
    return lines


def _named(each: dict[str, Any]) -> Message:
    place = f"{each['namespace']}/{each['name']}" if each["namespace"] else each["name"]
    label = f"{each['kind']} {place}"
    if each["change"] == "added":
        return msg("%(object)s is added", object=label)
    if each["change"] == "removed":
        return msg("%(object)s is removed", object=label)
    return msg("%(object)s is changed", object=label)
