"""Reminders of what ends soon: at chosen days, once each, told by the desktop and by a banner."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ansflow_desktop import files
from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.models.credential import CredentialKind, CredentialReport
from ansflow_desktop.presenters.shell_state import Banner

_NAMED = 3
_MOST = 500
_DAY_S = 86400
_NOT_OURS = (CredentialKind.CA_CERTIFICATE, CredentialKind.SERVER_CERTIFICATE)


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told: the credential's id and name, its end, and the day (before the end) that is reached."""

    credential: str
    name: str
    expires_at: datetime.datetime
    day: int

    @property
    def key(self) -> str:
        """What is remembered once it was told: this credential, this end, this day."""
        return f"{self.credential} {self.expires_at.isoformat()} {self.day}"


def due_now(reports: Sequence[CredentialReport], days: Sequence[int], file: Path) -> tuple[Reminder, ...]:
    """Return what is to be told now and does not stand in `file`, the nearest end first. Blocks."""
    told, now = _read_told(file), datetime.datetime.now(datetime.UTC)
    found = [due for one in reports if (due := reminder_of(one, days, now)) is not None and due.key not in told]
    return tuple(sorted(found, key=lambda one: one.expires_at))


def reminder_of(report: CredentialReport, days: Sequence[int], now: datetime.datetime) -> Reminder | None:
    """Return the reminder for the smallest of `days` that is reached, None before the first and for what renews itself.

    Day 0 is the end itself. What ended more than a day ago is no news.
    """
    claims = report.credential.claims
    if claims.expires_at is None or claims.renews or report.credential.kind in _NOT_OURS:
        return None
    left = (claims.expires_at - now).total_seconds()
    reached = [day for day in days if left <= day * _DAY_S]
    if not reached or left < -_DAY_S:
        return None
    one = report.credential
    return Reminder(credential=one.id, name=one.name, expires_at=claims.expires_at, day=min(reached))


def _read_told(path: Path) -> dict[str, str]:
    """Return what was told and when; nothing where the file is missing or damaged: one is then told once more."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def remember(path: Path, due: Sequence[Reminder]) -> None:
    """Add `due` to what was told, the newest 500 are kept; raises UserError where it cannot be written. Blocks."""
    now = datetime.datetime.now(datetime.UTC).isoformat()
    told = _read_told(path) | {one.key: now for one in due}
    newest = dict(sorted(told.items(), key=lambda item: item[1])[-_MOST:])
    files.write_atomic(path, msgspec.json.encode(newest))


def reminder_banner(due: tuple[Reminder, ...]) -> Banner:
    """Return the banner on what ends soon, the nearest first."""
    title = msg_n("%(count)s credential needs you soon", "%(count)s credentials need you soon", len(due))
    text: Text = ""
    for one in sorted(due, key=lambda one: one.expires_at)[:_NAMED]:
        said = _sentence(one)
        text = msg("%(one)s %(more)s", one=text, more=said) if text else said
    return Banner(key="expiring", tone="warn", title=title, text=text)


def _sentence(one: Reminder) -> Text:
    left = (one.expires_at - datetime.datetime.now(datetime.UTC)).total_seconds()
    if left <= 0:
        return msg("%(name)s has expired.", name=one.name)
    if left < 2 * 86400:
        return msg_n("%(name)s expires in %(count)s hour.", "%(name)s expires in %(count)s hours.",
                     max(1, int(left // 3600)), name=one.name)  # fmt: skip
    return msg_n("%(name)s expires in %(count)s day.", "%(name)s expires in %(count)s days.", int(left // 86400),
                 name=one.name)  # fmt: skip
