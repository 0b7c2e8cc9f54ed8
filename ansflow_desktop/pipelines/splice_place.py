"""Where a value stands in its mapping or list, and how another one is written in its place."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import splice_flow, splice_render
from ansflow_desktop.pipelines.splice_flow import Unplaceable
from ansflow_desktop.pipelines.splice_scalar import Style
from ansflow_desktop.pipelines.splice_tree import Document, Kind, Node


class Slot(msgspec.Struct, eq=False):
    """A value's place: the `node` there, the `parent` that holds it (None: the root), and its `number` among them."""

    node: Node
    parent: Node | None = None
    number: int = 0

    @property
    def hook(self) -> int:
        """Return the place after the colon or dash, and after the value's anchor and tag."""
        if self.node.properties > self.node.start:
            return self.node.properties
        return self.parent.hooks[self.number] if self.parent is not None else self.node.start


def put(document: Document, slot: Slot, value: Any) -> str:
    """Return the text with `value` in place of the node in `slot`, its anchor and tag kept."""
    style = splice_render.style_of(document, slot.parent)
    if slot.parent is None:
        return _put_root(document, slot, value, style)
    if slot.parent.is_flow:
        return _put_flow(document, slot, value, style)
    return _put_block(document, slot, value, style)


def untagged(document: Document, node: Node) -> str:
    """Return the text without the tag of `node`; its anchor stays."""
    text = document.text
    properties = re.sub(r"![^\s]*[ \t]*", "", text[node.start : node.properties]).rstrip()
    rest = text[node.properties :]
    return text[: node.start] + properties + (rest if properties else rest.lstrip(" \t"))


def _put_root(document: Document, slot: Slot, value: Any, style: Style) -> str:
    node, text = slot.node, document.text
    if not isinstance(value, dict) or not value or not (node.is_null or node.data == {}):
        raise Unplaceable(msg("The text is not a mapping."))
    head = text[: node.body].rstrip(" ")
    lead = "" if not head or head.endswith("\n") else style.newline
    lines = splice_render.mapping(value, 0, style)
    return head + lead + _joined(lines, style.newline) + text[node.end :].removeprefix(style.newline)


def _put_flow(document: Document, slot: Slot, value: Any, style: Style) -> str:
    text, node = document.text, slot.node
    written = splice_render.flow(value, style, node)
    assert slot.parent is not None
    if slot.hook < 0:
        key = slot.parent.keys[slot.number]
        return f"{text[: key.end]}: {written}{text[key.end :]}"
    if node.body == node.end == slot.hook:
        return f"{text[: slot.hook]} {written}{text[slot.hook :].removeprefix(' ')}"
    return text[: node.body] + written + text[node.end :]


def _put_block(document: Document, slot: Slot, value: Any, style: Style) -> str:
    assert slot.parent is not None
    if slot.hook < 0:
        raise Unplaceable(msg("The key has no colon."))
    if slot.parent.kind is Kind.SEQUENCE and isinstance(value, (dict, list)) and value:
        return _put_entry(document, slot, value, style)
    head, lines = splice_render.block(value, slot.parent.column, style, slot.node)
    return _write(document, slot, head, lines)


def _put_entry(document: Document, slot: Slot, value: Any, style: Style) -> str:
    """Write a mapping or list after a dash; below it where an anchor or tag stands there."""
    assert slot.parent is not None
    node, column = slot.node, slot.parent.column
    on_line = slot.hook < node.body < document.line_end(slot.hook) + 1
    width = node.column - column if on_line and node.start == node.body else style.pad
    lines = splice_render.entry(value, column, msgspec.structs.replace(style, pad=width))
    if node.properties > node.start or (node.body > slot.hook and not on_line):
        return _write(document, slot, "", [lines[0].replace("-", " ", 1), *lines[1:]])
    return _write(document, slot, lines[0][column + width :], lines[1:], width - 1)


def _write(document: Document, slot: Slot, head: str, lines: list[str], pad: int = 1) -> str:
    """Put `head` on the line of the key or dash and `lines` below; a comment on that line stays.

    `pad` is how many spaces stand before `head` where there was no value.
    """
    node, hook, text = slot.node, slot.hook, document.text
    if node.body > document.line_end(hook):
        return _below(document, slot, head, lines)
    rest, tail = _behind(document, node)
    before = text[: node.body] if node.body > hook else text[:hook] + " " * pad
    if not head:
        before = before.rstrip(" ")
    if not rest.strip() and (lines or not head):
        rest = ""
    return before + head + rest + "".join(document.newline + line for line in lines) + tail


def _behind(document: Document, node: Node) -> tuple[str, str]:
    """Return the comment behind a value on its first line, and the text from that line's ending on."""
    text = document.text
    if node.is_block or node.is_block_scalar:
        after = document.after_line(node.end)
        tail = (document.newline if text[:after].endswith("\n") else "") + text[after:]
        header = text[node.body : document.line_end(node.body)] if node.is_block_scalar else ""
        sign = header.split("#", 1)[0].rstrip()
        return (header[len(sign) :] if "#" in header else ""), tail
    end = document.line_end(node.end)
    return text[node.end : end], text[end:]


def _below(document: Document, slot: Slot, head: str, lines: list[str]) -> str:
    """Replace a value that begins on a line below its key or dash; what stands between them stays."""
    text, node, hook = document.text, slot.node, slot.hook
    rest, tail = _behind(document, node)
    first = document.line_start(node.body)
    if not node.is_block and not lines:
        return text[: node.body] + head + rest + tail
    if rest.strip():
        raise Unplaceable(msg("A comment stands behind a value that begins below its key."))
    written = (f" {head}" if head else "") + text[hook:first].removesuffix(document.newline)
    return text[:hook] + written + "".join(document.newline + line for line in lines) + tail


def _joined(lines: list[str], newline: str) -> str:
    return "".join(line + newline for line in lines)


def add_pair(document: Document, mapping: Node, name: str, value: Any, before: str = "") -> str:
    """Return the text with a key more at the end of `mapping`, or before its key `before`."""
    style = splice_render.style_of(document, mapping)
    if mapping.is_flow:
        return splice_flow.add_pair(document, mapping, name, value, style)
    head, lines = splice_render.block(value, mapping.column, style)
    first = " " * mapping.column + splice_render.pair(name, head, style)
    place = _place_before(document, mapping, before) if before else -1
    return _insert_lines(document, document.after_line(mapping.end) if place < 0 else place, [first, *lines])


def _place_before(document: Document, mapping: Node, name: str) -> int:
    """Return the start of the line of a key that has its own line, above the comments on it; -1 elsewhere."""
    for number, key in enumerate(mapping.keys):
        start = document.line_start(key.start)
        if key.data == name and not document.text[start : key.start].strip():
            floor = document.after_line(mapping.values[number - 1].end) if number else 0
            return leading_comments(document, start, mapping.column, floor)
    return -1


def leading_comments(document: Document, start: int, column: int, floor: int) -> int:
    """Return where the comment lines begin that stand directly above the line at `start`, at `column`."""
    while start > floor:
        above = document.line_start(start - 1)
        line = document.text[above:start]
        if above < floor or not line.startswith(" " * column + "#"):
            break
        start = above
    return start


def trailing_comments(document: Document, place: int, column: int) -> int:
    """Return where the comments end that follow `place`, a line's start, and are indented deeper than `column`."""
    end, text = place, document.text
    while place < len(text):
        after = document.after_line(place + 1) if text[place] != "\n" else place + 1
        line = text[place:after]
        bare = line.lstrip(" ")
        if bare.startswith("#") and len(line) - len(bare) > column:
            end = after
        elif bare.strip():
            break
        place = after
    return end


def _insert_lines(document: Document, place: int, lines: list[str]) -> str:
    text = document.text
    lead = document.newline if place and text[place - 1] != "\n" else ""
    return text[:place] + lead + _joined(lines, document.newline) + text[place:]


def drop_pair(document: Document, mapping: Node, number: int) -> str:
    """Return the text without a pair of a mapping written by indentation, which has others; comments around it stay."""
    text, key, value = document.text, mapping.keys[number], mapping.values[number]
    start = document.line_start(key.start)
    end = max(value.end, mapping.hooks[number], key.end)
    if not text[start : key.start].strip():
        return text[:start] + text[document.after_line(end) :]
    if number or text[: key.start].rstrip(" ").endswith("?"):
        raise Unplaceable(msg("It shares its line with something else."))
    following = mapping.keys[1].start
    if "#" not in text[end:following]:
        return text[: key.start] + text[following:]
    between = text[end:following] if not value.is_block_scalar else document.newline + text[end:following]
    return text[: key.start].rstrip(" ") + between + text[following:]
