"""The fold over a run's events: tree by owner, repeated events counted, one verdict."""

import pytest

from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import (
    ClusterEvent,
    Health,
    Notice,
    Phase,
    ResourceChanged,
    RunFinished,
    RunStarted,
    StepFinished,
)
from ansflow_desktop.presenters.run_view import RunFold

HEAD = {"time": 1.0, "run": "r"}


def changed(kind, name, health=Health.HEALTHY, owner=""):
    return ResourceChanged(**HEAD, kind=kind, namespace="fe", name=name, health=health, owner=owner)


def folded(*events):
    fold = RunFold(0, 300)
    for event in events:
        fold.apply(event)
    return fold.view()


def test_objects_stand_below_their_owners_whatever_comes_first():
    view = folded(
        changed("Pod", "web-1-a", owner="ReplicaSet/web-1"),
        changed("ReplicaSet", "web-1", owner="Deployment/web"),
        changed("Service", "web"),
        changed("Deployment", "web", Health.PROGRESSING),
    )
    roots = {node.key: node for node in view.resources}
    assert set(roots) == {"Service/web", "Deployment/web"}
    assert roots["Deployment/web"].children[0].children[0].key == "Pod/web-1-a"
    assert str(view.doing) == "Waiting for 1 of 2 resources"


def test_an_owner_that_is_not_known_does_not_hide_its_objects():
    assert [node.key for node in folded(changed("Pod", "p", owner="Job/gone")).resources] == ["Pod/p"]


def test_a_later_state_takes_the_place_of_the_earlier():
    view = folded(changed("Pod", "p", Health.PROGRESSING), changed("Pod", "p", Health.DEGRADED))
    assert [node.health for node in view.resources] == [Health.DEGRADED]


def test_repeated_events_are_counted():
    event = ClusterEvent(
        **HEAD, kind="Pod", namespace="fe", name="p", reason="BackOff", message="Back-off", warning=True
    )
    rows = folded(event, event, event).timeline
    assert [(row.tone, row.count) for row in rows] == [("bad", 3)]


def test_decisions_for_the_log_stay_out_of_the_timeline():
    view = folded(
        Notice(**HEAD, level="debug", message="found ./Chart.yaml"), Notice(**HEAD, level="warning", message="w")
    )
    assert [row.text for row in view.timeline] == ["w"]


@pytest.mark.parametrize(
    ("phase", "tone"),
    [(Phase.SUCCEEDED, "ok"), (Phase.FAILED, "bad"), (Phase.CANCELLED, "warn"), (Phase.UNKNOWN, "warn")],
)
def test_the_verdict_says_what_the_cluster_says(phase, tone):
    release = Release(name="web", namespace="fe", revision=4, status=ReleaseStatus.FAILED)
    done = StepFinished(**HEAD, step="deploy", phase=phase, message="timed out", hint="Look.", release=release)
    view = folded(RunStarted(**HEAD, pipeline="p", steps=("deploy",)), done, RunFinished(time=9, run="r", phase=phase))
    assert (view.verdict.tone, view.verdict.release.status) == (tone, ReleaseStatus.FAILED)
    assert view.verdict.words == ("" if phase is Phase.SUCCEEDED else "timed out")
    assert (view.running, view.started, view.finished) == (False, 1, 9)


def test_unknown_says_what_to_do_even_where_nobody_else_did():
    view = folded(RunFinished(**HEAD, phase=Phase.UNKNOWN))
    assert "not known" in str(view.verdict.title)
    assert view.running is False
