"""What the preview of a step shows, as data."""

from __future__ import annotations

from typing import Any

import msgspec

from ansflow_desktop.i18n import Text
from ansflow_desktop.models.diff import DiffLine
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.deploy_state import Preview, PreviewStatus

__all__ = ["CommandText", "Commands", "Difference", "ObjectView", "Preview", "PreviewStatus", "StepPreviewState"]


class CommandText(msgspec.Struct, frozen=True, kw_only=True):
    """One command: as shown, as it works when pasted, and what it is for (`deploy`, `apply`, `wait`)."""

    shown: str
    copy: str
    purpose: str = ""


class Commands(msgspec.Struct, frozen=True, kw_only=True):
    """The exact commands of a step in order, what to know of them, or why there are none."""

    status: PreviewStatus = PreviewStatus.NONE
    commands: tuple[CommandText, ...] = ()
    notices: tuple[Text, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def copy_text(self) -> str:
        """All commands as they work when pasted, one after the other."""
        return "\n".join(command.copy for command in self.commands)


class ObjectView(msgspec.Struct, frozen=True, kw_only=True):
    """One object that differs: `change` is added, changed or removed."""

    kind: str
    namespace: str
    name: str
    change: str
    lines: tuple[DiffLine, ...] = ()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How the step differs from what is live; `unchanged` counts the objects that stay as they are."""

    status: PreviewStatus = PreviewStatus.NONE
    values: tuple[DiffLine, ...] = ()
    objects: tuple[ObjectView, ...] = ()
    unchanged: int = 0
    notices: tuple[Text, ...] = ()
    problems: tuple[Problem, ...] = ()
    live: bool = False

    def count(self, change: str) -> int:
        """Return how many objects are added, changed or removed."""
        return sum(each.change == change for each in self.objects)


class StepPreviewState(msgspec.Struct, frozen=True, kw_only=True):
    """The preview of step `index` (None: no step is chosen); old answers are never shown as present ones."""

    index: int | None = None
    commands: Commands = Commands()
    manifest: Preview = Preview()
    difference: Difference = Difference()


def difference_of(found: Any) -> Difference:
    """Return an `executors.live_diff.LiveDiff` as it is shown."""
    objects = tuple(
        ObjectView(kind=each.kind, namespace=each.namespace, name=each.name, change=each.change.value, lines=each.lines)
        for each in found.objects
    )
    failed = bool(found.problems) and not found.objects and not found.values and not found.unchanged
    return Difference(
        status=PreviewStatus.FAILED if failed else PreviewStatus.READY,
        values=found.values,
        objects=objects,
        unchanged=found.unchanged,
        notices=found.notices,
        problems=found.problems,
        live=found.live,
    )
