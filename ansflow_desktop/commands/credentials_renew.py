"""`credentials renew` and `credentials script`."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from ansflow_desktop.commands.session import Session
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import _, msg
from ansflow_desktop.models.duration import parse_duration

if TYPE_CHECKING:
    from ansflow_desktop.executors.renewal import How, Renewal, Wanted
    from ansflow_desktop.models.credential import GeneratedFile, OldSecret

_WAYS: dict[str, How] = {"": "", "token": "token_request", "certificate": "csr"}
_DAYS = re.compile(r"([0-9]{1,7})d", re.ASCII)
_DAY_S = 24 * 60 * 60


def credentials_renew(session: Session) -> int:
    """Get a new credential, try it, and put it in its place; the old one stays where that fails."""
    from ansflow_desktop.commands import waiting
    from ansflow_desktop.executors import renewal
    from ansflow_desktop.kube import sync

    cluster = cluster_of(session, session.args.name)
    wanted = _wanted(session)
    if session.args.remove_old_secret:
        sync.run(_require_removable(session, cluster, wanted.put))
    renewing = renewal.renew(session.services, cluster, wanted, told=session.out.note)
    asked = wanted.via or cluster
    done = waiting.run(session, renewing, lambda: msg("The renewal at %(name)s is still under way…", name=asked))
    try:
        removed = session.args.remove_old_secret and sync.run(_removed(session, done))
    except UserError:
        _show(session, done, removed=False)  # the new one is in its place whatever became of the old one
        raise
    _show(session, done, removed=removed)
    return int(ExitCode.DONE)


def _wanted(session: Session) -> Wanted:
    """Return what was asked for; raises UserError for options that do not go together, before anything is asked."""
    from ansflow_desktop.executors.renewal import Wanted

    args = session.args
    namespace, account = _account(session)
    named = bool(args.user or args.group or args.signer)
    if (args.by == "certificate" and account) or (args.by == "token" and named) or (account and named):
        hint = msg("A token takes --account; a certificate takes --user, --group and --signer.")
        raise UserError(msg("These options do not go together"), "", hint, field="by")
    by = args.by or ("certificate" if named else "")
    return Wanted(
        how=_WAYS[by],
        namespace=namespace,
        account=account,
        user=args.user or "",
        groups=tuple(args.group),
        signer=args.signer or "",
        seconds=lifetime(args.duration),
        put="file" if args.save else "",
        file=args.save or "",
        via=cluster_of(session, args.via) if args.via else "",
        patience=parse_duration(args.patience, "patience"),
    )


async def _require_removable(session: Session, cluster: str, put: str) -> None:
    """Raise UserError where the old Secret could not be deleted afterwards, before anything is renewed."""
    from ansflow_desktop.executors import renewal_legacy

    document = await asyncio.to_thread(session.services.catalog.document, cluster)
    old = await asyncio.to_thread(renewal_legacy.old_secret_of, document)
    own = await asyncio.to_thread(session.services.cluster_book.own, cluster)
    replaced = cluster if own is not None and not put else ""
    await renewal_legacy.require_removable(session.services, cluster, old, session.args.confirm, but=replaced)


async def _removed(session: Session, done: Renewal) -> bool:
    from ansflow_desktop.executors import renewal_legacy

    if done.old_secret is None:
        return False
    await renewal_legacy.remove_old_secret(session.services, done.cluster, done.old_secret, session.args.confirm)
    return True


def credentials_script(session: Session) -> int:
    """Print the files that renew a token by themselves, or write them into `--out`."""
    from ansflow_desktop.credentials import automation
    from ansflow_desktop.executors import automation as making
    from ansflow_desktop.kube import sync

    cluster = cluster_of(session, session.args.name)
    namespace, account = _account(session)
    seconds, folder = lifetime(session.args.duration), session.args.out or ""
    request = sync.run(
        making.request_for(
            session.services, cluster, namespace=namespace, account=account, seconds=seconds, folder=folder
        )
    )
    files = automation.files(session.args.kind, request)
    if folder:
        _show_written(session, files, [str(path) for path in making.save(files, folder)])
    else:
        _print(session, files)
    return int(ExitCode.DONE)


def cluster_of(session: Session, name: str) -> str:
    """Return the cluster that `name` (`user @ context`, or just the cluster) means, its program approved.

    Raises UserError for one that is unknown or broken.
    """
    entries = session.services.catalog.entries()
    if not any(entry.name == name for entry in entries):
        name = next((entry.name for entry in entries if f"{entry.user} @ {entry.name}" == name), name)
    return session.entry(name).name


def lifetime(text: str) -> int:
    """Return the seconds of `24h`, `30m` or `7d`; raises UserError."""
    days = _DAYS.fullmatch(text)
    return int(days[1]) * _DAY_S if days else round(parse_duration(text, "duration"))


def _account(session: Session) -> tuple[str, str]:
    from ansflow_desktop.credentials.renew import parse_account

    given = session.args.account
    return ("", "") if given is None else parse_account(given)


def _show(session: Session, done: Renewal, *, removed: bool) -> None:
    if not session.out.is_text:
        old = f"{done.old_secret.namespace}/{done.old_secret.name}" if done.old_secret else None
        session.out.document({**document(done), "old_secret": old, "removed_old_secret": removed})
        return
    ends = done.expires_at.astimezone().isoformat(" ", "minutes") if done.expires_at else _("an unknown time")
    values = {"user": done.user or done.cluster, "ends": ends, "place": done.place}
    texts = {
        "replace": msg("%(user)s: renewed until %(ends)s, in place of the old one in the vault", **values),
        "copy": msg("%(user)s: renewed until %(ends)s, in the new cluster %(place)s", **values),
        "file": msg("%(user)s: renewed until %(ends)s, in %(place)s", **values),
    }
    session.out.line(texts[done.put])
    for note in done.notes:
        session.out.note(note)
    if done.old_secret is not None:
        _tell_old(session, done.old_secret, removed=removed)


def _tell_old(session: Session, old: OldSecret, *, removed: bool) -> None:
    secret = f"{old.namespace}/{old.name}"
    if removed:
        session.out.note(msg("The old Secret %(secret)s was deleted; its token works no more.", secret=secret))
    else:
        session.out.note(msg("The old token still works until its Secret %(secret)s is deleted.", secret=secret))
        values = {"namespace": old.namespace, "name": old.name}
        session.out.note(msg("When nobody uses it any more: kubectl -n %(namespace)s delete secret %(name)s", **values))


def document(done: Renewal) -> dict[str, object]:
    """Return the JSON document of a renewal; nothing secret is in it."""
    return {
        "cluster": done.cluster,
        "how": done.how,
        "user": done.user,
        "expires_at": done.expires_at.isoformat() if done.expires_at else None,
        "expired_at": done.expired_at.isoformat() if done.expired_at else None,
        "put": done.put,
        "place": done.place,
        "notes": done.notes,
    }


def _show_written(session: Session, files: tuple[GeneratedFile, ...], paths: list[str]) -> None:
    if not session.out.is_text:
        session.out.document([{"file": path, "about": file.about} for path, file in zip(paths, files, strict=True)])
        return
    for path, file in zip(paths, files, strict=True):
        session.out.line(path)
        session.out.note(file.about)


def _print(session: Session, files: tuple[GeneratedFile, ...]) -> None:
    if not session.out.is_text:
        session.out.document([{"file": file.name, "about": file.about, "text": file.text} for file in files])
        return
    for file in files:
        if len(files) > 1:
            session.out.note(msg("File %(name)s:", name=file.name))
        session.out.write(file.text)
        session.out.note(file.about)
