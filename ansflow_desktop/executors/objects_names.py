"""What a step names, checked before it reaches a command line (failure-modes.md, row 10): objects, kinds, selectors."""

from __future__ import annotations

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.pipelines import targets

FIELD = "k8s_resource_name"


class ObjectName(msgspec.Struct, frozen=True, kw_only=True):
    """One object as a step names it: `kind` in kubectl's words, plain ones in small letters."""

    kind: str
    name: str

    @property
    def argument(self) -> str:
        """`kind/name`, for a command line."""
        return f"{self.kind}/{self.name}"


def parse_object(written: str) -> ObjectName:
    """Return the object that `k8s_resource_name` means: `kind/name`, a bare name is a deployment.

    Raises UserError naming the field.
    """
    if not written.strip():
        hint = msg("Write it as kind/name, such as deployment/web; a bare name is a deployment.")
        raise UserError(msg("No object is named"), "", hint, field=FIELD)
    _refuse(targets.resource_problem(written), msg("%(text)s names no object", text=written[:80]), FIELD)
    kind, name = targets.split_resource(written)
    return ObjectName(kind=_plain(kind), name=name)


def checked_kind(kind: str, field: str) -> str:
    """Return `kind` as kubectl takes it; raises UserError naming `field` where it is no kind's name."""
    _refuse(targets.kind_problem(kind), msg("%(kind)s is no kind of object", kind=kind[:80] or '""'), field)
    return _plain(kind.strip())


def checked_selector(selector: str, field: str) -> str:
    """Return a label selector; raises UserError naming `field` for text that is none, and for an empty one."""
    title = msg("%(text)s is no label selector", text=selector[:80] or '""')
    _refuse(targets.selector_problem(selector), title, field)
    return selector.strip()


def _plain(kind: str) -> str:
    return kind if "." in kind else kind.lower()


def _refuse(problem: Message | None, title: Message, field: str) -> None:
    if problem is not None:
        raise UserError(title, problem, field=field)
