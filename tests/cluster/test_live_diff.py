"""The live difference and the strict server check on the real control plane, headless."""

from __future__ import annotations

import asyncio
import subprocess
from types import SimpleNamespace

import msgspec
import pytest
from deploy_help import HELM_4, make_chart

from ansflow_desktop.executors.checks_manifest import located_objects
from ansflow_desktop.executors.checks_slow import SlowChecks, all_problems
from ansflow_desktop.executors.live_diff import Change, live_diff
from ansflow_desktop.executors.server_check import AskingCancelled, check_on_cluster
from ansflow_desktop.kube.approvals import Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.openapi import SchemaStore, refresh
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.diff import Sign
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.paths import Directories
from ansflow_desktop.process import Cancel

OBJECTS = """\
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {p: first}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: one}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: {{ .Values.auth.password | quote }}}\n"


@pytest.fixture
def catalog(kubeconfig, tmp_path):
    return ClusterCatalog((kubeconfig,), Approvals(tmp_path / "approvals.json"), tmp_path / "none")


@pytest.fixture
def document(catalog):
    return catalog.document("practice")


@pytest.fixture
def differ(toolset, document, namespace, tmp_path):
    def run(cancel=None, document=document, **config):
        step = PipelineStep(
            name="deploy",
            type=StepType.K8S_DEPLOY,
            k8s_cluster="practice",
            k8s_namespace=namespace,
            k8s_config=config,
        )
        return live_diff(step, ExecutionContext(working_directory=str(tmp_path)), toolset, document, cancel)

    return run


def lines(found):
    return [f"{line.sign.value}{line.text.strip()}" for line in found if line.sign in (Sign.ADDED, Sign.REMOVED)]


def apply(kubectl, kubeconfig, namespace, text, *flags):
    argv = [kubectl.path, "--kubeconfig", str(kubeconfig), "--namespace", namespace, *flags, "--filename=-"]
    subprocess.run(argv, input=text, text=True, check=True, capture_output=True, timeout=60)


def make_namespace(kubectl, kubeconfig, name):
    apply(kubectl, kubeconfig, "default", f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n", "apply")


def test_a_helm_deploy_against_its_release(differ, helm, kubeconfig, namespace, tmp_path):
    make_chart(tmp_path / "web", secret=SECRET)
    (tmp_path / "web" / "crds").mkdir()
    (tmp_path / "web" / "crds" / "x.yaml").write_text(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: xs.example.io}\n"
        "spec: {group: example.io, names: {plural: xs, kind: X}, scope: Namespaced, versions: [{name: v1, served: true,"
        " storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n"
    )
    config = {"deploy_type": "helm", "chart_path": "web", "release_name": "r"}
    first = "greeting: hello\nauth: {password: hunter1}\n"

    new = differ(**config, custom_values=first)
    assert (new.problems, new.live) == ((), False)
    assert {(each.kind, each.change) for each in new.objects} == {("ConfigMap", Change.ADDED), ("Secret", Change.ADDED)}
    assert len(new.notices) == 2  # everything is new; the CRD is installed once

    argv = [helm.path, "install", "r", str(tmp_path / "web"), "--skip-crds", "--namespace", namespace]
    argv += ["--create-namespace", "--kubeconfig", str(kubeconfig), "--values=-"]
    subprocess.run(argv, input=first, text=True, check=True, capture_output=True, timeout=60)

    same = differ(**config, custom_values=first)
    assert (same.objects, same.values, same.unchanged, same.live) == ((), (), 2, True)
    kept = differ(**config)  # no values: helm keeps the release's own (row 11)
    assert (kept.objects, kept.values, kept.unchanged) == ((), (), 2)

    changed = differ(**config, custom_values="greeting: bye\nauth: {password: hunter2}\n")
    assert lines(changed.values) == ["-password: '***'", "-greeting: hello", "+password: '***'", "+greeting: bye"]
    assert {each.kind: lines(each.lines) for each in changed.objects} == {
        "Secret": ["-p: '***'", "+p: '***'"],
        "ConfigMap": ["-greeting: hello", "+greeting: bye"],
    }
    assert [line.secret for each in changed.objects if each.kind == "Secret" for line in each.lines].count(True) == 2
    assert "hunter" not in repr(changed)

    (tmp_path / "web" / "templates" / "secret.yaml").unlink()
    gone = differ(**config, custom_values=first)
    assert [(each.kind, each.change) for each in gone.objects] == [("Secret", Change.REMOVED)]
    assert (gone.count(Change.REMOVED), gone.count(Change.ADDED), gone.unchanged) == (1, 0, 1)


@HELM_4
def test_a_chart_that_does_not_render_says_so(differ, tmp_path):
    make_chart(tmp_path / "web", bad="{{ .Values.no.such }}")
    found = differ(deploy_type="helm", chart_path="web", release_name="r")
    assert found.objects == () and "nil pointer" in str(found.problems[0].message)


@HELM_4
def test_a_manifest_against_the_live_objects(differ, kubectl, kubeconfig, namespace):
    config = {"deploy_type": "manifest"}
    new = differ(**config, manifest=OBJECTS)
    assert (new.count(Change.ADDED), new.live, len(new.notices)) == (2, False, 1)

    make_namespace(kubectl, kubeconfig, namespace)
    apply(kubectl, kubeconfig, namespace, OBJECTS, "apply", "--server-side", "--field-manager=ansflow")
    assert (differ(**config, manifest=OBJECTS).objects, differ(**config, manifest=OBJECTS).unchanged) == ((), 2)

    found = differ(**config, manifest=OBJECTS.replace("first", "second").replace("one", "two"))
    assert {each.kind: lines(each.lines) for each in found.objects} == {
        "Secret": ["-p: '***'", "+p: '***'"],
        "ConfigMap": ["-a: one", "+a: two"],
    }
    assert found.problems == () and "managedFields" not in repr(found)

    refused = differ(**config, manifest=OBJECTS.replace("\ndata:", "\ndatas:"))
    assert "field not declared" in str(refused.problems[0].message)
    assert {each.kind: lines(each.lines) for each in refused.objects} == {"ConfigMap": ["+datas:", "+a: one"]}


@HELM_4
def test_a_cluster_that_cannot_be_asked_says_so(differ, document, tmp_path):
    make_chart(tmp_path / "web")
    away = msgspec.json.decode(msgspec.json.encode(document))
    away["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    for config in ({"chart_path": "web", "deploy_type": "helm"}, {"manifest": OBJECTS, "deploy_type": "manifest"}):
        [problem] = differ(document=away, **config).problems
        assert problem.field == "k8s_cluster" and "connections" in str(problem.title)
    [problem] = differ(document=None, manifest=OBJECTS, deploy_type="manifest").problems
    assert problem.field == "k8s_cluster"


@HELM_4
def test_a_difference_given_up_holds_nothing(differ):
    cancel = Cancel()
    cancel.request()
    assert differ(cancel, manifest=OBJECTS, deploy_type="manifest").cancelled


# The server's check

BAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replica: 2
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: c}}
    spec: {containers: [{name: X, image: img}]}
"""


def said(document, text, namespace, **options):
    objects = located_objects(text, "k8s_config.manifest")
    return [
        (str(each.title), str(each.message), each.severity)
        for each in check_on_cluster(document, objects, namespace, **options)
    ]


def test_the_servers_words_name_field_and_line(document, namespace):
    """In a namespace that the step will create: `default` stands in for it, and nothing is changed."""
    [(title, message, _)] = said(document, BAD, namespace)
    assert title == "Deployment a: spec.replica" and message.startswith("Line 5, column 12:")
    titles = {title for title, _, _ in said(document, BAD.replace("replica:", "replicas:"), namespace)}
    assert titles == {
        "Deployment a: spec.template.metadata.labels",
        "Deployment a: spec.template.spec.containers[0].name",
    }
    assert said(document, OBJECTS, namespace) == []


def test_a_kind_that_the_cluster_does_not_know(document, namespace):
    [(title, _, severity)] = said(document, "apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: a}\n", namespace)
    assert (title, severity) == ("Foo a: kind", Severity.ERROR)
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: foos.x.io}\n"
        "spec: {group: x.io, names: {plural: foos, kind: Foo}, scope: Namespaced, versions: [{name: v1, served: true,"
        " storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n"
    )
    assert said(document, f"{crd}---\napiVersion: x.io/v1\nkind: Foo\nmetadata: {{name: a}}\n", namespace) == []


def test_a_field_of_another_manager_is_a_conflict(document, kubectl, kubeconfig, namespace):
    make_namespace(kubectl, kubeconfig, namespace)
    apply(kubectl, kubeconfig, namespace, OBJECTS, "apply", "--server-side", "--field-manager=other")
    config_map = OBJECTS.partition("---\n")[2]
    [(title, message, severity)] = said(document, config_map.replace("one", "two"), namespace)
    assert (title, severity) == ("ConfigMap c: data.a", Severity.ERROR) and "other" in message


def test_a_check_given_up_ends_at_once(document, namespace):
    cancel = Cancel()
    cancel.request()
    with pytest.raises(AskingCancelled):
        check_on_cluster(document, located_objects(OBJECTS, "m"), namespace, cancel=cancel)


def test_a_dry_apply_without_rights_or_server_is_an_error(document):
    away = msgspec.json.decode(msgspec.json.encode(document))
    away["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    with pytest.raises(KubeError):
        check_on_cluster(away, located_objects(OBJECTS, "m"), "default")


def test_schemas_are_fetched_once_and_name_unknown_fields(document, tmp_path):
    store = SchemaStore(tmp_path / "openapi")

    async def ask():
        async with ClusterClient(document) as client:
            first = await refresh(client, store, {"v1", "apps/v1", "gone.io/v1"})
            return first, await refresh(client, store, {"v1", "apps/v1", "gone.io/v1"}), client.server

    first, second, server = asyncio.run(ask())
    assert (first, second) == (True, False)
    assert store.known(server, "apps/v1").of("apps/v1", "Deployment") is not None
    assert store.known(server, "gone.io/v1") is None


PIPELINE = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {{name: x}}
spec:
  steps:
  - name: chart
    type: k8s_deploy
    k8s_cluster: practice
    k8s_namespace: {namespace}
    k8s_config: {{deploy_type: helm, chart_path: web, release_name: r, custom_values: "auth: {{password: hunter2}}"}}
  - name: objects
    type: k8s_deploy
    k8s_cluster: practice
    k8s_namespace: {namespace}
    k8s_config:
      deploy_type: manifest
      manifest: |
        apiVersion: v1
        kind: Service
        metadata: {{name: s}}
        spec: {{ports: [{{port: 99999}}]}}
"""


def test_all_problems_of_a_pipeline_headless(catalog, helm4, kubectl, namespace, tmp_path):
    make_chart(tmp_path / "web", bad="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndatas: {}\n")
    services = SimpleNamespace(
        tools=ToolSet(helm=helm4, kubectl=kubectl),
        catalog=catalog,
        directories=Directories(data=tmp_path / "data", tools=tmp_path / "cache" / "tools"),
    )
    text = PIPELINE.format(namespace=namespace)
    problems = all_problems(text, str(tmp_path), services)
    found = {(each.field, str(each.title)) for each in problems if each.severity is Severity.ERROR}
    assert found == {
        ("steps[0].k8s_config.chart_path", "ConfigMap z: datas"),
        ("steps[1].k8s_config.manifest", "Service s: spec.ports[0].port"),
        ("steps[1].k8s_config.manifest", "Service s: spec.ports[0].targetPort"),
    }
    assert "web/templates/bad.yaml" in str(next(each.message for each in problems if "datas" in str(each.title)))

    (tmp_path / "web" / "templates" / "bad.yaml").write_text('{{ fail (printf "no %s" .Values.auth.password) }}')
    [refused] = [each for each in all_problems(text, str(tmp_path), services, on_cluster=False) if each.hint]
    assert refused.field == "steps[0].k8s_config.chart_path" and "hunter2" not in str(refused.message)


def test_helm_is_not_asked_again_about_a_step_that_stays(catalog, helm4, tmp_path, namespace):
    from ansflow_desktop.executors.checks import check_text

    make_chart(tmp_path / "web")
    slow = SlowChecks(SchemaStore(tmp_path / "openapi"))
    views = check_text(PIPELINE.format(namespace=namespace), str(tmp_path)).views[:1]
    tools = ToolSet(helm=helm4)
    [(_, first)] = slow.helm(views, tools, Cancel())
    [(_, again)] = slow.helm(views, tools, Cancel())
    assert again is first
    (tmp_path / "web" / "values.yaml").write_text("greeting: another\nnodeSelector: {}\n")
    [(_, other)] = slow.helm(views, tools, Cancel())
    assert "another" in other.raw.text


def test_what_helm_3_lets_pass_is_a_warning_there(catalog, helm, tmp_path, namespace):
    from ansflow_desktop.executors.checks import check_text

    hook = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, annotations: {helm.sh/hook: pre-install}}\nspec: {}\n"
    make_chart(tmp_path / "web", bad="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndatas: {}\n", hook=hook)
    slow = SlowChecks(SchemaStore(tmp_path / "openapi"))
    views = check_text(PIPELINE.format(namespace=namespace), str(tmp_path)).views[:1]
    answers = slow.helm(views, ToolSet(helm=helm), Cancel())
    [(_, problems)] = slow.server(answers, catalog.document, Cancel())
    grave = Severity.WARNING if helm.major == 3 else Severity.ERROR
    assert ("ConfigMap z: datas", grave) in {(str(each.title), each.severity) for each in problems}
    assert not any("API server's words" in str(each.hint) for each in problems if "Job j" in str(each.title))
