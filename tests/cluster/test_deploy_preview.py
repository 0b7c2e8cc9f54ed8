"""Previews by the real helm and kubectl; no cluster is asked."""

from __future__ import annotations

from pathlib import Path

from deploy_help import make_chart

from ansflow_desktop.executors.preview import render
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.process import Cancel

EXAMPLE = Path(__file__).parents[2] / "examples" / "fe-app"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"


def preview(toolset, folder, cancel=None, **config):
    step = PipelineStep(
        name="deploy",
        type=StepType.K8S_DEPLOY,
        k8s_cluster="nowhere",
        k8s_namespace="fe",
        k8s_config={"deploy_type": "helm", **config},
    )
    return render(step, ExecutionContext(working_directory=str(folder)), toolset, cancel)


def test_example_renders_with_the_values_given(toolset):
    found = preview(
        toolset, EXAMPLE, chart_name="fe-app", custom_values="page: {title: 你好}", set_values=["replicaCount=7"]
    )

    assert found.problems == ()
    assert "你好" in found.text
    assert "replicas: 7" in found.text
    assert ("Deployment", "", "fe-app-release") in found.objects


def test_chart_for_a_kubernetes_of_today_renders(toolset, tmp_path):
    chart = make_chart(tmp_path / "web", version="a: {{ .Capabilities.KubeVersion.Minor }}\n")
    with (chart / "Chart.yaml").open("a") as file:
        file.write("kubeVersion: '>=1.30.0-0'\n")
    found = preview(toolset, chart, chart_name="web")
    assert found.problems == ()
    assert "a: 36" in found.text


def test_secrets_are_masked(toolset, tmp_path):
    found = preview(toolset, make_chart(tmp_path / "web", secret=SECRET), chart_name="web")
    assert "hunter2" not in found.text
    assert ("Secret", "", "s") in found.objects


def test_template_error_is_a_problem_in_helms_words(toolset, tmp_path):
    chart = make_chart(tmp_path / "web", bad='{{ required "the host is needed" .Values.host }}\n')
    [problem] = preview(toolset, chart, chart_name="web").problems
    assert (problem.field.rpartition(".")[2], problem.severity) == ("chart_path", Severity.ERROR)
    assert "the host is needed" in str(problem.message)


def test_values_against_the_schema_point_to_the_values(toolset, tmp_path):
    chart = make_chart(tmp_path / "web")
    (chart / "values.schema.json").write_text('{"properties": {"greeting": {"type": "string"}}}')
    [problem] = preview(toolset, chart, chart_name="web", custom_values="greeting: 5\n").problems
    assert problem.field == "custom_values"


def test_bad_input_is_a_problem_too(toolset, tmp_path):
    [problem] = preview(toolset, tmp_path, chart_path="gone").problems
    assert problem.field == "k8s_config.chart_path"


def test_missing_local_dependency_is_rendered_from_a_copy(toolset, tmp_path):
    make_chart(tmp_path / "base", "base")
    chart = make_chart(tmp_path / "web")
    with (chart / "Chart.yaml").open("a") as file:
        file.write("dependencies: [{name: base, version: 0.1.0, repository: 'file://../base'}]\n")
    found = preview(toolset, chart, chart_name="web")
    assert found.problems == ()
    assert ("ConfigMap", "", "web-release-base") in found.objects
    assert not (chart / "charts").exists()


def test_cancelled_preview_says_so(toolset):
    cancel = Cancel()
    cancel.request()
    assert preview(toolset, EXAMPLE, cancel, chart_name="fe-app").cancelled


def test_manifest_is_shown_masked(toolset, tmp_path):
    found = preview(toolset, tmp_path, deploy_type="manifest", manifest=SECRET)
    assert "hunter2" not in found.text
    assert found.objects == (("Secret", "", "s"),)


def test_kustomization_is_rendered(toolset, tmp_path):
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\nnamePrefix: my-\n")
    assert preview(toolset, tmp_path, deploy_type="manifest", kustomize=".").objects == (("ConfigMap", "", "my-a"),)
    (tmp_path / "kustomization.yaml").write_text("resources: [gone.yaml]\n")
    [problem] = preview(toolset, tmp_path, deploy_type="manifest", kustomize=".").problems
    assert problem.field == "k8s_config.kustomize"
