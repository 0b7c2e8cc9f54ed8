"""A live object cut down to what one field manager set: the part that a rollback sends again."""

from __future__ import annotations

import pytest

from ansflow_desktop.executors.manifest_fields import cut_down, differing, merged, owned

FIELDS = {
    "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {'v:"a/b"': {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"main"}': {
                        ".": {},
                        "f:image": {},
                        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}}},
                    }
                }
            }
        },
    },
}


def entry(manager="ansflow", operation="Apply", fields=FIELDS, **more):
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def live(**changes):
    main = {
        "name": "main",
        "image": "nginx",
        "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 81, "protocol": "TCP"}],
        "imagePullPolicy": "Always",
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "fe",
            "labels": {"app": "web", "theirs": "1"},
            "finalizers": ["c/d", "a/b"],
            "uid": "1",
            "resourceVersion": "7",
            "managedFields": [entry(), entry("hpa", "Update", {"f:spec": {"f:paused": {}}})],
        },
        "spec": {
            "replicas": 0,
            "paused": True,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "side", "image": "x"}, main], "dnsPolicy": "Default"}},
        },
        "status": {"replicas": 3},
        **changes,
    }


def test_only_what_the_manager_set_is_left():
    assert cut_down(live(), owned(live(), "ansflow")) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "fe", "labels": {"app": "web"}, "finalizers": ["a/b"]},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "spec": {
                    "containers": [
                        {"name": "main", "image": "nginx", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
                    ]
                }
            },
        },
    }


def test_what_was_not_there_is_left_out():
    fields = {"f:spec": {"f:gone": {"f:deep": {}}, "f:replicas": {}}, "f:data": {"f:a": {}}}
    assert cut_down(live(), fields)["spec"] == {"replicas": 0}
    assert "data" not in cut_down(live(), fields)


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        (entry(), True),
        (entry(operation="Update"), False),
        (entry(subresource="status"), False),
        (entry("kubectl"), False),
        (entry("kubectl-client-side-apply", "Update"), True),
    ],
)
def test_whose_fields_count(found, counts):
    obj = {"metadata": {"managedFields": [found]}}
    assert bool(owned(obj, "ansflow")) is counts


def test_no_record_of_fields_is_no_field():
    assert owned({}, "ansflow") == owned({"metadata": {}}, "ansflow") == {}
    assert cut_down(live(), {})["metadata"]["name"] == "web"


def test_fields_are_joined():
    assert merged({"f:a": {"f:b": {}}}, {"f:a": {"f:c": {}}, "f:d": {}}) == {"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}}


def test_differences_leave_out_what_controllers_write():
    other = live(status={})
    other["metadata"] = {
        **other["metadata"],
        "resourceVersion": "9",
        "annotations": {"deployment.kubernetes.io/revision": "2"},
    }
    assert differing(live(), other) == []
    other["spec"] = {**other["spec"], "replicas": 2, "paused": False}
    assert differing(live(), other) == ["spec.paused", "spec.replicas"]
