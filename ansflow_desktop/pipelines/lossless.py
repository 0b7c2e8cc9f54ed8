"""A pipeline's text as plain data for a form, whatever it holds, and where in the text each field stands."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import splice_data, splice_items, splice_tree
from ansflow_desktop.pipelines.lossless_path import field_of
from ansflow_desktop.pipelines.splice_flow import Unplaceable
from ansflow_desktop.pipelines.splice_tree import Document, Kind, Node, Path
from ansflow_desktop.safe_yaml import YamlProblem

_STEPS: Path = ("spec", "steps")
_PART = re.compile(r"\[(\d+)\]|\.?([^.\[]+)")


class RawPipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says, unknown fields and types included; `problem` is why it could not be read, or not wholly.

    Values are true, false, None, numbers, texts, dicts and lists. A number whose writing matters (`010`, `1.10`) is the
    text as written. An entry of the list of steps that is no mapping becomes an empty one, so that the numbers hold.
    """

    name: str = ""
    description: str = ""
    variables: dict[str, Any] = {}
    steps: tuple[dict[str, Any], ...] = ()
    problem: YamlProblem | None = None


def read(text: str) -> RawPipeline:
    """Return what `text` says; never raises. The data are the caller's own."""
    try:
        document = splice_tree.parse(text)
    except YamlProblem as error:
        return RawPipeline(problem=error)
    data = splice_data.fresh(document.root.data) if document.root is not None else {}
    metadata, spec = _mapping(data, "metadata"), _mapping(data, "spec")
    steps = spec.get("steps")
    return RawPipeline(
        name=_text(metadata.get("name")),
        description=_text(metadata.get("description")),
        variables=_mapping(spec, "variables"),
        steps=tuple(step if isinstance(step, dict) else {} for step in steps) if isinstance(steps, list) else (),
        problem=_problem(document, data),
    )


def _problem(document: Document, data: Any) -> YamlProblem | None:
    if document.documents > 1:
        return YamlProblem(msg("The text holds more than one YAML document."))
    if data is not None and not isinstance(data, dict):
        return YamlProblem(msg("A pipeline file is a mapping with apiVersion, kind, metadata and spec"), 1, 1)
    return None


def _mapping(data: Any, name: str) -> dict[str, Any]:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def path_of(field: str) -> Path:
    """Return the path of a problem's field: `steps[1].k8s_config.timeout` lies below `spec`; "" is the whole."""
    parts: list[str | int] = [int(number) if number else name for number, name in _PART.findall(field)]
    return ("spec", *parts) if field.startswith(("steps[", "steps.")) or field == "steps" else tuple(parts)


def place_of(text: str, field: str) -> tuple[int, int] | None:
    """Return the line and column (from 1) of a problem's field, or of the nearest that holds it; None if unreadable."""
    try:
        document = splice_tree.parse(text)
    except YamlProblem:
        return None
    if document.root is None:
        return None
    place = _start(document, path_of(field))
    return document.line_number(place), place - document.line_start(place) + 1


def _start(document: Document, path: Path) -> int:
    """Return where the value at `path` stands, or its key for one of several lines."""
    node = document.root
    assert node is not None
    place, number = node.start, 0
    while number < len(path):
        target = node.target if node.kind is Kind.ALIAS else node
        found = _step_into(document, target, path[number:])
        if found is None:
            return place
        key, node, taken = found
        number += taken
        value = document.text[node.body : node.end]
        place = node.body if value and not node.is_block and "\n" not in value else key
    return place


def _step_into(document: Document, node: Node, path: Path) -> tuple[int, Node, int] | None:
    """Return the place of the key or dash, the value, and how many parts of `path` name it (a key may hold dots)."""
    if node.kind is Kind.SEQUENCE and isinstance(path[0], int) and path[0] < len(node.values):
        value = node.values[path[0]]
        return (value.start if node.is_flow else node.hooks[path[0]] - 1), value, 1
    if node.kind is not Kind.MAPPING:
        return None
    names = {splice_data.key_text(key, document.text): number for number, key in enumerate(node.keys)}
    for taken in range(len(path), 0, -1):
        name = field_of(path[:taken]) if taken > 1 else path[0]
        if name in names:
            number = names[str(name)]
            return node.keys[number].start, node.values[number], taken
    return None


def field_at(text: str, offset: int) -> str:
    """Return the name of the field that stands at `offset` (an index into `text`), "" where none is or unreadable."""
    try:
        document = splice_tree.parse(text)
    except YamlProblem:
        return ""
    path: list[str | int] = []
    node, place = document.root, offset - len(document.mark)
    while node is not None and node.values and node.kind is not Kind.ALIAS:
        number = _member_at(document, node, place)
        if number is None:
            break
        path.append(splice_data.key_text(node.keys[number], document.text) if node.keys else number)
        node = node.values[number]
    return field_of(tuple(path))


def _member_at(document: Document, node: Node, place: int) -> int | None:
    """Return the last member that begins before `place`, if `place` is not beyond the lines of its value."""
    found: int | None = None
    for number, value in enumerate(node.values):
        start = node.keys[number].start if node.keys else value.start if node.is_flow else node.hooks[number] - 1
        if (start if node.is_flow else document.line_start(start)) > place:
            break
        end = max(value.end, node.hooks[number], node.keys[number].end if node.keys else 0)
        inside = place <= end if node.is_flow else place < document.after_line(end) or end == len(document.text)
        found = number if inside else None
    return found


def step_at(text: str, offset: int) -> int | None:
    """Return the number of the step, its comments included, that stands at `offset` (an index into `text`)."""
    try:
        document = splice_tree.parse(text)
    except YamlProblem:
        return None
    node = document.root
    for part in _STEPS:
        found = _step_into(document, node, (part,)) if node is not None else None
        node = found[1] if found else None
    if node is None or node.kind is not Kind.SEQUENCE:
        return None
    place = offset - len(document.mark)
    for number, (start, end) in enumerate(_spans(document, node)):
        if start <= place < end or place == end == len(document.text):
            return number
    return None


def _spans(document: Document, node: Node) -> list[tuple[int, int]]:
    try:
        if not node.is_flow:
            return [(chunk.start, chunk.end) for chunk in splice_items.chunks(document, node)]
    except Unplaceable:
        pass
    return [(value.start, value.end + 1) for value in node.values]
