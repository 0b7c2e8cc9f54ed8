"""Members of mappings in braces and lists in brackets: put in, taken out, with their commas."""

from __future__ import annotations

from typing import Any

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.pipelines import splice_render, splice_scalar
from ansflow_desktop.pipelines.splice_scalar import Style
from ansflow_desktop.pipelines.splice_tree import Document, Node


class Unplaceable(Exception):
    """Why a change has no safe place in the text."""

    def __init__(self, reason: Text) -> None:
        """Keep the reason."""
        super().__init__(str(reason))
        self.reason = reason


def add_pair(document: Document, mapping: Node, name: str, value: Any, style: Style) -> str:
    """Return the text with a key more at the end of a mapping in braces."""
    written = f"{splice_scalar.inline(name, style, flow=True)}: {splice_render.flow(value, style)}"
    return add(document, mapping, len(mapping.values), written)


def spans(node: Node) -> list[tuple[int, int]]:
    """Return the places of the members of a mapping in braces or a list in brackets."""
    first = node.keys or node.values
    return [(one.start, max(one.end, value.end)) for one, value in zip(first, node.values, strict=True)]


def add(document: Document, node: Node, index: int, written: str) -> str:
    """Return the text with `written` as member `index` of a mapping in braces or a list in brackets."""
    text, places = document.text, spans(node)
    _need_braces(document, node)
    if not places:
        return text[: node.body + 1] + written + text[node.body + 1 :]
    if index < len(places):
        start = places[index][0]
        return text[:start] + written + "," + _between(document, node, places) + text[start:]
    end = places[-1][1]
    return text[:end] + "," + _between(document, node, places) + written + text[end:]


def _need_braces(document: Document, node: Node) -> None:
    if document.text[node.body : node.body + 1] not in ("{", "["):
        raise Unplaceable(msg("It is a single pair of a list in brackets."))


def _between(document: Document, node: Node, places: list[tuple[int, int]]) -> str:
    """Return the white space between members: a new line where each stands on its own."""
    start = document.line_start(places[-1][0])
    lead = document.text[start : places[-1][0]]
    if "#" in document.text[places[-1][1] : node.end]:
        return " "
    return document.newline + lead if start > node.body and not lead.strip() else " "


def drop(document: Document, node: Node, index: int) -> str:
    """Return the text without member `index` of a mapping in braces or a list in brackets; comments stay."""
    text, places = document.text, spans(node)
    _need_braces(document, node)
    start, end = places[index]
    if len(places) == 1:
        inside = _comments_only(text[node.body + 1 : start] + text[end : node.end - 1])
        return text[: node.body + 1] + inside + text[node.end - 1 :]
    if index + 1 < len(places):
        following = places[index + 1][0]
        if "#" not in text[end:following]:
            return text[:start] + text[following:]
        return text[:start].rstrip(" ") + text[text.index(",", end) + 1 :]
    previous = places[index - 1][1]
    if "#" not in text[previous:start]:
        return text[:previous] + text[end:]
    return text[:start].rstrip(" ") + text[end:]


def _comments_only(between: str) -> str:
    return between.replace(",", "") if "#" in between else ""
