"""Documents as plain data, bounded in size and depth: AnsFlow's JSON, and our own YAML as it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, Text, msg

MAX_BYTES = safe_yaml.MAX_BYTES
MAX_DEPTH = 60
_TAG = "tag:yaml.org,2002:"
_VERBATIM = "x-ansflow"


class _Unusable(Exception):
    """What makes a JSON text unusable although Python's reader takes it."""

    def __init__(self, reason: Text) -> None:
        """Keep the reason."""
        super().__init__(str(reason))
        self.reason = reason


def read_json(text: str | bytes) -> tuple[Any, tuple[Message, ...]]:
    """Return the data of a JSON text and what is to be said about it; raises UserError for what cannot be used."""
    twice: dict[str, None] = {}
    try:
        value = json.loads(
            _decoded(text),
            object_pairs_hook=lambda pairs: _mapping(pairs, twice),
            parse_constant=_constant,
            parse_float=_float,
        )
        _check(value)
    except _Unusable as error:
        raise _unreadable(error.reason) from error
    except json.JSONDecodeError as error:
        reason = msg(
            "Line %(line)d, column %(column)d: %(reason)s", line=error.lineno, column=error.colno, reason=error.msg
        )
        raise _unreadable(reason) from error
    except RecursionError as error:
        raise _unreadable(msg("Too deeply nested.")) from error
    except ValueError as error:  # a number of more digits than Python reads
        raise _unreadable(str(error).partition(";")[0]) from error
    notices = (msg("Written twice, the last one was taken: %(names)s", names=", ".join(list(twice)[:20])),)
    return value, notices if twice else ()


def _unreadable(reason: Text) -> UserError:
    return UserError(
        msg("The file is not a document of AnsFlow that can be read"),
        reason,
        msg("Export it again: the answer of its API for pipelines or atomic steps, as JSON."),
    )


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        try:
            text = safe_yaml.decode(text)
        except safe_yaml.YamlProblem as problem:
            raise _Unusable(problem.text()) from problem
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _Unusable(msg("The file is larger than %(limit)s bytes", limit=MAX_BYTES))
    return text


def _mapping(pairs: list[tuple[str, Any]], twice: dict[str, None]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            twice[name] = None
        found[name] = value
    return found


def _constant(name: str) -> Any:
    raise _Unusable(msg("%(name)s is no number that JSON has", name=name))


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Unusable(msg("The number %(text)s is too large", text=text[:40]))
    return number


def _check(value: Any, depth: int = 0) -> None:
    """Refuse what could not be written again: too deep, or a text with half a character."""
    if depth > MAX_DEPTH:
        raise _Unusable(msg("Too deeply nested."))
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _Unusable(msg("A text holds half of a character (a lone surrogate).")) from error
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def read_pipeline(text: str) -> dict[str, Any]:
    """Return a pipeline file as plain data, scalars as they are written (`1.10` stays that text); raises UserError."""
    try:
        nodes = safe_yaml.compose(text)
    except safe_yaml.YamlProblem as problem:
        raise UserError(msg("The pipeline file is not valid YAML: %(reason)s", reason=problem.text())) from problem
    except UnicodeEncodeError as error:
        raise UserError(msg("The pipeline file is not UTF-8 text")) from error
    root = _plain(nodes[0]) if nodes else None
    if not isinstance(root, dict):
        raise UserError(msg("A pipeline file is a mapping with apiVersion, kind, metadata and spec"))
    return root


def _plain(node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            for source in [value] if isinstance(value, yaml.MappingNode) else value.value:
                found = _plain(source)
                merged.update({name: item for name, item in found.items() if name not in merged} if found else {})
        else:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(_plain(key))
            own[name] = _verbatim(value) if name == _VERBATIM else _plain(value)
    return {**{name: value for name, value in merged.items() if name not in own}, **own}


def _scalar(node: yaml.ScalarNode) -> Any:
    """Return null, true, false and numbers only where they are written in the plainest way, else the text."""
    text = str(node.value)
    kind = node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and text.lstrip("-").isdigit() and len(text) < 4000 and str(int(text)) == text:
        return int(text)
    if kind == "float" and _is_plain_float(text):
        return float(text)
    return text


def _is_plain_float(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return math.isfinite(number) and repr(number) == text


def _verbatim(node: Any) -> Any:
    """Return what an import kept, with the very types it had."""
    try:
        return _names_as_text(safe_yaml.construct(node))
    except (safe_yaml.YamlProblem, RecursionError):
        return _plain(node)


def _names_as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _names_as_text(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_names_as_text(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
