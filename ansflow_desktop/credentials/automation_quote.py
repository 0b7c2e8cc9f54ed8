"""Quoting for the languages of generated files: whatever a name holds, it stays one value there."""

from __future__ import annotations

import json
import re
import shlex

_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
_PLAIN_UNIT = re.compile(r"[A-Za-z0-9_./:=@+,-]+")


def bash(text: str) -> str:
    """Return `text` as one word of a POSIX shell."""
    return shlex.quote(text)


def powershell(text: str) -> str:
    """Return `text` as a verbatim PowerShell string; typographic quotes end one there too, so they are doubled."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def systemd(text: str) -> str:
    """Return `text` as one word of an `ExecStart` line (systemd.service, "Command lines"); `~` is the home folder."""
    home, rest = ("%h/", text[2:]) if text.startswith("~/") else ("", text)
    escaped = rest.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f"{home}{escaped}" if _PLAIN_UNIT.fullmatch(text.removeprefix("~")) else f'"{home}{escaped}"'


def yaml(text: str) -> str:
    """Return `text` as a double-quoted YAML scalar."""
    return in_yaml(json.dumps(text))


def in_yaml(made: str) -> str:
    """Return JSON as YAML: the same but for letters beyond 16 bits, which YAML spells as one escape (YAML 1.2, 5.7)."""
    return _PAIR.sub(_long_escape, made)


def _long_escape(found: re.Match[str]) -> str:
    letter: str = json.loads(f'"{found[0]}"')
    return f"\\U{ord(letter):08x}"
