"""Namespaces for every box: listed, or those one may use; kept with their age; old ones where nobody answers."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from api_kit import ACCESS, FORBIDDEN, RULES, WHO, Api, document, play, reviewed, status

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.namespace_cache import NamespaceCache, candidates
from ansflow_desktop.kube.namespaces import usable_namespaces
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.settings import LastDeploy, Settings

PROJECTS = "/apis/project.openshift.io/v1/projects"
SPACES = "/api/v1/namespaces"


def items(*names):
    return 200, {"items": [{"metadata": {"name": name}} for name in names]}


def rules(usable, incomplete=()):
    """Return the rules of a user who may do something in `usable`; the basic rights of everybody are everywhere."""

    def answer(query, body):
        name = body["spec"]["namespace"]
        found = [
            {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]}
        ]
        if name in usable:
            found.append({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]})
        return 201, {"status": {"resourceRules": found, "incomplete": name in incomplete}}

    return answer


def ask(api, own="", names=()):
    async def story(port):
        asked = document(f"http://127.0.0.1:{port}")
        if own:
            asked["contexts"][0]["context"]["namespace"] = own
        return await usable_namespaces(asked, names)

    return play(story, api.serve)


def test_listed_in_order():
    found = ask(Api({SPACES: items("b", "a")}))
    assert (found.names, found.complete, found.message) == (("a", "b"), True, "")
    assert abs(found.read_at - time.time()) < 60


def test_what_no_namespace_can_be_called_is_no_namespace():
    found = ask(Api({SPACES: items("b", "--kubeconfig=/x", "prod\u202e", "a/../b", "")}))
    assert found.names == ("b",)
    assert ask(Api({SPACES: FORBIDDEN, PROJECTS: items("p", "-x"), WHO: reviewed("anna")})).names == ("p",)


def test_where_listing_is_forbidden_those_that_may_be_used():
    account = reviewed("system:serviceaccount:build:robot")
    api = Api({SPACES: FORBIDDEN, WHO: account, RULES: rules({"noted", "build"})})
    found = ask(api, names=("noted", "recent", "Not A Name", "noted"))
    assert found.names == ("build", "noted")
    assert not found.complete and "it is forbidden" in translate(found.message)
    assert [path for _, path, *_ in api.asked].count(RULES) == 4  # noted, recent, build, default


def test_the_contexts_own_stays_whatever_the_rules_say():
    assert ask(Api({SPACES: FORBIDDEN, WHO: reviewed("anna"), RULES: rules(())}), own="mine").names == ("mine",)


def test_nothing_that_may_be_used():
    found = ask(Api({SPACES: FORBIDDEN, WHO: reviewed("anna"), RULES: rules(())}), names=("a",))
    assert found.names == () and not found.complete


def test_the_projects_of_openshift():
    api = Api({SPACES: FORBIDDEN, PROJECTS: items("team-b", "team-a"), WHO: reviewed("anna"), RULES: rules(())})
    assert ask(api).names == ("team-a", "team-b")


def test_where_the_rules_are_incomplete_the_right_to_list_pods_decides():
    def access(query, body):
        return 201, {"status": {"allowed": body["spec"]["resourceAttributes"]["namespace"] == "cloud"}}

    answers = {SPACES: FORBIDDEN, WHO: reviewed("anna"), ACCESS: access}
    api = Api({**answers, RULES: rules((), incomplete=("cloud", "other"))})
    assert ask(api, names=("cloud", "other")).names == ("cloud",)
    assert ask(Api({**answers, RULES: FORBIDDEN}), names=("cloud", "other")).names == ("cloud",)


@pytest.mark.parametrize("answer", [status(401, "Unauthorized"), (200, b"<html>"), (200, {"items": 3})])
def test_other_answers_are_errors(answer):
    with pytest.raises(KubeError):
        ask(Api({SPACES: answer}))


def read(cache, api, names=(), port_of=None):
    """Read through `cache` from a server that answers as `api`, or from where `port_of` says."""

    async def story(port):
        return await cache.read("x", document(f"http://127.0.0.1:{port_of or port}"), names)

    return play(story, api.serve)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "namespaces.json"


def on_port(cache, story, api):
    async def whole(port):
        return await story(cache, document(f"http://127.0.0.1:{port}"))

    return play(whole, api.serve)


def test_kept_over_starts_with_their_age(path):
    assert NamespaceCache(path).known("x") is None
    found = read(NamespaceCache(path), Api({SPACES: items("a")}))
    assert NamespaceCache(path).known("x") == found
    assert NamespaceCache(path).known("y") is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_name_that_leads_to_another_server_has_nothing_kept(path):
    cache = NamespaceCache(path)
    read(cache, Api({SPACES: items("a")}))
    assert cache.known("x", "https://elsewhere") is None


def test_old_ones_where_the_cluster_cannot_be_asked(path):
    api = Api({SPACES: items("a")})

    async def story(cache, asked):
        first = await cache.read("x", asked)
        api.answers = {SPACES: status(500, "etcd is gone")}
        return first, await cache.read("x", asked)

    first, later = on_port(NamespaceCache(path), story, api)
    assert (later.names, later.read_at) == (first.names, first.read_at)
    assert "etcd is gone" in translate(later.message)
    assert NamespaceCache(path).known("x").message == ""


def test_refused_credentials_are_an_error_though_old_ones_are_known(path):
    api = Api({SPACES: items("a")})

    async def story(cache, asked):
        await cache.read("x", asked)
        api.answers = {SPACES: status(401, "Unauthorized")}
        with pytest.raises(KubeError) as refused:
            await cache.read("x", asked)
        return refused.value.status

    assert on_port(NamespaceCache(path), story, api) == 401


def test_those_found_once_are_asked_for_again(path):
    api = Api({SPACES: FORBIDDEN, WHO: reviewed("anna"), RULES: rules({"found"})})

    async def story(cache, asked):
        await cache.read("x", asked, ("found",))
        return await cache.read("x", asked)

    assert on_port(NamespaceCache(path), story, api).names == ("found",)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x": 3}', b"\xff\xfe", b'{"x": {"server": "s"}}'])
def test_a_damaged_file_only_means_reading_again(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    cache = NamespaceCache(path)
    assert cache.known("x") is None
    assert read(cache, Api({SPACES: items("a")})).names == ("a",)
    assert NamespaceCache(path).known("x").names == ("a",)


def test_a_place_that_cannot_be_written_keeps_them_for_this_start(tmp_path):
    (tmp_path / "data").write_text("a file in the place of the folder")
    cache = NamespaceCache(tmp_path / "data" / "namespaces.json")
    assert read(cache, Api({SPACES: items("a")})).names == ("a",)
    assert cache.known("x").names == ("a",)


def test_forgotten_and_renamed(path):
    cache = NamespaceCache(path)
    read(cache, Api({SPACES: items("a")}))
    cache.rename("x", "y")
    cache.rename("y", "y")
    assert NamespaceCache(path).known("x") is None and NamespaceCache(path).known("y").names == ("a",)
    cache.forget("y")
    assert json.loads(path.read_text()) == {}


def test_many_readers_at_once_lose_nothing(path):
    cache = NamespaceCache(path)

    async def story(port):
        asked = document(f"http://127.0.0.1:{port}")
        await asyncio.gather(*(cache.read(f"c{number}", asked) for number in range(8)))

    play(story, Api({SPACES: items("a")}).serve)
    known = NamespaceCache(path)
    assert all(known.known(f"c{number}") == cache.known(f"c{number}") is not None for number in range(8))


def test_candidates_are_the_noted_one_and_those_of_earlier_deploys():
    last = {
        "/a": LastDeploy(cluster="x", namespace="used"),
        "/b": LastDeploy(cluster="y", namespace="other"),
        "/c": LastDeploy(cluster="x", namespace="noted"),
        "/d": LastDeploy(cluster="x"),
    }
    entry = ClusterEntry(name="x", context="x", namespace="noted")
    assert candidates(entry, Settings(last=last)) == ("noted", "used")
