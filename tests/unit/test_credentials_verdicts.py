"""Every combination of what a credential says, what the server says, and how their clocks differ."""

from __future__ import annotations

import datetime
import itertools

import claims_kit as kit
import pytest

from ansflow_desktop.credentials.sources import read_file
from ansflow_desktop.credentials.verdicts import NOT_ASKED_KINDS, claim_verdict, lifetime_used, status
from ansflow_desktop.i18n import translate
from ansflow_desktop.models.credential import (
    Claims,
    ClaimVerdict,
    CredentialKind,
    CredentialStatus,
    ServerAnswer,
    ServerVerdict,
)

HOUR = datetime.timedelta(hours=1)
NOW = kit.NOW
SAYS = {
    ClaimVerdict.VALID: Claims(expires_at=NOW + kit.WEEK * 4),
    ClaimVerdict.EXPIRING: Claims(expires_at=NOW + HOUR),
    ClaimVerdict.EXPIRED: Claims(expires_at=NOW - HOUR),
    ClaimVerdict.NOT_YET_VALID: Claims(not_before=NOW + HOUR),
    ClaimVerdict.NO_EXPIRY: Claims(subject="x"),
    ClaimVerdict.RENEWS_ITSELF: Claims(renews=True, expires_at=NOW - HOUR),
    ClaimVerdict.OPAQUE: Claims(opaque=True),
    ClaimVerdict.MALFORMED: Claims(problem="torn"),
}
BAD = (ClaimVerdict.EXPIRED, ClaimVerdict.NOT_YET_VALID, ClaimVerdict.MALFORMED)
SKEWS = (0, 59, -59, 60, -60, 7200, -7200, 1e300)


def said(verdict: ClaimVerdict, answer: ServerAnswer, kind: CredentialKind = CredentialKind.TOKEN) -> tuple[str, str]:
    word, text = status(kind, SAYS[verdict], verdict, answer, NOW)
    return word, translate(text)


def expected(verdict: ClaimVerdict, server: ServerVerdict) -> CredentialStatus:
    """The word of each pair, written down anew: refused is invalid, accepted never is."""
    if server is ServerVerdict.REFUSED:
        return CredentialStatus.INVALID
    if verdict in BAD:
        works = server in (ServerVerdict.ACCEPTED, ServerVerdict.FORBIDDEN)
        return CredentialStatus.WARNING if works else CredentialStatus.INVALID
    if verdict is ClaimVerdict.EXPIRING:
        return CredentialStatus.WARNING
    if server is ServerVerdict.NOT_ASKED:
        return CredentialStatus.WARNING if verdict is ClaimVerdict.OPAQUE else CredentialStatus.VALID
    return CredentialStatus.VALID if server is ServerVerdict.ACCEPTED else CredentialStatus.WARNING


@pytest.mark.parametrize("verdict", ClaimVerdict)
def test_each_claim_has_its_verdict(verdict: ClaimVerdict) -> None:
    assert claim_verdict(SAYS[verdict], NOW, kit.WEEK) is verdict


def test_the_matrix_has_one_text_for_each_pair_and_the_word_that_belongs_to_it() -> None:
    texts = {}
    for verdict, server in itertools.product(ClaimVerdict, ServerVerdict):
        word, text = said(verdict, ServerAnswer(verdict=server))
        assert word == expected(verdict, server), (verdict, server)
        texts[verdict, server] = text
    assert len(set(texts.values())) == len(ClaimVerdict) * len(ServerVerdict)
    assert all(text.endswith(".") and "%(" not in text for text in texts.values())
    for (verdict, server), text in texts.items():
        assert ("refuses" in text) == (server is ServerVerdict.REFUSED), (verdict, server)
        assert ("could not be reached" in text) == (server is ServerVerdict.UNREACHABLE), (verdict, server)
        assert ("expired" in text) == (verdict is ClaimVerdict.EXPIRED), (verdict, server)


@pytest.mark.parametrize("ahead", SKEWS)
def test_a_wrong_clock_is_said_from_a_minute_on_where_the_server_answered(ahead: float) -> None:
    for verdict, server in itertools.product(ClaimVerdict, ServerVerdict):
        word, text = said(verdict, ServerAnswer(verdict=server, clock_ahead=ahead))
        answered = server not in (ServerVerdict.NOT_ASKED, ServerVerdict.UNREACHABLE)
        told = answered and abs(ahead) >= 60
        assert ("clock" in text) == told, (verdict, server)
        assert ("ahead of ours" in text) == (told and ahead > 0)
        assert ("behind ours" in text) == (told and ahead < 0)
        usual = expected(verdict, server)
        assert word == (CredentialStatus.WARNING if told and usual is CredentialStatus.VALID else usual)


def test_the_clock_explains_what_the_verdicts_do_not() -> None:
    late = ServerAnswer(verdict=ServerVerdict.ACCEPTED, clock_ahead=-7200)
    explained = "The server's clock is 2 hours behind ours. By that clock it is valid."
    assert said(ClaimVerdict.EXPIRED, late)[1].endswith(explained)
    early = ServerAnswer(verdict=ServerVerdict.REFUSED, clock_ahead=7200)
    assert said(ClaimVerdict.EXPIRING, early)[1].endswith("By that clock it has expired.")
    assert "By that clock" not in said(ClaimVerdict.VALID, early)[1]
    assert "1 minute ahead" in said(ClaimVerdict.VALID, ServerAnswer(verdict=ServerVerdict.UNKNOWN, clock_ahead=60))[1]


@pytest.mark.parametrize("kind", sorted(NOT_ASKED_KINDS))
def test_kinds_that_no_server_is_asked_about_never_show_an_answer(kind: CredentialKind) -> None:
    for verdict in ClaimVerdict:
        alone = said(verdict, ServerAnswer(), kind)
        assert said(verdict, ServerAnswer(verdict=ServerVerdict.REFUSED, clock_ahead=999), kind) == alone


def test_the_edges_of_a_lifetime() -> None:
    second = datetime.timedelta(seconds=1)
    end = Claims(expires_at=NOW, issued_at=NOW - HOUR)
    assert claim_verdict(end, NOW, HOUR) is ClaimVerdict.EXPIRED
    assert claim_verdict(end, NOW - second, HOUR) is ClaimVerdict.EXPIRING
    assert claim_verdict(end, NOW - HOUR, HOUR) is ClaimVerdict.EXPIRING
    assert claim_verdict(end, NOW - HOUR - second, HOUR) is ClaimVerdict.VALID
    begins = Claims(not_before=NOW, expires_at=NOW + kit.WEEK * 9)
    assert claim_verdict(begins, NOW - second * 60, HOUR) is ClaimVerdict.VALID
    assert claim_verdict(begins, NOW - second * 61, HOUR) is ClaimVerdict.NOT_YET_VALID
    assert claim_verdict(Claims(opaque=True, expires_at=NOW), NOW, HOUR) is ClaimVerdict.EXPIRED
    assert lifetime_used(end, NOW - HOUR / 4) == 0.75
    assert (lifetime_used(end, NOW + HOUR), lifetime_used(end, NOW - HOUR * 9)) == (1.0, 0.0)
    assert lifetime_used(Claims(expires_at=NOW), NOW) is None
    assert lifetime_used(Claims(expires_at=NOW, not_before=NOW), NOW) is None


def test_no_credential_at_all_is_told_from_a_bad_one(tmp_path: object) -> None:
    for path, word in ((f"{tmp_path}/gone", CredentialStatus.NO_TOKEN), (str(tmp_path), CredentialStatus.INVALID)):
        problem = read_file(path).problem
        claims = Claims(problem=problem)
        found, text = status(CredentialKind.TOKEN_FILE, claims, ClaimVerdict.MALFORMED, ServerAnswer(), NOW)
        assert found == word
        assert path in translate(text)
