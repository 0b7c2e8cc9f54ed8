"""Values as Helm reads them: YAML 1.1 by go-yaml's rules, made JSON, with the place of every value kept.

The rules were seen with helm 3.22 and 4.3: `y` is true (as a key too), `010` is 8, `1e3` is 1000, `1:30` is a text.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.i18n import msg
from ansflow_desktop.safe_yaml import YamlProblem

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"))
_FALSE = frozenset(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"))
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)")
_DIRECTIVE = re.compile(r"^%YAML[ \t]+(?P<version>\S+)", re.MULTILINE)
_MAX_INT = 2**64
_MAX_DIGITS = 1000  # Go gives up far earlier, and takes it for a text


class ReadValues(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one source: plain `data`, and the composed `node` that it was made from (None where there is none)."""

    data: dict[str, Any]
    node: Any = None


def read_values(text: str, *, merges_documents: bool = False) -> ReadValues:
    """Return the values in `text`; raises YamlProblem with line and column where Helm refuses them.

    Of several documents the first one counts; Helm 4 merges them all (`merges_documents`).
    """
    directive = _DIRECTIVE.search(text)
    if directive and (merges_documents or directive["version"] != "1.1"):  # Helm 4 cuts at the --- behind it
        line = text.count("\n", 0, directive.start()) + 1
        raise YamlProblem(msg("Helm does not read this directive; take it out."), line, 1)
    nodes = safe_yaml.compose(text)
    data: dict[str, Any] = {}
    for node in nodes if merges_documents else nodes[:1]:
        data = merge_maps(data, _document(node))
    return ReadValues(data=data, node=nodes[0] if nodes else None)


def merge_maps(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return `above` laid over `below` as Helm lays one values file over another: mappings merge, all else replaces."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        both = isinstance(value, dict) and isinstance(under, dict)
        merged[name] = merge_maps(under, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return merged


def node_at(node: Any, path: tuple[str | int, ...]) -> tuple[Any, int]:
    """Return the deepest node on the way to `path` and how many of its parts were found."""
    for depth, part in enumerate(path):
        below = _below(node, part)
        if below is None:
            return node, depth
        node = below
    return node, len(path)


def _below(node: Any, part: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return node.value[part] if isinstance(part, int) and part < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        found = [value for key, value in node.value if isinstance(key, yaml.ScalarNode) and _key(key) == str(part)]
        return found[-1] if found else None
    return None


def _document(node: Any) -> dict[str, Any]:
    value = plain(node)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _problem(node, msg("The values are not names with values."))
    return value


def plain(node: Any) -> Any:
    """Return a composed node as plain values; raises YamlProblem for what has no JSON form."""
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node)
    return _scalar(node)


def _mapping(node: Any) -> dict[str, Any]:
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style:
            merged = {**_merged(value), **merged}
        else:
            own[_key(key)] = plain(value)
    return {**merged, **own}


def _merged(node: Any) -> dict[str, Any]:
    sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
    found: dict[str, Any] = {}
    for source in sources:
        if not isinstance(source, yaml.MappingNode):
            raise _problem(node, msg("Only a mapping can be merged by <<"))
        found = {**_mapping(source), **found}
    return found


def _key(node: Any) -> str:
    value = _scalar(node) if isinstance(node, yaml.ScalarNode) else None
    if value is None:
        raise _problem(node, msg("A name is expected here, not a list, a mapping or nothing."))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _scalar(node: Any) -> Any:
    text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
    if tag.startswith("!"):
        return text
    if node.style or tag in ("str", "binary", "timestamp"):
        explicit = bool(node.style) and tag in ("int", "float", "bool", "null")
        return _typed(node, text) if explicit or (not node.style and tag != "binary" and _is_implicit(node)) else text
    return _typed(node, text)


def _is_implicit(node: Any) -> bool:
    """Say whether a plain scalar carries no tag of its own: `!!str 5` is a text, `1e3` is what it looks like to Go."""
    span = node.end_mark.index - node.start_mark.index
    return bool(span <= len(node.value) or not node.value)


def _typed(node: Any, text: str) -> Any:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NULL:
        return None
    if _ENDLESS.fullmatch(text):
        raise _problem(node, msg("%(text)s cannot be a value.", text=text))
    bare = text.replace("_", "")
    if text[0] not in "+-.0123456789" or len(bare) > _MAX_DIGITS:
        return text
    if _WHOLE.fullmatch(bare):
        return _json_number(_based(bare), text)
    return _json_number(float(bare), text) if _FLOAT.fullmatch(bare) else text


def _based(text: str) -> int:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _json_number(value: float, text: str) -> Any:
    """Return a number as JSON holds it: past 64 bits a fraction, which loses digits; past that the text it was."""
    if isinstance(value, int) and abs(value) < _MAX_INT:
        return value
    try:
        fraction = float(value)
    except OverflowError:
        return text
    return fraction if math.isfinite(fraction) else text


def _problem(node: Any, reason: Any) -> YamlProblem:
    mark = node.start_mark
    return YamlProblem(reason, mark.line + 1, mark.column + 1)
