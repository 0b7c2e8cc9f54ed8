"""Renewals without a server: bad input asks for nothing, secrets stay out of sight, odd answers are said."""

from __future__ import annotations

import base64
import datetime

import pytest
from claims_kit import certificate, key_pem, pem

from ansflow_desktop.commands.credentials_renew import lifetime
from ansflow_desktop.credentials import renew, signing
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import renewal
from ansflow_desktop.executors.renewal_holder import holder_of
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.who import Who
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster

DOCUMENT = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "ns"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://h:1"}}],
    "users": [{"name": "u", "user": {"exec": {"command": "x"}, "tokenFile": "/t", "password": "p", "as": "jane"}}],
}
NOW = datetime.datetime.now(datetime.UTC)


def test_a_document_signs_in_with_the_new_secret_and_nothing_else() -> None:
    changed = renew.with_secret(DOCUMENT, ClusterSecret(token="new"))
    assert changed["users"] == [{"name": "u", "user": {"as": "jane", "token": "new"}}]
    assert changed["clusters"] == DOCUMENT["clusters"] and changed["contexts"] == DOCUMENT["contexts"]
    assert DOCUMENT["users"][0]["user"]["tokenFile"] == "/t"


def test_a_certificate_goes_in_as_base64_and_a_context_without_a_user_gets_one() -> None:
    nobody = {**DOCUMENT, "users": [], "contexts": [{"name": "c", "context": {"cluster": "c"}}]}
    changed = renew.with_secret(nobody, ClusterSecret(certificate="C", key="K"))
    user = changed["users"][0]
    assert base64.b64decode(user["user"]["client-certificate-data"]) == b"C"
    assert base64.b64decode(user["user"]["client-key-data"]) == b"K"
    assert changed["contexts"][0]["context"]["user"] == user["name"]


@pytest.mark.parametrize(
    "text", ["", "x", "/", "ns/", "/a", "ns/A", "NS/a", "-n/a", "n/-a", "n/a/b", "n/a..b", "n/" + "a" * 254]
)
def test_what_names_no_account(text) -> None:
    with pytest.raises(UserError) as caught:
        renew.parse_account(text)
    assert caught.value.field == "account"


def test_accounts_are_read_from_names_and_users() -> None:
    assert renew.parse_account("kube-system/a.b-c") == ("kube-system", "a.b-c")
    assert renew.account_of("system:serviceaccount:ns:dep") == ("ns", "dep")
    for user in ("jane", "system:serviceaccount:ns", "system:serviceaccount:a:b:c", ""):
        assert renew.account_of(user) is None


@pytest.mark.parametrize("seconds", [-1, 0, 599, 2**32 + 1])
def test_a_lifetime_that_no_server_gives_is_refused_before_anything_is_asked(seconds) -> None:
    with pytest.raises(UserError) as caught:
        sync.run(renew.token_request(DOCUMENT, "ns", "dep", seconds))
    assert caught.value.field == "duration" and caught.value.code is ExitCode.INVALID


@pytest.mark.parametrize("user", ["", "x" * 65, "a\nb"])
def test_a_user_that_no_certificate_can_name(user) -> None:
    with pytest.raises(UserError) as caught:
        sync.run(renew.csr(DOCUMENT, user, (), 3600))
    assert caught.value.field == "user"


@pytest.mark.parametrize("signer", ["", "kubernetes", "kubernetes.io/", "a.b/c d", "Example.com/x", "a.b\n/c"])
def test_a_signer_that_no_server_knows(signer) -> None:
    with pytest.raises(UserError) as caught:
        sync.run(renew.csr(DOCUMENT, "jane", (), 3600, signer=signer))
    assert caught.value.field == "signer"


@pytest.mark.parametrize(
    ("ends", "ahead", "words"),
    [
        (3600, 0, []), (3570, 0, []), (600, 0, ["gave"]), (3600 + 300, 300, ["ahead"]), (3600 - 300, -300, ["behind"]),
        (600 + 300, 300, ["gave", "ahead"]), (None, 0, ["does not say"]),
    ],
)  # fmt: skip
def test_what_differs_from_what_was_asked_is_said(ends, ahead, words) -> None:
    when = None if ends is None else datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ends)
    notes = renew._notes(renew.Renewed(token="t", expires_at=when, clock_ahead=ahead), 3600)
    assert len(notes) == len(words)
    for note, word in zip(notes, words, strict=True):
        assert word in translate(note)


def test_secrets_are_in_no_representation() -> None:
    made = renew.Renewed(token="geheim-1", certificate="c", key="geheim-2", expires_at=NOW)
    assert "geheim" not in f"{made!r} {made} {made.secret!r} {[made]} {renew._Given(token='geheim-3')!r}"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"<html>portal</html>", b'{"status": {}}', b'{"status": {"token": 7}}', b"[]"]
)
def test_an_answer_without_a_token_is_said(body) -> None:
    with pytest.raises(UserError) as caught:
        renew._token_of(body, "https://h")
    assert "gave no token" in translate(caught.value.title)


def refused(status=401):
    return KubeError("refused", "Unauthorized", code=ExitCode.UNREACHABLE, status=status)


def test_a_refusal_is_believed_after_some_tries_only(monkeypatch) -> None:
    answers = [refused(), refused(), Who("jane")]

    async def identity(document, timeout):
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(renew, "_identity", identity)
    monkeypatch.setattr(renew, "_TRIES_S", (0.0, 0.0, 0.0))
    assert sync.run(renew.prove(DOCUMENT)).username == "jane"
    answers[:] = [refused(), Who("jane")]
    with pytest.raises(KubeError):
        sync.run(renew.prove(DOCUMENT, patient=False))
    answers[:] = [refused(503), Who("jane")]
    with pytest.raises(KubeError):
        sync.run(renew.prove(DOCUMENT))


def test_a_request_names_user_and_groups_and_its_key_is_new() -> None:
    from cryptography import x509

    key, text = signing.new_request("jane", ("a", "b"))
    request = x509.load_pem_x509_csr(text.encode())
    assert request.subject.rfc4514_string() == "O=b,O=a,CN=jane" and request.is_signature_valid
    assert "PRIVATE KEY" in key and key != signing.new_request("jane", ())[0]


def test_rubbish_is_no_certificate() -> None:
    key, _text = signing.new_request("jane", ())
    for text in ("", "<html>", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(UserError):
            signing.checked(text, key, "jane", "https://h")
    with pytest.raises(UserError):
        signing._pem("!", "https://h")


@pytest.mark.parametrize(
    "user", [{}, {"token": ""}, {"token": "opaque"}, {"tokenFile": "/is/not/there"}, {"client-certificate-data": "!"}]
)
def test_nobody_is_named_by_what_says_nothing(user) -> None:
    found = holder_of({"users": [{"name": "u", "user": user}]})
    assert (found.user, found.expires_at) == ("", None)
    assert holder_of({"users": []}).user == ""


def test_lifetimes_are_read() -> None:
    assert [lifetime(text) for text in ("24h", "30m", "7d", "1h30m")] == [86400, 1800, 604800, 5400]
    for text in ("", "x", "-1h", "5", "0d0"):
        with pytest.raises(UserError):
            lifetime(text)


def test_while_it_is_renewed_the_vault_stays_open_and_a_new_mark_is_kept(tmp_path, monkeypatch) -> None:
    services = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig="/dev/null", lang="en"))
    now = [0.0]
    services.vault.create("passphrase", "correct horse battery staple")
    monkeypatch.setattr(services.vault, "_clock", lambda: now[0])
    cluster = OwnCluster(id="1", name="shop", server="https://127.0.0.1:1", auth="token")
    services.cluster_book.add(cluster, ClusterSecret(token="old-token-1"), ClusterMarks())

    async def made(*_given):
        now[0] += 10_000_000
        assert not services.vault.lock_if_idle()
        services.cluster_book.mark("shop", ClusterMarks(read_only=True))
        return renew.Renewed(
            certificate=pem(certificate()).decode(), key=key_pem().decode(), identity=Who(username="jane")
        )

    monkeypatch.setattr(renewal, "_made", made)
    wanted = renewal.Wanted(how="csr", user="jane", seconds=3600, put="replace")
    done = sync.run(renewal.renew(services, "shop", wanted))
    assert done.place == "shop" and services.catalog.entry("shop").marks == ClusterMarks(read_only=True)
    assert services.cluster_book.secret(services.cluster_book.own("shop")).key == key_pem().decode()
    now[0] += 10_000_000
    assert services.vault.lock_if_idle()
    services.close()
