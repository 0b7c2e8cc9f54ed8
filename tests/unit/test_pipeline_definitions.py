"""The definition file is the one source: it agrees with the typed forms, and both its languages are whole."""

from __future__ import annotations

import importlib.util
import json
import re
import textwrap
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
import yaml

from ansflow_desktop import paths
from ansflow_desktop.i18n import LANGUAGES
from ansflow_desktop.models.definition import StepDefinitions
from ansflow_desktop.models.pipeline import HelmDeploy, Logs, ManifestDeploy, PipelineStep, StepType
from ansflow_desktop.pipelines import fields
from ansflow_desktop.pipelines.codec import parse
from ansflow_desktop.pipelines.definitions import (
    FILE,
    applies,
    by_key,
    config_struct,
    definitions,
    mode_parameters,
    parameters,
    parameters_of,
    step_definition,
    step_fields,
    words,
)
from ansflow_desktop.pipelines.validate import validate

ROOT = Path(__file__).resolve().parents[2]
HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec:\n  steps:\n"
TYPES = [one.type for one in definitions().types]
EVERY = [(step.type, one) for step in definitions().types for one in step.parameters]
EVERY += [("common", one) for one in definitions().common]
STRUCT_EMPTY = ("", (), {}, None)


def named(value):
    return [f"{kind}.{one.place}.{one.key}" for kind, one in value]


def structs(step_type):
    """Every typed form that a step's k8s_config may take."""
    keys = fields.DEPLOY_TYPES if step_type == "k8s_deploy" else [step_type]
    return [fields.CONFIGS[key] for key in keys if key in fields.CONFIGS]


def test_the_types_are_those_of_the_model():
    assert sorted(TYPES) == sorted(StepType)


@pytest.mark.parametrize("step_type", TYPES)
def test_the_fields_of_k8s_config_are_those_of_its_typed_forms(step_type):
    config = {one.key for one in parameters(step_type) if one.place == "config"}
    assert config == {name for struct in structs(step_type) for name in struct.__struct_fields__}


@pytest.mark.parametrize("step_type", [one for one in TYPES if one != "shell"])
def test_defaults_are_those_of_the_typed_forms(step_type):
    for struct in structs(step_type):
        empty = struct()
        for name in struct.__struct_fields__:
            said, real = by_key(step_type, "config")[name].default, getattr(empty, name)
            assert said == real or (said is None and (real in STRUCT_EMPTY or name == "deploy_type")), name


def test_step_fields_and_their_defaults_are_those_of_the_model():
    everywhere = {one.key for kind in TYPES for one in parameters(kind) if one.place == "step"}
    assert everywhere | {"type", "k8s_config", "deferred"} == set(PipelineStep.__struct_fields__)
    step = PipelineStep(name="", type=StepType.SHELL)
    for one in (one for kind in TYPES for one in parameters(kind) if one.place == "step"):
        real = getattr(step, one.key)
        assert one.default == real or (one.default is None and real in STRUCT_EMPTY), one.key


KINDS_OF = {
    "bool": {"boolean"},
    "int": {"integer"},
    "tuple": {"list", "files", "kinds", "command"},
    "dict": {"mapping"},
}


def python_type(hint):
    """The name of the Python type of an annotation (as text) that has kinds of its own, str for the others."""
    return next((name for name in KINDS_OF if hint.startswith(name)), "str")


@pytest.mark.parametrize("step_type", TYPES)
def test_kinds_fit_the_types_of_the_typed_forms(step_type):
    for struct in structs(step_type):
        for name, hint in struct.__annotations__.items():
            kind = by_key(step_type, "config")[name].kind
            fitting = {python for python, kinds in KINDS_OF.items() if kind in kinds} or {"str"}
            assert python_type(hint) in fitting, name


@pytest.mark.parametrize(("kind", "one"), EVERY, ids=named(EVERY))
def test_every_parameter_is_whole_in_both_languages(kind, one):
    groups = {group.key for group in definitions().groups}
    assert one.group in groups
    for text in (one.label, one.help, *(choice.label for choice in one.choices)):
        assert set(text) == set(LANGUAGES) and all(text.values())
    assert one.help["en"].endswith(".") and one.help["zh_CN"].endswith("。")
    assert re.search(r"[\u4e00-\u9fff]", one.help["zh_CN"])
    assert "!" not in one.help["en"].replace("!=", "").replace("and ! and", "")


@pytest.mark.parametrize(("kind", "one"), EVERY, ids=named(EVERY))
def test_what_a_parameter_names_exists(kind, one):
    known = {other.key for other in parameters(kind)} | {"k8s_config.timeout"}
    assert set(one.wins_over) <= known
    for name, value in one.when.items():
        holder = by_key(kind, "config").get(name)
        assert holder is not None and value in {choice.value for choice in holder.choices}
    if one.one_of:
        assert sum(other.one_of == one.one_of for other in parameters(kind)) > 1
    if one.kind == "integer":
        assert one.minimum is not None and one.maximum is not None and one.minimum < one.maximum and one.unit
    assert (one.kind == "choice") <= bool(one.choices)


@pytest.mark.parametrize("step_type", TYPES)
def test_names_and_places_in_the_form_are_given_once(step_type):
    found = parameters(step_type)
    assert len({(one.place, one.key) for one in found}) == len(found)
    for config in ({"deploy_type": "helm"}, {"deploy_type": "manifest"}):
        shown = parameters_of(step_type, config)
        assert len({(one.group, one.order) for one in shown}) == len(shown)


@pytest.mark.parametrize("step_type", TYPES)
def test_the_example_is_a_sound_step_of_its_type(step_type):
    definition = step_definition(step_type)
    pipeline = parse(HEAD + textwrap.indent(definition.example, "    "), "/")
    assert [step.type for step in pipeline.steps] == [step_type]
    assert validate(pipeline) == ()


@pytest.mark.parametrize("step_type", TYPES)
def test_the_jenkins_example_is_a_closed_stage(step_type):
    text = step_definition(step_type).jenkins
    assert text.startswith("stage('") and text.count("{") == text.count("}") and text.count("(") == text.count(")")
    assert step_type == "shell" or "helm " in text or "kubectl " in text


def test_icons_are_in_the_icon_font():
    folder = Path(find_spec("qtawesome").origin).parent / "fonts"
    table = json.loads(sorted(folder.glob("materialdesignicons6-webfont-charmap-*.json"))[-1].read_text())
    assert {one.icon for one in definitions().types} <= set(table)


def test_the_file_has_nothing_that_is_not_read():
    raw = json.loads((paths.resources() / FILE).read_text())
    assert msgspec.convert(raw, StepDefinitions) == definitions()


def test_the_file_goes_into_the_wheel():
    text = (ROOT / "pyproject.toml").read_text()
    assert '"resources" = "ansflow_desktop/resources"' in text
    assert (paths.resources() / FILE).is_file()


class TestWhichApply:
    def keys(self, step_type, config):
        return {one.key for one in parameters_of(step_type, config)}

    def test_the_fields_of_a_mode(self):
        helm, manifest = (self.keys("k8s_deploy", {"deploy_type": name}) for name in fields.DEPLOY_TYPES)
        assert {"chart_name", "values_files", "atomic", "wait", "name"} <= helm
        assert not {"manifest", "kustomize", "rollback_on_failure"} & helm
        assert {"manifest", "rollback_on_failure", "wait"} <= manifest
        assert not {"chart_name", "atomic"} & manifest

    def test_with_no_mode_only_what_both_have(self):
        assert {"wait", "timeout", "deploy_type"} <= self.keys("k8s_deploy", {})
        assert not {"manifest", "chart_name"} & self.keys("k8s_deploy", {})

    def test_the_rest_is_of_the_other_mode(self):
        unused = {one.key for one in mode_parameters("k8s_deploy", {"deploy_type": "helm"})}
        assert unused == {"manifest", "manifest_files", "kustomize", "rollback_on_failure"}

    def test_what_a_variable_decides_applies(self):
        chart = by_key("k8s_deploy", "config")["chart_name"]
        assert applies(chart, {"deploy_type": "${mode}"})
        assert not applies(chart, {"deploy_type": "manifest"})

    def test_by_group_and_order(self):
        keys = [one.key for one in parameters_of("k8s_deploy", {"deploy_type": "helm"})]
        assert keys[:4] == ["name", "description", "k8s_cluster", "k8s_namespace"]
        assert keys.index("chart_name") < keys.index("values_files") < keys.index("enabled") < keys.index("env")

    def test_an_unknown_type_has_the_common_ones(self):
        assert step_definition("ansible") is None
        assert self.keys("ansible", {}) == {one.key for one in definitions().common}


def test_the_typed_form_of_a_step():
    assert config_struct("k8s_deploy", {"deploy_type": "helm"}) is HelmDeploy
    assert config_struct("k8s_deploy", {"deploy_type": "manifest"}) is ManifestDeploy
    assert config_struct("k8s_logs", {}) is Logs
    assert config_struct("k8s_deploy", {}) is config_struct("shell", {}) is config_struct("ansible", {}) is None


def test_only_k8s_steps_have_a_config():
    assert [kind for kind in TYPES if "k8s_config" not in step_fields(kind)] == ["shell"]


def test_words_fall_back_to_english():
    assert words({"en": "a", "zh_CN": "b"}, "zh_CN") == "b"
    assert words({"en": "a"}, "zh_CN") == words({"en": "a"}, "de") == "a"
    assert words({}, "en") == ""


class TestReference:
    @pytest.fixture
    def tool(self):
        spec = importlib.util.spec_from_file_location("reference_tool", ROOT / "packaging" / "reference.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_it_is_current(self, tool):
        assert tool.stale() == []
        assert tool.main(["check"]) == 0

    def test_a_changed_page_is_found(self, tool, tmp_path, monkeypatch, capsys):
        page = tmp_path / "reference.md"
        page.write_text(tool.FILES["en"].read_text().replace("default", "defaults", 1))
        monkeypatch.setitem(tool.FILES, "en", page)
        assert tool.main(["check"]) == 1
        assert str(page) in capsys.readouterr().out
        assert tool.main(["update"]) == 0
        assert tool.stale() == []

    @pytest.mark.parametrize("language", ["en", "zh_CN"])
    def test_it_holds_every_type_field_and_example(self, tool, language):
        text = tool.Page(language).text()
        for step in definitions().types:
            assert f"## {step.type}: " in text
            assert textwrap.indent(step.example.rstrip("\n"), "    ").split("\n")[-1] in text
            for one in step.parameters:
                assert f"| `{one.key}` | **{one.label[language]}**" in text

    def test_another_word_is_refused(self, tool, capsys):
        assert tool.main(["wrong"]) == 2
        assert "usage" in capsys.readouterr().err


def test_examples_are_plain_yaml_lists():
    for one in definitions().types:
        (loaded,) = yaml.safe_load(one.example)
        assert loaded["type"] == one.type
