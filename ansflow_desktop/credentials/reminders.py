"""Which credentials a person is to be reminded of now, each once a chosen day."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping

import msgspec

from ansflow_desktop.models.credential import ClaimVerdict, CredentialReport, When

DAYS = (30, 7, 1)
"""Days before the end at which a reminder is due when nothing else is chosen."""

ENDED = 0
"""The day of a credential that has ended."""


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """One reminder: the credential, the day that made it due (`ENDED` once it has ended), and the end.

    `key` is what to keep, with `day`, in the map of what was told.
    """

    key: str
    day: int
    report: CredentialReport
    expires_at: datetime.datetime


def due(
    reports: Iterable[CredentialReport], days: tuple[int, ...], told: Mapping[str, int], now: datetime.datetime
) -> tuple[Reminder, ...]:
    """Return the reminders of `now` (aware), what ends first at the head.

    `days` are the chosen days before the end; `told` maps `Reminder.key` to the least day that was told already. One
    reminder for a credential at a time: who starts the program late hears of the nearest day only. A credential that
    lives shorter than a day's distance is not told of then, else a token of an hour would be told of at once.
    """
    found = [reminder for report in reports if (reminder := _of(report, days, told, now))]
    return tuple(sorted(found, key=lambda item: (item.expires_at, item.key)))


def kept(told: Mapping[str, int], reports: Iterable[CredentialReport]) -> dict[str, int]:
    """Return `told` without the credentials that are gone or were renewed, so that it does not grow for ever."""
    keys = {_key(report) for report in reports}
    return {key: day for key, day in told.items() if key in keys}


def _of(
    report: CredentialReport, days: tuple[int, ...], told: Mapping[str, int], now: datetime.datetime
) -> Reminder | None:
    end = report.credential.claims.expires_at
    if end is None or report.claim_verdict in (ClaimVerdict.RENEWS_ITSELF, ClaimVerdict.MALFORMED):
        return None
    passed = [day for day in _days(report, days) if end - now <= datetime.timedelta(days=day)]
    key = _key(report)
    if not passed or min(passed) >= told.get(key, min(passed) + 1):
        return None
    return Reminder(key=key, day=min(passed), report=report, expires_at=end)


def _days(report: CredentialReport, days: tuple[int, ...]) -> list[int]:
    claims = report.credential.claims
    begin: When = claims.issued_at or claims.not_before
    if begin is None or claims.expires_at is None:
        return [*days, ENDED]
    lifetime = claims.expires_at - begin
    return [*(day for day in days if datetime.timedelta(days=day) < lifetime), ENDED]


def _key(report: CredentialReport) -> str:
    """Return the credential with its end: a renewed one is told of anew."""
    end = report.credential.claims.expires_at
    return f"{report.credential.id}@{int(end.timestamp())}" if end else report.credential.id
