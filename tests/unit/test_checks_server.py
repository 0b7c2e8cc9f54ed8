"""executors/server_check.py: the API server's words (as a kube-apiserver 1.36 said them) led back to field and line."""

from __future__ import annotations

import json

import pytest

from ansflow_desktop.executors.checks_helm import lint_problems
from ansflow_desktop.executors.checks_manifest import located_objects
from ansflow_desktop.executors.server_check import complaints, place_of, problem_from
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.process import ProcessResult

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replica: 2
  template:
    spec:
      containers:
      - name: x
        image: 5
        ports:
        - containerPort: 80
        - containerPort: '81'
          protocol: UDP
"""


def prose(text):
    return json.dumps({"kind": "Status", "status": "Failure", "message": text}).encode()


def test_a_verdict_without_complaint():
    assert complaints(201, b'{"kind": "ConfigMap"}') == ()


def test_unknown_fields_and_wrong_types_come_as_prose():
    found = complaints(
        500,
        prose(
            "failed to create typed patch object (/a; apps/v1, Kind=Deployment): errors:\n"
            '  .spec.template.spec.containers[name="x"].image: expected string, got &value.valueUnstructured{Value:5}\n'
            '  .spec.template.spec.containers[name="x"].ports[containerPort="80",protocol="TCP"].containerPort: '
            "expected numeric (int or float), got string\n"
            "  .spec.replica: field not declared in schema"
        ),
    )
    assert [each.path for each in found] == [
        'spec.template.spec.containers[name="x"].image',
        'spec.template.spec.containers[name="x"].ports[containerPort="80",protocol="TCP"].containerPort',
        "spec.replica",
    ]
    assert found[0].words == "expected string, got a number"


def test_one_unknown_field_stands_on_the_same_line():
    [found] = complaints(
        500,
        prose("failed to create typed patch object (/a; /v1, Kind=ConfigMap): .foo: field not declared in schema"),
    )
    assert (found.path, found.words) == ("foo", "field not declared in schema")


def test_the_strict_decoders_spelling():
    found = complaints(400, prose('strict decoding error: unknown field "spec.a", unknown field "metadata.b"'))
    assert [each.path for each in found] == ["spec.a", "metadata.b"]


def test_duplicate_keys_come_with_a_line():
    said = "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
    said += '  line 6: key "a" already set'
    [found] = complaints(400, prose(said))
    assert (found.line, found.words) == (6, 'key "a" already set')


def test_causes_of_an_invalid_object():
    body = {
        "details": {"causes": [{"reason": "FieldValueInvalid", "message": "too big", "field": "spec.ports[0].port"}]}
    }
    [found] = complaints(422, json.dumps(body).encode())
    assert (found.path, found.words, found.owner) == ("spec.ports[0].port", "too big", "")


def test_a_conflict_names_the_owner():
    body = {
        "details": {
            "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "helm"', "field": ".data.a"}]
        }
    }
    [found] = complaints(409, json.dumps(body).encode())
    assert (found.path, found.owner) == ("data.a", "helm")


def test_an_answer_that_is_no_status():
    [found] = complaints(404, b"404 page not found\n")
    assert found.words == "404 page not found"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("spec.replica", ("spec.replica", 5, 12)),
        ('spec.template.spec.containers[name="x"].image', ("spec.template.spec.containers[0].image", 10, 16)),
        (
            'spec.template.spec.containers[name="x"].ports[containerPort="81",protocol="UDP"].containerPort',
            ("spec.template.spec.containers[0].ports[1].containerPort", 13, 26),
        ),
        ('spec.template.spec.containers[name="x"].ports[containerPort="80",protocol="TCP"].containerPort',
         ("spec.template.spec.containers[0].ports[0].containerPort", 12, 26)),
        ("spec.template.spec.containers[0].name", ("spec.template.spec.containers[0].name", 9, 15)),
        ("spec.selector", ("spec.selector", 5, 3)),
        ("", ("", 1, 1)),
    ],
)  # fmt: skip
def test_three_spellings_of_a_path_lead_to_field_and_line(path, place):
    [located] = located_objects(DEPLOYMENT, "m")
    assert place_of(located.node, path) == place


def test_lines_are_those_of_the_whole_manifest():
    objects = located_objects(
        "a: b\n".replace("a: b", "# first") + DEPLOYMENT + "---\n" + DEPLOYMENT, "k8s_config.manifest"
    )
    [complaint] = complaints(500, prose("failed to create typed patch object (x): .spec.replica: no"))
    problem = problem_from(objects[1], complaint)
    assert problem.field == "k8s_config.manifest"
    assert str(problem.title) == "Deployment a: spec.replica"
    assert "Line 21, column 12" in str(problem.message)


def test_a_conflict_is_as_grave_as_the_apply_takes_it():
    [located] = located_objects(DEPLOYMENT, "m")
    body = {
        "details": {"causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "x"', "field": ".spec"}]}
    }
    [complaint] = complaints(409, json.dumps(body).encode())
    assert problem_from(located, complaint).severity is Severity.ERROR
    assert problem_from(located, complaint, Severity.WARNING).severity is Severity.WARNING


def test_values_of_a_secret_are_not_repeated():
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n"
    [located] = located_objects(secret, "m")
    body = {"details": {"causes": [{"message": 'Invalid value: "hunter2": no', "field": "stringData.p"}]}}
    [complaint] = complaints(422, json.dumps(body).encode())
    assert "hunter2" not in str(problem_from(located, complaint).message)


def test_lint_says_the_rest_once_the_chart_renders():
    said = (
        "==> Linting .\n[INFO] Chart.yaml: icon is recommended\n[ERROR] Chart.yaml: version should be of type string\n"
    )
    said += "[WARNING] templates/a.yaml: object name does not conform\n\n1 chart(s) linted, 1 chart(s) failed\n"
    result = ProcessResult(exit_code=1, stdout=said)
    assert [(each.severity, str(each.title)) for each in lint_problems(result, rendered=True)] == [
        (Severity.WARNING, "helm lint: Chart.yaml"),
        (Severity.WARNING, "helm lint: templates/a.yaml"),
    ]
    broken = ProcessResult(
        exit_code=1, stdout="[ERROR] templates/: parse error at (w/templates/b.yaml:1): missing value\n"
    )
    assert lint_problems(broken, rendered=False) == []
