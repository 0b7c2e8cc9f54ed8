"""Rows of the cluster list as the command line shows them (cli.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.output import table
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.cluster import ClusterMarks, Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus


def row(entry: ClusterEntry, status: ClusterStatus | None) -> dict[str, Any]:
    """Return the row of cli.md; `reachable` is null for a cluster that was not contacted, `marks` only where noted."""
    asked = status is not None and status.reach in (Reach.REACHABLE, Reach.UNREACHABLE, Reach.REFUSED)
    message = entry.problem or (status.message if status else "")
    if status and status.reach is Reach.APPROVAL_NEEDED:
        message = message or msg("Runs a program to get credentials that nobody has allowed yet")
    return {
        "name": entry.name,
        "server": entry.server,
        "source": entry.source,
        "reachable": status.reach is Reach.REACHABLE if status and asked else None,
        "version": status.version if status else "",
        "message": message,
        **({} if entry.marks == ClusterMarks() else {"marks": entry.marks}),
    }


def show_named(session: Session, names: Sequence[str]) -> None:
    """Show the rows of these clusters, none of them contacted."""
    entries = [entry for entry in session.services.catalog.entries() if entry.name in names]
    show(session, [row(entry, None) for entry in entries])


def show(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as a table or a document."""
    if session.out.is_text:
        _print(session, rows)
    else:
        session.out.document(rows)


def _print(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        session.out.note(msg("No cluster found. `ansflow-desktop practice start` starts one on this machine."))
        return
    words = {True: _("yes"), False: _("no"), None: _("not asked")}
    heads = [_("NAME"), _("SERVER"), _("SOURCE"), _("REACHABLE"), _("VERSION"), _("MESSAGE")]
    cells = [
        [
            item["name"],
            item["server"],
            item["source"],
            words[item["reachable"]],
            item["version"],
            translate(item["message"]),
        ]
        for item in rows
    ]
    if any("marks" in item for item in rows):
        heads.append(_("NOTES"))
        cells = [[*line, notes(item.get("marks", ClusterMarks()))] for line, item in zip(cells, rows, strict=True)]
    session.out.line(table(heads, cells))


def notes(marks: ClusterMarks) -> str:
    """Return what was noted of a cluster in one line."""
    flags = ((marks.production, _("production")), (marks.read_only, _("read-only")), (marks.default, _("default")))
    found = [word for flag, word in flags if flag]
    return ", ".join([*found, *(text for text in (marks.group, marks.type, marks.description) if text)])
