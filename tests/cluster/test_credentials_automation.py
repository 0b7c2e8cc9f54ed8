"""Generated files run for real: the bash script, a kubeconfig's credential program, what the CronJob's pod runs."""

from __future__ import annotations

import base64
import json
import os
import shlex
import stat
import subprocess
import time

import pytest
import yaml
from credential_kit import account_that_renews

from ansflow_desktop.credentials import automation, renew
from ansflow_desktop.credentials.automation_values import request_of
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube import sync

NASTY = 'it\'s "the" $(touch pwned) `touch pwned` %h \\ cluster'


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


@pytest.fixture
def account(practice_api, namespace):
    """A namespace with the ServiceAccount `deployer`, which may renew its own token; the namespace's name."""
    account_that_renews(practice_api, namespace)
    return namespace


@pytest.fixture
def spy(kubectl, tmp_path):
    """A kubectl that notes its arguments and then is the real one."""
    program, log = tmp_path / "kubectl", tmp_path / "argv"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{log}\nexec {shlex.quote(kubectl.path)} "$@"\n')
    program.chmod(0o700)
    return program


def request(document, account, tmp_path, **more):
    made = request_of(document, NASTY, account, "deployer", 900)
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    given = {"folder": str(tmp_path), "target": str(tmp_path / "kept $x" / "kube config.yaml"), **more}
    return automation.AutomationRequest(**{**fields, **given})


def written(kind, asked, folder):
    for file in automation.files(kind, asked):
        (folder / file.name).write_text(file.text)
        (folder / file.name).chmod(file.mode)
        yield folder / file.name


def run(argv, tmp_path, **env):
    clean = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    return subprocess.run(
        [str(part) for part in argv],
        env={**clean, **home, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )


def user_of(file):
    loaded = reader.load((file,))
    found = loaded.document(loaded.entries[0].name)
    return sync.run(renew.prove(found)).username, found["users"][0]["user"].get("token", "")


def test_the_bash_script_renews_then_its_own_token_renews_itself(document, account, kubeconfig, spy, tmp_path) -> None:
    asked = request(document, account, tmp_path, source=str(kubeconfig), context="practice", kubectl=str(spy))
    (script,) = written("bash", asked, tmp_path)
    first = run([script], tmp_path)
    assert first.returncode == 0, first.stderr
    kept = tmp_path / "kept $x" / "kube config.yaml"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    user, token = user_of(kept)
    assert user == f"system:serviceaccount:{account}:deployer"
    assert reader.load((kept,)).entries[0].name == NASTY

    again = run([script], tmp_path, ANSFLOW_SOURCE="")
    assert again.returncode == 0, again.stderr
    assert user_of(kept)[1] not in ("", token)
    assert os.listdir(kept.parent) == [kept.name]
    assert not list(tmp_path.rglob("pwned"))
    said = (tmp_path / "argv").read_text() + first.stdout + first.stderr + again.stdout + again.stderr
    assert token not in said and user_of(kept)[1] not in said


def test_the_bash_script_changes_nothing_where_nobody_can_ask(document, account, kubectl, tmp_path) -> None:
    asked = request(document, account, tmp_path, kubectl=kubectl.path)
    (script,) = written("bash", asked, tmp_path)
    kept = tmp_path / "kept $x" / "kube config.yaml"
    kept.parent.mkdir()
    old = renew.with_secret(document, renew.Renewed(token="ended").secret)
    kept.write_text(json.dumps(old))
    done = run([script], tmp_path)
    assert done.returncode == 3 and "credentials renew" in done.stderr
    assert json.loads(kept.read_text()) == old and os.listdir(kept.parent) == [kept.name]


def test_the_bash_script_does_not_keep_a_token_that_is_refused(document, account, kubeconfig, tmp_path) -> None:
    fake = tmp_path / "kubectl"
    fake.write_text('#!/bin/sh\ncase "$*" in *"create token"*) echo new.token.x ;; *) echo no >&2; exit 1 ;; esac\n')
    fake.chmod(0o700)
    asleep = tmp_path / "sleep"
    asleep.write_text("#!/bin/sh\n")
    asleep.chmod(0o700)
    (script,) = written("bash", request(document, account, tmp_path, source="x", kubectl=str(fake)), tmp_path)
    done = run([script], tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    assert os.listdir(tmp_path / "kept $x") == []


def test_kubectl_signs_in_by_the_credential_program(document, account, kubeconfig, spy, kubectl, tmp_path) -> None:
    asked = request(document, account, tmp_path, source=str(kubeconfig), context="practice", kubectl=str(spy))
    _script, config = written("exec", asked, tmp_path)
    whoami = [kubectl.path, "--kubeconfig", config, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]
    for _twice in range(2):
        done = run(whoami, tmp_path)
        assert done.stdout == f"system:serviceaccount:{account}:deployer", done.stderr
    assert (tmp_path / "argv").read_text().count("token\n") == 1, "the second time the kept one is used"
    (kept,) = (tmp_path / "run" / "ansflow").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    due, _end, token = kept.read_text().split()
    assert 500 < int(due) - time.time() < 660
    kept.write_text(f"0 2020-01-01T00:00:00Z {token}")
    assert run(whoami, tmp_path).stdout == f"system:serviceaccount:{account}:deployer"
    assert kept.read_text().split()[2] != token


def allowed(kubectl, kubeconfig, user, *what):
    asked = [kubectl.path, "--kubeconfig", str(kubeconfig), "auth", "can-i", *what, "--as", user]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60).stdout.strip() == "yes"


def test_the_cron_job_is_taken_has_the_least_rights_and_its_pod_would_work(
    document, account, kubeconfig, kubectl, kubectl_json, tmp_path
) -> None:
    asked = request(document, account, tmp_path)
    (file,) = written("cronjob", asked, tmp_path)
    applied = run([kubectl.path, "--kubeconfig", kubeconfig, "apply", "-f", file], tmp_path)
    assert applied.returncode == 0, applied.stderr
    objects = {item["kind"]: item for item in yaml.safe_load_all(file.read_text())}
    name, secret = objects["CronJob"]["metadata"]["name"], objects["Secret"]["metadata"]["name"]
    user = f"system:serviceaccount:{account}:{name}"

    def may(*what):
        return allowed(kubectl, kubeconfig, user, *what, "-n", account)

    assert may("create", "serviceaccounts/deployer", "--subresource=token")
    assert may("update", f"secrets/{secret}")
    assert not may("create", "serviceaccounts/default", "--subresource=token")
    assert not may("update", "secrets/other")
    assert not may("get", f"secrets/{secret}")
    assert not allowed(kubectl, kubeconfig, user, "update", f"secrets/{secret}", "-n", "default")

    container = objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    env = {item["name"]: item["value"] for item in container["env"]}
    work = tmp_path / "work"
    work.mkdir()
    ca = tmp_path / "ca.crt"
    ca.write_text(renewer_ca(document))
    pod = sync.run(renew.token_request(document, account, name, 600))
    config = tmp_path / "pod.json"
    config.write_text(json.dumps(renew.with_secret(document, pod.secret)))
    here = {"WORK": str(work), "KUBECTL": kubectl.path, "API_SERVER": asked.server, "API_CA": str(ca)}
    done = run([*container["command"], *container["args"]], tmp_path, **{**env, **here, "KUBECONFIG": str(config)})
    assert done.returncode == 0, done.stderr
    data = kubectl_json("get", "secret", secret, "-n", account)["data"]
    token = base64.b64decode(data["token"]).decode()
    new = renew.with_secret(document, renew.Renewed(token=token).secret)
    assert sync.run(renew.prove(new)).username == f"system:serviceaccount:{account}:deployer"
    again = run([kubectl.path, "--kubeconfig", kubeconfig, "apply", "-f", file], tmp_path)
    assert again.returncode == 0
    assert kubectl_json("get", "secret", secret, "-n", account)["data"] == data, "a second apply keeps the token"


def renewer_ca(document):
    return base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
