"""A mark holds for the server: another name of it, a renamed context and another kubeconfig take none off."""

from __future__ import annotations

import json

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.cluster_book import ClusterBook
from ansflow_desktop.executors.guard import ConfirmationNeeded, require_allowed
from ansflow_desktop.kube.approvals import Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.kube.marks import same_server
from ansflow_desktop.models.cluster import ClusterMarks, OwnCluster
from ansflow_desktop.models.pipeline import PipelineStep, StepType
from ansflow_desktop.store.clusters import ClusterShelf

SERVER = "https://10.9.9.9:6443"


def kubeconfig(folder, **servers):
    contexts = [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers]
    clusters = [{"name": name, "cluster": {"server": server}} for name, server in servers.items()]
    users = [{"name": "u", "user": {"token": "abc"}}]
    file = folder / "config"
    file.write_text(json.dumps({"contexts": contexts, "clusters": clusters, "users": users}))
    return file


class Place:
    def __init__(self, folder, **servers):
        self.folder = folder
        self.file = kubeconfig(folder, **servers)
        self.shelf = ClusterShelf(folder / "clusters.json")
        self.catalog = ClusterCatalog((self.file,), Approvals(folder / "a"), folder / "practice", shelf=self.shelf)
        self.book = ClusterBook(self.shelf, None, self.catalog)

    def delete(self, name, confirmed=()):
        step = PipelineStep(name="s", type=StepType.K8S_DELETE, k8s_cluster=name, k8s_config={"selector": "a=b"})
        require_allowed(step, self.catalog, confirmed)


@pytest.mark.parametrize("other", [SERVER, "https://10.9.9.9:6443/", "HTTPS://10.9.9.9:6443", "10.9.9.9:6443"])
def test_another_entry_of_a_read_only_server_is_read_only(tmp_path, other):
    place = Place(tmp_path, prod=SERVER, admin=other, far="https://10.9.9.10:6443")
    place.delete("admin")
    place.book.mark("prod", ClusterMarks(read_only=True))
    with pytest.raises(UserError, match="read-only"):
        place.delete("admin")
    place.delete("far")
    told = place.catalog.entry("admin")
    assert (told.read_only_by, told.production_by, told.held.read_only) == ("prod", "", True)
    assert not place.catalog.entry("prod").read_only_by and not place.catalog.entry("far").held.read_only
    place.book.mark("prod", ClusterMarks())
    assert not place.catalog.entry("admin").held.read_only
    place.delete("admin")


def gateway(folder, **args):
    """Contexts of one address, whose credential program is told which cluster is meant."""
    file = kubeconfig(folder, **dict.fromkeys(args, SERVER))
    document = json.loads(file.read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "tsh", "interactiveMode": "Never"}
    document["users"] = [{"name": name, "user": {"exec": plugin | {"args": words}}} for name, words in args.items()]
    for context in document["contexts"]:
        context["context"]["user"] = context["name"]
    file.write_text(json.dumps(document))


def test_clusters_behind_one_gateway_are_told_apart_by_what_their_program_is_told(tmp_path):
    place = Place(tmp_path)
    told = {
        "shop": ["kube", "credentials", "--kube-cluster=shop"],
        "again": ["kube", "credentials", "--ttl=5", "--kube-cluster=shop"],
        "far": ["kube", "credentials", "--kube-cluster", "far"],
        "unknown": ["login"],
    }
    gateway(tmp_path, **told)
    place.book.mark("shop", ClusterMarks(read_only=True))
    held = {name: place.catalog.entry(name).held.read_only for name in told}
    assert held == {"shop": True, "again": True, "far": False, "unknown": True}


def test_a_production_server_asks_for_the_name_of_the_entry_that_is_used(tmp_path):
    place = Place(tmp_path, prod=SERVER, admin=SERVER)
    place.book.mark("prod", ClusterMarks(production=True, colour="red"))
    with pytest.raises(ConfirmationNeeded):
        place.delete("admin", ("prod",))
    place.delete("admin", ("admin",))
    assert place.catalog.entry("admin").marks == ClusterMarks()


def test_a_cluster_added_by_hand_is_another_entry_too(tmp_path):
    place = Place(tmp_path, prod=SERVER)
    place.book.add(OwnCluster(id="1", name="mine", server=SERVER, auth="none"), None, ClusterMarks())
    place.book.mark("prod", ClusterMarks(read_only=True))
    with pytest.raises(UserError, match="read-only"):
        place.delete("mine")


def test_notes_follow_a_renamed_context(tmp_path):
    place = Place(tmp_path, prod=SERVER)
    place.book.mark("prod", ClusterMarks(read_only=True, group="shop", default=True))
    kubeconfig(tmp_path, renamed=SERVER, other="https://10.9.9.10:6443")
    assert place.catalog.entry("renamed").marks == ClusterMarks(read_only=True, group="shop")
    assert place.catalog.entry("other").marks == ClusterMarks()
    with pytest.raises(UserError, match="read-only"):
        place.delete("renamed")
    place.book.mark("renamed", ClusterMarks(group="new"))
    place.delete("renamed")
    assert place.shelf.marks() == {"renamed": ClusterMarks(group="new")}


def test_a_lost_name_holds_its_server_whatever_else_is_noted_of_it(tmp_path):
    place = Place(tmp_path, prod=SERVER, admin=SERVER)
    place.book.mark("prod", ClusterMarks(read_only=True))
    place.book.mark("admin", ClusterMarks(colour="blue"))
    kubeconfig(tmp_path, admin=SERVER)
    with pytest.raises(UserError, match="read-only"):
        place.delete("admin")
    assert place.catalog.entry("admin").marks == ClusterMarks(colour="blue")
    assert place.catalog.entry("admin").read_only_by == "prod"


def test_a_cluster_is_never_there_without_its_marks(tmp_path, monkeypatch):
    place = Place(tmp_path)
    seen = []
    save = place.shelf.save_own
    monkeypatch.setattr(place.shelf, "save_own", lambda one: (seen.append(place.shelf.marks()), save(one)))
    cluster = OwnCluster(id="1", name="mine", server=SERVER, auth="none")
    place.book.add(cluster, None, ClusterMarks(read_only=True))
    assert seen[0]["mine"].read_only and place.catalog.marks("mine").read_only


@pytest.mark.parametrize(
    "break_file", [lambda file: file.write_bytes(file.read_bytes()[:40]), lambda file: file.unlink()]
)
def test_the_last_mark_survives_a_damaged_file(tmp_path, break_file):
    place = Place(tmp_path, prod=SERVER)
    place.book.mark("prod", ClusterMarks(group="x"))
    place.book.mark("prod", ClusterMarks(read_only=True))
    break_file(tmp_path / "clusters.json")
    again = ClusterShelf(tmp_path / "clusters.json")
    assert again.marks()["prod"].read_only and again.notice is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a", "https://A:443/", True),
        ("http://a", "http://a:80", True),
        ("http://a", "https://a", False),
        ("https://a/k8s/clusters/x", "https://a/k8s/clusters/y", False),
        ("https://[::1]:1", "https://[::1]:1", True),
        ("", "https://", False),
        ("https://a:99999999", "https://a:99999999", True),
    ],
)
def test_spellings_of_one_server(one, other, same):
    assert (same_server(one) == same_server(other)) is same


def test_no_address_is_no_server(tmp_path):
    place = Place(tmp_path, a="", b="")
    assert same_server("") == ""
    place.shelf.set_marks("a", ClusterMarks(read_only=True))
    with pytest.raises(UserError):
        place.delete("a")
