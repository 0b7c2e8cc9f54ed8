"""The two verdicts on a credential, and the one sentence that says both: what it says of itself, what the server says.

They are never mixed: a token past its `exp` that the server accepts is `expired` and `accepted`.
"""

from __future__ import annotations

import datetime

from ansflow_desktop.credentials.verdict_words import (
    ACCEPTED,
    ALONE,
    FILE_MISSING,
    NOT_SURE,
    NOTHING,
    REFUSED,
    UNAPPROVED,
)
from ansflow_desktop.i18n import Message, Text, msg, msg_n
from ansflow_desktop.models.credential import (
    Claims,
    ClaimVerdict,
    CredentialKind,
    CredentialStatus,
    ServerAnswer,
    ServerVerdict,
)

CLOCK_S = 60.0
"""Clocks that differ by less are the same: a Date header tells whole seconds, and servers allow about a minute."""

LATER = datetime.timedelta(seconds=CLOCK_S)

NOT_ASKED_KINDS = frozenset(
    {
        CredentialKind.CA_CERTIFICATE,
        CredentialKind.SERVER_CERTIFICATE,
        CredentialKind.OIDC_REFRESH_TOKEN,
        CredentialKind.REGISTRY_LOGIN,
        CredentialKind.IMAGE_PULL,
    }
)
"""Kinds that no API server is ever shown as a sign-in: what they say of themselves is all there is."""

_BAD = frozenset({ClaimVerdict.EXPIRED, ClaimVerdict.NOT_YET_VALID, ClaimVerdict.MALFORMED})
_ANSWERED = frozenset({ServerVerdict.ACCEPTED, ServerVerdict.REFUSED, ServerVerdict.FORBIDDEN, ServerVerdict.UNKNOWN})


def claim_verdict(claims: Claims, now: datetime.datetime, warn: datetime.timedelta) -> ClaimVerdict:
    """Return what `claims` say at `now` (aware); one that ends within `warn` is `expiring`.

    At its `exp` a token has ended (RFC 7519, 4.1.4). One that begins within a minute counts as begun, as servers do it.
    """
    if claims.problem:
        return ClaimVerdict.MALFORMED
    if claims.renews:
        return ClaimVerdict.RENEWS_ITSELF
    end = claims.expires_at
    if end is not None and end <= now:
        return ClaimVerdict.EXPIRED
    if claims.not_before is not None and claims.not_before - now > LATER:
        return ClaimVerdict.NOT_YET_VALID
    if end is None:
        return ClaimVerdict.OPAQUE if claims.opaque else ClaimVerdict.NO_EXPIRY
    return ClaimVerdict.EXPIRING if end - now <= warn else ClaimVerdict.VALID


def status(
    kind: CredentialKind, claims: Claims, verdict: ClaimVerdict, answer: ServerAnswer, now: datetime.datetime
) -> tuple[CredentialStatus, Text]:
    """Return both verdicts as one word, and as one text in plain words; `now` is aware."""
    server = ServerVerdict.NOT_ASKED if kind in NOT_ASKED_KINDS else answer.verdict
    if is_missing(claims):
        return CredentialStatus.NO_TOKEN, msg("%(first)s %(second)s", first=NOTHING, second=_reason(claims.problem))
    if UNAPPROVED in claims.notes:
        return CredentialStatus.WARNING, UNAPPROVED
    parts = [_words(verdict, server)]
    if verdict is ClaimVerdict.MALFORMED:
        parts.append(_reason(claims.problem))
    if clock_differs(answer) and server in _ANSWERED:
        parts.append(_clock(claims, answer, now))
    word = _word(verdict, server)
    if claims.opaque and server is ServerVerdict.NOT_ASKED and word is CredentialStatus.VALID:
        word = CredentialStatus.WARNING  # a program that was not run yet: neither of the two says anything
    if word is CredentialStatus.VALID and len(parts) > 1:
        word = CredentialStatus.WARNING
    return word, _joined(parts)


def is_missing(claims: Claims) -> bool:
    """Return whether there is no credential at all: an empty field, a file that is not there."""
    problem = claims.problem
    return isinstance(problem, Message) and problem.text in FILE_MISSING


def clock_differs(answer: ServerAnswer) -> bool:
    """Return whether the server's clock and ours differ by a minute or more."""
    return abs(answer.clock_ahead) >= CLOCK_S


def lifetime_used(claims: Claims, now: datetime.datetime) -> float | None:
    """Return the used part of the lifetime, 0 to 1; None where beginning or end is not known."""
    begin, end = claims.issued_at or claims.not_before, claims.expires_at
    if begin is None or end is None or end <= begin:
        return None
    return min(max((now - begin) / (end - begin), 0.0), 1.0)


def _word(verdict: ClaimVerdict, server: ServerVerdict) -> CredentialStatus:
    if server is ServerVerdict.REFUSED:
        return CredentialStatus.INVALID
    accepted = server in (ServerVerdict.ACCEPTED, ServerVerdict.FORBIDDEN)
    if verdict in _BAD:
        return CredentialStatus.WARNING if accepted else CredentialStatus.INVALID
    sure = server is ServerVerdict.ACCEPTED or (
        server is ServerVerdict.NOT_ASKED and verdict is not ClaimVerdict.OPAQUE
    )
    return CredentialStatus.VALID if sure and verdict is not ClaimVerdict.EXPIRING else CredentialStatus.WARNING


def _words(verdict: ClaimVerdict, server: ServerVerdict) -> Text:
    if server is ServerVerdict.ACCEPTED:
        return ACCEPTED[verdict]
    if server is ServerVerdict.REFUSED:
        return REFUSED[verdict]
    if server in NOT_SURE:
        return _joined([ALONE[verdict], NOT_SURE[server]])
    return ALONE[verdict]


def _reason(problem: Text) -> Text:
    return msg("%(problem)s.", problem=problem) if problem else ""


def _clock(claims: Claims, answer: ServerAnswer, now: datetime.datetime) -> Text:
    """Return by how much the server's clock differs, and what that means where it means something."""
    ahead = answer.clock_ahead
    seconds = min(abs(ahead), 1e9)
    if ahead > 0:
        said = msg("The server's clock is %(time)s ahead of ours.", time=_span(seconds))
    else:
        said = msg("The server's clock is %(time)s behind ours.", time=_span(seconds))
    meaning = _by_its_clock(claims, now, seconds if ahead > 0 else -seconds)
    return _joined([said, meaning]) if meaning else said


def _by_its_clock(claims: Claims, now: datetime.datetime, ahead: float) -> Text:
    try:
        there = now + datetime.timedelta(seconds=ahead)
    except OverflowError:
        return ""
    none = datetime.timedelta(0)
    verdict = claim_verdict(claims, there, none)
    if verdict is claim_verdict(claims, now, none):
        return ""
    if verdict is ClaimVerdict.EXPIRED:
        return msg("By that clock it has expired.")
    if verdict is ClaimVerdict.NOT_YET_VALID:
        return msg("By that clock it is not yet valid.")
    return msg("By that clock it is valid.")


def _span(seconds: float) -> Message:
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if minutes < 120:
        return msg_n("%(count)s minute", "%(count)s minutes", minutes)
    if hours < 48:
        return msg_n("%(count)s hour", "%(count)s hours", hours)
    days = round(seconds / 86400)
    return msg_n("%(count)s day", "%(count)s days", days)


def _joined(parts: list[Text]) -> Text:
    joined = parts[0]
    for part in parts[1:]:
        joined = msg("%(first)s %(second)s", first=joined, second=part)
    return joined
