"""`credentials renew` and `credentials script` as a person types them: into a file, into the vault, as files."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.executors.renewal_holder import holder_of
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.store.vault import Vault

LIMIT_S = 60


@pytest.fixture
def deployer(practice_api, namespace):
    practice_api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    practice_api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "deployer"}})
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    practice_api.create(f"{rbac}/roles", {"metadata": {"name": "renew"}, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "deployer", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "renew"}
    practice_api.create(f"{rbac}/rolebindings", {"metadata": {"name": "renew"}, "roleRef": role, "subjects": [subject]})
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


def test_a_cluster_of_the_vault_gets_a_new_token(call, deployer, kubeconfig, tmp_path) -> None:
    """The way of `Done when 2`, typed: server and token, then renewed by itself where its account may."""
    phrase, place = tmp_path / "phrase", tmp_path / "first.yaml"
    phrase.write_text("correct horse battery staple\n")
    phrase.chmod(0o600)
    Vault(tmp_path / "data" / "vault.json").create("passphrase", phrase.read_text().strip())
    assert call("credentials", "renew", "practice", "--account", deployer, "--save", place).returncode == 0
    document = reader.load((place,)).document("practice")
    server, open_vault = document["clusters"][0]["cluster"]["server"], ("--passphrase-file", phrase)
    asked = (
        "clusters",
        "add",
        "mine",
        "--server",
        server,
        "--token-file",
        "-",
        "--insecure-skip-tls-verify",
        *open_vault,
    )
    added = call(*asked, input=token_in(place))
    assert added.returncode == 0, added.stderr
    known = Vault(tmp_path / "data" / "vault.json", passphrase=lambda: "correct horse battery staple")
    (key,) = known.keys()
    before = known.get(key)
    renewed = call("credentials", "renew", "mine", "--duration", "2h", "-o", "json", *open_vault)
    assert renewed.returncode == 0, renewed.stderr
    assert json.loads(renewed.stdout)["put"] == "replace"
    after = Vault(tmp_path / "data" / "vault.json", passphrase=lambda: "correct horse battery staple").get(key)
    assert after != before and json.loads(after)["token"] not in renewed.stdout + renewed.stderr


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
