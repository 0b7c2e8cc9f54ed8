"""Connection tests, namespaces and figures on a real API server; a cluster added from nothing but server and token."""

from __future__ import annotations

import base64
import copy
import json
import subprocess

import pytest
from practice_kit import until

from ansflow_desktop import cli
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.diagnose import diagnose
from ansflow_desktop.kube.namespaces import usable_namespaces
from ansflow_desktop.kube.quantity import parse
from ansflow_desktop.kube.statistics import read_statistics
from ansflow_desktop.models.cluster import ClusterEntry, Finding, Reach
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.store.vault import Vault


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


@pytest.fixture
def run(kubectl, kubeconfig):
    """Run kubectl and return what it printed."""

    def call(*words, stdin=""):
        argv = [kubectl.path, "--kubeconfig", str(kubeconfig), *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, input=stdin).stdout

    return call


@pytest.fixture
def limited(document, run, namespace):
    """A document of a ServiceAccount that may view its own namespace, whose name no context tells, and nothing else."""
    run("create", "namespace", namespace)
    run("-n", namespace, "create", "serviceaccount", "viewer")
    run("-n", namespace, "create", "rolebinding", "v", "--clusterrole=view", f"--serviceaccount={namespace}:viewer")
    return as_user(document, {"token": run("-n", namespace, "create", "token", "viewer").strip()})


def as_user(document, user):
    changed = copy.deepcopy(document)
    changed["users"][0]["user"] = user
    return changed


def look(asked, namespace="", **more):
    return sync.run(diagnose(ClusterEntry(name="p", context="p", namespace=namespace), asked, **more))


def test_all_stages_are_good(document, kubectl, helm4):
    found = look(document, tools=ToolSet(kubectl=kubectl, helm=helm4))
    assert {stage.name: stage.finding for stage in found.stages if stage.finding is not Finding.GOOD} == {
        "proxy": Finding.SKIPPED,
        "dns": Finding.SKIPPED,
    }
    assert found.status.reach is Reach.REACHABLE and found.status.version.startswith("v1.")
    assert "system:masters" in found.groups and abs(found.clock_ahead) < 5


@pytest.mark.parametrize("user", [{"token": "wrong"}, {}], ids=["wrong", "none"])
def test_credentials_that_it_refuses(document, user):
    found = look(as_user(document, user))
    assert found.status.reach is Reach.REFUSED
    assert [stage.name for stage in found.stages if stage.finding is Finding.BAD] == ["credentials"]


def test_another_authority_is_not_trusted(document):
    other = copy.deepcopy(document)
    for name in ("certificate-authority", "certificate-authority-data"):
        other["clusters"][0]["cluster"].pop(name, None)
    found = look(other)
    assert found.worst.name == "tls" and "not trusted" in translate(found.worst.title)
    assert found.status.reach is Reach.UNREACHABLE


def test_a_user_who_may_look_only(limited, namespace):
    found = look(limited, namespace)
    assert found.status.reach is Reach.REACHABLE
    assert found.user == f"system:serviceaccount:{namespace}:viewer"
    rights = next(stage for stage in found.stages if stage.name == "rights")
    assert rights.finding is Finding.WARNING
    missing = translate(rights.message)
    assert "create deployments" in missing and "get secrets" in missing and "list pods" not in missing


def test_namespaces_of_a_user_who_may_not_list_them(limited, namespace):
    def found():  # the authorizer learns of a new binding in its own time
        return namespace in sync.run(usable_namespaces(limited, ("kube-system",))).names

    until(found)
    read = sync.run(usable_namespaces(limited, ("kube-system",)))
    assert read.names == (namespace,) and not read.complete
    assert 'cannot list resource "namespaces"' in translate(read.message)


PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {a: web}}
  template:
    metadata: {labels: {a: web}}
    spec:
      containers: [{name: c, image: x, resources: {requests: {cpu: 250m, memory: 64Mi}}}]
      initContainers: [{name: i, image: x, resources: {requests: {cpu: "1", memory: 1Mi}}}]
"""


def test_figures_as_kubectl_counts_them(document, run, namespace, kubectl_json):
    run("create", "namespace", namespace)
    run("-n", namespace, "apply", "-f", "-", stdin=PODS)
    run("-n", namespace, "rollout", "status", "deployment/web", "--timeout=60s")
    found = sync.run(read_statistics(document, "p"))
    nodes = kubectl_json("get", "nodes")["items"]
    assert found.nodes == len(nodes) and found.nodes_ready >= 1
    assert found.allocatable.cpu == sum(parse(node["status"]["allocatable"]["cpu"]) for node in nodes)
    assert found.namespaces >= 5 and found.messages == ()
    assert found.pods["Running"] >= 3 and found.workloads["Deployment"]["Healthy"] >= 1
    assert found.requested.cpu >= 3  # the init containers ask for more than the container
    assert set(found.workloads) == {"Deployment", "StatefulSet", "DaemonSet", "Job"}


def test_figures_of_a_user_who_may_not_read_them(limited):
    found = sync.run(read_statistics(limited, "p"))
    assert (found.nodes, found.pods, found.namespaces, found.requested, found.workloads) == (None,) * 4 + ({},)
    words = [translate(message) for message in found.messages]
    assert len(words) >= 7 and all("forbidden" in word for word in words)


def test_a_cluster_from_nothing_but_server_and_token(document, run, namespace, tmp_path, capsys):
    run("create", "namespace", namespace)
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    data = tmp_path / "data"
    Vault(data / "vault.json").create("passphrase", "correct horse battery")
    (tmp_path / "passphrase").write_text("correct horse battery")
    (tmp_path / "token").write_text(user["token"])
    authority = cluster.get("certificate-authority-data")
    (tmp_path / "ca").write_bytes(base64.b64decode(authority) if authority else b"")
    ca = tmp_path / "ca" if authority else cluster["certificate-authority"]

    def call(*words):
        code = cli.main(["--data-dir", str(data), "--passphrase-file", str(tmp_path / "passphrase"), *map(str, words)])
        shown = capsys.readouterr()
        assert user["token"] not in shown.out + shown.err
        return code, shown.out

    server = ("--server", cluster["server"], "--ca-file", ca, "--token-file", tmp_path / "token")
    assert call("clusters", "add", "mine", *server)[0] == 0
    code, out = call("clusters", "test", "mine", "-o", "json")
    assert code == 0 and json.loads(out)["reachable"] is True
    code, out = call("clusters", "stats", "mine", "-o", "json")
    assert code == 0 and json.loads(out)["nodes"] >= 1
    assert namespace in call("clusters", "namespaces", "mine")[1].splitlines()
    code, out = call("clusters", "sync", "mine", "-o", "json")
    assert code == 0 and namespace in json.loads(out)["namespaces"]
