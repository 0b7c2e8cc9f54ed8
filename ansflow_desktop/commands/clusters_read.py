"""`clusters sync|stats|namespaces`: what a cluster holds."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop.commands import waiting
from ansflow_desktop.commands.cluster_rows import row
from ansflow_desktop.commands.output import table
from ansflow_desktop.commands.session import Session, tell_problems
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, _, msg, translate
from ansflow_desktop.models.cluster import Amount, ClusterEntry, ClusterStatistics, ClusterStatus, NamespaceList, Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansflow_desktop.kube.namespace_cache import NamespaceCache

_AT_ONCE = 4
_GIB = 1024**3


class _Synced(msgspec.Struct, frozen=True, kw_only=True):
    """What one cluster said; parts that could not be read are None."""

    entry: ClusterEntry
    status: ClusterStatus
    namespaces: NamespaceList | None = None
    statistics: ClusterStatistics | None = None


def clusters_namespaces(session: Session) -> int:
    """Show the namespaces of one cluster, one a line; where listing is forbidden, those that may be used."""
    from ansflow_desktop.commands.execution import require_reachable
    from ansflow_desktop.kube.namespace_cache import candidates

    services = session.services
    entry = session.entry(session.args.cluster)
    require_reachable(session, entry)
    document = services.catalog.document(entry.name)
    reading = services.namespaces.read(entry.name, document, candidates(entry, services.settings))
    found = waiting.run(session, reading, lambda: waiting.for_answers(entry.name))
    if found.message:
        session.out.note(found.message)
    if session.out.is_text:
        session.out.line("\n".join(found.names))
    else:
        session.out.document(found.names)
    return int(ExitCode.DONE)


def clusters_stats(session: Session) -> int:
    """Show the figures of one cluster; exit code 3 when it does not answer or refuses."""
    from ansflow_desktop.commands.execution import require_reachable
    from ansflow_desktop.kube.statistics import read_statistics

    entry = session.entry(session.args.cluster)
    require_reachable(session, entry)
    reading = read_statistics(session.services.catalog.document(entry.name), entry.name)
    found = waiting.run(session, reading, lambda: waiting.for_answers(entry.name))
    if not session.out.is_text:
        session.out.document(found)
        return int(ExitCode.DONE)
    for message in found.messages:
        session.out.note(message)
    session.out.line(table((_("WHAT"), _("FIGURE")), figures(found)))
    return int(ExitCode.DONE)


def figures(found: ClusterStatistics) -> list[tuple[str, str]]:
    """Return the figures in words, one a line; `-` for what may not be read."""
    ready = (
        "-"
        if found.nodes is None
        else _("%(ready)s of %(count)s ready")
        % {
            "ready": found.nodes_ready,
            "count": found.nodes,
        }
    )
    lines = [
        (_("Version"), found.version),
        (_("Nodes"), ready),
        (_("Namespaces"), "-" if found.namespaces is None else str(found.namespaces)),
        *((kind, _counts(health.items())) for kind, health in found.workloads.items()),
        (_("Pods"), "-" if found.pods is None else _counts(found.pods.items())),
    ]
    amounts = ((_("Allocatable"), found.allocatable), (_("Requested"), found.requested), (_("Used"), found.used))
    return [*lines, *((name, _amount(amount)) for name, amount in amounts)]


def _counts(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{number} {word}" for word, number in items if number) or "0"


def _amount(amount: Amount | None) -> str:
    if amount is None:
        return "-"
    return _("%(cpu)s cores, %(memory)s GiB") % {"cpu": f"{amount.cpu:.2f}", "memory": f"{amount.memory / _GIB:.2f}"}


def clusters_sync(session: Session) -> int:
    """Read version, namespaces and figures of one cluster or of all, a few at a time.

    The namespaces are kept, with the time, for the boxes of the window; version and figures are only shown: they are
    read anew where they are looked at. Exit code 0 for all of them, whatever they answer; 3 for a single one that does
    not.
    """
    named = session.args.cluster
    entries = [session.entry(named)] if named else list(session.services.catalog.entries())
    if not named:
        tell_problems(session, session.services.catalog.problems())
    answered: set[str] = set()
    silent = functools.partial(_silent, entries, answered)
    found = waiting.run(session, _sync_all(session, entries, answered), silent)
    if session.out.is_text:
        _print(session, found)
    else:
        documents = [_document(one) for one in found]
        session.out.document(documents[0] if named else documents)
    return int(_exit_code(found[0].status.reach) if named else ExitCode.DONE)


def _exit_code(reach: Reach) -> ExitCode:
    if reach is Reach.REACHABLE:
        return ExitCode.DONE
    return ExitCode.INVALID if reach is Reach.LOCKED else ExitCode.UNREACHABLE


def _silent(entries: Sequence[ClusterEntry], answered: set[str]) -> Text:
    return waiting.for_answers(*(entry.name for entry in entries if entry.name not in answered))


async def _sync_all(session: Session, entries: Sequence[ClusterEntry], answered: set[str]) -> list[_Synced]:
    """Read all; `answered` gathers the names of those that are done."""
    cache, places = session.services.namespaces, asyncio.Semaphore(_AT_ONCE)

    async def one(entry: ClusterEntry) -> _Synced:
        async with places:
            found = await _sync(session, cache, entry)
        answered.add(entry.name)
        return found

    return await asyncio.gather(*map(one, entries))


async def _sync(session: Session, cache: NamespaceCache, entry: ClusterEntry) -> _Synced:
    from ansflow_desktop.kube import probe
    from ansflow_desktop.kube.namespace_cache import candidates
    from ansflow_desktop.kube.statistics import read_statistics

    services = session.services
    status = await probe.check_named(services.catalog, entry.name)
    if status.reach is not Reach.REACHABLE:
        return _Synced(entry=entry, status=status)
    try:
        document = services.catalog.document(entry.name)
        namespaces, statistics = await asyncio.gather(
            cache.read(entry.name, document, candidates(entry, services.settings)),
            read_statistics(document, entry.name),
        )
    except UserError as error:  # it was lost meanwhile
        message = error.message or error.title
        lost = ClusterStatus(name=entry.name, reach=Reach.UNREACHABLE, message=message, checked_at=time.time())
        return _Synced(entry=entry, status=lost)
    return _Synced(entry=entry, status=status, namespaces=namespaces, statistics=statistics)


def _document(found: _Synced) -> dict[str, Any]:
    return {
        **row(found.entry, found.status),
        "namespaces": found.namespaces.names if found.namespaces else None,
        "namespaces_complete": found.namespaces.complete if found.namespaces else None,
        "statistics": found.statistics,
    }


def _print(session: Session, found: Sequence[_Synced]) -> None:
    if not found:
        session.out.note(msg("No cluster found. `ansflow-desktop practice start` starts one on this machine."))
        return
    heads = (_("NAME"), _("VERSION"), _("NAMESPACES"), _("NODES"), _("PODS"), _("MESSAGE"))
    session.out.line(table(heads, map(_line, found)))


def _line(one: _Synced) -> tuple[str, ...]:
    statistics = one.statistics or ClusterStatistics(cluster=one.entry.name)
    count = None if one.namespaces is None else len(one.namespaces.names)
    pods = None if statistics.pods is None else sum(statistics.pods.values())
    shown = ["-" if number is None else str(number) for number in (count, statistics.nodes, pods)]
    message: Text = row(one.entry, one.status)["message"]
    if not message and one.namespaces:
        message = one.namespaces.message
    return (one.entry.name, one.status.version, *shown, translate(message))
