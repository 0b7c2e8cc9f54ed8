"""Every step type and option as read from a file: types of values, both deploy modes, misplaced and unknown fields."""

from __future__ import annotations

import msgspec
import pytest

from ansflow_desktop.models.pipeline import Delete, Exec, Logs, Scale, StepType, Wait
from ansflow_desktop.pipelines import fields
from ansflow_desktop.pipelines.codec import examine, parse
from ansflow_desktop.pipelines.document import PipelineError

HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec:\n  steps:\n"
K8S = "k8s_cluster: c, k8s_namespace: fe"


def step(text):
    return parse(f"{HEAD}    - {{name: a, {text}}}\n", "/").steps[0]


def refused(text):
    with pytest.raises(PipelineError) as caught:
        step(text)
    return {problem.field: problem for problem in caught.value.problems}


def config(kind, text, extra="k8s_resource_name: web"):
    return step(f"type: {kind}, {K8S}, {extra}, k8s_config: {{{text}}}").k8s_config


def typed(kind, text):
    return msgspec.convert(config(kind, text), fields.CONFIGS[kind])


def test_scale():
    assert typed("k8s_scale", "replicas: 3, wait: false, timeout: 1m") == Scale(replicas=3, wait=False, timeout="1m")


def test_delete():
    given = (
        "selector: app=x, kinds: [pod, secret], propagation: orphan, grace_period: 0, force: yes, ignore_not_found: on"
    )
    assert typed("k8s_delete", given) == Delete(
        selector="app=x",
        kinds=("pod", "secret"),
        propagation="orphan",
        grace_period=0,
        force=True,
        ignore_not_found=True,
    )


def test_wait():
    assert typed("k8s_wait", "jsonpath: '{.status.phase}=Running'") == Wait(jsonpath="{.status.phase}=Running")
    assert typed("k8s_wait", "rollout: true, timeout: 5m") == Wait(rollout=True, timeout="5m")


def test_exec_takes_a_list_or_a_text():
    assert typed("k8s_exec", "command: [ls, -l, 012, yes]") == Exec(command=("ls", "-l", "012", "yes"))
    assert typed("k8s_exec", "command: ls -l, container: app, output: OUT") == Exec(
        command="ls -l", container="app", output="OUT"
    )


def test_logs():
    given = "tail_lines: 100, since: 10m, previous: false, follow: true, until: 'a|b', to_file: a.log, output: LOG"
    assert typed("k8s_logs", given) == Logs(
        tail_lines=100, since="10m", follow=True, until="a|b", to_file="a.log", output="LOG"
    )


def test_the_options_of_a_step():
    read = step(
        "type: shell, command: x, when: '${env} == prod', retries: 3, retry_delay: 10s, always: true, enabled: false"
    )
    assert (read.when, read.retries, read.retry_delay, read.always, read.enabled) == (
        "${env} == prod",
        3,
        "10s",
        True,
        False,
    )


def test_a_condition_that_is_a_plain_word_stays_a_text():
    assert step("type: shell, command: x, when: false").when == "false"


def test_numbers_that_a_variable_decides():
    read = step(
        f"type: k8s_scale, {K8S}, k8s_resource_name: web, retries: '${{n}}', k8s_config: {{replicas: '${{r}}'}}"
    )
    assert read.deferred == {"retries": "${n}"}
    assert read.retries == 0
    assert read.k8s_config == {"replicas": "${r}"}


@pytest.mark.parametrize(
    "written", ["3.0", "'3'", "010", "0x10", "1_000", "true", "many", "[3]", "", "~", "1e3", "9" * 30]
)
def test_what_is_no_whole_number(written):
    found = refused(f"type: k8s_scale, {K8S}, k8s_resource_name: web, k8s_config: {{replicas: {written}}}")
    assert set(found) == {"steps[0].k8s_config.replicas"}
    found = refused(f"type: shell, command: x, retries: {written}")
    assert set(found) == {"steps[0].retries"}


@pytest.mark.parametrize("written", ["0", "-1", "42"])
def test_whole_numbers(written):
    assert config("k8s_scale", f"replicas: {written}") == {"replicas": int(written)}


def test_the_fields_of_both_modes_are_kept():
    read = step(
        f"type: k8s_deploy, {K8S}, k8s_config: {{deploy_type: helm, chart_name: x, manifest: 'a: 1', atomic: true}}"
    )
    assert read.k8s_config == {"deploy_type": "helm", "chart_name": "x", "manifest": "a: 1", "atomic": True}
    read = step(
        f"type: k8s_deploy, {K8S}, k8s_config: {{deploy_type: manifest, manifest: x, values_files: [a], atomic: true}}"
    )
    assert read.k8s_config["values_files"] == ["a"]


def test_a_field_of_the_other_mode_still_has_its_type():
    found = refused(f"type: k8s_deploy, {K8S}, k8s_config: {{deploy_type: manifest, manifest: x, atomic: maybe}}")
    assert set(found) == {"steps[0].k8s_config.atomic"}


def of(kind, given, extra=", k8s_resource_name: w"):
    return f"type: k8s_{kind}, {K8S}{extra}, k8s_config: {{{given}}}"


HELM = "deploy_type: helm, chart_name: a"
NOT_USED, LATER = "is not used by a step of type", "is not in this version yet"
REFUSED = [
    (of("scale", "replica: 3"), "k8s_config.replica", "Unknown field", "Did you mean replicas?"),
    (f"type: k8s_scale, {K8S}, replicas: 3", "replicas", NOT_USED, "It belongs below k8s_config."),
    (of("logs", "k8s_namespace: x"), "k8s_config.k8s_namespace", NOT_USED, "beside k8s_config"),
    (of("exec", "command: x, tail_lines: 3"), "k8s_config.tail_lines", NOT_USED, "Take it out"),
    ("type: shell, command: x, k8s_config: {}", "k8s_config", NOT_USED, "Take it out"),
    (of("deploy", HELM), "k8s_resource_name", NOT_USED, "Take it out"),
    (of("deploy", f"{HELM}, strategy: {{}}", ""), "k8s_config.strategy", LATER, "Take it out"),
    (of("scale", "replicas: 1, strategy: a"), "k8s_config.strategy", LATER, "Take it out"),
    ("type: k8s_scael", "type", "Unknown step type", "k8s_scale"),
    (of("exec", "command: x, output: a-b"), "k8s_config.output", "name of a variable", "letters"),
    (of("exec", "command: {a: b}"), "k8s_config.command", "must be a text", ""),
    (of("delete", "kinds: pod"), "k8s_config.kinds", "must be a list", "dash"),
]


@pytest.mark.parametrize(("text", "field", "title", "hint"), REFUSED)
def test_what_is_refused_says_where_it_belongs(text, field, title, hint):
    problem = refused(text)[f"steps[0].{field}"]
    assert title in str(problem.title) and hint in str(problem.hint)
    assert "line 6, column" in str(problem.message)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (f"type: k8s_scale, {K8S}, k8s_resource_name: w, k8s_config: {{wait: true}}", {"k8s_config.replicas"}),
        (f"type: k8s_scale, {K8S}, k8s_resource_name: w", {"k8s_config.replicas"}),
        (f"type: k8s_deploy, {K8S}", {"k8s_config.deploy_type"}),
        ("type: k8s_scale, k8s_config: {replicas: 0}", {"k8s_cluster", "k8s_namespace", "k8s_resource_name"}),
        (f"type: k8s_exec, {K8S}, k8s_config: {{command: []}}", {"k8s_config.command"}),
        (f"type: k8s_exec, {K8S}, k8s_config: {{command: ''}}", {"k8s_config.command"}),
        ("type: k8s_wait, k8s_cluster: c, k8s_config: {rollout: true}", {"k8s_namespace", "k8s_resource_name"}),
        ("type: k8s_logs", {"k8s_cluster", "k8s_namespace"}),
        ("type: k8s_delete, k8s_config: {selector: a}", {"k8s_cluster", "k8s_namespace"}),
    ],
)
def test_what_is_missing(text, missing):
    found = refused(text)
    assert set(found) == {f"steps[0].{name}" for name in missing}
    assert all("is missing" in str(problem.title) for problem in found.values())


def test_no_replicas_at_all_is_a_number():
    assert config("k8s_scale", "replicas: 0") == {"replicas": 0}


class TestExamine:
    """Reading as far as possible, for checks while a person types."""

    TEXT = (
        f"{HEAD}    - {{name: a, type: shell, command: x}}\n"
        "    - just a text\n"
        "    - {name: c, type: shell, command: y, tiemout: 3s}\n"
    )

    def test_the_others_keep_their_places(self):
        read = examine(self.TEXT, "/")
        assert [one.name for one in read.pipeline.steps] == ["a", "", "c"]
        assert read.unreadable == {1}
        assert [problem.field for problem in read.problems] == ["steps[1]", "steps[2].tiemout"]

    def test_what_is_no_pipeline_has_problems_only(self):
        read = examine("a: [", "/")
        assert read.pipeline is None and len(read.problems) == 1

    def test_a_sound_one_has_none(self):
        read = examine(f"{HEAD}    - {{name: a, type: shell, command: x}}\n", "/f")
        assert read.problems == () and read.unreadable == frozenset()
        assert (read.pipeline.folder, read.pipeline.steps[0].type) == ("/f", StepType.SHELL)


def test_a_config_that_is_no_mapping_is_one_problem():
    assert set(refused(f"type: k8s_exec, {K8S}, k8s_config: ")) == {"steps[0].k8s_config"}
