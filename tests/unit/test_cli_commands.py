"""Subcommands end in words and exit codes, never in a traceback; nothing here has a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansflow_desktop import cli, i18n
from ansflow_desktop.errors import ExitCode

CHART = {"apiVersion": "v2", "name": "fe-app", "version": "0.1.0"}


@pytest.fixture(autouse=True)
def english():
    yield
    i18n.set_language("en")


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """A cluster that does not answer (`dead`), and one that runs a program to get credentials (`plugin`)."""
    marker = tmp_path / "plugin-ran"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [str(marker)]}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [
            {"name": "me", "user": {"token": "canary-token-canary"}},
            {"name": "runs", "user": {"exec": {**plugin, "interactiveMode": "Never"}}},
        ],
        "contexts": [
            {"name": "dead", "context": {"cluster": "dead", "user": "me"}},
            {"name": "plugin", "context": {"cluster": "dead", "user": "runs", "namespace": "own"}},
        ],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "前端 chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump(CHART))
    (folder / "templates" / "cm.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n")
    return folder


@pytest.fixture
def call(tmp_path: Path, kubeconfig: Path, capsys):
    """Run one command line in this process: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--data-dir", str(tmp_path / "data"), "--kubeconfig", str(kubeconfig), *words])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err + shown.out
        assert "canary-token-canary" not in shown.err + shown.out
        return code, shown.out, shown.err

    return run


def test_info_is_the_document_of_the_contract(call) -> None:
    code, out, _ = call("info", "-o", "json")
    document = json.loads(out)
    assert code == ExitCode.DONE
    assert set(document) == {"version", "tools", "directories", "clusters"}
    assert set(document["tools"]) == {"helm", "kubectl"}
    assert [row["name"] for row in document["clusters"]] == ["dead", "plugin"]


def test_info_as_text_shows_what_is_there(call) -> None:
    code, out, _ = call("info")
    assert code == 0
    assert "https://127.0.0.1:1" in out and "helm" in out


def test_schema_is_a_json_schema(call) -> None:
    code, out, _ = call("schema")
    assert code == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


def test_a_missing_subcommand_of_a_group_is_wrong_usage(call) -> None:
    assert call("clusters")[0] == ExitCode.INVALID


def test_clusters_list_says_in_the_row_who_does_not_answer(call) -> None:
    code, out, _ = call("clusters", "list", "-o", "json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == ExitCode.DONE
    assert set(rows["dead"]) == {"name", "server", "source", "reachable", "version", "message"}
    assert rows["dead"]["reachable"] is False and rows["dead"]["message"]
    assert rows["plugin"]["reachable"] is None


def test_clusters_test_of_a_dead_server_is_3(call) -> None:
    code, _, err = call("clusters", "test", "dead")
    assert code == ExitCode.UNREACHABLE
    assert err.startswith("CLUSTER: Cluster dead cannot be reached")


def test_an_unknown_cluster_names_those_there_are(call) -> None:
    code, _, err = call("clusters", "test", "nowhere")
    assert code == ExitCode.INVALID
    assert "dead" in err


def test_a_credential_program_is_shown_and_not_run(call, tmp_path: Path) -> None:
    """failure-modes.md, row 8."""
    code, _, err = call("clusters", "test", "plugin")
    assert code == ExitCode.INVALID
    assert "touch" in err and "--approve-plugin" in err
    assert not (tmp_path / "plugin-ran").exists()


def test_a_credential_program_runs_once_its_digest_is_given(call, tmp_path: Path) -> None:
    _, _, err = call("clusters", "test", "plugin")
    digest = err.split("--approve-plugin")[1].split()[0]
    code, _, _ = call("clusters", "namespaces", "plugin", "--approve-plugin", digest)
    assert code == ExitCode.UNREACHABLE
    assert (tmp_path / "plugin-ran").exists()


def test_a_wrong_digest_approves_nothing(call, tmp_path: Path) -> None:
    assert call("clusters", "test", "plugin", "--approve-plugin", "0" * 64)[0] == ExitCode.INVALID
    assert not (tmp_path / "plugin-ran").exists()


def test_clusters_add_remembers_the_file(call, tmp_path: Path, kubeconfig: Path) -> None:
    other = tmp_path / "other"
    other.write_text(kubeconfig.read_text().replace("dead", "added"))
    before = other.read_bytes()
    assert call("clusters", "add", str(other))[0] == 0
    rows = json.loads(call("info", "-o", "json")[1])["clusters"]
    assert "added" in [row["name"] for row in rows]
    assert other.read_bytes() == before


def test_clusters_add_of_nothing_is_invalid(call, tmp_path: Path) -> None:
    code, _, err = call("clusters", "add", str(tmp_path / "none"))
    assert code == ExitCode.INVALID and "skipped" not in err


def test_releases_of_clusters_that_cannot_be_asked(call) -> None:
    """cli.md: exit code 0, and the row says so; never as if there were none."""
    code, out, err = call("releases", "list")
    assert code == 0 and out == ""
    assert "dead could not be asked: " in err and "plugin could not be asked: " in err
    assert "No releases" not in err and "No cluster could be asked" in err
    code, out, err = call("releases", "list", "-o", "json")
    assert [row["status"] for row in json.loads(out)] == ["unknown", "unknown"]
    assert "dead could not be asked: " in err


DEPLOY = ("-c", "dead", "-n", "fe")


def test_deploy_to_a_dead_server_is_3_and_runs_nothing(call, chart: Path) -> None:
    code, _, err = call("deploy", str(chart), *DEPLOY)
    assert code == ExitCode.UNREACHABLE
    assert "helm" not in err


def test_read_only_refuses_deploy_and_run_with_4(call, chart: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text("apiVersion: ansflow.dev/v1\nkind: Pipeline\n")
    assert call("deploy", str(chart), *DEPLOY, "--read-only")[0] == ExitCode.FORBIDDEN
    assert call("--read-only", "run", str(pipeline))[0] == ExitCode.FORBIDDEN


def test_a_dry_run_shows_command_and_manifest_without_a_cluster(call, chart: Path) -> None:
    code, out, _ = call("deploy", str(chart), *DEPLOY, "--dry-run", "--read-only")
    assert code == 0
    assert "upgrade --install fe-app-release . --namespace fe --create-namespace --wait --timeout 300s" in out
    assert "kind: ConfigMap" in out and str(chart) in out


def test_a_dry_run_as_json_is_one_document(call, chart: Path) -> None:
    step = json.loads(call("deploy", str(chart), *DEPLOY, "--dry-run", "-o", "json")[1])["steps"][0]
    assert step["name"] == "deploy" and "kind: ConfigMap" in step["manifest"]


def test_without_n_the_namespace_of_the_context_is_meant(call, chart: Path) -> None:
    code, out, _ = call("deploy", str(chart), "-c", "plugin", "--dry-run")
    assert code == 0 and "--namespace own " in out
    code, _, err = call("deploy", str(chart), "-c", "dead", "--dry-run")
    assert code == ExitCode.INVALID and "-n" in err


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        (("-r", "Not_1123"), "--release: "),
        (("-r", ""), "--release: "),
        (("-r", "x" * 54), "--release: "),
        (("-n", "Fe"), "--namespace: "),
        (("-n", ""), "--namespace: "),
        (("--timeout", "0"), "--timeout: "),
        (("--timeout", "abc"), "--timeout: "),
        (("-f", "/none.yaml"), "--values: "),
        (("--set", "novalue"), "--set: "),
        (("-c", "nowhere"), "--cluster: "),
    ],
)
def test_bad_input_names_the_option_and_runs_nothing(call, chart: Path, extra: tuple[str, ...], field: str) -> None:
    code, _, err = call("deploy", str(chart), *DEPLOY, *extra)
    assert code == ExitCode.INVALID
    assert field in err


@pytest.mark.parametrize("content", [None, "", "[]", "name: x", "apiVersion: v2\nname: x\nversion: [", "a: {{ b }}"])
def test_a_bad_chart_is_said_and_runs_nothing(call, tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    if content is not None:
        (folder / "Chart.yaml").write_text(content)
    code, _, err = call("deploy", str(folder), *DEPLOY)
    assert code == ExitCode.INVALID
    assert "Chart.yaml" in err


@pytest.mark.parametrize(("text", "words"), [("[]", "list"), ("a: [", "Line 2")])
def test_a_values_file_that_is_no_mapping_is_said(call, chart: Path, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "v.yaml"
    file.write_text(text)
    code, _, err = call("deploy", str(chart), *DEPLOY, "-f", str(file))
    assert code == ExitCode.INVALID and words in err


def test_problems_come_as_json_too(call, chart: Path) -> None:
    code, out, _ = call("deploy", str(chart), *DEPLOY, "--timeout", "0", "-r", "X", "-o", "json")
    error = json.loads(out)["error"]
    assert code == error["code"] == ExitCode.INVALID
    assert {problem["field"] for problem in error["problems"]} == {"timeout", "release_name"}


PIPELINE = """apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  steps:
    - {name: enter, type: shell, command: "cd 'sub dir'"}
    - name: deploy
      type: k8s_deploy
      k8s_cluster: dead
      k8s_namespace: ${ns}
      k8s_config: {deploy_type: helm, chart_name: fe-app}
"""


@pytest.fixture
def pipeline(tmp_path: Path, chart: Path) -> Path:
    chart.rename(tmp_path / "sub dir")
    file = tmp_path / "pipeline.yaml"
    file.write_text(PIPELINE)
    return file


def test_validate_accepts_what_a_shell_step_may_define(call, pipeline: Path) -> None:
    assert call("validate", str(pipeline))[0] == 0
    assert json.loads(call("validate", str(pipeline), "-o", "json")[1]) == {"valid": True, "problems": []}


def test_validate_names_the_field(call, pipeline: Path) -> None:
    pipeline.write_text(PIPELINE.replace("chart_name", "chart_nane"))
    code, out, _ = call("validate", str(pipeline), "-o", "json")
    document = json.loads(out)
    assert code == ExitCode.INVALID and document["valid"] is False
    assert document["problems"][0]["field"] == "steps[1].k8s_config.chart_nane"


def test_every_problem_of_a_broken_file_is_said_with_its_place(call, pipeline: Path) -> None:
    broken = PIPELINE.replace("chart_name", "chart_nane").replace("k8s_cluster", "k8s_clutser")
    pipeline.write_text(broken.replace("type: shell", "type: shell, nope: 1"))
    document = json.loads(call("validate", str(pipeline), "-o", "json")[1])
    fields = {problem["field"] for problem in document["problems"]}
    assert {"steps[0].nope", "steps[1].k8s_clutser", "steps[1].k8s_config.chart_nane"} <= fields
    assert all("line " in problem["message"] for problem in document["problems"])
    for command in ("validate", "run", "preview"):
        code, _, err = call(command, str(pipeline))
        assert code == ExitCode.INVALID and all(field in err for field in fields)
        assert f"{pipeline}, line 6, column" in err
    assert {
        item["field"] for item in json.loads(call("run", str(pipeline), "-o", "json")[1])["error"]["problems"]
    } == fields


def test_a_field_of_other_k8s_steps_is_said_to_be_of_no_use(call, pipeline: Path) -> None:
    pipeline.write_text(PIPELINE.replace("k8s_cluster:", "k8s_resource_name: deployment/x\n      k8s_cluster:"))
    (problem,) = json.loads(call("validate", str(pipeline), "-o", "json")[1])["problems"]
    assert problem["title"] == "steps[1].k8s_resource_name is not used by a step of type k8s_deploy"


def test_a_choice_of_steps_that_leaves_none_is_refused(call, pipeline: Path) -> None:
    code, _, err = call("run", str(pipeline), "-v", "ns=fe", "--only", "enter", "--from", "deploy")
    assert code == ExitCode.INVALID and "enter" in err and "deploy" in err


def test_preview_follows_a_plain_cd(call, pipeline: Path, tmp_path: Path) -> None:
    code, out, _ = call("preview", str(pipeline), "-v", "ns=fe", "-o", "json")
    steps = json.loads(out)["steps"]
    assert code == 0
    assert steps[1]["folder"] == str(tmp_path / "sub dir") and "kind: ConfigMap" in steps[1]["manifest"]


def test_preview_of_one_step(call, pipeline: Path) -> None:
    steps = json.loads(call("preview", str(pipeline), "-v", "ns=fe", "--step", "deploy", "-o", "json")[1])["steps"]
    assert [step["name"] for step in steps] == ["deploy"]


def test_an_unknown_step_names_those_there_are(call, pipeline: Path) -> None:
    for words in (("run", "--only"), ("run", "--from"), ("preview", "--step")):
        code, _, err = call(words[0], str(pipeline), words[1], "nope")
        assert code == ExitCode.INVALID and "enter, deploy" in err


def test_run_asks_the_clusters_first(call, pipeline: Path) -> None:
    code, out, _ = call("run", str(pipeline), "-v", "ns=fe")
    assert code == ExitCode.UNREACHABLE
    assert "Step 1" not in out


VARIABLES = [("novalue", "K=V"), ("a-b=c", "name of a variable"), ("a=\udcff", "not UTF-8 text")]


@pytest.mark.parametrize(("given", "words"), VARIABLES)
def test_a_variable_that_no_step_could_use_is_refused(call, pipeline: Path, given: str, words: str) -> None:
    code, _, said = call("run", str(pipeline), "-v", given)
    assert code == ExitCode.INVALID
    assert words in said


@pytest.mark.parametrize("words", [("validate",), ("run",), ("preview",)])
def test_an_empty_or_missing_pipeline_file_is_said(call, tmp_path: Path, words: tuple[str]) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    assert call(*words, str(empty))[0] == ExitCode.INVALID
    assert call(*words, str(tmp_path / "none.yaml"))[0] == ExitCode.INVALID


def test_a_pipeline_of_shell_steps_needs_no_cluster(call, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(PIPELINE.split("    - name: deploy")[0].replace("cd 'sub dir'", "echo 前端"))
    code, out, _ = call("run", str(file), "-o", "jsonl")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert events[0]["type"] == "run_started"
    assert events[-1]["type"] == "run_finished" and events[-1]["phase"] == "Succeeded"
    assert any(event.get("text") == "前端\n" for event in events)
    assert all(list(event)[:4] == ["time", "run", "step", "type"] for event in events)


def test_a_failed_step_is_1_and_json_tells_it(call, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(PIPELINE.split("    - name: deploy")[0].replace("cd 'sub dir'", "exit 7"))
    code, out, _ = call("run", str(file), "-o", "json")
    document = json.loads(out)
    assert code == ExitCode.FAILED
    assert document["phase"] == "Failed" and document["steps"][0]["exit_code"] == 7


def test_practice_clusters_that_are_not_there(call) -> None:
    assert call("practice", "status")[0] == 0
    assert json.loads(call("practice", "status", "-o", "json")[1]) == []
    for action in ("stop", "remove"):
        code, _, err = call("practice", action, "none")
        assert code == ExitCode.INVALID and "start none" not in err


@pytest.mark.parametrize("nodes", ["0", "-1", "1001", "100000"])
def test_a_practice_cluster_has_1_to_1000_nodes(call, nodes: str) -> None:
    code, _, err = call("practice", "start", "--nodes", nodes)
    assert code == ExitCode.INVALID and err.startswith("--nodes: ") and nodes in err


def test_damaged_settings_are_set_aside_and_named(call, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.json").write_text("{")
    code, _, err = call("info")
    assert code == 0 and "settings.json" in err
    assert len(list((tmp_path / "data").glob("settings.json*"))) == 1


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere", "/dev/full"])
@pytest.mark.parametrize(
    "words", [("info",), ("run",), ("clusters", "add"), ("practice", "start"), ("clusters", "test")]
)
def test_a_data_directory_that_cannot_be_made_is_said(call, tmp_path: Path, words, place: str) -> None:
    (tmp_path / "file").write_text("")
    given = {"run": str(tmp_path / "p.yaml"), "add": str(tmp_path / "kubeconfig"), "test": "plugin"}
    (tmp_path / "p.yaml").write_text(SHELL_ONLY.replace("cd 'sub dir'", "true"))
    _, _, shown = call("clusters", "test", "plugin")
    digest = ("--approve-plugin", shown.split("--approve-plugin")[1].split()[0]) if words[-1] == "test" else ()
    more = (*([given[words[-1]]] if words[-1] in given else []), *digest)
    code, _, err = call(*words, *more, "--data-dir", str(tmp_path / place))
    assert (code == 0) == (words == ("info",))
    assert "error of its own" not in err and str(tmp_path / place) in err


def test_the_last_data_directory_given_counts_everywhere(call, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ansflow_desktop.commands.info.info", lambda session: 1 // 0)
    assert call("info", "--data-dir", str(tmp_path / "last"))[0] == ExitCode.FAILED
    assert len(list((tmp_path / "last" / "crashes").iterdir())) == 1
    assert not (tmp_path / "data").exists()


def test_a_kubeconfig_that_was_named_and_is_not_there_is_said(call, tmp_path: Path) -> None:
    for words in (("info",), ("clusters", "list"), ("practice", "status")):
        code, _, err = call(*words, "--kubeconfig", str(tmp_path / "none"))
        assert code == ExitCode.INVALID and str(tmp_path / "none") in err


def test_files_that_only_kubeconfig_names_are_skipped(tmp_path: Path, kubeconfig: Path, monkeypatch, capsys) -> None:
    """As kubectl does (conventions.md, 1)."""
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/none:{kubeconfig}")
    assert cli.main(["--data-dir", str(tmp_path), "info", "-o", "json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["clusters"]] == ["dead", "plugin"]


def test_the_commands_speak_chinese_when_asked(call) -> None:
    code, _, err = call("clusters", "test", "nowhere", "--lang", "zh_CN")
    assert code == ExitCode.INVALID
    assert any("\u4e00" <= char <= "\u9fff" for char in err)


def test_an_unforeseen_error_is_one_line_and_a_report_without_secrets(call, monkeypatch, tmp_path: Path) -> None:
    def broken(session) -> int:
        raise RuntimeError("broken by hunter2-canary")

    monkeypatch.setattr("ansflow_desktop.commands.deploy.deploy", broken)
    code, _, err = call("deploy", "x", "-c", "dead", "--set", "db.password=hunter2-canary")
    report = next((tmp_path / "data" / "crashes").iterdir())
    assert code == ExitCode.FAILED and str(report) in err
    assert "RuntimeError" in report.read_text() and "hunter2-canary" not in report.read_text() + err
    assert report.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "words", [("info",), ("clusters", "list"), ("schema",), ("--help",), ("deploy", "x", "-c", "y")]
)
def test_no_qt_and_nothing_heavy_without_need(words: tuple[str, ...], tmp_path: Path) -> None:
    """cli.md: every subcommand works with no display and imports no Qt widgets."""
    script = (
        "import sys\nfrom ansflow_desktop import cli\n"
        f"try:\n    cli.main(['--data-dir', {str(tmp_path)!r}, *{list(words)!r}])\nexcept SystemExit:\n    pass\n"
        "wrong = {'PySide6', 'qasync', 'qtawesome', 'sqlalchemy', 'alembic'} & {m.split('.')[0] for m in sys.modules}\n"
        "sys.exit(f'imported: {wrong}' if wrong else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SHELL_ONLY = PIPELINE.split("    - name: deploy")[0]


def test_a_damaged_journal_is_kept_aside_and_named(call, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ansflow.db").write_text("this was a database once")
    file = tmp_path / "s.yaml"
    file.write_text(SHELL_ONLY.replace("cd 'sub dir'", "true"))
    code, _, err = call("run", str(file))
    kept = [path for path in (tmp_path / "data").glob("ansflow.db.*") if "once" in path.read_text(errors="replace")]
    assert code == 0 and len(kept) == 1
    assert str(kept[0]) in err


def test_a_tool_that_is_missing_or_too_old_is_said(call, chart: Path, tmp_path: Path) -> None:
    old = tmp_path / "helm"
    old.write_text("#!/bin/sh\necho v3.2.0\n")
    old.chmod(0o755)
    code, _, err = call("deploy", str(chart), *DEPLOY, "--helm", str(old))
    assert code == ExitCode.INVALID and "3.2.0" in err
    code, _, err = call("deploy", str(chart), *DEPLOY, "--helm", str(tmp_path / "none"))
    assert code == ExitCode.INVALID and "helm" in err


def test_without_a_display_the_window_says_so(call, monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = call()
    assert code == ExitCode.FAILED and "--help" in err


def test_libraries_that_are_missing_are_said(call, monkeypatch) -> None:
    """As on a machine without libEGL: the import of the window fails."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setitem(sys.modules, "ansflow_desktop.app", None)
    monkeypatch.delattr("ansflow_desktop.app", raising=False)
    code, _, err = call("screenshot", "pictures")
    assert code == ExitCode.FAILED and "libegl1" in err
