"""How plain data is written in YAML, in block or flow style, in the layout of the document around it."""

from __future__ import annotations

import json
from typing import Any

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import splice_data, splice_scalar
from ansflow_desktop.pipelines.splice_data import Quoted, Raw, Written
from ansflow_desktop.pipelines.splice_scalar import Style
from ansflow_desktop.pipelines.splice_tree import Document, Kind, Node
from ansflow_desktop.safe_yaml import YamlProblem

_INFINITY = float("inf")


def block(value: Any, column: int, style: Style, old: Node | None = None) -> tuple[str, list[str]]:
    """Return what stands after the key or dash, and the lines below it.

    `column` is that of the mapping or list that holds the value; `old` is the value it replaces, whose quotes stay.
    """
    if isinstance(value, dict) and value:
        return "", mapping(value, column + style.step, style)
    if isinstance(value, list) and value:
        return "", sequence(value, column + style.dash, style)
    if type(value) is str:
        return _text(value, column, style, old)
    return flow(value, style), []


def _text(value: str, column: int, style: Style, old: Node | None) -> tuple[str, list[str]]:
    was_block = old is not None and old.is_block_scalar
    if ("\n" in value or was_block) and not style.json:
        indent = old.indent if old is not None and was_block and old.indent > column else column + style.step
        signs = (old.style, "|") if old is not None and was_block else ("|",)
        for sign in signs:
            found = splice_scalar.literal(value, indent, column, sign) if _may_fold(value, sign) else None
            if found:
                return found
    quote = old.style if old is not None and old.kind is Kind.SCALAR else ""
    return splice_scalar.inline(value, style, quote=quote), []


def _may_fold(value: str, sign: str) -> bool:
    """Say whether lines of `value` can be folded: those that begin with white space are not."""
    return sign == "|" or not any(line[:1] in (" ", "\t") for line in value.split("\n"))


def mapping(value: dict[str, Any], column: int, style: Style) -> list[str]:
    """Return the lines of a mapping whose keys stand at `column`."""
    lines: list[str] = []
    for name, item in value.items():
        head, below = block(item, column, style)
        lines.append(" " * column + pair(name, head, style))
        lines += below
    return lines


def pair(name: str, head: str, style: Style) -> str:
    """Return a key with what stands after it on the same line."""
    return f"{key(name, style)}:{' ' if head else ''}{head}"


def key(name: str, style: Style) -> str:
    """Return a key as it is written; `<<` is the merge key."""
    return name if name == splice_data.MERGE and isinstance(name, Raw) else splice_scalar.inline(name, style)


def sequence(items: list[Any], column: int, style: Style) -> list[str]:
    """Return the lines of a list whose dashes stand at `column`."""
    return [line for item in items for line in entry(item, column, style)]


def entry(value: Any, column: int, style: Style) -> list[str]:
    """Return the lines of one entry of a list, its dash at `column`."""
    dash = " " * column + "-"
    inner = column + style.pad
    if isinstance(value, (dict, list)) and value:
        lines = mapping(value, inner, style) if isinstance(value, dict) else sequence(value, inner, style)
        return [dash + lines[0][column + 1 :], *lines[1:]]
    head, below = block(value, column, style)
    return [f"{dash}{' ' * (style.pad - 1)}{head}", *below]


def flow(value: Any, style: Style, old: Node | None = None) -> str:
    """Return a value on one line, as it stands between braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow_key(name, style)}: {flow(item, style)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, style) for item in value) + "]"
    if isinstance(value, (Raw, Written)):
        return str(value)
    if isinstance(value, Quoted):
        return splice_scalar.inline(str(value), style, flow=True)
    if isinstance(value, str):
        quote = old.style if old is not None and old.kind is Kind.SCALAR else ""
        return splice_scalar.inline(value, style, flow=True, quote=quote)
    return _literal(value)


def _flow_key(name: str, style: Style) -> str:
    return str(name) if isinstance(name, Raw) else splice_scalar.inline(name, style, flow=True)


def _literal(value: Any) -> str:
    if isinstance(value, float):
        return _float(value)
    return json.dumps(value)


def _float(value: float) -> str:
    if value != value or value in (_INFINITY, -_INFINITY):
        raise YamlProblem(msg("%(value)s is not a number that can be written", value=str(value)))
    return repr(value)


def style_of(document: Document, near: Node | None) -> Style:
    """Return the layout of the document, as seen at or below `near` first."""
    root = document.root
    found: dict[str, int] = {}
    for start in (near, root):
        if start is not None and len(found) < len(_WANTED):
            _look(document, start, found)
    is_json = root is not None and root.is_flow and bool(root.keys) and root.keys[0].style == '"'
    return Style(newline=document.newline, json=is_json, **found)


_WANTED = ("step", "dash", "pad")


def _look(document: Document, node: Node, found: dict[str, int]) -> None:
    """Note the first indentation of each kind at or below `node`."""
    if not node.is_block or len(found) == len(_WANTED):
        return
    for child, hook in zip(node.values, node.hooks, strict=True):
        if node.kind is Kind.SEQUENCE:
            _note_pad(document, node, child, hook, found)
        elif child.is_block:
            _note_indent(node, child, found)
        _look(document, child, found)


def _note_pad(document: Document, node: Node, child: Node, hook: int, found: dict[str, int]) -> None:
    width = child.column - node.column
    on_line_of_dash = document.line_start(child.body) <= hook < child.start
    if on_line_of_dash and child.start == child.body and width > 1:
        found.setdefault("pad", width)


def _note_indent(node: Node, child: Node, found: dict[str, int]) -> None:
    width = child.column - node.column
    if child.kind is Kind.SEQUENCE:
        found.setdefault("dash", max(width, 0))
    elif 1 <= width <= 9:
        found.setdefault("step", width)
