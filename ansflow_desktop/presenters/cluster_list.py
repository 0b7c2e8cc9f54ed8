"""Which of hundreds of clusters are shown: by words, by group."""

from __future__ import annotations

from collections.abc import Sequence

from ansflow_desktop.presenters.clusters_state import ClusterRow


def groups(rows: Sequence[ClusterRow]) -> tuple[str, ...]:
    """Return the groups in use, sorted as a person would."""
    return tuple(sorted({row.entry.marks.group for row in rows} - {""}, key=str.casefold))


def matching(rows: Sequence[ClusterRow], text: str, group: str) -> tuple[ClusterRow, ...]:
    """Return the rows of `group` (empty: all) in which every word of `text` stands somewhere."""
    words = text.casefold().split()
    chosen = [row for row in rows if not group or row.entry.marks.group == group]
    return tuple(row for row in chosen if not words or _holds(row, words))


def _holds(row: ClusterRow, words: list[str]) -> bool:
    entry, marks = row.entry, row.entry.marks
    held = entry.held
    flags = ("production" if held.production else "", "read-only" if held.read_only else "")
    known = (entry.name, entry.server, entry.source, entry.user, marks.group, marks.description, marks.type, *flags)
    found = "\n".join(known).casefold()
    return all(word in found for word in words)
