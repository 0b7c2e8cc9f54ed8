"""`clusters list|test`; the other actions stand in modules of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansflow_desktop.commands.cluster_rows import row, show
from ansflow_desktop.commands.clusters_edit import clusters_add, clusters_edit, clusters_remove
from ansflow_desktop.commands.clusters_read import clusters_namespaces, clusters_stats, clusters_sync
from ansflow_desktop.commands.output import table
from ansflow_desktop.commands.session import Session, tell_problems
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, _, msg, translate
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus, Diagnosis, Finding, Reach, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "clusters_add",
    "clusters_edit",
    "clusters_list",
    "clusters_namespaces",
    "clusters_remove",
    "clusters_stats",
    "clusters_sync",
    "clusters_test",
]


def clusters_list(session: Session) -> int:
    """Show every cluster and check all at once; clusters that do not answer say so in their row, exit code 0."""
    entries = session.services.catalog.entries()
    tell_problems(session, session.services.catalog.problems())
    statuses = check_all(session, [entry.name for entry in entries])
    show(session, [row(entry, statuses.get(entry.name)) for entry in entries])
    return int(ExitCode.DONE)


def check_all(session: Session, names: Sequence[str]) -> dict[str, ClusterStatus]:
    """Check clusters side by side; entries whose credential program was not approved are not contacted."""
    from ansflow_desktop.commands import waiting
    from ansflow_desktop.kube import probe

    statuses: dict[str, ClusterStatus] = {}

    def keep(status: ClusterStatus) -> None:
        statuses[status.name] = status

    def silent() -> Text:
        return waiting.for_answers(*(name for name in names if _is_silent(statuses.get(name))))

    waiting.run(session, probe.check_all(session.services.catalog, list(names), keep), silent)
    return statuses


def _is_silent(status: ClusterStatus | None) -> bool:
    return status is None or status.reach is Reach.CHECKING


def clusters_test(session: Session) -> int:
    """Test the connection of one cluster and show each stage; exit code 3 when it does not answer or refuses."""
    from ansflow_desktop.commands import waiting
    from ansflow_desktop.kube.diagnose import diagnose

    entry = session.entry(session.args.cluster)
    services = session.services
    asking = diagnose(entry, services.catalog.document(entry.name), tools=services.tools)
    found = waiting.run(session, asking, lambda: waiting.for_answers(entry.name))
    error = None if found.status.reach is Reach.REACHABLE else _no_answer(entry, found)
    if session.out.is_text:
        _print_stages(session, found)
        if error:
            raise error
        values = {"name": entry.name, "version": found.status.version, "latency": round(found.status.latency_ms)}
        session.out.line(_("%(name)s: Kubernetes %(version)s, answered in %(latency)s ms") % values)
    else:
        _document(session, entry, found, error)
    return int(error.code if error else ExitCode.DONE)


def _no_answer(entry: ClusterEntry, found: Diagnosis) -> UserError:
    title = msg("Cluster %(name)s cannot be reached", name=entry.name)
    if found.status.reach is Reach.REFUSED:
        title = msg("Cluster %(name)s refuses the credentials", name=entry.name)
    stage = found.worst
    hint: Text = stage.hint if stage else ""
    if entry.source == "practice" and stage and stage.name == "tcp":
        hint = msg("Start it: ansflow-desktop practice start %(name)s", name=entry.name)
    return UserError(title, found.status.message, hint, field="k8s_cluster", code=ExitCode.UNREACHABLE)


def _print_stages(session: Session, found: Diagnosis) -> None:
    words = {
        Finding.GOOD: _("good"),
        Finding.WARNING: _("warning"),
        Finding.BAD: _("failed"),
        Finding.SKIPPED: _("skipped"),
    }
    rows = [(translate(NAMES[stage.name]), words[stage.finding], _found(stage)) for stage in found.stages]
    session.out.line(table((_("STAGE"), _("RESULT"), _("FOUND")), rows))


def _found(stage: Stage) -> str:
    """Return what was found in one line; the hint too where nothing else will show it."""
    parts = [stage.title, stage.message, stage.hint if stage.finding is Finding.WARNING else ""]
    return " – ".join(text for text in map(translate, parts) if text)


NAMES: dict[str, Text] = {
    "address": msg("Address"),
    "proxy": msg("Proxy"),
    "dns": msg("Name lookup"),
    "tcp": msg("Port"),
    "tls": msg("Encryption"),
    "api": msg("API server"),
    "credentials": msg("Credentials"),
    "rights": msg("Rights"),
    "version": msg("Version"),
}
"""What the stages of a connection test are called."""


def _document(session: Session, entry: ClusterEntry, found: Diagnosis, error: UserError | None) -> None:
    """Write the row, with the stages and what is known of the user; the error's own lines go to stderr."""
    document = {
        **row(entry, found.status),
        "latency_ms": round(found.status.latency_ms, 1),
        "user": found.user,
        "groups": found.groups,
        "clock_ahead_s": round(found.clock_ahead, 1),
        "stages": found.stages,
    }
    if error:
        parts = {"title": error.title, "message": error.message, "hint": error.hint, "field": error.field}
        document["error"] = {**parts, "code": int(error.code)}
        session.out.note(error.title)
    session.out.document(document)
