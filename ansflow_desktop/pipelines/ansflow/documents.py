"""Whole documents of AnsFlow: pipelines and atomic steps as its API and its exports give them, there and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.pipeline import AtomicStep
from ansflow_desktop.pipelines.ansflow import pipelines as whole
from ansflow_desktop.pipelines.ansflow.here import StepReader
from ansflow_desktop.pipelines.ansflow.notes import Notes
from ansflow_desktop.pipelines.ansflow.reading import read_json, read_pipeline
from ansflow_desktop.pipelines.ansflow.steps import add_ours, export_step, import_step
from ansflow_desktop.pipelines.ansflow.writer import dump
from ansflow_desktop.pipelines.atomic import to_atomic, to_pipeline_step
from ansflow_desktop.pipelines.document import MAX_BYTES

ClusterNames: TypeAlias = "Mapping[int, str] | Mapping[str, str] | Mapping[int | str, str]"

_PIPELINE_MARKS = ("steps", "atomic_steps", "steps_count", "execution_mode", "project")
_STEP_MARK = "step_type"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import found: pipelines as (name, YAML text), library steps, the ids of clusters, and what is to be said.

    `cluster_ids` are all ids in the document, each once, known or not. Nothing was written or run.
    """

    pipelines: tuple[tuple[str, str], ...] = ()
    steps: tuple[AtomicStep, ...] = ()
    cluster_ids: tuple[int | str, ...] = ()
    notices: tuple[Message, ...] = ()


def import_document(text: str | bytes, cluster_names: ClusterNames | None = None) -> Imported:
    """Return what AnsFlow's JSON `text` holds; `cluster_names` are names of the cluster list by AnsFlow's ids.

    Taken are a pipeline, an atomic step, lists of them, pages of its API (`results`), and `{"pipelines": [...],
    "atomic_steps": [...]}`. Raises UserError for what is no JSON or holds neither. Names are made unique, and what
    cannot run here is kept and said.
    """
    data, said = read_json(text)
    notes = Notes()
    pipelines, steps = _sorted_out(data, notes)
    if not pipelines and not steps:
        raise UserError(
            msg("The file holds no pipeline and no atomic step of AnsFlow"),
            "",
            msg("Export it again: the answer of its API for pipelines or atomic steps, as JSON."),
        )
    names: dict[int | str, str] = {number: name for number, name in (cluster_names or {}).items()}  # noqa: C416
    found = _pipelines(pipelines, names, notes)
    library = _steps(steps, names, notes)
    return Imported(
        pipelines=found, steps=library, cluster_ids=tuple(notes.clusters), notices=(*said, *notes.messages())
    )


def _sorted_out(data: Any, notes: Notes) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the pipelines and the atomic steps of a document, whatever lists and pages they lie in."""
    pipelines: list[Mapping[str, Any]] = []
    steps: list[Mapping[str, Any]] = []
    for entry in _entries(data):
        if isinstance(entry, Mapping) and _STEP_MARK in entry:
            steps.append(entry)
        elif isinstance(entry, Mapping) and any(mark in entry for mark in _PIPELINE_MARKS):
            pipelines.append(entry)
        else:
            notes.add("not steps", repr(entry)[:40])
    return pipelines, steps


def _entries(data: Any) -> list[Any]:
    if isinstance(data, Mapping):
        if isinstance(data.get("results"), list):
            return list(data["results"])
        if isinstance(data.get("pipelines"), list):
            steps = data.get("atomic_steps", data.get("steps"))
            return [*data["pipelines"], *(steps if isinstance(steps, list) else ())]
        if isinstance(data.get("pipeline"), Mapping) and _STEP_MARK not in data:
            return [data["pipeline"]]
        return [data]
    return data if isinstance(data, list) else []


def _pipelines(
    found: Sequence[Mapping[str, Any]], clusters: Mapping[int | str, str], notes: Notes
) -> tuple[tuple[str, str], ...]:
    names = whole.unique_names(found, "pipeline", notes)
    made = []
    for entry, name in zip(found, names, strict=True):
        text = dump(whole.import_pipeline(entry, name, clusters, notes)) if _fits(entry) else ""
        if not text or len(text.encode()) > MAX_BYTES:
            notes.others.append(
                msg("%(name)s is left out: it is larger than %(limit)s bytes", name=name, limit=MAX_BYTES)
            )
        else:
            made.append((name, text))
    return tuple(made)


def _fits(entry: Mapping[str, Any]) -> bool:
    return len(json.dumps(entry, ensure_ascii=False)) <= MAX_BYTES


def _steps(
    found: Sequence[Mapping[str, Any]], clusters: Mapping[int | str, str], notes: Notes
) -> tuple[AtomicStep, ...]:
    names = whole.unique_names(found, "step", notes)
    return tuple(_atomic(entry, name, clusters, notes) for entry, name in zip(found, names, strict=True))


def _atomic(entry: Mapping[str, Any], name: str, clusters: Mapping[int | str, str], notes: Notes) -> AtomicStep:
    return to_atomic(import_step(entry, StepReader(clusters, notes, atomic=True), name, atomic=True))


def export_pipeline(text: str, cluster_ids: Mapping[str, int] | None = None) -> str:
    """Return AnsFlow's JSON for the pipeline file `text`; `cluster_ids` are AnsFlow's ids by the names of clusters.

    What was imported and not edited is exactly what it was; what AnsFlow has no place for is kept in free places of its
    documents, where an import finds it again. Raises UserError for what is no pipeline file.
    """
    return _json(whole.export_pipeline(read_pipeline(text), cluster_ids or {}))


def export_steps(steps: Sequence[AtomicStep], cluster_ids: Mapping[str, int] | None = None) -> str:
    """Return AnsFlow's JSON (a list of atomic steps) for library steps; as `export_pipeline`. Raises UserError."""
    return _json([_exported(step, cluster_ids or {}) for step in steps])


def _exported(atomic: AtomicStep, clusters: Mapping[str, int | str]) -> Any:
    step = to_pipeline_step(atomic)
    there = export_step(step, clusters, atomic=True)
    names = {number: name for name, number in {**whole.known_clusters([step]), **clusters}.items()}
    reader = StepReader(names, Notes(), atomic=True)
    return add_ours(there, step, import_step(there, reader, str(step.get("name") or ""), atomic=True))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
