"""One step of AnsFlow with all that is kept of it under `x-ansflow`, there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.pipelines.ansflow import fields, texts
from ansflow_desktop.pipelines.ansflow.here import StepReader
from ansflow_desktop.pipelines.ansflow.kept import difference, restore, same
from ansflow_desktop.pipelines.ansflow.there import Origin, offer, step_there

KEPT = "x-ansflow"  # in a step and under spec: what AnsFlow's document holds that has no place here
OURS = "x-ansflow-desktop"  # in AnsFlow's `parameters` and `config`: what ours holds that has no place there
_HOLDERS = ("parameters", "ansible_parameters")
_NEW = {True: ("parameters",), False: ("", "parameters")}


def import_step(original: Any, reader: StepReader, name: str, *, atomic: bool) -> dict[str, Any]:
    """Return the step here for AnsFlow's `original`, any JSON value, called `name`."""
    if not isinstance(original, Mapping):
        made = {"name": name, "type": StepType.SHELL.value, "enabled": False, "command": "false"}
        return {**made, KEPT: {"value": original, "offered": offer(made)}}
    core, ours, holder = _apart(original)
    made = reader.read(core, name)
    whole = _with_ours(made, ours) if ours else made
    if whole is None:
        core, holder, whole = dict(original), "", made
    origin = _origin(core, whole, atomic=atomic)
    kept = difference(core, step_there(whole, origin))
    return {**whole, KEPT: {**_origin_data(origin), **({"ours": holder} if holder else {}), **kept}}


def _apart(original: Mapping[str, Any]) -> tuple[dict[str, Any], Any, str]:
    """Return AnsFlow's own part of a step, our part of it, and the place that holds it."""
    for holder in _HOLDERS:
        owner = original.get(holder)
        if isinstance(owner, Mapping) and owner.get(OURS) and isinstance(owner[OURS], Mapping):
            rest = {name: value for name, value in owner.items() if name != OURS}
            return {**original, holder: rest}, owner[OURS], holder
    return dict(original), None, ""


def _with_ours(made: Mapping[str, Any], ours: Any) -> dict[str, Any] | None:
    """Return the step with what only ours holds; None where somebody else wrote that."""
    whole = restore(made, ours)
    sound = whole.get("name") == made["name"] and KEPT not in whole and whole.get("type") in list(StepType)
    return whole if sound and same(difference(whole, made), ours) else None


def _origin(core: Mapping[str, Any], made: Mapping[str, Any], *, atomic: bool) -> Origin:
    kind = texts.plain_text(core.get("step_type")) or ""
    shell = made["type"] == StepType.SHELL
    names = ("command", "script") if shell else fields.K8S_FIELDS
    places = tuple(place for place in fields.CONTAINERS if _given(core, place, names))
    foreign = shell and made.get("enabled") is False and kind not in fields.SHELL_TYPES
    return Origin(
        atomic=atomic,
        places=places or (("parameters",) if atomic else ("",)),
        type=kind or "custom",
        key=_key(core, kind) if shell else "command",
        offered=offer(made) if foreign or (shell and not _has_command(core)) else "",
        spaced=_spaced(core),
        clusters=_clusters(core, made),
    )


def _given(core: Mapping[str, Any], place: str, names: tuple[str, ...]) -> bool:
    owner = core.get(place) if place else core
    return isinstance(owner, Mapping) and any(owner.get(name) not in (None, "", {}, []) for name in names)


def _has_command(core: Mapping[str, Any]) -> bool:
    return any(_given(core, place, ("command", "script")) for place in fields.CONTAINERS)


def _key(core: Mapping[str, Any], kind: str) -> str:
    order = ("script", "command") if kind == "shell_script" else ("command", "script")
    return next((name for name in order for place in fields.CONTAINERS if _given(core, place, (name,))), "command")


def _spaced(value: Any) -> bool:
    found = [text for text in texts.all_texts(value) if texts.variables_in(text)]
    return bool(found) and all(map(texts.spaced_in, found))


def _clusters(core: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, int | str]:
    name = made.get(fields.CLUSTER)
    owners = (core.get(place) if place else core for place in fields.CONTAINERS)
    found = (owner.get(fields.CLUSTER) for owner in owners if isinstance(owner, Mapping))
    number = next((item for item in found if isinstance(item, int | str) and item not in ("", True, False)), None)
    return {name: number} if name and number is not None and isinstance(name, str) else {}


def _origin_data(origin: Origin) -> dict[str, Any]:
    data = {**msgspec.to_builtins(origin), "places": list(origin.places)}
    unset = msgspec.to_builtins(Origin())
    return {name: value for name, value in data.items() if name != "atomic" and value != unset[name]}


def export_step(step: Mapping[str, Any], clusters: Mapping[str, int | str], *, atomic: bool) -> Any:
    """Return AnsFlow's step for a step here (plain data), with all that was kept of it; `clusters` are ids by name."""
    kept = step.get(KEPT)
    kept = kept if isinstance(kept, Mapping) else {}
    origin = _origin_of(kept, atomic=atomic)
    if "value" in kept and origin.offered == offer(step):
        return kept["value"]
    own = {**origin.clusters, **clusters, **origin.clusters}
    origin = msgspec.structs.replace(origin, clusters=own)
    return restore(step_there(step, origin), kept)


def _origin_of(kept: Mapping[str, Any], *, atomic: bool) -> Origin:
    data = {name: value for name, value in kept.items() if name in Origin.__struct_fields__}
    try:
        origin = msgspec.convert(data, Origin)
    except msgspec.ValidationError:
        origin = Origin()
    return msgspec.structs.replace(origin, atomic=atomic, places=origin.places or _NEW[atomic])


def known_clusters(steps: list[Any]) -> dict[str, int | str]:
    """Return the ids by name that the import of these steps was given."""
    found: dict[str, int | str] = {}
    for step in steps:
        kept = step.get(KEPT) if isinstance(step, Mapping) else None
        found.update(_origin_of(kept, atomic=False).clusters if isinstance(kept, Mapping) else {})
    return found


def add_ours(there: Any, step: Mapping[str, Any], back: Mapping[str, Any]) -> Any:
    """Return AnsFlow's step with what `step` holds that an import would not find in it (`back` is what it would)."""
    ours = difference(without_kept(step), without_kept(back))
    if not ours or not isinstance(there, dict):
        return there
    kept = step.get(KEPT)
    first = str(kept.get("ours") or "") if isinstance(kept, Mapping) else ""
    for holder in (*((first,) if first in _HOLDERS else ()), *_HOLDERS):
        if isinstance(there.get(holder, {}), Mapping):
            return {**there, holder: {**there.get(holder, {}), OURS: ours}}
    return there


def without_kept(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step without what was kept of AnsFlow's."""
    return {name: value for name, value in step.items() if name != KEPT}
