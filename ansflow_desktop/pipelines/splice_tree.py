"""The nodes of a YAML text with the exact places of their writing, so that a value can be changed where it stands.

PyYAML's own nodes hide where an alias stands, end a block collection at the next token rather than at its last value,
and place empty values loosely; this tree is built from the parser's events and knows those places.
"""

from __future__ import annotations

import enum
import functools
import re
from typing import Any, TypeAlias

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import splice_data
from ansflow_desktop.safe_yaml import YamlProblem

MAX_NODES = 100_000
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_PROPERTY = re.compile(r"[&!][^\s]*")
_CACHED_TEXTS = 8


class Kind(enum.Enum):
    """What a node is."""

    SCALAR = 0
    MAPPING = 1
    SEQUENCE = 2
    ALIAS = 3


class Node(msgspec.Struct, eq=False, gc=False):
    """One value as it is written; all places are indexes into the document's text.

    `start` includes `&anchor` and `!tag`, `properties` is where those end, `body` where the value itself begins, `end`
    where its last character ends (a block scalar: the line after its last one). `column` is that of the body. `style`
    is the quote or block sign of a scalar, `"{"` or `"["` for flow style, empty for plain and block style. A mapping
    has lists of `keys` and `values`, a sequence of `values`; `hooks` are the places after the colon or dash of each
    (-1: there is none). `indent` is that of a block scalar's lines. `data` is the value as plain data.
    """

    kind: Kind
    start: int
    properties: int
    body: int
    end: int
    column: int = 0
    style: str = ""
    anchor: str = ""
    tag: str = ""
    indent: int = 0
    size: int = 1
    data: Any = None
    target: Any = None
    keys: Any = ()
    values: Any = ()
    hooks: Any = ()

    @property
    def is_flow(self) -> bool:
        """Say whether this is a mapping in braces or a list in brackets."""
        return self.style in ("{", "[") and self.kind is not Kind.SCALAR

    @property
    def is_block(self) -> bool:
        """Say whether this is a mapping or a list written by indentation."""
        return self.kind in (Kind.MAPPING, Kind.SEQUENCE) and not self.is_flow

    @property
    def is_block_scalar(self) -> bool:
        """Say whether this is a text written after `|` or `>`."""
        return self.kind is Kind.SCALAR and self.style in ("|", ">")

    @property
    def is_null(self) -> bool:
        """Say whether this value is left empty or written as null."""
        return self.kind is Kind.SCALAR and self.data is None


Path: TypeAlias = "tuple[str | int, ...]"


class Document(msgspec.Struct, eq=False, frozen=True):
    """A parsed text: `mark` is its byte order mark or empty, `text` the rest, `root` None where it holds no value.

    `aliases` are all alias nodes by anchor; `documents` says how many `---` documents there are.
    """

    mark: str
    text: str
    root: Node | None
    aliases: dict[str, list[Node]]
    documents: int

    @property
    def newline(self) -> str:
        """Return the line ending that the text uses."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"

    def line_start(self, place: int) -> int:
        """Return where the line of `place` begins."""
        return self.text.rfind("\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Return where the line of `place` ends, before its line ending."""
        found = self.text.find("\n", place)
        if found < 0:
            return len(self.text)
        return found - 1 if found > place and self.text[found - 1] == "\r" else found

    def after_line(self, place: int) -> int:
        """Return the beginning of the line after the one in which a value ends at `place`."""
        if place and self.text[place - 1] == "\n":
            return place
        found = self.text.find("\n", place)
        return len(self.text) if found < 0 else found + 1

    def line_number(self, place: int) -> int:
        """Return the line of `place`, counted from 1."""
        return self.text.count("\n", 0, place) + 1


def gap(text: str, place: int) -> int:
    """Return the next place that is neither white space nor a comment."""
    match = _GAP.match(text, place)
    return match.end() if match else place


@functools.lru_cache(maxsize=_CACHED_TEXTS)
def parse(text: str) -> Document:
    """Return the nodes of `text`; raises YamlProblem. The result is shared: never change it."""
    return parse_once(text)


def parse_once(text: str) -> Document:
    """Return the nodes of `text` and remember nothing; raises YamlProblem."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    if len(text) > safe_yaml.MAX_BYTES:
        raise YamlProblem(msg("More than %(most)d MB of YAML.", most=safe_yaml.MAX_BYTES // 1024 // 1024))
    builder = _Builder(text[len(mark) :])
    try:
        builder.run()
    except yaml.YAMLError as error:
        raise safe_yaml.problem_of(error) from error
    except UnicodeError as error:
        raise YamlProblem(msg("It is not UTF-8 text.")) from error
    return Document(mark, builder.text, builder.root, builder.aliases, builder.documents)


class _Builder:
    """Turns the parser's events into nodes; bounded in depth, aliases and what they expand to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Node | None = None
        self.documents = 0
        self.aliases: dict[str, list[Node]] = {}
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def run(self) -> None:
        take = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.DocumentStartEvent: self._document,
        }
        for event in yaml.parse(self.text, Loader=safe_yaml.LOADER):
            handler: Any = take.get(type(event))
            if handler:
                handler(event)

    def _document(self, _event: Any) -> None:
        self.documents += 1
        self._anchors = {}

    def _hook(self, start: int) -> int:
        """Return the place after the dash or colon that the node at `start` belongs to; -1 where there is none."""
        if not self._open:
            return start
        top = self._open[-1]
        if top.kind is Kind.MAPPING:
            if len(top.keys) == len(top.values):
                return start
            colon = gap(self.text, top.keys[-1].end)
            return colon + 1 if self.text[colon : colon + 1] == ":" else -1
        if top.is_flow:
            return start
        dash = gap(self.text, top.values[-1].end if top.values else top.body)
        return dash + 1 if self.text[dash : dash + 1] == "-" else -1

    def _add(self, node: Node, hook: int) -> None:
        self._count += 1
        if self._count > MAX_NODES or len(self._open) > safe_yaml.MAX_DEPTH:
            raise YamlProblem(msg("Too deeply nested, or too many aliases."), *self._place(node.start))
        if not self._open:
            self.root = self.root or node
            return
        top = self._open[-1]
        if top.kind is Kind.MAPPING and len(top.keys) == len(top.values):
            top.keys.append(node)
        else:
            top.values.append(node)
            top.hooks.append(hook)

    def _place(self, index: int) -> tuple[int, int]:
        start = self.text.rfind("\n", 0, index) + 1
        return self.text.count("\n", 0, index) + 1, index - start + 1

    def _node(self, kind: Kind, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        anchor, tag = event.anchor or "", event.tag or ""
        properties = body = start
        if anchor or tag:
            properties, body = self._after_properties(start)
        column = body - self.text.rfind("\n", 0, body) - 1
        node = Node(kind, start, properties, body, end, column, "", anchor, tag)
        if anchor:
            if anchor in self._anchors:
                raise YamlProblem(f"found duplicate anchor {anchor!r}", *self._place(start))
            self._anchors[anchor] = node
        return node

    def _after_properties(self, start: int) -> tuple[int, int]:
        end = place = start
        while match := _PROPERTY.match(self.text, place):
            end = match.end()
            place = gap(self.text, end)
        return end, place

    def _scalar(self, event: Any) -> None:
        hook = self._hook(event.start_mark.index)
        node = self._node(Kind.SCALAR, event)
        node.style = event.style or ""
        node.body = min(node.body, node.end)
        if node.start == node.end and hook >= 0:
            node.start = node.properties = node.body = node.end = hook
        if node.is_block_scalar:
            self._block_scalar(node)
        node.data = splice_data.scalar(event.value, event.tag, event.implicit)
        self._add(node, hook)

    def _block_scalar(self, node: Node) -> None:
        """Find the lines' indentation, and leave the empty lines below a text that does not keep them out of it."""
        header, _, rest = self.text[node.body : node.end].partition("\n")
        lines = rest.splitlines(keepends=True)
        first = next((line for line in lines if line.strip()), "")
        node.indent = len(first) - len(first.lstrip(" "))
        sign = header.partition("#")[0]
        digit = next((int(letter) for letter in sign if letter.isdigit()), 0)
        if digit:
            node.indent = digit + (self._open[-1].column if self._open else 0)
        while "+" not in sign and lines and not lines[-1].strip(" \r\n") and self._is_blank(lines[-1], node.indent):
            node.end -= len(lines.pop())

    @staticmethod
    def _is_blank(line: str, indent: int) -> bool:
        return len(line.rstrip("\r\n")) <= indent

    def _alias(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        target = self._anchors.get(event.anchor)
        if target is None:
            raise YamlProblem(f"found undefined alias {event.anchor!r}", *self._place(start))
        if target in self._open:
            raise YamlProblem(msg("An alias refers to the value that holds it."), *self._place(start))
        node = Node(Kind.ALIAS, start, start, start, end, anchor=event.anchor, target=target)
        node.data, node.size = target.data, target.size
        known = self.aliases.setdefault(event.anchor, [])
        known.append(node)
        if len(known) > safe_yaml.MAX_ALIASES:
            raise YamlProblem(msg("Too deeply nested, or too many aliases."), *self._place(start))
        self._add(node, self._hook(start))

    def _start(self, event: Any) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        hook = self._hook(event.start_mark.index)
        node = self._node(Kind.MAPPING if is_mapping else Kind.SEQUENCE, event)
        if event.flow_style:
            node.style = "{" if is_mapping else "["
        node.keys, node.values, node.hooks = [], [], []
        self._add(node, hook)
        self._open.append(node)

    def _end(self, event: Any) -> None:
        node = self._open.pop()
        if node.is_flow:
            node.end = event.end_mark.index
        else:
            node.end = node.values[-1].end if node.values else node.body
            if node.kind is Kind.MAPPING and node.values:
                node.end = max(node.end, node.keys[-1].end)
        node.size = 1 + sum(child.size for child in node.keys) + sum(child.size for child in node.values)
        if node.size > MAX_NODES:
            raise YamlProblem(msg("Its aliases expand to more than a million values."), *self._place(node.start))
        node.data = splice_data.collection(node, self.text)
