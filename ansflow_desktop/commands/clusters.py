"""`clusters list|test|namespaces|add`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.execution import require_reachable
from ansflow_desktop.commands.output import table
from ansflow_desktop.commands.session import Session, tell_problems
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.files import is_there
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus, Reach

if TYPE_CHECKING:
    from collections.abc import Sequence


def clusters_list(session: Session) -> int:
    """Show every cluster and check all at once; clusters that do not answer say so in their row, exit code 0."""
    entries = session.services.catalog.entries()
    tell_problems(session, session.services.catalog.problems())
    statuses = check_all(session, [entry.name for entry in entries])
    rows = [row(entry, statuses.get(entry.name)) for entry in entries]
    if session.out.is_text:
        _print(session, rows)
    else:
        session.out.document(rows)
    return int(ExitCode.DONE)


def check_all(session: Session, names: Sequence[str]) -> dict[str, ClusterStatus]:
    """Check clusters side by side; entries whose credential program was not approved are not contacted."""
    from ansflow_desktop.kube import probe, sync

    statuses: dict[str, ClusterStatus] = {}

    def keep(status: ClusterStatus) -> None:
        statuses[status.name] = status

    sync.run(probe.check_all(session.services.catalog, list(names), keep))
    return statuses


def row(entry: ClusterEntry, status: ClusterStatus | None) -> dict[str, Any]:
    """Return the row of cli.md; `reachable` is null for a cluster that was not contacted."""
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
    }


def _print(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        session.out.note(msg("No cluster found. `ansflow-desktop practice start` starts one on this machine."))
        return
    words = {True: _("yes"), False: _("no"), None: _("not asked")}
    heads = (_("NAME"), _("SERVER"), _("SOURCE"), _("REACHABLE"), _("VERSION"), _("MESSAGE"))
    cells = [
        (
            item["name"],
            item["server"],
            item["source"],
            words[item["reachable"]],
            item["version"],
            translate(item["message"]),
        )
        for item in rows
    ]
    session.out.line(table(heads, cells))


def clusters_test(session: Session) -> int:
    """Check one cluster; exit code 3 when it does not answer or refuses."""
    entry = session.entry(session.args.cluster)
    status = require_reachable(session, entry)
    if session.out.is_text:
        values = {"name": entry.name, "version": status.version, "latency": round(status.latency_ms)}
        session.out.line(_("%(name)s: Kubernetes %(version)s, answered in %(latency)s ms") % values)
    else:
        session.out.document({**row(entry, status), "latency_ms": round(status.latency_ms, 1)})
    return int(ExitCode.DONE)


def clusters_namespaces(session: Session) -> int:
    """Show the namespaces of one cluster, one a line."""
    from ansflow_desktop.kube import namespaces, sync

    entry = session.entry(session.args.cluster)
    names = sync.run(namespaces.list_namespaces(session.services.catalog.document(entry.name)))
    if session.out.is_text:
        session.out.line("\n".join(names))
    else:
        session.out.document(names)
    return int(ExitCode.DONE)


def clusters_add(session: Session) -> int:
    """Remember one more kubeconfig file and show what it brings."""
    file = Path(session.args.file).expanduser().absolute()
    if not is_there(file):
        raise UserError(msg("There is no kubeconfig file %(file)s", file=str(file)), field="FILE")
    session.services.add_kubeconfig(file)
    rows = [row(entry, None) for entry in session.services.catalog.entries() if entry.source == str(file)]
    if session.out.is_text:
        _print(session, rows)
    else:
        session.out.document(rows)
    return int(ExitCode.DONE)
