"""`rollback_on_failure` of a manifest deploy: what was there before is read first, and put back when the deploy fails.

Objects that existed get back the values that this deploy changed, by server-side apply of those fields alone; a field
that somebody else changed since is a conflict, and is left as it is: nothing is forced. Objects that are new are
deleted, a Namespace or a CustomResourceDefinition only where nothing is left in it. Each object is read again, and what
could not be established is said to be unknown.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import kubectl_said
from ansflow_desktop.executors.kubectl import FIELD_MANAGER
from ansflow_desktop.executors.manifest_deploy import ManifestPlan
from ansflow_desktop.executors.manifest_documents import ManifestObject
from ansflow_desktop.executors.manifest_fields import cut_down, differing, merged, owned
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.command import Command
from ansflow_desktop.process import ProcessResult

Live = Mapping[str, Any]
Key = tuple[str, str, str, str]

_SHOWN = 20
_CONTENT = (
    "configmaps,secrets,services,persistentvolumeclaims,pods,deployments.apps,statefulsets.apps,daemonsets.apps,"
    "jobs.batch,cronjobs.batch,ingresses.networking.k8s.io,roles.rbac.authorization.k8s.io,serviceaccounts"
)
_BUILT_IN = ("configmap/kube-root-ca.crt", "serviceaccount/default")


class Kind(enum.Enum):
    """What became of one object."""

    RESTORED = "restored"
    DELETED = "deleted"
    KEPT = "kept"
    UNKNOWN = "unknown"


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """One object after the rollback; `why` says why it is not as it was before."""

    label: str
    kind: Kind
    why: Text = ""


class RunQuietly(Protocol):
    """Runs a command to its end without showing its output, which may hold Secrets."""

    def __call__(self, command: Command) -> ProcessResult:
        """Return how it ended."""


def key_of(found: ManifestObject, namespace: str) -> Key:
    """Return what names an object: group, kind, namespace ("" for those outside of any), name."""
    return found.group, found.kind, found.namespace or namespace, found.name


def _live_keys(obj: Live, namespace: str) -> Key:
    metadata = obj.get("metadata") or {}
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    return group, str(obj.get("kind", "")), str(metadata.get("namespace") or namespace), str(metadata.get("name", ""))


class Before:
    """The live state of objects before they are changed, and the way back to it."""

    def __init__(self, plan: ManifestPlan) -> None:
        """Remember nothing yet; `plan` gives kubectl and the namespace."""
        self._plan = plan
        self._live: dict[Key, Live] = {}
        self._seen: list[ManifestObject] = []

    def remember(self, objects: Sequence[ManifestObject], run: RunQuietly) -> None:
        """Read the live state of `objects`; raises UserError where it cannot be had, before anything is changed."""
        for namespace, group in self._plan.groups(tuple(objects)):
            result = run(self._plan.kubectl.get_objects(group, namespace))
            if result.cancelled:
                return
            if result.exit_code != 0:
                raise _cannot_read(result)
            self._live |= _by_key(result.stdout, namespace)
        self._seen += objects

    def put_back(self, run: RunQuietly) -> list[Undone]:
        """Undo what became of the remembered objects, in the reverse order; every one that was touched is told."""
        undone: list[Undone] = []
        for namespace, group in reversed(self._plan.groups(tuple(self._seen))):
            result = run(self._plan.kubectl.get_objects(group, namespace))
            if result.exit_code != 0:
                undone += [Undone(label=found.label, kind=Kind.UNKNOWN, why=said_by(result)) for found in group]
                continue
            now = _by_key(result.stdout, namespace)
            undone += [each for found in reversed(group) if (each := self._one(found, namespace, now, run))]
        return undone

    def _one(self, found: ManifestObject, namespace: str, now: dict[Key, Live], run: RunQuietly) -> Undone | None:
        key = key_of(found, namespace)
        before, live = self._live.get(key), now.get(key)
        if live is None:
            gone = msg("it is gone")
            return Undone(label=found.label, kind=Kind.KEPT, why=gone) if before else None
        if before is None:
            return self._delete(found, namespace, run)
        if not differing(before, live):
            return None
        return self._restore(found, namespace, before, live, run)

    def _restore(
        self, found: ManifestObject, namespace: str, before: Live, live: Live, run: RunQuietly
    ) -> Undone | None:
        fields = _with_data(merged(owned(before, FIELD_MANAGER), owned(live, FIELD_MANAGER)), before, live)
        previous = cut_down(before, fields)
        if previous == cut_down(live, fields):
            return None  # what differs is not of our making
        steps = [*_taken_over(previous, before, live), previous]
        for step in steps:
            text = msgspec.json.encode(step).decode() + "\n"
            result = run(self._plan.kubectl.apply((msgspec.structs.replace(found, text=text),), namespace))
            if result.exit_code != 0:
                break
        if result.exit_code != 0:
            kind = Kind.UNKNOWN if result.cancelled or result.timed_out else Kind.KEPT
            return Undone(label=found.label, kind=kind, why=said_by(result))
        return self._restored(found, namespace, before, run)

    def _restored(self, found: ManifestObject, namespace: str, before: Live, run: RunQuietly) -> Undone:
        """Read the object again and say in which fields it is still not as it was."""
        result = run(self._plan.kubectl.get_objects((found,), namespace))
        live = _by_key(result.stdout, namespace).get(key_of(found, namespace)) if result.exit_code == 0 else None
        if live is None:
            return Undone(label=found.label, kind=Kind.UNKNOWN, why=said_by(result))
        paths = differing(before, live)
        why = msg("still different: %(fields)s", fields=", ".join(paths[:_SHOWN])) if paths else ""
        return Undone(label=found.label, kind=Kind.RESTORED, why=why)

    def _delete(self, found: ManifestObject, namespace: str, run: RunQuietly) -> Undone:
        if found.comes_first:
            held = run(self._content(found))
            left = [line for line in held.stdout.split() if line not in _BUILT_IN]
            if held.exit_code != 0 or left:
                why: Text = msg("something else is in it") if left else said_by(held)
                return Undone(label=found.label, kind=Kind.KEPT, why=why)
        result = run(self._plan.kubectl.delete(found, namespace))
        if result.exit_code == 0:
            return Undone(label=found.label, kind=Kind.DELETED)
        return Undone(label=found.label, kind=Kind.UNKNOWN, why=said_by(result))

    def _content(self, found: ManifestObject) -> Command:
        """Ask what is in a Namespace, or which objects of a CustomResourceDefinition are left."""
        if found.is_namespace:
            return self._plan.kubectl.names(_CONTENT, found.name)
        return self._plan.kubectl.names(found.name, "")


def _with_data(fields: Mapping[str, Any], before: Live, live: Live) -> dict[str, Any]:
    """Add the changed keys of a Secret: what is written as `stringData` is not recorded as the manager's `data`."""
    if before.get("kind") != "Secret":
        return dict(fields)
    one, two = before.get("data") or {}, live.get("data") or {}
    changed: dict[str, Any] = {f"f:{name}": {} for name in one if one.get(name) != two.get(name)}
    return merged(fields, {"f:data": changed}) if changed else dict(fields)


def _taken_over(previous: dict[str, Any], before: Live, live: Live) -> list[dict[str, Any]]:
    """Return a Secret that claims the keys which came by `stringData`.

    Nobody owns those, so leaving them out would not remove them; leaving out what was claimed does.
    """
    known, now = before.get("data") or {}, live.get("data") or {}
    new = {name: value for name, value in now.items() if name not in known}
    if before.get("kind") != "Secret" or not new:
        return []
    return [{**previous, "data": {**(previous.get("data") or {}), **new}}]


def _by_key(text: str, namespace: str) -> dict[Key, Live]:
    """Return the objects of `kubectl get --output=json` by what names them; it may be one, a List, or nothing."""
    if not text.strip():
        return {}
    found = msgspec.json.decode(text)
    items = found.get("items") or () if str(found.get("kind")) == "List" else (found,)
    return {_live_keys(item, namespace): item for item in items}


def _cannot_read(result: ProcessResult) -> UserError:
    return UserError(
        msg("What is there now could not be read, so it could not be put back"),
        said_by(result),
        msg("Ask for the right to read these objects, or set rollback_on_failure to false."),
        field="k8s_config.rollback_on_failure",
        code=_code(result),
    )


def _code(result: ProcessResult) -> ExitCode:
    if kubectl_said.forbidden(result.stderr):
        return ExitCode.FORBIDDEN
    return ExitCode.UNREACHABLE if kubectl_said.lost(result.stderr) else ExitCode.FAILED


def told(undone: Sequence[Undone]) -> Message:
    """Return one sentence for each thing that the rollback did or could not do."""
    if not undone:
        return msg("Rolled back: nothing had been changed.")
    parts = [
        *(msg("Rolled back: as before are %(objects)s.", objects=one) for one in _list(undone, Kind.RESTORED)),
        *(msg("Rolled back: deleted are %(objects)s.", objects=one) for one in _list(undone, Kind.DELETED)),
        *(msg("Not rolled back: %(objects)s.", objects=one) for one in _list(undone, Kind.KEPT)),
        *(msg("Not known whether rolled back: %(objects)s.", objects=one) for one in _list(undone, Kind.UNKNOWN)),
    ]
    return functools.reduce(lambda one, two: msg("%(one)s %(two)s", one=one, two=two), parts)


def _with_reason(each: Undone) -> Text:
    return msg("%(object)s (%(why)s)", object=each.label, why=each.why) if each.why else each.label


def _list(undone: Sequence[Undone], kind: Kind) -> list[Text]:
    """Return the objects of a kind as one text, nothing where there are none."""
    chosen = [each for each in undone if each.kind is kind]
    if not chosen:
        return []
    words = [_with_reason(each) for each in chosen]
    return [functools.reduce(lambda one, two: msg("%(one)s, %(two)s", one=one, two=two), words[:_SHOWN])]
