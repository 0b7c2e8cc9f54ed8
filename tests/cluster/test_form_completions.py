"""What a step's form offers from a real control plane: objects, containers, namespaces; what is refused or gone."""

from __future__ import annotations

import copy
import subprocess

import pytest
from PySide6.QtWidgets import QLineEdit
from step_form_kit import Shown
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.resources import KINDS, list_containers, list_resources
from ansflow_desktop.presenters.reads import ClusterReads

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

WAIT_MS = 30_000

OBJECTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: setup, image: busybox}]
      containers: [{name: app, image: nginx}, {name: sidecar, image: busybox}]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: alone}
spec:
  replicas: 0
  selector: {matchLabels: {app: alone}}
  template:
    metadata: {labels: {app: alone}}
    spec: {containers: [{name: one, image: nginx}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: task, image: busybox}]}
---
apiVersion: v1
kind: Pod
metadata: {name: single, labels: {app: single}}
spec: {containers: [{name: main, image: nginx}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
"""
ROLE = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: limited}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: limited}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: limited}
subjects: [{kind: ServiceAccount, name: limited}]
"""


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


@pytest.fixture
def call(kubectl, kubeconfig, namespace):
    """A function that runs kubectl in the test's own namespace, which it makes."""

    def run(*arguments: str, text: str = "") -> str:
        argv = [kubectl.path, "--kubeconfig", str(kubeconfig), *arguments]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("create", "namespace", namespace)
    run("-n", namespace, "apply", "-f", "-", text=OBJECTS)
    return run


def test_objects_are_listed_by_kind_without_what_controllers_made(document, call, namespace):
    call("-n", namespace, "wait", "--for=jsonpath={.status.replicas}=1", "deployment/web", "--timeout=30s")
    kinds = ("deployment", "replicaset", "statefulset", "cronjob", "pod")
    found = sync.run(list_resources(document, namespace, kinds))
    pods = [name for name in found if name.startswith("pod/")]
    assert [name for name in found if name not in pods] == ["deployment/web", "replicaset/alone", "cronjob/nightly"]
    assert "pod/single" in pods
    everything = sync.run(list_resources(document, namespace, (*KINDS, "unheard-of")))
    assert {"configmap/settings", *found} <= set(everything)
    assert sync.run(list_resources(document, f"{namespace}-none", kinds)) == []


CONTAINERS = {
    ("deployment/web", ""): ["app", "sidecar", "setup"],
    ("web", ""): ["app", "sidecar", "setup"],
    ("cronjob/nightly", ""): ["task"],
    ("pod/single", ""): ["main"],
    ("", "app=single"): ["main"],
    ("pod/nowhere", ""): [],
    ("configmap/settings", ""): [],
    ("unheard-of/x", ""): [],
    ("", "app=nobody"): [],
}


def test_containers_of_objects_and_selectors(document, call, namespace):
    found = {about: sync.run(list_containers(document, namespace, *about)) for about in CONTAINERS}
    assert found == CONTAINERS
    with pytest.raises(KubeError):
        sync.run(list_containers(document, namespace, "", "=="))


def test_what_may_not_be_listed_is_left_out(document, call, namespace):
    call("-n", namespace, "apply", "-f", "-", text=ROLE)
    token = call("-n", namespace, "create", "token", "limited").strip()
    limited = copy.deepcopy(document)
    limited["users"][0]["user"] = {"token": token}
    assert sync.run(list_resources(limited, namespace, ("deployment", "pod"))) == ["deployment/web"]
    with pytest.raises(KubeError) as caught:
        sync.run(list_resources(limited, namespace, ("pod",)))
    assert caught.value.code is ExitCode.FORBIDDEN


def test_the_form_offers_what_the_cluster_holds(call, namespace, loop, qtbot, kubeconfig, tmp_path):
    services = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(kubeconfig), lang="en"))
    step = {"name": "logs", "type": "k8s_logs", "k8s_namespace": "gone"}
    shown = Shown(services, ClusterReads(), qtbot, step, real_names=True)
    cluster = shown.find("field_k8s_cluster", QLineEdit)
    qtbot.waitUntil(lambda: "practice" in cluster.names, timeout=WAIT_MS)
    qtbot.keyClicks(cluster, "practice")
    assert shown.document.step == {"name": "logs", "type": "k8s_logs", "k8s_cluster": "practice"}
    spaces = shown.find("field_k8s_namespace", QLineEdit)
    qtbot.waitUntil(lambda: namespace in spaces.names, timeout=WAIT_MS)
    assert {"default", "kube-system"} <= set(spaces.names)
    qtbot.keyClicks(spaces, namespace)
    resource = shown.find("field_k8s_resource_name", QLineEdit)
    resource.setFocus()
    qtbot.waitUntil(lambda: "deployment/web" in resource.names, timeout=WAIT_MS)
    qtbot.keyClicks(resource, "deployment/web")
    container = shown.find("field_config_container", QLineEdit)
    container.setFocus()
    qtbot.waitUntil(lambda: container.names == ["app", "sidecar", "setup"], timeout=WAIT_MS)
    assert "Read from the cluster at" in container.toolTip()
    shown.close()
    services.close()
