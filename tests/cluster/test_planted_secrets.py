"""Marked secrets are planted everywhere a secret can be; then every artefact is searched for them, in every form.

An output is a line written to the terminal, a row of the journal, a line of a log, an argument or variable of a child
process, or a file below the data directory (issue 5, Done when 3); test_planted_secrets_window.py looks at the window.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
from urllib.parse import quote

import pytest
import yaml
from planted_kit import Search, chart, mark, wrapper

from ansflow_desktop import cli
from ansflow_desktop.commands import crash

LEAST = 10_000
STORM = 2500


@pytest.fixture
def plants():
    names = ("values", "custom", "variable", "manifest", "execenv", "filetoken", "refresh", "passphrase", "registry")
    found = {name: mark(name) for name in names}
    found["opaque"] = f"PLANT-{secrets.token_hex(16)}"
    for name in ("filetoken", "execenv"):
        found[name] = f"PLANT-{name}-{secrets.token_hex(12)}"
    return found


@pytest.fixture
def place(tmp_path, kubeconfig, plants, kubectl, helm4, namespace):
    """A person's files with a secret in each, and wrappers that record what helm and kubectl are started with."""
    admin = yaml.safe_load(kubeconfig.read_text())
    server, token = admin["clusters"][0]["cluster"], admin["users"][0]["user"]["token"]
    plants["admin"] = token
    (tmp_path / "token").write_text(plants["filetoken"])
    (tmp_path / "plugin").write_text(f'#!/bin/sh\necho "{plants["execenv"]}" >&2\nexit 3\n')
    (tmp_path / "plugin").chmod(0o755)
    tokens = {"refresh-token": plants["refresh"], "id-token": "a.b.c"}
    users = {
        "practice": {"token": token},
        "file": {"tokenFile": str(tmp_path / "token")},
        "opaque": {"token": plants["opaque"]},
        "plugin": {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": str(tmp_path / "plugin"),
                "env": [{"name": "APP_SECRET", "value": plants["execenv"]}],
                "interactiveMode": "Never",
            }
        },
        "oidc": {"auth-provider": {"name": "oidc", "config": tokens}},
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "practice",
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": name, "namespace": "default"}} for name in users
        ],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"password": plants["values"]}))
    (tmp_path / "passphrase").write_text(plants["passphrase"] + "\n")
    (tmp_path / "owntoken").write_text(token)
    (tmp_path / "ca.pem").write_bytes(base64.b64decode(server["certificate-authority-data"]))
    docker = {"auths": {"registry.invalid": {"auth": base64.b64encode(f"u:{plants['registry']}".encode()).decode()}}}
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(docker))
    chart(tmp_path / "chart")
    (tmp_path / "pipeline.yaml").write_text(pipeline(plants, namespace))
    for tool in (helm4, kubectl):
        wrapper(tmp_path, tool)
    return tmp_path


def pipeline(plants, namespace):
    """A shell step that shouts its secret in many forms, a chart and a Secret, and a step that fails."""
    spec = {
        "variables": {"db_password": plants["variable"]},
        "steps": [
            {"name": "storm", "type": "shell", "env": {"DB_PASSWORD": "${db_password}"}, "command": SHOUT},
            {
                "name": "chart",
                "type": "k8s_deploy",
                "k8s_cluster": "practice",
                "k8s_namespace": namespace,
                "k8s_config": {
                    "deploy_type": "helm",
                    "chart_path": "chart",
                    "release_name": "planted",
                    "values_files": ["values.yaml"],
                    "custom_values": yaml.safe_dump({"custom": plants["custom"]}),
                    "timeout": "60s",
                },
            },
            {
                "name": "secret",
                "type": "k8s_deploy",
                "k8s_cluster": "practice",
                "k8s_namespace": namespace,
                "k8s_config": {
                    "deploy_type": "manifest",
                    "manifest": yaml.safe_dump(
                        {
                            "apiVersion": "v1",
                            "kind": "Secret",
                            "metadata": {"name": "planted"},
                            "stringData": {"password": plants["manifest"]},
                        }
                    ),
                },
            },
            {
                "name": "fails",
                "type": "shell",
                "env": {"DB_PASSWORD": "${db_password}"},
                "command": FAIL,
            },
        ],
    }
    head = {"apiVersion": "ansflow.dev/v1", "kind": "Pipeline", "metadata": {"name": "planted"}}
    return yaml.safe_dump({**head, "spec": spec}, sort_keys=False, allow_unicode=True)


FAIL = "echo $DB_PASSWORD; exit 3"
SHOUT = f"""i=0
b=$(printf %s "$DB_PASSWORD" | base64 -w0)
while [ $i -lt {STORM} ]; do
  echo "line $i: password=$DB_PASSWORD and base64 $b"
  i=$((i+1))
done
"""


COMMANDS = (
    ("info",),
    ("clusters", "list"),
    ("clusters", "test", "practice"),
    ("clusters", "test", "own"),
    ("clusters", "test", "file"),
    ("clusters", "test", "opaque"),
    ("clusters", "test", "plugin"),
    ("clusters", "test", "oidc"),
    ("clusters", "stats", "own"),
    ("clusters", "sync"),
    ("clusters", "namespaces", "own"),
    ("clusters", "edit", "own", "--production", "--group", "lab"),
    ("credentials", "list"),
    ("credentials", "list", "--within", "30d"),
    ("credentials", "show", "opaque @ opaque"),
    ("credentials", "show", "own @ own"),
    ("credentials", "show", "nobody"),
    ("credentials", "renew", "opaque @ opaque"),
    ("credentials", "script", "own @ own", "--kind", "bash", "--account", "default/default"),
    ("credentials", "script", "own @ own", "--kind", "cronjob", "--account", "default/default"),
    ("credentials", "script", "own @ own", "--kind", "exec", "--account", "default/default"),
    ("vault", "status"),
    ("validate", "pipeline.yaml"),
    ("preview", "pipeline.yaml"),
    ("preview", "pipeline.yaml", "--diff"),
    ("run", "pipeline.yaml"),
    ("run", "pipeline.yaml", "--dry-run"),
    ("run", "pipeline.yaml", "--only", "chart"),
    ("run", "pipeline.yaml", "--only", "nothing"),
    ("releases", "list"),
    ("convert", "pipeline.yaml", "{out}.json"),
    ("deploy", "chart", "-c", "plugin", "-n", "default"),
    ("nonsense",),
)


def test_no_planted_secret_is_in_any_output(place, plants, capfd, monkeypatch, namespace):
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    search = Search(plants)
    base = ["--data-dir", str(place / "data"), "--kubeconfig", str(place / "kubeconfig"), "--log-level", "debug"]
    base += ["--helm", str(place / "helm"), "--kubectl", str(place / "kubectl")]
    base += ["--passphrase-file", str(place / "passphrase")]

    def call(*words):
        try:
            code = cli.main([*words, *base])
        except SystemExit as left:
            code = left.code
        out, err = capfd.readouterr()
        if words[0] == "convert":
            return code
        search.lines(f"stdout of {' '.join(words)}", out)
        search.lines(f"stderr of {' '.join(words)}", err)
        assert "Traceback" not in err
        return code

    server = yaml.safe_load((place / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
    assert call("vault", "create", "--kind", "passphrase") == 0
    assert call("clusters", "add", "own", "--server", server, "--ca-file", "ca.pem", "--token-file", "owntoken") == 0
    ran = {}
    for form in ("text", "jsonl"):
        for words in COMMANDS:
            filled = [word.format(out=place / f"out-{form}") for word in words]
            ran[(form, words)] = call(*filled, "-o", form, *(["--lang", "zh_CN"] if form == "jsonl" else []))
    assert ran[("text", ("clusters", "test", "own"))] == 0, search.found
    assert ran[("text", ("run", "pipeline.yaml"))] == 1
    report(place, plants, search)
    artefacts(place, search)
    assert not search.found, "\n".join(dict.fromkeys(search.found))
    assert search.count >= LEAST, search.count


def report(place, plants, search):
    """A crash whose exception and command line hold secrets."""
    try:
        raise RuntimeError(f"--set password={plants['values']}")
    except RuntimeError as error:
        words = ["deploy", "chart", "--set", f"password={plants['values']}", "--data-dir", str(place / "data")]
        search.look("crash", str(crash.report(words, error)))


def artefacts(place, search):
    """Everything that was written: the data directory, the journal row by row, what the programs were started with."""
    for name in ("helm", "kubectl"):
        search.lines(f"arguments of {name}", (place / f"started-{name}").read_text())
    for file in (place / "data").rglob("*"):
        if file.is_file():
            search.look(str(file.relative_to(place)), file.read_bytes())
            if file.suffix in (".log", ".txt", ".json"):
                search.lines(str(file.relative_to(place)), file.read_text(errors="replace"))
    with sqlite3.connect(place / "data" / "ansflow.db") as database:
        for table in ("runs", "events", "library"):
            for row in database.execute(f"SELECT * FROM {table}"):
                search.look(f"a row of {table}", json.dumps(row, ensure_ascii=False))
                for column in row:
                    search.lines(f"a row of {table}", str(column))
    assert not list((place / "data" / "runs").iterdir())
    assert os.stat(place / "data" / "vault.json").st_mode & 0o077 == 0


def test_the_search_finds_what_is_there(plants):
    for secret in list(plants.values()):
        for text in (secret, base64.b64encode(b"user:" + secret.encode()).decode(), quote(secret), json.dumps(secret)):
            search = Search(plants)
            search.look("here", f"x{text}y")
            assert search.found, text
