"""Servers that accept a connection and say nothing: commands end soon, and say what they wait for."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
from types import SimpleNamespace

import pytest

from ansflow_desktop import cli
from ansflow_desktop.commands import waiting
from ansflow_desktop.i18n import msg, translate
from ansflow_desktop.kube import probe


class Notes:
    """A session of which only the notes are looked at; `seen` is set by the first."""

    def __init__(self):
        self.texts, self.seen = [], asyncio.Event()
        self.out = SimpleNamespace(note=self.note)

    def note(self, text):
        self.texts.append(translate(text))
        self.seen.set()


def test_a_long_wait_is_told_of_once(monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.0)
    session = Notes()

    async def work():
        await session.seen.wait()
        return 7

    assert waiting.run(session, work(), lambda: waiting.for_answers("a", "b")) == 7
    assert session.texts == ["Waiting for an answer of a, b…"]


def test_a_short_wait_is_not_told_of():
    session = Notes()
    waiting.run(session, asyncio.sleep(0), lambda: msg("Waiting"))
    assert session.texts == []


def test_of_many_clusters_a_few_are_named():
    said = translate(waiting.for_answers(*"abcde"))
    assert said == "Waiting for answers of 5 clusters, a, b, c among them…"


@pytest.fixture
def frozen(tmp_path, monkeypatch):
    """A kubeconfig that leads to a server which never answers, and checks of which little patience is asked."""
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.05)
    monkeypatch.setattr(probe, "check", functools.partial(probe.check, timeout=0.5))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        file = tmp_path / "config"
        contexts = [{"name": "stuck", "context": {"cluster": "c"}}]
        file.write_text(json.dumps({"contexts": contexts, "clusters": [{"name": "c", "cluster": {"server": address}}]}))
        yield ("--data-dir", str(tmp_path / "data"), "--kubeconfig", str(file))


@pytest.mark.parametrize("action", ["stats", "namespaces"])
def test_a_frozen_server_is_asked_for_a_first_answer_before_all_else(frozen, capsys, action):
    assert cli.main([*frozen, "clusters", action, "stuck"]) == 3
    said = capsys.readouterr().err
    assert "Waiting for an answer of stuck…" in said and "did not answer within 0.5 s" in said


def test_the_check_of_a_list_says_who_is_silent_and_its_document_stays_one(frozen, capsys, monkeypatch):
    check = probe.check  # the one of the fixture
    monkeypatch.setattr(probe, "check", lambda entry, document, _timeout: check(entry, document))
    assert cli.main([*frozen, "clusters", "list", "-o", "json"]) == 0
    said = capsys.readouterr()
    assert "Waiting for an answer of stuck…" in said.err
    assert json.loads(said.out)[0]["reachable"] is False
