"""The sentences of every pair of verdicts."""

from __future__ import annotations

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.credential import ClaimVerdict, ServerVerdict

EMPTY = msg("It is empty")
FILE_MISSING = frozenset({EMPTY.text, "The file %(file)s does not exist"})
"""Problems that mean that there is no credential, not a bad one."""

NOTHING = msg("There is no credential.")
UNAPPROVED = msg("Nothing is known of it until its program is approved.")
"""The note of a credential program that nobody has allowed yet: it was not run, so it gave nothing."""
NOT_RUN = msg("The program was not run yet since the start.")
"""The note of a credential program that may run and did not yet."""

ALONE: dict[ClaimVerdict, Message] = {
    ClaimVerdict.VALID: msg("It is valid by what it says of itself."),
    ClaimVerdict.EXPIRING: msg("It is still valid, but it ends soon."),
    ClaimVerdict.EXPIRED: msg("It has expired."),
    ClaimVerdict.NOT_YET_VALID: msg("It is not yet valid."),
    ClaimVerdict.NO_EXPIRY: msg("It names no end."),
    ClaimVerdict.RENEWS_ITSELF: msg("It is renewed by itself."),
    ClaimVerdict.OPAQUE: msg("It says nothing of itself."),
    ClaimVerdict.MALFORMED: msg("It cannot be read."),
}
ACCEPTED: dict[ClaimVerdict, Message] = {
    ClaimVerdict.VALID: msg("It is valid, and the server accepts it."),
    ClaimVerdict.EXPIRING: msg("The server accepts it, but it ends soon."),
    ClaimVerdict.EXPIRED: msg("It says that it has expired, but the server still accepts it: the connection works."),
    ClaimVerdict.NOT_YET_VALID: msg("It says that it is not yet valid, but the server accepts it already."),
    ClaimVerdict.NO_EXPIRY: msg("The server accepts it, and it names no end: it works until somebody revokes it."),
    ClaimVerdict.RENEWS_ITSELF: msg("The server accepts it, and it is renewed by itself."),
    ClaimVerdict.OPAQUE: msg("The server accepts it; it does not say itself when it ends."),
    ClaimVerdict.MALFORMED: msg("It cannot be read here, but the server accepts it."),
}
REFUSED: dict[ClaimVerdict, Message] = {
    ClaimVerdict.VALID: msg(
        "It is valid by what it says of itself, but the server refuses it: it was revoked, or it is of another cluster."
    ),
    ClaimVerdict.EXPIRING: msg(
        "It says that it is valid for a little longer, but the server refuses it: it was revoked, or it is of another "
        "cluster."
    ),
    ClaimVerdict.EXPIRED: msg("It has expired, and the server refuses it."),
    ClaimVerdict.NOT_YET_VALID: msg("It is not yet valid, and the server refuses it."),
    ClaimVerdict.NO_EXPIRY: msg(
        "It names no end, but the server refuses it: it was revoked, or it is of another cluster."
    ),
    ClaimVerdict.RENEWS_ITSELF: msg("It is renewed by itself, but the server refuses what it has now: sign in again."),
    ClaimVerdict.OPAQUE: msg("The server refuses it; it says nothing of itself that would tell why."),
    ClaimVerdict.MALFORMED: msg("It cannot be read, and the server refuses it."),
}
NOT_SURE: dict[ServerVerdict, Message] = {
    ServerVerdict.FORBIDDEN: msg("The server knows it, but forbids what was asked with it."),
    ServerVerdict.UNREACHABLE: msg("The server could not be reached, so it is not known whether it accepts it."),
    ServerVerdict.UNKNOWN: msg("It could not be found out whether the server accepts it."),
}
"""Sentences that follow what the credential says of itself."""
