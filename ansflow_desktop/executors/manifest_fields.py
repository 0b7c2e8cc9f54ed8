"""What of an object one field manager set: a live object cut down to the fields that `managedFields` names.

Putting an object back as it was must touch those fields only: the rest belongs to controllers and to other people, and
sending it again would conflict (the format: sigs.k8s.io/structured-merge-diff, "fieldpath").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

Fields: TypeAlias = Mapping[str, Any]
Object: TypeAlias = Mapping[str, Any]

_FIELD, _KEY, _VALUE = "f:", "k:", "v:"
_VOLATILE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_HANDED_ON = ("kubectl-client-side-apply", "before-first-apply")
_OF_CONTROLLERS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")


def owned(obj: Object, manager: str) -> dict[str, Any]:
    """Return the fields that `manager` set by server-side apply, as `fieldsV1` writes them; empty for none.

    Those of `kubectl apply` of old count too: at the first server-side apply kubectl hands them to whoever applies.
    """
    found: dict[str, Any] = {}
    for entry in _mapping(obj, "metadata").get("managedFields") or ():
        ours = entry.get("manager") == manager and entry.get("operation") == "Apply"
        if (ours or entry.get("manager") in _HANDED_ON) and not entry.get("subresource"):
            found = merged(found, entry.get("fieldsV1") or {})
    return found


def merged(one: Fields, two: Fields) -> dict[str, Any]:
    """Return the fields of either."""
    result = dict(one)
    for name, inner in two.items():
        result[name] = merged(result[name], inner) if name in result else inner
    return result


def cut_down(obj: Object, fields: Fields) -> dict[str, Any]:
    """Return `obj` with only the given fields of it, and what says which object it is."""
    kept = _project(obj, fields)
    metadata = {**_mapping(kept, "metadata"), "name": _mapping(obj, "metadata").get("name")}
    if _mapping(obj, "metadata").get("namespace"):
        metadata["namespace"] = _mapping(obj, "metadata")["namespace"]
    return {**kept, "apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}


def _project(value: Any, fields: Fields) -> Any:
    """Return what `fields` name of `value`; a field without inner ones stands for all that it holds."""
    inner = {name: each for name, each in fields.items() if name != "."}
    if isinstance(value, Mapping) and (inner or "." in fields):
        return _of_mapping(value, inner)
    if isinstance(value, list) and (inner or "." in fields):
        return _of_list(value, inner)
    return value


def _of_mapping(value: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    names = {name[2:]: each for name, each in fields.items() if name.startswith(_FIELD)}
    return {name: _project(value[name], each) for name, each in names.items() if value.get(name) is not None}


def _of_list(value: list[Any], fields: Fields) -> list[Any]:
    """Return the items that are named by their keys or by their value, in the list's order."""
    keys = [(msgspec.json.decode(name[2:]), each) for name, each in fields.items() if name.startswith(_KEY)]
    values = [msgspec.json.decode(name[2:]) for name in fields if name.startswith(_VALUE)]
    found: list[Any] = []
    for item in value:
        chosen = next(((key, each) for key, each in keys if _has(item, key)), None)
        if chosen:
            found.append({**chosen[0], **_project(item, chosen[1])})
        elif item in values:
            found.append(item)
    return found


def _has(item: Any, key: Mapping[str, Any]) -> bool:
    return isinstance(item, Mapping) and all(item.get(name) == value for name, value in key.items())


def differing(one: Object, two: Object) -> list[str]:
    """Return the paths (`spec.replicas`) in which two states of an object differ, but for what controllers write."""
    return sorted(_differences(_lasting(one), _lasting(two), ""))


def _lasting(obj: Object) -> dict[str, Any]:
    metadata = {name: value for name, value in _mapping(obj, "metadata").items() if name not in _VOLATILE}
    noted = {name: value for name, value in _mapping(metadata, "annotations").items() if name not in _OF_CONTROLLERS}
    metadata["annotations"] = noted or None
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}


def _differences(one: Any, two: Any, path: str) -> set[str]:
    if one == two or (not one and not two):
        return set()
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        names = {*one, *two}
        inner = (_differences(one.get(name), two.get(name), f"{path}.{name}" if path else name) for name in names)
        return set().union(*inner)
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = enumerate(zip(one, two, strict=True))
        return set().union(*(_differences(a, b, f"{path}[{index}]") for index, (a, b) in pairs))
    return {path}


def _mapping(obj: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = obj.get(name)
    return value if isinstance(value, Mapping) else {}
