"""What `helm template` printed: which objects it holds, and the text with its secrets masked."""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.live_diff_masks import looks_secret

MASK = '"***"'
ObjectKey: TypeAlias = tuple[str, str, str]


def objects_of(text: str) -> tuple[ObjectKey, ...]:
    """Return (kind, namespace, name) of each object in `text`; what is no object is passed over.

    Raises safe_yaml.YamlProblem where `text` is no YAML.
    """
    return _objects(safe_yaml.compose(text))


def masked(text: str) -> str:
    """Return `text` with its secrets masked, all else as it stands; raises safe_yaml.YamlProblem.

    Masked are all values under a Secret's `data` and `stringData`, and elsewhere what is named like a secret
    (`password: …`, an environment variable DB_PASSWORD). They are replaced at their places (recipes.md, "YAML edits").
    """
    return masked_with_objects(text)[0]


def masked_with_objects(text: str) -> tuple[str, tuple[ObjectKey, ...]]:
    """Return `masked(text)` and `objects_of(text)`, reading the text once."""
    nodes = safe_yaml.compose(text)
    spans = [span for node in nodes for span in (*_secret_spans(node), *_named_spans(node))]
    for start, end in sorted(set(spans), reverse=True):
        text = text[:start] + MASK + _line_end(text[start:end]) + text[end:]
    return text, _objects(nodes)


def _objects(nodes: list[Any]) -> tuple[ObjectKey, ...]:
    found = (_identity(node) for node in nodes)
    return tuple(identity for identity in found if identity)


def _line_end(value: str) -> str:
    """Return the newlines at the end of a block text's span, which have to stay."""
    return value[len(value.rstrip("\n")) :]


def _identity(node: Any) -> tuple[str, str, str] | None:
    fields = _fields(node)
    metadata = _fields(fields.get("metadata"))
    kind, name = _word(fields.get("kind")), _word(metadata.get("name"))
    return (kind, _word(metadata.get("namespace")), name) if kind and name else None


def _fields(node: Any) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _word(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _secret_spans(node: Any) -> list[tuple[int, int]]:
    fields = _fields(node)
    if _word(fields.get("kind")).endswith("List"):
        items = fields.get("items")
        return [
            span
            for item in (items.value if isinstance(items, yaml.SequenceNode) else ())
            for span in _secret_spans(item)
        ]
    if _word(fields.get("kind")) != "Secret":
        return []
    return [span for name in ("data", "stringData") for span in _value_spans(fields.get(name))]


def _named_spans(node: Any) -> list[tuple[int, int]]:
    """Return the places of values that their names call secret, in any object."""
    found: list[tuple[int, int]] = []
    pending, seen = [node], {id(node)}
    while pending:
        here = pending.pop()
        fields = _fields(here)
        environment = looks_secret(_word(fields.get("name")))
        for name, value in fields.items():
            if _hides(value) and (looks_secret(name) or (environment and name == "value")):
                found += _value_spans(value)
        fresh = [below for below in safe_yaml.children(here) if id(below) not in seen]
        seen.update(map(id, fresh))
        pending += fresh
    return found


def _hides(node: Any) -> bool:
    """Say whether a node is a scalar that says something: true, false and nothing are no secrets."""
    return isinstance(node, yaml.ScalarNode) and bool(node.value) and not str(node.tag).endswith((":bool", ":null"))


def _value_spans(node: Any) -> list[tuple[int, int]]:
    if isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark.index, node.end_mark.index
        return [(start, end)] if end > start else []
    if isinstance(node, yaml.MappingNode):
        return [span for _, value in node.value for span in _value_spans(value)]
    return [span for value in safe_yaml.children(node) for span in _value_spans(value)]
