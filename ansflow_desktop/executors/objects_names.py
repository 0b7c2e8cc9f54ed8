"""What a step names, checked before it reaches a command line (failure-modes.md, row 10): objects, kinds, selectors."""

from __future__ import annotations

import re

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg

FIELD = "k8s_resource_name"
MAX_NAME = 253

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*")
_SELECTOR = re.compile(r"[A-Za-z0-9_./,=!() -]+")


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
    kind, slash, name = written.strip().rpartition("/")
    if not name:
        hint = msg("Write it as kind/name, such as deployment/web; a bare name is a deployment.")
        raise UserError(msg("No object is named"), "", hint, field=FIELD)
    return ObjectName(kind=checked_kind(kind, FIELD) if slash else "deployment", name=checked_name(name, FIELD))


def checked_kind(kind: str, field: str) -> str:
    """Return `kind` as kubectl takes it; raises UserError naming `field` where it is no kind's name."""
    kind = kind.strip()
    if not _KIND.fullmatch(kind):
        hint = msg("Write a kind as kubectl does: deployment, statefulset, pod, or crontabs.stable.example.com.")
        raise UserError(msg("%(kind)s is no kind of object", kind=kind or '""'), "", hint, field=field)
    return kind if "." in kind else kind.lower()


def checked_name(name: str, field: str) -> str:
    """Return `name`; raises UserError naming `field` where Kubernetes would not take it (RFC 1123)."""
    if len(name) <= MAX_NAME and _NAME.fullmatch(name):
        return name
    words = msg("A name holds small letters a-z, digits, hyphens and dots, and begins and ends with a letter or digit.")
    raise UserError(msg("%(name)s is no name of an object", name=name[:80] or '""'), words, field=field)


def checked_selector(selector: str, field: str) -> str:
    """Return a label selector; raises UserError naming `field` for text that is none, and for an empty one."""
    selector = selector.strip()
    if _SELECTOR.fullmatch(selector) and not selector.startswith("-"):
        return selector
    hint = msg("Write labels such as app=web,tier!=cache.")
    raise UserError(msg("%(text)s is no label selector", text=selector[:80] or '""'), "", hint, field=field)
