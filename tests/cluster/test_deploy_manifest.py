"""Manifest deploys by the real executor: what goes first, and a bad object at each place (failure-modes.md, row 19)."""

from __future__ import annotations

import time

import pytest
from deploy_help import Deployer

from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.run import Phase

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Thing, plural: things, singular: thing}}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, properties: {{size: {{type: integer}}}}}}}}
"""
GOOD = [
    "apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: one}}\nsize: 1\n",
    "# a comment: {{kept}}\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: first}}\ndata: {{word: '中文'}}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: other, namespace: {other}}}\n",
    "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {other}}}\n",
    CRD,
]
BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: bad}}\ndata: [1]\n"
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: broken}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {practice.ansflow.dev/behaviour: crash}}
    spec: {restartPolicy: Never, containers: [{name: main, image: nginx}]}
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: nginx}]}
"""


@pytest.fixture
def deployer(kubeconfig, kubectl, tmp_path, namespace, practice_api):
    made = Deployer(kubeconfig, ToolSet(kubectl=kubectl), tmp_path, namespace)
    made.group = f"{namespace}.example"
    yield made
    practice_api.request("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{made.group}")
    practice_api.request("DELETE", f"/api/v1/namespaces/{namespace}-other")


def manifest(deployer, documents) -> str:
    text = "---\n".join(documents)
    return text.format(group=deployer.group, other=f"{deployer.namespace}-other")


def run(deployer, text: str, **config):
    return deployer.run("/", deploy_type="manifest", manifest=text, **config)


def names(kubectl_json, kind: str, namespace: str) -> set[str]:
    items = kubectl_json("get", kind, "-n", namespace)["items"]
    return {item["metadata"]["name"] for item in items} - {"kube-root-ca.crt"}


def test_namespaces_and_kinds_come_first_wherever_they_stand(deployer, kubectl_json):
    result = run(deployer, manifest(deployer, GOOD))

    assert (result.phase, result.exit_code) == (Phase.SUCCEEDED, 0), (result.message, deployer.output)
    assert names(kubectl_json, "configmaps", deployer.namespace) == {"first"}
    assert names(kubectl_json, "configmaps", f"{deployer.namespace}-other") == {"other"}
    assert names(kubectl_json, f"things.{deployer.group}", deployer.namespace) == {"one"}
    again = run(deployer, manifest(deployer, GOOD))
    assert again.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("place", range(4))
def test_bad_object_at_any_place_leaves_the_rest_unapplied(deployer, kubectl_json, place):
    documents = GOOD[:3]
    documents.insert(place, BAD)

    result = run(deployer, manifest(deployer, [*documents, *GOOD[3:]]))

    assert result.phase is Phase.FAILED
    assert names(kubectl_json, "configmaps", deployer.namespace) == set()
    assert names(kubectl_json, "configmaps", f"{deployer.namespace}-other") == set()
    assert names(kubectl_json, f"things.{deployer.group}", deployer.namespace) == set()
    [error] = deployer.notices("error")
    assert error.startswith("ConfigMap bad (line ")
    assert "Applied so far: Namespace" in str(result.message)


def test_bad_definition_leaves_nothing_at_all(deployer, kubectl_json):
    broken = CRD.replace("storage: true", "storage: false")

    result = run(deployer, manifest(deployer, [GOOD[3], broken, GOOD[1]]))

    assert result.phase is Phase.FAILED
    assert "Nothing was applied" in str(result.message)
    found = {item["metadata"]["name"] for item in kubectl_json("get", "namespaces")["items"]}
    assert not found & {deployer.namespace, f"{deployer.namespace}-other"}


def test_workload_is_waited_for_and_followed(deployer, kubectl_json):
    result = run(deployer, WORKLOAD, timeout="30s")

    assert result.phase is Phase.SUCCEEDED, (result.message, deployer.output)
    assert "successfully rolled out" in deployer.output
    assert deployer.saw("Deployment") == {"web"}
    assert kubectl_json("get", "deployment", "web", "-n", deployer.namespace)["status"]["readyReplicas"] == 1


def test_job_that_fails_ends_the_wait_at_once_and_says_why(deployer):
    started = time.monotonic()
    result = run(deployer, JOB, timeout="120s")

    assert time.monotonic() - started < 60
    assert result.phase is Phase.FAILED
    assert "the Job broken failed" in str(result.message)
    assert "exit code" in str(result.hint), result.hint


def test_workload_that_never_starts_fails_in_time(deployer):
    stuck = WORKLOAD.replace("spec: {containers", "spec: {nodeSelector: {nowhere: '1'}, containers")

    result = run(deployer, stuck, timeout="2s")

    assert result.phase is Phase.FAILED
    assert "Applied so far: Namespace" in str(result.message)
    assert "Deployment web" in str(result.message)
    assert str(result.hint).startswith("Pod web-")


def test_dry_run_makes_nothing_and_says_what_it_could_not_check(deployer, kubectl_json):
    result = run(deployer, manifest(deployer, GOOD), dry_run=True)

    assert result.phase is Phase.SUCCEEDED, result.message
    [unchecked] = deployer.notices("warning")
    assert "Thing one" in unchecked
    found = {item["metadata"]["name"] for item in kubectl_json("get", "namespaces")["items"]}
    assert deployer.namespace not in found


def test_kustomization_and_files_are_applied(deployer, kubectl_json, tmp_path):
    folder = tmp_path / "套 餐"
    folder.mkdir()
    (folder / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n")
    (folder / "kustomization.yaml").write_text("resources: [map.yaml]\nnamePrefix: my-\n")

    kustomized = deployer.run(tmp_path, deploy_type="manifest", kustomize="套 餐")
    filed = deployer.run(tmp_path, deploy_type="manifest", manifest_files=["套 餐/map.yaml"])

    assert (kustomized.phase, filed.phase) == (Phase.SUCCEEDED, Phase.SUCCEEDED), kustomized.message
    assert names(kubectl_json, "configmaps", deployer.namespace) == {"my-map", "map"}
