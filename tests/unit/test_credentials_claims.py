"""What tokens and certificates say of themselves, whatever is in them: the bad input of issue 5."""

from __future__ import annotations

import datetime
import json
import zoneinfo

import claims_kit as kit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansflow_desktop.credentials import certificates, times
from ansflow_desktop.credentials.jwt import is_legacy, read_token, service_account
from ansflow_desktop.i18n import translate

WHOLE = kit.der(kit.certificate())
AT = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.UTC)


def notes(claims: object) -> str:
    return " ".join(translate(note) for note in claims.notes)  # type: ignore[attr-defined]


def test_a_service_accounts_token_is_read() -> None:
    payload = {
        "sub": "system:serviceaccount:web:deployer",
        "iss": "https://kubernetes.default.svc",
        "aud": ["api", "vault"],
        "groups": "ops",
        "iat": 1699999000,
        "nbf": 1699999000,
        "exp": 1700000000,
        "kubernetes.io": {"namespace": "web", "pod": {"name": "runner-0"}},
    }
    claims = read_token(f" {kit.token(payload)}\n")
    assert (claims.subject, claims.audience, claims.groups) == (payload["sub"], ("api", "vault"), ("ops",))
    assert claims.expires_at == AT
    assert claims.issued_at == claims.not_before == AT - datetime.timedelta(seconds=1000)
    assert (claims.algorithm, claims.opaque, claims.problem) == ("RS256", False, "")
    assert "runner-0" in notes(claims)
    assert service_account(claims.subject) == ("web", "deployer")
    assert service_account("system:node:a:b:c") == ("", "")


@pytest.mark.parametrize(
    ("end", "read", "said"),
    [
        (1700000000.5, AT + datetime.timedelta(seconds=0.5), ""),
        ("1700000000", AT, "as text"),
        (-1, datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.UTC), "1970"),
        (0, datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC), "1970"),
        (253402300799, times.LATEST, ""),
        (1700000000000, times.LATEST, "milliseconds"),
        (10**400, times.LATEST, ""),
        (-(10**400), times.EARLIEST, "1970"),
        (float("inf"), times.LATEST, ""),
        (None, None, ""),
    ],
)
def test_ends_that_are_odd_are_read(end: object, read: datetime.datetime | None, said: str) -> None:
    claims = read_token(kit.token({"exp": end}))
    assert claims.expires_at == read
    assert not claims.problem
    assert said in notes(claims)


@pytest.mark.parametrize("end", ["soon", "", True, [], {}, float("nan"), "nan"])
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_what_is_no_time_is_a_problem_that_names_the_claim(claim: str, end: object) -> None:
    claims = read_token(kit.token({claim: end, "sub": "alice"}))
    assert claim in translate(claims.problem)
    assert claims.subject == "alice"


def test_no_end_is_no_problem() -> None:
    claims = read_token(kit.token({"sub": "alice"}))
    assert (claims.expires_at, claims.problem, claims.opaque) == (None, "", False)


def test_the_number_of_parts_is_said() -> None:
    assert "2 parts" in translate(read_token(kit.token({}).rpartition(".")[0]).problem)
    assert "4 parts" in translate(read_token(kit.token({}) + ".x").problem)


def test_alg_none_is_said() -> None:
    assert "alg none" in notes(read_token(kit.token({"exp": 1}, {"alg": "None"})))


def test_a_token_that_ends_before_it_begins_is_said() -> None:
    assert "before it begins" in notes(read_token(kit.token({"exp": 1700000000, "nbf": 1700000001})))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        f"Bearer {kit.token({})}",
        "abc def",
        "abc\ndef",
        "tökén",
        "a\x00b",
        kit.token({}).rpartition(".")[0],
        kit.token({}) + ".x",
        kit.token(b"rubbish"),
        kit.token(b"\xff\xfe"),
        kit.token([1]),
        kit.token(b"[" * 100_000),
        kit.token(b'{"exp":' + b"9" * 5000 + b"}"),
        f"{kit.segment({'alg': 'RS256'})}.%%%.x",
        "x" * (1024 * 1024 + 1),
    ],
)
def test_what_cannot_be_read_has_a_problem_that_does_not_show_it(text: str) -> None:
    claims = read_token(text)
    assert claims.problem
    assert not text.strip() or text not in translate(claims.problem)


@pytest.mark.parametrize("text", ["abcdef.0123456789abcdef", "sha256~abc", "a.b.c", "....", "x" * 100_000])
def test_what_is_no_jwt_is_opaque(text: str) -> None:
    claims = read_token(text)
    assert claims.opaque
    assert not claims.problem


def test_a_token_of_100_kb_and_hostile_words_are_bounded_and_clean() -> None:
    payload = {"sub": "a\u202eb\x1b[31m\n" + "x" * 100_000, "groups": ["g"] * 5000, "exp": 1700000000}
    claims = read_token(kit.token(payload))
    assert claims.expires_at == AT
    assert claims.subject.startswith("ab x")
    assert len(claims.subject) < 400
    assert len(claims.groups) == 200


def test_an_encrypted_token_is_opaque() -> None:
    claims = read_token(kit.segment({"alg": "RSA-OAEP", "enc": "A256GCM"}) + ".a.b.c.d")
    assert claims.opaque
    assert "encrypted" in notes(claims)


def test_the_token_of_a_secret_is_known() -> None:
    base = "kubernetes.io/serviceaccount/"
    payload = {f"{base}namespace": "web", f"{base}service-account.name": "ci", f"{base}secret.name": "ci-token"}
    assert is_legacy(kit.token(payload))
    assert read_token(kit.token(payload)).subject == "system:serviceaccount:web:ci"
    assert not is_legacy(kit.token({"sub": "x"}))


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "sub", "aud", "groups", "iss", "kubernetes.io"]), JSONS))
def test_no_payload_raises_and_every_time_can_be_shown_anywhere(payload: dict[str, object]) -> None:
    claims = read_token(kit.token(json.dumps(payload).encode()))
    for when in (claims.expires_at, claims.not_before, claims.issued_at):
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            assert when is None or when.astimezone(zoneinfo.ZoneInfo(zone)).isoformat()


@settings(max_examples=100, deadline=None)
@given(st.text() | st.from_regex(r"ey[\w-]{0,9}\.[\w-]{0,20}\.[\w-]{0,5}", fullmatch=True))
def test_no_text_raises(text: str) -> None:
    read_token(text)


def test_pem_with_junk_and_chains_and_der_are_read() -> None:
    leaf = kit.certificate("alice", ("devs", "ops"))
    above = kit.certificate("ca", end=kit.NOW, authority=True)
    junk = b"subject=CN = alice\r\n" + kit.pem(leaf).replace(b"\n", b"\r\n") + b"\x00rubbish\n" + kit.pem(above)
    first, second = certificates.read_certificates(kit.key_pem() + junk)
    assert (first.subject, first.groups, first.issuer) == ("alice", ("devs", "ops"), "ca")
    assert (first.serial, first.expires_at) == (f"{4711:x}", kit.NOW + kit.WEEK * 10)
    assert first.algorithm == "ECDSA secp256r1"
    assert second.expires_at == kit.NOW
    assert certificates.read_certificates(kit.der(leaf)) == (first,)
    assert certificates.of_server([kit.der(leaf), kit.der(above)]) == (first, second)


def test_a_certificate_without_an_end_has_none() -> None:
    for_ever = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    (claims,) = certificates.read_certificates(kit.pem(kit.certificate(end=for_ever)))
    assert claims.expires_at is None
    assert claims.notes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"rubbish",
        b"-----BEGIN CERTIFICATE-----\nrub!bish\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----",
        b"\x30\x82\x01\x00",
        kit.key_pem(),
        kit.der(kit.certificate())[:-20],
    ],
)
def test_what_is_no_certificate_has_a_problem(data: bytes) -> None:
    (claims,) = certificates.read_certificates(data)
    assert claims.problem


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_byte_raises(data: st.DataObject) -> None:
    body = bytearray(WHOLE)
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    assert len(certificates.read_certificates(bytes(body))) == 1
