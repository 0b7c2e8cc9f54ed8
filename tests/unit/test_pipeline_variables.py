"""Variables: replaced everywhere but in a shell command, undefined ones found before anything runs."""

from __future__ import annotations

import re
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.pipelines.builtin import builtin_variables
from ansflow_desktop.pipelines.validate import validate
from ansflow_desktop.pipelines.variables import fill, names_in, resolve, substitute, undefined

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def deploy(**fields):
    config = {"deploy_type": "helm", "chart_name": "x", **fields.pop("config", {})}
    return PipelineStep(**{"name": "d", "type": StepType.K8S_DEPLOY, "k8s_config": config, **fields})


def shell(**fields):
    return PipelineStep(**{"name": "s", "type": StepType.SHELL, "command": "true", **fields})


def k8s(kind, **config):
    return PipelineStep(name="k", type=StepType(f"k8s_{kind}"), k8s_resource_name="pod/x", k8s_config=config)


def pipeline(*steps, **variables):
    return Pipeline(name="p", steps=steps, variables=variables, folder="/")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${a}", "1"),
        ("x${a}y${b}", "x1yzwei"),
        ("$$", "$"),
        ("$${a}", "${a}"),
        ("$$$$", "$$"),
        ("$a $HOME $1 $", "$a $HOME $1 $"),
        ("price: 5$", "price: 5$"),
        ("${b}${b}", "zweizwei"),
        ("", ""),
    ],
)
def test_fill(text, result):
    assert fill(text, {"a": "1", "b": "zwei"}) == result


@given(st.dictionaries(NAMES, st.text(max_size=20), min_size=1, max_size=5), st.text(max_size=30))
def test_values_are_never_read_again(variables, between):
    plain = between.replace("$", "$$")
    text = plain.join("${" + name + "}" for name in variables)
    assert fill(text, variables) == between.join(variables.values())


@given(st.text(max_size=60))
def test_a_doubled_dollar_is_always_the_text_itself(text):
    assert fill(text.replace("$", "$$"), {}) == text
    assert names_in(text.replace("$", "$$")) == []


@given(st.text(alphabet="${}ab_1 -", max_size=20))
def test_any_text_is_filled_or_refused(text):
    try:
        result = fill(text, {"a": "A", "b": "B"})
    except UserError:
        return
    assert len(re.findall(r"\$\{", result)) <= text.count("$")


@pytest.mark.parametrize("text", ["${", "${}", "${a-b}", "${1}", "${a", "${a:-x}", "${ä}", "x ${ a }"])
def test_what_is_no_variable_says_how_to_write_a_dollar(text):
    with pytest.raises(UserError) as caught:
        fill(text, {"a": "1"})
    assert "$$" in str(caught.value.hint)


def test_an_undefined_one_suggests_the_nearest():
    with pytest.raises(UserError) as caught:
        fill("${namespce}", {"namespace": "fe"})
    assert "namespce" in str(caught.value.title)
    assert str(caught.value.hint) == "Did you mean namespace?"


HOSTILE = [
    "$(echo no)",
    "`echo no`",
    "'; echo no; '",
    '"; echo no; "',
    "\\'; echo no #",
    "two  words",
    "*",
    "",
    "-x",
    "a\nb",
]
QUOTING = [
    "printf %s ${v}",
    'printf %s "[${v}]"',
    "printf %s '[${v}]'",
    'printf %s "$(printf %s "${v}")"',
    'printf %s "$(printf %s ${v})"; : "$${HOME}${v}" # it is',
    'if [ -n "x" ]; then (printf %s "${v}"); fi',
    'printf %s it\\\'s >&2; printf %s "${v}"',
    'printf %s "\\"(\'" >&2; printf %s "${v}"',
]
UNQUOTABLE = [
    "cat <<X\n${v}\nX",
    "echo `echo ${v}`",
    "echo 1 # ${v}",
    'echo "$(case a in a) echo;; esac; echo ${v})"',
    "echo \\${v}",
    "echo $$${v}",
    'echo "$${X:-${v}}"',
    "echo $$'a\\'${v}'",
]


class TestSubstitute:
    def test_every_text_of_a_step(self):
        step = deploy(
            k8s_cluster="${c}",
            k8s_namespace="n-${c}",
            timeout="${t}",
            working_directory="${c}/x",
            env={"A": "${c}"},
            config={"values_files": ["${c}.yaml"], "custom_values": "a: ${c}\nb: $$x", "release_name": "${c}"},
        )
        done = substitute(step, {"c": "dev", "t": "5s"})
        assert (done.k8s_cluster, done.k8s_namespace, done.timeout, done.working_directory) == (
            "dev",
            "n-dev",
            "5s",
            "dev/x",
        )
        assert done.env == {"A": "dev"}
        assert done.k8s_config["values_files"] == ["dev.yaml"]
        assert done.k8s_config["custom_values"] == "a: dev\nb: $x"
        assert done.k8s_config["release_name"] == "dev"

    def test_a_shell_command_is_bashs_own(self):
        step = shell(command="echo ${a} $$ ${b:-c}", env={"A": "${a}"})
        done = substitute(step, {"a": "1"})
        assert done.command == "echo ${a} $$ ${b:-c}"
        assert done.env == {"A": "1"}

    def test_name_and_output_stay(self):
        done = substitute(shell(name="x ${a}", output="OUT"), {"a": "1"})
        assert (done.name, done.output) == ("x ${a}", "OUT")

    @pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
    def test_true_and_false_become_that_where_the_field_takes_them(self, text, value):
        step = deploy(config={"wait": "${v}", "release_name": "${v}", "dry_run": True})
        config = substitute(step, {"v": text}).k8s_config
        assert config["wait"] is value
        assert config["release_name"] == text
        assert config["dry_run"] is True

    def test_enabled_is_decided_by_a_variable(self):
        step = shell(deferred={"enabled": "${on}"})
        assert substitute(step, {"on": "false"}).enabled is False
        assert substitute(step, {"on": "true"}).enabled is True
        assert substitute(step, {"on": "true"}).deferred == {}

    @pytest.mark.parametrize(
        ("step", "field"),
        [
            (deploy(config={"wait": "${v}"}), "k8s_config.wait"),
            (shell(deferred={"enabled": "${v}"}), "enabled"),
        ],
    )
    def test_neither_true_nor_false_names_the_field(self, step, field):
        with pytest.raises(UserError) as caught:
            substitute(step, {"v": "maybe"})
        assert caught.value.field == field
        assert "maybe" in str(caught.value.message)

    @pytest.mark.parametrize(("text", "value"), [("0", 0), ("3", 3), ("100000", 100000)])
    def test_numbers_become_that_where_the_field_takes_them(self, text, value):
        step = k8s("scale", replicas="${n}", timeout="${n}s")
        assert substitute(step, {"n": text}).k8s_config == {"replicas": value, "timeout": f"{text}s"}
        retried = shell(deferred={"retries": "${n}"})
        if value <= 100:
            assert substitute(retried, {"n": text}).retries == value

    @pytest.mark.parametrize("text", ["", "three", "3.0", "010", "1e3", " 3", "3\n", "-1", "100001"])
    def test_what_is_no_number_or_out_of_bounds_names_the_field(self, text):
        with pytest.raises(UserError) as caught:
            substitute(k8s("scale", replicas="${n}"), {"n": text})
        assert caught.value.field == "k8s_config.replicas"
        with pytest.raises(UserError) as caught:
            substitute(shell(deferred={"retries": "${n}"}), {"n": text})
        assert caught.value.field == "retries"

    def test_fields_of_the_other_mode_stay_as_they_are(self):
        step = deploy(config={"manifest": "a: ${nowhere}", "rollback_on_failure": "${nowhere}"})
        assert substitute(step, {}).k8s_config == step.k8s_config
        assert undefined(pipeline(step), ()) == []

    def test_a_condition_stays_for_the_one_who_asks_it(self):
        assert substitute(shell(when="${a} == 'x'"), {"a": "' || yes"}).when == "${a} == 'x'"

    def test_names_of_outputs_stay(self):
        assert substitute(k8s("logs", output="${a}"), {"a": "b"}).k8s_config == {"output": "${a}"}

    def test_a_command_as_a_list_is_given_as_it_is(self):
        step = k8s("exec", command=["echo", "${a}", "$$x"])
        assert substitute(step, {"a": "b c; d"}).k8s_config["command"] == ["echo", "b c; d", "$x"]

    def test_values_in_a_command_as_text_are_quoted(self):
        step = k8s("exec", command="echo ${a} > ${b}.log; echo $$HOME $PATH")
        done = substitute(step, {"a": "x; rm -rf /", "b": "plain"}).k8s_config["command"]
        assert done == "echo 'x; rm -rf /' > plain.log; echo $HOME $PATH"

    @given(st.text(alphabet=st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=30))
    @settings(max_examples=30, deadline=None)
    def test_a_shell_gives_the_value_back_as_it_was(self, value):
        step = k8s("exec", command="printf %s ${v}")
        command = substitute(step, {"v": value}).k8s_config["command"]
        ran = subprocess.run(["sh", "-c", command], check=True, capture_output=True, env={"LC_ALL": "C.UTF-8"})
        assert ran.stdout.decode() == value

    @pytest.mark.parametrize("script", QUOTING)
    @pytest.mark.parametrize("value", HOSTILE)
    def test_a_value_is_never_run_wherever_it_stands(self, script, value):
        command = substitute(k8s("exec", command=script), {"v": value}).k8s_config["command"]
        ran = subprocess.run(["sh", "-c", command], check=True, capture_output=True, env={"LC_ALL": "C.UTF-8"})
        assert ran.stdout.decode().strip("[]") == value

    @pytest.mark.parametrize("script", UNQUOTABLE)
    def test_where_no_value_can_be_quoted_only_a_harmless_one_is_put_in(self, script):
        step = k8s("exec", command=script)
        assert "plain-1.2" in substitute(step, {"v": "plain-1.2"}).k8s_config["command"]
        assert substitute(step, {"v": ""}).k8s_config["command"] == script.replace("${v}", "").replace("$$", "$")
        with pytest.raises(UserError, match="cannot be quoted") as caught:
            substitute(step, {"v": "a b"})
        assert caught.value.field == "k8s_config.command"

    def test_bytes_that_are_no_text_reach_a_shell_step_only(self):
        assert substitute(shell(env={"A": "${v}"}), {"v": "\udcff"}).env == {"A": "\udcff"}
        with pytest.raises(UserError, match="UTF-8") as caught:
            substitute(deploy(config={"values_files": ["a", "${v}"]}), {"v": "\udcff"})
        assert caught.value.field == "k8s_config.values_files[1]"

    def test_an_undefined_variable_names_the_field(self):
        with pytest.raises(UserError) as caught:
            substitute(deploy(config={"values_files": ["a", "${x}"]}), {})
        assert caught.value.field == "k8s_config.values_files[1]"


class TestUndefined:
    def fields(self, *args, **kwargs):
        return [problem.field for problem in undefined(*args, **kwargs)]

    def test_what_nothing_can_define(self):
        assert self.fields(pipeline(deploy(k8s_namespace="${ns}")), ()) == ["steps[0].k8s_namespace"]

    def test_defined_in_the_file_or_outside_or_built_in(self):
        step = deploy(k8s_namespace="${ns}", k8s_cluster="${c}", description="x", config={"release_name": "${run_id}"})
        assert self.fields(pipeline(step, ns="fe"), ("c",)) == []

    def test_behind_a_shell_step_any_name_may_be_defined(self):
        assert self.fields(pipeline(shell(), deploy(k8s_namespace="${ns}")), ()) == []

    def test_but_what_is_no_variable_is_found_there_too(self):
        assert self.fields(pipeline(shell(), deploy(k8s_namespace="${n s}")), ()) == ["steps[1].k8s_namespace"]

    def test_a_disabled_shell_step_defines_nothing(self):
        assert self.fields(pipeline(shell(enabled=False), deploy(k8s_namespace="${ns}")), ()) == [
            "steps[1].k8s_namespace"
        ]

    def test_nor_does_one_that_is_not_chosen(self):
        both = pipeline(shell(), deploy(k8s_namespace="${ns}"))
        assert self.fields(both, (), chosen={1}) == ["steps[1].k8s_namespace"]

    def test_a_disabled_step_is_not_looked_at(self):
        assert self.fields(pipeline(deploy(k8s_namespace="${ns}", enabled=False)), ()) == []

    def test_a_shell_command_is_not_looked_at_but_its_environment_is(self):
        assert self.fields(pipeline(shell(command="${x}", env={"A": "${y}"})), ()) == ["steps[0].env.A"]

    def test_variables_may_use_those_above(self):
        assert self.fields(pipeline(shell(), a="1", b="${a}"), ()) == []
        assert self.fields(pipeline(shell(), b="${a}", a="1"), ()) == ["spec.variables.b"]

    @pytest.mark.parametrize("kind", ["exec", "logs"])
    def test_outputs_of_exec_and_logs(self, kind):
        both = (k8s(kind, output="OUT", command="x"), deploy(k8s_namespace="${OUT}"))
        assert self.fields(pipeline(*both), ()) == []
        assert self.fields(pipeline(*both[::-1]), ()) == ["steps[0].k8s_namespace"]

    def test_they_define_nothing_else(self):
        both = (k8s("exec", output="OUT", command="x"), deploy(k8s_namespace="${OTHER}"))
        assert self.fields(pipeline(*both), ()) == ["steps[1].k8s_namespace"]

    def test_a_condition(self):
        assert self.fields(pipeline(shell(when="${x} == 1")), ()) == ["steps[0].when"]
        assert self.fields(pipeline(shell(when="${x} == 1"), x="2"), ()) == []

    def test_a_deferred_number(self):
        assert self.fields(pipeline(shell(deferred={"retries": "${x}"})), ()) == ["steps[0].retries"]

    def test_a_deferred_field(self):
        assert self.fields(pipeline(shell(deferred={"enabled": "${x}"})), ()) == ["steps[0].enabled"]


def test_resolve_takes_outside_over_inside_and_above_over_below():
    values = resolve(pipeline(shell(), a="1", b="${a}-${run_id}"), {"run_id": "R", "a": "9"})
    assert values == {"run_id": "R", "a": "9", "b": "9-R"}
    with pytest.raises(UserError) as caught:
        resolve(pipeline(shell(), a="${git_commit}"), {})
    assert caught.value.field == "spec.variables.a"


def test_a_form_is_taken_literally():
    request = DeployRequest(
        chart_path="/c", cluster="dev", namespace="fe", release_name="x", custom_values="password: pa$$w${ord}"
    )
    assert validate(request.pipeline()) == ()


class TestBuiltin:
    def test_run_id_and_date(self):
        values = builtin_variables(pipeline(shell()), "R")
        assert values == {"run_id": "R", "date": time.strftime("%Y-%m-%d", time.gmtime())}

    def test_git_of_the_folder(self, tmp_path):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.test", "-C", str(tmp_path)]
        subprocess.run([*git, "init", "-q", "-b", "topic"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        asked = Pipeline(name="p", steps=(shell(command="echo $git_commit $git_branch"),), folder=str(tmp_path))
        values = builtin_variables(asked, "R")
        assert re.fullmatch("[0-9a-f]{40}", values["git_commit"])
        assert values["git_branch"] == "topic"

    def test_outside_a_repository_they_are_undefined(self, tmp_path):
        asked = Pipeline(name="p", steps=(deploy(k8s_namespace="${git_branch}"),), folder=str(tmp_path))
        assert "git_branch" not in builtin_variables(asked, "R")

    def test_git_is_not_asked_without_need(self, monkeypatch):
        monkeypatch.setattr("ansflow_desktop.pipelines.builtin._git", lambda *_: pytest.fail("asked"))
        builtin_variables(pipeline(shell()), "R")
