"""`rollback_on_failure` of manifests: what was there is there again, what is new is gone, and nothing is forced."""

from __future__ import annotations

import base64
import json
import subprocess

import msgspec
import pytest
import yaml
from deploy_help import Deployer
from step_help import Cable

from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.run import CommandStarted, Health, Phase, ResourceChanged

STUCK = {"kubernetes.io/hostname": "nowhere"}


def deployment(name="web", image="nginx", replicas=1, node=None, **labels):
    pod = {"containers": [{"name": "main", "image": image, "env": [{"name": "A", "value": "1"}]}]}
    pod |= {"nodeSelector": node} if node else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name, **labels}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {**pod, **({"nodeSelector": node} if node else {})},
            },
        },
    }


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


@pytest.fixture
def deployer(kubeconfig, kubectl, tmp_path, namespace):
    return Deployer(kubeconfig, ToolSet(kubectl=kubectl), tmp_path, namespace)


@pytest.fixture
def kube(kubectl, kubeconfig, namespace):
    """A function that runs kubectl in the test's namespace."""

    def run(*words: str, stdin: str = "") -> str:
        argv = [kubectl.path, "--kubeconfig", str(kubeconfig), "-n", namespace, *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def apply(deployer, *objects, **config):
    text = yaml.safe_dump_all(objects)
    return deployer.run("/", deploy_type="manifest", manifest=text, rollback_on_failure=True, **config)


def state(kube, *what: str) -> dict[str, object]:
    """Return what people set in objects: their specs, data and labels."""
    found = {}
    for item in json.loads(kube("get", ",".join(what), "-o", "json"))["items"]:
        if item["metadata"]["name"] != "kube-root-ca.crt":
            key = f"{item['kind']}/{item['metadata']['name']}"
            found[key] = (item.get("spec"), item.get("data"), item["metadata"].get("labels"))
    return found


def test_a_failed_deploy_is_undone_field_by_field(deployer, kube):
    first = apply(
        deployer, deployment(), config_map("settings", a="1", b="2"), secret("key", word="old"), timeout="30s"
    )
    assert first.phase is Phase.SUCCEEDED, first.message
    before = state(kube, "deployments", "configmaps", "secrets")

    result = apply(
        deployer,
        deployment(image="nginx:2", replicas=3, node=STUCK, tier="new"),
        config_map("settings", a="changed", c="3"),
        secret("key", word="hunter2", more="x"),
        config_map("fresh", a="1"),
        deployment("other"),
        timeout="2s",
    )

    assert result.phase is Phase.FAILED, result.message
    assert state(kube, "deployments", "configmaps", "secrets") == before
    said = str(result.message)
    assert "as before are " in said and "deleted are " in said, said
    for name in ("Deployment web", "ConfigMap settings", "Secret key"):
        assert name in said.split("as before are ")[1].split("deleted are")[0], said
    for name in ("ConfigMap fresh", "Deployment other"):
        assert name in said.split("deleted are ")[1], said
    assert "Not rolled back" not in said and "Not known" not in said
    shown = msgspec.json.encode(deployer.events).decode()
    assert "hunter2" not in shown and base64.b64encode(b"hunter2").decode() not in shown


def test_a_field_that_somebody_else_changed_is_left_to_them(deployer, kube):
    assert apply(deployer, config_map("settings", a="1"), timeout="30s").phase is Phase.SUCCEEDED

    def meddle(event) -> None:
        if isinstance(event, CommandStarted) and "rollout" in event.argv and not done:
            done.append(kube("patch", "configmap", "settings", "-p", '{"data": {"a": "theirs"}}'))

    done: list[str] = []
    emit, deployer._emit = deployer._emit, lambda event: (emit(event), meddle(event))
    result = apply(deployer, config_map("settings", a="2"), deployment(node=STUCK), timeout="2s")

    assert result.phase is Phase.FAILED
    assert done
    assert state(kube, "configmaps")["ConfigMap/settings"][1] == {"a": "theirs"}
    assert "Not rolled back: ConfigMap settings (" in str(result.message)
    assert "conflict" in str(result.message)
    assert not any("--force-conflicts" in argv for argv in deployer.argvs)


def test_what_others_own_stays_when_our_part_is_undone(deployer, kube, namespace):
    kube("create", "namespace", namespace)
    kube("apply", "-f", "-", stdin=json.dumps(config_map("shared", theirs="1")))
    before = state(kube, "configmaps")

    result = apply(deployer, config_map("shared", ours="2"), deployment(node=STUCK), timeout="2s")

    assert result.phase is Phase.FAILED
    assert state(kube, "configmaps", "deployments") == before


def test_a_bad_object_behind_a_good_one_leaves_nothing_behind(deployer, kube, kubectl_json, namespace):
    """The dry run passes, the apply does not: a quota is counted only when something is really made."""
    kube("create", "namespace", namespace)
    kube("create", "quota", "small", "--hard=configmaps=2")

    result = apply(deployer, config_map("one"), config_map("two"), config_map("three"))

    assert result.phase is Phase.FAILED, result.message
    assert set(state(kube, "configmaps")) == set()
    assert "deleted are " in str(result.message)


def test_new_namespaces_and_kinds_are_removed_when_nothing_is_left_in_them(
    deployer, kubectl_json, practice_api, namespace
):
    group = f"{namespace}.example"
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "one"}}

    result = apply(deployer, crd, thing, config_map("new"), deployment(node=STUCK), timeout="2s")

    assert result.phase is Phase.FAILED
    said = str(result.message)
    assert all(
        each in said.split("deleted are ")[1] for each in ("Thing one", f"things.{group}", f"Namespace {namespace}")
    )
    kinds = {item["metadata"]["name"] for item in kubectl_json("get", "crds")["items"]}
    assert f"things.{group}" not in kinds
    status, found = practice_api.request("GET", f"/api/v1/namespaces/{namespace}")
    assert status == 404 or json.loads(found)["metadata"].get("deletionTimestamp")


def test_a_cancelled_deploy_is_undone_too(deployer, kube):
    assert apply(deployer, config_map("settings", a="1")).phase is Phase.SUCCEEDED
    before = state(kube, "configmaps", "deployments")
    text = yaml.safe_dump_all([config_map("settings", a="2"), deployment(node=STUCK)])
    thread = deployer.start("/", deploy_type="manifest", manifest=text, rollback_on_failure=True, timeout="60s")
    deployer.wait_for(lambda event: isinstance(event, CommandStarted) and "rollout" in event.argv)

    deployer.cancel.request()
    thread.join(60)

    assert deployer.result.phase is Phase.CANCELLED, deployer.result.message
    assert state(kube, "configmaps", "deployments") == before
    assert "as before are ConfigMap settings" in str(deployer.result.message)


def test_nothing_is_read_or_undone_where_nothing_was_applied(deployer, kube, namespace):
    kube("create", "namespace", namespace)

    result = apply(deployer, {**config_map("bad"), "data": [1]})

    assert result.phase is Phase.FAILED
    assert "Nothing was applied" in str(result.message)
    assert not any("delete" in argv for argv in deployer.argvs)


def test_what_cannot_be_established_is_unknown(kubeconfig, kubectl, kube, tmp_path, namespace):
    """The connection goes away while a deploy is waited for: nothing can be put back, and nothing is claimed to be."""
    cable = Cable(kubeconfig, tmp_path)
    deployer = Deployer(cable.kubeconfig, ToolSet(kubectl=kubectl), tmp_path, namespace)
    assert apply(deployer, config_map("settings", a="1"), timeout="30s").phase is Phase.SUCCEEDED
    emit = deployer._emit

    def cut(event) -> None:
        emit(event)
        if isinstance(event, CommandStarted) and "rollout" in event.argv:
            cable.cut()

    deployer._emit = cut
    result = apply(deployer, config_map("settings", a="2"), deployment(node=STUCK), timeout="3s")

    assert result.phase is Phase.UNKNOWN, result.message
    said = str(result.message).split("Not known whether rolled back: ")[1]
    assert "ConfigMap settings" in said and "Deployment web" in said
    assert "as before are" not in str(result.message)
    assert state(kube, "configmaps")["ConfigMap/settings"][1] == {"a": "2"}


def test_every_object_has_a_result_of_its_own(deployer, kube, namespace):
    kube("create", "namespace", namespace)
    kube("create", "quota", "small", "--hard=configmaps=2")
    text = yaml.safe_dump_all([config_map("one"), config_map("two")])

    result = deployer.run("/", deploy_type="manifest", manifest=text)

    assert result.phase is Phase.FAILED
    told = {event.name: event.health for event in deployer.of(ResourceChanged) if event.kind == "ConfigMap"}
    assert told == {"one": Health.HEALTHY, "two": Health.DEGRADED}
