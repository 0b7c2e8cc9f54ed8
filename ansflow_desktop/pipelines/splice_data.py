"""Plain data of YAML as it was written, and how to compare, copy and change it without touching the original."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.safe_yaml import YamlProblem

if TYPE_CHECKING:
    from ansflow_desktop.pipelines.splice_tree import Node

_STANDARD = "tag:yaml.org,2002:"
_TRUE = ("true", "yes", "on")
_RESOLVER: Any = safe_yaml.LOADER("")
MERGE = "<<"
_CACHED_SCALARS = 4096


class Written(str):
    """A number whose writing says more than its value (`010`, `1.10`, `1_000`): its text, that must not be quoted.

    The other readers of a pipeline take such a value as the text that was written (pipelines/codec.py).
    """

    __slots__ = ()

    def __repr__(self) -> str:  # two equal texts of which one is Written are not the same
        return f"Written({str(self)!r})"


class Raw(str):
    """A piece of YAML to be written as it is (`*name`)."""

    __slots__ = ()


class Quoted(str):
    """A text to be written in quotes on one line where a block would not be read back."""

    __slots__ = ()


def scalar(value: str, tag: str | None, implicit: tuple[bool, bool]) -> Any:
    """Return the plain value of a scalar as the parser reports it; a tag of somebody's own changes nothing."""
    if not tag or tag == "!":
        return plain(value) if implicit[0] else value
    if not tag.startswith(_STANDARD):
        return value
    return _typed(value, tag.removeprefix(_STANDARD))


@functools.lru_cache(maxsize=_CACHED_SCALARS)
def plain(value: str) -> Any:
    """Return what an unquoted scalar is read as: None, true or false, a number, `Written`, or the text itself."""
    return _typed(value, _RESOLVER.resolve(yaml.ScalarNode, value, (True, False)).removeprefix(_STANDARD))


def _typed(value: str, kind: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return value.lower() in _TRUE
    if kind in ("int", "float"):
        return _number(value, kind)
    return value


def _number(value: str, kind: str) -> Any:
    try:
        number = int(value, 10) if kind == "int" else float(value)
    except ValueError:
        return Written(value)
    return number if str(number) == value else Written(value)


def collection(node: Node, text: str) -> Any:
    """Return the plain data of a mapping or list whose members are done; keys are their texts as written.

    A merge key gives what the mapping itself does not say. A key written twice counts the last time, as in PyYAML.
    """
    if not node.keys:
        return {} if node.style == "{" else [child.data for child in node.values]
    own: dict[str, Any] = {}
    merged: list[Any] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if is_merge(key, text) and _can_merge(value):
            merged += [value.data] if isinstance(value.data, dict) else value.data
        else:
            own[key_text(key, text)] = value.data
    for source in merged:
        for name, item in source.items():
            own.setdefault(name, item)
    return own


def has_merged(node: Node, text: str, name: str | int) -> bool:
    """Say whether a mapping's `<<` gives a value for the key `name` too."""
    pairs = zip(node.keys, node.values, strict=False)
    sources = [value.data for key, value in pairs if is_merge(key, text) and _can_merge(value)]
    return any(name in part for data in sources for part in (data if isinstance(data, list) else [data]))


def is_merge(key: Node, text: str) -> bool:
    """Say whether a key is an unquoted `<<`."""
    return text[key.start : key.end] == MERGE


def _can_merge(value: Node) -> bool:
    data = value.data
    return isinstance(data, dict) or (isinstance(data, list) and all(isinstance(part, dict) for part in data))


def key_text(key: Node, text: str) -> str:
    """Return a key as text: `on` and `8080` as written; what is no scalar as its source."""
    if isinstance(key.data, str):
        return str(key.data)
    return text[key.body : key.end]


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same data of the same types; the order of a mapping's keys does not count."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(name in other and same(item, other[name]) for name, item in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def tidy(value: Any) -> Any:
    """Return `value` as dicts, lists and plain scalars; raises YamlProblem for what YAML has no plain form for."""
    if value is None or type(value) in (str, bool, int, float, Written, Raw):
        return value
    if isinstance(value, enum.Enum):
        return tidy(value.value)
    if isinstance(value, Mapping):
        return {str(tidy(name)): tidy(item) for name, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [tidy(item) for item in value]
    raise YamlProblem(f"{type(value).__name__}")


def settle(old: Any, new: Any) -> Any:
    """Return `new` with the writing of numbers kept where it says the same as `old` (`010` for the text "010")."""
    if isinstance(old, Written) and isinstance(new, str) and str(old) == str(new):
        return old
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: settle(old.get(name), item) for name, item in new.items()}
    if isinstance(old, list) and isinstance(new, list):
        padded = [*old, *[None] * max(0, len(new) - len(old))]
        return [settle(one, item) for one, item in zip(padded, new, strict=False)]
    return new


def quoted(old: Any, new: Any) -> Any:
    """Return `new` with the texts of several lines that differ from `old` marked to be written in quotes."""
    if type(new) is str and "\n" in new and new != old:
        return Quoted(new)
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        return {name: quoted(before.get(name), item) for name, item in new.items()}
    if isinstance(new, list):
        entries = [*old, *[None] * len(new)] if isinstance(old, list) else [None] * len(new)
        return [quoted(one, item) for one, item in zip(entries, new, strict=False)]
    return new


def fits(tag: str, value: Any) -> bool:
    """Say whether `value` can stand behind `tag`; a tag of somebody's own takes whatever it held before."""
    types = {"str": str, "int": int, "float": float, "bool": bool, "null": type(None), "map": dict, "seq": list}
    kind = types.get(tag.removeprefix(_STANDARD)) if tag.startswith(_STANDARD) else None
    return kind is None or (isinstance(value, kind) and (kind is not int or not isinstance(value, bool)))


def fresh(value: Any) -> Any:
    """Return a copy that may be changed; parts that aliases share become copies of their own."""
    if isinstance(value, dict):
        return {name: fresh(item) for name, item in value.items()}
    if isinstance(value, list):
        return [fresh(item) for item in value]
    return value


def get(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is at `path`; raises KeyError where there is nothing."""
    for part in path:
        fits = isinstance(value, dict if isinstance(part, str) else list)
        known = fits and (part in value if isinstance(part, str) else 0 <= part < len(value))
        if not known:
            raise KeyError(part)
        value = value[part]
    return value


def nested(path: tuple[str | int, ...], value: Any) -> Any:
    """Return `value` below new mappings and lists for each part of `path`."""
    for part in reversed(path):
        value = [value] if isinstance(part, int) else {part: value}
    return value


def changed(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return `data` with `value` at `path`; the original and what lies beside the path stay as they are."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        items = list(data or [])
        items[part : part + 1] = [changed(items[part] if part < len(items) else None, rest, value)]
        return items
    mapping = dict(data or {})
    mapping[part] = changed(mapping.get(part), rest, value)
    return mapping


def without(data: Any, path: tuple[str | int, ...]) -> Any:
    """Return `data` without what is at `path`, which exists."""
    part, rest = path[0], path[1:]
    if rest:
        inner = without(data[part], rest)
        return changed(data, (part,), inner)
    if isinstance(part, int):
        return [*data[:part], *data[part + 1 :]]
    return {name: item for name, item in data.items() if name != part}
