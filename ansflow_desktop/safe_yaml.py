"""YAML from strangers, read with caps on size, depth and what aliases expand to (failure-modes.md, row 32)."""

from __future__ import annotations

from typing import Any

import yaml

from ansflow_desktop.errors import UserError
from ansflow_desktop.files import open_to_read
from ansflow_desktop.i18n import Message, msg

MAX_BYTES = 10 * 1024 * 1024
MAX_ALIASES = 1000
MAX_DEPTH = 200
MAX_EXPANDED = 1_000_000

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class LOADER(_BASE):  # type: ignore[misc]  # PyYAML's C loader is known at run time only
    """PyYAML's safe loader, dates left as text: Helm reads them so too."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own name
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }


class YamlProblem(Exception):
    """Why a text is not YAML that can be used; `line` and `column` count from 1, 0 where they are not known."""

    def __init__(self, reason: Message | str, line: int = 0, column: int = 0) -> None:
        """Keep the parts."""
        super().__init__(str(reason))
        self.reason = reason
        self.line = line
        self.column = column

    def text(self) -> Message | str:
        """Return the reason with its place."""
        if not self.line:
            return self.reason
        return msg(
            "Line %(line)d, column %(column)d: %(reason)s", line=self.line, column=self.column, reason=self.reason
        )


def compose(text: str) -> list[Any]:
    """Return the documents of `text` as PyYAML nodes, empty ones left out; raises YamlProblem."""
    check(text)
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=LOADER) if node is not None]
    except yaml.YAMLError as error:
        raise problem_of(error) from error
    for node in nodes:
        _check_expansion(node)
    return nodes


def check(text: str) -> None:
    """Raise YamlProblem where `text` is too big, too deep, has too many aliases, or is not YAML."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise _too_big()
    depth = aliases = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            aliases += isinstance(event, yaml.AliasEvent)
            if depth > MAX_DEPTH or aliases > MAX_ALIASES:
                raise YamlProblem(msg("Too deeply nested, or too many aliases."), *_place(event.start_mark))
    except yaml.YAMLError as error:
        raise problem_of(error) from error


def construct(node: Any) -> Any:
    """Return the plain values of a composed node; raises YamlProblem for tags and keys that have no plain form."""
    loader = LOADER("")
    try:
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:  # !!int '', !!bool x
        raise problem_of(error) from error
    finally:
        loader.dispose()


def load(text: str) -> Any:
    """Return the first document of `text` as plain values, None where there is none; raises YamlProblem."""
    nodes = compose(text)
    return construct(nodes[0]) if nodes else None


def decode(data: bytes) -> str:
    """Return a file's bytes as text, byte order mark off (UTF-8, or UTF-16 with a mark); raises YamlProblem."""
    if len(data) > MAX_BYTES:
        raise _too_big()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlProblem(msg("It is not UTF-8 text."), line, 1) from error


def read_text(path: str, field: str) -> str:
    """Return a file's text, without a byte order mark; raises UserError naming `field` where it cannot be read."""
    try:
        with open_to_read(path) as file:
            return decode(file.read(MAX_BYTES + 1))
    except (OSError, YamlProblem) as error:
        raise UserError(
            msg("%(path)s cannot be read", path=path),
            _why(error),
            msg("Check the path and the file's permissions."),
            field=field,
        ) from error


def _why(error: Exception) -> Message | str:
    if isinstance(error, YamlProblem):
        return error.text()
    return getattr(error, "strerror", None) or str(error)


def _too_big() -> YamlProblem:
    return YamlProblem(msg("More than %(most)d MB of YAML.", most=MAX_BYTES // 1024 // 1024))


def _check_expansion(node: Any) -> None:
    """Refuse what aliases blow up to millions of values, and a value that holds itself."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(current: Any) -> int:
        key = id(current)
        if key in open_:
            raise YamlProblem(msg("An alias refers to the value that holds it."), *_place(current.start_mark))
        if key not in sizes:
            open_.add(key)
            sizes[key] = 1 + sum(size(child) for child in children(current))
            open_.discard(key)
        if sizes[key] > MAX_EXPANDED:
            raise YamlProblem(msg("Its aliases expand to more than a million values."), *_place(current.start_mark))
        return sizes[key]

    size(node)


def children(node: Any) -> list[Any]:
    """Return the nodes directly below a composed node, keys and values in turn."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return []


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def problem_of(error: Exception) -> YamlProblem:
    """Return what PyYAML says of a text, with its place."""
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return YamlProblem(str(reason), *_place(mark))
