"""The entries of a list as pieces of text, each with the comments that belong to it, to be moved, copied and removed.

To an entry belong the comment lines directly above its dash and in the dash's column, and the comments after it that
are indented deeper than the dash. All else between entries (empty lines, comments that stand alone) stays in its place.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import msgspec

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import splice_flow, splice_place, splice_render
from ansflow_desktop.pipelines.splice_flow import Unplaceable
from ansflow_desktop.pipelines.splice_tree import Document, Node


class Chunk(msgspec.Struct, frozen=True):
    """An entry's piece of the text: `start` and `end` are starts of lines, `dash` is the start of the dash's line."""

    start: int
    dash: int
    end: int


def chunks(document: Document, sequence: Node) -> list[Chunk]:
    """Return the pieces of a list written by indentation, in order; raises Unplaceable where they share lines."""
    found: list[Chunk] = []
    floor = document.line_start(sequence.body)
    for number, value in enumerate(sequence.values):
        dash = document.line_start(sequence.hooks[number] - 1)
        if document.text[dash : sequence.hooks[number] - 1].strip() or (number and dash < floor):
            raise Unplaceable(msg("The list does not begin on a line of its own."))
        lower = floor if number else _above(document, floor)
        start = splice_place.leading_comments(document, dash, sequence.column, lower)
        end = max(value.end, sequence.hooks[number])
        floor = splice_place.trailing_comments(document, document.after_line(end), sequence.column)
        found.append(Chunk(start, dash, floor))
    return found


def _above(document: Document, start: int) -> int:
    """Return the lowest place that a first entry's comments may begin at: none before the list's own key."""
    while start:
        above = document.line_start(start - 1)
        if not document.text[above:start].lstrip(" ").startswith("#"):
            return start
        start = above
    return start


def move(document: Document, sequence: Node, index: int, to: int) -> str:
    """Return the text with entry `index` at `to`; what stands between the entries keeps its place."""
    order = list(range(len(sequence.values)))
    order.insert(to, order.pop(index))
    if sequence.is_flow:
        return _move_flow(document, sequence, order)
    text, places = document.text, chunks(document, sequence)
    pieces = [text[place.start : place.end] for place in places]
    result = text[: places[0].start]
    for number, place in enumerate(places):
        following = places[number + 1].start if number + 1 < len(places) else len(text)
        result += pieces[order[number]] + text[place.end : following]
    return result


def _move_flow(document: Document, sequence: Node, order: list[int]) -> str:
    text, spans = document.text, splice_flow.spans(sequence)
    between = [text[one[1] : two[0]] for one, two in itertools.pairwise(spans)]
    if any("#" in part for part in (*between, text[spans[-1][1] : sequence.end], text[sequence.body : spans[0][0]])):
        raise Unplaceable(msg("Comments stand between the entries in brackets."))
    pieces = [text[start:end] for start, end in spans]
    joined = "".join(pieces[number] + gap for number, gap in zip(order, [*between, ""], strict=True))
    return text[: spans[0][0]] + joined + text[spans[-1][1] :]


def insert(document: Document, sequence: Node, index: int, value: Any) -> str:
    """Return the text with `value` as entry `index`, laid out as its neighbours."""
    style = splice_render.style_of(document, sequence)
    if sequence.is_flow:
        return splice_flow.add(document, sequence, index, splice_render.flow(value, style))
    lines = splice_render.entry(value, sequence.column, style)
    return insert_piece(document, sequence, index, "".join(line + style.newline for line in lines))


def insert_piece(document: Document, sequence: Node, index: int, piece: str) -> str:
    """Return the text with the lines `piece` as entry `index` of a list that is written by indentation."""
    text, places = document.text, chunks(document, sequence)
    lines = _empty_lines(document, places, index)
    if index == 0:
        place = places[0].start
        return text[:place] + piece + lines + text[place:]
    place = places[index - 1].end
    return text[:place] + lines + piece + text[place:]


def _empty_lines(document: Document, places: list[Chunk], index: int) -> str:
    """Return the empty lines that separate entries around `index`."""
    pairs = list(itertools.pairwise(places))
    if not pairs:
        return ""
    one, two = pairs[min(max(index - 1, 0), len(pairs) - 1)]
    between = document.text[one.end : two.start].splitlines()
    count = next((number for number, line in enumerate(between) if line.strip()), len(between))
    return document.newline * count


def duplicate(document: Document, sequence: Node, index: int) -> str:
    """Return the text with entry `index` a second time behind itself; anchors stay with the first one."""
    if sequence.is_flow:
        start, end = splice_flow.spans(sequence)[index]
        piece = _without_anchors(document, sequence.values[index], start, end)
        return splice_flow.add(document, sequence, index + 1, piece)
    place = chunks(document, sequence)[index]
    piece = _without_anchors(document, sequence.values[index], place.start, place.end)
    return insert_piece(document, sequence, index + 1, piece)


def _without_anchors(document: Document, node: Node, start: int, end: int) -> str:
    """Return the text from `start` to `end` without the anchors in `node`, which stay with the original."""
    piece = document.text[start:end]
    for anchored in sorted(_anchored(node), key=lambda found: -found.start):
        inside = anchored.properties - start
        head = piece[anchored.start - start : inside]
        kept = re.sub(r"&\S+[ \t]*", "", head).rstrip()
        rest = piece[inside:]
        piece = piece[: anchored.start - start] + kept + (rest.lstrip(" ") if not kept else rest)
    return piece


def _anchored(node: Node) -> list[Node]:
    own = [node] if node.anchor and node.target is None else []
    return own + [found for child in (*node.keys, *node.values) for found in _anchored(child)]


def remove(document: Document, sequence: Node, index: int) -> str:
    """Return the text without entry `index` and its comments; of a list with more than one entry."""
    if sequence.is_flow:
        return splice_flow.drop(document, sequence, index)
    text, places = document.text, chunks(document, sequence)
    start, end = places[index].start, places[index].end
    above = places[index - 1].end if index else start
    below = places[index + 1].start if index + 1 < len(places) else end
    if index and not text[above:start].strip():
        return text[:above] + text[end:]
    if not text[end:below].strip():
        return text[:start] + text[below:]
    return text[:start] + text[end:]


def piece_of(document: Document, sequence: Node, index: int) -> str:
    """Return an entry of a list written by indentation as a document of its own, comments included."""
    place, hook = chunks(document, sequence)[index], sequence.hooks[index]
    node = sequence.values[index]
    on_line = document.line_start(node.start) <= hook
    width = node.start - document.line_start(node.start) if on_line else node.column
    text = document.text
    head = [line.lstrip(" ") for line in text[place.start : place.dash].splitlines(keepends=True)]
    first = " " * sequence.column + " " + text[hook : document.after_line(hook)]
    lines = [first, *text[document.after_line(hook) : place.end].splitlines(keepends=True)]
    if not first.strip():
        lines = lines[1:]
    return "".join([*head, *(to_left(line, width) for line in lines)])


def to_left(line: str, width: int) -> str:
    """Return a line without its first `width` spaces, or those it has."""
    spaces = len(line) - len(line.lstrip(" "))
    return line[min(width, spaces) :]
