"""kube/openapi*.py: schemas kept by their hash, and objects checked against them with path and line."""

from __future__ import annotations

import msgspec
import pytest

from ansflow_desktop import safe_yaml
from ansflow_desktop.kube.openapi import Resource, Schemas, SchemaStore, path_of
from ansflow_desktop.kube.openapi_check import check_object

THING = {
    "type": "object",
    "required": ["kind", "size"],
    "properties": {
        "kind": {"type": "string"},
        "size": {"type": "integer"},
        "ratio": {"type": "number"},
        "on": {"type": "boolean"},
        "mode": {"type": "string", "enum": ["Fast", "Safe"]},
        "port": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        "any": {"x-kubernetes-int-or-string": True},
        "secret": {"type": "string", "format": "byte"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"a": {"type": "string"}},
        },
        "items": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Item"}]}},
        "self": {"$ref": "#/components/schemas/Self"},
    },
    "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Thing"}],
}
SCHEMAS = msgspec.convert(
    {
        "components": {
            "schemas": {
                "Thing": THING,
                "Item": {"type": "object", "properties": {"name": {"type": "string"}}},
                "Self": {"$ref": "#/components/schemas/Self"},
            }
        }
    },
    Schemas,
)
SOUND = "kind: Thing\nsize: 1\n"


def findings(text):
    [node] = safe_yaml.compose(text)
    schema = SCHEMAS.of("x.io/v1", "Thing")
    assert schema
    return [(each.path, each.line) for each in check_object(node, schema, SCHEMAS)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ratio: 1\n",
        "ratio: 1.5\non: yes\nmode: Fast\n",
        "port: http\nany: 5\n",
        "port: 80\nany: '5'\n",
        "secret: aGk=\n",
        "labels: {a: b}\n",
        "labels:\n",
        "free: {b: {c: 1}}\n",
        "items: [{name: a}, {}]\n",
        "self: {a: 1}\n",
        "base: &b {name: a}\n".replace("base", "free") + "items: [{<<: *b}]\n",
    ],
)
def test_what_the_server_takes(text):
    assert findings(SOUND + text) == []


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("sizes: 1\n", "sizes", 3),
        ("ratio: x\n", "ratio", 3),
        ("ratio: '1'\n", "ratio", 3),
        ("on: 'yes'\n", "on", 3),
        ("mode: fast\n", "mode", 3),
        ("mode: 5\n", "mode", 3),
        ("port: 1.5\n", "port", 3),
        ("port: [80]\n", "port", 3),
        ("secret: hello\n", "secret", 3),
        ("labels:\n  a: 1\n", "labels.a", 4),
        ("labels:\n  a: y\n", "labels.a", 4),
        ("labels: [a]\n", "labels", 3),
        ("labels: {a.b/c: 1}\n", 'labels["a.b/c"]', 3),
        ("items: {}\n", "items", 3),
        ("items:\n- name: a\n- nam: b\n", "items[1].nam", 5),
        ("free: {a: 1}\n", "free.a", 3),
    ],
)
def test_what_it_refuses_with_path_and_line(text, path, line):
    assert findings(SOUND + text) == [(path, line)]


def test_a_missing_required_field():
    assert findings("kind: Thing\n") == [("size", 1)]


def test_a_near_name_is_suggested():
    [node] = safe_yaml.compose("kind: Thing\nsize: 1\nlabel: {}\n")
    [finding] = check_object(node, SCHEMAS.of("x.io/v1", "Thing"), SCHEMAS)
    assert "labels" in str(finding.hint)


def test_findings_are_capped():
    assert len(findings(SOUND + "".join(f"x{number}: 1\n" for number in range(100)))) == 20


def test_schemas_outlive_the_program_and_are_shared_by_hash(tmp_path):
    SchemaStore(tmp_path).keep("https://one", "x.io/v1", "HASH", SCHEMAS)
    later = SchemaStore(tmp_path)
    known = later.known("https://one", "x.io/v1")
    assert known is not None and known.of("x.io/v1", "Thing") is not None
    assert later.known("https://two", "x.io/v1") is None
    assert later.has("HASH") and not later.has("OTHER")
    later.serves("https://two", "x.io/v1", "HASH")
    assert later.known("https://two", "x.io/v1") is not None


def test_a_damaged_file_only_means_that_nothing_is_known(tmp_path):
    SchemaStore(tmp_path).keep("https://one", "v1", "HASH", SCHEMAS)
    for path in tmp_path.iterdir():
        path.write_text("{broken")
    assert SchemaStore(tmp_path).known("https://one", "v1") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    store = SchemaStore(tmp_path / "file" / "below")
    store.keep("https://one", "v1", "HASH", SCHEMAS)
    assert store.known("https://one", "v1") is not None


def test_names_are_quoted_in_paths():
    assert (
        path_of("apps/v1", Resource("deployments", True), "fe", "web") == "/apis/apps/v1/namespaces/fe/deployments/web"
    )
    assert path_of("v1", Resource("namespaces", False), "", "a/../b") == "/api/v1/namespaces/a%2F..%2Fb"
