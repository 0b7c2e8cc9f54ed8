"""executors/live_diff_masks.py, models/diff.py: differences as lines, secrets masked but their change shown."""

from __future__ import annotations

import pytest

from ansflow_desktop.executors.live_diff_masks import (
    as_yaml,
    difference,
    looks_secret,
    masked_object,
    masked_values,
    secret_texts,
)
from ansflow_desktop.executors.live_diff_objects import object_of, objects_in, only_like, paired, without_noise
from ansflow_desktop.executors.rendered import masked
from ansflow_desktop.models.diff import Sign, counts, diff_lines

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "b25l", "q": "eA=="}}


def shown(lines):
    return [f"{line.sign.value}{line.text}" for line in lines if line.sign is not Sign.SAME]


def test_a_changed_secret_is_masked_on_both_sides_and_still_a_change():
    other = {**SECRET, "data": {"p": "dHdv", "q": "eA=="}}
    lines = difference(masked_object(SECRET), masked_object(other))
    assert shown(lines) == ["-  p: '***'", "+  p: '***'"]
    assert [line.secret for line in lines if line.sign is not Sign.SAME] == [True, True]
    assert "b25l" not in str(lines) and "dHdv" not in str(lines)


def test_an_unchanged_secret_is_no_change():
    assert difference(masked_object(SECRET), masked_object(dict(SECRET))) == ()


def test_what_is_new_or_gone_is_shown_whole():
    new = difference(None, masked_object(SECRET))
    assert {line.sign for line in new} == {Sign.ADDED} and not any(line.secret for line in new)
    assert {line.sign for line in difference(masked_object(SECRET), None)} == {Sign.REMOVED}


def test_values_whose_keys_look_secret_are_masked():
    values = {"auth": {"password": "a", "existingSecret": "name", "tokens": ["x"]}, "replicas": 2, "tokenTtl": "5m"}
    text = as_yaml(masked_values(values))
    assert "password: '***" in text and "existingSecret: name" in text and "replicas: 2" in text
    assert "- x" not in text and "tokenTtl: 5m" in text


def test_environment_variables_are_masked_by_their_name():
    pod = {"kind": "Pod", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "MODE", "value": "fast"}]}
    text = as_yaml(masked_object(pod))
    assert "hunter2" not in text and "fast" in text


@pytest.mark.parametrize(
    "key", ["password", "dbPasswd", "API_KEY", "secret", "authToken", "credentials", "private-key"]
)
def test_names_of_secrets(key):
    assert looks_secret(key)


@pytest.mark.parametrize(
    "key", ["secretName", "key", "imagePullSecretName", "checksum/secret", "tokenExpirationSeconds", "credentialsFile"]
)
def test_names_that_only_point_to_one(key):
    assert not looks_secret(key)


def test_secret_values_can_be_taken_out_of_words():
    assert set(secret_texts({"a": {"password": "x"}, "l": [{"token": 5}], "name": "n"})) == {"x", "5"}


def test_a_rendered_text_is_masked_by_names_too():
    text = (
        "kind: Pod\nspec:\n  env:\n  - {name: DB_PASSWORD, value: hunter2}\n  - name: A\n    value: b\n  apiKey: k1\n"
    )
    assert masked(text) == text.replace("hunter2", '"***"').replace("k1", '"***"')


def test_lines_have_numbers_and_gaps():
    old = "".join(f"line {number}\n" for number in range(20))
    lines = diff_lines(old, old.replace("line 10", "changed"))
    assert lines[0].sign is Sign.GAP
    assert [(line.old, line.new) for line in lines if line.sign in (Sign.ADDED, Sign.REMOVED)] == [(11, 0), (0, 11)]
    assert counts(lines) == (1, 1)


def test_a_long_difference_takes_no_time():
    old = "\n".join(f"same: {number % 3}" for number in range(6000))
    lines = diff_lines(old, old + "\nnew: 1")
    assert [line.sign for line in lines] == [Sign.GAP, *[Sign.SAME] * 3, Sign.ADDED]


def test_what_the_server_writes_is_no_difference():
    live = {
        **SECRET,
        "metadata": {
            "name": "s",
            "uid": "1",
            "resourceVersion": "2",
            "managedFields": [],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "status": {},
    }
    assert without_noise(live) == SECRET


def test_objects_are_paired_by_group_kind_namespace_and_name():
    old = objects_in("kind: A\napiVersion: x/v1\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n", "fe")
    new = objects_in(
        "# Source: web/templates/a.yaml\nkind: A\napiVersion: x/v2\nmetadata: {name: a, namespace: fe}\n", "fe"
    )
    pairs = paired(old, new)
    assert [(bool(one), bool(two)) for one, two in pairs] == [(True, True), (True, False)]
    assert new[0].source == "web/templates/a.yaml"


def test_no_object_is_passed_over():
    assert object_of({"kind": "A"}, "fe") is None
    assert object_of(["x"], "fe") is None
    assert objects_in("just: text\n", "fe") == []


def test_a_refused_object_is_compared_by_what_it_writes():
    live = {"spec": {"replicas": 1, "strategy": {"type": "X"}, "l": [{"a": 1, "b": 2}, 3]}}
    assert only_like(live, {"spec": {"replicas": 2, "l": [{"a": 5}]}}) == {"spec": {"replicas": 1, "l": [{"a": 1}, 3]}}
