"""A step as a piece of YAML of its own: copied out of a pipeline, pasted into one."""

from __future__ import annotations

from typing import Any

import msgspec

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import edit_check, splice, splice_data, splice_items, splice_render, splice_tree
from ansflow_desktop.pipelines.edit_check import EditRefused
from ansflow_desktop.pipelines.splice_flow import Unplaceable
from ansflow_desktop.pipelines.splice_tree import Document, Kind, Node, Path
from ansflow_desktop.safe_yaml import YamlProblem


class Piece(msgspec.Struct, frozen=True):
    """One step: its plain `data`, and its `lines` as an entry of a list in column 0; none where they cannot be used."""

    data: dict[str, Any]
    lines: tuple[str, ...] = ()


def steps_in(yaml: str) -> list[Piece]:
    """Return the steps of a text that holds a step or a list of steps; raises EditRefused."""
    document = edit_check.document_of(yaml)
    root = document.root
    if root is None:
        raise EditRefused(msg("There is no step in the text."))
    if root.kind is Kind.MAPPING and {"kind", "spec"} & set(root.data):
        raise EditRefused(msg("This is a whole pipeline, not a step."))
    steps = root.data if root.kind is Kind.SEQUENCE else [root.data]
    if not steps or not all(isinstance(step, dict) and step for step in steps):
        raise EditRefused(msg("A step is a mapping with name and type."))
    return [Piece(data, lines) for data, lines in zip(steps, _lines(document, root, len(steps)), strict=True)]


def _lines(document: Document, root: Node, count: int) -> list[tuple[str, ...]]:
    """Return the lines of each step as an entry of a list; empty ones where the text cannot be taken as it is."""
    if not root.is_block or _has_anchor(root):
        return [()] * count
    if root.kind is Kind.MAPPING:
        return [_as_entry(document, root)]
    try:
        places = splice_items.chunks(document, root)
    except Unplaceable:
        return [()] * count
    pieces = [document.text[place.start : place.end].splitlines() for place in places]
    return [tuple(splice_items.to_left(line, root.column) for line in lines) for lines in pieces]


def _has_anchor(node: Node) -> bool:
    return bool(node.anchor) or any(_has_anchor(child) for child in (*node.keys, *node.values))


def _as_entry(document: Document, root: Node) -> tuple[str, ...]:
    """Return a mapping's lines behind a dash; comment lines above it come above the dash, what is not its own goes."""
    first = document.line_start(root.body)
    start = first
    while start:
        above = document.line_start(start - 1)
        if not document.text[above:start].lstrip(" ").startswith("#"):
            break
        start = above
    above_lines = [line.lstrip(" ") for line in document.text[start:first].splitlines()]
    end = _comments_behind(document, document.after_line(root.end))
    own = [splice_items.to_left(line, root.column) for line in document.text[first:end].splitlines()]
    return (*above_lines, f"- {own[0]}", *(f"  {line}" if line else "" for line in own[1:]))


def _comments_behind(document: Document, place: int) -> int:
    end = place
    for line in document.text[place:].splitlines(keepends=True):
        place += len(line)
        if line.lstrip(" ").startswith("#"):
            end = place
        elif line.strip():
            break
    return end


def insert(text: str, path: Path, index: int, piece: Piece) -> str:
    """Return `text` with the piece as entry `index` of the list at `path`; raises Unplaceable."""
    document = splice_tree.parse(text)
    sequence = splice.slot_of(document, path).node
    if not sequence.is_block or not piece.lines:
        raise Unplaceable(msg("The list is written in brackets."))
    lines = [" " * sequence.column + line if line else "" for line in piece.lines]
    written = "".join(line + document.newline for line in lines)
    return document.mark + splice_items.insert_piece(document, sequence, index, written)


def text_of(text: str, path: Path, data: Any) -> str:
    """Return the entry at `path` as a document of its own; its data is written anew where its text uses aliases."""
    document = edit_check.document_of(text)
    try:
        made = _cut(document, path)
        if splice_data.same(getattr(splice_tree.parse(made).root, "data", None), data):
            return made
    except (Unplaceable, YamlProblem):
        pass
    if not isinstance(data, dict):
        raise EditRefused(msg("The step is not a mapping."))
    style = splice_render.style_of(document, None)
    style = msgspec.structs.replace(style, newline="\n", json=False)
    return "".join(line + "\n" for line in splice_render.mapping(splice_data.fresh(data), 0, style))


def _cut(document: Document, path: Path) -> str:
    slot = splice.slot_of(document, path)
    assert slot.parent is not None
    if slot.parent.is_flow:
        return document.text[slot.node.start : slot.node.end] + "\n"
    piece = splice_items.piece_of(document, slot.parent, slot.number).replace("\r\n", "\n")
    return piece if piece.endswith("\n") else piece + "\n"
