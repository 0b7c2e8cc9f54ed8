"""What is offered while typing: by level, step type and mode, in block and flow style, in text that is no YAML yet."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop.i18n import set_language
from ansflow_desktop.pipelines.completion import MOST, complete
from ansflow_desktop.pipelines.definitions import by_key, definitions

TYPES = [one.type for one in definitions().types]
TEXT = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {name: x}
spec:
  variables:
    ns: fe
    # tag: commented out
    image: a
  steps:
    - name: build
      type: shell
      command: |
        make  # name: no
        type: nothing
      output: TAG
    - name: deploy
      type: k8s_deploy
      k8s_cluster: dev
      k8s_config:
        deploy_type: helm
        chart_name: x
        @
    - {name: last, type: k8s_wait, k8s_config: {condition: Ready}}
"""
STEPS = "spec:\n  steps:\n    - name: a\n"


def at(text):
    """Complete at the @ in `text`; the texts that come out where one is taken, by label."""
    offset = text.index("@")
    text = text.replace("@", "", 1)
    found = complete(text, offset)
    return {one.label: text[: one.replace_from] + one.insert for one in found}


def typed(word):
    return at(TEXT.replace("@", f"{word}@"))


def test_fields_of_the_mode_that_are_not_there_yet():
    found = typed("")
    assert {"chart_path", "values_files", "wait", "timeout"} <= set(found)
    assert not {"manifest", "chart_name", "deploy_type", "name", "retries"} & set(found)


def test_what_begins_with_the_word_comes_first():
    assert list(typed("val")) == ["values_files", "custom_values", "set_values", "reset_values"]
    assert typed("val")["values_files"].endswith("chart_name: x\n        values_files: ")


def test_fields_of_a_step_that_are_not_there_yet():
    found = at(TEXT.replace("        @\n", "").replace("k8s_cluster: dev", "k8s_cluster: dev\n      @"))
    assert {"k8s_namespace", "when", "retries", "always"} <= set(found)
    assert not {"name", "type", "k8s_config", "k8s_cluster", "command", "chart_path"} & set(found)


def test_the_other_mode():
    found = at(TEXT.replace("deploy_type: helm", "deploy_type: manifest"))
    assert {"manifest", "kustomize"} <= set(found) and "chart_path" not in found


def test_what_a_block_of_text_says_is_no_field():
    text = TEXT.replace(
        "deploy_type: helm", "custom_values: |\n          deploy_type: manifest\n        deploy_type: helm"
    )
    assert "chart_path" in at(text) and "kustomize" not in at(text)


@pytest.mark.parametrize("step_type", TYPES)
def test_every_field_of_every_type_is_offered(step_type):
    found = at(f"{STEPS}      type: {step_type}\n      @")
    assert set(by_key(step_type, "step")) - {"name"} <= set(found)
    config = at(f"{STEPS}      type: {step_type}\n      k8s_config:\n        @")
    applying = {one.key for one in by_key(step_type, "config").values() if not one.when}
    assert applying <= set(config)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("@", ["apiVersion", "kind", "metadata", "spec"]),
        ("api@", ["apiVersion"]),
        ("apiVersion: @", ["ansflow.dev/v1"]),
        ("kind: @", ["Pipeline"]),
        ("metadata:\n  @", ["name", "description"]),
        ("metadata:\n  name: x\n  @", ["description"]),
        ("metadata: {@", ["name", "description"]),
        ("spec:\n  @", ["variables", "steps"]),
        ("spec:\n  variables: {}\n  @", ["steps"]),
        (f"{STEPS}      type: @", TYPES),
        (f"{STEPS}      type: k8s_s@", ["k8s_scale"]),
        (f"{STEPS}      type: shell\n      enabled: @", ["true", "false"]),
        (f"{STEPS}      type: shell\n      enabled: t@", ["true"]),
        (f"{STEPS}      type: k8s_deploy\n      k8s_config:\n        deploy_type: @", ["helm", "manifest"]),
        (f"{STEPS}      type: k8s_deploy\n      k8s_config: {{deploy_type: @", ["helm", "manifest"]),
        (f"{STEPS}      type: k8s_delete\n      k8s_config: {{propagation: f@", ["foreground"]),
        (f"{STEPS}      type: k8s_delete\n      k8s_config: {{kinds: [pod, dep@", ["deployment"]),
        (f"{STEPS}      type: k8s_delete\n      k8s_config:\n        kinds:\n          - dep@", ["deployment"]),
        (
            f"{STEPS}      type: k8s_delete\n      k8s_config:\n        kinds:\n        - pod\n        - dep@",
            ["deployment"],
        ),
        (f"{STEPS}      type: k8s_wait\n      k8s_config:\n        condition: Av@", ["Available"]),
        (f"{STEPS}      type: k8s_scale\n      k8s_resource_name: deploy@", ["deployment/"]),
        ("spec:\n  steps:\n    - {name: x, type: k8s_scale, k8s_config: {re@", ["replicas"]),
        ("spec:\n  steps:\n  - name: x\n    type: k8s_scale\n    k8s_config:\n      re@", ["replicas"]),
        ("spec:\n  steps:\n    -\n      type: k8s_scale\n      k8s_config:\n        re@", ["replicas"]),
        ("spec:\n  steps:\n    - type: @\n      name: x\n", TYPES),
    ],
)
def test_by_place(text, labels):
    assert list(at(text)) == labels


@pytest.mark.parametrize(
    "text",
    [
        f"{STEPS}      type: shell\n      command: |\n        na@",
        f"{STEPS}      type: shell\n      command: |\n\n        if\n          na@",
        f"{STEPS}      # na@",
        f"{STEPS}      type: shell # na@",
        f"{STEPS}      env:\n        na@",
        "spec:\n  variables:\n    na@",
        "metadata:\n  name: @",
        f"{STEPS}      type: k8s_nothing\n      k8s_config:\n        re@",
    ],
)
def test_nothing_is_offered_where_text_is_free(text):
    assert at(text) == {}


def test_a_new_step_offers_type_and_name_first():
    text = TEXT.replace("        @\n", "").replace("    - {name: last", "    - @\n    - {name: last")
    assert list(at(text))[:2] == ["type", "name"]
    assert "chart_path" not in at(text) and "k8s_cluster" not in at(text)


class TestVariables:
    def test_of_the_file_outputs_above_and_built_in(self):
        assert list(typed("release_name: ${")) == ["ns", "image", "TAG", "run_id", "date", "git_commit", "git_branch"]

    def test_the_word_and_the_brace_are_completed(self):
        assert typed("release_name: a-${n")["ns"].endswith("release_name: a-${ns}")

    def test_a_brace_that_is_there_is_not_doubled(self):
        assert at(TEXT.replace("@", "release_name: ${n@}"))["ns"].endswith("release_name: ${ns")

    def test_outputs_below_are_not_there_yet(self):
        text = TEXT.replace("        @\n", "").replace("        make", "        make ${@}")
        assert "TAG" not in at(text) and "ns" in at(text)

    def test_a_doubled_dollar_begins_none(self):
        assert at(TEXT.replace("@", "release_name: $${@")) == {}
        assert at(TEXT.replace("@", "release_name: $$${@"))

    def test_in_flow_style(self):
        text = "spec:\n  variables: {a: 1, b: x}\n  steps:\n    - {name: ${@"
        assert list(at(text))[:2] == ["a", "b"]


def test_a_long_list_costs_little():
    text = (
        f"{STEPS}      type: k8s_delete\n      k8s_config:\n        kinds:\n"
        + "        - pod\n" * 5000
        + "        - dep@"
    )
    start = time.thread_time()
    assert list(at(text)) == ["deployment"]
    assert time.thread_time() - start < 1


def test_help_is_in_the_language_in_use():
    try:
        set_language("zh_CN")
        found = complete(f"{STEPS}      type: k8s_scale\n      k8s_config: {{replicas", len(STEPS) + 55)
        assert [one.help for one in found if one.label == "replicas"] == [
            by_key("k8s_scale", "config")["replicas"].help["zh_CN"]
        ]
    finally:
        set_language("en")


@given(st.text(alphabet="{}[]:,-#|>'\"$ \n\tnametypk8s_ciogd", max_size=120), st.integers(-70, 130))
def test_any_text_at_any_place_is_answered(text, offset):
    found = complete(f"{STEPS}{text}", len(STEPS) + offset)
    assert len(found) <= MOST
    assert all(0 <= one.replace_from <= len(STEPS) + len(text) for one in found)
