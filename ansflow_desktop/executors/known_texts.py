"""What the Secrets of a rendering hold, found again elsewhere: in values, commands and other parts of the manifest.

A name does not always tell that a value is secret (`custom: ...`); what a chart puts into a Secret does. A value is one
of them only as a whole: parts of ordinary words are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.live_diff_masks import ENTRIES, is_known, texts_of_secrets
from ansflow_desktop.helm.values_merge import parse_set
from ansflow_desktop.models.command import Command

_SET = re.compile(r"--set(?:-string|-literal|-json)?=")
_KEY_LETTERS = re.compile(r"[^A-Za-z0-9_]+")


def known_in(nodes: Sequence[Any]) -> frozenset[str]:
    """Return the texts that the Secrets among the documents `nodes` hold; what also names an object is none."""
    return texts_of_secrets(one for node in nodes for one in _objects(node))


def fields(node: Any) -> dict[str, Any]:
    """Return the values of a mapping's node by their keys, nothing for another node."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def word(node: Any) -> str:
    """Return what a scalar's node says, nothing for another node."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _objects(node: Any, kind: str = "") -> Iterator[dict[str, Any]]:
    """Yield of each object its kind and names, and of a Secret what it holds; `kind` is for items that name none."""
    found = fields(node)
    kind = word(found.get("kind")) or kind
    entries = ("metadata", *(ENTRIES if kind == "Secret" else ()))
    yield {"kind": kind} | {entry: _words(found.get(entry)) for entry in entries}
    items = found.get("items")
    for item in items.value if isinstance(items, yaml.SequenceNode) and kind.endswith("List") else ():
        yield from _objects(item, kind.removesuffix("List"))


def _words(node: Any) -> dict[str, str]:
    return {key: word(value) for key, value in fields(node).items()}


def places(nodes: Sequence[Any], known: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and key of each scalar value below `nodes` that is one of `known`; keys are none."""
    pending: list[tuple[str, Any]] = [("", node) for node in nodes]
    seen: set[int] = set()
    while pending if known else ():
        key, node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode) and is_known(node.value, known):
            yield node.start_mark.index, node.end_mark.index, key
        elif isinstance(node, yaml.SequenceNode):
            pending += [(key, item) for item in node.value]
        elif isinstance(node, yaml.MappingNode):
            pending += [(word(name) or key, value) for name, value in node.value]


def without(command: Command, known: Collection[str]) -> Command:
    """Return `command` to be shown: values of `--set` and of typed YAML that are `known` are gone, as by their names.

    What is typed gets placeholders (`custom: "<CUSTOM>"`), so that it can still be pasted and filled in.
    """
    if not known:
        return command
    told = [index for index, word in enumerate(command.argv) if _sets(word, known)]
    stdin = command.stdin and _with_placeholders(command.stdin, known)
    return msgspec.structs.replace(command, masked=tuple(sorted({*command.masked, *told})), stdin=stdin)


def _sets(word: str, known: Collection[str]) -> bool:
    """Say whether a word of a command sets one of the `known` texts, itself or among others."""
    found = _SET.match(word)
    if not found:
        return False
    text = word[found.end() :]
    if is_known(text.partition("=")[2], known):
        return True
    try:
        return any(is_known(scalar, known) for scalar in _scalars(parse_set(text, {})))
    except safe_yaml.YamlProblem:
        return False


def _scalars(value: Any) -> Iterator[Any]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if below is None:
        yield value
    for each in below or ():
        yield from _scalars(each)


def _with_placeholders(text: str, known: Collection[str]) -> str:
    try:
        found = sorted(places(safe_yaml.compose(text), known), reverse=True)
    except safe_yaml.YamlProblem:
        return text
    for start, end, key in found:
        name = _KEY_LETTERS.sub("_", key).upper() or "VALUE"
        gap = text[start:end]
        text = f'{text[:start]}"<{name}>"{gap[len(gap.rstrip(chr(10))) :]}{text[end:]}'
    return text
