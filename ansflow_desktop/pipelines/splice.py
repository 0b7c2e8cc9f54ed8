"""Change one place of a YAML text and nothing else; what stands elsewhere is never written anew.

The functions here find the place and write; whether the result says what was meant is checked in pipelines/edit.py.
"""

from __future__ import annotations

import difflib
from typing import Any

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import splice_data, splice_flow, splice_items, splice_place, splice_tree
from ansflow_desktop.pipelines.splice_data import MERGE, Raw
from ansflow_desktop.pipelines.splice_flow import Unplaceable
from ansflow_desktop.pipelines.splice_place import Slot
from ansflow_desktop.pipelines.splice_tree import Document, Kind, Node, Path

_TAKEN = msg("It is taken from another place of the text by an alias or <<.")
# Keys that read better before another one than at the end.
_BEFORE = {("spec", "variables"): "steps"}


def put(text: str, path: Path, value: Any) -> str:
    """Return `text` with `value` (tidy plain data) at `path`; what is missing on the way is made.

    Raises Unplaceable where the text has no safe place for it, YamlProblem where it is not YAML.
    """
    document = splice_tree.parse(text)
    if document.root is None:
        return _first(document, splice_data.nested(path, value))
    slot = Slot(document.root)
    for depth, part in enumerate(path):
        node, rest = slot.node, path[depth:]
        if node.kind is Kind.ALIAS:
            return document.mark + _instead_of_alias(document, slot, rest, value)
        if node.is_null or node.data in ({}, []):
            return document.mark + splice_place.put(document, slot, splice_data.nested(rest, value))
        found = find(document, node, part)
        if found is None:
            return document.mark + _add(document, node, path, depth, value)
        slot = found
    return _replace(document, slot, path, value)


def _first(document: Document, value: Any) -> str:
    """Return a text that had no value with its first one."""
    text = document.text + ("" if not document.text or document.text.endswith("\n") else document.newline)
    empty = Node(Kind.SCALAR, len(text), len(text), len(text), len(text))
    made = Document(document.mark, text, empty, {}, 1)
    return document.mark + splice_place.put(made, Slot(empty), value)


def find(document: Document, node: Node, part: str | int) -> Slot | None:
    """Return the place of a key or entry of `node` itself, None where it has none; raises Unplaceable."""
    if node.kind is Kind.MAPPING and isinstance(part, str):
        names = [splice_data.key_text(key, document.text) for key in node.keys]
        if names.count(part) > 1:
            raise Unplaceable(msg("%(name)s is written twice", name=part))
        return Slot(node.values[names.index(part)], node, names.index(part)) if part in names else None
    if node.kind is Kind.SEQUENCE and isinstance(part, int):
        return Slot(node.values[part], node, part) if 0 <= part < len(node.values) else None
    line = document.line_number(node.start)
    if isinstance(part, int):
        raise Unplaceable(msg("There is no list in line %(line)s.", line=line))
    raise Unplaceable(msg("There is no mapping in line %(line)s.", line=line))


def _add(document: Document, node: Node, path: Path, depth: int, value: Any) -> str:
    part, rest = path[depth], path[depth + 1 :]
    if isinstance(part, int):
        if part != len(node.values):
            raise Unplaceable(msg("The list has %(count)s entries.", count=len(node.values)))
        return splice_items.insert(document, node, part, splice_data.nested(rest, value))
    merged = node.data.get(part)
    whole = splice_data.changed(merged, rest, value) if merged is not None else splice_data.nested(rest, value)
    before = _BEFORE.get((str(path[0]), part), "") if depth == 1 else ""
    return splice_place.add_pair(document, node, part, whole, before)


def _instead_of_alias(document: Document, slot: Slot, rest: Path, value: Any) -> str:
    """Return the text with a value of its own in place of an alias: what the alias gave, changed at `rest`."""
    node = slot.node
    whole = splice_data.changed(node.data, rest, value)
    if isinstance(whole, dict) and isinstance(rest[0], str):
        name = rest[0]
        whole = {Raw(MERGE): Raw(f"*{node.anchor}"), name: whole[name]}
    return splice_place.put(document, slot, whole)


def _replace(document: Document, slot: Slot, path: Path, value: Any) -> str:
    text, node = document.mark + document.text, slot.node
    if splice_data.same(node.data, value):
        return text
    if not splice_data.fits(node.tag, value):
        return put(document.mark + splice_place.untagged(document, node), path, value)
    if node.kind is Kind.MAPPING and node.keys and isinstance(value, dict) and value:
        return _replace_mapping(text, node, path, value)
    if node.kind is Kind.SEQUENCE and node.values and isinstance(value, list) and value:
        return _replace_list(text, node.data, path, value)
    return document.mark + splice_place.put(document, slot, value)


def _replace_mapping(text: str, node: Node, path: Path, value: dict[str, Any]) -> str:
    """Write only the keys that differ."""
    old = node.data
    for name, item in value.items():
        if name not in old or not splice_data.same(old[name], item):
            text = put(text, (*path, name), item)
    for name in old:
        if name not in value:
            text = drop(text, (*path, name))
    return text


def _replace_list(text: str, old: list[Any], path: Path, value: list[Any]) -> str:
    """Write only the entries that differ, the last ones first; those that are the same stay where they stand."""
    matcher = difflib.SequenceMatcher(
        None, [repr(item) for item in old], [repr(item) for item in value], autojunk=False
    )
    for kind, start, end, new, until in reversed(matcher.get_opcodes()):
        if kind == "equal":
            continue
        both = min(end - start, until - new)
        for number in reversed(range(start + both, end)):
            text = drop(text, (*path, number))
        for number in range(both, until - new):
            text = insert(text, path, start + number, value[new + number])
        for number in range(both):
            text = put(text, (*path, start + number), value[new + number])
    return text


def slot_of(document: Document, path: Path) -> Slot:
    """Return the place of an existing value; raises Unplaceable where `path` leads through an alias or to nothing."""
    assert document.root is not None
    slot = Slot(document.root)
    for part in path:
        found = None if slot.node.kind is Kind.ALIAS else find(document, slot.node, part)
        if found is None:
            raise Unplaceable(_TAKEN)
        slot = found
    return slot


def drop(text: str, path: Path) -> str:
    """Return `text` without the key or entry at `path`, which exists; raises Unplaceable."""
    document = splice_tree.parse(text)
    assert document.root is not None
    holder = Slot(document.root)
    for depth, part in enumerate(path[:-1], 1):
        found = find(document, holder.node, part) if holder.node.kind is not Kind.ALIAS else None
        if found is None:
            own = splice_data.without(splice_data.get(document.root.data, path[:depth]), path[depth:])
            return put(text, path[:depth], own)
        holder = found
    return document.mark + _drop_member(document, holder, path[-1])


def _drop_member(document: Document, holder: Slot, part: str | int) -> str:
    node = holder.node
    if node.kind is Kind.ALIAS:
        return splice_place.put(document, holder, splice_data.without(node.data, (part,)))
    found = find(document, node, part)
    if found is None or splice_data.has_merged(node, document.text, part):
        raise Unplaceable(_TAKEN)
    if len(node.values) == 1:
        return _emptied(document, holder, {} if node.kind is Kind.MAPPING else [])
    if node.kind is Kind.SEQUENCE:
        return splice_items.remove(document, node, found.number)
    if node.is_flow:
        return splice_flow.drop(document, node, found.number)
    return splice_place.drop_pair(document, node, found.number)


def _emptied(document: Document, holder: Slot, empty: Any) -> str:
    if holder.node.is_flow:
        return splice_flow.drop(document, holder.node, 0)
    return splice_place.put(document, holder, empty)


def insert(text: str, path: Path, index: int, value: Any) -> str:
    """Return `text` with `value` as entry `index` of the list at `path`, which has entries; raises Unplaceable."""
    document = splice_tree.parse(text)
    return document.mark + splice_items.insert(document, slot_of(document, path).node, index, value)
