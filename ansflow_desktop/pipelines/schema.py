"""The JSON Schema (2020-12) of a pipeline file, made from the step definitions that reading and validation use."""

from __future__ import annotations

from typing import Any

from ansflow_desktop.models.definition import Parameter
from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.pipelines import fields
from ansflow_desktop.pipelines.definitions import by_key, step_definition

SCHEMA_ID = "https://ansflow.dev/schemas/pipeline-v1.json"
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_TEXTS = {"type": ["array", "null"], "items": _SCALAR}
_NAME_PATTERN = f"^{fields.NAME.pattern}$"
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_FRAME = {
    "apiVersion": "The version of this format.",
    "kind": "What the document is.",
    "metadata": "What the pipeline is called.",
    "spec": "Variables and steps.",
    "name": "The name of the pipeline.",
    "description": "For people; it changes nothing.",
    "variables": "Values for ${name}; shell steps get them as environment.",
    "steps": "What is run, in this order.",
    fields.FOREIGN: "What an import keeps of AnsFlow's document; it changes nothing.",
}


def json_schema() -> dict[str, Any]:
    """Return the schema; unknown fields are refused at every level, as reading does."""
    root = {
        "apiVersion": {"const": fields.API_VERSION},
        "kind": {"const": fields.KIND},
        "metadata": _frame({"name": _SCALAR, "description": _SCALAR}),
        "spec": _spec(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "AnsFlow pipeline",
        **_frame(root, required=fields.ROOT_FIELDS),
        "$defs": {kind.value: _step(kind) for kind in StepType},
    }


def _frame(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    described = {name: {"description": _FRAME[name], **schema} for name, schema in properties.items()}
    return _object(described, required)


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _spec() -> dict[str, Any]:
    steps = {"type": "array", "minItems": 1, "items": _one_of_type([kind.value for kind in StepType])}
    parts = {"variables": _texts_by_name(), "steps": steps, fields.FOREIGN: {"type": "object"}}
    return _frame(parts, required=("steps",))


def _one_of_type(kinds: list[str]) -> dict[str, Any]:
    """Choose by the type first, so that a mistake is reported for the one type that was meant."""
    chosen = {"type": "object", "required": ["type"], "properties": {"type": {"enum": kinds}}}
    rules = [{"if": {"properties": {"type": {"const": kind}}}, "then": {"$ref": f"#/$defs/{kind}"}} for kind in kinds]
    return {**chosen, "allOf": rules}


def _texts_by_name() -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": _NAME_PATTERN},
        "additionalProperties": _SCALAR,
    }


def _step(kind: StepType) -> dict[str, Any]:
    definition = step_definition(kind)
    assert definition is not None
    own = by_key(kind, "step")
    properties: dict[str, Any] = {"type": {"description": definition.help["en"], "const": kind.value}}
    properties |= {name: _described(parameter) for name, parameter in own.items()}
    properties[fields.FOREIGN] = {"description": _FRAME[fields.FOREIGN], "type": "object"}
    required = ["type", *(name for name, parameter in own.items() if parameter.required)]
    config = _config(by_key(kind, "config"))
    if config:
        properties["k8s_config"] = config
        required += ["k8s_config"] if config.get("required") else []
    return {"title": definition.label["en"], **_object(properties, tuple(required))}


def _config(own: Any) -> dict[str, Any]:
    if not own:
        return {}
    properties = {name: _described(parameter) for name, parameter in own.items()}
    required = tuple(name for name, parameter in own.items() if parameter.required)
    return {"description": "What the step does and how.", **_object(properties, required)}


def _described(parameter: Parameter) -> dict[str, Any]:
    schema = {"title": parameter.label["en"], "description": parameter.help["en"], **_value(parameter)}
    return schema if parameter.default is None else {**schema, "default": parameter.default}


def _value(parameter: Parameter) -> dict[str, Any]:
    """Return what a field takes: a variable stands where its value may be known only when the step runs."""
    match parameter.kind:
        case "boolean":
            return {"anyOf": [{"type": "boolean"}, _VARIABLE]}
        case "integer":
            return {"anyOf": [_integer(parameter), _VARIABLE]}
        case "choice":
            return _choice(parameter)
        case "list" | "files" | "kinds":
            return dict(_TEXTS)
        case "mapping":
            return _texts_by_name()
        case "command":
            return {"anyOf": [_SCALAR, _TEXTS]}
        case "variable":
            return {"anyOf": [{"type": "string", "pattern": _NAME_PATTERN}, {"enum": ["", None]}]}
        case "duration":
            return {"type": ["string", "null"]}
    return dict(_SCALAR)


def _integer(parameter: Parameter) -> dict[str, Any]:
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    return {"type": "integer", **{name: value for name, value in bounds.items() if value is not None}}


def _choice(parameter: Parameter) -> dict[str, Any]:
    values: list[str | None] = [choice.value for choice in parameter.choices]
    if parameter.required:
        return {"enum": values}
    return {"anyOf": [{"enum": [*values, "", None]}, _VARIABLE]}
