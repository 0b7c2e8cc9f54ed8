"""Following a release on a real control plane: a rollout, trouble, frozen and forbidden servers."""

from __future__ import annotations

import copy
import gc
import json
import selectors
import socket
import subprocess
import threading
import time
import warnings
from urllib.parse import urlsplit

import pytest

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube.live import KINDS, EventUpdate, ReleaseFollower, ResourceUpdate
from ansflow_desktop.models.run import Health

WAIT_S = 30


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


class Updates:
    """What a follower said, to be waited for."""

    def __init__(self) -> None:
        self.all: list[ResourceUpdate | EventUpdate] = []
        self._more = threading.Condition()

    def __call__(self, update) -> None:
        with self._more:
            self.all.append(update)
            self._more.notify_all()

    def until(self, wanted):
        """Wait for the first update that `wanted` holds for and return it."""
        with self._more:
            found = self._more.wait_for(lambda: [item for item in self.all if wanted(item)], timeout=WAIT_S)
        assert found, self.all
        return found[0]


@pytest.fixture
def follow(document, namespace):
    """Start followers that are stopped at the end, each of which must have ended in time."""
    started = []

    def start(*objects, release="rel", asked=None):
        updates = Updates()
        follower = ReleaseFollower(asked or document, namespace, release, objects, updates)
        follower.start()
        started.append(follower)
        return follower, updates

    yield start
    assert all(follower.stop() for follower in started)


@pytest.fixture
def call(kubectl, kubeconfig, namespace):
    def run(*arguments: str, stdin: str | None = None) -> str:
        argv = [kubectl.path, "--kubeconfig", str(kubeconfig), "-n", namespace, *arguments]
        return subprocess.run(argv, input=stdin, check=True, capture_output=True, text=True, timeout=60).stdout

    return run


@pytest.fixture
def chart(helm4, tmp_path):
    subprocess.run([helm4.path, "create", "fe-app"], cwd=tmp_path, check=True, capture_output=True)
    return str(tmp_path / "fe-app")


def resource(kind, health):
    return lambda item: isinstance(item, ResourceUpdate) and (item.kind, item.health) == (kind, health)


def test_a_release_is_followed_from_before_its_namespace_exists_until_it_is_healthy(
    follow, helm, kubeconfig, namespace, chart
):
    follower, updates = follow(("Deployment", "rel-fe-app"), ("Service", "rel-fe-app"))
    assert follower.wait_ready(WAIT_S)
    argv = [helm.path, "upgrade", "--install", "rel", chart, "--kubeconfig", str(kubeconfig)]
    subprocess.run(
        [*argv, "-n", namespace, "--create-namespace", "--wait"], check=True, capture_output=True, timeout=60
    )
    deployment = updates.until(resource("Deployment", Health.HEALTHY))
    pod = updates.until(resource("Pod", Health.HEALTHY))
    updates.until(lambda item: isinstance(item, EventUpdate) and item.kind == "Pod" and item.reason == "Scheduled")
    assert translate(deployment.message) == "1 of 1 ready"
    assert pod.owner.startswith("ReplicaSet/rel-fe-app-")
    assert {item.namespace for item in updates.all} == {namespace}
    assert follower.problems == {}
    assert follower.stop()
    for before, after in zip(updates.all, updates.all[1:], strict=False):
        assert before != after


def test_strangers_and_old_events_are_left_out(follow, call, namespace):
    call("create", "namespace", namespace)
    call("create", "deployment", "other", "--image=a")
    call("wait", "--for=condition=Available", "deployment/other", "--timeout=30s")
    follower, updates = follow(("Deployment", "ours"))
    assert follower.wait_ready(WAIT_S)
    call("create", "deployment", "ours", "--image=a")
    updates.until(resource("Deployment", Health.HEALTHY))
    updates.until(resource("Pod", Health.HEALTHY))
    assert follower.stop()
    assert not [item for item in updates.all if item.name.startswith("other")]


def test_trouble_is_said_in_plain_words_with_the_servers_own_beside(follow, call, namespace):
    call("create", "namespace", namespace)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "ours", "labels": {"app.kubernetes.io/instance": "rel"}},
        "spec": {"nodeSelector": {"never": "matches"}, "containers": [{"name": "app", "image": "a"}]},
    }
    _, updates = follow()
    call("create", "-f", "-", stdin=json.dumps(pod))
    found = updates.until(resource("Pod", Health.DEGRADED))
    assert translate(found.message) == "Cannot be scheduled"
    assert "node" in found.detail
    warning = updates.until(lambda item: isinstance(item, EventUpdate) and item.reason == "FailedScheduling")
    assert warning.warning
    waiting = {"name": "app", "image": "a", "imageID": "", "ready": False, "restartCount": 0}
    waiting["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling "a\u001b[31m\u202e"'}}
    call("patch", "pod", "ours", "--subresource=status", "-p", json.dumps({"status": {"containerStatuses": [waiting]}}))
    image = updates.until(
        lambda item: "Image" in str(getattr(item, "message", "")) and isinstance(item, ResourceUpdate)
    )
    assert (translate(image.message), image.detail) == ("Image cannot be pulled", 'app: Back-off pulling "a"')
    call("delete", "pod", "ours", "--force", "--grace-period=0")
    updates.until(resource("Pod", Health.MISSING))


def test_a_frozen_server_does_not_hold_the_end_up(follow, document):
    with socket.create_server(("127.0.0.1", 0)) as server:
        frozen = copy.deepcopy(document)
        frozen["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{server.getsockname()[1]}"
        follower, updates = follow(("Deployment", "x"), asked=frozen)
        server.accept()[0].close()
        started = time.monotonic()
        assert follower.stop()
        assert time.monotonic() - started < 2
        assert updates.all == []


def test_a_follower_that_was_never_started_can_be_stopped(document):
    assert ReleaseFollower(document, "x", "rel", [], print).stop()


def test_broken_credentials_are_a_problem_not_a_crash(follow, document):
    broken = copy.deepcopy(document)
    broken["users"][0]["user"] = {"tokenFile": "/no/such/file"}
    follower, _ = follow(asked=broken)
    assert follower.wait_ready(WAIT_S)
    assert "token file" in str(follower.problems[""])


def test_kinds_that_may_not_be_watched_leave_the_others_alone(follow, call, namespace, document):
    call("create", "namespace", namespace)
    call("create", "serviceaccount", "some")
    call("create", "role", "pods", "--verb=get,list,watch", "--resource=pods")
    call("create", "rolebinding", "pods", "--role=pods", f"--serviceaccount={namespace}:some")
    some = copy.deepcopy(document)
    some["users"][0]["user"] = {"token": call("create", "token", "some").strip()}
    follower, updates = follow(("Pod", "ours"), asked=some)
    assert follower.wait_ready(WAIT_S)
    call("run", "ours", "--image=a")
    updates.until(resource("Pod", Health.HEALTHY))
    assert set(follower.problems) == set(KINDS) - {"Pod"}
    assert {error.status for error in follower.problems.values()} == {403}


class Relay:
    """Passes bytes between clients and a server until it is told to freeze: what comes then is never answered."""

    def __init__(self, server: str) -> None:
        self._there = urlsplit(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._frozen, self._ended = threading.Event(), threading.Event()
        self._sockets: list[socket.socket] = [self._listener]
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def freeze(self) -> None:
        self._frozen.set()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)
        for each in self._sockets:
            each.close()

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ, None)
            while not self._ended.is_set():
                for key, _ in () if self._frozen.wait(0.001) else selector.select(0.02):
                    self._pass(selector, key.fileobj, key.data)
                if self._frozen.is_set():
                    self._ended.wait(10)

    def _pass(self, selector, source, target) -> None:
        if target is None:
            near, _ = source.accept()
            far = socket.create_connection((self._there.hostname, self._there.port))
            self._sockets += [near, far]
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            return
        data = source.recv(65536)
        if data:
            target.sendall(data)
        else:
            selector.unregister(source)


def test_watches_leave_no_socket_behind_when_the_server_answers_no_more(follow, document, request):
    relay = Relay(document["clusters"][0]["cluster"]["server"])
    request.addfinalizer(relay.close)
    relayed = copy.deepcopy(document)
    relayed["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    follower, updates = follow(("Deployment", "x"), asked=relayed)
    assert follower.wait_ready(WAIT_S)
    relay.freeze()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        assert follower.stop()
        gc.collect()
    assert [str(each.message) for each in told if "transport" in str(each.message)] == []
    assert updates.all == []
