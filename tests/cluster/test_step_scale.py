"""k8s_scale on a real control plane: what the cluster holds afterwards, who is warned of, and the next deploy."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from deploy_help import Deployer, make_chart
from step_help import DEPLOYMENT, NOWHERE, Cable, limited, steps

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import objects_run
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.models.run import CommandStarted, Phase, ResourceChanged

WEB = DEPLOYMENT % (1, "")
TEMPLATE = WEB.replace("replicas: 1", "replicas: {{ .Values.replicas }}")
STATEFUL = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  updateStrategy: {type: OnDelete}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: main, image: nginx}]}
"""
AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: elastic%s}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 7
"""
KEDA_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: scaledobjects.keda.sh}
spec:
  group: keda.sh
  scope: Namespaced
  names: {kind: ScaledObject, plural: scaledobjects, singular: scaledobject}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
SCALED_OBJECT = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: by-queue}
spec: {scaleTargetRef: {name: web}}
"""


@pytest.fixture
def tools(kubectl):
    return ToolSet(kubectl=kubectl)


@pytest.fixture
def scaler(kubeconfig, tools, tmp_path, namespace):
    return steps(StepType.K8S_SCALE, kubeconfig, tools, tmp_path, namespace)


def ready(scaler, resource="deployment/web") -> str:
    return scaler.kubectl("get", resource, "-o", "jsonpath={.status.readyReplicas}")


def test_up_and_down_to_zero(scaler):
    scaler.prepare(WEB)

    up = scaler.run("web", replicas=3, timeout="60s")
    assert (up.phase, up.exit_code) == (Phase.SUCCEEDED, 0), up.message
    assert (scaler.replicas(), ready(scaler)) == (3, "3")
    assert "Deployment web: from 1 to 3 replicas." in scaler.notices("info")
    assert scaler.notices("warning") == []

    down = scaler.run("deploy/web", replicas=0, timeout="60s")
    assert down.phase is Phase.SUCCEEDED, down.message
    assert scaler.replicas() == 0
    assert scaler.there("pods") == set(), "it is waited until they are gone"


def test_the_number_that_is_there_already_changes_nothing(scaler):
    scaler.prepare(WEB)
    before = scaler.kubectl("get", "deployment/web", "-o", "jsonpath={.metadata.generation}")
    assert scaler.run("web", replicas=1, timeout="60s").phase is Phase.SUCCEEDED
    assert scaler.kubectl("get", "deployment/web", "-o", "jsonpath={.metadata.generation}") == before
    assert not [argv for argv in scaler.argvs if "scale" in argv]


def test_a_stateful_set_that_kubectl_cannot_watch_and_a_replica_set(scaler):
    alone = WEB.replace("kind: Deployment", "kind: ReplicaSet").replace("name: web,", "name: alone,")
    scaler.prepare(STATEFUL, alone)
    assert scaler.run("sts/db", replicas=2, timeout="60s").phase is Phase.SUCCEEDED
    assert (scaler.replicas("sts/db"), ready(scaler, "sts/db")) == (2, "2")
    assert scaler.run("rs/alone", replicas=2, timeout="60s").phase is Phase.SUCCEEDED
    assert (scaler.replicas("rs/alone"), ready(scaler, "rs/alone")) == (2, "2")
    assert scaler.notices("warning") == []


def helm_upgrade(helm, kubeconfig, chart, namespace, *words):
    argv = [helm.path, "--kubeconfig", str(kubeconfig), "upgrade", "--install", "web", str(chart), "-n", namespace]
    return subprocess.run([*argv, *words], capture_output=True, text=True, timeout=60)


def test_the_next_helm_deploy_meets_no_conflict(scaler, helm, kubeconfig, tmp_path, namespace):
    chart = make_chart(tmp_path / "web", web=TEMPLATE)
    install = helm_upgrade(helm, kubeconfig, chart, namespace, "--create-namespace", "--set", "replicas=1")
    assert install.returncode == 0, install.stderr

    assert scaler.run("web", replicas=3, timeout="60s").phase is Phase.SUCCEEDED
    again = helm_upgrade(helm, kubeconfig, chart, namespace, "--set", "replicas=2")

    assert again.returncode == 0, again.stderr
    assert scaler.replicas() == 2
    told = [notice for notice in scaler.notices("info") if "release web" in notice]
    assert bool(told) is (helm.major >= 4)


def test_kubectl_alone_would_leave_that_conflict(scaler, helm4, kubeconfig, tmp_path, namespace):
    """What Helm 4 does without the step's care: should this change, the care can go."""
    chart = make_chart(tmp_path / "web", web=TEMPLATE)
    helm_upgrade(helm4, kubeconfig, chart, namespace, "--create-namespace", "--set", "replicas=1")
    scaler.kubectl("scale", "deployment/web", "--replicas=3")
    again = helm_upgrade(helm4, kubeconfig, chart, namespace, "--set", "replicas=2")
    assert 'conflict with "kubectl" with subresource "scale"' in again.stderr


def test_the_next_deploy_of_the_manifest_meets_no_conflict(scaler, kubeconfig, tools, tmp_path, namespace):
    deployer = Deployer(kubeconfig, tools, tmp_path, namespace)
    for replicas in (3, 0):
        deployed = deployer.run("/", deploy_type="manifest", manifest=WEB, timeout="60s")
        assert deployed.phase is Phase.SUCCEEDED, deployed.message
        assert scaler.replicas() == 1
        assert scaler.run("web", replicas=replicas, timeout="60s").phase is Phase.SUCCEEDED


def test_where_the_claim_cannot_be_given_up_the_conflict_and_the_way_out_are_told(
    scaler, kubeconfig, tools, tmp_path, namespace, practice_api
):
    Deployer(kubeconfig, tools, tmp_path, namespace).run("/", deploy_type="manifest", manifest=WEB, wait=False)
    rules = (
        (["get", "list", "watch"], "apps", ["deployments", "replicasets"]),
        (["get", "list", "watch"], "", ["pods"]),
        (["get", "patch"], "apps", ["deployments/scale"]),
    )
    user = limited(practice_api, kubeconfig, namespace, tmp_path, *rules)
    weak = steps(StepType.K8S_SCALE, user, tools, tmp_path, namespace)
    assert weak.run("web", replicas=2, timeout="60s").phase is Phase.SUCCEEDED
    assert [told for told in weak.notices("warning") if "--force-conflicts" in told]
    assert scaler.replicas() == 2


def test_autoscalers_that_own_the_number_are_named(scaler, practice_api, request):
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    request.addfinalizer(lambda: practice_api.request("DELETE", f"{path}/scaledobjects.keda.sh"))
    scaler.prepare(WEB, AUTOSCALER % "", KEDA_CRD)
    scaler.kubectl("wait", "--for=condition=Established", "crd/scaledobjects.keda.sh", "--timeout=20s")
    scaler.kubectl("apply", "-f", "-", stdin=SCALED_OBJECT)
    uid = scaler.kubectl("get", "scaledobject/by-queue", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "by-queue", "uid": uid}
    made = yaml.safe_load(AUTOSCALER % "-by-keda")
    made["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    scaler.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(made))

    assert scaler.run("web", replicas=2, wait=False).phase is Phase.SUCCEEDED

    keda, autoscaler = scaler.notices("warning")
    assert "ScaledObject by-queue" in keda
    assert "HorizontalPodAutoscaler elastic keeps it from 2 to 7" in autoscaler
    assert scaler.replicas() == 2


def test_the_owner_of_a_replica_set_is_named(scaler):
    scaler.prepare(WEB)
    scaler.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    [name] = scaler.there("replicasets")
    scaler.run(name.replace("replicaset.apps", "rs"), replicas=2, wait=False)
    [warning] = scaler.notices("warning")
    assert warning.startswith("Deployment web controls it")


def test_what_is_not_there_is_told_before_anything_runs(scaler):
    with pytest.raises(UserError) as caught:
        scaler.run("web", replicas=1)
    assert (caught.value.field, caught.value.code) == ("k8s_namespace", ExitCode.FAILED)

    scaler.prepare(WEB)
    with pytest.raises(UserError) as caught:
        scaler.run("webb", replicas=1)
    assert (caught.value.field, str(caught.value.hint)) == ("k8s_resource_name", "Did you mean web?")
    assert scaler.argvs == []


def test_rights_and_reach_are_checked_before_anything_runs(
    scaler, kubeconfig, tools, tmp_path, namespace, practice_api
):
    scaler.prepare(WEB)
    user = limited(practice_api, kubeconfig, namespace, tmp_path, (["get", "list"], "apps", ["deployments"]))
    weak = steps(StepType.K8S_SCALE, user, tools, tmp_path, namespace)
    with pytest.raises(UserError) as caught:
        weak.run("web", replicas=5)
    assert caught.value.code is ExitCode.FORBIDDEN

    cable = Cable(kubeconfig, tmp_path)
    cable.cut()
    away = steps(StepType.K8S_SCALE, cable.kubeconfig, tools, tmp_path, namespace)
    with pytest.raises(UserError) as caught:
        away.run("web", replicas=5)
    assert caught.value.code is ExitCode.UNREACHABLE
    assert (weak.argvs, away.argvs, scaler.replicas()) == ([], [], 1)


def test_replicas_that_never_come_fail_in_time_and_say_why(scaler):
    scaler.prepare(DEPLOYMENT % (0, NOWHERE))
    result = scaler.run("web", replicas=2, timeout="2s")
    assert result.phase is Phase.FAILED
    assert "set to 2 replicas" in str(result.message)
    assert str(result.hint).startswith("Pod web-")
    assert scaler.replicas() == 2


def test_a_cancel_stops_the_wait_and_tells_the_number_that_stands(scaler):
    scaler.prepare(DEPLOYMENT % (0, NOWHERE))
    thread = scaler.start("web", replicas=2, timeout="300s")
    scaler.wait_for(lambda event: isinstance(event, ResourceChanged) and event.kind == "Pod")
    scaler.cancel.request()
    thread.join(30)
    assert scaler.result.phase is Phase.CANCELLED
    assert "set to 2 replicas" in str(scaler.result.message)
    assert "0 replicas before" in str(scaler.result.hint)
    assert scaler.replicas() == 2


def test_a_connection_lost_for_good_leaves_the_state_unknown(kubeconfig, tools, tmp_path, namespace, monkeypatch):
    monkeypatch.setattr(objects_run, "_READ_AGAIN_S", 0.5)
    cable = Cable(kubeconfig, tmp_path)
    scaler = steps(StepType.K8S_SCALE, cable.kubeconfig, tools, tmp_path, namespace)
    scaler.admin = kubeconfig
    scaler.prepare(DEPLOYMENT % (0, NOWHERE))
    thread = scaler.start("web", replicas=2, timeout="60s")
    scaler.wait_for(lambda event: isinstance(event, CommandStarted) and "rollout" in event.argv)
    scaler.wait_for(lambda event: isinstance(event, ResourceChanged) and event.kind == "Pod")
    cable.cut()
    thread.join(60)
    assert scaler.result.phase is Phase.UNKNOWN
    assert "not known" in str(scaler.result.message)
