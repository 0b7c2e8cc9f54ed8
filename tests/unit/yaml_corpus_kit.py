"""The corpus of pipeline documents, and an independent way to look at them: PyYAML's own nodes and lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansflow_desktop import safe_yaml

FOLDER = Path(__file__).parent / "yaml_corpus"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
PathIn = tuple[Any, ...]


class _Texts(safe_yaml.LOADER):
    """Every scalar as it is written with how it is read, so that `010` and "010" differ; unknown tags pass."""


def _scalar(_loader: Any, node: Any) -> Any:
    return (node.tag.rpartition(":")[2], node.value)


def _any(loader: Any, _suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return ("str", node.value)
    make = loader.construct_mapping if isinstance(node, yaml.MappingNode) else loader.construct_sequence
    return make(node, deep=True)


for _kind in ("str", "int", "float", "bool", "null"):
    _Texts.add_constructor(f"tag:yaml.org,2002:{_kind}", _scalar)
_Texts.add_multi_constructor("!", _any)


def text_of(name: str) -> str:
    """Return a document as it is on disk, line endings and byte order mark included."""
    return (FOLDER / f"{name}.yaml").read_bytes().decode()


def data_of(text: str) -> Any:
    """Return what PyYAML reads, each scalar as (type, text)."""
    return yaml.load(text.removeprefix("\ufeff"), Loader=_Texts)


def value_at(data: Any, path: PathIn) -> Any:
    for part in path:
        data = data[part] if isinstance(part, int) else data["str", part]
    return data


def without(data: Any, path: PathIn) -> Any:
    """Return PyYAML's data with what is at `path` taken out, to compare all the rest."""
    if not path:
        return None
    part = path[0] if isinstance(path[0], int) else ("str", path[0])
    if isinstance(part, int):
        return [without(item, path[1:]) if number == part else item for number, item in enumerate(data)]
    return {name: without(item, path[1:]) if name == part else item for name, item in data.items()}


def scalars(text: str) -> Iterator[tuple[PathIn, int, int]]:
    """Return path, first and last line (from 0) of every scalar that stands in the text itself, not in an alias."""
    root = yaml.compose(text.removeprefix("\ufeff"), Loader=safe_yaml.LOADER)
    yield from _walk(root, (), set())


def _walk(node: Any, path: PathIn, seen: set[int]) -> Iterator[tuple[PathIn, int, int]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        end = node.end_mark.line - (1 if node.style in ("|", ">") and node.end_mark.column == 0 else 0)
        yield path, node.start_mark.line, max(end, node.start_mark.line)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _walk(item, (*path, number), seen)
    else:
        for key, value in node.value:
            if key.tag.endswith(":str"):
                yield from _walk(value, (*path, key.value), seen)


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """Return the first and last line (from 0) of `before` that are not the same in `after`; (0, -1) for none."""
    old, new = before.split("\n"), after.split("\n")
    if old == new:
        return 0, -1
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, len(old) - 1 - tail


def comments(text: str) -> Counter[str]:
    """Return what stands behind a # in each line (texts with a # in them count too: both sides count them alike)."""
    return Counter(line[line.index("#") :].strip() for line in text.split("\n") if "#" in line)
