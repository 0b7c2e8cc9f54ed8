"""Which values are secret, and how they are masked so that a change of one still shows (conventions.md, 11)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
import yaml

from ansflow_desktop.models.diff import DiffLine, Sign, diff_lines, whole

MASK = "***"
_SHORTEST = 6
_SHORTEST_NUMBER = 10
_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|encryption[-_]?key",
    re.IGNORECASE,
)
# names of the Kubernetes API and of charts that only point to a secret, or say something about one
_HARMLESS = re.compile(
    r"checksum|(secret|credential)s?[-_]?(name|namespace|ref|type|store|class|key)$|existingSecret|secretProviderClass|"
    r"tokenExpirationSeconds|automountServiceAccountToken|(path|file|mount|enabled|expir\w*|ttl|length)$",
    re.IGNORECASE,
)
ENTRIES = ("data", "stringData")
"""Where a Secret holds its values."""

_NAMES = ("name", "namespace")
_SALT = secrets.token_bytes(16)
_MARK_FIRST, _MARK_COUNT = 0xE000, 0x1000
_MARKS = re.compile("[\ue000-\uefff]+")


def looks_secret(key: str) -> bool:
    """Return whether a value under `key` is to be masked by its name."""
    return bool(_SECRET.search(key)) and not _HARMLESS.search(key)


def may_hold_secrets(text: str) -> bool:
    """Return whether a text is worth a closer look: a quick no for most manifests."""
    return bool(_SECRET.search(text))


def masked_object(value: Any, known: Collection[str] = ()) -> Any:
    """Return a Kubernetes object as plain data with its secrets masked by marks that tell them apart.

    `known` are texts that a Secret beside it holds: a value that is one of them is masked whatever its name.
    """
    if isinstance(value, dict) and value.get("kind") == "Secret":
        kept = {key: _all(below) if key in ENTRIES else below for key, below in value.items()}
    else:
        kept = _masked(value)
    return _without(kept, known) if known else kept


def masked_values(value: Any, known: Collection[str] = ()) -> Any:
    """Return Helm values with what looks secret masked by marks that tell them apart; `known` as above."""
    return _without(_masked(value), known) if known else _masked(value)


def _without(value: Any, known: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(below, known) for key, below in value.items()}
    if isinstance(value, list):
        return [_without(item, known) for item in value]
    return _mark(value) if is_known(value, known) else value


def is_known(value: Any, known: Collection[str]) -> bool:
    """Return whether a scalar as a whole is one of the `known` texts; true, false and nothing are none."""
    return isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip() in known


def tells(text: str) -> bool:
    """Return whether a text is long enough to be a secret by itself: short words and numbers stand in anything."""
    stripped = text.strip()
    return len(stripped) >= (_SHORTEST_NUMBER if stripped.isdigit() else _SHORTEST)


def texts_of_secrets(objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the texts that the Secrets among `objects` hold, as they stand and decoded, base64 of the plain ones too.

    Left out are short ones, which could be anything, and what also names an object or its namespace: it is no secret,
    and a manifest without its names tells nothing.
    """
    texts: set[str] = set()
    names: set[str] = set()
    for one in objects:
        metadata = one.get("metadata")
        names.update(_plain({key: metadata.get(key) for key in _NAMES}) if isinstance(metadata, Mapping) else ())
        if one.get("kind") == "Secret":
            texts.update(form for text in _secret_entries(one) if tells(text) for form in _forms(text))
    return frozenset(texts - names)


def _secret_entries(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of a Secret, decoded; what is no text stays as it stands."""
    yield from _plain(one.get("stringData"))
    for text in _plain(one.get("data")):
        yield _decoded(text) or text


def _forms(text: str) -> Iterator[str]:
    yield text.strip()
    for each in (text, text.strip()):
        yield base64.b64encode(each.encode(errors="replace")).decode()


def _plain(value: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in value.values() if text) if isinstance(value, Mapping) else ()


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:  # no base64, or no text
        return ""


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        named = value.get("name")
        environment = isinstance(named, str) and looks_secret(named) and "value" in value
        return {key: _under(str(key), below, environment and key == "value") for key, below in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _under(key: str, value: Any, certain: bool) -> Any:
    if isinstance(value, dict | list):
        texts = isinstance(value, list) and looks_secret(key) and all(isinstance(each, str) for each in value)
        return _all(value) if texts else _masked(value)
    return _mark(value) if certain or looks_secret(key) else value


def _all(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all(below) for key, below in value.items()}
    return [_all(item) for item in value] if isinstance(value, list) else _mark(value)


def _mark(value: Any) -> Any:
    """Return the mask with invisible marks of what it hides; nothing, true and false hide nothing."""
    if value is None or value == "" or isinstance(value, bool):
        return value
    digest = hashlib.blake2b(repr(value).encode(), key=_SALT, digest_size=8).digest()
    pairs = zip(digest[::2], digest[1::2], strict=True)
    return MASK + "".join(chr(_MARK_FIRST + (one * 256 + two) % _MARK_COUNT) for one, two in pairs)


def secret_texts(value: Any) -> Iterator[str]:
    """Yield the secret values themselves, to be taken out of what tools say."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            if isinstance(below, str | int | float) and not isinstance(below, bool) and looks_secret(str(key)):
                yield str(below)
            yield from secret_texts(below)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from secret_texts(item)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a difference in them is one of lines."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value and not re.search(r"[ \t]\n|[\x00-\x08\x0b-\x1f]", value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: Any) -> str:
    """Return plain data as YAML in a fixed order, empty for nothing."""
    if value in (None, {}, []):
        return ""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=10_000))


def difference(old: Any, new: Any) -> tuple[DiffLine, ...]:
    """Return how masked `new` differs from masked `old` as lines of YAML; None on one side means that it is not there.

    The marks are gone from the lines; `secret` says where a masked value differs.
    """
    if old is None or new is None:
        lines = whole(as_yaml(new if old is None else old), Sign.ADDED if old is None else Sign.REMOVED)
        return tuple(_unmarked(line, one_sided=True) for line in lines)
    return tuple(_unmarked(line) for line in diff_lines(as_yaml(old), as_yaml(new)))


def _unmarked(line: DiffLine, *, one_sided: bool = False) -> DiffLine:
    text = _MARKS.sub("", line.text)
    if text == line.text:
        return line
    changed = line.sign in (Sign.ADDED, Sign.REMOVED) and not one_sided
    return msgspec.structs.replace(line, text=text, secret=changed)
