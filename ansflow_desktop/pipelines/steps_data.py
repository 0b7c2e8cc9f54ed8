"""A step as plain data, there and back: what a document says beside the known fields stays in it.

The rule is pipeline-file.md's: loading and saving keep unknown fields, a newer version may have written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import PipelineStep, StepType

_DEFAULTS: dict[str, Any] = {
    "name": "",
    **msgspec.structs.asdict(PipelineStep(name="", type=StepType.SHELL)),
}
FIELDS = tuple(name for name in _DEFAULTS if name != "deferred")
_NONE = object()


class KeptStep(PipelineStep, frozen=True, kw_only=True, omit_defaults=True):
    """A step that remembers its document: unknown fields, and known ones as they were written, survive a save.

    As pairs, since a field that is a mapping would have its variables replaced when the step is run.
    """

    document: tuple[tuple[str, Any], ...] = ()


def step_from(document: Mapping[str, Any]) -> PipelineStep:
    """Return the step of one mapping under `spec.steps`; unknown fields are kept with it.

    A true/false or number field that holds a text with a variable is put into `deferred`. Raises UserError naming the
    field for a type that is not known and for a value of a wrong type.
    """
    values, deferred = _values(document)
    return KeptStep(**{**values, "deferred": deferred, "document": tuple(document.items())})


def step_document(step: PipelineStep) -> dict[str, Any]:
    """Return the mapping to be written for `step`: its document with the fields that were changed since, in its order.

    Fields at their default are left out unless the document had them.
    """
    before: Mapping[str, Any] = dict(step.document) if isinstance(step, KeptStep) else {"name": "", "type": "shell"}
    was = _read(before)
    now = {name: step.deferred.get(name, getattr(step, name)) for name in FIELDS}
    found = {name: _kept(name, value, was, now) for name, value in before.items()}
    for name in FIELDS:
        if name not in found and now[name] != _DEFAULTS[name]:
            found[name] = _plain(now[name])
    return found


def _kept(name: str, written: Any, was: Mapping[str, Any], now: Mapping[str, Any]) -> Any:
    """Return a field as it was written where it still says the same, else its new value."""
    if name not in now or was.get(name, _NONE) == now[name]:
        return written
    return _plain(now[name])


def _read(document: Mapping[str, Any]) -> dict[str, Any]:
    values, deferred = _values(document)
    return {**{name: _DEFAULTS[name] for name in FIELDS}, **values, **deferred}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StepType) else value


def _values(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {"name": "", "type": step_type(document)}
    deferred: dict[str, str] = {}
    for name in FIELDS:
        written = document.get(name)
        if name == "type" or written is None:
            continue
        default = _DEFAULTS[name]
        if isinstance(default, bool | int) and isinstance(written, str) and "${" in written:
            deferred[name] = written
        else:
            values[name] = _value(name, written, default)
    return values, deferred


def step_type(document: Mapping[str, Any]) -> StepType:
    """Return the type of a step's document; raises UserError where it has none that is known."""
    written = document.get("type")
    try:
        return StepType(str(written))
    except ValueError:
        title = msg("Unknown step type %(type)s", type=str(written) if written else "''")
        hint = msg("Known: %(names)s.", names=", ".join(StepType))
        raise UserError(title, "", hint, field="type") from None


def _value(name: str, written: Any, default: Any) -> Any:
    if isinstance(default, bool):
        return _true_or_false(name, written)
    if isinstance(default, int):
        return _whole(name, written)
    if isinstance(default, dict):
        return _mapping(name, written)
    return text_of(name, written)


def _true_or_false(name: str, written: Any) -> bool:
    if isinstance(written, bool):
        return written
    raise UserError(msg("%(field)s must be true or false", field=name), field=name)


def _whole(name: str, written: Any) -> int:
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < 10:
        return int(written)
    raise UserError(msg("%(field)s must be a whole number", field=name), field=name)


def _mapping(name: str, written: Any) -> dict[str, Any]:
    if not isinstance(written, Mapping):
        raise UserError(msg("%(field)s must be a mapping", field=name), field=name)
    if name != "env":
        return dict(written)
    return {str(key): text_of(f"env.{key}", value) for key, value in written.items()}


def text_of(name: str, written: Any) -> str:
    """Return a plain scalar as the text of the field `name` (`true`, `8`; null is empty); raises UserError."""
    if isinstance(written, str):
        return written
    if written is None:
        return ""
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, int | float):
        return repr(written)
    raise UserError(msg("%(field)s must be a text, not a list or a mapping", field=name), field=name)
