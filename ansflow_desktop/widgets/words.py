"""The same word, icon and tone for a state wherever it is shown: never colour alone (ui.md)."""

from __future__ import annotations

import time

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg, msg_n, translate
from ansflow_desktop.models.cluster import ClusterStatus, Reach
from ansflow_desktop.models.release import ReleaseStatus
from ansflow_desktop.models.run import Health, Phase


def error_lines(error: UserError | None) -> str:
    """Return what happened, in whose words, and the way out, a line each; empty for no error."""
    if error is None:
        return ""
    return "\n".join(translate(part) for part in (error.title, error.message, error.hint) if part)


class Look(msgspec.Struct, frozen=True):
    """How a state looks: its word, its icon and its tone (ok, warn, bad, accent or muted)."""

    word: Message
    icon: str
    tone: str


HEALTH: dict[Health, Look] = {
    Health.HEALTHY: Look(msg("Healthy"), "check-circle", "ok"),
    Health.PROGRESSING: Look(msg("Progressing"), "progress-clock", "accent"),
    Health.DEGRADED: Look(msg("Degraded"), "alert-circle", "bad"),
    Health.SUSPENDED: Look(msg("Suspended"), "pause-circle", "warn"),
    Health.MISSING: Look(msg("Missing"), "minus-circle", "warn"),
    Health.UNKNOWN: Look(msg("Unknown"), "help-circle", "muted"),
}

PHASE: dict[Phase, Look] = {
    Phase.PENDING: Look(msg("Pending"), "clock-outline", "muted"),
    Phase.RUNNING: Look(msg("Running"), "progress-clock", "accent"),
    Phase.SUCCEEDED: Look(msg("Succeeded"), "check-circle", "ok"),
    Phase.FAILED: Look(msg("Failed"), "close-circle", "bad"),
    Phase.CANCELLED: Look(msg("Cancelled"), "cancel", "warn"),
    Phase.SKIPPED: Look(msg("Skipped"), "minus-circle", "muted"),
    Phase.UNKNOWN: Look(msg("Unknown"), "help-circle", "warn"),
}

REACH: dict[Reach, Look] = {
    Reach.UNCHECKED: Look(msg("Not checked"), "circle-outline", "muted"),
    Reach.CHECKING: Look(msg("Checking"), "progress-clock", "muted"),
    Reach.REACHABLE: Look(msg("Reachable"), "check-circle", "ok"),
    Reach.UNREACHABLE: Look(msg("Not reachable"), "close-circle", "bad"),
    Reach.REFUSED: Look(msg("Credentials refused"), "shield-alert-outline", "bad"),
    Reach.APPROVAL_NEEDED: Look(msg("Approval needed"), "shield-key-outline", "warn"),
    Reach.LOCKED: Look(msg("Vault locked"), "lock-outline", "warn"),
}

STOPPED = Look(msg("Stopped"), "stop", "muted")

_STATUS: dict[ReleaseStatus, tuple[str, str]] = {
    ReleaseStatus.DEPLOYED: ("check-circle", "ok"),
    ReleaseStatus.FAILED: ("close-circle", "bad"),
    ReleaseStatus.SUPERSEDED: ("history", "muted"),
    ReleaseStatus.UNINSTALLED: ("minus-circle", "muted"),
    ReleaseStatus.UNKNOWN: ("help-circle", "muted"),
}


def release_look(status: ReleaseStatus) -> Look:
    """Return the look of a release's status; the word is Helm's own term."""
    icon, tone = _STATUS.get(status, ("timer-sand", "warn"))
    return Look(Message(status.value), icon, tone)


def reach_look(status: ClusterStatus, *, stopped: bool = False) -> Look:
    """Return the look of a check's result; `stopped` for a practice cluster that does not run."""
    return STOPPED if stopped else REACH[status.reach]


def age(seconds: float) -> str:
    """Return how long ago something was, in the largest fitting unit."""
    count = max(0, int(seconds))
    if not count:
        return translate(msg("just now"))
    if count < 60:
        return translate(msg_n("%(count)s second ago", "%(count)s seconds ago", count))
    if count < 3600:
        return translate(msg_n("%(count)s minute ago", "%(count)s minutes ago", count // 60))
    if count < 86400:
        return translate(msg_n("%(count)s hour ago", "%(count)s hours ago", count // 3600))
    return translate(msg_n("%(count)s day ago", "%(count)s days ago", count // 86400))


def clock(seconds: float) -> str:
    """Return a span as minutes and seconds: 04:46."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    text = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{text}" if hours else text


def time_of_day(when: float) -> str:
    """Return the local time of day of epoch seconds `when`."""
    return time.strftime("%H:%M:%S", time.localtime(when))
