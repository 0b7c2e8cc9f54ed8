"""AnsFlow's own JSON: what its API gives comes in, runs nothing, and goes back exactly as it was."""

from __future__ import annotations

import copy
import json
import subprocess

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.pipelines import codec
from ansflow_desktop.pipelines.ansflow import export_pipeline, export_steps, import_document, texts
from ansflow_desktop.pipelines.ansflow.kept import difference, restore, same
from ansflow_desktop.pipelines.atomic import atomic_document, atomic_from
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.validate import validate
from ansflow_desktop.pipelines.variables import fill

QUICK = settings(
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CLUSTERS = {3: "dev", "4": "prod"}


def from_api(number, name, kind, **fields):
    """A step as the detail view of AnsFlow's API gives it: every field of its serializer is there."""
    whole = {
        "id": number,
        "name": name,
        "description": "",
        "status": "pending",
        "step_type": kind,
        "command": "",
        "environment_vars": {},
        "timeout_seconds": 300,
        "order": number,
        "ansible_playbook": None,
        "ansible_playbook_name": None,
        "ansible_parameters": {},
        "k8s_cluster": None,
        "k8s_namespace": "",
        "k8s_resource_name": "",
        "k8s_config": {},
        "dependencies": [],
        "parallel_group": "",
        "conditions": [],
        "approval_required": False,
        "approval_users": [],
        "approval_status": "",
        "retry_policy": {},
        "notification_config": {},
        "output_log": "",
        "exit_code": None,
        "started_at": None,
    }
    return {**whole, **fields}


def pipeline(*steps, **fields):
    return {
        "id": 7,
        "name": "front end",
        "description": "部署",
        "status": "success",
        "is_active": True,
        "config": {},
        "project": 1,
        "project_name": "shop",
        "created_at": "2025-08-14T07:10:44Z",
        "execution_mode": "local",
        "tool_job_config": {},
        "steps": list(steps),
        "atomic_steps": [],
        "runs": [{"id": 1, "run_number": 1, "status": "success", "artifacts": []}],
        **fields,
    }


def k8s(kind, config, number=1, **fields):
    place = {"k8s_cluster": 3, "k8s_cluster_name": "shop-dev", "k8s_namespace": "fe", **fields}
    return from_api(number, kind, kind, k8s_config=config, **place)


def imported(document, clusters=CLUSTERS):
    return import_document(json.dumps(document), clusters)


def steps_of(document, clusters=CLUSTERS):
    """The steps of the one imported pipeline, without what is kept."""
    ((_, text),) = imported(document, clusters).pipelines
    steps = yaml.safe_load(text)["spec"]["steps"]
    return [{name: value for name, value in step.items() if name != "x-ansflow"} for step in steps]


def first(step, clusters=CLUSTERS):
    return steps_of(pipeline(step), clusters)[0]


def said(document):
    return "\n".join(map(str, imported(document).notices))


def edited(document, change):
    """Import, change the document as an editor would, export."""
    ((_, text),) = imported(document).pipelines
    data = yaml.safe_load(text)
    change(data["spec"]["steps"])
    return json.loads(export_pipeline(yaml.safe_dump(data, sort_keys=False, allow_unicode=True)))


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


def exported(document, clusters=CLUSTERS):
    ((_, text),) = imported(document, clusters).pipelines
    return json.loads(export_pipeline(text))


def plain(text):
    """A pipeline document without what an import keeps."""
    data = yaml.load(text, Loader=yaml.BaseLoader)
    data["spec"].pop("x-ansflow", None)
    for step in data["spec"]["steps"]:
        step.pop("x-ansflow", None)
    return data


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


class TestTexts:
    @pytest.mark.parametrize(
        ("there", "here"),
        [
            ("{{name}}", "${name}"),
            ("{{ name }}", "${name}"),
            ("a$b", "a$b"),
            ("$$", "$$$$"),
            ("${x}", "$${x}"),
            ("${{x}}", "$$${x}"),
            ("{{ .Values.x }}", "{{ .Values.x }}"),
            ("{{env.X}}", "{{env.X}}"),
        ],
    )
    def test_pairs(self, there, here):
        assert texts.text_here(there) == here
        assert texts.text_there(here, spaced=" " in there) == there

    @given(st.lists(st.sampled_from(["$", "{", "}", "{{n}}", "-", "${", "{{", "é"])).map("".join))
    @QUICK
    def test_a_text_means_the_same_and_comes_back(self, text):
        here = texts.text_here(text)
        assert texts.text_there(here) == text
        assert fill(here, {"n": "VALUE"}) == text.replace("{{n}}", "VALUE")

    @pytest.mark.parametrize("seconds", [1, 300, 86400, 1.5, "60"])
    def test_durations(self, seconds):
        assert texts.duration_there(texts.duration_here(seconds)) == float(seconds)

    @pytest.mark.parametrize("value", [0, -1, True, None, "x", [], {}, 10**30, "1e3", float("1e300")])
    def test_no_durations(self, value):
        assert texts.duration_here(value) is None

    def test_a_variable_in_a_duration_keeps_its_unit(self):
        assert texts.duration_here("{{t}}") == "${t}s"
        assert texts.duration_there("${t}s") == "{{t}}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    [
        "",
        "a",
        "web",
        "{{x}}",
        "{{ y }}",
        "$",
        "${z}",
        "$$",
        "pod/a",
        "yes",
        "010",
        "1.10",
        "<<",
        "a\nb\n",
        " a\n b",
        "\u2028\x85",
        "é😀",
        "\0",
    ]
)
CONFIG_NAMES = (
    "deploy_type", "chart_name", "chart_version", "release_name", "values_file", "custom_values", "helm_upgrade",
    "helm_wait", "helm_timeout", "manifest_content", "manifest_path", "wait_for_rollout", "deployment_spec", "replicas",
    "resource_type", "force_delete", "condition", "timeout", "command", "container", "pod_selector", "stdin", "tty",
    "pod_name", "tail_lines", "since_seconds", "follow", "namespace", "name", "x-ansflow-desktop",
)  # fmt: skip
KINDS = st.sampled_from(
    [
        "k8s_deploy",
        "k8s_scale",
        "k8s_delete",
        "k8s_wait",
        "k8s_exec",
        "k8s_logs",
        "custom",
        "shell_script",
        "ansible",
        "new",
    ]
)
VALUES = st.one_of(
    WORDS,
    WORDS,
    st.booleans(),
    st.integers(-1, 700),
    st.sampled_from(["helm", "manifest", "available", "delete"]),
    JSON,
)
CONFIG = st.dictionaries(st.sampled_from(CONFIG_NAMES), VALUES, max_size=6) | JSON
PARAMETERS = (
    st.fixed_dictionaries(
        {},
        optional={
            "k8s_config": CONFIG,
            "k8s_cluster": VALUES,
            "k8s_namespace": VALUES,
            "k8s_resource_name": VALUES,
            "command": VALUES,
            "script": VALUES,
            "replicas": VALUES,
            "x-ansflow-desktop": JSON,
        },
    )
    | JSON
)
STEP = st.fixed_dictionaries(
    {"step_type": KINDS | VALUES},
    optional={
        "name": VALUES,
        "description": VALUES,
        "order": st.integers(0, 5) | VALUES,
        "command": VALUES,
        "environment_vars": st.dictionaries(WORDS, VALUES, max_size=2) | JSON,
        "timeout_seconds": VALUES,
        "timeout": VALUES,
        "is_active": VALUES,
        "parameters": PARAMETERS,
        "ansible_parameters": PARAMETERS,
        "k8s_cluster": VALUES,
        "k8s_cluster_name": VALUES,
        "k8s_namespace": VALUES,
        "k8s_resource_name": VALUES,
        "k8s_config": CONFIG,
        "approval_required": VALUES,
        "conditions": VALUES,
        "retry_policy": st.dictionaries(st.sampled_from(["max_retries", "retry_delay_seconds"]), VALUES) | JSON,
        "retry_count": VALUES,
        "x-ansflow": JSON,
    },
)
PIPELINE = st.fixed_dictionaries(
    {"steps": st.lists(STEP | JSON, max_size=4) | JSON},
    optional={"name": VALUES, "description": VALUES, "config": PARAMETERS, "atomic_steps": st.lists(STEP, max_size=2)},
)


class TestProperties:
    @given(PIPELINE)
    @settings(QUICK, max_examples=250)
    def test_whatever_a_pipeline_holds_comes_back_exactly(self, document):
        found = imported(document)
        ((_, text),) = found.pipelines
        assert same(json.loads(export_pipeline(text)), document)
        safe_yaml.compose(text)
        try:
            codec.parse(text, "/work")
        except PipelineError as error:
            assert not [problem for problem in error.problems if "x-ansflow" in problem.field]

    @given(STEP)
    @settings(QUICK, max_examples=150)
    def test_whatever_a_library_step_holds_comes_back_exactly(self, document):
        (step,) = imported(document).steps
        assert same(json.loads(export_steps([step])), [document])

    @given(PIPELINE)
    @QUICK
    def test_what_is_imported_twice_is_the_same(self, document):
        ((_, text),) = imported(document).pipelines
        again = import_document(export_pipeline(text), CLUSTERS)
        assert same(safe_yaml.load(again.pipelines[0][1]), safe_yaml.load(text))

    @given(JSON, JSON)
    @QUICK
    def test_the_difference_restores_the_original(self, one, other):
        one, other = {"a": one, "b": 1, "c": {"d": other}}, {"a": other, "c": {"d": one, "e": None}}
        assert same(restore(other, difference(one, other)), one)
        assert difference(one, one) == {}

    @given(JSON)
    @QUICK
    def test_any_json_is_imported_or_refused_by_name(self, value):
        try:
            imported(value)
        except UserError as error:
            assert str(error)

    @given(st.binary(max_size=60))
    @QUICK
    def test_any_bytes_are_refused_by_name(self, data):
        with pytest.raises(UserError):
            import_document(b"{" + data)


class TestHostile:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "null",
            "5",
            '"a"',
            "[]",
            "{}",
            "[1, null, {}]",
            "{",
            '{"steps": [}',
            '{"steps": [NaN]}',
            '{"steps": [-Infinity]}',
            '{"steps": [1e999]}',
            '{"steps": ["\\ud800"]}',
            '{"\\udfff": 1, "steps": []}',
            "[" * 100_000,
            '{"steps": ' + "[" * 80 + "]" * 80 + "}",
            '{"steps": [' + "9" * 5000 + "]}",
            '{"steps": "' + "x" * 10_500_000 + '"}',
            "\udcff",
            b"\xff\xfe\xff",
            b'{"steps": "\xe9"}',
        ],
        ids=lambda value: repr(value)[:24],
    )
    def test_it_is_refused_by_name(self, text):
        with pytest.raises(UserError) as caught:
            import_document(text)
        assert caught.value.hint

    def test_encodings(self):
        document = json.dumps(pipeline(), ensure_ascii=False)
        for data in (
            document.encode(),
            b"\xef\xbb\xbf" + document.encode(),
            document.encode("utf-16"),
            "\ufeff" + document,
        ):
            assert import_document(data).pipelines[0][0] == "front end"

    def test_a_pipeline_larger_than_a_file_may_be_is_left_out_and_said(self):
        small, large = pipeline(name="small"), pipeline(name="large", runs=["x" * 1_100_000])
        found = imported([small, large])
        assert [name for name, _ in found.pipelines] == ["small"]
        assert "large is left out" in "".join(map(str, found.notices))

    def test_names_written_twice_are_said(self):
        found = import_document('{"steps": [], "name": "a", "name": "b"}')
        assert (found.pipelines[0][0], "name" in str(found.notices[0])) == ("b", True)

    def test_what_is_neither_is_said(self):
        assert "no pipeline and no step" in said([pipeline(), 5])

    def test_an_import_runs_nothing_and_writes_nothing(self, monkeypatch, tmp_path):
        def never(*_, **__):
            raise AssertionError

        for name in ("Popen", "run"):
            monkeypatch.setattr(subprocess, name, never)
        monkeypatch.chdir(tmp_path)
        imported(pipeline(from_api(1, "a", "custom", command="touch here; $(touch there)")))
        assert list(tmp_path.iterdir()) == []
