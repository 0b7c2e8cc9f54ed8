"""What one document holds beyond another, as data: so that nothing is lost between AnsFlow's form of a step and ours.

`difference(original, made)` tells how the original differs from what was made of it; `restore(made, kept)` is the
original again, exactly. Where `made` was edited meanwhile, the edit wins and all the rest of the original comes back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Kept: TypeAlias = "dict[str, Any]"

_FIELDS = "fields"  # what only the original has, at its place
_INSTEAD = "instead"  # where both have a value: the place, the digest of the made one, the original one (none: absent)


def difference(original: Mapping[str, Any], made: Mapping[str, Any]) -> Kept:
    """Return what `restore` needs to make `original` of `made`; empty where they are the same."""
    instead: list[dict[str, Any]] = []
    fields = _differ(original, made, [], instead)
    instead.sort(key=lambda entry: entry["at"])
    return {**({_FIELDS: fields} if fields else {}), **({_INSTEAD: instead} if instead else {})}


def _differ(
    original: Mapping[str, Any], made: Mapping[str, Any], at: list[str], instead: list[dict[str, Any]]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in original.items():
        place = [*at, name]
        if name not in made:
            fields[name] = value
        elif isinstance(value, Mapping) and isinstance(made[name], Mapping):
            below = _differ(value, made[name], place, instead)
            if below:
                fields[name] = below
        elif not same(value, made[name]):
            instead.append({"at": place, "here": digest(made[name]), "there": value})
    for name in made:
        if name not in original:
            instead.append({"at": [*at, name], "here": digest(made[name])})
    return fields


def restore(made: Mapping[str, Any], kept: Any) -> dict[str, Any]:
    """Return `made` with what `kept` says; a `kept` that is not what `difference` gives is left out where it is not."""
    kept = kept if isinstance(kept, Mapping) else {}
    fields = kept.get(_FIELDS)
    whole = _merge(fields if isinstance(fields, Mapping) else {}, made)
    entries = kept.get(_INSTEAD)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("at"), list) and entry["at"]:
            _put_back(whole, made, [str(name) for name in entry["at"]], entry)
    return whole


def _put_back(whole: dict[str, Any], made: Mapping[str, Any], at: list[str], entry: Mapping[str, Any]) -> None:
    owner = _at(made, at[:-1])
    target = _at(whole, at[:-1])
    name = at[-1]
    if not isinstance(owner, Mapping) or name not in owner or digest(owner[name]) != entry.get("here"):
        return
    if not isinstance(target, dict):
        return
    if "there" in entry:
        target[name] = entry["there"]
    else:
        target.pop(name, None)


def _at(value: Any, path: Iterable[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, mappings merged, `over` first where they differ."""
    whole: dict[str, Any] = {}
    for name, value in over.items():
        below = under.get(name)
        mappings = isinstance(value, Mapping) and isinstance(below, Mapping)
        whole[name] = _merge(below or {}, value) if mappings else _copy(value)
    return {**whole, **{name: _copy(value) for name, value in under.items() if name not in whole}}


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same JSON; `1`, `1.0` and `true` are not, the order of names does not count."""
    return _canonical(one) == _canonical(other)


def digest(value: Any) -> str:
    """Return a short hash of a JSON value."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()[:16]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
