"""Secrets in every form (failure-modes.md, row 7)."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop.redact import MASK, Redactor, secrets_of

SECRET = 's3cr?t/Pa+ss w"ö&d'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_each_form_is_replaced(form):
    text = Redactor([SECRET])(f"before {form} after")
    assert MASK in text
    assert form.strip('"') not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


@given(
    secret=st.text(min_size=8, max_size=40).filter(lambda text: len(text.strip()) >= 8 and "\n" not in text.strip()),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
)
def test_base64_at_any_alignment_gives_nothing_away(secret, before, after):
    stripped = secret.strip()
    whole = before + stripped.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(whole).decode()
        redacted = Redactor([secret])(text)
        assert redacted != text
        assert len(redacted.replace(MASK, "")) <= len(text) - 4 * (len(stripped.encode()) // 3 - 1) + 2


@given(secret=st.text(min_size=5, max_size=30).filter(lambda text: len(text.strip()) >= 5), text=st.text(max_size=60))
def test_the_secret_is_never_in_the_result(secret, text):
    stripped = secret.strip()
    result = Redactor([secret])(text + stripped + text)
    assert stripped not in result or set(stripped) <= set(MASK)


@given(text=st.text())
def test_without_secrets_nothing_changes(text):
    assert Redactor()(text) == text


def test_longest_first():
    assert Redactor(["secret", "secret-and-more"])("secret-and-more") == MASK


@pytest.mark.parametrize("short", ["", "a", "yes", "true", "  no  "])
def test_short_secrets_do_not_mangle_text(short):
    assert Redactor([short])("yes, a true story") == "yes, a true story"


def test_added_later_and_more_than_once():
    redactor = Redactor(["first-one"])
    redactor.add(["second-one"])
    redactor.add(["second-one"])
    assert redactor("first-one second-one") == f"{MASK} {MASK}"


def test_lines_of_a_key_printed_one_by_one():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQC7\n-----END KEY-----\n"
    redactor = Redactor([key])
    assert redactor("> MIIEvQIBADANBgkqhkiG9w0BAQ <") == f"> {MASK} <"
    assert redactor("-----BEGIN KEY-----") == "-----BEGIN KEY-----"
    assert MASK in redactor(key)


def test_secrets_of_a_kubeconfig():
    key = base64.b64encode(b"-----BEGIN KEY-----\nabcdefghijklmnop\n").decode()
    document = {
        "clusters": [
            {"name": "c", "cluster": {"server": "https://example.test", "certificate-authority-data": "QUJD"}}
        ],
        "users": [
            {"name": "t", "user": {"token": "my-token-value"}},
            {"name": "p", "user": {"username": "admin", "password": "my-password"}},
            {"name": "k", "user": {"client-key-data": key, "client-certificate-data": "cHVibGlj"}},
            {
                "name": "e",
                "user": {
                    "exec": {
                        "command": "login",
                        "env": [
                            {"name": "API_TOKEN", "value": "short-token"},
                            {"name": "REGION", "value": "eu-1"},
                            {"name": "BLOB", "value": "0123456789abcdef"},
                            {"name": "HOME", "value": "/home/somebody"},
                        ],
                    }
                },
            },
            {"name": "o", "user": {"auth-provider": {"config": {"refresh-token": "refresh-me", "idp": "x"}}}},
        ],
    }
    assert set(secrets_of(document)) == {
        "my-token-value",
        "my-password",
        key,
        "-----BEGIN KEY-----\nabcdefghijklmnop\n",
        "short-token",
        "0123456789abcdef",
        "refresh-me",
    }


@pytest.mark.parametrize(
    "document",
    [{}, {"users": None}, {"users": "x"}, {"users": [1, {"user": None}, {"user": {"exec": 5, "auth-provider": []}}]}],
)
def test_odd_documents_have_no_secrets(document):
    assert secrets_of(document) == ()


def test_numbers_as_passwords():
    assert secrets_of({"users": [{"user": {"password": 1234567}}]}) == ("1234567",)


def test_the_password_of_a_proxy_is_a_secret():
    clusters = [{"name": "a", "cluster": {"server": "https://h", "proxy-url": "http://anna:se%40cret@proxy:1"}}, {}, 3]
    redact = Redactor(secrets_of({"clusters": clusters}))
    assert redact("http://anna:se%40cret@proxy:1 se@cret") == f"http://anna:{MASK}@proxy:1 {MASK}"


def test_hundreds_of_tokens_and_one_of_100_kb_are_all_replaced_and_nothing_else():
    tokens = [hashlib.sha512(str(number).encode()).hexdigest() * 7 for number in range(300)]
    tokens.append("".join(hashlib.sha512(str(number).encode()).hexdigest() for number in range(800)))
    redact = Redactor()
    for token in tokens:  # as documents are read, one after the other: each must not cost what all do
        redact.add([token])
    told = " and ".join((*tokens, tokens[3][:-1]))
    assert redact(told) == " and ".join((*(["***"] * len(tokens)), tokens[3][:-1]))


def test_of_two_secrets_that_begin_alike_the_longer_goes_and_a_false_start_hides_no_true_one():
    redact = Redactor(["abcdefgh", "abcdefghijkl"])
    assert redact("abcdefghijkl abcdefghi abcdeabcdefgh abcde") == "*** ***i abcde*** abcde"
