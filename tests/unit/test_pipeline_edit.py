"""Edits of a pipeline's text: what is written where, what is refused, and why."""

from __future__ import annotations

import textwrap
import time
from typing import Any

import pytest
import yaml

from ansflow_desktop.pipelines import codec, edit, lossless
from ansflow_desktop.pipelines.edit import EditRefused

STEPS = ("spec", "steps")


def pipeline(steps: str) -> str:
    head = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata:\n  name: p\nspec:\n  steps:\n"
    return head + textwrap.indent(textwrap.dedent(steps).strip("\n"), "    ") + "\n"


def steps_of(text: str) -> str:
    return textwrap.dedent(text.partition("  steps:\n")[2])


def step(text: str, index: int = 0) -> Any:
    return yaml.safe_load(text)["spec"]["steps"][index]


THREE = pipeline("""
    # about a
    - name: a # the first
      type: shell
      # more of a

    # about b
    - name: b
      type: shell

    - name: c
      type: shell
""")


def test_a_new_pipeline_grows_step_by_step_and_is_one_that_runs() -> None:
    text = edit.new_pipeline("yes")
    text = edit.insert_step(text, 0, {"name": "a", "type": "shell", "command": "echo 1\necho 2"})
    text = edit.set_field(text, ("spec", "variables", "tag"), "1.10")
    text = edit.set_field(text, (*STEPS, 0, "env", "A"), "no")
    assert text == textwrap.dedent("""\
        apiVersion: ansflow.dev/v1
        kind: Pipeline
        metadata:
          name: "yes"
        spec:
          variables:
            tag: "1.10"
          steps:
            - name: a
              type: shell
              command: |-
                echo 1
                echo 2
              env:
                A: "no"
        """)
    read = codec.parse(text, "/")
    assert (read.name, read.variables, read.steps[0].env) == ("yes", {"tag": "1.10"}, {"A": "no"})


def test_a_step_moves_with_the_comments_that_belong_to_it() -> None:
    moved = edit.move_step(THREE, 0, 1)
    assert steps_of(moved) == textwrap.dedent("""\
        # about b
        - name: b
          type: shell

        # about a
        - name: a # the first
          type: shell
          # more of a

        - name: c
          type: shell
        """)


def test_comments_in_another_column_or_behind_an_empty_line_stay_where_they_are() -> None:
    text = pipeline("- name: a\n\n# section\n\n- name: b").replace("    - name: b", "#  - name: off\n    - name: b")
    moved = edit.move_step(text, 1, 0)
    assert moved == text.replace("name: a", "name: X").replace("name: b", "name: a").replace("name: X", "name: b")
    assert edit.remove_step(text, 1).count("#") == 2


def test_a_copy_stands_behind_its_original_with_its_comments_and_another_name() -> None:
    made = edit.duplicate_step(THREE, 0, "a: 2")
    assert steps_of(made).split("\n\n")[1] == '# about a\n- name: "a: 2" # the first\n  type: shell\n  # more of a'
    assert [one["name"] for one in lossless.read(made).steps] == ["a", "a: 2", "b", "c"]


def test_the_last_step_taken_out_leaves_an_empty_list_that_takes_steps_again() -> None:
    text = pipeline("- name: a\n  type: shell")
    empty = edit.remove_step(text, 0)
    assert empty.endswith("spec:\n  steps: []\n")
    assert lossless.read(edit.insert_step(empty, 0, {"name": "b"})).steps == ({"name": "b"},)


@pytest.mark.parametrize("steps", ["", " []", " ~", "   # none yet"])
def test_a_first_step_is_put_in_whatever_stands_for_none(steps: str) -> None:
    text = f"kind: Pipeline\nspec:\n  steps:{steps}\n  variables: {{}}\n"
    made = edit.insert_step(text, 0, {"name": "a", "type": "shell"})
    assert "steps:" + (steps if "#" in steps else "") + "\n    - name: a\n      type: shell\n  variables" in made


def test_an_empty_text_becomes_a_pipeline() -> None:
    assert edit.set_field("", ("metadata", "name"), "x") == "metadata:\n  name: x\n"
    assert edit.set_field("# c\n---\n", ("a",), 1) == "# c\n---\na: 1\n"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\nb\n", "|\n    a\n    b"),
        ("a\nb", "|-\n    a\n    b"),
        ("a\n\n\n", "|+\n    a\n\n"),
        ("  a\nb\n", "|2\n      a\n    b"),
        ("\ta\n", "|2\n    \ta"),
        ("\n\n  a\n", "|2\n\n\n      a"),
        ("a  \n  \nb\t\n", "|\n    a  \n      \n    b\t"),
        ("中文\n第二行 # 不是注释\n", "|\n    中文\n    第二行 # 不是注释"),
        ("---\na: b\n...\n", "|\n    ---\n    a: b\n    ..."),
        ("# only\n", "|\n    # only"),
        ("\n", '"\\n"'),
        ("  \n\n", '"  \\n\\n"'),
        ("a\rb\n", '"a\\rb\\n"'),
        ("a\x07b\n", '"a\\x07b\\n"'),
        ("a\u2028b\n", '"a\\u2028b\\n"'),
        ("a\ufeff\nb", '"a\\uFEFF\\nb"'),
    ],
)
def test_texts_of_several_lines_are_blocks_where_a_block_can_hold_them(value: str, written: str) -> None:
    made = edit.set_field("a:\n  b: x\n  c: 1\n", ("a", "b"), value)
    assert made == f"a:\n  b: {written}\n  c: 1\n"
    assert yaml.safe_load(made)["a"] == {"b": value, "c": 1}


@pytest.mark.parametrize(
    "value",
    ["yes", "No", "on", "y", "null", "~", "", "010", "0o17", "0x1F", "1e3", "1_000", "12", "-1.5", ".5", "+1", ".inf",
     "2020-01-01", "12:30", "- x", "-x", "? x", "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "%a", "@a", "`a", "'a",
     '"a', "{a}", "[a]", " a", "a ", "a\tb", "=", "<<", "...", "| a", "> a", ", a"],
)  # fmt: skip
def test_what_reads_as_something_else_is_quoted(value: str) -> None:
    made = edit.set_field("a: x\n", ("a",), value)
    assert made[3] in "'\""
    assert yaml.safe_load(made) == {"a": value}


@pytest.mark.parametrize("value", ["abc", "300s", "1.2.3", "${x}", "a:b", "a#b", "中文", "C:\\x", "a, b [c]", "it's"])
def test_what_reads_as_itself_is_not_quoted(value: str) -> None:
    assert edit.set_field("a: x\n", ("a",), value) == f"a: {value}\n"


def test_the_writing_of_a_value_is_kept() -> None:
    text = "a: 'x'  # one\nb: \"x\"\nc: &n !!str x\nd: |  # block\n    x\ne: >-\n  x\n  y\nf: 010\n"
    assert edit.set_field(text, ("a",), "it's") == text.replace("'x'", "'it''s'")
    assert edit.set_field(text, ("b",), "y") == text.replace('"x"', '"y"')
    assert edit.set_field(text, ("c",), "12") == text.replace("str x", 'str "12"')
    assert edit.set_field(text, ("d",), "y\nz\n") == text.replace("    x\n", "    y\n    z\n")
    assert edit.set_field(text, ("d",), "y") == text.replace("|  # block\n    x", "|-  # block\n    y")
    assert edit.set_field(text, ("e",), "z z\nw") == text.replace("  x\n  y\n", "  z z\n\n  w\n")
    assert edit.set_field(text, ("f",), "010") == text


def test_an_empty_value_goes_behind_the_colon_and_before_its_comment() -> None:
    text = "a:   # none\nb:\nc: {d: , e}\n"
    assert edit.set_field(text, ("a",), "x") == text.replace("a:", "a: x")
    assert edit.set_field(text, ("a", "k"), 1) == text.replace("a:   # none\n", "a:   # none\n  k: 1\n")
    assert edit.set_field(text, ("b",), ["x"]) == text.replace("b:\n", "b:\n  - x\n")
    assert edit.set_field(text, ("c", "d"), "x") == text.replace("d: ,", "d: x,")
    assert edit.set_field(text, ("c", "e"), "x") == text.replace("e}", "e: x}")


def test_a_mapping_or_list_is_written_field_by_field() -> None:
    text = pipeline("""
        - name: a # keep
          k8s_config:
            # mode
            deploy_type: helm # keep too
            values_files:
              - a.yaml # first
              - b.yaml # second
              - c.yaml
            timeout: 300s
    """)
    config = {"deploy_type": "helm", "values_files": ["a.yaml", "x.yaml", "c.yaml", "d.yaml"], "wait": False}
    made = edit.replace_step(text, 0, {"name": "a", "k8s_config": config})
    expected = text.replace("b.yaml", "x.yaml").replace("- c.yaml\n", "- c.yaml\n          - d.yaml\n")
    assert made == expected.replace("timeout: 300s", "wait: false")
    shorter = edit.set_field(text, (*STEPS, 0, "k8s_config", "values_files"), ["b.yaml"])
    assert shorter == text.replace("          - a.yaml # first\n", "").replace("          - c.yaml\n", "")


def test_the_layout_of_the_neighbours_is_used() -> None:
    text = "spec:\n    steps:\n    -   name: a\n        env:\n            A: b\n        files:\n        - x\n"
    made = edit.insert_step(text, 1, {"name": "b", "env": {"C": "d"}, "files": ["z"]})
    more = "    -   name: b\n        env:\n            C: d\n        files:\n        -   z\n"
    assert made == text + more
    windows = text.replace("\n", "\r\n")
    assert edit.insert_step(windows, 1, {"name": "b"}) == windows + "    -   name: b\r\n"


def test_json_stays_json() -> None:
    text = '{"spec": {"steps": [{"name": "a"}], "variables": {}}}\n'
    made = edit.insert_step(text, 1, {"name": "b", "command": "x\ny\x85😀", "wait": True, "no": None})
    made = edit.set_field(made, ("spec", "variables", "n"), ["1"])
    import json

    assert json.loads(made)["spec"]["steps"][1] == {"name": "b", "command": "x\ny\x85😀", "wait": True, "no": None}
    assert json.loads(made)["spec"]["variables"] == {"n": ["1"]}
    assert edit.remove_step(edit.remove_field(made, ("spec", "variables", "n")), 1) == text


def test_braces_and_brackets_keep_their_commas() -> None:
    text = "a: {b: 1, c: 2,}\nd: [x, y]\ne: [\n  1, # one\n  2\n]\n"
    assert edit.remove_field(text, ("a", "c")) == text.replace(" c: 2,", "")
    assert edit.remove_field(text, ("a", "b")) == text.replace("b: 1, ", "")
    assert edit.remove_field(text, ("d", 1)) == text.replace(", y", "")
    assert edit.set_field(text, ("d", 2), "a, b") == text.replace("y]", 'y, "a, b"]')
    assert edit.set_field(text, ("a", "z"), {"q": [1, ""]}) == text.replace("2,}", '2, z: {q: [1, ""]},}')
    for number in (0, 1):
        left = edit.remove_field(text, ("e", number))
        assert "# one" in left
        assert yaml.safe_load(left)["e"] == [2 - number]


ALIASES = """\
base: &base {deploy_type: helm, timeout: 300s}
list: &list [a, b]
spec:
  steps:
    - name: a
      k8s_config: *base # shared
      files: *list
    - name: b
      k8s_config:
        <<: *base
        wait: true
    - name: c
      <<: {env: {A: "1", B: "2"}}
"""


def test_a_shared_value_gets_one_of_its_own_where_it_is_used() -> None:
    made = edit.set_field(ALIASES, (*STEPS, 0, "k8s_config", "timeout"), "1m")
    assert made == ALIASES.replace("*base # shared", "# shared\n        <<: *base\n        timeout: 1m")
    made = edit.set_field(ALIASES, (*STEPS, 0, "files", 1), "c")
    assert made == ALIASES.replace("files: *list", "files:\n        - a\n        - c")
    made = edit.set_field(ALIASES, (*STEPS, 1, "k8s_config", "timeout"), "1m")
    assert made == ALIASES.replace("wait: true", "wait: true\n        timeout: 1m")
    made = edit.set_field(ALIASES, (*STEPS, 2, "env", "B"), "3")
    assert made == ALIASES + '      env:\n        A: "1"\n        B: "3"\n'
    made = edit.remove_field(ALIASES, (*STEPS, 0, "k8s_config", "timeout"))
    assert made == ALIASES.replace("*base # shared", "# shared\n        deploy_type: helm")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: edit.set_field(ALIASES, ("base", "timeout"), "1m"), "Line 6 uses the same value as *base"),
        (lambda: edit.remove_field(ALIASES, (*STEPS, 1, "k8s_config", "timeout")), "taken from another place"),
        (
            lambda: edit.remove_field(ALIASES.replace("wait:", "timeout:"), (*STEPS, 1, "k8s_config", "timeout")),
            "taken from another place",
        ),
        (lambda: edit.remove_field(ALIASES, ("base",)), "Line 6 uses the same value as *base"),
        (lambda: edit.set_field("a: 1\na: 2\n", ("a",), 3), "a is written twice"),
        (lambda: edit.set_field("a: 1\n", ("a", "b"), 3), "Another kind of value"),
        (lambda: edit.set_field("a: [1]\n", ("a", 5), 3), "The list has 1 entries"),
        (lambda: edit.set_field("a: 1\n---\nb: 2\n", ("a",), 3), "more than one YAML document"),
        (lambda: edit.set_field("- a\n", ("a",), 3), "not a mapping"),
        (lambda: edit.set_field("a: 'b\n", ("a",), 3), "not valid YAML"),
        (lambda: edit.set_field("a: 1\n", ("a",), b"x"), "bytes cannot be written"),
        (lambda: edit.set_field("a: 1\n", ("a",), float("nan")), "is not a number that can be written"),
        (lambda: edit.set_field("a: !ours x\n", ("a",), 1), "It has the tag !ours"),
        (lambda: edit.set_field("a: 1\n", ("a",), "\ud800"), "say something else"),
        (lambda: edit.remove_field("a: 1\n", ()), "cannot be taken out"),
        (lambda: edit.move_step(THREE, 0, 3), "There is no step 4"),
        (lambda: edit.remove_step("spec: {steps: x}\n", 0), "spec.steps is not a list"),
        (lambda: edit.insert_step_text(THREE, 0, "just a text"), "A step is a mapping"),
        (lambda: edit.insert_step_text(THREE, 0, ""), "There is no step"),
        (lambda: edit.insert_step_text(THREE, 0, THREE), "whole pipeline"),
    ],
)
def test_what_has_no_safe_place_is_refused_with_a_reason(change: Any, reason: str) -> None:
    with pytest.raises(EditRefused, match="Change it in the text itself") as refused:
        change()
    assert reason in str(refused.value.message)


def test_a_refusal_names_the_field() -> None:
    text = ALIASES.replace("name: a", "name: &n a").replace("name: c", "name: *n")
    with pytest.raises(EditRefused) as refused:
        edit.set_field(text, (*STEPS, 0, "name"), "x")
    assert refused.value.field == "steps[0].name"


def test_a_step_copied_out_is_pasted_in_with_its_comments() -> None:
    copied = edit.step_text(THREE, 0)
    assert copied == "# about a\nname: a # the first\ntype: shell\n# more of a\n"
    made = edit.insert_step_text(THREE, 3, copied)
    assert steps_of(made).endswith("\n\n# about a\n- name: a # the first\n  type: shell\n  # more of a\n")


def test_several_steps_are_pasted_at_once() -> None:
    made = edit.insert_step_text(THREE, 1, "- name: x\n  command: |2\n      a\n\n  # end of x\n# y\n- name: y\n")
    assert [one["name"] for one in lossless.read(made).steps] == ["a", "x", "y", "b", "c"]
    assert step(made, 1)["command"] == "  a\n"
    assert "# end of x" in made and "    # y\n    - name: y\n" in made
    into_empty = edit.insert_step_text(edit.new_pipeline("p"), 0, "- name: x\n- name: y\n")
    assert [one["name"] for one in lossless.read(into_empty).steps] == ["x", "y"]


def test_a_copied_step_stands_on_its_own_without_aliases() -> None:
    copied = edit.step_text(ALIASES, 0)
    assert yaml.safe_load(copied) == step(ALIASES)
    assert "*" not in copied
    pasted = edit.insert_step_text(THREE, 0, "name: &n x\ncommand: *n\n")
    assert step(pasted) == {"name": "x", "command": "x"}


def test_a_copy_leaves_the_anchor_with_the_original() -> None:
    text = pipeline("""
        - &a
          name: a
          env: &env {A: b}
        - <<: *a
          name: c
          other: *env
    """)
    made = edit.duplicate_step(text, 0, "b")
    assert [one["name"] for one in lossless.read(made).steps] == ["a", "b", "c"]
    assert made.count("&env") == made.count("&a\n") == 1


def test_a_missing_last_line_end_stays_missing_unless_it_would_change_a_value() -> None:
    text = THREE.rstrip("\n")
    assert not edit.insert_step(text, 3, {"name": "d"}).endswith("\n")
    block = pipeline("- name: a\n  command: |\n    x").rstrip("\n")
    assert step(block)["command"] == "x"
    made = edit.insert_step(block, 1, {"name": "b"})
    assert (step(made)["command"], step(made, 1)) == ("x", {"name": "b"})
    assert edit.set_field(block, ("metadata", "name"), "q") == block.replace("name: p", "name: q")
    assert edit.replace_step(block, 0, {"name": "q", "command": "x"}) == block.replace("name: a", "name: q")


def test_a_text_that_ends_in_empty_lines_is_quoted_where_empty_lines_follow() -> None:
    made = edit.set_field(THREE, (*STEPS, 1, "command"), "x\n\n")
    assert step(made, 1)["command"] == "x\n\n"
    assert made.count("\n\n") == THREE.count("\n\n")


def test_a_field_removed_leaves_the_comments_around_it() -> None:
    text = pipeline("- name: a # n\n  # about type\n  type: shell # t\n  # end\n- name: b")
    assert edit.remove_field(text, (*STEPS, 0, "type")) == text.replace("      type: shell # t\n", "")
    without_name = edit.remove_field(text, (*STEPS, 0, "name"))
    assert (step(without_name), without_name.count("#")) == ({"type": "shell"}, 4)
    assert edit.remove_field(text, (*STEPS, 1, "name")).endswith("- {}\n")
    assert edit.remove_field(text, (*STEPS, 0, "nothing", "here")) == text


# Reading


def test_reading_gives_what_is_written_whatever_it_is() -> None:
    raw = lossless.read(
        "metadata: {name: 12, description: yes}\nspec:\n  variables: {v: 1.10, w: 010, x: 1.5, y: !ours z}\n"
        "  steps:\n  - {name: a, type: new, odd: [1, {b: ~}]}\n  - text\n"
    )
    assert (raw.name, raw.description, raw.problem) == ("12", "true", None)
    assert raw.variables == {"v": "1.10", "w": "010", "x": 1.5, "y": "z"}
    assert raw.steps == ({"name": "a", "type": "new", "odd": [1, {"b": None}]}, {})


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [", 2), ("a: b: c", 1), ("a: *x", 1), ("a: &a [*a]", 1), ("a: \x00", 0), ("- a", 1), ("x: &a 1\ny: &a 2", 2)],
)
def test_a_text_that_cannot_be_read_is_a_problem_with_its_place(text: str, line: int) -> None:
    problem = lossless.read(text).problem
    assert problem is not None
    assert problem.line == line or (line == 2 and problem.line == 1)
    assert lossless.read(text).steps == ()


def test_what_was_read_may_be_changed_by_its_owner() -> None:
    lossless.read(THREE).steps[0]["name"] = "changed"
    assert lossless.read(THREE).steps[0]["name"] == "a"


def test_hostile_aliases_are_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.monotonic()
    assert lossless.read("\n".join(lines)).problem is not None
    assert lossless.read("[" * 5000).problem is not None
    assert time.monotonic() - started < 2


def test_a_field_has_a_place_and_a_place_a_field() -> None:
    text = edit.set_field(THREE, (*STEPS, 1, "k8s_config"), {"values_files": ["x", "z"], "a.b": 1, "t": "1\n2\n"})
    for field, found in (
        ("steps[1].name", "b"), ("metadata.name", "p"), ("steps[1].k8s_config.values_files[1]", "z"),
        ("steps[1].k8s_config.a.b", "1"), ("steps[1].k8s_config", "k8s_config:"), ("steps[0]", "- name: a"),
        ("steps[1].k8s_config.t", "t: |"),
    ):  # fmt: skip
        place = lossless.place_of(text, field)
        assert place is not None
        assert text.splitlines()[place[0] - 1][place[1] - 1 :].startswith(found), field
    assert lossless.place_of(text, "steps[1].missing") == lossless.place_of(text, "steps[1]")
    assert lossless.place_of(text, "") == (1, 1)
    assert lossless.place_of("a: [", "a") is None
    assert lossless.field_at(text, text.index("- z") + 1) == "steps[1].k8s_config.values_files[1]"
    assert lossless.field_at(text, text.index("name: p") + 7) == "metadata.name"
    assert lossless.field_at("a: {b: [1, {c: 2}]}", 16) == "a.b[1].c"
    assert lossless.field_at("a: [", 1) == ""


def test_a_place_belongs_to_the_step_whose_lines_or_comments_it_is_in() -> None:
    expected = {"# about a": 0, "# more of a": 0, "# about b": 1, "- name: c": 2, "metadata": None}
    assert {part: lossless.step_at(THREE, THREE.index(part)) for part in expected} == expected
    assert lossless.step_at(THREE, THREE.index("\n\n") + 1) is None
    assert lossless.step_at("spec: {steps: [{name: a}, {name: b}]}", 28) == 1
    assert lossless.step_at("spec: [", 3) is None
