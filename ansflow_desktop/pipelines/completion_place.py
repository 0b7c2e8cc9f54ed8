"""Where in a pipeline's text the cursor is, found by indentation alone: half-typed text need not be YAML yet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_LINE = re.compile(r"(?P<indent> *)(?P<dash>- +|-$)?(?P<key>[A-Za-z_][\w.-]*)(?=:(\s|$)):?\s*(?P<value>.*)|", re.ASCII)
_DASH = re.compile(r"(?P<indent> *)-( +|$)", re.ASCII)
_BLOCK = re.compile(r":\s+[|>][-+0-9]*\s*(#.*)?$|^\s*-\s+[|>][-+0-9]*\s*$")
_FLOW_KEY = re.compile(r"([A-Za-z_]\w*)\s*:\s*$", re.ASCII)
_FLOW_PAIR = re.compile(r"([A-Za-z_]\w*)\s*:\s*([^,{}\[\]]*)", re.ASCII)

MOST_INDENT = 1000


class Line(NamedTuple):
    """A line with a key: the columns (from 0) of the key and of a dash before it (-1: none), its key and value."""

    number: int
    column: int
    dash: int
    key: str
    value: str


class Place(NamedTuple):
    """Where a word is being typed.

    `path` are the keys above it (`spec`, `steps[]`, `k8s_config`); `key` is set where a value of that key is typed;
    `word` is what stands of it. `step` are the fields of the step around it by name, those of k8s_config under
    `k8s_config.NAME`; `used` the names that its mapping has already.
    """

    path: tuple[str, ...]
    key: str
    word: str
    step: dict[str, str]
    used: frozenset[str]


def place_at(text: str, offset: int) -> Place | None:
    """Return what is being typed at `offset`, None inside block text (a script, a manifest) and in a comment."""
    before = text[:offset]
    start = before.rfind("\n") + 1
    number = before.count("\n")
    typed = before[start:]
    lines = text.split("\n")
    if re.search(r"(^|\s)#", typed) or _in_block_text(lines, number):
        return None
    found = _read(lines)
    flow = _flow(typed)
    if flow is not None:
        return _flow_place(found, number, typed, flow)
    return _block_place(found, number, typed)


def _in_block_text(lines: Sequence[str], number: int) -> bool:
    """Say whether line `number` belongs to a block scalar that a line above opens."""
    return number in _block_lines(lines[: number + 1], number)


def _block_lines(lines: Sequence[str], last: int = -1) -> set[int]:
    inside: set[int] = set()
    opened = -1
    for number, line in enumerate(lines):
        blank = not line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if opened >= 0 and (indent > opened or (blank and number != last)):
            inside.add(number)
            continue
        opened = -1
        if _BLOCK.search(line):
            dash = _DASH.match(line)
            opened = indent + (2 if dash and ":" in line else 0)
    return inside


def _read(lines: Sequence[str]) -> list[Line]:
    """Return the lines with a key or a dash; a dash alone begins a mapping whose column the next line tells."""
    skipped = _block_lines(lines)
    found: list[Line] = []
    for number, text in enumerate(lines):
        line = None if number in skipped or text.lstrip().startswith("#") else _line(number, text)
        if line is None:
            continue
        if found and found[-1].dash >= 0 and not found[-1].key and line.dash < 0 and line.column > found[-1].dash:
            found[-1] = found[-1]._replace(column=line.column)
        found.append(line)
    return found


def _line(number: int, text: str) -> Line | None:
    match = _LINE.match(text)
    dash = _DASH.match(text)
    if match and match["key"]:
        indent = len(match["indent"])
        return Line(number, match.start("key"), indent if match["dash"] else -1, match["key"], match["value"])
    return Line(number, dash.end(), len(dash["indent"]), "", text[dash.end() :]) if dash else None


def _flow(typed: str) -> list[tuple[int, str]] | None:
    """Return the open braces of a line as (position after it, key before it), None where none is open."""
    open_: list[tuple[int, str]] = []
    for position, char in enumerate(typed):
        if char in "{[" and not typed[:position].endswith("$"):
            key = _FLOW_KEY.search(typed[:position])
            open_.append((position + 1, (key.group(1) if key else "") + ("[]" if char == "[" else "")))
        elif char in "}]" and open_:
            open_.pop()
    return open_ or None


def _flow_place(found: list[Line], number: int, typed: str, flow: list[tuple[int, str]]) -> Place:
    column, dash = _columns(typed)
    above = _path(found, number, column, dash)
    path = (*above, *(key for _, key in flow if key))
    part = re.split(r",\s*", typed[flow[-1][0] :])[-1]
    pairs = {key: value.strip() for key, value in _FLOW_PAIR.findall(typed)}
    key, colon, value = part.partition(":")
    step = {**_step(found, number), **pairs, **{f"k8s_config.{name}": value for name, value in pairs.items()}}
    if _in_list_of_texts(path):
        return Place(path[:-1], path[-1].removesuffix("[]"), part.strip(), step, frozenset())
    typed_key = key.strip() if colon else ""
    return Place(path, typed_key, value.lstrip() if colon else key.strip(), step, frozenset(pairs) - {typed_key})


def _in_list_of_texts(path: tuple[str, ...]) -> bool:
    return bool(path) and path[-1].endswith("[]") and path[-1] != "steps[]"


def _columns(typed: str) -> tuple[int, int]:
    """Return the column where a line's key begins and that of its dash, -1 for none."""
    indent = len(typed) - len(typed.lstrip(" "))
    dash = _DASH.match(typed)
    return (dash.end(), indent) if dash else (indent, -1)


def _block_place(found: list[Line], number: int, typed: str) -> Place:
    column, dash = _columns(typed)
    path = _path(found, number, column, dash)
    rest = typed[column:]
    key, colon, value = rest.partition(":")
    step = _step(found, number)
    if _in_list_of_texts(path):
        return Place(path[:-1], path[-1].removesuffix("[]"), rest, step, frozenset())
    if colon and (value.startswith(" ") or not value):
        return Place(path, key.strip(), value.lstrip(), step, frozenset())
    return Place(path, "", rest, step, _used(found, number, column, dash))


def _path(found: list[Line], number: int, column: int, dash: int) -> tuple[str, ...]:
    """Walk up from a key at `column`: each line further left is the key that holds what was passed."""
    path: list[str] = []
    in_list = dash
    for line in reversed([one for one in found if one.number < number]):
        if in_list >= 0:
            if line.column > in_list or line.dash == in_list:
                continue
            path.append(f"{line.key}[]")
        elif line.column == column and line.dash >= 0:
            in_list = line.dash
            continue
        elif line.column < column:
            path.extend([line.key] if line.key else [])
        else:
            continue
        column, in_list = line.column, line.dash
    return tuple(reversed(path))


def _step(found: list[Line], number: int) -> dict[str, str]:
    """Return the fields of the step around line `number`: its own, and those of its k8s_config."""
    start = _step_start(found, number)
    if start is None:
        return {}
    fields: dict[str, str] = {}
    for line in found[found.index(start) :]:
        if line is not start and (line.column < start.column or line.dash == start.dash):
            break
        name = line.key if line.column == start.column else f"k8s_config.{line.key}"
        fields.setdefault(name, line.value.strip())
        if line is start and not line.key:
            fields |= {key: value.strip() for key, value in _FLOW_PAIR.findall(line.value)}
        fields |= {f"k8s_config.{key}": value.strip() for key, value in _FLOW_PAIR.findall(line.value)}
    return fields


def _step_start(found: list[Line], number: int) -> Line | None:
    """Return the line that begins the step; of a list's items only the nearest one is asked for its path."""
    limit = MOST_INDENT
    for line in reversed(found):
        if line.number <= number and 0 <= line.dash < limit:
            limit = line.dash
            if _path(found, line.number, line.column, line.dash) == ("spec", "steps[]"):
                return line
    return None


def _used(found: list[Line], number: int, column: int, dash: int) -> frozenset[str]:
    """Return the keys of the mapping that a key at `column` in line `number` belongs to; a dash begins a new one."""
    used: set[str] = set()
    for line in reversed([one for one in found if one.number < number and dash < 0]):
        if line.column < column:
            break
        used |= {line.key} if line.column == column else set()
        if line.column == column and line.dash >= 0:
            break
    for line in (one for one in found if one.number > number):
        if line.column < column or (line.column == column and line.dash >= 0):
            break
        used |= {line.key} if line.column == column else set()
    return frozenset(used)
