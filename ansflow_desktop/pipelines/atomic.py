"""Steps of the user's library: the same step with its configuration under `parameters` (`parameters.k8s_config`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import AtomicStep
from ansflow_desktop.pipelines.steps_data import text_of

# What lies under `parameters` in a library step and at the top level in a pipeline; the step's options do in neither.
CONFIGURATION = (
    "command",
    "output",
    "working_directory",
    "env",
    "k8s_cluster",
    "k8s_namespace",
    "k8s_resource_name",
    "k8s_config",
)
_OWN = ("name", "type", "description", "parameters")


class KeptAtomicStep(AtomicStep, frozen=True, kw_only=True):
    """A library step that remembers its document, so that a save changes nothing but what was edited."""

    document: tuple[tuple[str, Any], ...] = ()


def atomic_from(document: Mapping[str, Any]) -> AtomicStep:
    """Return the library step of a document (plain data); all that is unknown is kept.

    Raises UserError naming the field for a value of a wrong type.
    """
    return KeptAtomicStep(**_values(document), document=tuple(document.items()))


def atomic_document(step: AtomicStep) -> dict[str, Any]:
    """Return the document of a library step: the one it was read from with what was changed since, in its order."""
    before = dict(step.document) if isinstance(step, KeptAtomicStep) else {"name": "", "type": ""}
    was = _values(before)
    found: dict[str, Any] = {}
    for name, written in before.items():
        if name not in _OWN:
            if name in step.extra:
                found[name] = step.extra[name]
        else:
            found[name] = written if was[name] == getattr(step, name) else getattr(step, name)
    for name in _OWN:
        value = getattr(step, name)
        if name not in found and value:
            found[name] = value
    return {**found, **{name: value for name, value in step.extra.items() if name not in found}}


def _values(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": text_of("name", document.get("name")),
        "type": text_of("type", document.get("type")),
        "description": text_of("description", document.get("description")),
        "parameters": _mapping(document.get("parameters")),
        "extra": {name: value for name, value in document.items() if name not in _OWN},
    }


def _mapping(written: Any) -> dict[str, Any]:
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        raise UserError(msg("%(field)s must be a mapping", field="parameters"), field="parameters")
    return dict(written)


def to_pipeline_step(step: AtomicStep) -> dict[str, Any]:
    """Return the mapping that stands for a library step in a pipeline: its configuration at the top level.

    What `parameters` holds beside that stays under `parameters`. Raises UserError where a field of the configuration is
    at both places, as one of them would be lost.
    """
    document = atomic_document(step)
    parameters = _mapping(document.pop("parameters", None))
    for name in CONFIGURATION:
        if name in parameters and name in document:
            title = msg("%(field)s is at the top level and under parameters too", field=name)
            raise UserError(title, "", msg("Take one of them out."), field=name)
        if name in parameters:
            document[name] = parameters.pop(name)
    return {**document, "parameters": parameters} if parameters else document


def to_atomic(step: Mapping[str, Any]) -> AtomicStep:
    """Return the library step for a step's mapping of a pipeline; every field of it is kept. Raises UserError."""
    parameters = _mapping(step.get("parameters"))
    parameters.update({name: step[name] for name in CONFIGURATION if name in step})
    document = {name: value for name, value in step.items() if name not in (*CONFIGURATION, "parameters")}
    return atomic_from({**document, "parameters": parameters} if parameters else document)
