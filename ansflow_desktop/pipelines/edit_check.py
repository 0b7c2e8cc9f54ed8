"""The check after every edit: the new text is read again, and must say exactly what was meant."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.pipelines import lossless_path, splice_data, splice_tree
from ansflow_desktop.pipelines.splice_flow import Unplaceable
from ansflow_desktop.pipelines.splice_tree import Document, Kind, Node, Path
from ansflow_desktop.safe_yaml import YamlProblem


class EditRefused(UserError):
    """A change that cannot be made in the text safely; nothing was changed."""

    def __init__(self, reason: Text, *, field: str = "") -> None:
        """Say why, and that the text itself can be edited."""
        super().__init__(
            msg("This change cannot be made here without touching other parts of the text"),
            reason,
            msg("Change it in the text itself."),
            field=field,
        )


def document_of(text: str) -> Document:
    """Return the nodes of `text`; raises EditRefused where it is not one YAML document."""
    try:
        document = splice_tree.parse(text)
    except YamlProblem as problem:
        raise EditRefused(msg("The text is not valid YAML. %(reason)s", reason=problem.text())) from problem
    if document.documents > 1:
        raise EditRefused(msg("The text holds more than one YAML document."))
    return document


def data_of(text: str) -> Any:
    """Return the plain data of `text`, an empty mapping where it holds none; raises EditRefused. Never change it."""
    root = document_of(text).root
    if root is None or root.is_null:
        return {}
    if not isinstance(root.data, dict):
        raise EditRefused(msg("The text is not a mapping."))
    return root.data


def tidy(value: Any) -> Any:
    """Return `value` as plain data; raises EditRefused for what YAML has no plain form for."""
    try:
        return splice_data.tidy(value)
    except YamlProblem as problem:
        raise EditRefused(msg("%(type)s cannot be written as YAML.", type=problem.reason)) from problem


def expect(make: Callable[[], Any]) -> Any:
    """Return the data that an edit should give; raises EditRefused where the path does not fit the data."""
    try:
        return make()
    except (TypeError, ValueError, AttributeError) as error:
        raise EditRefused(msg("Another kind of value stands there.")) from error


def apply(text: str, operations: Sequence[Callable[[str], str]], expected: Any, path: Path) -> str:
    """Return what the first of `operations` makes of `text` that reads as `expected`; raises EditRefused.

    A last line without an end gets one for the operation, and loses it again where that changes nothing.
    """
    reason: Text = ""
    for operation, (start, ending) in itertools.product(operations, _attempts(text)):
        try:
            made = operation(start)
        except (Unplaceable, YamlProblem) as error:
            reason = reason or error.reason
            continue
        for result in (made.removesuffix(ending), made) if ending else (made,):
            if _says(result, expected):
                return result
    raise EditRefused(_shared(text, path) or reason or _MISREAD, field=lossless_path.field_of(path))


_MISREAD = msg("The new text would say something else than what was meant.")


def _attempts(text: str) -> list[tuple[str, str]]:
    """Return the texts to start from, each with the line ending that was added to it."""
    if not text or text.endswith("\n"):
        return [(text, "")]
    document = document_of(text)
    closed = [(text + document.newline, document.newline)]
    last = _last(document.root)
    if last is not None and last.is_block_scalar and "-" not in _sign(document, last):
        closed.insert(0, (text, ""))  # a line ending would become part of the last value
        closed.append((document.mark + _stripped(document, last) + document.newline, ""))
    return closed


def _sign(document: Document, block: Node) -> str:
    """Return the first word of a block: `|` or `>`, with what says how its lines end."""
    return document.text[block.body : document.line_end(block.body)].split(" ", 1)[0]


def _stripped(document: Document, last: Node) -> str:
    """Return the text with the block at its very end saying that no line ending follows, which was so all along."""
    sign = _sign(document, last)
    changed = sign.replace("+", "") + "-"
    return document.text[: last.body] + changed + document.text[last.body + len(sign) :]


def _last(node: Node | None) -> Node | None:
    while node is not None and node.values and node.is_block:
        node = node.values[-1]
    return node


def _says(text: str, expected: Any) -> bool:
    try:
        document = splice_tree.parse(text)
    except YamlProblem:
        return False
    data = document.root.data if document.root is not None else {}
    return document.documents <= 1 and splice_data.same({} if data is None else data, expected)


def _shared(text: str, path: Path) -> Text:
    """Return what stands against a change at `path`: another user of a value on the way or below, or a tag."""
    document = document_of(text)
    node = document.root
    for part in (*path, None):
        if node is None or node.kind is Kind.ALIAS:
            return ""
        if users := document.aliases.get(node.anchor):
            line = document.line_number(users[0].start)
            return msg("Line %(line)s uses the same value as *%(name)s.", line=line, name=node.anchor)
        if part is None:
            return _needed(document, node)
        node = _child(document, node, part)
    return ""


def _needed(document: Document, node: Node) -> Text:
    """Return which anchor `node` shares with the text around it, its own ones first, or which tag it has."""
    groups = [[users[0].target, *users] for users in document.aliases.values()]
    for places in sorted(groups, key=lambda group: not _inside(group[0], node)):
        outside = [place for place in places if not _inside(place, node)]
        if outside and len(outside) < len(places):
            line = document.line_number(outside[0].start)
            return msg("It shares &%(name)s with line %(line)s.", name=places[0].anchor, line=line)
    return msg("It has the tag %(tag)s.", tag=document.text[node.start : node.properties]) if node.tag else ""


def _inside(place: Node, node: Node) -> bool:
    return node.start <= place.start < node.end


def _child(document: Document, node: Node, part: str | int) -> Node | None:
    if isinstance(part, int) and node.kind is Kind.SEQUENCE and part < len(node.values):
        found: Node = node.values[part]
        return found
    if isinstance(part, str) and node.kind is Kind.MAPPING:
        pairs = zip(node.keys, node.values, strict=True)
        return next((value for key, value in pairs if splice_data.key_text(key, document.text) == part), None)
    return None
