"""Namespaces of an earlier start show in every box while the cluster does not answer; then what it says."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from window_kit import FakeReads, shown_window

from ansflow_desktop.kube.namespace_cache import NamespaceCache, _Known
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.presenters.completions import Completions

SERVER = "https://127.0.0.1:1"


class Slow(FakeReads):
    """Clusters whose checks and namespaces wait for `answers`."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def check(self, entry, document):
        await self.answers.wait()
        return await super().check(entry, document)

    async def namespaces(self, cache, cluster, document, candidates):
        await self.answers.wait()
        assert isinstance(cache, NamespaceCache)
        return await super().namespaces(cache, cluster, document, candidates)


@pytest.fixture
def known(services):
    """A function that keeps names of cluster dev as an earlier start did."""

    def keep(server: str = SERVER) -> None:
        path = services.directories.data / "namespaces.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        found = NamespaceList(names=("kept", "older"), read_at=time.time() - 90_000, complete=False, message="Not all.")
        path.write_bytes(msgspec.json.encode({"dev": _Known(server, found)}))

    return keep


def test_known_names_show_in_the_top_bar_until_the_cluster_answers(loop, services, qtbot, known):
    known()
    reads = Slow()
    with shown_window(services, qtbot, cluster="dev", reads=reads) as window:
        frame, box = window.frame, window.shell.top_bar._namespaces
        qtbot.waitUntil(lambda: frame.state.namespaces == ("kept", "older"))
        assert [box.itemText(index) for index in range(box.count())][1:] == ["kept", "older"]
        assert "Not all. Read from the cluster at 20" in box.toolTip()
        reads.answers.set()
        qtbot.waitUntil(lambda: frame.state.namespaces == ("default", "fe", "prod"))
        assert "Not all." not in box.toolTip()


def test_known_names_are_offered_by_a_form_until_the_cluster_answers(loop, services, qtbot, known):
    known()
    reads, key = Slow(), ("namespaces", "dev")
    completions = Completions(services, reads)
    completions.ask(key)
    qtbot.waitUntil(lambda: bool(completions.answer(key).names))
    answer = completions.answer(key)
    assert (answer.names, answer.asking) == (("kept", "older"), True)
    assert "Not all." in str(answer.note)
    reads.answers.set()
    qtbot.waitUntil(lambda: not completions.answer(key).asking)
    assert completions.answer(key).names == ("default", "fe", "prod")


def test_names_of_another_server_are_not_shown(loop, services, qtbot, known):
    known("https://elsewhere:6443")
    reads, key = Slow(), ("namespaces", "dev")
    completions = Completions(services, reads)
    completions.ask(key)
    reads.answers.set()
    seen = []
    completions.changed.connect(lambda _key: seen.append(completions.answer(key).names))
    qtbot.waitUntil(lambda: not completions.answer(key).asking)
    assert seen == [("default", "fe", "prod")]


def test_the_offered_practice_cluster_is_no_error_at_a_first_start(loop, qtbot, tmp_path):
    from ansflow_desktop.executors.services import Options, Services

    services = Services(Options(data_dir=str(tmp_path / "new"), kubeconfig=str(tmp_path / "none")))
    with shown_window(services, qtbot, reads=FakeReads()) as window:
        qtbot.waitUntil(lambda: window.frame.state.cluster == "practice")
        known = window.frame._tasks["known namespaces"]
        qtbot.waitUntil(known.done)
        assert not [banner for banner in window.frame.state.banners if banner.key == "error"]
