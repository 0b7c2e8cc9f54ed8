"""How a text is written in YAML so that every reader gets exactly this text back: plain, quoted or as a block."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import yaml

from ansflow_desktop.pipelines import splice_data, splice_tree
from ansflow_desktop.safe_yaml import YamlProblem

_INDICATORS = "-?:,[]{}#&*!|>'\"%@`=<~ \t"
_FLOW_SIGNS = re.compile(r"[,\[\]{}:?]")
_SPECIAL = re.compile(r": |:$| #|[\t\r\n]|^\.\.\.| $")
# What some reader takes for something else than text: words of YAML 1.1, numbers of 1.1 and 1.2, dates, times.
_WORD = re.compile(r"(?:y|n|yes|no|on|off|true|false|null)$", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(?:\.(?:inf|nan)$|0[xob][0-9a-f_]*$|[0-9.][0-9_,.]*(?:e[-+]?[0-9_]*)?$)", re.IGNORECASE)
_TIME = re.compile(r"[-+]?[0-9]+(?::[0-9.]+)+$|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){2,}$")
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BREAKS = "\u2028\u2029\x85"
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\ufeff": "\\uFEFF"}
_RESOLVER: Any = yaml.SafeLoader("")
_STR = "tag:yaml.org,2002:str"


class Style(msgspec.Struct, frozen=True):
    """How a document is laid out.

    `step` is the indentation of a mapping below its key, `dash` that of a list below its key, `pad` the width of a dash
    with its spaces; `json` says that the whole document is written in flow style with quotes.
    """

    step: int = 2
    dash: int = 2
    pad: int = 2
    newline: str = "\n"
    json: bool = False


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Say whether `text` may stand without quotes: every reader of YAML takes it for exactly this text."""
    if not text or text[0] in _INDICATORS or _SPECIAL.search(text) or _unsafe(text):
        return False
    if flow and _FLOW_SIGNS.search(text):
        return False
    if _WORD.match(text) or _TIME.match(text) or (_NUMBER.match(text) and not _VERSION.match(text)):
        return False
    return bool(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _STR)


def _unsafe(text: str) -> bool:
    return bool(_UNPRINTABLE.search(text)) or any(sign in text for sign in _BREAKS)


def double(text: str) -> str:
    """Return `text` in double quotes, everything that is not printable escaped."""
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in _NAMED:
        return _NAMED[letter]
    if not _unsafe(letter):
        return letter
    code = ord(letter)
    if code > 0xFFFF:
        return f"\\U{code:08X}"
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}"


def _json_escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if _unsafe(letter) else letter


def single(text: str) -> str:
    """Return `text`, which has one line of printable characters, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def inline(text: str, style: Style, *, flow: bool = False, quote: str = "") -> str:
    """Return `text` on one line, in the quotes `quote` where it takes them; a JSON document stays JSON."""
    if style.json:
        return "".join(_json_escaped(letter) for letter in json.dumps(text, ensure_ascii=False))
    if quote == "'" and "\n" not in text and not _unsafe(text):
        return single(text)
    if quote == '"' or not is_plain(text, flow=flow):
        awkward = ('"' in text or "\\" in text) and "\n" not in text and not _unsafe(text)
        return single(text) if awkward and quote != '"' else double(text)
    return text


def literal(text: str, indent: int, parent: int, sign: str = "|") -> tuple[str, list[str]] | None:
    """Return the header and lines of `text` as a block, None where it cannot be one.

    `indent` is the column of its lines and `parent` that of the mapping or list it is a value of.
    """
    if not text.strip() or _unsafe(text) or not 1 <= indent - parent <= 9:
        return None
    kept = text.rstrip("\n")
    breaks = len(text) - len(kept)
    chomp = "-" if not breaks else "" if breaks == 1 else "+"
    lines = _folded(kept) if sign == ">" else kept.split("\n")
    lines += [""] * (breaks - 1)
    header = sign + (str(indent - parent) if _needs_indicator(lines) else "") + chomp
    written = [" " * indent + line if line else "" for line in lines]
    return (header, written) if _reads_as(header, written, parent, text) else None


def _needs_indicator(lines: list[str]) -> bool:
    """Say whether the first lines would mislead a reader that counts their spaces."""
    for line in lines:
        if line[:1] in (" ", "\t"):
            return True
        if line:
            return False
    return False


def _folded(text: str) -> list[str]:
    """Return the lines of a folded block: a line break of the text takes an empty line more."""
    return text.replace("\n", "\n\n").split("\n")


def _reads_as(header: str, lines: list[str], parent: int, text: str) -> bool:
    """Say whether a small document with this block gives `text` back."""
    whole = "".join(f"{' ' * depth}a:\n" for depth in range(parent))
    whole += " " * parent + f"a: {header}\n" + "\n".join(lines) + "\n"
    try:
        data = splice_tree.parse_once(whole).root
    except (yaml.YAMLError, YamlProblem):
        return False
    path = ("a",) * (parent + 1)
    return data is not None and bool(splice_data.get(data.data, path) == text)
