"""Quoting for the languages of generated files: whatever a name holds, it stays one value there."""

from __future__ import annotations

import json
import re
import shlex

_PLAIN_UNIT = re.compile(r"[A-Za-z0-9_./:=@+,-]+")


def bash(text: str) -> str:
    """Return `text` as one word of a POSIX shell."""
    return shlex.quote(text)


def powershell(text: str) -> str:
    """Return `text` as a verbatim PowerShell string; typographic quotes end one there too, so they are doubled."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def systemd(text: str) -> str:
    """Return `text` as one word of a unit file (systemd.service, "Command lines"): quotes, `%` and `$` taken as such."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if _PLAIN_UNIT.fullmatch(text) else f'"{escaped}"'


def yaml(text: str) -> str:
    """Return `text` as a double-quoted YAML scalar (JSON's string is one)."""
    return json.dumps(text)
