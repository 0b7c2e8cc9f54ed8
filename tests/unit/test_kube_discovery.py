"""Kinds of a cluster from both forms of the API's discovery, found under all their names."""

from __future__ import annotations

import asyncio
import json

import pytest

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.kube.discovery import find_kind, served_kinds
from ansflow_desktop.kube.errors import KubeError


def resource(plural, kind, scope="Namespaced", short=(), singular="", version="v1", group=""):
    return {
        "resource": plural,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "scope": scope,
        "singularResource": singular,
        "verbs": ["get", "list", "delete"],
        "shortNames": list(short),
    }


def aggregated(*groups):
    items = [
        {"metadata": {"name": name}, "versions": [{"version": v, "resources": found} for v, found in versions]}
        for name, versions in groups
    ]
    return {"kind": "APIGroupDiscoveryList", "items": items}


NEW = {
    "/api": aggregated(("", [("v1", [resource("pods", "Pod", short=["po"]), resource("nodes", "Node", "Cluster")])])),
    "/apis": aggregated(
        ("apps", [("v1", [resource("deployments", "Deployment", short=["deploy"])])]),
        (
            "example.com",
            [
                ("v2", [resource("pods", "Pod"), resource("gadgets", "Gadget", short=["gd"])]),
                ("v1", [resource("gadgets", "Gadget"), resource("olds", "Old")]),
            ],
        ),
    ),
}
OLD = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "resources": [
            {"name": "pods", "kind": "Pod", "singularName": "pod", "namespaced": True, "shortNames": ["po"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": True},
            {"name": "nodes", "kind": "Node", "namespaced": False},
        ]
    },
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {"name": "apps", "preferredVersion": {"groupVersion": "apps/v1"}},
            {"name": "down.example.com", "preferredVersion": {"groupVersion": "down.example.com/v1"}},
        ],
    },
    "/apis/apps/v1": {"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}]},
}


class Server:
    """Answers from a mapping; what is not in it is a group whose own server is down."""

    def __init__(self, answers):
        self.answers = answers

    async def get(self, path, accept=""):
        if path not in self.answers:
            raise KubeError("away", code=ExitCode.UNREACHABLE, status=503)
        return json.dumps(self.answers[path]).encode()


def kinds_of(answers):
    return asyncio.run(served_kinds(Server(answers)))


@pytest.mark.parametrize("answers", [NEW, OLD])
@pytest.mark.parametrize("word", ["pod", "pods", "Pod", "po"])
def test_a_kind_is_found_under_all_its_names(answers, word):
    found = find_kind(kinds_of(answers), word)
    assert (found.group, found.kind, found.path("fe", "a b")) == ("", "Pod", "/api/v1/namespaces/fe/pods/a%20b")


@pytest.mark.parametrize("answers", [NEW, OLD])
def test_kinds_of_groups_and_of_the_whole_cluster(answers):
    kinds = kinds_of(answers)
    for word in ("deployments", "deployment.apps", "Deployment.v1.apps"):
        found = find_kind(kinds, word)
        assert (found.path("fe"), found.resource) == ("/apis/apps/v1/namespaces/fe/deployments", "deployments.v1.apps")
    assert find_kind(kinds, "node").path("fe", "n") == "/api/v1/nodes/n"
    assert find_kind(kinds, "deployment.example.com") is None
    assert find_kind(kinds, "gizmo") is None


def test_the_first_group_and_the_preferred_version_win():
    kinds = kinds_of(NEW)
    assert find_kind(kinds, "pods").group == ""
    assert find_kind(kinds, "pods.example.com").version == "v2"
    assert find_kind(kinds, "gd").version == "v2"
    assert find_kind(kinds, "olds").version == "v1"
    assert len([kind for kind in kinds if kind.kind == "Gadget"]) == 1
