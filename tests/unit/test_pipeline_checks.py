"""Local checks: bounds, sets, names, what a kind can do, what is given and not used; the schema agrees with them."""

from __future__ import annotations

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.pipelines.codec import parse
from ansflow_desktop.pipelines.definitions import by_key, definitions, step_fields
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.schema import json_schema
from ansflow_desktop.pipelines.validate import check_text, step_problems, validate

HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec:\n  steps:\n"


OPTIONS = ("k8s_namespace", "when", "retries", "retry_delay")


def k8s(kind, resource="web", **config):
    """A step; keywords are fields of its k8s_config but for `OPTIONS`."""
    own = {name: config.pop(name) for name in OPTIONS if name in config}
    given = {"k8s_cluster": "c", "k8s_namespace": "fe", "k8s_resource_name": resource, **own}
    return PipelineStep(name="a", type=StepType(f"k8s_{kind}"), k8s_config=config, **given)


def deploy(mode, **config):
    return k8s("deploy", "", deploy_type=mode, **config)


def found(step, severity=Severity.ERROR, literal=False):
    problems = step_problems(step, "", literal=literal)
    return {problem.field: str(problem.title) for problem in problems if problem.severity is severity}


def hints(step):
    return {problem.field: str(problem.hint) for problem in step_problems(step, "", literal=False)}


SOUND = [
    k8s("scale", replicas=0),
    k8s("scale", "sts/web", replicas=100000),
    k8s("scale", "rollouts.argoproj.io/web", replicas=3),
    k8s("scale", "deployment/${name}", replicas="${n}"),
    k8s("delete", "pod/x"),
    k8s("delete", "", selector="app=web", kinds=["deployment", "certificates.cert-manager.io"]),
    k8s("delete", "", manifest="kind: Pod"),
    k8s("delete", force=True, grace_period=0),
    k8s("delete", propagation="${p}"),
    k8s("wait", condition="available"),
    k8s("wait", "node/n1", condition="Ready=True"),
    k8s("wait", "widget/x", condition="Anything"),
    k8s("wait", "ds/x", rollout=True),
    k8s("wait", "pod/x", jsonpath="{.status.phase}=Running"),
    k8s("wait", "service/x", created=True, rollout=False, deleted=False),
    k8s("wait", "${kind}/x", rollout=True),
    k8s("exec", command=["ls"]),
    k8s("exec", "", selector="app=web", command="ls ${dir} '$HOME'"),
    k8s("logs", "job/x", follow=True, until="a.*b", tail_lines=0),
    k8s("logs", "", selector="${label}"),
    deploy("helm", chart_name="x", values_files=["a"], custom_values="a: 1", set_values=["a=1"]),
    deploy("manifest", manifest_files=["a"], dry_run="${dry}"),
]


@pytest.mark.parametrize("step", SOUND, ids=range(len(SOUND)))
def test_sound_steps(step):
    assert list(step_problems(step, "", literal=False)) == []


ERRORS = [
    (k8s("scale", replicas=-1), "k8s_config.replicas", "at least 0"),
    (k8s("scale", replicas=100001), "k8s_config.replicas", "at most 100000"),
    (k8s("scale", replicas=True), "k8s_config.replicas", "whole number"),
    (k8s("scale", "pod/web", replicas=1), "k8s_resource_name", "no number of replicas"),
    (k8s("scale", "daemonsets/web", replicas=1), "k8s_resource_name", "daemonset"),
    (k8s("scale", "web/", replicas=1), "k8s_resource_name", "missing"),
    (k8s("scale", "Web", replicas=1), "k8s_resource_name", "small letters"),
    (k8s("delete", selector="app=x"), "k8s_config.selector", "Exactly one of k8s_resource_name, selector"),
    (k8s("delete", ""), "k8s_resource_name", "One of k8s_resource_name, selector, manifest"),
    (k8s("delete", propagation="forground"), "k8s_config.propagation", "forground"),
    (k8s("delete", grace_period=-1), "k8s_config.grace_period", "at least 0"),
    (k8s("delete", force=True, grace_period=5), "k8s_config.grace_period", "contradict"),
    (k8s("delete", "", selector="a in"), "k8s_config.selector", "no label"),
    (k8s("delete", "", selector="a", kinds=["pod", "-x"]), "k8s_config.kinds[1]", "no kind"),
    (k8s("wait"), "k8s_config.condition", "One of condition, rollout, jsonpath, created, deleted"),
    (k8s("wait", rollout=False), "k8s_config.condition", "One of"),
    (k8s("wait", rollout=True, condition="Ready"), "k8s_config.rollout", "Exactly one of condition, rollout"),
    (k8s("wait", "job/x", rollout=True), "k8s_resource_name", "no rollout"),
    (k8s("wait", jsonpath="{.status"), "k8s_config.jsonpath", "no path"),
    (k8s("wait", condition="a b"), "k8s_config.condition", "no condition"),
    (k8s("exec", "cm/x", command="ls"), "k8s_resource_name", "A configmap has no pods"),
    (k8s("exec", "", command="ls"), "k8s_resource_name", "One of k8s_resource_name, selector"),
    (k8s("exec", command=["", "x"]), "k8s_config.command[0]", "empty"),
    (k8s("exec", command="x" * 140_000), "k8s_config.command", "128 KiB"),
    (k8s("exec", command=["a", "x" * 140_000]), "k8s_config.command[1]", "128 KiB"),
    (k8s("logs", "secret/x"), "k8s_resource_name", "no pods"),
    (k8s("logs", until="("), "k8s_config.until", "regular expression"),
    (k8s("logs", since="10"), "k8s_config.since", "unit is missing"),
    (k8s("logs", previous=True, until="x"), "k8s_config.previous", "cannot be followed"),
    (k8s("logs", tail_lines=-5), "k8s_config.tail_lines", "at least 0"),
    (k8s("scale", replicas=1, when="a b"), "when", "not expected"),
    (k8s("scale", replicas=1, retries=101), "retries", "at most 100"),
    (k8s("scale", replicas=1, retry_delay="5", retries=1), "retry_delay", "unit is missing"),
    (k8s("scale", replicas=1, k8s_namespace="Fe"), "k8s_namespace", "small letters"),
    (k8s("scale", replicas=1, k8s_namespace="$namespace"), "k8s_namespace", "small letters"),
    (k8s("logs", "deployment/$app"), "k8s_resource_name", "small letters"),
    (k8s("logs", since="$$1"), "k8s_config.since", "do not understand"),
    (k8s("exec", command="id", container="-x"), "k8s_config.container", "small letters"),
    (k8s("logs", container="a b"), "k8s_config.container", "small letters"),
    (k8s("delete", "", selector="a", kinds=["$kind"]), "k8s_config.kinds[0]", "kind"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "field", "words"), ERRORS, ids=range(len(ERRORS)))
def test_errors_name_the_field(step, field, words):
    problems = found(step)
    assert set(problems) == {field}
    assert words in problems[field]


def test_a_variable_without_braces_is_explained():
    assert "in braces" in hints(k8s("scale", replicas=1, k8s_namespace="$namespace"))["k8s_namespace"]


WARNINGS = [
    (k8s("wait", condition="Avaliable"), "k8s_config.condition", "usually reports", "Available"),
    (k8s("wait", "pod/x", condition="Complete=True"), "k8s_config.condition", "usually reports", "Known: Ready"),
    (k8s("wait", "sts/x", condition="Ready"), "k8s_config.condition", "reports no conditions", "rollout"),
    (k8s("wait", "cm/x", condition="Ready"), "k8s_config.condition", "reports no conditions", "jsonpath"),
    (k8s("exec", command="cat <<X\n${x}\nX"), "k8s_config.command", "cannot be quoted", "argument"),
    (k8s("exec", command=["/bin/sh", "-ec", "echo ${x}"]), "k8s_config.command", "part of the script", "$1"),
    (k8s("logs", "deploymnt/x"), "k8s_resource_name", "no kind", "deployment"),
    (k8s("delete", "", selector="a", kinds=["servic"]), "k8s_config.kinds[0]", "no kind", "service"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "field", "words", "hint"), WARNINGS, ids=range(len(WARNINGS)))
def test_warnings(step, field, words, hint):
    assert found(step) == {}
    assert words in found(step, Severity.WARNING)[field]
    assert hint in hints(step)[field]


@pytest.mark.parametrize("command", ["echo '${x}'", 'echo "a ${x}"', ["sh", "-c", 'echo "$1"', "sh", "${x}"]])
def test_values_that_are_quoted_need_no_warning(command):
    assert found(k8s("exec", command=command), Severity.WARNING) == {}


INFOS = [
    (deploy("helm", chart_path="c", manifest="a: 1"), "k8s_config.manifest", "deploy_type is not manifest"),
    (deploy("manifest", manifest="x", atomic=True), "k8s_config.atomic", "deploy_type is not helm"),
    (deploy("helm", chart_path="c", chart_name="n"), "k8s_config.chart_name", "chart_path replaces it"),
    (deploy("helm", chart_path="c", chart_repo="n"), "k8s_config.chart_repo", "chart_path replaces it"),
    (k8s("delete", kinds=["pod"]), "k8s_config.kinds", "belongs to a selector"),
    (k8s("scale", replicas=1, retry_delay="5s"), "retry_delay", "no retries"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "field", "words"), INFOS, ids=range(len(INFOS)))
def test_what_is_not_used_is_only_told(step, field, words):
    assert found(step) == {} == found(step, Severity.WARNING)
    assert set(found(step, Severity.INFO)) == {field}
    assert words in found(step, Severity.INFO)[field]


def test_defaults_of_the_other_mode_are_not_worth_a_word():
    step = k8s(
        "deploy", "", deploy_type="manifest", manifest="x", atomic=False, upgrade=True, chart_name="", values_files=[]
    )
    assert list(step_problems(step, "", literal=False)) == []


def test_a_deadline_that_ends_the_wait_too_early():
    step = msgspec.structs.replace(k8s("scale", replicas=1, timeout="90s"), timeout="1m")
    assert found(step) == {}
    assert "before k8s_config.timeout" in found(step, Severity.WARNING)["timeout"]
    assert found(msgspec.structs.replace(step, timeout="2m"), Severity.WARNING) == {}


def test_what_is_wrong_in_the_other_mode_is_not_looked_at():
    step = deploy("manifest", manifest="x", release_name="-X")
    assert found(step) == {}


def test_literal_texts_are_checked_with_their_dollars():
    step = k8s("logs", "pod/${x}", since="${y}")
    assert found(step) == {}
    assert set(found(step, literal=True)) == {"k8s_resource_name", "k8s_config.since"}


def test_a_variable_that_may_be_empty_decides_later():
    step = k8s("delete", "${name}", selector="${labels}")
    assert found(step) == {}
    assert set(found(k8s("wait", rollout="${r}", condition="Ready"))) == set()
    assert set(found(k8s("delete", "pod/a", selector="x", manifest="${m}"))) == {"k8s_config.selector"}


def test_places_are_those_of_the_file():
    pipeline = Pipeline(name="p", steps=(k8s("scale", replicas=1), k8s("scale", replicas=-1)), folder="/")
    assert [problem.field for problem in validate(pipeline)] == ["steps[1].k8s_config.replicas"]
    assert validate(pipeline, chosen={0}) == ()


class TestText:
    def fields(self, text, **kwargs):
        return [problem.field for problem in check_text(text, "/", **kwargs)]

    def test_one_unreadable_step_does_not_hide_the_others(self):
        text = (
            f"{HEAD}    - {{name: a, type: k8s_scale}}\n    - 3\n"
            "    - {name: c, type: shell, command: x, timeout: 5, tiemout: 3}\n"
        )
        assert self.fields(text) == [
            "steps[0].k8s_cluster",
            "steps[0].k8s_namespace",
            "steps[0].k8s_resource_name",
            "steps[0].k8s_config.replicas",
            "steps[1]",
            "steps[2].tiemout",
            "steps[2].timeout",
        ]

    def test_a_field_is_named_once(self):
        assert self.fields(f"{HEAD}    - {{name: a, type: shell, command: x, retries: 3.5}}\n") == ["steps[0].retries"]

    def test_variables_behind_an_unreadable_step_may_be_defined_by_it(self):
        step = "{name: b, type: shell, command: x, env: {A: '${x}'}}"
        assert self.fields(f"{HEAD}    - {step}\n") == ["steps[0].env.A"]
        assert self.fields(f"{HEAD}    - 3\n    - {step}\n") == ["steps[0]"]
        assert self.fields(f"{HEAD}    - {step}\n", given=("x",)) == []

    def test_a_condition_that_is_none_is_said_once(self):
        (problem,) = check_text(f"{HEAD}    - {{name: a, type: shell, command: x, when: '${{'}}\n", "/")
        assert problem.field == "steps[0].when"

    def test_outputs_of_exec_and_logs_are_variables(self):
        def text(output):
            first = f"k8s_config: {{command: ls, output: {output}}}"
            second = "k8s_config: {output: LOG}"
            rest = "k8s_cluster: c, k8s_namespace: fe, k8s_resource_name:"
            return (
                f"{HEAD}    - {{name: a, type: k8s_exec, {rest} x, {first}}}\n"
                f"    - {{name: b, type: k8s_logs, {rest} '${{POD}}', {second}}}\n"
                f"    - {{name: c, type: k8s_logs, {rest} '${{LOG}}'}}\n"
            )

        assert self.fields(text("POD")) == []
        assert self.fields(text("OTHER")) == ["steps[1].k8s_resource_name"]

    @given(st.text(max_size=80))
    def test_any_text_is_answered(self, text):
        assert check_text(text, "/")

    @given(st.text(alphabet="{}[]:,-&*!|'\"#$ \nabk8s_1", max_size=80))
    @settings(max_examples=60)
    def test_any_step_is_answered(self, text):
        check_text(f"{HEAD}    - name: a\n      type: k8s_wait\n      k8s_config: {text}\n", "/")


SCALARS = st.sampled_from(
    ["x", "", "5m", "300", "${v}", "a b", "3", "deployment/x", "app=x", "Ready", True, False, 0, 3, -1, 2.5, None]
)


FITTING = {
    "k8s_namespace": st.sampled_from(["fe", "${v}"]),
    "k8s_resource_name": st.sampled_from(["web", "sts/web", "deployment/${v}"]),
    "condition": st.sampled_from(["Available", "${v}"]),
    "jsonpath": st.sampled_from(["{.a}=b", "{.a}"]),
    "selector": st.sampled_from(["app=x", "!${v}"]),
    "when": st.sampled_from(["${v} == x", "!${v}", True]),
    "grace_period": st.just(0),
}
BY_KIND = {
    "boolean": st.booleans() | st.just("${v}"),
    "integer": st.integers(0, 100) | st.just("${v}"),
    "list": st.lists(SCALARS, max_size=2),
    "files": st.lists(SCALARS, max_size=2),
    "kinds": st.lists(st.sampled_from(["pod", "deployment", "a.b"]), max_size=2),
    "mapping": st.dictionaries(st.sampled_from(["A", "b_1"]), SCALARS, max_size=2),
    "command": st.lists(st.sampled_from(["x", 3, True]), min_size=1, max_size=2) | st.just("ls"),
    "variable": st.sampled_from(["OUT", ""]),
    "duration": st.sampled_from(["5m", "300s", "${v}"]),
}


def value_of(parameter):
    """Values that fit a field, and now and then one that may not."""
    chosen = st.sampled_from([choice.value for choice in parameter.choices] or ["x", "web", "${v}"])
    fits = FITTING.get(parameter.key, BY_KIND.get(parameter.kind, chosen))
    return st.integers(0, 40).flatmap(lambda number: SCALARS if number == 1 else fits)


def one_of_each_set(draw, kind, step):
    """Leave one member of each set of which exactly one is given, and give it where it is missing."""
    members = {}
    for parameter in next(one for one in definitions().types if one.type == kind).parameters:
        if parameter.one_of:
            members.setdefault(parameter.one_of, []).append(parameter)
    for together in members.values():
        chosen = draw(st.sampled_from(together))
        for parameter in together:
            place = step if parameter.place == "step" else step["k8s_config"]
            if parameter is chosen and chosen.kind == "boolean":
                place[parameter.key] = True
            elif parameter is chosen:
                place.setdefault(parameter.key, draw(value_of(parameter)))
            elif parameter.when == chosen.when:
                place.pop(parameter.key, None)


def fields_of(parameters):
    needed = {name: value_of(one) for name, one in parameters.items() if one.required or name == "k8s_namespace"}
    others = {name: value_of(one) for name, one in parameters.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=others)


@st.composite
def documents(draw):
    """Pipelines of one step of any type, about half of them sound."""
    kind = draw(st.sampled_from([one.type for one in definitions().types]))
    step = draw(fields_of(by_key(kind, "step")))
    if "k8s_config" in step_fields(kind):
        step["k8s_config"] = draw(fields_of(by_key(kind, "config")))
        one_of_each_set(draw, kind, step)
    return {
        "apiVersion": "ansflow.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "p"},
        "spec": {"variables": {"v": "x"}, "steps": [{"type": kind, **step}]},
    }


@given(documents())
@settings(max_examples=200, deadline=None)
def test_the_schema_accepts_what_is_read_and_found_sound(document):
    text = yaml.safe_dump(document, sort_keys=False)
    try:
        pipeline = parse(text, "/")
    except PipelineError:
        return
    if not any(problem.severity is Severity.ERROR for problem in validate(pipeline)):
        assert list(VALIDATOR.iter_errors(document)) == []


VALIDATOR = Draft202012Validator(json_schema())


@pytest.mark.parametrize(
    "step",
    [
        {"type": "k8s_scale", "k8s_config": {"replicas": -1}},
        {"type": "k8s_scale", "k8s_config": {"replicas": "3"}},
        {"type": "k8s_scale", "k8s_config": {}},
        {"type": "k8s_delete", "k8s_config": {"propagation": "x"}},
        {"type": "k8s_delete", "k8s_config": {"kinds": "pod"}},
        {"type": "k8s_exec", "k8s_config": {"command": {"a": 1}}},
        {"type": "k8s_logs", "k8s_config": {"output": "a-b"}},
        {"type": "k8s_logs", "k8s_config": {"manifest": "x"}},
        {"type": "k8s_logs", "retries": 101},
        {"type": "k8s_logs", "timeout": 300},
    ],
)
def test_the_schema_refuses_what_reading_or_checking_refuses(step):
    whole = {"name": "a", "k8s_cluster": "c", "k8s_namespace": "fe", "k8s_resource_name": "w", **step}
    document = yaml.safe_load(HEAD.replace("steps:", "steps: []"))
    document["spec"]["steps"] = [whole]
    (error,) = VALIDATOR.iter_errors(document)
    assert check_text(yaml.safe_dump(document), "/")
    assert error.absolute_path[0] == "spec"
