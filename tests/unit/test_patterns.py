"""A pattern that is searched for in a log always ends soon, whatever the log holds."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansflow_desktop.pipelines.patterns import search_problem, searched
from ansflow_desktop.pipelines.targets import pattern_problem


@pytest.mark.parametrize(
    "text", ["(a+)+$", "(.+)+X", r"(\d+\.)+", "((a*)b)*c", "(a{1,200})+", "(?:(?=a+)b)*", "(x|y+)*", ".*a.*b.*c.*d",
     "(a|a)*b", "(a{1,99}){1,99}b", r"(.|\w)*x!", "(?i:aa|Ab)*c", "(a?a)*b", "(a?){60}b", "(a*){9}b", "(|a)+b"]
)  # fmt: skip
def test_what_could_take_for_ever_is_refused(text: str) -> None:
    assert search_problem(text) is not None
    assert pattern_problem(text) is not None


@pytest.mark.parametrize(
    ("text", "far"),
    [
        ("ready", 10_000),
        (r"Listening on :\d+$", 5_000),
        ("a{1,5}b?", 10_000),
        (".*error.*", 1_000),
        ("(a+|b+)c+", 200),
        ("(error|warning)+", 5_000),
        (r"(\d{1,3}\.){3}\d{1,3}", 10_000),
        ("(ready|running|done)", 10_000),
        (".{0,50}error.{0,50}", 10_000),
    ],
)
def test_usual_patterns_are_searched_for(text: str, far: int) -> None:
    assert (search_problem(text), searched(text)) == (None, far)


PARTS = st.lists(
    st.sampled_from(["a", "b", ".", "a*", ".+", "(a|b)*", "(", ")", "x?", "a{2,}", "$", "[ab]+", "|", "*", "{1,9}"]),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(PARTS)
def test_what_is_let_through_ends(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        pattern = re.compile(text)
    except re.error:
        return
    if search_problem(text) is None:
        begun = time.thread_time()
        pattern.search(("ab" * 5000)[: searched(text)] + "!")
        assert time.thread_time() - begun < 5, "minutes would be for ever"
