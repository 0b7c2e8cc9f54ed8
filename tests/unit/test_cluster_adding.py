"""A kill between vault and list of clusters leaves a secret that nobody uses; it goes, and only it."""

from __future__ import annotations

import os
import signal

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.cluster_book import ClusterBook
from ansflow_desktop.kube.approvals import Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.store.clusters import ClusterShelf
from ansflow_desktop.store.vault import Vault

SECRET = ClusterSecret(token="made-up-0123456789")


class Files(dict):
    """A vault that keeps each secret in a file of its own at once, so that a killed process leaves them."""

    lasting = True

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def _file(self, key):
        return self.folder / key.replace("/", "_")

    def get(self, key):
        return self._file(key).read_text() if self._file(key).exists() else None

    def put(self, key, value):
        self._file(key).write_text(value)

    def remove(self, key):
        self._file(key).unlink(missing_ok=True)

    def names(self):
        return sorted(file.name for file in self.folder.iterdir())


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.shelf = ClusterShelf(folder / "clusters.json")
        catalog = ClusterCatalog((), Approvals(folder / "a"), folder / "practice", shelf=self.shelf)
        self.vault = Files(folder / "vault")
        self.book = ClusterBook(self.shelf, self.vault, catalog)

    def add(self, name):
        self.book.add(OwnCluster(id=f"id-{name}", name=name, server="https://x"), SECRET, ClusterMarks())


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def killed(place, name, method):
    """Add the cluster in a process that is killed where `method` of its shelf is called."""
    child = os.fork()
    if not child:
        setattr(place.shelf, method, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        place.add(name)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("method", ["set_marks", "save_own"])
def test_the_secret_of_a_cluster_that_never_came_to_be_goes_with_the_next_one(place, method):
    place.vault.put("cluster/imported", "of a cluster that is restored later")
    killed(place, "lost", method)
    assert place.vault.names() == ["cluster_id-lost", "cluster_imported"]
    place.add("next")
    assert place.vault.names() == ["cluster_id-next", "cluster_imported"]
    assert not list((place.folder / "adding").iterdir())


def test_a_cluster_that_is_being_added_by_another_process_keeps_its_secret(place):
    with place.shelf.adding.adding("id-slow"):
        place.vault.put("cluster/id-slow", "x")
        place.add("quick")
    assert place.vault.names() == ["cluster_id-quick", "cluster_id-slow"]


def test_a_cluster_that_was_kept_before_the_kill_keeps_its_secret(place):
    place.add("mine")
    (place.folder / "adding" / "id-mine").touch()
    place.add("next")
    assert place.vault.names() == ["cluster_id-mine", "cluster_id-next"]
    assert not list((place.folder / "adding").iterdir())


@pytest.mark.parametrize("damaged", [True, False])
def test_where_the_list_cannot_be_trusted_no_secret_is_taken(place, damaged):
    killed(place, "lost", "save_own")
    place.add("mine")
    killed(place, "again", "save_own")
    other = Place(place.folder)
    if damaged:
        (place.folder / "clusters.json").write_text("{")
    else:
        other.shelf.own = _refused
    other.book._keep(OwnCluster(id="id-mine", name="mine", server="https://x"), SECRET)
    assert place.vault.names() == ["cluster_id-again", "cluster_id-mine"]
    assert [file.name for file in (place.folder / "adding").iterdir()] == ["id-again"]


def _refused():
    raise UserError("unreadable")


def test_a_disk_that_is_full_in_between_leaves_a_mark_for_later(place, monkeypatch):
    monkeypatch.setattr(place.shelf, "save_own", lambda _cluster: _refused())
    monkeypatch.setattr(place.vault, "remove", lambda _key: _refused())
    with pytest.raises(UserError):
        place.add("full")
    monkeypatch.undo()
    place.add("next")
    assert place.vault.names() == ["cluster_id-next"]


def test_a_real_vault_is_swept_too(tmp_path):
    shelf, vault = ClusterShelf(tmp_path / "clusters.json"), Vault(tmp_path / "vault.json")
    vault.create("session")
    book = ClusterBook(shelf, vault, ClusterCatalog((), Approvals(tmp_path / "a"), tmp_path / "p", shelf=shelf))
    vault.put("cluster/lost", "x")
    (tmp_path / "adding").mkdir()
    (tmp_path / "adding" / "lost").touch()
    book.add(OwnCluster(id="mine", name="mine", server="https://x"), SECRET, ClusterMarks())
    assert vault.keys() == ("cluster/mine",)
