"""`credentials list|show`: what each credential says of itself, what the servers answer, and what to do."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.credentials_words import said
from ansflow_desktop.commands.output import plain, table
from ansflow_desktop.commands.session import Session
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import _, msg, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansflow_desktop.credentials.service import Overview
    from ansflow_desktop.models.credential import Advice, CredentialReport

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhdw])", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_MOST_S = 100 * 366 * 86400.0


def credentials_list(session: Session) -> int:
    """Show every credential; with `--within` only those that end within it, and exit code 1 when there is one.

    Clusters that cannot be read or reached are told on stderr and in their rows; they do not change the exit code.
    """
    from ansflow_desktop.credentials.service import ends_by

    given = session.args.within
    within = None if given is None else parse_within(given)
    _approve(session)
    found = _read(session, ask=not session.args.no_ask, warn=within)
    rows = found.reports
    if within is not None:
        last = found.read_at + within
        rows = tuple(row for row in rows if ends_by(row, last))
    _tell_unread(session, found)
    _write(session, rows)
    return int(ExitCode.FAILED if within is not None and rows else ExitCode.DONE)


def credentials_show(session: Session) -> int:
    """Show all that is known of one credential and what to do about it; the credential itself is never shown."""
    _approve(session)
    found = _read(session, ask=True)
    _tell_unread(session, found)
    report = pick(found.reports, session.args.name)
    if session.out.is_text:
        session.out.line("\n".join(_detail_lines(report)))
    else:
        session.out.document({**row(report), **_details(report)})
    return int(ExitCode.DONE)


def parse_within(text: str) -> datetime.timedelta:
    """Return the time that `7d`, `2w`, `36h` or `1h30m` says; raises UserError."""
    parts = _PART.findall(text) if _WHOLE.fullmatch(text) else []
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if 0 < seconds <= _MOST_S:
        return datetime.timedelta(seconds=seconds)
    hint = msg("Write a number with its unit, such as 7d or 12h.")
    raise UserError(msg("%(text)s is not a time that can be used", text=text or '""'), "", hint, field="within")


def pick(reports: Sequence[CredentialReport], name: str) -> CredentialReport:
    """Return the credential called `name`, or the only one whose id it is; raises UserError naming those there are."""
    for report in reports:
        if name in (report.credential.name, report.credential.id):
            return report
    names = ", ".join(report.credential.name for report in reports)
    hint = msg("There are: %(names)s.", names=names) if names else msg("There is no credential at all.")
    raise UserError(msg("There is no credential “%(name)s”", name=name), "", hint, field="name")


def row(report: CredentialReport) -> dict[str, Any]:
    """Return the row of cli.md: exactly its keys, times in UTC (RFC 3339), null where there is none."""
    credential, claims = report.credential, report.credential.claims
    return {
        "name": credential.name,
        "kind": credential.kind.value,
        "used_by": list(dict.fromkeys(use.cluster for use in credential.used_by)),
        "claim_verdict": report.claim_verdict.value,
        "server_verdict": report.server_verdict.value,
        "status": report.status.value,
        "status_message": translate(report.status_message),
        "issued_at": utc(claims.issued_at),
        "expires_at": utc(claims.expires_at),
        "checked_at": utc(report.answer.checked_at),
        "actions": [_action(advice) for advice in report.advice],
    }


def utc(when: datetime.datetime | None) -> str | None:
    """Return an aware time as RFC 3339 in UTC, to the second; None stays None."""
    return when.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if when else None


def _action(advice: Advice) -> dict[str, Any]:
    found: dict[str, Any] = plain(advice)
    return found


def _details(report: CredentialReport) -> dict[str, Any]:
    credential, claims, answer = report.credential, report.credential.claims, report.answer
    return {
        "id": credential.id,
        "places": [{"cluster": use.cluster, "place": use.place} for use in credential.used_by],
        "subject": claims.subject,
        "groups": list(claims.groups),
        "issuer": claims.issuer,
        "audience": list(claims.audience),
        "not_before": utc(claims.not_before),
        "algorithm": claims.algorithm,
        "serial": claims.serial,
        "problem": translate(claims.problem),
        "notes": [translate(note) for note in claims.notes],
        "lifetime_used": report.lifetime_used,
        "server_user": answer.user,
        "server_groups": list(answer.groups),
        "server_message": translate(answer.message),
        "clock_ahead_s": round(answer.clock_ahead),
    }


def _read(session: Session, *, ask: bool, warn: datetime.timedelta | None = None) -> Overview:
    from ansflow_desktop.commands import waiting

    reading = session.services.credentials.overview(ask, warn=warn)
    return waiting.run(session, reading, lambda: msg("Waiting for answers of the clusters…"))


def _approve(session: Session) -> None:
    """Approve the credential programs whose digests were given; no other is run."""
    for entry in session.services.catalog.entries():
        plugin = entry.exec_plugin
        if plugin and plugin.digest and plugin.digest in session.args.approve_plugin:
            session.services.approvals.approve(plugin)


def _tell_unread(session: Session, found: Overview) -> None:
    for unread in found.unread:
        session.out.note(msg("%(name)s: %(words)s", name=unread.cluster, words=unread.why))
        if unread.hint:
            session.out.note(f"  {translate(unread.hint)}")


def _write(session: Session, reports: Sequence[CredentialReport]) -> None:
    rows = [row(report) for report in reports]
    if not session.out.is_text:
        session.out.document(rows)
    elif not rows:
        session.out.note(msg("No credential to show."))
    else:
        heads = (_("NAME"), _("KIND"), _("CLAIM"), _("SERVER"), _("EXPIRES"), _("STATUS"), _("MESSAGE"))
        session.out.line(table(heads, map(_cells, rows)))


def _cells(item: dict[str, Any]) -> tuple[str, ...]:
    keys = ("name", "kind", "claim_verdict", "server_verdict", "expires_at", "status", "status_message")
    return tuple(said(key, item[key]) for key in keys)


def _detail_lines(report: CredentialReport) -> list[str]:
    item, more = row(report), _details(report)
    lines = [item["name"], f"  {item['status_message']}", ""]
    lines += [f"  {label}: {text}" for label, text in _facts(item, more) if text]
    for advice in report.advice:
        lines += ["", *_advice_lines(advice)]
    return lines


def _facts(item: dict[str, Any], more: dict[str, Any]) -> Iterable[tuple[str, str]]:
    yield _("kind"), said("kind", item["kind"])
    yield _("used by"), ", ".join(f"{use['cluster']} ({use['place']})" for use in more["places"])
    yield _("says of itself"), said("claim_verdict", item["claim_verdict"])
    yield _("server answers"), said("server_verdict", item["server_verdict"])
    yield _("issued"), item["issued_at"] or ""
    yield _("valid from"), more["not_before"] or ""
    yield _("expires"), item["expires_at"] or ""
    yield _("asked at"), item["checked_at"] or ""
    for label, key in ((_("subject"), "subject"), (_("issuer"), "issuer"), (_("serial number"), "serial")):
        yield label, more[key]
    yield _("groups"), ", ".join(more["groups"])
    yield _("audience"), ", ".join(more["audience"])
    yield _("the server takes it for"), more["server_user"]
    yield _("server's words"), more["server_message"]
    yield _("problem"), more["problem"]
    for note in more["notes"]:
        yield _("note"), note


def _advice_lines(advice: Advice) -> list[str]:
    parts = (advice.title, advice.why, advice.breaks)
    first, *rest = [text for part in parts if (text := translate(part))] or [advice.strategy.value]
    return [f"* {first}", *(f"  {text}" for text in rest)]
