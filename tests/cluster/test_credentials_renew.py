"""Renewals on a real API server: what comes back is tried, goes to its place, and the old one stays until then."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import datetime
import json
import os
import stat
import subprocess
import time
from types import SimpleNamespace

import jwt
import msgspec
import pytest
from credential_kit import account_that_renews

from ansflow_desktop.credentials import renew, signing
from ansflow_desktop.credentials.answers import Answers
from ansflow_desktop.credentials.service import CredentialService, CredentialSettings
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import renewal, renewal_legacy
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.models.credential import ClaimVerdict, CredentialKind

HOUR = 3600
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


class MemoryVault(dict):
    """Secrets in memory, as the vault keeps them for one session."""

    lasting = False
    in_use = staticmethod(contextlib.nullcontext)

    def put(self, key, value):
        self[key] = value

    def remove(self, key):
        self.pop(key, None)


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


@pytest.fixture
def account(practice_api, namespace):
    """The namespace with the ServiceAccount `deployer`, which may renew its own token."""
    account_that_renews(practice_api, namespace)
    return SimpleNamespace(namespace=namespace, name="deployer", user=f"system:serviceaccount:{namespace}:deployer")


@pytest.fixture
def impatient(monkeypatch):
    """A refused new credential is tried once more only."""
    monkeypatch.setattr(renew, "_TRIES_S", (0.0, 0.0))


@pytest.fixture
def services(kubeconfig, tmp_path):
    made = Services(Options(kubeconfig=str(kubeconfig), data_dir=str(tmp_path / "data")))
    made._made["vault"] = MemoryVault()
    yield made
    made.close()


@pytest.fixture
def added(services, document, account):
    """A cluster added by hand with a token of the account; its name."""
    token = sync.run(renew.token_request(document, account.namespace, account.name, 600)).token
    ((found, _secret),) = services.cluster_book.from_kubeconfig(text_of(renew.with_secret(document, secret_of(token))))
    own = OwnCluster(**{name: getattr(found, name) for name in found.__struct_fields__} | {"name": "mine"})
    services.cluster_book.add(own, secret_of(token), ClusterMarks(description="by hand"))
    return "mine"


def secret_of(token):
    return ClusterSecret(token=token)


def text_of(document):
    return msgspec.json.encode(document).decode()


def ends_in(when) -> float:
    return (when - datetime.datetime.now(datetime.UTC)).total_seconds()


def who(document, made):
    return sync.run(renew.prove(renew.with_secret(document, made.secret))).username


# tokens


def test_a_token_for_the_time_asked_is_accepted_before_it_is_given_out(document, account) -> None:
    made = sync.run(renew.token_request(document, account.namespace, account.name, HOUR))
    assert made.identity.username == account.user
    assert HOUR - 60 < ends_in(made.expires_at) < HOUR + 60
    assert made.notes == ()
    assert who(document, made) == account.user
    assert made.token not in repr(made)


def test_the_account_renews_its_own_token(document, account) -> None:
    first = sync.run(renew.token_request(document, account.namespace, account.name, 600))
    again = sync.run(renew.token_request(renew.with_secret(document, first.secret), account.namespace, "deployer", 900))
    assert again.token != first.token and again.identity.username == account.user


def test_a_missing_account_is_said_by_the_server(document, account) -> None:
    with pytest.raises(KubeError) as caught:
        sync.run(renew.token_request(document, account.namespace, "nobody", HOUR))
    assert caught.value.status == 404 and "nobody" in translate(caught.value.message)
    assert translate(caught.value.title) == f"There is no ServiceAccount {account.namespace}/nobody"


def test_a_token_without_the_right_says_which_one_is_missing(document, account) -> None:
    made = sync.run(renew.token_request(document, account.namespace, account.name, 600))
    with pytest.raises(KubeError) as caught:
        sync.run(renew.token_request(renew.with_secret(document, made.secret), account.namespace, "default", HOUR))
    assert caught.value.code is ExitCode.FORBIDDEN and "serviceaccounts/token" in translate(caught.value.hint)


def test_a_token_that_the_server_itself_refuses_is_not_given_out(document, account, impatient) -> None:
    with pytest.raises(UserError) as caught:
        sync.run(renew.token_request(document, account.namespace, account.name, HOUR, ("elsewhere",)))
    assert caught.value.code is ExitCode.UNREACHABLE and "does not accept" in translate(caught.value.title)


def test_a_wrong_token_may_ask_for_nothing(document, account) -> None:
    with pytest.raises(KubeError) as caught:
        wrong = renew.with_secret(document, secret_of("wrong"))
        sync.run(renew.token_request(wrong, account.namespace, account.name, HOUR))
    assert caught.value.status == 401


def test_nobody_is_not_taken_for_somebody(document) -> None:
    with pytest.raises(KubeError) as caught:
        sync.run(renew.prove(renew.with_secret(document, ClusterSecret()), patient=False))
    assert (caught.value.status, caught.value.code) == (401, ExitCode.UNREACHABLE)


# certificates


def test_a_certificate_is_signed_tried_and_its_request_taken_away(document, practice_api) -> None:
    made = sync.run(renew.csr(document, "jane", ("team-a", "team-b"), HOUR))
    assert made.identity.username == "jane" and {"team-a", "team-b"} <= set(made.identity.groups)
    assert HOUR - 600 < ends_in(made.expires_at) < HOUR + 60
    assert who(document, made) == "jane"
    assert not requests_of(practice_api, "practice-admin")
    assert made.key not in repr(made)


def test_the_group_of_masters_is_refused_in_the_servers_words(document, practice_api) -> None:
    with pytest.raises(UserError) as caught:
        sync.run(renew.csr(document, "jane", ("system:masters",), HOUR))
    assert caught.value.code is ExitCode.FORBIDDEN and "system:masters" in translate(caught.value.message)
    assert not requests_of(practice_api, "practice-admin")


@pytest.fixture
def requester(document, practice_api, account):
    """A document of an account that may ask for certificates, but not approve them."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rule = {
        "apiGroups": ["certificates.k8s.io"],
        "resources": ["certificatesigningrequests"],
        "verbs": ["create", "get", "delete"],
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": account.namespace}
    subject = {"kind": "ServiceAccount", "name": "deployer", "namespace": account.namespace}
    practice_api.create(f"{rbac}/clusterroles", {"metadata": {"name": account.namespace}, "rules": [rule]})
    bound = {"metadata": {"name": account.namespace}, "roleRef": role, "subjects": [subject]}
    practice_api.create(f"{rbac}/clusterrolebindings", bound)
    made = sync.run(renew.token_request(document, account.namespace, "deployer", 600))
    yield renew.with_secret(document, made.secret)
    for kind in ("clusterrolebindings", "clusterroles"):
        practice_api.request("DELETE", f"{rbac}/{kind}/{account.namespace}")


def requests_of(api, user):
    return [item["metadata"]["name"] for item in api.get(REQUESTS)["items"] if item["spec"]["username"] == user]


def test_nobody_approves_in_time(requester, practice_api, account) -> None:
    told = []
    with pytest.raises(UserError) as caught:
        sync.run(renew.csr(requester, "jane", (), HOUR, patience=0.3, on_wait=told.append))
    assert caught.value.code is ExitCode.FORBIDDEN and "Nobody approved" in translate(caught.value.message)
    assert "kubectl certificate approve ansflow-" in translate(told[0])
    assert not requests_of(practice_api, account.user)


def test_a_request_is_taken_away_when_the_wait_is_cancelled(requester, practice_api, account) -> None:
    async def cancelled() -> None:
        waits = asyncio.Event()
        task = asyncio.create_task(
            renew.csr(requester, "jane", (), HOUR, patience=60, on_wait=lambda _text: waits.set())
        )
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    sync.run(cancelled())
    assert not requests_of(practice_api, account.user)


def test_an_administrator_approves_meanwhile(requester, kubectl, kubeconfig) -> None:
    def approve(text) -> None:
        name = translate(text).rpartition(" ")[2]
        command = [kubectl.path, "--kubeconfig", str(kubeconfig), "certificate", "approve", name]
        subprocess.run(command, check=True, capture_output=True)

    made = sync.run(renew.csr(requester, "jane", ("team",), HOUR, patience=20, on_wait=approve))
    assert made.identity.username == "jane"


def test_an_administrator_denies_it(requester, kubectl, kubeconfig) -> None:
    def deny(text) -> None:
        name = translate(text).rpartition(" ")[2]
        command = [kubectl.path, "--kubeconfig", str(kubeconfig), "certificate", "deny", name]
        subprocess.run(command, check=True, capture_output=True)

    with pytest.raises(UserError) as caught:
        sync.run(renew.csr(requester, "jane", (), HOUR, patience=20, on_wait=deny))
    assert caught.value.code is ExitCode.FORBIDDEN and "not signed" in translate(caught.value.title)


def test_a_certificate_for_another_user_is_not_taken(document) -> None:
    made = sync.run(renew.csr(document, "jane", (), HOUR))
    with pytest.raises(UserError):
        signing.checked(made.certificate, made.key, "john", "server")
    other, _request = signing.new_request("jane", ())
    with pytest.raises(UserError):
        signing.checked(made.certificate, other, "jane", "server")


# where the new one goes


def test_the_secret_of_a_cluster_added_by_hand_is_replaced(services, added, account) -> None:
    old = services.cluster_book.secret(services.cluster_book.own(added))
    known = sync.run(renewal.renewable(services, added))
    assert (known.how, known.account, known.puts[0]) == ("token_request", "deployer", "replace")
    done = sync.run(renewal.renew(services, added, renewal.Wanted(seconds=2 * HOUR)))
    new = services.cluster_book.secret(services.cluster_book.own(added))
    assert (done.put, done.place, done.user) == ("replace", "mine", account.user)
    assert new.token != old.token and ends_in(done.expires_at) > HOUR > ends_in(done.expired_at)
    assert services.redactor(f"x {new.token} y") == "x *** y"
    assert services.catalog.document(added)["users"][0]["user"] == {"token": new.token}
    assert services.catalog.marks(added).description == "by hand"


def test_the_old_secret_stays_when_the_new_one_is_refused(services, added, impatient) -> None:
    before = dict(services.vault)
    with pytest.raises(UserError):
        sync.run(renewal.renew(services, added, renewal.Wanted(audiences=("elsewhere",))))
    with pytest.raises(UserError):
        sync.run(renewal.renew(services, added, renewal.Wanted(account="nobody")))
    assert dict(services.vault) == before


def test_a_secret_that_another_process_replaced_is_left_alone(services, added, monkeypatch) -> None:
    making = renew.token_request

    async def meanwhile(*args, **kwargs):
        made = await making(*args, **kwargs)
        services.cluster_book.replace_secret(added, secret_of("of-the-other"))
        return made

    monkeypatch.setattr(renew, "token_request", meanwhile)
    with pytest.raises(UserError) as caught:
        sync.run(renewal.renew(services, added))
    assert "meanwhile" in translate(caught.value.title)
    assert services.cluster_book.secret(services.cluster_book.own(added)).token == "of-the-other"


def test_a_token_that_is_refused_already_is_renewed_by_another_entry(services, added, account) -> None:
    services.cluster_book.replace_secret(added, secret_of("ended"))
    with pytest.raises(KubeError):
        sync.run(renewal.renew(services, added))
    wanted = renewal.Wanted(namespace=account.namespace, account="deployer", via="practice")
    assert sync.run(renewal.renew(services, added, wanted)).user == account.user


def test_a_token_becomes_a_certificate(services, added) -> None:
    wanted = renewal.Wanted(how="csr", user="jane", via="practice", seconds=HOUR)
    done = sync.run(renewal.renew(services, added, wanted))
    assert done.user == "jane" and "jane" in translate(done.notes[0])
    assert services.cluster_book.own(added).auth == "certificate"
    assert sync.run(renew.prove(services.catalog.document(added))).username == "jane"
    known = sync.run(renewal.renewable(services, added))
    assert (known.how, known.user) == ("csr", "jane")


def test_a_context_is_never_written_the_new_one_goes_to_a_private_file(services, account, kubeconfig, tmp_path) -> None:
    before, place = kubeconfig.read_bytes(), tmp_path / "new.yaml"
    wanted = renewal.Wanted(namespace=account.namespace, account="deployer", put="file", file=str(place))
    done = sync.run(renewal.renew(services, "practice", wanted))
    assert done.place == str(place) and stat.S_IMODE(place.stat().st_mode) == 0o600
    saved = reader.load((place,)).document("practice")
    assert sync.run(renew.prove(saved)).username == account.user
    sync.run(renewal.renew(services, "practice", wanted))
    assert reader.load((place,)).document("practice") != saved
    assert kubeconfig.read_bytes() == before


def test_a_private_copy_of_a_context(services, account) -> None:
    wanted = renewal.Wanted(namespace=account.namespace, account="deployer")
    done = sync.run(renewal.renew(services, "practice", wanted))
    assert (done.put, done.place) == ("copy", "practice-renewed")
    assert sync.run(renew.prove(services.catalog.document(done.place))).username == account.user
    again = sync.run(renewal.renew(services, "practice", wanted))
    assert again.place == "practice-renewed-2"


def test_places_that_are_not_ours_are_refused_before_anything_is_asked(services, account, kubeconfig, tmp_path) -> None:
    other, folder = tmp_path / "letter.txt", tmp_path / "folder"
    other.write_text("dear\n")
    folder.mkdir()
    open_file = tmp_path / "open.yaml"
    open_file.write_bytes(kubeconfig.read_bytes())
    open_file.chmod(0o644)
    link = tmp_path / "link.yaml"
    link.symlink_to(kubeconfig)
    inside = services.directories.data / "x.yaml"
    for file in (kubeconfig, link, other, folder, open_file, inside, tmp_path / "no" / "where", "bad\0name"):
        wanted = renewal.Wanted(namespace=account.namespace, account="deployer", put="file", file=str(file))
        with pytest.raises(UserError) as caught:
            sync.run(renewal.renew(services, "practice", wanted))
        assert caught.value.field == "save", file
    assert other.read_text() == "dear\n" and os.listdir(folder) == []


def test_a_read_only_cluster_gives_tokens_but_signs_nothing(services, added) -> None:
    services.shelf.set_marks(added, ClusterMarks(read_only=True))
    assert sync.run(renewal.renew(services, added)).place == added
    with pytest.raises(UserError) as caught:
        sync.run(renewal.renew(services, added, renewal.Wanted(how="csr", user="jane", via="practice")))
    assert caught.value.code is ExitCode.FORBIDDEN


def test_the_administrators_token_cannot_be_renewed_by_itself(services) -> None:
    known = sync.run(renewal.renewable(services, "practice"))
    assert (known.how, known.user) == ("", "practice-admin")
    with pytest.raises(UserError) as caught:
        sync.run(renewal.renew(services, "practice"))
    assert caught.value.field == "account" and "ServiceAccount" in translate(caught.value.message)


def test_impersonation_is_kept_in_a_file(document) -> None:
    acting = copy.deepcopy(document)
    acting["users"][0]["user"]["as"] = "jane"
    assert renew.with_secret(acting, secret_of("new"))["users"][0]["user"] == {"as": "jane", "token": "new"}


# the Secret of an endless token


@pytest.fixture
def endless(services, document, account, practice_api):
    """The account's token from a Secret, which has no end, in use by the clusters `mine` and `twin`; its Secret."""
    secrets = f"/api/v1/namespaces/{account.namespace}/secrets"
    annotations = {"kubernetes.io/service-account.name": "deployer"}
    body = {"metadata": {"name": "old", "annotations": annotations}, "type": "kubernetes.io/service-account-token"}
    practice_api.create(secrets, body)
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["old"], "verbs": ["get", "delete"]}
    role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{account.namespace}/roles/renew"
    rules = [*practice_api.get(role)["rules"], rule]
    practice_api.request("PATCH", role, {"rules": rules})
    end = time.monotonic() + 30
    while "token" not in (found := practice_api.get(f"{secrets}/old").get("data") or {}) and time.monotonic() < end:
        practice_api.request("GET", f"{secrets}?watch=1&timeoutSeconds=1")  # until the controller writes it
    token = secret_of(base64.b64decode(found["token"]).decode())
    for name in ("mine", "twin"):
        ((made, _),) = services.cluster_book.from_kubeconfig(text_of(renew.with_secret(document, token)))
        services.cluster_book.add(msgspec.structs.replace(made, name=name), token, ClusterMarks())
    return f"{secrets}/old"


def test_the_old_secret_is_deleted_when_nobody_uses_it_any_more(services, endless, practice_api) -> None:
    old = renewal_legacy.old_secret_of(services.catalog.document("mine"))
    assert sync.run(renewal.renew(services, "mine")).old_secret == old
    assert renewal_legacy.old_secret_of(services.catalog.document("mine")) is None

    def removed(*confirmed):
        sync.run(renewal_legacy.remove_old_secret(services, "mine", old, confirmed))

    with pytest.raises(UserError) as caught:
        removed()
    assert "twin" in translate(caught.value.message)
    services.cluster_book.remove("twin")
    for marks in (ClusterMarks(read_only=True), ClusterMarks(production=True)):
        services.shelf.set_marks("mine", marks)
        with pytest.raises(UserError) as caught:
            removed("another")
        assert caught.value.code is ExitCode.FORBIDDEN, marks
    assert practice_api.request("GET", endless)[0] == 200, "nothing was deleted yet"
    removed("mine")
    assert practice_api.request("GET", endless)[0] == 404
    removed("mine")  # gone already is no error


def test_a_secret_of_another_account_by_now_is_left_alone(services, endless, practice_api) -> None:
    services.cluster_book.remove("twin")
    old = sync.run(renewal.renew(services, "mine")).old_secret
    other = msgspec.structs.replace(old, account_uid="another")
    with pytest.raises(UserError) as caught:
        sync.run(renewal_legacy.remove_old_secret(services, "mine", other, ()))
    assert "another one by now" in translate(caught.value.message)
    assert practice_api.request("GET", endless)[0] == 200


def test_what_is_no_secrets_token_leaves_nothing_to_delete(services, added) -> None:
    with pytest.raises(UserError) as caught:
        sync.run(renewal_legacy.require_removable(services, added, None, ()))
    assert caught.value.field == "remove_old_secret"


# image pull secrets


def test_pull_secrets_are_read_where_the_rights_allow_and_a_refusal_is_no_error(services, account, added, practice_api):
    """Both clusters are one server: `practice` may see Secrets, `mine` may not."""
    password = jwt.encode({"exp": int(time.time()) + HOUR}, b"k" * 32, "HS256")
    login = {"auths": {"registry.example": {"username": "u", "password": password}}}
    body = {
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": json.dumps(login)},
    }
    practice_api.create(f"/api/v1/namespaces/{account.namespace}/secrets", body)
    asked = CredentialSettings(namespaces=lambda _entry: (account.namespace,))
    made = CredentialService(services.catalog, Answers(), settings=lambda: asked)

    def pulls(ask):
        rows = sync.run(made.overview(ask)).reports
        return [row for row in rows if row.credential.kind is CredentialKind.IMAGE_PULL]

    assert pulls(ask=False) == []
    (row,) = pulls(ask=True)
    assert [use.cluster for use in row.credential.used_by] == ["practice"]
    assert row.claim_verdict is ClaimVerdict.EXPIRING and 0 < ends_in(row.credential.claims.expires_at) <= HOUR
    assert pulls(ask=False)[0].credential == row.credential
    assert not any(one.cluster for one in sync.run(made.overview(False)).unread)
