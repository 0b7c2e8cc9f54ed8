"""AnsFlow's own JSON: what its API gives comes in field by field and goes back exactly as it was."""

from __future__ import annotations

import copy
import json
import subprocess

import pytest
import yaml
from ansflow_kit import edited, exported, first, from_api, imported, k8s, pipeline, plain, said, steps_of

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.pipelines import codec
from ansflow_desktop.pipelines.ansflow import export_pipeline, export_steps, import_document
from ansflow_desktop.pipelines.atomic import atomic_document, atomic_from
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.validate import validate
from ansflow_desktop.pipelines.variables import fill

OURS = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {name: ours, owner: team-a}
spec:
  variables: {ns: fe}
  steps:
    - {name: build, type: shell, command: make $X, timeout: 5m, when: '${ns} == "fe"', always: true}
    - name: deploy
      type: k8s_deploy
      k8s_cluster: dev
      k8s_namespace: ${ns}
      retries: 2
      k8s_config: {deploy_type: helm, chart_name: a, chart_version: 1.10, values_files: [a, b], set_values: [x=1]}
    - name: run
      type: k8s_exec
      k8s_cluster: dev
      k8s_namespace: n
      k8s_config: {command: [a, b c], selector: app=x, output: v}
    - {name: w, type: k8s_wait, k8s_cluster: dev, k8s_namespace: n, k8s_resource_name: job/a, k8s_config: {jsonpath: a}}
"""


class TestFields:
    def test_helm(self):
        config = {
            "deploy_type": "helm",
            "chart_name": "fe-app",
            "chart_repo": "https://charts.example",
            "chart_version": "1.10",
            "release_name": "fe-{{ env }}",
            "values_file": "values/{{env}}.yaml",
            "custom_values": "a: 1\n",
            "helm_upgrade": False,
            "helm_wait": False,
            "helm_atomic": True,
            "helm_timeout": 600,
            "dry_run": True,
        }
        step = first(k8s("k8s_deploy", config, timeout_seconds=900))
        assert step == {
            "name": "k8s_deploy",
            "type": "k8s_deploy",
            "k8s_cluster": "dev",
            "k8s_namespace": "fe",
            "timeout": "900s",
            "k8s_config": {
                "deploy_type": "helm",
                "chart_name": "fe-app",
                "chart_repo": "https://charts.example",
                "chart_version": "1.10",
                "release_name": "fe-${env}",
                "values_files": ["values/${env}.yaml"],
                "custom_values": "a: 1\n",
                "upgrade": False,
                "wait": False,
                "atomic": True,
                "timeout": "600s",
                "dry_run": True,
            },
        }

    def test_manifest_text_wins_over_its_path(self):
        config = {"manifest_content": "kind: X", "manifest_path": "k8s/a.yaml", "wait_for_rollout": False}
        made = first(k8s("k8s_deploy", config))["k8s_config"]
        assert made == {"deploy_type": "manifest", "manifest": "kind: X", "wait": False}
        made = first(k8s("k8s_deploy", {"manifest_path": "k8s/a.yaml", "rollback_on_failure": True}))["k8s_config"]
        assert made == {"deploy_type": "manifest", "manifest_files": ["k8s/a.yaml"], "rollback_on_failure": True}

    def test_a_deployment_spec_becomes_a_manifest(self):
        spec = {
            "image": "shop/fe:{{tag}}",
            "replicas": 2,
            "ports": [{"container_port": 8080}],
            "environment_vars": {"A": 1},
            "resources": {"limits": {"cpu": "1"}},
        }
        step = first(k8s("k8s_deploy", {"deployment_spec": spec}, k8s_resource_name="fe"))
        made = yaml.safe_load(fill(step["k8s_config"]["manifest"], {"tag": "1.2"}))
        container = made["spec"]["template"]["spec"]["containers"][0]
        assert (made["kind"], made["metadata"]["name"], made["metadata"]["namespace"]) == ("Deployment", "fe", "fe")
        assert made["spec"]["replicas"] == 2
        assert (
            made["spec"]["selector"]["matchLabels"] == made["spec"]["template"]["metadata"]["labels"] == {"app": "fe"}
        )
        assert container == {
            "name": "fe",
            "image": "shop/fe:1.2",
            "ports": [{"containerPort": 8080}],
            "env": [{"name": "A", "value": "1"}],
            "resources": {"limits": {"cpu": "1"}},
        }

    def test_a_text_of_several_lines_can_be_read_in_the_file(self):
        ((_, text),) = imported(pipeline(k8s("k8s_deploy", {"manifest_content": "kind: X\nspec: {}\n"}))).pipelines
        assert "manifest: |\n        kind: X\n        spec: {}\n" in text

    def test_scale_delete_wait(self):
        step = first(k8s("k8s_scale", {"resource_type": "statefulset", "replicas": 3}, k8s_resource_name="db"))
        assert (step["k8s_resource_name"], step["k8s_config"]) == ("statefulset/db", {"replicas": 3})
        step = first(k8s("k8s_scale", {"replicas": "{{n}}"}, k8s_resource_name="web"))
        assert (step["k8s_resource_name"], step["k8s_config"]) == ("web", {"replicas": "${n}"})
        config = {"resource_type": "service", "force_delete": True, "ignore_not_found": True}
        step = first(k8s("k8s_delete", config, k8s_resource_name="web"))
        assert step["k8s_resource_name"] == "service/web"
        assert step["k8s_config"] == {"force": True, "ignore_not_found": True}
        step = first(k8s("k8s_wait", {"condition": "available", "timeout": 120}, k8s_resource_name="web"))
        assert step["k8s_config"] == {"condition": "Available", "timeout": "120s"}
        step = first(k8s("k8s_wait", {"condition": "delete"}, k8s_resource_name="web", timeout_seconds=60))
        assert step["k8s_config"] == {"deleted": True, "timeout": "60s"}

    def test_exec_and_logs(self):
        step = first(k8s("k8s_exec", {"command": "ls -l $HOME", "container": "c"}, k8s_resource_name="web-0"))
        assert step["k8s_resource_name"] == "pod/web-0"
        assert step["k8s_config"] == {"command": "ls -l $HOME", "container": "c"}
        step = first(k8s("k8s_exec", {"pod_selector": "app=web"}, command="id"))
        assert "k8s_resource_name" not in step
        assert step["k8s_config"] == {"command": "id", "selector": "app=web"}
        config = {"pod_name": "web-0", "since_seconds": 60, "follow": True, "previous": False}
        step = first(k8s("k8s_logs", config))
        assert step["k8s_resource_name"] == "pod/web-0"
        assert step["k8s_config"] == {"since": "60s", "follow": True, "previous": False, "tail_lines": 100}

    def test_shell(self):
        step = first(from_api(1, "a", "custom", command="make {{target}} $X", environment_vars={"X": "{{y}}$$"}))
        assert (step["type"], step["command"], step["env"]) == ("shell", "make ${target} $X", {"X": "${y}$$$$"})
        step = first({"name": "b", "step_type": "shell_script", "parameters": {"script": "#!/bin/sh\nid\n"}})
        assert step == {"name": "b", "type": "shell", "command": "#!/bin/sh\nid\n"}

    def test_options(self):
        policy = {"max_retries": 2, "retry_delay_seconds": 5, "retry_on_failure": True, "continue_on_failure": True}
        step = first(from_api(1, "a", "custom", command="x", is_active=False, retry_policy=policy))
        found = {name: step[name] for name in ("enabled", "retries", "retry_delay", "continue_on_error", "timeout")}
        assert found == {
            "enabled": False,
            "retries": 2,
            "retry_delay": "5s",
            "continue_on_error": True,
            "timeout": "300s",
        }
        (step,) = imported({"name": "s", "step_type": "custom", "parameters": {"command": "x"}, "retry_count": 3}).steps
        assert step.extra["retries"] == 3

    def test_the_resource_of_the_deploy_before_is_meant_where_none_is_given(self):
        deploy = k8s("k8s_deploy", {"manifest_path": "a"}, k8s_resource_name="web")
        assert steps_of(pipeline(deploy, k8s("k8s_wait", {}, 2)))[1]["k8s_resource_name"] == "web"
        assert steps_of(pipeline(deploy, k8s("k8s_logs", {}, 2)))[1]["k8s_resource_name"] == "deployment/web"

    def test_steps_are_in_their_order_and_a_limit_shorter_than_the_wait_is_left_out(self):
        steps = [from_api(2, "b", "custom", command="b"), from_api(1, "a", "custom", command="a")]
        assert [step["name"] for step in steps_of(pipeline(*steps))] == ["a", "b"]
        document = pipeline(k8s("k8s_deploy", {"deploy_type": "helm", "helm_timeout": 900}, timeout_seconds=300))
        assert "timeout" not in steps_of(document)[0]
        assert "time limit" in said(document)


class TestNotHere:
    @pytest.mark.parametrize(
        ("kind", "parameters", "command"),
        [
            ("fetch_code", {"repository_url": "https://x/y.git"}, "git clone -b main -- https://x/y.git"),
            (
                "docker_build",
                {"tag": "a:1; rm -rf /", "context": "."},
                "docker build -f Dockerfile -t 'a:1; rm -rf /' -- .",
            ),
            ("ansible", {"playbook": "a.yml", "become": True}, "ansible-playbook --become -- a.yml"),
            ("kubernetes_deploy", {"manifest_path": "k8s/", "namespace": "p"}, "kubectl apply -f k8s/ -n p"),
            ("notify", {"message": "it's done"}, "echo 'it'\"'\"'s done'"),
            ("approval", {}, "false  # approval: no equivalent here"),
            ("x\ny", {}, "false  # x y: no equivalent here"),
            ("", {}, "false  # : no equivalent here"),
        ],
    )
    def test_other_types_are_disabled_shell_steps_with_a_command_that_is_one(self, kind, parameters, command):
        step = from_api(1, "s", kind, ansible_parameters=parameters)
        document = pipeline(step)
        made = first(step)
        assert (made["type"], made["enabled"], made["command"]) == ("shell", False, command)
        subprocess.run(["bash", "-n", "-c", made["command"]], check=True)
        assert "disabled shell steps" in said(document)
        assert exported(document) == document

    def test_one_that_was_enabled_is_exported_as_what_it_became(self):
        document = pipeline(from_api(1, "s", "docker_build", ansible_parameters={"tag": "a"}))

        def enable(steps):
            steps[0].update(enabled=True, command="make image")

        (step,) = edited(document, enable)["steps"]
        assert (step["step_type"], step["command"], step["is_active"], step["id"]) == ("custom", "make image", True, 1)

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("approval_required", True, "approval"),
            ("conditions", [{"field": "branch", "operator": "equals", "value": "main"}], "conditions"),
            ("condition", {"type": "on_failure"}, "conditions"),
        ],
    )
    def test_what_held_a_step_back_does_not_let_it_run_here(self, field, value, words):
        document = pipeline(from_api(1, "s", "custom", command="x", **{field: value}))
        assert steps_of(document)[0]["enabled"] is False
        assert words in said(document)
        assert exported(document) == document

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("parallel_group", "g", "one after the other"),
            ("dependencies", [4], "dependencies"),
            ("notification_config", {"on_failure": True}, "notifications"),
        ],
    )
    def test_the_rest_is_kept_and_said(self, field, value, words):
        document = pipeline(from_api(1, "s", "custom", command="x", **{field: value}))
        assert "enabled" not in steps_of(document)[0]
        assert words in said(document)
        assert exported(document) == document

    def test_deleting_all_of_a_name_is_disabled(self):
        document = pipeline(k8s("k8s_delete", {"resource_type": "all"}, k8s_resource_name="web"))
        assert steps_of(document)[0]["enabled"] is False
        assert "whatever kind" in said(document)


class TestClusters:
    def test_ids_are_reported_once_and_unknown_ones_left_empty(self):
        steps = [k8s("k8s_wait", {}, number, k8s_cluster=id_) for number, id_ in enumerate((3, 9, 3, "4", "12"), 1)]
        document = pipeline(*steps)
        assert imported(document).cluster_ids == (3, 9, "4", "12")
        assert [step["k8s_cluster"] for step in steps_of(document)] == ["dev", "", "dev", "prod", ""]
        assert "9: shop-dev" in said(document)
        assert exported(document) == document

    def test_ids_in_parameters_and_names(self):
        for place in ({"k8s_cluster": 3}, {"k8s_cluster_id": 3}, {"cluster_id": 3}):
            (step,) = imported({"name": "s", "step_type": "k8s_wait", "parameters": place}).steps
            assert step.parameters["k8s_cluster"] == "dev"
        assert first(k8s("k8s_wait", {}, k8s_cluster="kind"))["k8s_cluster"] == "kind"

    def test_a_cluster_chosen_here_gets_its_id_or_its_name(self):
        document = pipeline(k8s("k8s_wait", {}, 1), k8s("k8s_wait", {}, 2, k8s_cluster=4))
        back = edited(document, lambda steps: steps[0].update(k8s_cluster="prod"))
        assert [step["k8s_cluster"] for step in back["steps"]] == [4, 4]
        back = edited(document, lambda steps: steps[0].update(k8s_cluster="new"))
        assert (back["steps"][0]["k8s_cluster"], back["steps"][0]["k8s_cluster_name"]) == (None, "new")
        given = json.loads(export_pipeline(OURS, {"dev": 12}))
        assert given["steps"][1]["k8s_cluster"] == 12


class TestShapes:
    def test_lists_pages_and_bundles(self):
        one, step = pipeline(from_api(1, "a", "custom", command="x")), {"name": "s", "step_type": "custom"}
        for document in (one, [one], {"count": 1, "next": None, "results": [one]}, {"pipeline": one}):
            assert [name for name, _ in imported(document).pipelines] == ["front end"]
        both = imported({"pipelines": [one, one], "atomic_steps": [step, step]})
        assert [name for name, _ in both.pipelines] == ["front end", "front end (2)"]
        assert [item.name for item in both.steps] == ["s", "s (2)"]
        assert "Renamed" in "".join(map(str, both.notices))

    def test_steps_only_in_atomic_steps(self):
        atomic = {"id": 5, "name": "s", "step_type": "custom", "order": 1, "parameters": {"command": "id"}}
        document = pipeline(atomic_steps=[atomic])
        assert steps_of(document)[0]["command"] == "id"
        assert exported(document) == document

    def test_names_are_made_where_there_are_none_or_twice(self):
        steps = [from_api(n, name, "custom", command="x") for n, name in enumerate(["a", "a", "", "a (2)", "b\nc"], 1)]
        document = pipeline(*steps, name=None)
        assert [step["name"] for step in steps_of(document)] == ["a", "a (2)", "step 3", "a (2) (2)", "b c"]
        assert imported(document).pipelines[0][0] == "pipeline 1"
        assert exported(document) == document

    def test_library_steps_have_their_configuration_under_parameters(self):
        atomic = {
            "id": 5,
            "name": "deploy",
            "step_type": "k8s_deploy",
            "step_type_display": "Kubernetes Deploy",
            "parameters": {
                "k8s_cluster": 3,
                "k8s_namespace": "fe",
                "k8s_resource_name": "fe",
                "k8s_config": {"deploy_type": "helm", "chart_name": "fe", "release_name": "fe", "helm_wait": False},
                "other": [1],
            },
            "timeout": 600,
            "is_public": False,
        }
        (step,) = imported(atomic).steps
        assert (step.name, step.type, step.extra["timeout"]) == ("deploy", "k8s_deploy", "600s")
        config = {"deploy_type": "helm", "chart_name": "fe", "release_name": "fe", "wait": False}
        assert step.parameters == {"k8s_cluster": "dev", "k8s_namespace": "fe", "k8s_config": config}
        stored = atomic_from(safe_yaml.load(yaml.safe_dump(atomic_document(step))))
        assert json.loads(export_steps([stored])) == [atomic]

    def test_an_import_can_be_read_by_the_program(self):
        steps = [
            from_api(1, "code", "fetch_code", ansible_parameters={"repository": "r"}),
            k8s("k8s_deploy", {"deploy_type": "helm", "chart_name": "a", "release_name": "a"}, 2),
            k8s("k8s_scale", {"replicas": 2}, 3, k8s_resource_name="a"),
            k8s("k8s_delete", {}, 4, k8s_resource_name="a"),
            k8s("k8s_wait", {}, 5, k8s_resource_name="a"),
            k8s("k8s_exec", {"command": "id"}, 6, k8s_resource_name="a"),
            k8s("k8s_logs", {}, 7, k8s_resource_name="a"),
        ]
        ((_, text),) = imported(pipeline(*steps)).pipelines
        found = codec.parse(text, "/work")
        assert len(found.steps) == 7
        assert [problem for problem in validate(found) if problem.severity == "error"] == []

    def test_kept_data_has_its_two_places_only(self):
        ours = OURS.replace(", owner: team-a", "")
        text = ours.replace("type: shell", "type: shell, x-ansflow: {a: 1}").replace("spec:", "spec:\n  x-ansflow: {}")
        assert codec.parse(text, "/work").steps[0].command == "make $X"
        with pytest.raises(PipelineError) as caught:
            codec.parse(ours.replace("deploy_type: helm", "deploy_type: helm, x-ansflow: {}"), "/work")
        assert caught.value.field == "steps[1].k8s_config.x-ansflow"


class TestThereAndBack:
    def test_a_pipeline_of_ours_comes_back_whole(self):
        text = export_pipeline(OURS)
        ((_, back),) = import_document(text).pipelines
        assert plain(back) == plain(OURS)
        assert json.loads(export_pipeline(back)) == json.loads(text)

    def test_an_edit_changes_its_field_and_nothing_else(self):
        document = pipeline(
            k8s("k8s_scale", {"replicas": 2, "resource_type": "deployment", "odd": 1}, k8s_resource_name="web"),
            from_api(2, "b", "custom", command="x", ansible_parameters={"command": "x"}),
        )
        expected = copy.deepcopy(document)
        expected["steps"][0]["k8s_config"]["replicas"] = 5
        expected["steps"][1]["command"] = expected["steps"][1]["ansible_parameters"]["command"] = "y"

        def change(steps):
            steps[0]["k8s_config"]["replicas"] = 5
            steps[1]["command"] = "y"

        assert edited(document, change) == expected

    def test_an_edit_wins_where_the_import_itself_had_changed_something(self):
        document = pipeline(
            k8s("k8s_logs", {"pod_name": "web-0"}),
            k8s("k8s_deploy", {"deployment_spec": {"image": "a"}}, 2, k8s_resource_name="web"),
            from_api(3, "k8s_logs", "custom", command="x", environment_vars={"A": 1, "B": 2}),
        )

        def change(steps):
            steps[0]["k8s_config"]["tail_lines"] = 5
            steps[1]["k8s_config"]["manifest"] = "kind: X"
            steps[2]["env"]["A"] = "3"
            steps[2]["name"] = "other"

        logs, deploy, shell = edited(document, change)["steps"]
        assert logs["k8s_config"] == {"pod_name": "web-0", "tail_lines": 5}
        assert deploy["k8s_config"] == {"deployment_spec": {"image": "a"}, "manifest_content": "kind: X"}
        assert (shell["name"], shell["environment_vars"]) == ("other", {"A": "3", "B": 2})

    def test_steps_that_were_moved_are_numbered_anew(self):
        document = pipeline(*(from_api(number * 10, f"s{number}", "custom", command="x") for number in (1, 2, 3)))
        back = edited(document, lambda steps: steps.insert(0, steps.pop()))
        assert [(step["name"], step["order"]) for step in back["steps"]] == [("s3", 1), ("s1", 2), ("s2", 3)]

    def test_a_removed_step_does_not_come_back_out_of_the_second_list(self):
        document = pipeline(
            from_api(1, "a", "custom", command="x"), atomic_steps=[{"name": "a", "step_type": "custom"}]
        )
        assert edited(document, lambda steps: steps.clear())["steps"] == []

    def test_kept_data_that_somebody_wrote_by_hand_is_no_trap(self):
        for kept in ("5", "[1]", "{places: 3, instead: [1, {at: []}, {at: [a, b], here: 1}], fields: x}", "{1: .nan}"):
            text = OURS.replace("type: shell", f"type: shell, x-ansflow: {kept}")
            assert json.loads(export_pipeline(text))["steps"][0]["command"] == "make $X"

    @pytest.mark.parametrize("text", ["", "a", "[1]", "{", "spec: {steps: [1]}", "spec: 1", "\udcff", "a: &a [*a]"])
    def test_what_is_no_pipeline_file_cannot_be_exported(self, text):
        with pytest.raises(UserError):
            export_pipeline(text)
