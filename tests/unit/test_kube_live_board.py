"""kube/live_board.py: what belongs to a release, each change once, whatever the order it is heard in."""

from __future__ import annotations

import math

import msgspec
import pytest

from ansflow_desktop.kube.live_board import EventUpdate, LiveBoard, Object
from ansflow_desktop.models.run import Health


def made(name, owner=None, ready=False, labels=None, annotations=None, **spec):
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    raw = {
        "metadata": {
            "name": name,
            "namespace": "ns",
            "ownerReferences": owners,
            "labels": labels or {},
            "annotations": annotations or {},
        },
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True"}]} if ready else {},
    }
    return msgspec.convert(raw, Object)


def event(kind, name, uid="e", version="1", **more):
    raw = {
        "metadata": {"uid": uid, "resourceVersion": version},
        "involvedObject": {"kind": kind, "name": name, "namespace": "ns"},
        "reason": "R",
        "message": "m",
        "type": "Warning",
        **more,
    }
    return msgspec.convert(raw, Object)


def names(board):
    return [(item.kind, item.name) for item in board.changes()]


@pytest.fixture
def board():
    return LiveBoard([("Deployment", "web")], "rel")


def test_pods_belong_through_their_replica_set_and_strangers_do_not(board):
    board.put("Deployment", made("web"))
    board.put("ReplicaSet", made("web-1", ("Deployment", "web")))
    board.put("Pod", made("web-1-a", ("ReplicaSet", "web-1")))
    board.put("Pod", made("other"))
    board.put("Pod", made("job-x", ("Job", "other")))
    assert names(board) == [("Deployment", "web"), ("ReplicaSet", "web-1"), ("Pod", "web-1-a")]


def test_a_pod_that_is_heard_of_before_its_owner_is_told_later(board):
    board.put("Pod", made("web-1-a", ("ReplicaSet", "web-1")))
    assert names(board) == []
    board.put("ReplicaSet", made("web-1", ("Deployment", "web")))
    assert set(names(board)) == {("Pod", "web-1-a"), ("ReplicaSet", "web-1")}
    assert names(board) == []


def test_label_or_annotation_with_the_releases_name_belongs_too(board):
    board.put("Job", made("hook", labels={"app.kubernetes.io/instance": "rel"}))
    board.put("Job", made("other", labels={"app.kubernetes.io/instance": "other"}))
    board.put("Service", made("svc", annotations={"meta.helm.sh/release-name": "rel"}))
    assert names(board) == [("Job", "hook"), ("Service", "svc")]


def test_pods_of_an_object_that_is_adopted_later_are_told_then(board):
    board.put("StatefulSet", made("db"))
    board.put("Pod", made("db-0", ("StatefulSet", "db")))
    assert names(board) == []
    board.put("StatefulSet", made("db", annotations={"meta.helm.sh/release-name": "rel"}))
    assert set(names(board)) == {("StatefulSet", "db"), ("Pod", "db-0")}


def test_without_a_releases_name_labels_mean_nothing():
    board = LiveBoard([])
    board.put("Pod", made("x", labels={"app.kubernetes.io/instance": ""}))
    assert names(board) == []


def test_only_changes_are_told(board):
    board.put("Deployment", made("web"))
    assert len(list(board.changes())) == 1
    board.put("Deployment", made("web", annotations={"x": "y"}))
    assert list(board.changes()) == []


def test_the_last_of_many_changes_is_told_once(board):
    pod = ("Deployment", "web")
    for ready in (False, True, False, True):
        board.put("Pod", made("p", pod, ready=ready))
    (update,) = board.changes()
    assert (update.health, update.owner) == (Health.HEALTHY, "Deployment/web")


def test_a_deleted_object_is_missing_and_may_come_back(board):
    board.put("Pod", made("p", ("Deployment", "web")))
    list(board.changes())
    board.remove("Pod", "p")
    assert [item.health for item in board.changes()] == [Health.MISSING]
    assert list(board.changes()) == []
    board.put("Pod", made("p", ("Deployment", "web"), ready=True))
    assert [item.health for item in board.changes()] == [Health.HEALTHY]


def test_what_a_new_list_does_not_hold_was_deleted(board):
    for name in ("a", "b"):
        board.put("Pod", made(name, ("Deployment", "web")))
    list(board.changes())
    board.keep_only("Pod", {"a"})
    assert [(item.name, item.health) for item in board.changes()] == [("b", Health.MISSING)]


def test_former_replica_sets_are_not_told_but_one_that_ends_now_is(board):
    board.put("ReplicaSet", made("old", ("Deployment", "web"), replicas=0))
    board.put("ReplicaSet", made("now", ("Deployment", "web"), replicas=1))
    assert names(board) == [("ReplicaSet", "now")]
    board.put("ReplicaSet", made("now", ("Deployment", "web"), replicas=0))
    assert names(board) == [("ReplicaSet", "now")]


def test_events_are_told_once_and_again_when_they_repeat(board):
    board.put_event(event("Deployment", "web"))
    board.put_event(event("Deployment", "web"))
    board.put_event(event("Deployment", "web", version="2"))
    board.put_event(event("Deployment", "other", uid="o"))
    found = list(board.changes())
    assert [type(item) for item in found] == [EventUpdate, EventUpdate]
    assert (found[0].warning, found[0].reason, found[0].namespace) == (True, "R", "ns")
    assert list(board.changes()) == []


def test_an_event_waits_for_its_object(board):
    board.put_event(event("Pod", "p"))
    assert names(board) == []
    board.put("Pod", made("p", ("Deployment", "web")))
    assert names(board) == [("Pod", "p"), ("Pod", "p")]


def test_an_event_on_a_pod_that_is_gone_is_still_told(board):
    board.put("Pod", made("p", ("Deployment", "web")))
    list(board.changes())
    board.remove("Pod", "p")
    board.put_event(event("Pod", "p"))
    assert [item.name for item in board.changes()] == ["p", "p"]


def test_hostile_words_in_events_are_cleaned(board):
    board.put_event(event("Deployment", "web", message="\x1b[2Jx\u202e", reason="a\x00b"))
    (update,) = board.changes()
    assert (update.message, update.reason) == ("x", "ab")


def test_owners_in_a_circle_end(board):
    board.put("Pod", made("a", ("Pod", "b")))
    board.put("Pod", made("b", ("Pod", "a")))
    assert names(board) == []


def test_when_an_event_happened():
    assert event("Pod", "p", lastTimestamp="1970-01-01T00:00:10Z").happened == 10
    assert event("Pod", "p", eventTime="1970-01-01T00:00:10.500000Z").happened == 10.5
    assert event("Pod", "p", series={"lastObservedTime": "1970-01-01T00:00:20Z"}, lastTimestamp=None).happened == 20
    assert event("Pod", "p").happened == math.inf
