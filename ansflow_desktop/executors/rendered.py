"""What `helm template` printed: which objects it holds, and the text with its secrets masked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.known_texts import fields, known_in, places, word
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
    (`password: …`, an environment variable DB_PASSWORD) and what a Secret of `text` holds. They are replaced at their
    places (recipes.md, "YAML edits").
    """
    return read(text).text


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest with its secrets masked, its objects, and the texts that its Secrets hold: those are never shown."""

    text: str
    objects: tuple[ObjectKey, ...] = ()
    known: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Say nothing: it holds secrets."""
        return "Reading(***)"


def read(text: str, names: Collection[str] = ()) -> Reading:
    """Return `masked(text)` and `objects_of(text)`, reading the text once; `names` stand openly and are no secrets."""
    nodes = safe_yaml.compose(text)
    known = known_in(nodes).difference(names)
    spans = [span for node in nodes for span in (*_secret_spans(node), *_named_spans(node))]
    spans += [(start, end) for start, end, _key in places(nodes, known) if end > start]
    for start, end in sorted(set(spans), reverse=True):
        text = text[:start] + MASK + _line_end(text[start:end]) + text[end:]
    return Reading(text=text, objects=_objects(nodes), known=known)


def _objects(nodes: list[Any]) -> tuple[ObjectKey, ...]:
    found = (_identity(node) for node in nodes)
    return tuple(identity for identity in found if identity)


def _line_end(value: str) -> str:
    """Return the newlines at the end of a block text's span, which have to stay."""
    return value[len(value.rstrip("\n")) :]


def _identity(node: Any) -> tuple[str, str, str] | None:
    inside = fields(node)
    metadata = fields(inside.get("metadata"))
    kind, name = word(inside.get("kind")), word(metadata.get("name"))
    return (kind, word(metadata.get("namespace")), name) if kind and name else None


def _secret_spans(node: Any) -> list[tuple[int, int]]:
    inside = fields(node)
    if word(inside.get("kind")).endswith("List"):
        items = inside.get("items")
        return [
            span
            for item in (items.value if isinstance(items, yaml.SequenceNode) else ())
            for span in _secret_spans(item)
        ]
    if word(inside.get("kind")) != "Secret":
        return []
    return [span for name in ("data", "stringData") for span in _value_spans(inside.get(name))]


def _named_spans(node: Any) -> list[tuple[int, int]]:
    """Return the places of values that their names call secret, in any object."""
    found: list[tuple[int, int]] = []
    pending, seen = [node], {id(node)}
    while pending:
        here = pending.pop()
        inside = fields(here)
        environment = looks_secret(word(inside.get("name")))
        for name, value in inside.items():
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
