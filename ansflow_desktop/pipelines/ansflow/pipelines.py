"""One pipeline of AnsFlow as a pipeline document here, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines.ansflow import texts
from ansflow_desktop.pipelines.ansflow.here import StepReader
from ansflow_desktop.pipelines.ansflow.kept import difference, restore, same
from ansflow_desktop.pipelines.ansflow.notes import Notes
from ansflow_desktop.pipelines.ansflow.steps import KEPT, OURS, add_ours, export_step, import_step, known_clusters
from ansflow_desktop.pipelines.fields import API_VERSION, KIND

__all__ = ["export_pipeline", "import_pipeline", "known_clusters", "unique_names"]

_LISTS = ("steps", "atomic_steps")
_MAX_NAME = 200
_HOLDER = "config"


def unique_names(entries: Sequence[Any], what: str, notes: Notes) -> list[str]:
    """Return a name for each entry: its own made different from those before, or `what` and its place."""
    used: dict[str, int] = {}
    names = []
    for number, entry in enumerate(entries, 1):
        written = texts.plain_text(entry.get("name")) if isinstance(entry, Mapping) else None
        name = _clean(written or "")
        if not name:
            name = f"{what} {number}"
            notes.add("no text", name)
        if name in used:
            name = _another(name, used)
            notes.add("renamed", name)
        used[name] = 1
        names.append(name)
    return names


def _clean(text: str) -> str:
    """Return a name of one line that the library takes."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line[:_MAX_NAME].strip()


def _another(name: str, used: dict[str, int]) -> str:
    """Return `name` with the first number that makes it new; `used` counts on, so that many twins cost no more."""
    while f"{name} ({used[name] + 1})" in used:
        used[name] += 1
    used[name] += 1
    return f"{name} ({used[name]})"


def import_pipeline(
    original: Mapping[str, Any], name: str, clusters: Mapping[int | str, str], notes: Notes
) -> dict[str, Any]:
    """Return the document of a pipeline file for AnsFlow's pipeline, called `name`."""
    core, ours = _apart(original)
    header = _header(core, name)
    whole = _with_ours(header, ours) if ours is not None else header
    if whole is None:
        core, whole = dict(original), header
    key, found = _steps_of(core)
    positions = _sequence(found)
    entries = [found[position] for position in positions]
    names = unique_names(entries, "step", notes)
    _note_variables(entries, whole, notes)
    reader = StepReader(clusters, notes, atomic=False)
    steps = [import_step(step, reader, own, atomic=False) for step, own in zip(entries, names, strict=True)]
    rest = {field: value for field, value in core.items() if field != key}
    kept: dict[str, Any] = {"steps": key, "sequence": names} if key else {}
    if positions != list(range(len(found))):
        kept["positions"] = positions
    kept.update(difference(rest, _header_there(whole)))
    spec = {**whole.get("spec", {}), "steps": steps, KEPT: kept}
    return {**whole, "spec": spec}


def _apart(original: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    owner = original.get(_HOLDER)
    if isinstance(owner, Mapping) and owner.get(OURS) and isinstance(owner[OURS], Mapping):
        rest = {name: value for name, value in owner.items() if name != OURS}
        return {**original, _HOLDER: rest}, owner[OURS]
    return dict(original), None


def _header(core: Mapping[str, Any], name: str) -> dict[str, Any]:
    metadata = {"name": name}
    description = texts.plain_text(core.get("description"))
    if description:
        metadata["description"] = description
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {}}


def _with_ours(header: Mapping[str, Any], ours: Any) -> dict[str, Any] | None:
    """Return the header with what only ours holds; None where somebody else wrote that."""
    whole = restore(header, ours)
    spec, metadata = whole.get("spec"), whole.get("metadata")
    sound = isinstance(spec, dict) and not spec.keys() & {"steps", KEPT} and isinstance(metadata, dict)
    named = sound and metadata is not None and metadata.get("name") == header["metadata"]["name"]
    return whole if named and same(difference(whole, header), ours) else None


def _steps_of(core: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return the field that holds the steps and the steps: `atomic_steps` only where `steps` has none."""
    lists = [name for name in _LISTS if isinstance(core.get(name), list)]
    key = next((name for name in lists if core[name]), lists[0] if lists else "")
    return key, list(core[key]) if key else []


def _sequence(steps: Sequence[Any]) -> list[int]:
    """Return the positions of the steps by their `order`, as they stand where one has no such number."""
    orders = [step.get("order") if isinstance(step, Mapping) else None for step in steps]
    if not all(isinstance(order, int) and not isinstance(order, bool) for order in orders):
        return list(range(len(steps)))
    return sorted(range(len(steps)), key=lambda position: orders[position] or 0)


def _note_variables(steps: Sequence[Any], document: Mapping[str, Any], notes: Notes) -> None:
    """Note the variables that are used in steps and not defined by the pipeline."""
    defined = document["spec"].get("variables")
    for text in texts.all_texts(list(steps)):
        for name in texts.variables_in(text):
            if not isinstance(defined, Mapping) or name not in defined:
                notes.add("variables", name)


def _header_there(document: Mapping[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    made = {"name": texts.plain_text(metadata.get("name")) or ""}
    description = texts.plain_text(metadata.get("description"))
    return {**made, "description": description} if description else made


def export_pipeline(document: Mapping[str, Any], clusters: Mapping[str, int]) -> dict[str, Any]:
    """Return AnsFlow's pipeline for the plain data of a pipeline file; raises UserError for what is none."""
    spec = document.get("spec")
    steps = spec.get("steps") if isinstance(spec, Mapping) else None
    if (
        not isinstance(spec, Mapping)
        or not isinstance(steps, list)
        or not all(isinstance(step, dict) for step in steps)
    ):
        raise UserError(
            msg("This is no pipeline file that can be exported"),
            msg("spec.steps must be a list of steps"),
            msg("Check the pipeline first; the command schema describes all fields."),
            field="steps",
        )
    kept = spec.get(KEPT)
    kept = kept if isinstance(kept, Mapping) else {}
    ids = {**known_clusters(steps), **clusters}
    there = [export_step(step, ids, atomic=False) for step in steps]
    names = [str(step.get("name") or "") for step in steps]
    positions = _positions(kept, names)
    if positions is None:
        there = [_numbered(step, number) for number, step in enumerate(there, 1)]
    key = kept.get("steps") if kept.get("steps") in _LISTS else "steps" if steps or not kept else ""
    made = _assembled(document, kept, str(key or ""), there)
    there = _with_ours_of(made, document, steps, ids, str(key or ""))
    listed = there if positions is None else _rearranged(there, positions)
    return {**made, **({str(key): listed} if key else {})}


def _assembled(document: Mapping[str, Any], kept: Mapping[str, Any], key: str, steps: list[Any]) -> dict[str, Any]:
    header = restore(_header_there(document), kept)
    return {**header, key: steps} if key else header


def _with_ours_of(
    made: dict[str, Any], document: Mapping[str, Any], steps: list[dict[str, Any]], ids: Mapping[str, Any], key: str
) -> list[Any]:
    """Add to `made` what its import would not give back, and return the steps with what theirs would not."""
    names = {number: name for name, number in ids.items()}
    metadata = document.get("metadata")
    own = metadata.get("name") if isinstance(metadata, Mapping) else None
    back = import_pipeline(made, _clean(texts.plain_text(own) or "") or "pipeline 1", names, Notes())
    ours = difference(_without_steps(document), _without_steps(back))
    if ours and isinstance(made.get(_HOLDER, {}), Mapping):
        made[_HOLDER] = {**made.get(_HOLDER, {}), OURS: ours}
    found = made.get(key, []) if key else []
    read = back["spec"]["steps"]
    if len(read) != len(steps):  # AnsFlow's second list of steps speaks where the first one was emptied
        return list(found)
    return [add_ours(there, step, again) for there, step, again in zip(found, steps, read, strict=True)]


def _without_steps(document: Mapping[str, Any]) -> dict[str, Any]:
    spec = document.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    return {**document, "spec": {name: value for name, value in spec.items() if name not in ("steps", KEPT)}}


def _positions(kept: Mapping[str, Any], names: list[str]) -> list[int] | None:
    """Return where each step stood in AnsFlow's list; None where steps were added, removed, moved or renamed since."""
    if kept.get("sequence") != names:
        return None
    positions = kept.get("positions")
    whole = list(range(len(names)))
    return positions if isinstance(positions, list) and _is_permutation(positions, whole) else whole


def _is_permutation(positions: list[Any], whole: list[int]) -> bool:
    return all(type(position) is int for position in positions) and sorted(positions) == whole


def _rearranged(steps: list[Any], positions: list[int]) -> list[Any]:
    listed: list[Any] = [None] * len(steps)
    for step, position in zip(steps, positions, strict=True):
        listed[position] = step
    return listed


def _numbered(step: Any, number: int) -> Any:
    return {**step, "order": number} if isinstance(step, dict) else step
