"""Edits over the corpus: only the value's lines change, all other data stay, there and back gives the same bytes."""

from __future__ import annotations

import contextlib

import pytest
import yaml_corpus_kit as kit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.pipelines import edit, lossless
from ansflow_desktop.pipelines.edit import EditRefused

STEPS = ("spec", "steps")
TEXTS = {name: kit.text_of(name) for name in kit.NAMES}
SCALARS = [(name, *found) for name in kit.NAMES for found in kit.scalars(TEXTS[name])]
# Texts whose last line has no end: putting something behind it must end it, and that is not taken back.
OPEN = {name for name, text in TEXTS.items() if not text.endswith("\n")}
SHARED = {"04_anchors_aliases", "05_merge_keys", "30_anchored_steps"}
BRACKETS = {"34_flow_with_comments"}

VALUES = [
    "new", "yes", "010", "1e3", "null", "~", "", "2020-01-01", "two words # no", "a: b", "- x", "it's \"both\"", "${x}",
    "echo 1\necho 2\n", "echo 1\necho 2", "  lead\nx\n\n", "x\n \n  y  \n\t\n",
    "中文\n第二行\n", "\n", "a\r\nb", "\u2028",
]  # fmt: skip
LETTERS = st.text(st.sampled_from("ab \n\t#:-'\"|>{}[],&*!%@`\\$=~?中\r\x07\u2028\ufeff😀0"), max_size=30)


def written(value: object) -> tuple[str, str]:
    return ("str", str(value))


def test_the_corpus_holds_what_it_promises() -> None:
    whole = "".join(TEXTS.values())
    assert len(TEXTS) >= 30
    assert len(SCALARS) > 500
    for part in (
        "\r\n",
        "\ufeff",
        "<<:",
        "&",
        "|2",
        ">-",
        "|+",
        "!vault",
        "\t#",
        "部署",
        "\n---\n",
        "\n...\n",
        "{",
        "? ",
    ):
        assert part in whole, part


@pytest.mark.parametrize("name", kit.NAMES)
def test_the_tree_reads_what_pyyaml_reads(name: str) -> None:
    """The comparison after an edit is worth as much as the tree it looks at."""

    def check(ours: object, theirs: object) -> None:
        if isinstance(theirs, dict):
            assert isinstance(ours, dict)
            assert {key for _, key in theirs} == set(ours)
            for (_, key), value in theirs.items():
                check(ours[key], value)
        elif isinstance(theirs, list):
            assert isinstance(ours, list)
            assert len(ours) == len(theirs)
            for one, other in zip(ours, theirs, strict=True):
                check(one, other)
        else:
            check_scalar(ours, theirs)

    raw = lossless.read(TEXTS[name])
    assert raw.problem is None
    steps = kit.value_at(kit.data_of(TEXTS[name]), STEPS)
    for ours, theirs in zip(raw.steps, steps, strict=True):
        if isinstance(theirs, dict):
            check(ours, theirs)


def check_scalar(ours: object, theirs: object) -> None:
    assert isinstance(theirs, tuple)
    kind, text = theirs
    if kind == "null":
        assert ours is None
    elif kind == "bool":
        assert ours is (text.lower() in ("true", "yes", "on"))
    else:
        assert str(ours) == text


@pytest.mark.parametrize("name", kit.NAMES)
def test_a_scalar_set_changes_its_own_lines_only(name: str) -> None:
    text, before = TEXTS[name], kit.data_of(TEXTS[name])
    for number, (path, first, last) in enumerate(kit.scalars(text)):
        for value in (VALUES[number % len(VALUES)], VALUES[(number * 7 + 3) % len(VALUES)]):
            try:
                made = edit.set_field(text, path, value)
            except EditRefused as refused:
                assert name in SHARED, (path, value)
                assert "uses the same value" in str(refused)
                continue
            after = kit.data_of(made)
            assert kit.value_at(after, path)[1] == value or name == "22_tags"
            assert kit.without(after, path) == kit.without(before, path)
            head, tail = kit.changed_lines(text, made)
            assert head > tail or (first <= head and tail <= last), (path, value, made)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([found for found in SCALARS if found[0] not in SHARED]), LETTERS)
def test_any_text_set_anywhere_is_read_back(found: tuple[str, kit.PathIn, int, int], value: str) -> None:
    name, path, first, last = found
    text = TEXTS[name]
    made = edit.set_field(text, path, value)
    after = kit.data_of(made)
    assert kit.value_at(after, path) == written(value) or value == str(kit.value_at(kit.data_of(text), path)[1])
    assert kit.without(after, path) == kit.without(kit.data_of(text), path)
    head, tail = kit.changed_lines(text, made)
    assert head > tail or (first <= head and tail <= last)


@pytest.mark.parametrize("name", kit.NAMES)
def test_the_same_value_again_changes_nothing(name: str) -> None:
    text = TEXTS[name]
    raw = lossless.read(text)
    for index, step in enumerate(raw.steps):
        if step:
            assert edit.replace_step(text, index, step) == text
    assert edit.set_field(text, ("metadata", "name"), raw.name) == text or name in ("22_tags", "04_anchors_aliases")


@pytest.mark.parametrize("name", kit.NAMES)
def test_steps_moved_there_and_back_give_the_same_bytes(name: str) -> None:
    text = TEXTS[name]
    steps = kit.value_at(kit.data_of(text), STEPS)
    for index in range(len(steps)):
        for to in range(len(steps)):
            try:
                moved = edit.move_step(text, index, to)
            except EditRefused:
                assert name in SHARED | BRACKETS
                continue
            order = list(steps)
            order.insert(to, order.pop(index))
            assert kit.value_at(kit.data_of(moved), STEPS) == order
            assert kit.comments(moved) == kit.comments(text)
            back = edit.move_step(moved, to, index)
            assert back == text or name == "20_no_final_newline_block"


@pytest.mark.parametrize("name", kit.NAMES)
def test_what_is_put_in_and_taken_out_leaves_the_same_bytes(name: str) -> None:
    text = TEXTS[name]
    count = len(lossless.read(text).steps)
    for index in range(count):
        if not lossless.read(text).steps[index]:
            continue
        doubled = edit.duplicate_step(text, index, "a copy")
        assert lossless.read(doubled).steps[index + 1]["name"] == "a copy"
        assert edit.remove_step(doubled, index + 1) == text or name == "20_no_final_newline_block"
        pasted = edit.insert_step_text(text, index, edit.step_text(text, index))
        assert kit.value_at(kit.data_of(pasted), (*STEPS, index)) == kit.value_at(kit.data_of(text), (*STEPS, index))
        assert edit.remove_step(pasted, index) == text
        grown = edit.set_field(text, (*STEPS, index, "brand_new"), "x") if name not in SHARED else text
        assert edit.remove_field(grown, (*STEPS, index, "brand_new")) == text or name in OPEN
    for index in range(count + 1):
        made = edit.insert_step(text, index, {"name": "new", "type": "shell", "command": "a\nb\n"})
        assert kit.comments(made) == kit.comments(text)
        assert edit.remove_step(made, index) == text or name in OPEN


@pytest.mark.parametrize("name", kit.NAMES)
def test_a_removed_field_takes_nothing_else_along(name: str) -> None:
    text, before = TEXTS[name], kit.data_of(TEXTS[name])
    for path, first, last in kit.scalars(text):
        try:
            made = edit.remove_field(text, path)
        except EditRefused:
            assert name in SHARED | {"31_nested_lists", "14_quoted_keys"}, path
            continue
        after = kit.data_of(made)
        with contextlib.suppress(KeyError, IndexError):
            assert isinstance(path[-1], int) or kit.value_at(after, path) is None
        assert kit.without(after, path[:-1]) == kit.without(before, path[:-1])
        head, tail = kit.changed_lines(text, made)
        assert first - 2 <= head <= tail <= last + 2


DAMAGE = st.text(st.sampled_from("\n\r\t -:#{}[]&*!|>'\"%@`a1中\u2028\x85\ud800\0"), max_size=6)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = TEXTS[draw(st.sampled_from(kit.NAMES))]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 20)))
    return text[:start] + draw(DAMAGE) + text[end:]


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged() | st.text(max_size=40), st.sampled_from([("spec", "steps", 0, "name"), ("metadata",), ("a", 0), ()]))
def test_a_damaged_text_is_refused_or_edited_but_never_a_traceback(text: str, path: tuple[str | int, ...]) -> None:
    lossless.read(text)
    lossless.place_of(text, "steps[1].k8s_config.timeout")
    for offset in (0, len(text) // 2, len(text)):
        lossless.field_at(text, offset)
        lossless.step_at(text, offset)
    for change in (
        lambda: edit.set_field(text, path, {"x": ["a\nb"]}),
        lambda: edit.remove_field(text, path),
        lambda: edit.insert_step(text, 1, {"name": "x"}),
        lambda: edit.insert_step_text(TEXTS["01_plain"], 1, text),
        lambda: edit.move_step(text, 0, 1),
        lambda: edit.remove_step(text, 0),
        lambda: edit.duplicate_step(text, 0, "copy"),
        lambda: edit.step_text(text, 0),
    ):
        with contextlib.suppress(UserError):
            change()
