"""How credentials are said and shown: words, icons and tones of both verdicts, kinds, and spans of time."""

from __future__ import annotations

import datetime
import time

from ansflow_desktop.i18n import Message, _, msg, msg_n, translate
from ansflow_desktop.models.credential import (
    ClaimVerdict,
    CredentialKind,
    CredentialReport,
    CredentialStatus,
    ServerVerdict,
    When,
)
from ansflow_desktop.presenters.credentials_state import Group
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.words import Look

CLAIM: dict[ClaimVerdict, Look] = {
    ClaimVerdict.VALID: Look(msg("Valid"), "check-circle", "ok"),
    ClaimVerdict.EXPIRING: Look(msg("Expires soon"), "clock-alert-outline", "warn"),
    ClaimVerdict.EXPIRED: Look(msg("Expired"), "close-circle", "bad"),
    ClaimVerdict.NOT_YET_VALID: Look(msg("Not valid yet"), "clock-outline", "warn"),
    ClaimVerdict.NO_EXPIRY: Look(msg("No end"), "infinity", "warn"),
    ClaimVerdict.RENEWS_ITSELF: Look(msg("Renews itself"), "autorenew", "ok"),
    ClaimVerdict.OPAQUE: Look(msg("Says nothing"), "help-circle", "muted"),
    ClaimVerdict.MALFORMED: Look(msg("Not readable"), "alert-circle", "bad"),
}

SERVER: dict[ServerVerdict, Look] = {
    ServerVerdict.ACCEPTED: Look(msg("Accepted"), "check-circle", "ok"),
    ServerVerdict.REFUSED: Look(msg("Refused"), "close-circle", "bad"),
    ServerVerdict.FORBIDDEN: Look(msg("No rights"), "shield-alert-outline", "warn"),
    ServerVerdict.UNREACHABLE: Look(msg("Not reachable"), "server-network", "warn"),
    ServerVerdict.NOT_ASKED: Look(msg("Not asked"), "circle-outline", "muted"),
    ServerVerdict.UNKNOWN: Look(msg("No clear answer"), "help-circle", "muted"),
}

STATUS: dict[CredentialStatus, Look] = {
    CredentialStatus.VALID: Look(msg("In order"), "check-circle", "ok"),
    CredentialStatus.WARNING: Look(msg("Needs a look"), "alert", "warn"),
    CredentialStatus.INVALID: Look(msg("Does not work"), "close-circle", "bad"),
    CredentialStatus.NO_TOKEN: Look(msg("No credential"), "circle-outline", "muted"),
}

KIND: dict[CredentialKind, Message] = {
    CredentialKind.TOKEN: msg("Token"),
    CredentialKind.TOKEN_FILE: msg("Token file"),
    CredentialKind.LEGACY_TOKEN: msg("Token of a Secret"),
    CredentialKind.CLIENT_CERTIFICATE: msg("Client certificate"),
    CredentialKind.CA_CERTIFICATE: msg("Authority's certificate"),
    CredentialKind.SERVER_CERTIFICATE: msg("Server's certificate"),
    CredentialKind.EXEC_PLUGIN: msg("Credential program"),
    CredentialKind.OIDC_ID_TOKEN: msg("OIDC token"),
    CredentialKind.OIDC_REFRESH_TOKEN: msg("OIDC refresh token"),
    CredentialKind.PASSWORD: msg("Password"),
    CredentialKind.REGISTRY_LOGIN: msg("Registry login"),
    CredentialKind.IMAGE_PULL: msg("Image pull secret"),
}

GROUP: dict[Group, tuple[Message, str, str]] = {
    Group.BROKEN: (msg("do not work"), "close-circle", "bad"),
    Group.SOON: (msg("expire soon"), "clock-alert-outline", "warn"),
    Group.ODD: (msg("need a look"), "alert", "warn"),
    Group.FINE: (msg("in order"), "check-circle", "ok"),
}


def tone_of(report: CredentialReport) -> str:
    """Return the tone of a credential's bar on the time line: that of what it says of itself."""
    return {"muted": "ok"}.get(CLAIM[report.claim_verdict].tone, CLAIM[report.claim_verdict].tone)


def seconds_left(when: When, now: float | None = None) -> float:
    """Return the seconds until `when`, negative when it is over; a year 9999 is no problem."""
    if when is None:
        return float("inf")
    epoch = (when - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds()
    return epoch - (time.time() if now is None else now)


def end(when: When, now: float | None = None) -> str:
    """Return when a credential ends, from now on: in 3 days, 4 days ago; empty where it has no end."""
    if when is None:
        return ""
    left = seconds_left(when, now)
    return words.age(-left) if left < 0 else ahead(left)


def ahead(seconds: float) -> str:
    """Return a span of time that is still to come, in the largest fitting unit."""
    count = max(0, int(seconds))
    if count < 60:
        return translate(msg_n("in %(count)s second", "in %(count)s seconds", count))
    if count < 3600:
        return translate(msg_n("in %(count)s minute", "in %(count)s minutes", count // 60))
    if count < 2 * 86400:
        return translate(msg_n("in %(count)s hour", "in %(count)s hours", count // 3600))
    if count < 3 * 365 * 86400:
        return translate(msg_n("in %(count)s day", "in %(count)s days", count // 86400))
    return translate(msg_n("in %(count)s year", "in %(count)s years", int(count // (365.25 * 86400))))


def local(when: When) -> str:
    """Return a time as the clock on this machine shows it, to the minute; what no clock shows stays in UTC."""
    if when is None:
        return ""
    try:
        return when.astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"{when.year:04d}-{when.month:02d}-{when.day:02d} UTC"


def since(when: When) -> str:
    """Return how long ago `when` was, empty for never."""
    return words.age(-seconds_left(when)) if when is not None else ""


def used_by(report: CredentialReport) -> str:
    """Return where a credential is used: the cluster, or how many of them."""
    names = sorted({use.cluster for use in report.credential.used_by if use.cluster})
    if len(names) <= 1:
        return names[0] if names else ""
    return translate(msg_n("%(count)s cluster", "%(count)s clusters", len(names)))


def used_by_all(report: CredentialReport) -> str:
    """Return every place where a credential is used, one a line."""
    uses = report.credential.used_by
    return "\n".join(f"{use.cluster}  {use.place}".strip() for use in uses)


def lifetime(report: CredentialReport) -> str:
    """Return how much of its lifetime a credential has used, as a percentage."""
    used = report.lifetime_used
    return f"{round(max(0.0, min(1.0, used)) * 100)} %" if used is not None else ""


def expires(report: CredentialReport) -> str:
    """Return when a credential ends, or why it says no end."""
    when = report.credential.claims.expires_at
    if when is not None:
        return end(when)
    return _("never") if report.claim_verdict is ClaimVerdict.NO_EXPIRY else _("not said")
