"""A YAML step becomes a chart that helm renders to the same objects, for Helm 3 and 4."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.migrate import migrate
from ansflow_desktop.models.command import Command, Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.pipelines.templates import apply, builtin_templates
from ansflow_desktop.process import ProcessRunner

ODD = """# a comment with {{ braces }} and ${colour}
apiVersion: v1
kind: ConfigMap
metadata: {name: "odd", labels: &labels {tier: "010"}}
data:
  template: |
    {{ .Values.x }} }} {{- "no" -}}
    price: $$5 ${colour}
  on: "yes"
---
apiVersion: v1
kind: Service
metadata:
    name: odd-中文
    annotations: *labels
spec:
    ports:
    - port: 80        # the port
      name: http
    - {name: metrics, port: 0x1f90}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "123", namespace: other}
spec:
  replicas: 010
  template:
    spec:
      serviceAccountName: odd
      initContainers: [{name: first, image: 'a:1', resources: {limits: {cpu: 1.5, memory: 1e3}}}]
      containers:
      - image: registry/with.port:5000/x@sha256:abc
        name: app
        envFrom: [{configMapRef: {name: odd}}]
        resources:   # not lifted: a comment
          limits: {memory: 1Gi}  # here
      - name: side
        image: >-
          folded:1
        ports: [{containerPort: 9090}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {description: "{{ not for Helm }}"}
"""


def yaml_step(manifest: str) -> PipelineStep:
    config = {"deploy_type": "manifest", "manifest": manifest, "rollback_on_failure": True}
    return PipelineStep(
        name="deploy", type=StepType.K8S_DEPLOY, k8s_cluster="x", k8s_namespace="shop", k8s_config=config
    )


def context(folder: Path, **variables: str) -> ExecutionContext:
    return ExecutionContext(working_directory=str(folder), variables=variables)


def test_what_is_odd_renders_the_same(helm: Tool, tmp_path: Path) -> None:
    manifest = ODD.replace("&labels ", "").replace("*labels", '{tier: "010"}')
    made = migrate(
        yaml_step(manifest), context(tmp_path, colour="{{red}}"), ToolSet(helm=helm), tmp_path / "charts/odd"
    )
    assert made.compared == 4
    assert made.config["chart_path"] == "./charts/odd"
    assert made.config["manifest"] == manifest, "YAML mode keeps what was typed"
    assert made.config["atomic"] is True
    assert safe_yaml.load(made.config["custom_values"]) == {"variables": {"colour": "${colour}"}}
    values = safe_yaml.load((tmp_path / "charts/odd/values.yaml").read_text())
    assert values["x123"]["side"] == {"port": 9090}, "a folded text stays where it is"
    assert values["x123"]["app"]["image"] == "registry/with.port:5000/x@sha256:abc"
    assert "# the port" in (tmp_path / "charts/odd/templates/02-service-odd.yaml").read_text()


@pytest.mark.parametrize("name", [one.name for one in builtin_templates()])
def test_every_yaml_template_can_become_a_chart(name: str, helm4: Tool, tmp_path: Path) -> None:
    template = next(one for one in builtin_templates() if one.name == name)
    values = {one.name: one.default or "given" for one in template.parameters}
    for step in apply(template, values):
        config = step.get("k8s_config", {})
        if config.get("deploy_type") == "manifest":
            made = migrate(yaml_step(config["manifest"]), context(tmp_path), ToolSet(helm=helm4), tmp_path / name)
            assert made.compared > 0


def test_a_changed_value_changes_the_objects_that_are_named(helm4: Tool, tmp_path: Path) -> None:
    template = next(one for one in builtin_templates() if one.name == "microservice")
    steps = apply(template, {one.name: one.default or "given" for one in template.parameters})
    chart = tmp_path / "micro"
    migrate(yaml_step(steps[0]["k8s_config"]["manifest"]), context(tmp_path), ToolSet(helm=helm4), chart)
    argv = (helm4.path, "template", "x", ".", "--set", "api.name=renamed", "--set", "api.image=other:2")
    text = ProcessRunner().run(Command(argv=argv, cwd=str(chart)), None, None).stdout
    objects = {one["kind"]: one for one in map(safe_yaml.construct, safe_yaml.compose(text))}
    assert objects["Deployment"]["metadata"]["name"] == "renamed"
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "renamed"
    assert objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] == "other:2"


def test_nothing_is_left_where_it_fails(helm4: Tool, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    tools = ToolSet(helm=helm4)
    for manifest, folder in (("kind: x", "new"), ("a: [", "new"), (ODD, "there")):
        with pytest.raises(UserError):
            migrate(yaml_step(manifest), context(tmp_path), tools, tmp_path / folder)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS, image=TEXTS, number=st.integers(0, 2**31 - 1))
def test_any_text_comes_through(helm4: Tool, tmp_path: Path, value: str, image: str, number: int) -> None:
    shutil.rmtree(tmp_path / "any", ignore_errors=True)
    pod = {"containers": [{"name": "a", "image": image, "ports": [{"containerPort": number}]}]}
    objects = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c"},
            "data": {"a": value, "b": f"{value}\n{value}"},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "c"}, "spec": pod},
    ]
    manifest = yaml.safe_dump_all(objects, allow_unicode=True).replace("$", "$$")
    made = migrate(yaml_step(manifest), context(tmp_path), ToolSet(helm=helm4), tmp_path / "any")
    assert made.compared == 2
