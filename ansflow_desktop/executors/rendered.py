"""What `helm template` printed: which objects it holds, and the text with the data of Secrets masked."""

from __future__ import annotations

from typing import Any

import yaml

from ansflow_desktop import safe_yaml

MASK = '"***"'


def objects_of(text: str) -> tuple[tuple[str, str, str], ...]:
    """Return (kind, namespace, name) of each object in `text`; what is no object is passed over.

    Raises safe_yaml.YamlProblem where `text` is no YAML.
    """
    found = (_identity(node) for node in safe_yaml.compose(text))
    return tuple(identity for identity in found if identity)


def masked(text: str) -> str:
    """Return `text` with every value under a Secret's `data` and `stringData` masked, all else as it stands.

    The values are replaced at their places (recipes.md, "YAML edits"). Raises safe_yaml.YamlProblem.
    """
    spans = [span for node in safe_yaml.compose(text) for span in _secret_spans(node)]
    for start, end in sorted(set(spans), reverse=True):
        text = text[:start] + MASK + _line_end(text[start:end]) + text[end:]
    return text


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


def _value_spans(node: Any) -> list[tuple[int, int]]:
    if isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark.index, node.end_mark.index
        return [(start, end)] if end > start else []
    if isinstance(node, yaml.MappingNode):
        return [span for _, value in node.value for span in _value_spans(value)]
    return [span for value in safe_yaml.children(node) for span in _value_spans(value)]
