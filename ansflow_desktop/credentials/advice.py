"""What to do about each credential, and what to do first: ordered by what breaks first."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from ansflow_desktop.credentials import advice_words as words
from ansflow_desktop.credentials.times import LATEST
from ansflow_desktop.credentials.verdict_words import UNAPPROVED
from ansflow_desktop.credentials.verdicts import clock_differs, is_missing
from ansflow_desktop.models.credential import (
    Advice,
    ClaimVerdict,
    Credential,
    CredentialKind,
    CredentialReport,
    CredentialStatus,
    PriorityAction,
    ServerVerdict,
    Strategy,
)

LONG_TOKEN = datetime.timedelta(days=90)
"""A token that lives longer is advised to be shortened: it cannot be taken back one by one."""
LONG_CERTIFICATE = datetime.timedelta(days=400)
"""Certificates of a cluster's own tools live a year; Kubernetes cannot revoke a client certificate at all."""

_Rule: TypeAlias = Callable[[CredentialReport], "Advice | None"]
_ENDING = frozenset({ClaimVerdict.EXPIRED, ClaimVerdict.EXPIRING})
_BEARER = frozenset({CredentialKind.TOKEN, CredentialKind.TOKEN_FILE})


def advise(report: CredentialReport) -> tuple[Advice, ...]:
    """Return what is advised for the credential of `report`, what is urgent first; `keep` alone where all is well."""
    found = [advice for rule in _RULES if (advice := rule(report))]
    if not found:
        return (words.KEEP_RENEWABLE if _renewable(report.credential) else words.KEEP,)
    breaks = words.breaks(report.credential)
    filled = [msgspec.structs.replace(item, breaks=breaks) if item.immediate else item for item in found]
    return tuple(sorted(filled, key=lambda item: not item.immediate))


def priority_actions(reports: Iterable[CredentialReport]) -> tuple[PriorityAction, ...]:
    """Return all that is to do, numbered from 1: what is broken, then what ends first, then what can wait.

    `PriorityAction.credential` is the credential's id; `due` its end, None where nothing names one.
    """
    found = [
        (_order(report, advice), report, advice)
        for report in reports
        for advice in report.advice or advise(report)
        if advice.strategy is not Strategy.KEEP
    ]
    found.sort(key=lambda item: item[0])
    return tuple(
        PriorityAction(number=number, credential=report.credential.id, advice=advice, due=_end(report))
        for number, (_, report, advice) in enumerate(found, start=1)
    )


def _order(report: CredentialReport, advice: Advice) -> tuple[int, datetime.datetime, int, str]:
    credential = report.credential
    broken = report.status in (CredentialStatus.INVALID, CredentialStatus.NO_TOKEN)
    rank = (0 if broken else 1) if advice.immediate else 2
    return rank, _end(report) or LATEST, -len(credential.used_by), credential.name


def _renewable(credential: Credential) -> bool:
    return credential.kind in _BEARER and bool(credential.service_account) and not credential.claims.renews


def _end(report: CredentialReport) -> datetime.datetime | None:
    return report.credential.claims.expires_at


def _refused(report: CredentialReport) -> bool:
    return report.answer.verdict is ServerVerdict.REFUSED


def _works(report: CredentialReport) -> bool:
    """Return whether the credential can still ask for its successor: it is accepted, or not ended as far as known."""
    if report.answer.verdict is ServerVerdict.ACCEPTED:
        return True
    return not _refused(report) and report.claim_verdict is not ClaimVerdict.EXPIRED


def _fails(report: CredentialReport) -> bool:
    return _refused(report) or report.claim_verdict in _ENDING


def _clock(report: CredentialReport) -> Advice | None:
    return words.FIX_CLOCK if clock_differs(report.answer) else None


def _unreadable(report: CredentialReport) -> Advice | None:
    if report.claim_verdict is not ClaimVerdict.MALFORMED:
        return None
    return words.GIVE_ONE if is_missing(report.credential.claims) else words.CORRECT


def _access(report: CredentialReport) -> Advice | None:
    if report.answer.verdict is ServerVerdict.FORBIDDEN:
        return words.FIX_ACCESS
    return words.FIX_CONNECTION if report.answer.verdict is ServerVerdict.UNREACHABLE else None


def _early(report: CredentialReport) -> Advice | None:
    if report.claim_verdict is not ClaimVerdict.NOT_YET_VALID or clock_differs(report.answer):
        return None
    return words.CHECK_CLOCK


def _token(report: CredentialReport) -> Advice | None:
    """Advise on tokens: one of a ServiceAccount is asked for anew, any other comes from where one signs in."""
    credential = report.credential
    if credential.kind not in _BEARER or not _fails(report):
        return None
    if not credential.service_account:
        return words.NEW_TOKEN
    return words.TOKEN_REQUEST if _works(report) else words.TOKEN_BY_OTHERS


def _legacy(report: CredentialReport) -> Advice | None:
    credential = report.credential
    endless = credential.kind in _BEARER and credential.service_account and credential.claims.expires_at is None
    if credential.kind is not CredentialKind.LEGACY_TOKEN and not endless:
        return None
    if report.claim_verdict is ClaimVerdict.MALFORMED or credential.claims.renews:
        return None
    return msgspec.structs.replace(words.REPLACE_LEGACY, immediate=_refused(report))


def _client_certificate(report: CredentialReport) -> Advice | None:
    if report.credential.kind is not CredentialKind.CLIENT_CERTIFICATE or not _fails(report):
        return None
    return words.CSR if _works(report) else words.CERTIFICATE_BY_OTHERS


def _cluster_certificate(report: CredentialReport) -> Advice | None:
    if report.claim_verdict not in _ENDING:
        return None
    if report.credential.kind is CredentialKind.CA_CERTIFICATE:
        return words.ROTATE_AUTHORITY
    return words.ROTATE_SERVER if report.credential.kind is CredentialKind.SERVER_CERTIFICATE else None


def _sign_in(report: CredentialReport) -> Advice | None:
    kind = report.credential.kind
    if UNAPPROVED in report.credential.claims.notes:
        return words.APPROVE
    if kind is CredentialKind.EXEC_PLUGIN:
        return words.SIGN_IN_PROGRAM if _refused(report) else None
    if not _fails(report):
        return None
    return words.SIGN_IN.get(kind)


def _password(report: CredentialReport) -> Advice | None:
    return words.NO_PASSWORD if report.credential.kind is CredentialKind.PASSWORD else None


def _long(report: CredentialReport) -> Advice | None:
    lifetime = _lifetime(report.credential)
    if lifetime is None or report.claim_verdict is ClaimVerdict.EXPIRED:
        return None
    kind = report.credential.kind
    if kind in _BEARER and lifetime > LONG_TOKEN:
        own = bool(report.credential.service_account)
        return words.SHORTEN if own else words.SHORTEN_ELSEWHERE
    if kind is CredentialKind.CLIENT_CERTIFICATE and lifetime > LONG_CERTIFICATE:
        return words.SHORTEN_CERTIFICATE
    return None


def _lifetime(credential: Credential) -> datetime.timedelta | None:
    claims = credential.claims
    begin = claims.issued_at or claims.not_before
    return claims.expires_at - begin if begin and claims.expires_at else None


_RULES: tuple[_Rule, ...] = (
    _clock,
    _unreadable,
    _token,
    _legacy,
    _client_certificate,
    _cluster_certificate,
    _sign_in,
    _password,
    _early,
    _access,
    _long,
)
