"""Helm deploys by the real executor, with Helm 3 and Helm 4, on a real control plane."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from deploy_help import CONFIG_MAP, DEPLOYMENT, NO_NODE, Deployer, make_chart

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.preview import kept_values
from ansflow_desktop.models.release import ReleaseStatus
from ansflow_desktop.models.run import CommandStarted, Phase

HOOK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {kubernetes.io/hostname: nowhere}
      containers: [{name: main, image: nginx}]
"""
PROBED = """\
labels: {app: {{ .Release.Name }}}, annotations: {practice.ansflow.dev/behaviour: {{ .Values.behaviour }}}}
    spec"""
EXAMPLE = Path(__file__).parents[2] / "examples" / "fe-app"


@pytest.fixture
def deployer(kubeconfig, toolset, tmp_path, namespace):
    return Deployer(kubeconfig, toolset, tmp_path, namespace)


def test_example_is_installed_then_upgraded_in_its_folder(deployer, kubectl_json):
    first = deployer.run(EXAMPLE, chart_name="fe-app")

    assert (first.phase, first.exit_code) == (Phase.SUCCEEDED, 0)
    assert (first.release.status, first.release.revision) == (ReleaseStatus.DEPLOYED, 1)
    started = deployer.of(CommandStarted)[0]
    kubeconfig = started.argv[-3]
    assert started.argv[1:] == (
        *("upgrade", "--install", "fe-app-release", ".", "--namespace", deployer.namespace, "--create-namespace"),
        *("--wait", "--timeout", "300s", "--kubeconfig", kubeconfig, "--kube-context", "practice"),
    )
    assert started.cwd == str(EXAMPLE)
    assert kubeconfig.startswith(str(deployer.folder))
    assert deployer.saw("Deployment") == {"fe-app-release"}
    assert len(deployer.saw("Pod")) == 2

    second = deployer.run(EXAMPLE.parent, chart_name="fe-app", values_files=["fe-app/values-production.yaml"])

    assert (second.phase, second.release.revision) == (Phase.SUCCEEDED, 2)
    live = kubectl_json("get", "deployment", "fe-app-release", "-n", deployer.namespace)
    assert live["spec"]["replicas"] == 4


def test_folder_with_spaces_and_chinese_characters(deployer, kubectl_json, tmp_path):
    folder = tmp_path / "我的 图表, 第一" / "fe app"
    shutil.copytree(EXAMPLE, folder)
    (folder.parent / "我的 值,一.yaml").write_text("page: {greeting: 你好}\nservice: {type: LoadBalancer}\n")

    result = deployer.run("/", chart_path=str(folder), values_files=[str(folder.parent / "我的 值,一.yaml")])

    assert result.phase is Phase.SUCCEEDED, result.message
    page = kubectl_json("get", "configmap", "fe-app-release", "-n", deployer.namespace)["data"]["index.html"]
    assert "你好" in page


def test_values_that_helm_would_keep_are_named_and_reset(deployer, tmp_path):
    chart = make_chart(tmp_path / "web")
    deployer.run(chart, chart_name="web", custom_values="greeting: salut\nauth: {token: t0p}\n")
    assert "t0p" not in " ".join(word for argv in deployer.argvs for word in argv)
    document = deployer.catalog.document("practice")

    deployer.run(chart, chart_name="web")
    assert [notice for notice in deployer.notices("warning") if "auth.token, greeting" in notice]
    assert kept_values(document, deployer.namespace, "web-release") == {"greeting": "salut", "auth": {"token": "t0p"}}

    deployer.run(chart, chart_name="web", reset_values=True)
    assert deployer.notices("warning") == []
    assert kept_values(document, deployer.namespace, "web-release") is None


def test_failing_template_changes_nothing_and_helm_is_quoted(deployer, tmp_path, kubectl_json):
    chart = make_chart(tmp_path / "web", bad='{{ fail "the colour is wrong" }}\n')

    result = deployer.run(chart, chart_name="web")

    assert (result.phase, result.exit_code, result.release) == (Phase.FAILED, 1, None)
    assert "the colour is wrong" in str(result.message)
    assert "template" in str(result.hint)
    assert kubectl_json("get", "secrets", "-n", deployer.namespace)["items"] == []


def test_pods_that_do_not_start_fail_the_release_and_name_it(deployer, tmp_path):
    chart = make_chart(tmp_path / "web", app=DEPLOYMENT)

    result = deployer.run(chart, chart_name="web", timeout="2s", set_values=[r"nodeSelector.kubernetes\.io/os=plan9"])

    assert result.phase is Phase.FAILED
    assert (result.release.status, result.release.revision) == (ReleaseStatus.FAILED, 1)
    assert "failed at revision 1" in str(result.message)
    assert str(result.hint).startswith("Pod web-release-")
    assert "node" in str(result.hint)


def test_rollback_on_failure_ends_at_the_revision_before(deployer, tmp_path):
    chart = make_chart(tmp_path / "web", app=DEPLOYMENT)
    assert deployer.run(chart, chart_name="web").phase is Phase.SUCCEEDED

    result = deployer.run(chart, chart_name="web", timeout="6s", atomic=True, custom_values=f"nodeSelector: {NO_NODE}")

    assert result.phase is Phase.FAILED
    assert (result.release.status, result.release.revision) == (ReleaseStatus.DEPLOYED, 3)
    assert "rolled back" in str(result.message)
    assert "Cannot be scheduled" in str(result.hint), result.hint


def test_hook_that_does_not_end_is_named(deployer, tmp_path):
    result = deployer.run(make_chart(tmp_path / "web", hook=HOOK), chart_name="web", timeout="3s")

    assert result.phase is Phase.FAILED
    assert "pre-install hook, Job web-release-migrate, failed. Pod web-release-migrate-" in str(result.hint)
    assert "longer timeout" not in str(result.hint)
    assert deployer.saw("Job") == {"web-release-migrate"}


def test_failed_hook_is_named_with_how_its_pod_ended(deployer, tmp_path):
    crashes = "    metadata: {annotations: {practice.ansflow.dev/behaviour: crash}}\n"
    crashing = HOOK.replace("  template:\n", f"  backoffLimit: 0\n  template:\n{crashes}")
    crashing = crashing.replace("      nodeSelector: {kubernetes.io/hostname: nowhere}\n", "")
    result = deployer.run(make_chart(tmp_path / "web", hook=crashing), chart_name="web", timeout="60s")

    assert result.phase is Phase.FAILED
    assert "hook, Job web-release-migrate, failed. Pod web-release-migrate-" in str(result.hint), result.message
    assert "exit code 1" in str(result.hint)


def test_probe_that_fails_is_named_although_a_rollback_removed_its_pod(deployer, tmp_path):
    app = DEPLOYMENT.replace("labels: {app: {{ .Release.Name }}}}\n    spec", PROBED)
    chart = make_chart(tmp_path / "web", app=app)
    assert deployer.run(chart, chart_name="web", custom_values="behaviour: none").phase is Phase.SUCCEEDED

    result = deployer.run(chart, chart_name="web", timeout="6s", atomic=True, custom_values="behaviour: never-ready")

    assert (result.phase, result.release.revision) == (Phase.FAILED, 3)
    assert "probe failed" in str(result.hint), result.hint


def test_dry_run_checks_on_the_server_and_leaves_nothing(deployer, tmp_path, kubectl_json):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"
    chart = make_chart(tmp_path / "web", secret=secret)

    result = deployer.run(chart, chart_name="web", dry_run=True)

    assert (result.phase, result.release) == (Phase.SUCCEEDED, None)
    assert "hunter2" not in deployer.output
    names = [item["metadata"]["name"] for item in kubectl_json("get", "namespaces")["items"]]
    assert deployer.namespace not in names


def test_install_only_refuses_a_name_in_use(deployer, tmp_path):
    chart = make_chart(tmp_path / "web")
    deployer.run(chart, chart_name="web")

    result = deployer.run(chart, chart_name="web", upgrade=False)

    assert (result.phase, result.release.revision) == (Phase.FAILED, 1)
    assert "Nothing was changed" in str(result.message)
    assert "name exists" in str(result.hint)


def test_unreachable_cluster_is_told_before_anything_runs(toolset, tmp_path, kubeconfig):
    broken = tmp_path / "config"
    text = kubeconfig.read_text()
    server = next(line for line in text.splitlines() if "server:" in line).split("server:")[1].strip()
    broken.write_text(text.replace(server, "https://127.0.0.1:1"))
    deployer = Deployer(broken, toolset, tmp_path, "fe")

    with pytest.raises(UserError) as caught:
        deployer.run(make_chart(tmp_path / "web"), chart_name="web")

    assert caught.value.code is ExitCode.UNREACHABLE
    assert deployer.argvs == []


def test_refused_credentials_are_told_before_anything_runs(toolset, tmp_path, kubeconfig):
    lines = [
        line if "token:" not in line else line.split("token:")[0] + "token: wrong"
        for line in kubeconfig.read_text().splitlines()
    ]
    (tmp_path / "config").write_text("\n".join(lines))
    deployer = Deployer(tmp_path / "config", toolset, tmp_path, "fe")

    with pytest.raises(UserError) as caught:
        deployer.run(make_chart(tmp_path / "web"), chart_name="web")

    assert caught.value.code is ExitCode.UNREACHABLE
    assert deployer.argvs == []


def test_conflict_with_another_owner_is_explained(deployer, tmp_path, practice_api):
    chart = make_chart(tmp_path / "web", other=CONFIG_MAP.replace("{{ .Chart.Name }}", "other"))
    practice_api.request("POST", "/api/v1/namespaces", {"metadata": {"name": deployer.namespace}})
    body = {"metadata": {"name": "web-release-other"}, "data": {"greeting": "mine"}}
    practice_api.request("POST", f"/api/v1/namespaces/{deployer.namespace}/configmaps", body)

    result = deployer.run(chart, chart_name="web")

    assert result.phase is Phase.FAILED
    assert "belongs to something else" in str(result.hint)


def test_missing_rights_are_told_before_anything_runs(toolset, tmp_path, kubeconfig, practice_api, namespace):
    practice_api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    practice_api.request("POST", accounts, {"metadata": {"name": "nobody"}})
    status, body = practice_api.request("POST", f"{accounts}/nobody/token", {"spec": {}})
    assert status == 201, body
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": json.loads(body)["status"]["token"]}
    (tmp_path / "config").write_text(json.dumps(document))
    deployer = Deployer(tmp_path / "config", toolset, tmp_path, namespace)

    with pytest.raises(UserError) as caught:
        deployer.run(make_chart(tmp_path / "web"), chart_name="web")

    assert caught.value.code is ExitCode.FORBIDDEN
    assert "secrets" in str(caught.value)
    assert deployer.argvs == []


def test_chart_over_one_mebibyte_is_told_before_and_explained_after(deployer, tmp_path):
    chart = make_chart(tmp_path / "web")
    (chart / "picture.bin").write_bytes(os.urandom(1_500_000))

    result = deployer.run(chart, chart_name="web")

    assert result.phase is Phase.FAILED
    assert [notice for notice in deployer.notices("info") if "picture.bin (1.4 MiB)" in notice]
    assert ".helmignore" in str(result.hint), result.message
    (chart / ".helmignore").write_text("*.bin\n")
    assert deployer.run(chart, chart_name="web").phase is Phase.SUCCEEDED
