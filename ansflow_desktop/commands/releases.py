"""`releases list|history`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop.commands.execution import require_reachable
from ansflow_desktop.commands.output import plain, table
from ansflow_desktop.commands.progress import release_cells, release_heads, short_time
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, Text, _, msg
from ansflow_desktop.models.cluster import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.models.release import Release

_KEYS = ("name", "namespace", "revision", "updated", "status", "chart", "app_version")


def releases_list(session: Session) -> int:
    """Show the releases of one cluster or of all; one that cannot be asked says so in its row, exit code 0.

    Each is asked for its version first: one that does not answer costs 5 s and not the time that a long list may take.
    """
    if session.args.cluster:
        entry = session.entry(session.args.cluster)
        require_reachable(session, entry)
    names = [session.args.cluster] if session.args.cluster else _usable(session)
    from ansflow_desktop.kube import sync

    answers = sync.run(_ask_all(session, names))
    found = [release for answer in answers.values() if not isinstance(answer, UserError) for release in answer]
    failed = {name: answer for name, answer in answers.items() if isinstance(answer, UserError)}
    if session.args.cluster and failed:
        raise failed[session.args.cluster]
    _show(session, found, failed, len(answers))
    return int(ExitCode.DONE)


def _usable(session: Session) -> list[str]:
    return [entry.name for entry in session.services.catalog.entries() if not entry.problem]


async def _ask_all(session: Session, names: Sequence[str]) -> dict[str, list[Release] | UserError]:
    answers = await asyncio.gather(*(_ask(session, name) for name in names))
    return dict(zip(names, answers, strict=True))


async def _ask(session: Session, name: str) -> list[Release] | UserError:
    from ansflow_desktop.kube import probe, releases

    status = await probe.check_named(session.services.catalog, name)
    if status.reach is Reach.APPROVAL_NEEDED:
        return UserError(msg("Runs a program to get credentials that nobody has allowed yet"))
    if status.reach is not Reach.REACHABLE:
        return UserError(status.message)
    try:
        found = await releases.list_releases(session.services.catalog.document(name), session.args.namespace)
    except UserError as error:
        return error
    return [_of_cluster(release, name) for release in found]


def _of_cluster(release: Release, name: str) -> Release:
    return msgspec.structs.replace(release, cluster=name)


def _show(session: Session, found: Sequence[Release], failed: dict[str, UserError], asked: int) -> None:
    if not session.out.is_text:
        rows = [_row(release) for release in found]
        session.out.document(rows + [_failed_row(name, error) for name, error in failed.items()])
    elif found:
        heads = (_("CLUSTER"), *release_heads())
        session.out.line(table(heads, [(release.cluster, *release_cells(release)) for release in found]))
    for name, error in failed.items():
        session.out.note(msg("%(name)s could not be asked: %(reason)s", name=name, reason=_reason(error)))
    if not found:
        session.out.note(_nothing(asked, len(failed)))


def _reason(error: UserError) -> Text:
    if not error.message:
        return error.title
    return msg("%(title)s: %(words)s", title=error.title, words=error.message)


def _nothing(asked: int, failed: int) -> Message:
    """Return why no release is shown: there is none, no cluster said so, or there is no cluster."""
    if not asked:
        return msg("No cluster found. `ansflow-desktop practice start` starts one on this machine.")
    if failed == asked:
        return msg("No cluster could be asked: whether there are releases is not known.")
    return msg("No releases in the clusters that answered.") if failed else msg("No releases.")


def _row(release: Release) -> dict[str, Any]:
    fields = plain(release)
    return {**{key: fields[key] for key in _KEYS}, "cluster": release.cluster}


def _failed_row(name: str, error: UserError) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(_KEYS, "")
    return {**empty, "revision": 0, "status": "unknown", "cluster": name, "message": error.title}


def releases_history(session: Session) -> int:
    """Show the revisions of one release, newest first."""
    from ansflow_desktop.kube import releases, sync

    entry = session.entry(session.args.cluster)
    namespace = session.namespace(entry)
    require_reachable(session, entry)
    document = session.services.catalog.document(entry.name)
    found = list(sync.run(releases.history(document, namespace, session.args.release)))
    if not found:
        raise UserError(
            msg(
                "There is no release %(name)s in namespace %(namespace)s",
                name=session.args.release,
                namespace=namespace,
            ),
            field="release_name",
            code=ExitCode.FAILED,
        )
    if session.out.is_text:
        heads = (_("REVISION"), _("UPDATED"), _("STATUS"), _("CHART"), _("APP VERSION"), _("DESCRIPTION"))
        session.out.line(table(heads, [_history_cells(release) for release in found]))
    else:
        session.out.document(
            [{**_row(_of_cluster(item, entry.name)), "description": item.description} for item in found]
        )
    return int(ExitCode.DONE)


def _history_cells(item: Release) -> tuple[str, ...]:
    return (
        str(item.revision),
        short_time(item.updated),
        item.status.value,
        item.chart,
        item.app_version,
        item.description,
    )
