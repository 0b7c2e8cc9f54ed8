"""Checks of a cluster, namespaces and rights: a real API server, and servers that are gone, frozen or not trusted."""

from __future__ import annotations

import asyncio
import copy
import socket
import subprocess
import time

import msgspec
import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube import namespaces, probe, releases, sync
from ansflow_desktop.kube.approvals import Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.cluster import ClusterEntry, Reach

ENTRY = ClusterEntry(name="practice", context="practice")


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


def changed(document, cluster=None, user=None):
    """Return a copy of the document with fields of its cluster changed, or another user."""
    copied = copy.deepcopy(document)
    copied["clusters"][0]["cluster"].update(cluster or {})
    if user is not None:
        copied["users"][0]["user"] = user
    return copied


@pytest.fixture
def silent_server():
    """A server that accepts connections and never says a word, as one that is frozen does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"https://127.0.0.1:{port}"


def check(document, timeout=5.0):
    return sync.run(probe.check(ENTRY, document, timeout))


def test_a_cluster_that_is_there(document, cluster):
    found = check(document)
    assert (found.name, found.reach, found.message) == ("practice", Reach.REACHABLE, "")
    assert found.version.startswith("v1.")
    assert 0 < found.latency_ms < 5000
    assert found.checked_at > 0
    assert cluster.running


def test_a_wrong_token_is_refused_with_the_servers_words(document):
    found = check(changed(document, user={"token": "wrong"}))
    assert found.reach is Reach.REFUSED
    assert "Unauthorized" in translate(found.message)


def test_no_credentials_at_all_are_refused_though_the_version_may_be_read(document):
    assert check(changed(document, user={})).reach is Reach.REFUSED


def test_a_server_that_is_not_there(document, closed_port):
    found = check(changed(document, {"server": closed_port}))
    assert found.reach is Reach.UNREACHABLE
    assert "does not accept connections" in translate(found.message)


def test_a_frozen_server_is_given_up_in_time(document, silent_server):
    started = time.monotonic()
    found = check(changed(document, {"server": silent_server}), timeout=0.3)
    assert time.monotonic() - started < 3
    assert found.reach is Reach.UNREACHABLE
    assert "did not answer within 0.3 s" in translate(found.message)


def test_a_name_that_nobody_knows(document):
    found = check(changed(document, {"server": "https://no-such-host.invalid:6443"}))
    assert found.reach is Reach.UNREACHABLE
    assert "cannot be resolved" in translate(found.message)


def test_a_certificate_that_is_not_trusted(document):
    cluster = changed(document)["clusters"][0]["cluster"]
    bare = {"server": cluster["server"]}
    other = {**document, "clusters": [{"name": document["clusters"][0]["name"], "cluster": bare}]}
    found = check(other)
    assert found.reach is Reach.UNREACHABLE
    assert "No trusted connection" in translate(found.message)
    trusting = {**bare, "insecure-skip-tls-verify": True}
    other = {**document, "clusters": [{"name": document["clusters"][0]["name"], "cluster": trusting}]}
    assert check(other).reach is Reach.REACHABLE


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate-data": "***", "client-key-data": "***"},
        {"client-certificate": "/no/such/file", "client-key": "/no/such/file"},
        {"client-certificate-data": "eA==", "client-key-data": "eA=="},
        {"tokenFile": "/no/such/file"},
        {"auth-provider": {"name": "oidc", "config": {"id-token": "not-a-jwt"}}},
    ],
    ids=["no-base64", "no-file", "no-pem", "no-token-file", "no-jwt"],
)
def test_credentials_that_cannot_be_read_are_an_error_in_words(document, user):
    found = check(changed(document, user=user))
    assert found.reach is Reach.UNREACHABLE
    assert translate(found.message)


def test_a_token_file_with_a_newline_works(document, tmp_path):
    (tmp_path / "token").write_text(document["users"][0]["user"]["token"] + "\n")
    assert check(changed(document, user={"tokenFile": str(tmp_path / "token")})).reach is Reach.REACHABLE


@pytest.fixture
def limited(document, kubectl, kubeconfig, namespace):
    """A document whose user, a ServiceAccount, may do nothing but is known."""

    def call(*arguments):
        argv = [kubectl.path, "--kubeconfig", str(kubeconfig), *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout

    call("create", "namespace", namespace)
    call("-n", namespace, "create", "serviceaccount", "limited")
    token = call("-n", namespace, "create", "token", "limited").strip()
    return changed(document, user={"token": token})


def test_a_user_without_rights_is_reachable_but_forbidden(limited, namespace):
    assert check(limited).reach is Reach.REACHABLE
    with pytest.raises(KubeError) as refused:
        sync.run(releases.list_releases(limited, namespace))
    assert (int(refused.value.code), refused.value.status) == (4, 403)
    assert "secrets is forbidden" in str(refused.value.message)


def test_where_listing_namespaces_is_forbidden_the_contexts_own_is_offered(limited):
    assert sync.run(namespaces.usable_namespaces(limited)).names == ()
    limited["contexts"][0]["context"]["namespace"] = "mine"
    assert sync.run(namespaces.usable_namespaces(limited)).names == ("mine",)


def test_namespaces_in_order(document):
    found = sync.run(namespaces.usable_namespaces(document)).names
    assert {"default", "kube-system"} <= set(found)
    assert list(found) == sorted(found)


def test_impersonation_is_passed_on(document):
    token = document["users"][0]["user"]["token"]
    user = {"token": token, "as": "somebody", "as-groups": ["one", "two"]}
    with pytest.raises(KubeError, match="somebody") as refused:
        sync.run(releases.list_releases(changed(document, user=user), "default"))
    assert refused.value.status == 403


def test_refused_unreachable_and_missing_things_have_their_exit_codes(document, silent_server, closed_port):
    async def get(asked, path="/api/v1/namespaces/no-such-namespace"):
        async with ClusterClient(asked, timeout=0.5) as client:
            return await client.get(path)

    cases = [
        (changed(document, user={"token": "wrong"}), 3, 401),
        (changed(document, {"server": silent_server}), 3, 0),
        (changed(document, {"server": closed_port}), 3, 0),
        (document, 1, 404),
    ]
    for asked, code, status in cases:
        with pytest.raises(KubeError) as failed:
            sync.run(get(asked))
        assert (int(failed.value.code), failed.value.status) == (code, status)
        assert translate(failed.value.hint)


def test_many_clusters_are_checked_side_by_side(kubeconfig, tmp_path, silent_server):
    text = kubeconfig.read_text()
    lines = [f"{{name: s{n}, context: {{cluster: s}}}}" for n in range(6)]
    extra = tmp_path / "frozen"
    extra.write_text(
        f"contexts: [{','.join(lines)}]\nclusters: [{{name: s, cluster: {{server: '{silent_server}'}}}}]\n"
    )
    catalog = ClusterCatalog((kubeconfig, extra), Approvals(tmp_path / "a.json"), tmp_path / "p")
    names = [entry.name for entry in catalog.entries()]
    seen = []
    started = time.monotonic()
    sync.run(probe.check_all(catalog, names, seen.append, timeout=3.0))
    assert time.monotonic() - started < 12  # one after the other would take 18
    final = {status.name: status.reach for status in seen}
    assert final == {"practice": Reach.REACHABLE, **{f"s{n}": Reach.UNREACHABLE for n in range(6)}}
    assert seen[0].reach is Reach.CHECKING
    assert kubeconfig.read_text() == text


@pytest.fixture
def with_plugin(document, tmp_path):
    """A catalogue with one cluster whose credential program leaves a mark and gives the right token."""
    mark, program, file = tmp_path / "mark", tmp_path / "plugin", tmp_path / "kubeconfig"
    token = document["users"][0]["user"]["token"]
    version = "client.authentication.k8s.io/v1"
    answer = f'{{"kind": "ExecCredential", "apiVersion": "{version}", "status": {{"token": "{token}"}}}}'
    program.write_text(f"#!/bin/sh\ntouch {mark}\necho '{answer}'\n")
    program.chmod(0o755)
    asked = {"command": "./plugin", "apiVersion": version, "args": ["x"], "interactiveMode": "IfAvailable"}
    user = {"exec": asked}
    file.write_bytes(msgspec.json.encode(changed(document, user=user)))
    return ClusterCatalog((file,), Approvals(tmp_path / "a.json"), tmp_path / "p"), mark


def test_an_unapproved_program_is_never_run(with_plugin, tmp_path):
    catalog, mark = with_plugin
    assert sync.run(probe.check_named(catalog, "practice")).reach is Reach.APPROVAL_NEEDED
    with pytest.raises(UserError):
        catalog.document("practice")
    with pytest.raises(UserError):
        catalog.private_target("practice", tmp_path / "run")
    assert not mark.exists()
    Approvals(tmp_path / "a.json").approve(catalog.entry("practice").exec_plugin)
    assert sync.run(probe.check_named(catalog, "practice")).reach is Reach.REACHABLE
    assert mark.exists()


def test_helm_can_use_the_private_kubeconfig_with_an_approved_program(with_plugin, tmp_path, helm):
    catalog, _ = with_plugin
    Approvals(tmp_path / "a.json").approve(catalog.entry("practice").exec_plugin)
    target = catalog.private_target("practice", tmp_path / "run")
    argv = [helm.path, "list", "-A", "--kubeconfig", target.kubeconfig, "--kube-context", target.context]
    done = subprocess.run(argv, capture_output=True, text=True, cwd="/", timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_cancelled_check_ends_at_once(document, silent_server):
    async def story():
        checking = asyncio.create_task(probe.check(ENTRY, changed(document, {"server": silent_server}), 30))
        await asyncio.sleep(0)
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)
        return checking.cancelled()

    started = time.monotonic()
    assert asyncio.run(story())
    assert time.monotonic() - started < 5
