"""The check after every edit: the new text is read again, and must say exactly what was meant."""

from __future__ import annotations

from collections.abc import Callable
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


def apply(text: str, operation: Callable[[str], str], expected: Any, path: Path) -> str:
    """Return what `operation` makes of `text`, once it reads as `expected`; raises EditRefused.

    A last line without an end gets one for the operation, and loses it again where that changes nothing.
    """
    reason: Text = ""
    for start, ending in _attempts(text):
        try:
            made = operation(start)
        except (Unplaceable, YamlProblem) as error:
            reason = reason or error.reason
            continue
        for result in (made.removesuffix(ending), made) if ending else (made,):
            reason = reason or ""
            if _says(result, expected):
                return result
    field = lossless_path.field_of(path)
    raise EditRefused(_shared(text, path) or reason or _MISREAD, field=field)


_MISREAD = msg("The new text would say something else than what was meant.")


def _attempts(text: str) -> list[tuple[str, str]]:
    """Return the texts to start from, each with the line ending that was added to it."""
    if not text or text.endswith("\n"):
        return [(text, "")]
    document = document_of(text)
    closed = [(text + document.newline, document.newline)]
    last = _last(document.root)
    if last is not None and last.is_block_scalar and "-" not in document.text[last.body :].partition("\n")[0]:
        closed.append((document.mark + _stripped(document, last) + document.newline, ""))
    return closed


def _stripped(document: Document, last: Node) -> str:
    """Return the text with the block at its very end saying that no line ending follows, which was so all along."""
    header = document.text[last.body : document.line_end(last.body)]
    sign = header.split(" ", 1)[0]
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
    """Return who else uses a value on the way to `path`, empty where nobody does."""
    document = document_of(text)
    node = document.root
    for part in (*path, None):
        if node is None or node.kind is Kind.ALIAS:
            return ""
        users = document.aliases.get(node.anchor, []) if node.anchor else []
        if users:
            line = document.line_number(users[0].start)
            return msg("Line %(line)s uses the same value as *%(name)s.", line=line, name=node.anchor)
        node = _child(document, node, part)
    return ""


def _child(document: Document, node: Node, part: str | int | None) -> Node | None:
    if isinstance(part, int) and node.kind is Kind.SEQUENCE and part < len(node.values):
        found: Node = node.values[part]
        return found
    if isinstance(part, str) and node.kind is Kind.MAPPING:
        pairs = zip(node.keys, node.values, strict=True)
        return next((value for key, value in pairs if splice_data.key_text(key, document.text) == part), None)
    return None
