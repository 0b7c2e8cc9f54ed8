"""k8s_delete on a real control plane: what is gone, what is left, and that nothing else was touched."""

from __future__ import annotations

import pytest
from step_help import DEPLOYMENT, HELD, Cable, limited, steps

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import objects_run
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.models.run import CommandStarted, Health, Notice, Phase, ResourceChanged

WEB = DEPLOYMENT % (2, "")
EXTRAS = """\
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {ports: [{port: 80}], selector: {app: web}}
---
apiVersion: v1
kind: Secret
metadata: {name: password, labels: {app: web}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, labels: {app: other}}
"""
UNHOLD = '{"metadata":{"finalizers":null}}'


@pytest.fixture
def tools(kubectl):
    return ToolSet(kubectl=kubectl)


@pytest.fixture
def deleter(kubeconfig, tools, tmp_path, namespace, practice_api):
    made = steps(StepType.K8S_DELETE, kubeconfig, tools, tmp_path, namespace)
    yield made
    body = {"metadata": {"finalizers": None}}
    practice_api.request("PATCH", f"/api/v1/namespaces/{namespace}/configmaps/held", body)


def started(event):
    return isinstance(event, CommandStarted)


def test_by_name_with_all_that_belongs_to_it(deleter):
    deleter.prepare(WEB, EXTRAS)
    deleter.kubectl("rollout", "status", "deployment/web", "--timeout=60s")

    result = deleter.run("web", timeout="60s")

    assert (result.phase, result.exit_code) == (Phase.SUCCEEDED, 0), result.message
    assert deleter.there("deployments,replicasets,pods") == set(), "background: the pods are waited for too"
    assert deleter.there("configmaps,services") == {"configmap/settings", "configmap/other", "service/web"}
    will_go, with_it = deleter.notices("info")
    assert will_go == "1 object will be deleted: Deployment web."
    assert with_it.startswith("3 objects go with that: ReplicaSet web-")


def test_by_labels_only_what_was_listed_first(deleter):
    deleter.prepare(WEB, EXTRAS)
    deleter.kubectl("rollout", "status", "deployment/web", "--timeout=60s")

    result = deleter.run("", selector="app=web", timeout="60s")

    assert result.phase is Phase.SUCCEEDED, result.message
    assert deleter.there("deployments,replicasets,pods,services,configmaps") == {"configmap/other"}
    assert deleter.there("secrets") == {"secret/password"}, "secrets go only by name"
    first = next(index for index, event in enumerate(deleter.events) if started(event))
    listed = {f"{e.kind} {e.name}" for e in deleter.events[:first] if isinstance(e, ResourceChanged)}
    assert {"Deployment web", "Service web", "ConfigMap settings"} <= listed
    assert len(listed) == 6, "with the ReplicaSet and both pods"
    gone = {f"{e.kind} {e.name}" for e in deleter.of(ResourceChanged) if e.health is Health.MISSING}
    assert gone == listed
    [argv] = deleter.argvs
    assert not [word for word in argv if word.startswith("--selector") or word == "--all"]


def test_named_kinds_of_a_selector_and_no_other(deleter):
    deleter.prepare(EXTRAS)
    assert deleter.run("", selector="app=web", kinds=["Secret", "svc"], timeout="60s").phase is Phase.SUCCEEDED
    assert deleter.there("services,secrets,configmaps") == {"configmap/settings", "configmap/other"}


def test_by_manifest(deleter):
    deleter.prepare(WEB, EXTRAS)
    result = deleter.run("", manifest=f"{WEB}---\n{EXTRAS}", propagation="foreground", timeout="60s")
    assert result.phase is Phase.SUCCEEDED, result.message
    assert deleter.there("deployments,replicasets,pods,services,secrets,configmaps") == set()


def test_orphans_stay(deleter):
    deleter.prepare(WEB)
    deleter.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    result = deleter.run("", selector="app=web", propagation="orphan", timeout="60s")
    assert result.phase is Phase.SUCCEEDED, result.message
    assert deleter.there("deployments") == set()
    assert len(deleter.there("replicasets")) == 1
    assert len(deleter.there("pods")) == 2
    assert [notice for notice in deleter.notices("warning") if "orphan" in notice]


def test_the_other_namespace_keeps_its_own(deleter, practice_api, request):
    other = f"{deleter.namespace}-o"
    request.addfinalizer(lambda: practice_api.request("DELETE", f"/api/v1/namespaces/{other}"))
    deleter.prepare(EXTRAS)
    deleter.kubectl("create", "namespace", other)
    deleter.kubectl("apply", "-f", "-", stdin=EXTRAS, namespace=other)
    assert deleter.run("", selector="app=web", timeout="60s").phase is Phase.SUCCEEDED
    kept = deleter.kubectl("get", "services,configmaps", "--selector=app", "--output=name", namespace=other)
    assert set(kept.split()) == {"service/web", "configmap/settings", "configmap/other"}


@pytest.mark.parametrize(
    ("config", "lenient"),
    [
        ({"selector": "app=none"}, True),
        ({"manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n"}, True),
        ({"manifest": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: none}\n"}, True),
    ],
)
def test_nothing_to_delete(deleter, config, lenient):
    deleter.prepare(EXTRAS)
    with pytest.raises(UserError) as caught:
        deleter.run("", **config)
    assert caught.value.code is ExitCode.FAILED
    assert deleter.run("", ignore_not_found=lenient, **config).phase is Phase.SUCCEEDED
    assert deleter.argvs == []


def test_one_missing_object_of_a_manifest_leaves_the_others_alone(deleter):
    deleter.prepare(EXTRAS)
    text = EXTRAS + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n"
    with pytest.raises(UserError) as caught:
        deleter.run("", manifest=text)
    assert "ConfigMap none" in str(caught.value.message)
    assert deleter.there("services") == {"service/web"}
    assert deleter.run("", manifest=text, ignore_not_found=True, timeout="60s").phase is Phase.SUCCEEDED
    assert deleter.there("services,secrets,configmaps") == set()


def test_a_finalizer_that_holds_is_named(deleter):
    deleter.prepare(HELD)
    result = deleter.run("configmap/held", timeout="3s")
    assert result.phase is Phase.FAILED
    assert "ConfigMap held (held by the finalizer example.com/hold)" in str(result.message)
    assert "kubectl edit configmap/held" in str(result.hint)
    assert deleter.there("configmaps") == {"configmap/held"}

    thread = deleter.start("configmap/held", timeout="60s")
    deleter.wait_for(lambda event: isinstance(event, Notice) and "finalizer" in str(event.message))
    deleter.kubectl("patch", "configmap/held", "--type=merge", "--patch", UNHOLD)
    thread.join(30)
    assert deleter.result.phase is Phase.SUCCEEDED
    assert deleter.there("configmaps") == set()


def test_without_waiting_what_is_under_way_is_told(deleter):
    deleter.prepare(HELD)
    result = deleter.run("configmap/held", wait=False)
    assert result.phase is Phase.SUCCEEDED
    assert "0 of 1 objects are gone" in str(result.message)
    deleter.kubectl("patch", "configmap/held", "--type=merge", "--patch", UNHOLD)


def test_a_namespace_goes_by_its_own_name_with_all_that_is_in_it(deleter, practice_api):
    deleter.prepare(EXTRAS)
    result = deleter.run(f"namespace/{deleter.namespace}", timeout="60s")
    assert result.phase is Phase.SUCCEEDED, result.message
    status, _ = practice_api.request("GET", f"/api/v1/namespaces/{deleter.namespace}")
    assert status == 404
    assert "ConfigMap settings" in deleter.notices("info")[1]


def test_a_cancel_ends_the_wait_and_tells_what_is_left(deleter):
    deleter.prepare(EXTRAS, HELD)
    thread = deleter.start("", manifest=f"{HELD}---\n{EXTRAS}", timeout="300s")
    deleter.wait_for(lambda event: isinstance(event, ResourceChanged) and event.health is Health.MISSING)
    deleter.cancel.request()
    thread.join(30)
    assert deleter.result.phase is Phase.CANCELLED
    assert "ConfigMap held (held by the finalizer example.com/hold)" in str(deleter.result.message)
    deleter.kubectl("patch", "configmap/held", "--type=merge", "--patch", UNHOLD)


def test_a_cancel_before_it_deletes_nothing(deleter):
    deleter.prepare(EXTRAS)
    deleter.cancel.request()
    result = deleter.run("svc/web")
    assert result.phase is Phase.CANCELLED
    assert "Service web (not deleted)" in str(result.message)
    assert deleter.there("services") == {"service/web"}


def test_rights_and_reach_are_checked_before_anything_runs(
    deleter, kubeconfig, tools, tmp_path, namespace, practice_api
):
    deleter.prepare(EXTRAS)
    rules = (["get", "list"], "", ["services", "pods"])
    user = limited(practice_api, kubeconfig, namespace, tmp_path, rules)
    cable = Cable(kubeconfig, tmp_path)
    cable.cut()
    for config, code in ((user, ExitCode.FORBIDDEN), (cable.kubeconfig, ExitCode.UNREACHABLE)):
        other = steps(StepType.K8S_DELETE, config, tools, tmp_path, namespace)
        with pytest.raises(UserError) as caught:
            other.run("svc/web")
        assert (caught.value.code, other.argvs) == (code, [])
    assert deleter.there("services") == {"service/web"}


def test_kinds_of_the_whole_cluster_are_refused_even_if_only_the_cluster_knows(deleter, request):
    definition = f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: wides.{deleter.namespace}.example}}
spec:
  group: {deleter.namespace}.example
  scope: Cluster
  names: {{kind: Wide, plural: wides, singular: wide}}
  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}]
"""
    deleter.prepare(definition)
    crd = f"crd/wides.{deleter.namespace}.example"
    request.addfinalizer(lambda: deleter.kubectl("delete", crd, "--wait=false"))
    deleter.kubectl("wait", "--for=condition=Established", crd, "--timeout=20s")
    for config in ({"selector": "a=b", "kinds": [f"wides.{deleter.namespace}.example"]}, {}):
        with pytest.raises(UserError) as caught:
            deleter.run("" if config else f"wide.{deleter.namespace}.example/x", **config)
        assert caught.value.code is ExitCode.INVALID
        assert "does not lie in the step's namespace" in str(caught.value.title)


def test_a_connection_lost_for_good_leaves_the_state_unknown(
    deleter, kubeconfig, tools, tmp_path, namespace, monkeypatch
):
    monkeypatch.setattr(objects_run, "_READ_AGAIN_S", 0.5)
    deleter.prepare(HELD)
    cable = Cable(kubeconfig, tmp_path)
    other = steps(StepType.K8S_DELETE, cable.kubeconfig, tools, tmp_path, namespace)
    thread = other.start("configmap/held", timeout="5s")
    other.wait_for(lambda event: isinstance(event, Notice) and "finalizer" in str(event.message))
    cable.cut()
    thread.join(60)
    assert other.result.phase is Phase.UNKNOWN
    deleter.kubectl("patch", "configmap/held", "--type=merge", "--patch", UNHOLD)
