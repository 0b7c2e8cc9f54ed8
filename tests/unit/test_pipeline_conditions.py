"""Conditions of steps: what is met, what is refused with its place, and that values never become part of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.pipelines.conditions import MAX_DEPTH, MAX_LENGTH, condition_error, condition_problem, met

VALUES = {"env": "prod", "empty": "", "no": "No", "zero": "0", "words": "a b && c", "quote": 'it\'s "x"', "n": "3"}
TRUE = [
    "",
    "   ",
    '${env} == "prod"',
    "${env}==prod",
    "${env} == 'prod'",
    "${env} != dev",
    "yes",
    "true",
    "${env}",
    "!${empty}",
    "!${no}",
    "!!${env}",
    "${empty} == ''",
    '${words} == "a b && c"',
    "${quote}",
    '"${quote}" == ${quote}',
    "v${n}.0 == 'v3.0'",
    "'$$x' == \"$$x\"",
    "a == a && b == b",
    "a == b || b == b",
    "a == b && a == b || yes",
    "a == b && (a == b || yes) || yes",
    "!(a == b) && !false",
    "(((yes)))",
    "${n} == 3",
    "流水线 == 流水线",
]
FALSE = [
    "${empty}",
    "${zero}",
    "false",
    "FALSE",
    "0",
    "no",
    '""',
    "' '",
    "${env} == Prod",
    "${env} != prod",
    "!yes",
    "a == b || c == d",
    "a == a && c == d",
    "yes && (no || false)",
    "!(yes || no)",
    "(a == a) && !(b == b)",
]


@pytest.mark.parametrize(("text", "said"), [*((text, True) for text in TRUE), *((text, False) for text in FALSE)])
def test_met(text, said):
    assert met(text, VALUES) is said
    assert condition_problem(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b", "b is not expected at character 3"),
        ("a = b", "= is not expected at character 3"),
        ("a & b", "& is not expected at character 3"),
        ("a == b == c", "== is not expected at character 8"),
        ("==", "== is not expected at character 1"),
        (")", ") is not expected at character 1"),
        ("a)", ") is not expected at character 2"),
        ("a (b)", "( is not expected at character 3"),
        ("a ==", "The condition ends where"),
        ("!", "The condition ends where"),
        ("a &&", "The condition ends where"),
        ("(a", "A closing parenthesis is missing"),
        ("'a", "A closing quote is missing"),
        ('a == "b', "A closing quote is missing"),
        ("${a b}", "is no variable"),
        ("a == ${", "is no variable"),
        ("!" * (MAX_DEPTH + 1) + "a", "too deeply nested"),
        ("(" * 1000 + "a" + ")" * 1000, "too deeply nested"),
        ("a" * (MAX_LENGTH + 1), "longer than"),
    ],
)
def test_what_is_no_condition(text, words):
    assert words in str(condition_problem(text))
    assert str(condition_error(text).hint)
    with pytest.raises(UserError) as caught:
        met(text, {"a": "1"})
    assert words in str(caught.value.title)
    assert caught.value.field == "when"


@pytest.mark.parametrize("text", ["${nope}", "yes || ${nope}", "no && ${nope} == x", "'${nope}' == x"])
def test_an_undefined_variable_is_refused_wherever_it_stands(text):
    assert condition_problem(text) is None
    with pytest.raises(UserError) as caught:
        met(text, VALUES)
    assert "nope" in str(caught.value.title)
    assert caught.value.field == "when"


@given(st.text(max_size=30), st.text(max_size=30))
def test_values_are_compared_as_they_are(left, right):
    values = {"a": left, "b": right}
    assert met("${a} == ${b}", values) is (left == right)
    assert met("${a} != ${b}", values) is (left != right)
    assert met('"${a}" == ${a} && !(${a} != ${a})', values) is True


@given(st.text(alphabet="ab ${}()!&|='\"\\\n.", max_size=40))
def test_any_text_is_answered_or_refused(text):
    problem = condition_problem(text)
    try:
        said = met(text, {"a": "1", "b": ""})
    except UserError as error:
        assert problem is not None or "not defined" in str(error.title)
        return
    assert problem is None and isinstance(said, bool)
