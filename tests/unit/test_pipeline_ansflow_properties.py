"""AnsFlow's JSON of any shape: it comes back whole, or is refused by name; an import runs nothing."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansflow_kit import CLUSTERS, from_api, imported, pipeline, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.pipelines import codec
from ansflow_desktop.pipelines.ansflow import export_pipeline, export_steps, import_document, texts
from ansflow_desktop.pipelines.ansflow.kept import difference, restore, same
from ansflow_desktop.pipelines.ansflow.writer import dump
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.variables import fill

QUICK = settings(
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


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

    @given(st.dictionaries(st.text(max_size=5), st.text() | st.lists(WORDS).map("".join) | JSON))
    @QUICK
    def test_what_is_written_as_yaml_is_read_the_same(self, value):
        assert same(safe_yaml.load(dump(value)), value)

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
