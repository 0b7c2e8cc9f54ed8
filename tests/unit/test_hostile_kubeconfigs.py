"""Kubeconfigs and files of strangers: what a person approves is seen whole, and nothing weakens TLS or an owner."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from types import SimpleNamespace

import pytest

from ansflow_desktop.commands.output import clean
from ansflow_desktop.commands.session import plugin_lines
from ansflow_desktop.credentials.jwt import legacy_secret
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import automation, renewal, renewal_place
from ansflow_desktop.kube import login, sync
from ansflow_desktop.kube.approvals import shown
from ansflow_desktop.kube.kubeconfig import load
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterMarks
from ansflow_desktop.models.credential import GeneratedFile

HOSTILE = make_plugin(
    "aws", ("eks\n  argument: get-token", "-c\u202e; rm", "\x1b[8mhidden\x1b[0m"), (("A", "x\n  digest: 0000"),)
)


def test_what_is_approved_is_seen_whole_and_makes_no_lines_of_its_own():
    lines = plugin_lines(HOSTILE)
    assert len(lines) == 6 and [clean(line) for line in lines] == lines
    for part in ("\\n", "\\u202e", "\\x1b[8mhidden"):
        assert part in "".join(lines) and part in shown(HOSTILE)
    assert shown(HOSTILE).isprintable()


@pytest.mark.parametrize(
    ("written", "read"), [(True, True), (False, False), ("false", False), ("true", False), (1, False)]
)
def test_tls_is_skipped_by_the_word_true_only(tmp_path, written, read):
    cluster = {"server": "https://a", "insecure-skip-tls-verify": written}
    file = tmp_path / "config"
    contexts = [{"name": "a", "context": {"cluster": "a"}}]
    file.write_text(json.dumps({"contexts": contexts, "clusters": [{"name": "a", "cluster": cluster}]}))
    found = load((file,))
    assert found.entries[0].insecure is read
    assert bool(found.entries[0].problem) is not isinstance(written, bool)
    assert found.document("a")["clusters"][0]["cluster"]["insecure-skip-tls-verify"] is read


@pytest.mark.parametrize(
    ("namespace", "name", "named"),
    [
        ("web", "bot-token-x1", True),
        ("web", "bot.token", True),
        ("web", "../../../nodes/one", False),
        ("..", "bot", False),
        ("web", "bot?propagationPolicy=Orphan", False),
        ("web/secrets/other", "bot", False),
        ("", "bot", False),
    ],
)
def test_a_token_names_no_other_place_than_a_secret(namespace, name, named):
    said = {"namespace": namespace, "secret.name": name, "service-account.uid": "1-2"}
    claims = {f"kubernetes.io/serviceaccount/{key}": value for key, value in said.items()}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert (legacy_secret(f"e30.{body}.x") is not None) is named


def program(folder, extension):
    """Return a document whose program gives what it is told of the cluster, shortened, as its token."""
    command = folder / "give"
    token = "$(printf %s \"$KUBERNETES_EXEC_INFO\" | cksum | tr ' ' -)"
    kind = '"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"'
    command.write_text(f'#!/bin/sh\nprintf \'{{{kind}, "status": {{"token": "%s"}}}}\' "{token}"\n')
    command.chmod(0o700)
    asked = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(command), "provideClusterInfo": True}
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": extension}]
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://a", "extensions": extensions}}],
        "users": [{"name": "u", "user": {"exec": asked}}],
    }


def test_a_programs_credential_is_for_the_cluster_it_was_told_of(tmp_path):
    one, other = program(tmp_path, {"account": "one"}), program(tmp_path, {"account": "other"})
    given = [sync.run(login.log_in(document, 20)) for document in (one, other, one)]
    assert given[0] == given[2] != given[1]
    assert given[1] == login.held(other) and given[1].token not in repr(given[1])
    login.forget(other)
    assert (login.held(other), login.held(one)) == (None, given[0])


def test_a_kubeconfig_shows_no_token_of_itself(tmp_path):
    file = tmp_path / "config"
    file.write_text(json.dumps({"users": [{"name": "anna", "user": {"token": "planted-token"}}]}))
    assert "anna" in repr(load((file,))) and "planted" not in repr(load((file,)))


@pytest.fixture
def somebody_else(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


def test_a_token_is_not_written_into_a_file_that_stays_somebody_elses(tmp_path, somebody_else):
    file = tmp_path / "renewed"
    contexts = [{"name": "a", "context": {"cluster": "a"}}]
    file.write_text(json.dumps({"contexts": contexts, "clusters": [{"name": "a", "cluster": {"server": "https://a"}}]}))
    file.chmod(0o600)
    with pytest.raises(UserError):
        renewal_place._require_ours(file)


def test_a_script_is_not_written_into_a_file_that_stays_somebody_elses(tmp_path, somebody_else):
    (tmp_path / "renew.sh").write_text("# Made by AnsFlow Desktop")
    with pytest.raises(UserError):
        automation.save((GeneratedFile(name="renew.sh", text="new", mode=0o700, about=""),), str(tmp_path))
    assert (tmp_path / "renew.sh").read_text() == "# Made by AnsFlow Desktop"


@pytest.mark.parametrize("held", ["one", "two"])
def test_a_certificate_is_not_asked_for_by_way_of_a_read_only_cluster(held):
    document = {"contexts": [], "clusters": [{"cluster": {"server": "https://a"}}], "users": []}
    services = SimpleNamespace(
        require_writable=lambda: None,
        vault_held=contextlib.nullcontext,
        cluster_book=SimpleNamespace(own=lambda _name: None),
        catalog=SimpleNamespace(
            document=lambda _name: document, marks=lambda name: ClusterMarks(read_only=name == held)
        ),
    )
    wanted = renewal.Wanted(how="csr", user="anna", via="two", put="file", file="/nowhere/x")
    with pytest.raises(UserError) as caught:
        sync.run(renewal.renew(services, "one", wanted))
    assert caught.value.code is ExitCode.FORBIDDEN
