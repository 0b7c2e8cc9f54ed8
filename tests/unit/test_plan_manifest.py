"""Manifests as data: cut into objects as written, in the order of their apply."""

from __future__ import annotations

import pytest
import yaml

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.manifest_documents import read_objects
from ansflow_desktop.executors.plan import copy_text, plan_step
from ansflow_desktop.models.command import KubeTarget, Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType

TOOLS = ToolSet(kubectl=Tool(name="kubectl", path="/opt/kubectl", version="1.36.3"))
TARGET = KubeTarget(kubeconfig="/k", context="dev")
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {0}}}\n"
NASTY = """\
\ufeff# 中文 before
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  text: |
    --- not a separator
    'quotes' # kept
  folded: >-
    é
---
---
# only a comment
--- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: c}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: d, namespace: c}}
...
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: e
"""


def plan(folder="/", **config):
    step = PipelineStep(
        name="apply",
        type=StepType.K8S_DEPLOY,
        k8s_cluster="dev",
        k8s_namespace="fe",
        k8s_config={"deploy_type": "manifest", **config},
    )
    return plan_step(step, ExecutionContext(working_directory=str(folder)), TOOLS, TARGET, folder)


def test_documents_keep_their_text():
    found = read_objects(NASTY, "manifest")

    assert [each.name for each in found] == ["a", "b", "c", "d", "e"]
    assert [each.namespace for each in found] == ["", "", "", "c", ""]
    assert "    --- not a separator\n    'quotes' # kept\n" in found[0].text
    whole = [node for node in yaml.safe_load_all(NASTY.lstrip("\ufeff")) if node]
    expected = [*whole[:2], *whole[2]["items"], whole[3]]
    assert [yaml.safe_load(each.text) for each in found] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no object"),
        ("# nothing\n", "no object"),
        ("a: [", "YAML"),
        ("hello", "no object with"),
        ("kind: ConfigMap\nmetadata: {name: a}", "apiVersion is missing"),
        ("apiVersion: v1\nmetadata: {name: a}", "kind is missing"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a}", "metadata.name is missing"),
        (MAP.format("a") + "---\n" + MAP.format("a"), "twice"),
    ],
)
def test_what_is_no_manifest_is_named(text, words):
    with pytest.raises(UserError) as caught:
        plan(manifest=text or "\n")
    assert words in str(caught.value)
    assert caught.value.field == "k8s_config.manifest"


def test_order_of_the_commands():
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: t.x}\n"
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n"
    work = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w, namespace: c}\n"
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n"

    commands = plan(manifest="---\n".join([work, job, crd, namespace]), timeout="90s").commands

    shown = [" ".join(command.argv[1:-4]) for command in commands]
    apply = "apply --server-side --field-manager=ansflow"
    assert shown == [
        f"{apply} --dry-run=server --filename=- --namespace fe",
        f"{apply} --filename=- --namespace fe",
        "wait --for=condition=Established crd/t.x --timeout=60s",
        f"{apply} --dry-run=server --filename=- --namespace c",
        f"{apply} --dry-run=server --filename=- --namespace fe",
        f"{apply} --filename=- --namespace c",
        f"{apply} --filename=- --namespace fe",
        "rollout status deployment/w --namespace c --timeout=90s",
        "wait --for=condition=Complete job/j --namespace fe --timeout=90s",
    ]
    made = [document["kind"] for document in yaml.safe_load_all(commands[1].stdin)]
    assert made == ["Namespace", "Namespace", "CustomResourceDefinition"]
    assert all(command.argv[-4:] == ("--kubeconfig", "/k", "--context", "dev") for command in commands)
    assert all(command.env["KUBERC"] == "off" for command in commands)


def test_own_namespace_is_not_made_twice_and_may_be_left_alone():
    own = "apiVersion: v1\nkind: Namespace\nmetadata: {name: fe}\n---\n" + MAP.format("a")
    assert plan(manifest=own).commands[1].stdin.count("Namespace") == 1
    assert len(plan(manifest=MAP.format("a"), create_namespace=False, wait=False).commands) == 2


def test_dry_run_plans_no_apply():
    assert all("--dry-run=server" in command.argv for command in plan(manifest=MAP.format("a"), dry_run=True).commands)


def test_files_and_kustomizations_are_found_from_the_working_directory(tmp_path):
    (tmp_path / "a.yaml").write_text(MAP.format("a"))
    (tmp_path / "b.yaml").write_text(MAP.format("b"))
    assert plan(tmp_path, manifest_files=["a.yaml", "b.yaml"]).commands[-1].stdin.count("ConfigMap") == 2

    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    commands = plan(tmp_path, kustomize=".").commands
    assert commands[0].argv[1:] == ("kustomize", str(tmp_path))
    assert f"--kustomize={tmp_path}" in copy_text(commands[1])


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "manifest"),
        ({"manifest": "a", "kustomize": "."}, "kustomize"),
        ({"manifest_files": ["gone.yaml"]}, "manifest_files[0]"),
        ({"kustomize": "gone"}, "kustomize"),
        ({"manifest_files": ["empty"]}, "manifest_files[0]"),
        ({"manifest": MAP.format("a"), "timeout": "-1s"}, "timeout"),
        ({"manifest": MAP.format("a"), "prune": True}, "prune"),
    ],
)
def test_bad_input_names_its_field(tmp_path, config, field):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as caught:
        plan(tmp_path, **config)
    assert caught.value.field == f"k8s_config.{field}"


def test_a_folder_stands_for_the_manifests_in_it(tmp_path):
    for name in ("b.yaml", "a.yml", "c.json", "notes.txt"):
        (tmp_path / name).write_text(MAP.format(name[0]))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.yaml").write_text(MAP.format("d"))

    [*_, apply] = plan(tmp_path, manifest_files=["."]).commands

    assert [each["metadata"]["name"] for each in yaml.safe_load_all(apply.stdin)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("api", "kind", "spec", "words"),
    [
        ("apps/v1", "DaemonSet", {}, "rollout status daemonset/x"),
        ("apps/v1", "DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, ""),
        ("apps/v1", "ReplicaSet", {"replicas": 2}, "wait --for=jsonpath={.status.readyReplicas}=2 replicaset/x"),
        ("apps/v1", "ReplicaSet", {"replicas": 0}, ""),
        ("v1", "Pod", {}, "wait --for=condition=Ready pod/x"),
        ("v1", "Pod", {"restartPolicy": "Never"}, "wait --for=jsonpath={.status.phase}=Succeeded pod/x"),
        ("example.org/v1", "Deployment", {}, ""),
        ("batch/v1", "CronJob", {}, ""),
    ],
)
def test_every_workload_is_waited_for(api, kind, spec, words):
    text = yaml.safe_dump({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec})
    waits = [command for command in plan(manifest=text).commands if command.purpose == "wait"]
    assert [" ".join(each.argv[1:]).partition(" --namespace")[0] for each in waits] == ([words] if words else [])
