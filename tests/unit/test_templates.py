"""Templates as documents: any value comes through as it was typed, what is no template is refused by name."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import translate
from ansflow_desktop.models.template import CATEGORIES, Template, TemplateParameter
from ansflow_desktop.pipelines import templates
from ansflow_desktop.pipelines.codec import parse
from ansflow_desktop.store.library import Library
from ansflow_desktop.store.templates import Templates

MANIFEST = """kind: ConfigMap
metadata: {name: "${value}"}
data:
  plain: ${value}
  list:
    - ${value}
  number: ${count}  # a comment
  other: ${later}
"""
TEMPLATE = Template(
    name="try",
    parameters=(TemplateParameter(name="value"), TemplateParameter(name="count", kind="integer", minimum=1)),
    steps=(
        {
            "name": "put ${value}",
            "type": "k8s_deploy",
            "env": {"A": "${value}"},
            "k8s_config": {"deploy_type": "manifest", "manifest": MANIFEST},
        },
        {"name": "scale", "type": "k8s_scale", "retries": "${count}", "k8s_config": {"replicas": "${count}"}},
    ),
)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="$"), min_size=1))
def test_any_value_comes_through_as_it_was_typed(value: str) -> None:
    if not value.strip() or len(value.splitlines()) != 1:
        return
    first, second = templates.apply(TEMPLATE, {"value": value, "count": "3"})
    document = yaml.safe_load(first["k8s_config"]["manifest"])
    if not value.isdecimal():
        assert document["data"]["plain"] == value
        assert document["data"]["list"] == [value]
    assert document["metadata"]["name"] == value
    assert first["env"]["A"] == value
    assert document["data"]["other"] == "${later}", "other variables stay for the pipeline"
    assert (second["retries"], second["k8s_config"]["replicas"]) == (3, 3)


def test_names_are_made_unique() -> None:
    made = templates.apply(TEMPLATE, {"value": "x", "count": "1"}, taken=["scale", "put x", "put x-2"])
    assert [step["name"] for step in made] == ["put x-3", "scale-2"]


@pytest.mark.parametrize(("field", "value"), [("count", "0"), ("count", "two"), ("value", ""), ("value", "a\nb")])
def test_a_value_that_cannot_be_used_names_its_parameter(field: str, value: str) -> None:
    with pytest.raises(UserError) as caught:
        templates.apply(TEMPLATE, {"value": "x", "count": "1", field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "kind: Template",
        "kind: [",
        "a: &a [*a]",
        "apiVersion: ansflow.dev/v1\nkind: Template\nmetadata: {name: x}\nspec: {steps: []}",
        "apiVersion: ansflow.dev/v1\nkind: Template\nmetadata: {name: x}\nspec: {steps: 3}",
        "apiVersion: ansflow.dev/v1\nkind: Template\nmetadata: {name: ''}\nspec: {steps: [{}]}",
        "apiVersion: ansflow.dev/v1\nkind: Template\nmetadata: {name: x, new: 1}\nspec: {steps: [{}]}",
        "apiVersion: ansflow.dev/v1\nkind: Template\nmetadata: {name: x}\nspec: {parameters: [{name: 1}], steps: [{}]}",
        "x" * 2_000_000,
    ],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(UserError) as caught:
        templates.parse_template(text, "mine.yaml")
    assert "mine.yaml" in translate(caught.value.message) + translate(caught.value.title)


def test_built_in_ones_are_whole() -> None:
    found = templates.builtin_templates()
    assert len(found) >= 8
    for one in found:
        assert isinstance(one.title, dict) and set(one.title) == {"en", "zh_CN"}
        assert isinstance(one.description, dict) and set(one.description) == {"en", "zh_CN"}
        assert one.category in CATEGORIES
        assert all(isinstance(each.label, dict) and len(each.label) == 2 for each in one.parameters)
        written = templates.parse_template(templates.template_text(one))
        assert (written.steps, written.parameters, written.title) == (one.steps, one.parameters, one.title)


def test_applied_ones_are_pipelines_that_can_be_read() -> None:
    for one in templates.builtin_templates():
        steps = templates.apply(one, {each.name: each.default or "given" for each in one.parameters})
        head = {"apiVersion": "ansflow.dev/v1", "kind": "Pipeline", "metadata": {"name": one.name}}
        parse(templates.as_yaml({**head, "spec": {"steps": list(steps)}}), "/")


def test_a_template_of_steps_lifts_what_was_named() -> None:
    step = {"name": "put", "type": "k8s_deploy", "k8s_namespace": "shop", "k8s_config": {"deploy_type": "helm"}}
    made = templates.from_steps("mine", [step], [TemplateParameter(name="where", default="shop")], category="other")
    assert made.steps[0]["k8s_namespace"] == "${where}"
    assert made.category == "custom", "a category that nobody knows"
    assert templates.apply(made, {"where": "blog"})[0]["k8s_namespace"] == "blog"


@pytest.mark.parametrize(("kind", "asked"), [("shell", True), ("k8s_exec", True), ("later", True), ("k8s_wait", False)])
def test_steps_that_run_programs_are_known(kind: str, asked: bool) -> None:
    assert templates.runs_programs(Template(name="x", steps=({"name": "a", "type": kind},))) is asked


def test_search_needs_every_word() -> None:
    found = templates.search(templates.builtin_templates(), "deployment ingress")
    assert [one.name for one in found] == ["ingress-site"]
    assert templates.search(found, "部署 nothing") == ()
    assert {one.name for one in templates.search(templates.builtin_templates(), "", "job")} == {"job", "cron-job"}


def test_the_programs_own_need_no_library() -> None:
    def unusable() -> Library:
        raise UserError("The library cannot be opened")

    store = Templates(unusable, NeverTrusted())
    found, errors = store.all()
    assert found == templates.builtin_templates()
    assert [str(error.title) for error in errors] == ["The library cannot be opened"]
    assert store.get("worker").origin == "builtin"
    with pytest.raises(UserError, match="cannot be opened"):
        store.get("mine")


class NeverTrusted:
    """Nothing was trusted yet."""

    def trusted(self, document: str) -> bool:
        return False

    def trust(self, document: str) -> None:
        raise AssertionError(document)
