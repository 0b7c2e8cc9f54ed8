"""One object of a manifest against a cluster's OpenAPI schemas: unknown fields, wrong types, each with its place."""

from __future__ import annotations

import base64
import binascii
import difflib
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube.openapi import Schema, Schemas

MOST = 20
_MAX_DEPTH = 100
_TAG = "tag:yaml.org,2002:"
_YES_NO = frozenset("yYnN")
_SCALARS = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong at `path` (`spec.template.spec.containers[0].image`), where (from 1), and what to do."""

    path: str
    line: int
    column: int
    reason: Message
    hint: Text = ""


def check_object(node: Any, schema: Schema, schemas: Schemas) -> tuple[Finding, ...]:
    """Return what the API server would refuse in a composed YAML object by `schema`, the first 20 findings."""
    checker = _Checker(schemas)
    found: list[Finding] = []
    for finding in checker.value(node, schema, "", 0):
        found.append(finding)
        if len(found) == MOST:
            break
    return tuple(found)


class _Checker:
    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def value(self, node: Any, given: Schema, path: str, depth: int) -> Iterator[Finding]:
        schema = self._resolved(given)
        if depth > _MAX_DEPTH or type_of(node) == "null":
            return
        if schema.int_or_string or schema.one_of or schema.any_of:
            yield from self._choice(node, schema, path)
        elif schema.type == "object" or schema.properties:
            yield from self._object(node, schema, path, depth)
        elif schema.type == "array":
            yield from self._array(node, schema, path, depth)
        elif schema.type in _SCALARS:
            yield from _scalar(node, schema, path)

    def _resolved(self, schema: Schema) -> Schema:
        for _ in range(_MAX_DEPTH):
            if schema.ref:
                schema = self._schemas.named(schema.ref) or Schema()
            elif len(schema.all_of) == 1 and not schema.properties:
                schema = schema.all_of[0]
            else:
                return schema
        return Schema()

    def _choice(self, node: Any, schema: Schema, path: str) -> Iterator[Finding]:
        """Take any of the scalar types that are offered; what is offered beyond scalars is left to the server."""
        offered = {"integer", "string"} if schema.int_or_string else set()
        offered |= {each.type for each in (*schema.one_of, *schema.any_of)}
        if offered <= set(_SCALARS) and not any(_fits(type_of(node), kind, node) for kind in offered):
            yield _wrong_type(node, path, msg("a number or a text"))

    def _object(self, node: Any, schema: Schema, path: str, depth: int) -> Iterator[Finding]:
        if not isinstance(node, yaml.MappingNode):
            yield _wrong_type(node, path, msg("names with values"))
            return
        names = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            names.add(name)
            below = schema.properties.get(name)
            if below is not None:
                yield from self.value(value, below, _join(path, name), depth + 1)
            elif isinstance(schema.additional, Schema):
                yield from self.value(value, schema.additional, _join(path, name), depth + 1)
            elif self._unknown(schema, name):
                yield _unknown(key, name, path, schema)
        if "<<" not in names:
            yield from _missing(node, schema, names, path)

    def _unknown(self, schema: Schema, name: str) -> bool:
        if schema.preserves or schema.additional or name == "<<" or not schema.properties:
            return False
        return not (schema.embedded and name in ("apiVersion", "kind", "metadata"))

    def _array(self, node: Any, schema: Schema, path: str, depth: int) -> Iterator[Finding]:
        if not isinstance(node, yaml.SequenceNode):
            yield _wrong_type(node, path, msg("a list"))
            return
        for index, item in enumerate(node.value if schema.items else ()):
            assert schema.items
            yield from self.value(item, schema.items, f"{path}[{index}]", depth + 1)


def type_of(node: Any) -> str:
    """Return the JSON type that the API server's YAML reader makes of a node: object, array, null, boolean, ..."""
    if isinstance(node, yaml.MappingNode):
        return "object"
    if isinstance(node, yaml.SequenceNode):
        return "array"
    if not node.style and node.value in _YES_NO:
        return "boolean"
    kinds = {"null": "null", "bool": "boolean", "int": "integer", "float": "number"}
    return kinds.get(str(node.tag).removeprefix(_TAG), "string")


def _scalar(node: Any, schema: Schema, path: str) -> Iterator[Finding]:
    if not _fits(type_of(node), schema.type, node):
        yield _wrong_type(node, path, _named(schema.type))
    elif schema.enum and node.value not in {str(each) for each in schema.enum}:
        offered = ", ".join(str(each) for each in schema.enum if each != "")
        yield _finding(
            node,
            path,
            msg("%(value)s is not taken here.", value=node.value or '""'),
            msg("Write one of: %(values)s.", values=offered),
        )
    elif schema.format == "byte" and not _is_base64(node.value):
        hint = msg("Encode it by base64, or put it under stringData as it is.")
        yield _finding(node, path, msg("It is not Base64."), hint)


def _fits(found: str, wanted: str, node: Any) -> bool:
    if wanted == "number":
        return found in ("number", "integer")
    if wanted == "integer" and found == "number":
        return _is_whole(node.value)
    return found == wanted


def _is_whole(text: str) -> bool:
    try:
        return float(text.replace("_", "")).is_integer()
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _named(kind: str) -> Message:
    words = {
        "string": msg("a text"),
        "integer": msg("a whole number"),
        "number": msg("a number"),
        "boolean": msg("true or false"),
        "object": msg("names with values"),
        "array": msg("a list"),
    }
    return words[kind]


def _wrong_type(node: Any, path: str, wanted: Message) -> Finding:
    found = _named(type_of(node))
    reason = msg("It is %(found)s, but must be %(wanted)s.", found=found, wanted=wanted)
    quote = isinstance(node, yaml.ScalarNode) and wanted == msg("a text")
    return _finding(node, path, reason, msg("Put it in quotes.") if quote else _unquote(node, wanted))


def _unquote(node: Any, wanted: Message) -> Text:
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    return msg("Take the quotes off.") if quoted and "number" in wanted.text else msg("Correct the value.")


def _unknown(key: Any, name: str, path: str, schema: Schema) -> Finding:
    near = difflib.get_close_matches(name, list(schema.properties), n=1, cutoff=0.6)
    hint = msg("Did you mean %(name)s?", name=near[0]) if near else msg("Take it out, or correct its indentation.")
    return _finding(key, _join(path, name), msg("There is no such field."), hint)


def _missing(node: Any, schema: Schema, names: set[str], path: str) -> Iterator[Finding]:
    for name in schema.required:
        if name not in names:
            yield _finding(node, _join(path, name), msg("It is required, but missing."), msg("Add it."))


def _finding(node: Any, path: str, reason: Message, hint: Text) -> Finding:
    mark = node.start_mark
    return Finding(path=path, line=mark.line + 1, column=mark.column + 1, reason=reason, hint=hint)


def _join(path: str, name: str) -> str:
    shown = f'["{name}"]' if "." in name or "/" in name else f".{name}"
    return f"{path}{shown}" if path else name
