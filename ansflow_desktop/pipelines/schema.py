"""The JSON Schema (2020-12) of a pipeline file, made from the same Structs that read it."""

from __future__ import annotations

from typing import Any

from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.pipelines import fields

SCHEMA_ID = "https://ansflow.dev/schemas/pipeline-v1.json"
_DURATION = {"type": ["string", "null"]}
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_NAME_PATTERN = f"^{fields.NAME.pattern}$"
_TRUE_FALSE = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"\$\{"}]}


def json_schema() -> dict[str, Any]:
    """Return the schema; unknown fields are refused at every level, as reading does."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "AnsFlow pipeline",
        **_object(
            {
                "apiVersion": {"const": fields.API_VERSION},
                "kind": {"const": fields.KIND},
                "metadata": _object({"name": dict(_SCALAR), "description": dict(_SCALAR)}),
                "spec": _spec(),
            },
            required=fields.ROOT_FIELDS,
        ),
        "$defs": {**{kind.value: _step(kind) for kind in StepType}, **_configs()},
    }


def _spec() -> dict[str, Any]:
    steps = {"type": "array", "minItems": 1, "items": _one_of_type("type", [kind.value for kind in StepType])}
    return _object({"variables": _texts_by_name(), "steps": steps}, required=("steps",))


def _one_of_type(name: str, kinds: list[str]) -> dict[str, Any]:
    """Choose by the field `name` first, so that a mistake is reported for the one kind that was meant."""
    chosen = {"type": "object", "required": [name], "properties": {name: {"enum": kinds}}}
    rules = [{"if": {"properties": {name: {"const": kind}}}, "then": {"$ref": f"#/$defs/{kind}"}} for kind in kinds]
    return {**chosen, "allOf": rules}


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    described = {name: _described(name, schema) for name, schema in properties.items()}
    schema: dict[str, Any] = {"type": "object", "properties": described, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    text = fields.DESCRIPTIONS.get(name)
    return {"description": text, **schema} if text and "description" not in schema else schema


def _texts_by_name() -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": _NAME_PATTERN},
        "additionalProperties": dict(_SCALAR),
    }


def _step(kind: StepType) -> dict[str, Any]:
    properties = {name: _step_field(name) for name in fields.step_fields(kind)}
    properties["type"] = {"const": kind.value}
    needed = ("command",) if kind is StepType.SHELL else ("k8s_cluster", "k8s_config")
    return _object(properties, required=("name", "type", *needed))


def _step_field(name: str) -> dict[str, Any]:
    if name == "k8s_config":
        return _one_of_type("deploy_type", list(fields.CONFIGS))
    if name == "output":
        return {"type": "string", "pattern": _NAME_PATTERN}
    return _value(name, fields.STEP_TYPES[name])


def _value(name: str, kind: Any) -> dict[str, Any]:
    if name == "timeout":
        return dict(_DURATION)
    if fields.is_true_or_false(kind):
        return dict(_TRUE_FALSE)
    if fields.is_list(kind):
        return {"type": ["array", "null"], "items": dict(_SCALAR)}
    return _texts_by_name() if fields.is_mapping(kind) else dict(_SCALAR)


def _configs() -> dict[str, Any]:
    return {name: _config(name) for name in fields.CONFIGS}


def _config(name: str) -> dict[str, Any]:
    types = fields.field_types(fields.CONFIGS[name])
    properties = {field: _value(field, kind) for field, kind in types.items()}
    properties["timeout"] = {"description": fields.DESCRIPTIONS["config.timeout"], **properties["timeout"]}
    properties["deploy_type"] = {"const": name}
    return _object(properties, required=("deploy_type",))
