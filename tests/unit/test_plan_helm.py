"""From a k8s_deploy step to the one helm command, for Helm 3 and Helm 4."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.plan import copy_text, plan_step
from ansflow_desktop.models.command import Command, KubeTarget, Tool, ToolSet
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType

TARGET = KubeTarget(kubeconfig="/home/me/.kube/config", context="dev")


def tools(version: str = "4.3.1") -> ToolSet:
    return ToolSet(
        helm=Tool(name="helm", path="/opt/helm", version=version),
        kubectl=Tool(name="kubectl", path="/opt/kubectl", version="1.36.3"),
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    chart = tmp_path / "charts" / "fe-app"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: fe-app\nversion: 0.1.0\n")
    (chart / "prod.yaml").write_text("a: 1\n")
    return chart


def step(config: dict, **fields) -> PipelineStep:
    defaults = {"k8s_cluster": "dev", "k8s_namespace": "fe", "k8s_config": {"deploy_type": "helm", **config}}
    return PipelineStep(name="deploy", type=StepType.K8S_DEPLOY, **{**defaults, **fields})


def plan(folder, config, version="4.3.1", **fields):
    context = ExecutionContext(working_directory=str(folder))
    return plan_step(step(config, **fields), context, tools(version), TARGET, folder / "private")


def argv(folder, config, version="4.3.1", **fields) -> str:
    return " ".join(plan(folder, config, version, **fields).commands[-1].argv)


def test_command_of_the_chart_in_its_own_directory(folder):
    found = plan(folder, {"chart_name": "fe-app"})

    [command] = found.commands
    assert command.argv == (
        *("/opt/helm", "upgrade", "--install", "fe-app-release", ".", "--namespace", "fe", "--create-namespace"),
        *("--wait", "--timeout", "300s", "--kubeconfig", "/home/me/.kube/config", "--kube-context", "dev"),
    )
    assert command.cwd == str(folder)
    assert (found.release, found.namespace, found.chart.name) == ("fe-app-release", "fe", "fe-app")
    assert (command.timeout, command.grace) == (360, 60)
    assert found.keeps_values


@pytest.mark.parametrize(("version", "flag"), [("3.22.0", "--atomic"), ("4.3.1", "--rollback-on-failure")])
def test_rollback_has_each_major_versions_name(folder, version, flag):
    assert f" {flag} " in argv(folder, {"chart_name": "fe-app", "atomic": True}, version)


def test_values_come_in_helms_order_and_absolute(folder):
    config = {
        "chart_name": "fe-app",
        "values_files": ["prod.yaml"],
        "custom_values": "b: 2\n",
        "set_values": ["c=3"],
        "reset_values": True,
    }
    found = plan(folder, config)
    text = " ".join(found.commands[-1].argv)
    assert f"300s --reset-values --values={folder}/prod.yaml --values=- --set=c=3 --kubeconfig" in text
    assert found.commands[-1].stdin == "b: 2\n"
    assert not found.keeps_values


@pytest.mark.parametrize(
    ("config", "present", "absent"),
    [
        ({"upgrade": False}, "install fe-app-release .", "upgrade"),
        ({"wait": False}, "--timeout 300s", "--wait"),
        ({"create_namespace": False}, "--namespace fe --wait", "--create-namespace"),
        ({"dry_run": True}, "--dry-run=server --hide-secret", "--atomic"),
        ({"release_name": "mine"}, "--install mine .", "fe-app-release"),
        ({"timeout": "1h30m"}, "--timeout 1h30m", "300s"),
    ],
)
def test_each_field_reaches_the_command(folder, config, present, absent):
    text = argv(folder, {"chart_name": "fe-app", **config})
    assert present in text
    assert absent not in text


def test_secrets_given_by_set_are_masked_in_every_shown_form(folder):
    config = {"chart_name": "fe-app", "set_values": ["a=1,db.password=s3=hidden,b=2", "apiToken=t0ken", "size=9"]}
    [command] = plan(folder, config).commands
    for text in (command.shown(), " ".join(command.shown_argv()), copy_text(command)):
        assert "s3=" not in text
        assert "hidden" not in text
        assert "t0ken" not in text
        assert "size=9" in text
    assert "--set=apiToken=t0ken" in command.argv


def test_inherited_helm_environment_is_taken_out_and_named(folder, monkeypatch):
    monkeypatch.setenv("HELM_KUBEAPISERVER", "https://elsewhere")
    monkeypatch.setenv("HELM_KUBEFUTURE", "1")
    monkeypatch.setenv("HELM_DRIVER", "sql")
    monkeypatch.setenv("HELM_REPOSITORY_CONFIG", "/mine")
    found = plan(folder, {"chart_name": "fe-app"}, env={"KUBECONFIG": "/other", "HTTPS_PROXY": "http://proxy"})
    env = found.commands[-1].env
    for name in ("HELM_KUBEAPISERVER", "HELM_KUBEFUTURE", "HELM_DRIVER", "KUBECONFIG", "HELM_DEBUG", "HELM_NAMESPACE"):
        assert env[name] is None
    assert "HELM_REPOSITORY_CONFIG" not in env
    assert (env["KUBERC"], env["HELM_NO_PLUGINS"], env["HTTPS_PROXY"]) == ("off", "1", "http://proxy")
    assert any("HELM_DRIVER, HELM_KUBEAPISERVER" in str(notice) for notice in found.notices)


@pytest.mark.parametrize(
    ("config", "fields", "field"),
    [
        ({"release_name": ""}, {}, "k8s_config.release_name"),
        ({"release_name": "--debug"}, {}, "k8s_config.release_name"),
        ({"timeout": "0"}, {}, "k8s_config.timeout"),
        ({"timeout": "abc"}, {}, "k8s_config.timeout"),
        ({"timeout": 300}, {}, "k8s_config.timeout"),
        ({"timeot": "3s"}, {}, "k8s_config.timeot"),
        ({"wait": "perhaps"}, {}, "k8s_config.wait"),
        ({"deploy_type": "kustom"}, {}, "k8s_config.deploy_type"),
        ({"values_files": ["gone.yaml"]}, {}, "k8s_config.values_files[0]"),
        ({"custom_values": "- a"}, {}, "k8s_config.custom_values"),
        ({"set_values": ["novalue"]}, {}, "k8s_config.set_values[0]"),
        ({"chart_path": "gone"}, {}, "k8s_config.chart_path"),
        ({}, {"k8s_namespace": ""}, "k8s_namespace"),
        ({}, {"k8s_namespace": "-n"}, "k8s_namespace"),
        ({}, {"timeout": "soon"}, "timeout"),
    ],
)
def test_bad_input_names_its_field(folder, config, fields, field):
    with pytest.raises(UserError) as caught:
        plan(folder, {"chart_name": "fe-app", **config}, **fields)
    assert caught.value.field == field


def test_texts_of_variables_become_the_fields_types(folder):
    text = argv(folder, {"chart_name": "fe-app", "wait": "false", "values_files": "prod.yaml"})
    assert "--wait" not in text
    assert "prod.yaml" in text


def test_outer_deadline_of_the_step_shortens_helms(folder):
    assert plan(folder, {"chart_name": "fe-app"}, timeout="10s").commands[-1].timeout == 10


def test_old_helm_is_refused_and_leaky_helm_warned_of(folder):
    with pytest.raises(UserError, match="too old"):
        plan(folder, {"chart_name": "fe-app"}, "2.17.0")
    assert any("security" in str(notice) for notice in plan(folder, {"chart_name": "fe-app"}, "3.19.0").notices)


def test_request_of_the_deploy_page_plans_alike(folder):
    request = DeployRequest(chart_path=str(folder), cluster="dev", namespace="fe", release_name="fe-app-release")
    context = ExecutionContext(working_directory="/")
    [command] = plan_step(request.step(), context, tools(), TARGET, folder / "p").commands
    assert command == plan(folder, {"chart_name": "fe-app"}).commands[-1]


def test_missing_dependencies_are_planned_in_a_copy_and_shown_as_typed(folder):
    with (folder / "Chart.yaml").open("a") as file:
        file.write("dependencies: [{name: db, version: 1.0.0, repository: 'oci://reg.example/c'}]\n")

    found = plan(folder, {"chart_name": "fe-app", "set_values": ["a.token=x"]})

    assert [command.argv[1] for command in found.commands] == ["dependency", "upgrade"]
    assert found.commands[-1].cwd.startswith(str(folder / "private"))
    assert (found.shown.cwd, "--dependency-update" in found.shown.argv) == (str(folder), True)
    assert "--set=a.token=***" in found.shown.shown_argv()
    assert not (folder / "private").exists()


def test_library_chart_is_refused(folder):
    with (folder / "Chart.yaml").open("a") as file:
        file.write("type: library\n")
    with pytest.raises(UserError, match="library"):
        plan(folder, {"chart_name": "fe-app"})


def test_shell_step_is_shown_too(folder):
    context = ExecutionContext(working_directory=str(folder))
    shell = PipelineStep(name="enter", type=StepType.SHELL, command="cd x", working_directory="..")
    [command] = plan_step(shell, context, tools(), TARGET, folder).commands
    assert (command.argv[-1], command.cwd) == ("cd x", str(folder.parent))


def test_copied_command_works_when_pasted(tmp_path):
    folder = tmp_path / "it's 我的"
    folder.mkdir()
    tool = tmp_path / "show me"
    tool.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@" "$KUBECONFIG"\ncat\n')
    tool.chmod(0o755)
    values = "a: $HOME\npassword: s3cret\ndb:\n  apiKey: 'k'\nYAML\n"
    command = Command(
        argv=(str(tool), "a b", "--kubeconfig", "/x:/y", "--kube-context", "d'v"), cwd=str(folder), stdin=values
    )

    text = copy_text(command)
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True)

    shown = 'a: $HOME\npassword: "<PASSWORD>"\ndb:\n  apiKey: "<APIKEY>"\nYAML'
    assert done.stdout.splitlines() == [str(folder), "a b", "--kube-context", "d'v", "/x:/y", *shown.splitlines()]
    assert "s3cret" not in text
