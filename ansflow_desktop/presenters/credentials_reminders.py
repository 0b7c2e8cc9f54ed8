"""Reminders of what ends soon: told once for each chosen day, by the desktop and by a banner; what was told is kept."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop import files
from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.presenters.shell_state import Banner

if TYPE_CHECKING:
    from ansflow_desktop.credentials.reminders import Reminder
    from ansflow_desktop.models.credential import CredentialReport

_NAMED = 3


def due_now(reports: Sequence[CredentialReport], days: tuple[int, ...], file: Path) -> tuple[Reminder, ...]:
    """Return what is to be told now and was not told before as `file` says, what ends first at the head. Blocks."""
    from ansflow_desktop.credentials import reminders

    return reminders.due(reports, days, _read_told(file), datetime.datetime.now(datetime.UTC))


def _read_told(path: Path) -> dict[str, int]:
    """Return the least day told of each; nothing where the file is missing or damaged: one is then told once more."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def remember(path: Path, due: Sequence[Reminder], reports: Sequence[CredentialReport]) -> None:
    """Add `due` to what was told, without what is gone from `reports`; raises UserError where that fails. Blocks."""
    from ansflow_desktop.credentials import reminders

    told = _read_told(path) | {one.key: one.day for one in due}
    files.write_atomic(path, msgspec.json.encode(reminders.kept(told, reports)))


def reminder_banner(due: Sequence[Reminder]) -> Banner:
    """Return the banner on what ends soon, the nearest first; it names three at most."""
    title = msg_n("%(count)s credential needs you soon", "%(count)s credentials need you soon", len(due))
    text: Text = ""
    for one in due[:_NAMED]:
        said = _sentence(one)
        text = msg("%(one)s %(more)s", one=text, more=said) if text else said
    return Banner(key="expiring", tone="warn", title=title, text=text)


def _sentence(one: Reminder) -> Text:
    name = one.report.credential.name
    left = int((one.expires_at - datetime.datetime.now(datetime.UTC)).total_seconds())
    if left <= 0:
        return msg("%(name)s has expired.", name=name)
    hours, days = max(1, left // 3600), left // 86400
    if days < 2:
        return msg_n("%(name)s expires in %(count)s hour.", "%(name)s expires in %(count)s hours.", hours, name=name)
    return msg_n("%(name)s expires in %(count)s day.", "%(name)s expires in %(count)s days.", days, name=name)
