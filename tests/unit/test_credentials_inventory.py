"""Which credentials a cluster uses, from its kubeconfig document: every kind, and every way a kubeconfig is broken."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import claims_kit as kit
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ansflow_desktop.credentials.inventory import inventory, merge, report
from ansflow_desktop.credentials.sources import Found
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import kubeconfig, login
from ansflow_desktop.kube.plugins import plugin_of
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.credential import Claims, Credential, CredentialKind, ServerAnswer, Strategy

SERVER = "https://prod.example:6443"
SA = "system:serviceaccount:web:deployer"
LONG = kit.token({"sub": SA, "exp": 1800000000, "iat": 1700000000})


def document(user: dict[str, Any], cluster: dict[str, Any] | None = None, server: str = SERVER) -> dict[str, Any]:
    return {
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "alice"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "alice", "user": user}],
    }


def entry(name: str = "prod", source: str = "/home/x/.kube/config") -> ClusterEntry:
    return ClusterEntry(name=name, context=name, server=SERVER, source=source, user="alice")


def found(user: dict[str, Any], cluster: dict[str, Any] | None = None, **more: Any) -> tuple[Credential, ...]:
    return inventory(entry(), document(user, cluster), **more)


def words(claims: Claims) -> str:
    return " ".join(map(translate, (claims.problem, *claims.notes)))


def test_a_token_is_named_after_user_and_context() -> None:
    (one,) = found({"token": LONG + "\n"})
    assert (one.name, one.kind) == ("alice @ prod", CredentialKind.TOKEN)
    assert (one.namespace, one.service_account) == ("web", "deployer")
    assert one.used_by[0].cluster == "prod"
    assert len(one.fingerprint) == 12
    assert LONG not in repr(one)


def test_short_secrets_and_passwords_have_no_fingerprint() -> None:
    token, password = found({"token": "short", "username": "bob", "password": "correct horse battery staple"})
    assert (token.fingerprint, password.fingerprint) == ("", "")
    assert password.kind is CredentialKind.PASSWORD
    assert "correct horse" not in repr(password)
    assert "secret" not in repr(Found(data=b"secret"))


def test_a_token_file_is_read_and_goes_before_the_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"\ufeff{LONG}\r\n")
    from_file, token = found({"tokenFile": str(file), "token": "other-token-of-some-length"})
    assert (from_file.kind, from_file.claims.subject) == (CredentialKind.TOKEN_FILE, SA)
    assert from_file.used_by[0].place == str(file)
    assert "goes before" in words(token.claims)
    assert len({from_file.name, token.name}) == 2


@pytest.mark.parametrize("made", ["missing", "folder", "empty", "large", "binary"])
def test_a_token_file_that_cannot_be_read_is_a_problem(tmp_path: Path, made: str) -> None:
    file = tmp_path / "token"
    if made == "folder":
        file.mkdir()
    elif made != "missing":
        file.write_bytes({"empty": b" \n", "large": b"x" * (3 * 1024 * 1024), "binary": b"\xff\x00\xfe"}[made])
    (one,) = found({"tokenFile": str(file)})
    assert one.claims.problem


def test_a_client_certificate_with_its_key_and_its_chain() -> None:
    chain = kit.pem(kit.certificate("alice", ("ops",))) + kit.pem(kit.certificate("between", end=kit.NOW))
    user = {"client-certificate-data": kit.packed(chain), "client-key-data": kit.packed(kit.key_pem())}
    (one,) = found(user)
    assert (one.kind, one.claims.subject, one.claims.groups) == (CredentialKind.CLIENT_CERTIFICATE, "alice", ("ops",))
    assert "between" in words(one.claims)
    assert not one.claims.problem
    missing = {key: value for key, value in user.items() if "key" not in key}
    assert "no key" in words(found(missing)[0].claims)
    other = kit.packed(kit.key_pem(ec.generate_private_key(ec.SECP256R1())))
    assert "another" in words(found({**user, "client-key-data": other})[0].claims)
    assert "cannot be read" in words(found({**user, "client-key-data": kit.packed(b"rubbish")})[0].claims)


def test_data_goes_before_a_file_and_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(kit.pem(kit.certificate("of the file")))
    both = {
        "certificate-authority": str(file),
        "certificate-authority-data": kit.packed(kit.der(kit.certificate("ca"))),
    }
    (one,) = found({}, both)
    assert (one.kind, one.claims.subject) == (CredentialKind.CA_CERTIFICATE, "ca")
    assert str(file) in words(one.claims)
    (alone,) = found({}, {"certificate-authority": str(file)})
    assert alone.claims.subject == "of the file"


@pytest.mark.parametrize("value", [7, "%%%", "cnViYmlzaA==", {"a": 1}, b"rubbish", True])
@pytest.mark.parametrize("field", ["certificate-authority-data", "client-certificate-data"])
def test_fields_that_hold_something_else_are_problems(field: str, value: object) -> None:
    (one,) = found({field: value}, {field: value} if "authority" in field else None)
    assert one.claims.problem


@pytest.mark.parametrize("value", [7, True, datetime.date(2026, 1, 1), [], "", " "])
@pytest.mark.parametrize("field", ["token", "tokenFile"])
def test_a_token_that_is_none_is_a_problem_or_nothing(field: str, value: object) -> None:
    assert all(one.claims.problem for one in found({field: value}))
    assert found({field: value}) or not value


def test_every_authority_of_a_bundle_and_the_servers_own_certificate() -> None:
    bundle = b"".join(kit.pem(kit.certificate(f"ca {number}")) for number in range(30))
    chain = [kit.der(kit.certificate("server")), kit.der(kit.certificate("root", end=kit.NOW))]
    items = found({}, {"certificate-authority-data": kit.packed(bundle)}, server_chain=chain)
    *authorities, server = items
    assert len(authorities) == 20
    assert len({one.name for one in items}) == len({one.id for one in items}) == 21
    assert (server.kind, server.claims.subject) == (CredentialKind.SERVER_CERTIFICATE, "server")
    assert "root" in words(server.claims)


EXEC = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sign-in", "args": ["a"]}}


def test_a_program_is_not_run_and_what_it_gave_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = found(EXEC)
    assert (before.kind, before.claims.renews, before.claims.expires_at) == (CredentialKind.EXEC_PLUGIN, True, None)
    plugin = plugin_of(EXEC)
    assert plugin
    end = datetime.datetime(2026, 6, 1, 14, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    gave = login.Credential(token=LONG, expiration_timestamp=end)
    monkeypatch.setitem(login._Cache.known, (plugin.digest, SERVER), login._Kept(gave, 0.0))
    (after,) = found(EXEC)
    assert (after.claims.subject, after.claims.expires_at) == (SA, kit.NOW)
    assert (after.id, after.claims.renews) == (before.id, True)
    (elsewhere,) = inventory(entry(), document(EXEC, server="https://other"))
    assert elsewhere.id != before.id


def test_oidc_tokens_and_the_access_token_of_older_programs() -> None:
    config = {"id-token": kit.token({"sub": "alice", "exp": 1700000000}), "refresh-token": "an-opaque-refresh-token-x"}
    identity, refresh = found({"auth-provider": {"name": "oidc", "config": config}})
    assert (identity.kind, identity.claims.subject) == (CredentialKind.OIDC_ID_TOKEN, "alice")
    assert (refresh.kind, refresh.claims.opaque) == (CredentialKind.OIDC_REFRESH_TOKEN, True)
    for expiry in ("2026-06-01T12:00:00Z", kit.NOW, kit.NOW.timestamp(), str(kit.NOW.timestamp())):
        (one,) = found({"auth-provider": {"name": "gcp", "config": {"access-token": "ya29.x", "expiry": expiry}}})
        assert one.claims.expires_at == kit.NOW
    (odd,) = found({"auth-provider": {"name": "gcp", "config": {"access-token": "ya29.x", "expiry": ["x"]}}})
    assert odd.claims.expires_at is None


def test_a_secrets_token_is_legacy_and_a_mounted_one_renews_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    base = "kubernetes.io/serviceaccount/"
    legacy = {f"{base}namespace": "web", f"{base}service-account.name": "ci", f"{base}secret.name": "s"}
    assert found({"token": kit.token(legacy)})[0].kind is CredentialKind.LEGACY_TOKEN
    path = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    read = Found(data=LONG.encode(), place=path)
    monkeypatch.setattr("ansflow_desktop.credentials.users.read_file", lambda _: read)
    assert found({"tokenFile": path})[0].claims.renews


def test_the_same_secret_is_one_credential_with_all_its_uses() -> None:
    user, short = {"token": LONG}, {"token": "short"}
    here, there = entry("a", "/one"), entry("b", "/two")
    merged = merge([*inventory(here, document(user)), *inventory(there, document(user))])
    assert [[use.cluster for use in one.used_by] for one in merged] == [["a", "b"]]
    backwards = merge([*inventory(there, document(user)), *inventory(here, document(user))])
    assert backwards[0].id == merged[0].id
    assert len(merge([*inventory(here, document(short)), *inventory(there, document(short))])) == 2
    same_file = merge([*inventory(here, document(short)), *inventory(entry("b", "/one"), document(short))])
    assert len(same_file) == 1
    own = [inventory(entry(name, "own"), document(short))[0] for name in ("a", "b")]
    assert own[0].id != own[1].id


def test_a_renewed_secret_keeps_the_id_and_changes_the_fingerprint() -> None:
    (old,), (new,) = found({"token": LONG}), found({"token": LONG + "x"})
    assert old.id == new.id
    assert old.fingerprint != new.fingerprint


def test_kubeconfig_files_as_people_have_them(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(kit.pem(kit.certificate("ca")))
    (tmp_path / "token").write_text(LONG)
    text = (
        "\ufeffapiVersion: v1\nkind: Config\ncurrent-context: prod\n"
        "clusters:\n- {name: c, cluster: &c {server: https://x, certificate-authority: ca.pem}}\n"
        "- {name: c, cluster: {server: https://y}}\n- {name: again, cluster: *c}\n"
        "contexts:\n- {name: prod, context: {cluster: again, user: alice}}\n"
        "- {name: broken, context: {cluster: c, user: nobody}}\n"
        "users:\n- {name: alice, user: {tokenFile: token}}\n"
    )
    (tmp_path / "config").write_text(text, encoding="utf-8")
    config = kubeconfig.load((tmp_path / "config",))
    prod, broken = config.entries
    assert broken.problem
    items = inventory(prod, config.document("prod"))
    assert [(one.claims.subject, one.claims.problem) for one in items] == [(SA, ""), ("ca", "")]


def test_a_document_without_a_user_has_no_credential_of_one() -> None:
    bare = {**document({}), "users": []}
    assert inventory(entry(), bare) == ()


def test_a_report_puts_both_verdicts_a_sentence_and_advice_together() -> None:
    (one,) = found({"token": LONG})
    end = one.claims.expires_at
    assert end
    made = report(one, ServerAnswer(), end - datetime.timedelta(days=1), kit.WEEK)
    assert (made.claim_verdict, made.server_verdict, made.status) == ("expiring", "not_asked", "warning")
    assert made.advice[0].strategy is Strategy.TOKEN_REQUEST
    assert "prod" in translate(made.advice[0].breaks)
    assert 0.99 < (made.lifetime_used or 0) < 1
    assert LONG.encode() not in msgspec.json.encode(msgspec.structs.replace(made, advice=(), status_message=""))
