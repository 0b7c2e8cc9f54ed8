"""Figures of a cluster: quantities, what the scheduler counts, pages, forbidden parts, lists that run out of time."""

from __future__ import annotations

import time

import msgspec
import pytest
from api_kit import FORBIDDEN, Api, document, play, silent, status

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import quantity, usage
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.statistics import read_statistics
from ansflow_desktop.models.cluster import Amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1", 1),
        ("100m", 0.1),
        ("250000n", 0.00025),
        ("3u", 3e-6),
        ("1.5", 1.5),
        (".5", 0.5),
        ("2.", 2),
        ("+3", 3),
        ("-1", -1),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1.5Gi", 1.5 * 1024**3),
        ("2M", 2e6),
        ("1T", 1e12),
        ("1Ti", 1024**4),
        ("1P", 1e15),
        ("1Pi", 1024**5),
        ("1E", 1e18),
        ("1Ei", 1024**6),
        ("12e6", 12e6),
        ("12E6", 12e6),
        ("1e-3", 0.001),
        ("7G", 7e9),
        ("5Mi", 5 * 1024**2),
    ],
)
def test_every_form_of_a_quantity(text, value):
    assert quantity.parse(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("text", ["", "m", "1KiB", "1 Gi", "0x10", "1e", "1e999", "nan", "inf", "1,5", "K", "9" * 80])
def test_what_is_no_quantity(text):
    with pytest.raises(ValueError, match="no quantity"):
        quantity.parse(text)
    assert quantity.parse_or_zero(text) == 0


def wants(cpu="0", memory="0", **more):
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


@pytest.mark.parametrize(
    ("spec", "cpu", "memory"),
    [
        ({"containers": [wants("100m", "64Mi"), wants("1", "1Gi")]}, 1.1, 1088 * 1024**2),
        ({"containers": [{}]}, 0, 0),
        ({"containers": [wants("1")], "initContainers": [wants("3"), wants("2")]}, 3, 0),
        ({"containers": [wants("1")], "initContainers": [wants("1", restartPolicy="Always"), wants("3")]}, 4, 0),
        ({"containers": [wants("1")], "initContainers": [wants("3"), wants("1", restartPolicy="Always")]}, 3, 0),
        ({"containers": [wants("2")], "initContainers": [wants("1", restartPolicy="Always")]}, 3, 0),
        ({"containers": [wants("1")], "overhead": {"cpu": "250m", "memory": "120Mi"}}, 1.25, 120 * 1024**2),
        ({"containers": [wants("1", "1Gi")], **wants("3", "2Gi")}, 3, 2 * 1024**3),
        ({"containers": [wants("1", "1Gi")], "resources": {"requests": {"cpu": "2"}}}, 2, 1024**3),
        ({"containers": [{"resources": {"requests": {"cpu": 2}}}]}, 2, 0),
        ({"containers": [{"resources": {"requests": {"cpu": "odd"}}}]}, 0, 0),
        ({"containers": [], "initContainers": None}, 0, 0),
    ],
)
def test_what_a_pod_asks_for(spec, cpu, memory):
    pod = msgspec.convert({"spec": spec, "status": {}}, usage.Pod)
    found = usage.requested(pod)
    assert (found.cpu, found.memory) == (pytest.approx(cpu), pytest.approx(memory))


def pod(phase, cpu="100m", memory="64Mi"):
    return {"metadata": {"name": "p"}, "spec": {"containers": [wants(cpu, memory)]}, "status": {"phase": phase}}


def node(ready="True"):
    conditions = [{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": ready}]
    return {"status": {"allocatable": {"cpu": "4", "memory": "8Gi"}, "conditions": conditions}}


def deployment(ready):
    state = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": ready}
    return {"metadata": {"generation": 1}, "spec": {"replicas": 2}, "status": state}


def selected(item, selector):
    """Whether `item` is one that a field selector over its phase selects."""
    wanted = [part.partition("=") for part in selector.split(",") if part]
    phase = item.get("status", {}).get("phase")
    return all((phase != value) if field.endswith("!") else (phase == value) for field, _, value in wanted)


def paged(items):
    """Return an answer that gives `items` in pages as they are asked for."""

    def answer(query, body):
        start, size = int(query.get("continue", 0)), int(query.get("limit", len(items)))
        assert size <= 100 or "metadata" in str(items[:1]) or query["includeObject"] == "None"
        found = [one for one in items if selected(one, query.get("fieldSelector", ""))]
        more = {"continue": str(start + size)} if start + size < len(found) else {}
        return 200, {"metadata": more, "items": found[start : start + size]}

    return answer


PODS = (
    [pod("Running")] * 230
    + [pod("Pending")] * 3
    + [pod("Succeeded", "9")] * 5
    + [pod("Failed", "9"), pod("Unknown", "1")]
)


def cluster():
    return {
        "/version": (200, {"gitVersion": "v1.36.3"}),
        "/api/v1/nodes": paged([node(), node(), node("Unknown")]),
        "/api/v1/namespaces": paged([{"metadata": {"name": f"n{number}"}} for number in range(7)]),
        "/api/v1/pods": paged(PODS),
        "/apis/apps/v1/deployments": paged([deployment(2), deployment(2), deployment(1)]),
        "/apis/apps/v1/statefulsets": paged([]),
        "/apis/apps/v1/daemonsets": paged([]),
        "/apis/batch/v1/jobs": paged([{"status": {"conditions": [{"type": "Failed", "status": "True"}]}}]),
        "/apis/metrics.k8s.io/v1beta1/nodes": (200, {"items": [{"usage": {"cpu": "1500m", "memory": "2Gi"}}] * 2}),
    }


def read(api, handler=None, timeout=10.0):
    async def story(port):
        return await read_statistics(document(f"http://127.0.0.1:{port}"), "x", timeout)

    return play(story, handler or api.serve)


def test_all_figures_over_several_pages():
    api = Api(cluster())
    found = read(api)
    assert (found.cluster, found.version, found.nodes, found.nodes_ready, found.namespaces) == ("x", "v1.36.3", 3, 2, 7)
    assert found.pods == {"Running": 230, "Pending": 3, "Succeeded": 5, "Failed": 1, "Unknown": 1}
    assert found.requested == Amount(cpu=pytest.approx(233 * 0.1 + 1), memory=pytest.approx(234 * 64 * 1024**2))
    assert found.allocatable == Amount(cpu=12, memory=24 * 1024**3)
    assert found.used == Amount(cpu=3, memory=4 * 1024**3)
    assert found.workloads["Deployment"] == {"Healthy": 2, "Progressing": 1}
    assert found.workloads["Job"] == {"Degraded": 1} and found.workloads["StatefulSet"] == {}
    assert found.messages == () and abs(found.read_at - time.time()) < 60
    read_whole = [query for _, path, query, _ in api.asked if path == "/api/v1/pods" and "includeObject" not in query]
    assert [query.get("continue") for query in read_whole] == [None, "100", "200"]


def test_figures_are_told_before_what_pods_request_is_read():
    early = []

    async def story(port):
        return await read_statistics(document(f"http://127.0.0.1:{port}"), "x", 10.0, early.append)

    whole = play(story, Api(cluster()).serve)
    assert [(one.complete, one.requested, one.pods == whole.pods, one.nodes) for one in early] == [
        (False, None, True, 3)
    ]
    assert whole.complete and whole.requested is not None


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/nodes", "nodes"),
        ("/api/v1/namespaces", "namespaces"),
        ("/api/v1/pods", "pods"),
        ("/apis/metrics.k8s.io/v1beta1/nodes", "used"),
    ],
)
def test_what_is_forbidden_is_none_and_said_and_hides_nothing_else(path, field):
    found, whole = read(Api({**cluster(), path: FORBIDDEN})), read(Api(cluster()))
    fields = ("nodes", "namespaces", "pods", "used", "workloads")
    assert getattr(found, field) is None
    assert [getattr(found, name) for name in fields if name != field] == [
        getattr(whole, name) for name in fields if name != field
    ]
    assert len(found.messages) == 1 and "it is forbidden" in translate(found.messages[0])


def test_a_forbidden_kind_of_workload_is_left_out():
    found = read(Api({**cluster(), "/apis/apps/v1/daemonsets": FORBIDDEN}))
    assert set(found.workloads) == {"Deployment", "StatefulSet", "Job"}
    assert translate(found.messages[0]) == "DaemonSet: it is forbidden"


def test_without_metrics_nothing_is_said():
    answers = cluster()
    del answers["/apis/metrics.k8s.io/v1beta1/nodes"]
    found = read(Api(answers))
    assert found.used is None and found.messages == ()


def test_a_list_that_ran_out_of_time_is_read_anew():
    answers, gone = cluster(), []

    def once(query, body):
        if "continue" in query and not gone:
            gone.append(query)
            return status(410, "the continue token is too old", "Expired")
        return paged(PODS)(query, body)

    answers["/api/v1/pods"] = once
    assert sum(read(Api(answers)).pods.values()) == len(PODS)
    assert gone


def test_a_list_that_always_runs_out_of_time_is_said():
    answers = cluster()
    answers["/api/v1/pods"] = lambda query, body: (
        status(410, "the continue token is too old") if "continue" in query else paged(PODS)(query, body)
    )
    found = read(Api(answers))
    assert found.requested is None and found.pods is not None and found.nodes == 3
    assert "too old" in translate(found.messages[0])


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"items": 3}', b"\xff"])
def test_an_answer_that_makes_no_sense_is_said(body):
    found = read(Api({**cluster(), "/api/v1/nodes": (200, body)}))
    assert found.nodes is None and found.pods and len(found.messages) == 1


def test_refused_and_frozen_are_errors():
    unauthorized = status(401, "Unauthorized", "Unauthorized")
    with pytest.raises(KubeError) as refused:
        read(Api(dict.fromkeys(cluster(), unauthorized)))
    assert (int(refused.value.code), refused.value.status) == (3, 401)
    with pytest.raises(KubeError) as half:
        read(Api({**cluster(), "/api/v1/pods": unauthorized}))
    assert half.value.status == 401
    with pytest.raises(KubeError) as frozen:
        read(None, silent, timeout=0.2)
    assert int(frozen.value.code) == 3
