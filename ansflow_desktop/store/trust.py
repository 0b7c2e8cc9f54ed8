"""Which imported documents a person has seen and trusted: by hash, once, asked again after any change of what runs.

Conventions, line 13: imported templates and pipelines with shell steps run only after being shown and trusted once.
"""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ansflow_desktop import files, safe_yaml

_VERSION = b"ansflow-trust-1\0"


class Trust:
    """The trusted hashes, kept in one private file; safe from any thread."""

    def __init__(self, path: Path) -> None:
        """Use the JSON file `path` (made at the first trust, 0600)."""
        self._path = path
        self._lock = threading.Lock()

    def trusted(self, document: str) -> bool:
        """Return whether a document that reads exactly like this one was trusted; comments and layout do not count."""
        return digest(document) in self._read()

    def trust(self, document: str) -> None:
        """Remember `document` by its hash only: it may hold a secret. Raises UserError where that cannot be written."""
        with self._lock:
            known = {**self._read(), digest(document): time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            files.write_atomic(self._path, msgspec.json.format(msgspec.json.encode(known)))

    def _read(self) -> dict[str, str]:
        """Return hash and time; a damaged or missing file trusts nothing."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}


def digest(document: str) -> str:
    """Return the SHA-256 of what `document` says: values, their types and their order, not how it is laid out.

    A text that is no YAML, or no Unicode, is hashed as it stands.
    """
    try:
        data = msgspec.json.encode([_plain(node) for node in safe_yaml.compose(document)])
    except (safe_yaml.YamlProblem, UnicodeEncodeError):
        data = b"text\0" + document.encode("utf-8", "surrogatepass")
    return hashlib.sha256(_VERSION + data).hexdigest()


def _plain(node: Any) -> Any:
    """Return a node as lists of its tag and content: `8` and `010`, `true` and `"true"` stay apart."""
    if isinstance(node, yaml.ScalarNode):
        return [node.tag, node.value]
    if isinstance(node, yaml.SequenceNode):
        return [node.tag, [_plain(item) for item in node.value]]
    return [node.tag, [[_plain(key), _plain(value)] for key, value in node.value]]
