"""A converted script does what the runner would: directory, variables, conditions, retries, clean-up, quoting."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from convert_kit import HEAD, environment, run_bash, script_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.convert.bash import to_bash
from ansflow_desktop.executors.convert.prepare import prepare
from ansflow_desktop.executors.convert.words import heredoc, word
from ansflow_desktop.i18n import translate
from ansflow_desktop.pipelines.codec import parse


def test_directory_exports_and_output_reach_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "charts" / "web").mkdir(parents=True)
    tried = run_bash(
        tmp_path,
        """spec:
  steps:
    - {name: enter, type: shell, command: "cd charts/web; export COLOUR='deep blue'"}
    - {name: ask, type: shell, command: "printf 'a b\\n\\n'; echo ignored >&2", output: answer}
    - name: tell
      type: shell
      env: {OLD_PLACE: "."}
      command: printf "%s|%s|%s\\n" "${PWD##*/}" "$COLOUR" "$answer" > "$OLD_PLACE/told"
    - {name: after, type: shell, command: 'echo "${OLD_PLACE-gone}" > after'}
""",
    )
    assert tried.code == 0, tried.output
    assert (tmp_path / "charts/web/told").read_text() == "web|deep blue|a b\n\n"
    assert (tmp_path / "charts/web/after").read_text() == "gone\n"


def test_a_failure_skips_the_rest_but_for_clean_up(tmp_path: Path) -> None:
    tried = run_bash(
        tmp_path,
        """spec:
  steps:
    - name: shaky
      type: shell
      command: echo x >> tries; exit 7
      retries: 2
      retry_delay: 1ms
      continue_on_error: true
    - {name: breaks, type: shell, command: "false; touch never"}
    - {name: skipped, type: shell, command: touch never}
    - {name: clean, type: shell, command: touch cleaned, always: true}
""",
    )
    assert tried.code == 1
    assert (tmp_path / "tries").read_text() == "x\n" * 3
    assert (tmp_path / "cleaned").exists()
    assert not (tmp_path / "never").exists()
    assert "skipped: a step before it failed" in tried.output


def test_all_output_reaches_a_file_that_it_is_redirected_to(tmp_path: Path) -> None:
    script, log = tmp_path / "x.sh", tmp_path / "log"
    steps = "[{name: a, type: shell, command: echo one, output: out}, {name: b, type: shell, command: echo two $out}]"
    script.write_text(script_of(tmp_path, f"spec: {{steps: {steps}}}\n"))
    with log.open("wb") as file:
        subprocess.run(["bash", str(script)], cwd=tmp_path, env=environment(tmp_path), stdout=file, check=True)
    lines = ["== a: started", "one", "== a: succeeded", "== b: started", "two one", "== b: succeeded"]
    assert [line for line in log.read_text().splitlines() if line in lines] == lines


def test_a_step_ends_at_its_timeout(tmp_path: Path) -> None:
    tried = run_bash(tmp_path, "spec: {steps: [{name: slow, type: shell, command: sleep 60, timeout: 1s}]}\n")
    assert tried.code == 1
    assert "failed with exit code 124" in tried.output


def test_conditions_and_disabled_steps(tmp_path: Path) -> None:
    tried = run_bash(
        tmp_path,
        """spec:
  variables: {env: test}
  steps:
    - {name: a, type: shell, command: touch a, when: '${env} == "prod"'}
    - {name: b, type: shell, command: touch b, when: '${env} == "prod" || !(${env} != "test")'}
    - {name: c, type: shell, command: touch c, enabled: false}
""",
        "other=1",
    )
    assert tried.code == 0, tried.output
    assert sorted(path.name for path in tmp_path.iterdir() if len(path.name) == 1) == ["b"]
    again = run_bash(tmp_path, "spec: {variables: {env: x}, steps: [{name: a, type: shell, command: 'touch z', "
                               "when: '${env} == \"prod\"'}]}\n", "env=prod")  # fmt: skip
    assert again.code == 0
    assert (tmp_path / "z").exists()


EVERY_KIND = """spec:
  variables: {ns: shop}
  steps:
    - name: helm
      <<: &where {type: k8s_deploy, k8s_cluster: dev, k8s_namespace: "${ns}"}
      k8s_config:
        deploy_type: helm
        chart_name: web
        values_files: [a.yaml, "${ns}.yaml"]
        custom_values: "a: $HOME `x` ${ns}\\n"
        atomic: true
    - name: yaml
      <<: *where
      k8s_config: {deploy_type: manifest, manifest: "kind: X\\nname: ${ns}\\n", timeout: 60s}
    - {name: scale, <<: *where, type: k8s_scale, k8s_resource_name: web, k8s_config: {replicas: 3}}
    - {name: wait, <<: *where, type: k8s_wait, k8s_resource_name: job/once, k8s_config: {condition: Complete}}
    - name: exec
      <<: *where
      type: k8s_exec
      k8s_config: {selector: app=web, command: "echo ${ns} 'it''s' $HOME", output: said}
    - name: logs
      <<: *where
      type: k8s_logs
      k8s_resource_name: deployment/web
      k8s_config: {tail_lines: 5, since: 1h, to_file: "${said}.log"}
    - {name: delete, <<: *where, type: k8s_delete, k8s_config: {selector: app=web, kinds: [pod], grace_period: 0}}
"""


def test_every_kind_of_kubernetes_step(tmp_path: Path) -> None:
    chart = tmp_path / "charts" / "web"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    tried = run_bash(tmp_path, EVERY_KIND)
    assert tried.code == 0, tried.output
    assert (tmp_path / "said by the pod.log").exists()
    deploy = next(argv for argv in tried.argv("helm") if argv[0] == "upgrade")
    assert deploy == [
        "upgrade", "--install", "web-release", "./charts/web", "--namespace", "shop", "--create-namespace", "--wait",
        "--timeout", "300s", "--rollback-on-failure", "--values=a.yaml", "--values=shop.yaml", "--values=-",
        "--kube-context", "dev",
    ]  # fmt: skip
    stdin = next(call["stdin"] for call in tried.calls if call["argv"][0] == "upgrade")
    assert stdin == "a: $HOME `x` shop\n"
    assert next(call["stdin"] for call in tried.calls if call["argv"][0] == "apply") == "kind: X\nname: shop\n"
    kubectl = tried.argv("kubectl")
    where = ["--namespace", "shop", "--context", "dev"]
    assert ["rollout", "status", "deployment.apps/web", *where, "--timeout=60s"] in kubectl
    assert ["wait", "--for=condition=Complete", "job.batch/once", *where, "--timeout=60s"] in kubectl
    assert ["scale", "deployment/web", "--replicas=3", *where] in kubectl
    assert ["exec", "pod/one", *where, "--", "sh", "-c", "echo 'shop' 'it''s' $HOME"] in kubectl
    assert ["logs", "deployment/web", "--all-pods=true", "--prefix", "--tail=5", "--since=1h", *where] in kubectl
    assert kubectl[-1] == [
        "delete", "pod", "--selector=app=web", "--cascade=background", "--wait=true", "--timeout=300s",
        "--grace-period=0", *where,
    ]  # fmt: skip


QUOTED_EXEC = """spec:
  variables: {v: x}
  steps:
    - name: exec
      type: k8s_exec
      k8s_cluster: dev
      k8s_namespace: n
      k8s_resource_name: pod/one
      k8s_config: {command: "printf %s '[${v}]' \\"[${v}]\\" ${v}"}
"""


@pytest.mark.parametrize("value", ["$(echo no)", "'; echo no; '", '"; echo no; "', "a  b\\"])
def test_a_value_inside_quotes_stays_a_value(tmp_path: Path, value: str) -> None:
    tried = run_bash(tmp_path, QUOTED_EXEC, f"v={value}")
    argv = next(argv for argv in tried.argv("kubectl") if argv[0] == "exec")
    said = subprocess.run(argv[-3:], capture_output=True, text=True, check=True).stdout
    assert said == f"[{value}][{value}]{value}"


def test_a_value_that_cannot_be_quoted_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be quoted") as caught:
        script_of(tmp_path, QUOTED_EXEC.replace("printf", "# ${v}; printf"))
    assert caught.value.field == "steps[0].k8s_config.command"


def test_a_number_that_only_the_run_knows_is_refused_by_name(tmp_path: Path) -> None:
    spec = """spec:
  steps:
    - {name: ask, type: shell, command: echo 3, output: count}
    - name: scale
      type: k8s_scale
      k8s_cluster: dev
      k8s_namespace: n
      k8s_resource_name: web
      k8s_config: {replicas: "${count}"}
"""
    with pytest.raises(UserError) as caught:
        script_of(tmp_path, spec)
    assert caught.value.field == "steps[1].k8s_config.replicas"
    assert "--replicas=4" in script_of(tmp_path, spec, {"count": "4"})


def test_left_out_steps_and_needed_contexts_are_told(tmp_path: Path) -> None:
    spec = """spec:
  steps:
    - name: a
      type: k8s_scale
      k8s_cluster: dev
      k8s_namespace: n
      k8s_resource_name: x
      k8s_config: {replicas: 1}
    - {name: b, type: shell, command: touch x, enabled: false}
"""
    prepared = prepare(parse(HEAD + spec, str(tmp_path)), {})
    assert [translate(one) for one in prepared.notices] == [
        "The engine needs a kubeconfig with these contexts: dev.",
        "The disabled step b is left out.",
    ]
    assert "touch" not in to_bash(prepared)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS)
def test_words_and_documents_are_what_was_written(text: str, value: str) -> None:
    text = text.replace("$", "$$").replace("\r", "")
    script = f"name=$1\nprintf '%s\\0' {word(text + '${name}')}\ncat{heredoc(text + '${name}')}\n"
    result = subprocess.run(["bash", "-c", script, "x", value], capture_output=True, check=True)
    first, _, document = result.stdout.partition(b"\0")
    plain = (text.replace("$$", "$") + value).encode()
    assert first == plain
    assert document.rstrip(b"\n") == plain.rstrip(b"\n")


def test_the_first_interrupt_ends_the_step(tmp_path: Path) -> None:
    script = tmp_path / "x.sh"
    script.write_text(script_of(tmp_path, "spec: {steps: [{name: s, type: shell, command: 'touch up; sleep 60'}]}\n"))
    argv, quiet = ["bash", str(script)], subprocess.DEVNULL
    with subprocess.Popen(argv, cwd=tmp_path, env=environment(tmp_path), stdout=quiet) as process:
        while not (tmp_path / "up").exists():
            assert process.poll() is None
        process.terminate()
        assert process.wait(20) == 130
