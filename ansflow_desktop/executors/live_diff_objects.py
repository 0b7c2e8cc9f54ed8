"""Objects made comparable: plain data without what the server alone writes, secrets masked."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.live_diff_masks import difference, masked_object
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.diff import DiffLine

Key: TypeAlias = "tuple[str, str, str, str]"

_SERVERS = (
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
    "deletionTimestamp",
)
_NOTES = ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")


class LiveObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as plain data, with its names and the comment above it that says where it comes from (`source`)."""

    api_version: str
    kind: str
    namespace: str
    name: str
    data: dict[str, Any]
    source: str = ""

    @property
    def key(self) -> Key:
        """What makes two objects the same one: group, kind, namespace and name."""
        return (self.api_version.rpartition("/")[0], self.kind, self.namespace, self.name)


def objects_in(text: str, namespace: str) -> list[LiveObject]:
    """Return the objects of a manifest in order, the items of a List one by one; `namespace` for those without one.

    What is no object is passed over. Raises safe_yaml.YamlProblem.
    """
    found = []
    for node in safe_yaml.compose(text):
        value = safe_yaml.construct(node)
        items = value.get("items") if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") else None
        source = source_of(text, node.start_mark.index)
        for item in items if isinstance(items, list) else [value]:
            made = object_of(item, namespace, source)
            found += [made] if made else []
    return found


def source_of(text: str, place: int) -> str:
    """Return what helm's comment above an object says: `# Source: web/crds/foo.yaml`."""
    above = text[max(0, place - 400) : place].rpartition("---")[2]
    lines = [line for line in above.splitlines() if line.startswith("# Source: ")]
    return lines[-1].removeprefix("# Source: ").strip() if lines else ""


def object_of(value: Any, namespace: str, source: str = "") -> LiveObject | None:
    """Return plain data as an object, None where it is none."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict) or not metadata.get("name") or not value.get("kind"):
        return None
    return LiveObject(
        api_version=clean(str(value.get("apiVersion") or "")),
        kind=clean(str(value["kind"])),
        namespace=clean(str(metadata.get("namespace") or namespace)),
        name=clean(str(metadata["name"])),
        data=value,
        source=source,
    )


def without_noise(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object without what the server writes by itself: status, managed fields, versions, times."""
    kept = copy.deepcopy({name: below for name, below in value.items() if name != "status"})
    metadata = kept.get("metadata")
    if isinstance(metadata, dict):
        for name in _SERVERS:
            metadata.pop(name, None)
        notes = metadata.get("annotations")
        if isinstance(notes, dict):
            for name in _NOTES:
                notes.pop(name, None)
            if not notes:
                metadata.pop("annotations")
    return kept


def only_like(value: Any, pattern: Any) -> Any:
    """Return of a live value only what `pattern` writes too, so that the server's defaults are no difference."""
    if isinstance(value, dict) and isinstance(pattern, dict):
        return {name: only_like(below, pattern[name]) for name, below in value.items() if name in pattern}
    if isinstance(value, list) and isinstance(pattern, list):
        same = [only_like(one, other) for one, other in zip(value, pattern, strict=False)]
        return [*same, *value[len(pattern) :]]
    return value


def compared(old: LiveObject | None, new: LiveObject | None, known: Collection[str] = ()) -> tuple[DiffLine, ...]:
    """Return how an object changes as lines of YAML, secrets and `known` texts masked; empty where it does not."""
    before = masked_object(without_noise(old.data), known) if old else None
    after = masked_object(without_noise(new.data), known) if new else None
    return difference(before, after)


def paired(old: list[LiveObject], new: list[LiveObject]) -> list[tuple[LiveObject | None, LiveObject | None]]:
    """Return what is live beside what comes, in the order of what comes; last what goes."""
    known = {each.key: each for each in old}
    coming = {each.key for each in new}
    pairs: list[tuple[LiveObject | None, LiveObject | None]] = [(known.get(each.key), each) for each in new]
    return [*pairs, *((each, None) for each in old if each.key not in coming)]
