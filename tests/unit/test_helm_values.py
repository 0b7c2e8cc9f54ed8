"""Values: what is no YAML, what is no mapping, and what Helm reads differently than it looks."""

from __future__ import annotations

import pytest

from ansflow_desktop.helm.values import values_file_problems, values_text_problems
from ansflow_desktop.models.problem import Severity


def errors(text: str) -> list[str]:
    return [str(p.title) for p in values_text_problems(text, "custom_values") if p.severity is Severity.ERROR]


def warnings(text: str) -> list[str]:
    return [str(p.message) for p in values_text_problems(text, "custom_values") if p.severity is Severity.WARNING]


@pytest.mark.parametrize("text", ["", "# only\n", "{}", "null", "a: 1\nb: {c: [1, 2]}\n", "a: 'no'\nday: 2026-99-99\n"])
def test_good_values_have_no_problem(text):
    assert values_text_problems(text, "custom_values") == ()


def test_broken_yaml_is_placed():
    [problem] = values_text_problems("a: 1\nb: [1, 2\n", "values_files[0]")
    assert problem.field == "values_files[0]"
    assert "Line 3" in str(problem.message)


@pytest.mark.parametrize(("text", "word"), [("- a\n", "list"), ("hello", "single value")])
def test_what_is_no_mapping_is_an_error(text, word):
    assert word in errors(text)[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: no", "no is read as false"),
        ("a: Yes", "Yes is read as true"),
        ("a: [off]", "off is read as false"),
        ("a: 010", "octal number 8"),
        ("a: 1e3", "number 1000"),
        ("a: 1_000", "number 1000"),
        ("a: 0x1F", "number 31"),
        ("a: 1\na: 2", "a is there twice"),
    ],
)
def test_what_reads_differently_is_warned_of_with_its_place(text, says):
    assert errors(text) == []
    [warning] = warnings(text)
    assert says in warning
    assert warning.startswith("Line ")


@pytest.mark.parametrize("text", ["a: 'no'", 'a: "010"', "a: true", "a: 10", "a: 1.5", "a: yEs", "a: !!str no1"])
def test_plain_values_are_not_warned_of(text):
    assert warnings(text) == []


def test_second_document_is_warned_of():
    assert "Helm 3 reads only the first" in warnings("a: 1\n---\nb: 2\n")[0]


def test_file_that_is_not_there_is_named(tmp_path):
    [problem] = values_file_problems(str(tmp_path / "gone.yaml"), "values_files[1]")
    assert problem.field == "values_files[1]"
    assert "gone.yaml" in str(problem.title)


def test_file_is_read_with_its_byte_order_mark(tmp_path):
    (tmp_path / "v.yaml").write_text("\ufeffa: no\n", encoding="utf-8")
    assert len(values_file_problems(str(tmp_path / "v.yaml"), "f")) == 1


def test_too_big_and_self_containing_values_are_refused():
    assert errors("a: " + "x" * (11 * 1024 * 1024))
    assert errors("a: &a [*a]")
