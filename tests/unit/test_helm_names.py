"""Names and durations before they reach a command line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.helm.charts import default_release_name
from ansflow_desktop.models.duration import duration_problem, parse_duration
from ansflow_desktop.models.names import namespace_problem, release_name_problem


@pytest.mark.parametrize("name", ["a", "fe-app-release", "9", "a.b-c.d", "x" * 53])
def test_release_names_that_helm_takes(name):
    assert release_name_problem(name) is None


@pytest.mark.parametrize(
    "name", ["", "-a", "--kubeconfig=x", "a-", "A", "a_b", "a..b", ".a", "a b", "名", "x" * 54, "a\n"]
)
def test_release_names_that_helm_refuses(name):
    assert release_name_problem(name) is not None


@pytest.mark.parametrize("name", ["", "-a", "a.b", "A", "x" * 64, "a\n", "a/b", "fe "])
def test_namespaces_that_kubernetes_refuses(name):
    assert namespace_problem(name) is not None


@pytest.mark.parametrize("name", ["fe", "x" * 63, "0"])
def test_namespaces_that_kubernetes_takes(name):
    assert namespace_problem(name) is None


@given(st.text(max_size=80))
def test_nothing_accepted_could_be_read_as_a_flag(text):
    if release_name_problem(text) is None or namespace_problem(text) is None:
        assert re.fullmatch(r"[a-z0-9][-a-z0-9.]{0,62}", text)


@given(st.text(max_size=80))
def test_default_release_name_is_always_taken(text):
    assert release_name_problem(default_release_name(text)) is None


def test_default_release_name_is_the_chart_with_release():
    assert default_release_name("fe-app") == "fe-app-release"


@pytest.mark.parametrize(
    ("text", "seconds"), [("300s", 300), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), (".5s", 0.5), ("100ms", 0.1)]
)
def test_durations_are_read_as_go_reads_them(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "0.0", "abc", "-5s", "5", "5 m", "5d", "5m ", "1e3s", "s", "９s", "9" * 20 + "h"]
)
def test_durations_that_are_none_name_their_field(text):
    with pytest.raises(UserError) as caught:
        parse_duration(text, "timeout")
    assert caught.value.field == "timeout"
    assert str(caught.value.hint)


def test_missing_unit_is_named():
    assert "300s" in str(duration_problem("300"))
