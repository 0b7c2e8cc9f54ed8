"""Pipeline files: what is read, and what is refused by name with its line and column (pipeline-file.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansflow_desktop import paths, safe_yaml
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.helm.chart_files import signature
from ansflow_desktop.models.pipeline import HelmDeploy, StepType
from ansflow_desktop.pipelines import document, fields
from ansflow_desktop.pipelines.codec import load_pipeline, parse
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.schema import json_schema
from ansflow_desktop.pipelines.validate import validate

HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: fe-app}\n"
STEPS = "steps: [{name: a, type: shell, command: x}]"
EXAMPLE = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {name: fe-app, description: the shop}
spec:
  variables: {namespace: fe}
  steps:
    - name: enter
      type: shell
      command: cd charts/fe-app
      output: OUT
      env: {A: 1}
      timeout: 5m
    - name: deploy
      type: k8s_deploy
      k8s_cluster: dev              # a name of the cluster list
      k8s_namespace: ${namespace}
      continue_on_error: yes
      k8s_config:
        deploy_type: helm
        chart_name: fe-app
        release_name: fe-app-release
        values_files: [a.yaml, 'b c.yaml']
        wait: false
    - name: objects
      type: k8s_deploy
      enabled: ${deploy_objects}
      k8s_cluster: dev
      k8s_namespace: fe
      k8s_config: {deploy_type: manifest, manifest_files: [x.yaml], dry_run: "${dry}"}
"""


def steps(text):
    return f"{HEAD}spec:\n  steps:\n{text}"


def shell(text):
    return steps(f"    - {{name: a, type: shell, command: 'true', {text}}}\n")


def helm(text, extra="k8s_namespace: fe,"):
    return steps(
        f"    - {{name: a, type: k8s_deploy, k8s_cluster: c, {extra} k8s_config: {{deploy_type: helm, {text}}}}}\n"
    )


def problems(text):
    with pytest.raises(PipelineError) as caught:
        parse(text, "/folder", "p.yaml")
    assert caught.value.code is ExitCode.INVALID
    return caught.value.problems


def only(text):
    (problem,) = problems(text)
    return problem


def test_the_example_is_read_as_it_was_written():
    pipeline = parse(EXAMPLE, "/folder")
    enter, deploy, objects = pipeline.steps
    assert (pipeline.name, pipeline.description, pipeline.folder) == ("fe-app", "the shop", "/folder")
    assert pipeline.variables == {"namespace": "fe"}
    assert (enter.type, enter.command, enter.output, enter.env) == (
        StepType.SHELL,
        "cd charts/fe-app",
        "OUT",
        {"A": "1"},
    )
    assert (deploy.k8s_cluster, deploy.k8s_namespace, deploy.continue_on_error) == ("dev", "${namespace}", True)
    assert deploy.k8s_config["values_files"] == ["a.yaml", "b c.yaml"]
    assert deploy.k8s_config["wait"] is False
    assert msgspec.convert(deploy.k8s_config, HelmDeploy).release_name == "fe-app-release"
    assert objects.deferred == {"enabled": "${deploy_objects}"}
    assert objects.k8s_config["dry_run"] == "${dry}"


def test_a_file_in_a_folder_with_spaces_and_chinese(tmp_path):
    path = tmp_path / "我的 流水线" / "p.yaml"
    path.parent.mkdir()
    path.write_text("\ufeff" + EXAMPLE, encoding="utf-8")
    assert load_pipeline(path).folder == str(path.parent)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("012", "012"),
        ("yes", "yes"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("~", ""),
        ("", ""),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_texts_keep_what_was_written(written, text):
    pipeline = parse(
        f"{HEAD}spec:\n  variables:\n    v: {written}\n  steps: [{{name: a, type: shell, command: x}}]\n", "/"
    )
    assert pipeline.variables == {"v": text}


def test_an_empty_release_name_is_kept_apart_from_one_left_out():
    assert parse(helm("chart_name: x, release_name: "), "/").steps[0].k8s_config["release_name"] == ""
    assert "release_name" not in parse(helm("chart_name: x"), "/").steps[0].k8s_config


REFUSED = {
    "unknown at the top": (
        f"{HEAD}stauts: 1\nspec: {{{STEPS}}}",
        "stauts",
        "Unknown field",
    ),
    "unknown in metadata": (
        f"apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {{nam: x}}\nspec: {{{STEPS}}}",
        "metadata.nam",
        "Unknown field",
    ),
    "unknown in spec": (
        f"{HEAD}spec: {{step: [], {STEPS}}}",
        "spec.step",
        "Unknown field",
    ),
    "unknown in a step": (shell("tiemout: 5s"), "steps[0].tiemout", "Unknown field"),
    "unknown in k8s_config": (helm("chart_name: x, timeot: 3s"), "steps[0].k8s_config.timeot", "Unknown field"),
    "of another step type": (shell("k8s_cluster: x"), "steps[0].k8s_cluster", "step of type shell"),
    "strategy": (helm("chart_name: x, strategy: {}"), "steps[0].k8s_config.strategy", "not in this version yet"),
    "unknown type": (steps("    - {name: a, type: k8s_deploi}\n"), "steps[0].type", "Unknown step type"),
    "no type": (steps("    - {name: a, command: x}\n"), "steps[0].type", "missing"),
    "type a list": (steps("    - {name: a, type: [shell]}\n"), "steps[0].type", "must be a text"),
    "no name": (steps("    - {type: shell, command: x}\n"), "steps[0].name", "missing"),
    "no command": (steps("    - {name: a, type: shell}\n"), "steps[0].command", "missing"),
    "no cluster": (
        steps("    - {name: a, type: k8s_deploy, k8s_namespace: fe, k8s_config: {deploy_type: helm, chart_name: x}}\n"),
        "steps[0].k8s_cluster",
        "missing",
    ),
    "no k8s_config": (
        steps("    - {name: a, type: k8s_deploy, k8s_cluster: c, k8s_namespace: fe}\n"),
        "steps[0].k8s_config.deploy_type",
        "missing",
    ),
    "no deploy_type": (
        steps("    - {name: a, type: k8s_deploy, k8s_cluster: c, k8s_namespace: fe, k8s_config: {chart_name: x}}\n"),
        "steps[0].k8s_config.deploy_type",
        "missing",
    ),
    "unknown deploy_type": (
        steps(
            "    - {name: a, type: k8s_deploy, k8s_cluster: c, k8s_namespace: fe, k8s_config: {deploy_type: hlem}}\n"
        ),
        "steps[0].k8s_config.deploy_type",
        "hlem",
    ),
    "a list for a text": (shell("working_directory: [x]"), "steps[0].working_directory", "must be a text"),
    "a text for true or false": (shell("enabled: maybe"), "steps[0].enabled", "true or false"),
    "a quoted true": (helm("chart_name: x, wait: 'true'"), "steps[0].k8s_config.wait", "true or false"),
    "a text for a list": (
        helm("chart_name: x, values_files: a.yaml"),
        "steps[0].k8s_config.values_files",
        "must be a list",
    ),
    "a list for a mapping": (shell("env: [A]"), "steps[0].env", "must be a mapping"),
    "a name that is no variable": (shell("env: {A-B: 1}"), "steps[0].env.A-B", "name of a variable"),
    "an output that is no variable": (shell("output: a.b"), "steps[0].output", "name of a variable"),
    "k8s_config a list": (
        steps("    - {name: a, type: k8s_deploy, k8s_cluster: c, k8s_namespace: fe, k8s_config: []}\n"),
        "steps[0].k8s_config",
        "must be a mapping",
    ),
    "a step that is a text": (steps("    - deploy\n"), "steps[0]", "must be a mapping"),
    "steps a mapping": (HEAD + "spec: {steps: {a: 1}}", "steps", "must be a list"),
    "no steps": (HEAD + "spec: {steps: []}", "steps", "at least one"),
    "spec left out": (HEAD, "spec", "missing"),
    "wrong apiVersion": (
        f"apiVersion: ansflow.dev/v9\nkind: Pipeline\nmetadata: {{}}\nspec: {{{STEPS}}}",
        "apiVersion",
        "ansflow.dev/v9",
    ),
    "no kind": (
        f"apiVersion: ansflow.dev/v1\nmetadata: {{}}\nspec: {{{STEPS}}}",
        "kind",
        "missing",
    ),
    "written twice": (shell("timeout: 5s, timeout: 6s"), "steps[0].timeout", "twice"),
    "a NUL": (shell('working_directory: "a\\0b"'), "steps[0].working_directory", "NUL"),
    "a mapping as a name": (shell("{a: b}: c"), "steps[0]", "A name is expected"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_place(case):
    text, field, words = REFUSED[case]
    found = {problem.field: problem for problem in problems(text)}
    assert field in found
    assert words in str(found[field].title)
    assert "p.yaml, line" in str(found[field].message)


def test_line_and_column_are_those_of_the_field():
    text = steps("    - name: a\n      type: shell\n      command: x\n      tiemout: 5s\n")
    problem = only(text)
    assert str(problem.message) == "p.yaml, line 9, column 7"
    assert str(problem.hint) == "Did you mean timeout?"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (steps("    - {name: a, type: k8s_deplyo}\n"), "Did you mean k8s_deploy?"),
        (steps("    - {name: a, type: terraform}\n"), "Known here: shell, k8s_deploy"),
        (helm("chart_nam: x"), "Did you mean chart_name?"),
    ],
)
def test_the_nearest_name_is_suggested(text, hint):
    assert str(problems(text)[0].hint).startswith(hint)


def test_two_steps_of_one_name_name_both():
    problem = only(steps("    - {name: a, type: shell, command: x}\n    - {name: a, type: shell, command: y}\n"))
    assert problem.field == "steps[1].name"
    assert "steps[0]" in str(problem.hint)


def test_every_problem_is_found_at_once_and_the_first_is_the_error():
    with pytest.raises(PipelineError) as caught:
        parse(steps("    - {name: a, type: shell, command: x, b: 1, c: 2}\n    - {name: d, type: x}\n"), "/")
    assert [problem.field for problem in caught.value.problems] == ["steps[0].b", "steps[0].c", "steps[1].type"]
    assert caught.value.field == "steps[0].b"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("---\n", "empty"),
        ("a: [", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a: \x07", "not valid YAML"),
        ("- a\n", "is a mapping"),
        ("text", "is a mapping"),
        ("a: *nowhere\n", "not valid YAML"),
    ],
)
def test_what_is_no_pipeline_at_all(text, words):
    assert words in str(only(text).title)


class TestHostileFiles:
    def test_aliases_that_blow_up(self):
        lines = ["a: &l0 {x: &v [y, y, y, y, y, y, y, y, y]}"]
        lines += [f"l{n}: &l{n} {{{', '.join(f'k{i}: *l{n - 1}' for i in range(9))}}}" for n in range(1, 9)]
        body = "\n    ".join(lines)
        text = f"{HEAD}spec:\n  variables:\n    {body}\n  steps: [{{name: a, type: shell, command: x}}]\n"
        assert problems(text)

    def test_merges_that_blow_up(self):
        lines = ["    - &m0 {name: a, type: shell, command: x}"]
        lines += [f"    - &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 40)}], name: n{n}}}" for n in range(1, 25)]
        assert parse(steps("\n".join(lines) + "\n"), "/").steps[-1].command == "x"

    def test_an_alias_to_itself(self):
        assert problems(f"{HEAD}spec: &a\n  steps: [{{name: a, type: shell, command: x}}]\n  <<: *a\n")
        assert problems(f"{HEAD}spec:\n  steps: &a [*a]\n")

    def test_too_many_aliases(self):
        many = ", ".join(["*a"] * (safe_yaml.MAX_ALIASES + 1))
        assert "aliases" in str(only(f"x: &a 1\ny: [{many}]\n").title)

    def test_too_large(self, tmp_path):
        assert "larger" in str(only("# " + "x" * document.MAX_BYTES).title)
        (tmp_path / "p.yaml").write_bytes(b"#" * (document.MAX_BYTES + 1))
        with pytest.raises(UserError, match="larger"):
            load_pipeline(tmp_path / "p.yaml")

    def test_too_deep(self):
        assert "deep" in str(only("a: " + "[" * 400_000).title)

    @given(st.text(max_size=200))
    def test_no_text_gives_anything_but_a_user_error(self, text):
        with pytest.raises(UserError):
            parse(text, "/")

    @given(st.text(alphabet="{}[]:,-&*!|>'\"#%@` \n<abAB01ns", max_size=120))
    def test_no_step_gives_anything_but_a_user_error(self, text):
        try:
            parse(steps(f"    - name: a\n      type: shell\n      command: {text}\n"), "/")
        except UserError as error:
            assert str(error)


def test_merge_keys_and_anchors():
    text = steps(
        "    - &base {name: a, type: shell, command: x, timeout: 5s}\n    - {<<: *base, name: b, command: y}\n"
    )
    first, second = parse(text, "/").steps
    assert (second.name, second.command, second.timeout) == ("b", "y", "5s")
    assert first.command == "x"


@pytest.mark.parametrize("kind", ["missing", "folder", "latin-1", "unreadable name"])
def test_files_that_cannot_be_read(kind, tmp_path):
    path = tmp_path / "p.yaml"
    if kind == "folder":
        path.mkdir()
    if kind == "latin-1":
        path.write_bytes("name: ü".encode("latin-1"))
    if kind == "unreadable name":
        path = tmp_path / ("x" * 300)
    with pytest.raises(UserError) as caught:
        load_pipeline(path)
    assert str(path) in str(caught.value)


class TestSchema:
    def validator(self):
        Draft202012Validator.check_schema(json_schema())
        return Draft202012Validator(json_schema())

    def test_the_file_in_resources_is_the_one_generated(self):
        stored = json.loads((paths.resources() / "schemas" / "pipeline.schema.json").read_text())
        assert stored == json_schema()

    def test_it_accepts_the_example_and_those_in_the_examples_folder(self):
        examples = [EXAMPLE, *(path.read_text() for path in (Path(__file__).parents[2] / "examples").glob("*.yaml"))]
        for text in examples:
            loaded = yaml.safe_load(text)
            if isinstance(loaded, dict) and loaded.get("kind") == fields.KIND:
                assert list(self.validator().iter_errors(loaded)) == []

    @pytest.mark.parametrize(
        "case", [name for name in REFUSED if name not in ("written twice", "a mapping as a name", "a NUL")]
    )
    def test_it_refuses_what_reading_refuses(self, case):
        assert list(self.validator().iter_errors(yaml.safe_load(REFUSED[case][0])))

    def test_a_mistake_is_told_once_for_the_step_that_was_meant(self):
        loaded = yaml.safe_load(REFUSED["unknown in k8s_config"][0])
        (error,) = self.validator().iter_errors(loaded)
        assert "timeot" in error.message


class TestValidate:
    def found(self, text, **options):
        return {problem.field: str(problem.title) for problem in validate(parse(text, "/"), **options)}

    def test_a_sound_file_has_no_problems(self):
        assert self.found(EXAMPLE, given={"deploy_objects", "dry"}) == {}

    @pytest.mark.parametrize("timeout", ["0", "abc", "-5s", "300", "0s"])
    def test_durations(self, timeout):
        assert set(self.found(shell(f"timeout: '{timeout}'"))) == {"steps[0].timeout"}
        assert set(self.found(helm(f"chart_name: x, timeout: '{timeout}'"))) == {"steps[0].k8s_config.timeout"}

    @pytest.mark.parametrize("name", ["", "-x", "Fe", "a_b", "x" * 54, "a;b"])
    def test_release_names(self, name):
        assert set(self.found(helm(f"chart_name: x, release_name: '{name}'"))) == {"steps[0].k8s_config.release_name"}

    @pytest.mark.parametrize("name", ["-x", "Fe", "a.b", "x" * 64])
    def test_namespaces(self, name):
        assert set(self.found(helm("chart_name: x", f"k8s_namespace: '{name}',"))) == {"steps[0].k8s_namespace"}

    def test_what_holds_a_variable_is_left_for_the_run(self):
        text = helm("chart_name: x, release_name: '${name}', timeout: '${t}'", "k8s_namespace: '${name}',")
        assert self.found(text, given={"name", "t"}) == {}

    def test_a_chart_is_needed(self):
        assert "chart_name, chart_path" in self.found(helm("wait: true"))["steps[0].k8s_config.chart_name"]

    @pytest.mark.parametrize(
        ("config", "field", "words"),
        [
            ("manifest: ''", "manifest", "One of manifest, manifest_files, kustomize"),
            ("manifest: x, kustomize: y", "kustomize", "Exactly one of manifest, kustomize"),
        ],
    )
    def test_exactly_one_manifest_is_needed(self, config, field, words):
        found = self.found(
            helm("chart_name: x").replace("deploy_type: helm, chart_name: x", f"deploy_type: manifest, {config}")
        )
        assert words in found[f"steps[0].k8s_config.{field}"]

    def test_a_command_that_no_program_can_be_given(self):
        text = steps(f"    - {{name: a, type: shell, command: '{'x' * 131072}'}}\n")
        assert "128 KiB" in self.found(text)["steps[0].command"]

    def test_only_the_chosen_steps(self):
        text = steps(
            "    - {name: a, type: shell, command: x, timeout: abc}\n    - {name: b, type: shell, command: y}\n"
        )
        assert self.found(text, chosen={1}) == {}


class TestNamedPipes:
    """A named pipe that nobody writes to must not hold up the program for ever (each of these would hang)."""

    @pytest.fixture
    def pipe(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.yaml")
        return tmp_path / "pipe.yaml"

    def test_a_pipeline_in_one_is_empty(self, pipe):
        with pytest.raises(PipelineError, match="empty"):
            load_pipeline(pipe)

    def test_values_in_one_are_empty(self, pipe):
        assert safe_yaml.read_text(str(pipe), "values_files[0]") == ""

    def test_one_that_is_written_is_read_to_its_end(self):
        reading, writing = os.pipe()
        os.write(writing, (HEAD + "spec: {" + STEPS + "}\n").encode())
        os.close(writing)
        try:
            assert load_pipeline(f"/dev/fd/{reading}").name == "fe-app"
        finally:
            os.close(reading)

    def test_one_in_a_chart_is_passed_over(self, pipe):
        (pipe.parent / "Chart.yaml").write_text("name: x")
        assert [name for name, _, _ in signature(str(pipe.parent))] == ["Chart.yaml"]
