"""`credentials renew` and `credentials script` as a person types them: into a file, into the vault, as files."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time

import pytest
from credential_kit import account_that_renews

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.executors.renewal_holder import holder_of
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.store.vault import Vault

LIMIT_S = 60


@pytest.fixture
def deployer(practice_api, namespace):
    account_that_renews(practice_api, namespace)
    return f"{namespace}/deployer"


@pytest.fixture
def call(kubeconfig, tmp_path):
    """Run one command line as a process."""

    def run(*more, **given):
        words = [sys.executable, "-m", "ansflow_desktop", "--data-dir", str(tmp_path / "data")]
        words += ["--kubeconfig", str(kubeconfig), *map(str, more)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=LIMIT_S, **given)
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def add(call, kubeconfig, tmp_path):
    """Add a cluster by the command line that signs in with a token; returns the options that open the vault."""
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple\n")
    phrase.chmod(0o600)
    server = reader.load((kubeconfig,)).document("practice")["clusters"][0]["cluster"]["server"]

    def run(name, token):
        vault = Vault(tmp_path / "data" / "vault.json")
        if not vault.exists:
            vault.create("passphrase", phrase.read_text().strip())
        asked = ("--server", server, "--token-file", "-", "--insecure-skip-tls-verify", "--passphrase-file", phrase)
        added = call("clusters", "add", name, *asked, input=token)
        assert added.returncode == 0, added.stderr
        return ("--passphrase-file", phrase)

    return run


@pytest.fixture
def endless(practice_api, deployer, namespace):
    """The token of a Secret of the account, which may read and delete that; the Secret's path."""
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    annotations = {"kubernetes.io/service-account.name": "deployer"}
    body = {"metadata": {"name": "old", "annotations": annotations}, "type": "kubernetes.io/service-account-token"}
    practice_api.create(secrets, body)
    role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/renew"
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["old"], "verbs": ["get", "delete"]}
    practice_api.request("PATCH", role, {"rules": [*practice_api.get(role)["rules"], rule]})
    end = time.monotonic() + 30
    while "token" not in (found := practice_api.get(f"{secrets}/old").get("data") or {}) and time.monotonic() < end:
        practice_api.request("GET", f"{secrets}?watch=1&timeoutSeconds=1")  # until the controller writes it
    return base64.b64decode(found["token"]).decode(), f"{secrets}/old"


def token_in(file):
    return reader.load((file,)).document("practice")["users"][0]["user"]["token"]


def test_a_context_is_renewed_into_a_file(call, deployer, kubeconfig, tmp_path) -> None:
    before, place = kubeconfig.read_bytes(), tmp_path / "new.yaml"
    done = call("credentials", "renew", "practice @ practice", "--account", deployer, "--save", place, "-o", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["put"], said["place"], said["how"]) == ("file", str(place), "token_request")
    assert token_in(place) not in done.stdout + done.stderr
    assert kubeconfig.read_bytes() == before
    refused = call("credentials", "renew", "practice", "--account", deployer, "--save", kubeconfig)
    assert refused.returncode == ExitCode.INVALID and "never written" in refused.stderr
    assert kubeconfig.read_bytes() == before


def test_a_cluster_of_the_vault_gets_a_new_token(call, add, deployer, tmp_path) -> None:
    """The way of `Done when 2`, typed: server and token, then renewed by itself where its account may."""
    place = tmp_path / "first.yaml"
    assert call("credentials", "renew", "practice", "--account", deployer, "--save", place).returncode == 0
    open_vault = add("mine", token_in(place))
    known = Vault(tmp_path / "data" / "vault.json", passphrase=lambda: "correct horse battery staple")
    (key,) = known.keys()
    before = known.get(key)
    renewed = call("credentials", "renew", "mine", "--duration", "2h", "-o", "json", *open_vault)
    assert renewed.returncode == 0, renewed.stderr
    assert json.loads(renewed.stdout)["put"] == "replace"
    after = Vault(tmp_path / "data" / "vault.json", passphrase=lambda: "correct horse battery staple").get(key)
    assert after != before and json.loads(after)["token"] not in renewed.stdout + renewed.stderr


def test_a_token_that_is_refused_is_renewed_by_way_of_another_entry(call, add, deployer) -> None:
    open_vault = add("mine", "made-up-and-refused-0123456789")
    alone = call("credentials", "renew", "mine", "--account", deployer, *open_vault)
    assert alone.returncode == ExitCode.UNREACHABLE and "Unauthorized" in alone.stderr
    done = call("credentials", "renew", "mine", "--account", deployer, "--via", "practice", "-o", "json", *open_vault)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["put"] == "replace"
    works = call("clusters", "test", "mine", *open_vault)
    assert works.returncode == 0, works.stdout + works.stderr


def test_the_secret_of_an_endless_token_is_deleted_with_the_renewal(call, add, endless, practice_api, tmp_path) -> None:
    token, path = endless
    open_vault = add("mine", token)
    asked = ("credentials", "renew", "mine", "--remove-old-secret", "-o", "json", *open_vault)
    assert call("clusters", "edit", "mine", "--production").returncode == 0
    refused = call(*asked)
    assert refused.returncode == ExitCode.FORBIDDEN and practice_api.request("GET", path)[0] == 200
    namespace = path.split("/")[4]
    saved = call("credentials", "renew", "mine", "--save", tmp_path / "copy.yaml", *open_vault)
    assert saved.returncode == 0 and "delete secret" not in saved.stderr, "it is still in use here"
    done = call(*asked, "--confirm", "mine")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["removed_old_secret"], said["old_secret"]) == (True, f"{namespace}/old")
    assert practice_api.request("GET", path)[0] == 404
    assert token not in refused.stdout + refused.stderr + done.stdout + done.stderr
    assert call("clusters", "test", "mine", *open_vault).returncode == 0


def test_a_secret_that_stays_is_named_with_what_deletes_it_later(call, add, endless, namespace) -> None:
    token, _path = endless
    done = call("credentials", "renew", "mine", *add("mine", token))
    assert done.returncode == 0 and f"kubectl -n {namespace} delete secret old" in done.stderr, done.stderr


def test_a_certificate_that_nobody_signs_is_waited_for_as_long_as_was_said(call, practice_api, tmp_path) -> None:
    named = ("--by", "certificate", "--user", "jane", "--signer", "example.com/nobody", "--save", tmp_path / "x.yaml")
    done = call("credentials", "renew", "practice", *named, "--patience", "1s")
    assert done.returncode != 0 and "1 s" in done.stderr, done.stderr
    assert not (tmp_path / "x.yaml").exists()
    wrong = call("credentials", "renew", "practice", *named, "--patience", "soon")
    assert wrong.returncode == ExitCode.INVALID and "patience" in wrong.stderr


def test_a_certificate_is_asked_for_with_user_and_groups(call, kubeconfig, tmp_path) -> None:
    place = tmp_path / "jane.yaml"
    named = ("--by", "certificate", "--user", "jane", "--group", "team-a", "--group", "team-b")
    done = call("credentials", "renew", "practice", *named, "--duration", "1h", "--save", place, "-o", "json")
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["how"], json.loads(done.stdout)["user"]) == ("csr", "jane")
    holder = holder_of(reader.load((place,)).document("practice"))
    assert (holder.user, holder.groups, holder.certificate) == ("jane", ("team-a", "team-b"), True)


def test_bad_input_asks_nobody(call, deployer, tmp_path) -> None:
    for more, words in (
        (("renew", "practice", "--account", "deployer"), "default/deployer"),
        (("renew", "practice", "--account", deployer, "--duration", "5m"), "duration"),
        (("renew", "practice", "--account", deployer, "--by", "certificate"), "do not go together"),
        (("renew", "practice", "--account", deployer, "--remove-old-secret"), "not that of a Secret"),
    ):
        done = call("credentials", *more)
        assert done.returncode == ExitCode.INVALID and words in done.stderr
    done = call("--read-only", "credentials", "renew", "practice", "--account", deployer, "--save", tmp_path / "x.yaml")
    assert done.returncode == ExitCode.FORBIDDEN and not (tmp_path / "x.yaml").exists()


def test_scripts_are_written_for_the_context_that_asks(call, deployer, kubeconfig, tmp_path) -> None:
    asked = (
        "credentials",
        "script",
        "practice",
        "--account",
        deployer,
        "--kind",
        "systemd",
        "--out",
        tmp_path / "auto",
    )
    done = call(*asked)
    assert done.returncode == 0, done.stderr
    script, service, timer = (tmp_path / "auto" / line.rpartition("/")[2] for line in done.stdout.splitlines())
    assert f"SOURCE=${{ANSFLOW_SOURCE-{kubeconfig}}}" in script.read_text()
    assert str(script) in service.read_text() and "OnUnitActiveSec=28800" in timer.read_text()
