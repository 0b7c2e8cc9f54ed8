"""Text that a server sent: control and bidirectional characters are taken out before it is shown (row 33)."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and newline; bidirectional marks, embeddings, overrides and isolates; separators; BOM
_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])")


def visible(text: str) -> str:
    """Return `text` with what cannot be seen written out as escapes, ends of lines too: for what a person approves."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def clean(text: str, limit: int = 4000) -> str:
    """Return `text` without terminal codes, control and bidirectional characters, cut at `limit` characters."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text
    kept = _HOSTILE.sub("", _ESCAPES.sub("", text[: limit * 2]))
    return kept if len(kept) <= limit else kept[:limit] + "…"
