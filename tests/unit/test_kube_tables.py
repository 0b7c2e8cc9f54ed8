"""kube/tables.py and tables_watch.py against a small HTTP server that prints tables, or rubbish."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from aiohttp import web
from api_kit import play_app as play

from ansflow_desktop.kube import tables, tables_pulse
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.discovery import ServedKind
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.tables_watch import Choice, TableFeed

POD = ServedKind(version="v1", kind="Pod", plural="pods")
COLUMNS = [
    {"name": "Last Seen", "type": "string"},
    {"name": "Name", "type": "string", "format": "name"},
    {"name": "Restarts", "type": "string"},
    {"name": "Count", "type": "integer", "priority": 1},
]


class Server:
    """Pods by namespace; `refused` namespaces, "*" for all at once, "" for their list; and events for a watch."""

    def __init__(self) -> None:
        self.pods = {"a": ["one", "two"], "b": [], "c": [f"p{number}" for number in range(1200)]}
        self.refused: set[str] = set()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.events: asyncio.Queue[dict] = asyncio.Queue()
        self.plain = False
        self.hangs = self.expired = False
        self.leaving: list[str] = []
        self.asked_until_then: tuple[tuple[str, dict[str, str]], ...] = ()

    async def handle(self, request):
        self.asked.append((request.path, dict(request.query)))
        if self.expired and request.query.get("limit") == "1":
            self.expired = False
            return self.status(401)
        if self.hangs:
            await asyncio.Event().wait()
        if request.query.get("watch"):
            return await self.watch(request)
        if request.path == "/api/v1/namespaces":
            items = [{"metadata": {"name": name}} for name in self.pods]
            return self.status(403) if "" in self.refused else web.json_response({"items": items})
        if "/namespaces/" not in request.path:
            return self.status(403) if "*" in self.refused else web.json_response(self.look(request.query))
        namespace = request.path.split("/")[4]
        if namespace in self.refused or namespace not in self.pods:
            return self.status(403)
        return web.json_response(self.page(namespace, request.query))

    def status(self, code):
        body = {"kind": "Status", "code": code, "message": f"pods is forbidden ({code})", "reason": "Forbidden"}
        return web.json_response(body, status=code)

    def page(self, namespace, query):
        start, limit = int(query.get("continue", 0)), int(query["limit"])
        names = self.pods[namespace][start : start + limit]
        more = {"continue": str(start + limit)} if start + limit < len(self.pods[namespace]) else {}
        metadata = {"resourceVersion": str(100 + len(namespace)), **more}
        if self.plain:
            items = [{"metadata": {"name": name, "namespace": namespace}} for name in names]
            return {"kind": "PodList", "metadata": metadata, "items": items}
        rows = [{"cells": ["5m", name, "3 (2m ago)", 7], "object": None} for name in names]
        return {"kind": "Table", "metadata": metadata, "columnDefinitions": COLUMNS, "rows": rows}

    def look(self, query):
        """All namespaces at once: only the metadata, where it was asked for, tells whose a row is."""
        assert query["includeObject"] == "Metadata"
        rows = [
            {"cells": ["5m", name, "3 (2m ago)", 7], "object": {"metadata": {"name": name, "namespace": namespace}}}
            for namespace, names in self.pods.items()
            for name in (*names, *self.leaving)
        ]
        return {"kind": "Table", "metadata": {}, "columnDefinitions": COLUMNS, "rows": rows[: int(query["limit"])]}

    async def watch(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(json.dumps(await self.events.get()).encode() + b"\n")

    def tell(self, change, namespace, name, restarts="0"):
        metadata = {"name": name, "namespace": namespace, "resourceVersion": "200"}
        row = {"cells": ["1s", name, restarts, 1], "object": {"metadata": metadata}}
        self.events.put_nowait({"type": change, "object": {"kind": "Table", "rows": [row]}})


def listed(server, namespace=None):
    async def story(document):
        async with ClusterClient(document) as client:
            return await tables.list_table(client, POD, namespace)

    return play(server, story)


@pytest.fixture
def server():
    return Server()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("ansflow_desktop.kube.backoff.Backoff.next", lambda self: 0.001)


def test_every_namespace_is_asked_in_pages_and_the_name_is_found_where_the_server_put_it(server):
    found = listed(server)
    assert len(found.rows) == 1202
    assert found.rows[0].key == "a/one"
    assert {row.namespace for row in found.rows} == {"a", "c"}
    assert [(one.name, one.kind, one.wide) for one in found.columns] == [
        ("Last Seen", "span", False),
        ("Name", "name", False),
        ("Restarts", "count", False),
        ("Count", "number", True),
    ]
    assert "3 (2m ago)" in found.rows[0].text


def test_one_namespace_comes_as_a_first_page_and_the_rest(server):
    assert len(listed(server, "c").rows) == 1200
    assert [query["limit"] for path, query in server.asked] == ["250", "5000"]


def first_page(server):
    async def story(document):
        async with ClusterClient(document) as client:
            async with contextlib.aclosing(tables.pages(client, POD, None, [])) as found:
                page = await anext(page async for page in found if page.rows)
                server.asked_until_then = tuple(server.asked)
            await client.get("/api/v1/namespaces")  # the server took the connections of the cancelled calls, too
            return page

    return play(server, story)


def test_the_first_screen_of_all_namespaces_comes_before_any_of_them_is_asked(server):
    page = first_page(server)
    assert page.early
    assert [row.key for row in page.rows[:3]] == ["a/one", "a/two", "c/p0"]
    assert len(page.rows) == tables.SCREEN
    assert not [path for path, _query in server.asked_until_then if path.endswith("/a/pods")]


def test_without_the_right_to_look_at_all_at_once_the_namespaces_give_the_first_screen(server):
    server.refused = {"*"}
    assert not first_page(server).early
    assert len(listed(server).rows) == 1202


def test_a_pod_of_the_first_screen_that_is_gone_in_its_namespace_is_not_listed(server):
    server.leaving = ["leaving"]
    assert "leaving" in [row.name for row in first_page(server).rows]
    assert len(listed(server).rows) == 1202


def test_a_namespace_that_may_not_be_read_is_named_and_the_others_are_there(server):
    server.refused = {"c"}
    found = listed(server)
    assert [row.name for row in found.rows] == ["one", "two"]
    assert [(one.namespace, "forbidden" in str(one.message)) for one in found.unread] == [("c", True)]


def test_nothing_that_may_be_read_is_an_error_in_the_servers_words(server):
    server.refused = {"a", "b", "c"}
    with pytest.raises(KubeError) as caught:
        listed(server)
    assert caught.value.status == 403


def test_where_namespaces_may_not_be_listed_the_known_ones_are_asked(server):
    server.refused = {""}

    async def story(document):
        async with ClusterClient(document) as client:
            with pytest.raises(KubeError):
                await tables.places(client, POD, None)
            return await tables.places(client, POD, None, ["c", "a"])

    assert play(server, story) == ("a", "c")


def test_a_server_that_prints_no_tables_gives_names(server):
    server.plain = True
    found = listed(server, "a")
    assert [(row.key, row.cells[0]) for row in found.rows] == [("a/one", "one"), ("a/two", "two")]


@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b'{"kind":"Table","rows":[{"cells":[]}]}', b'{"kind":"Table","rows":[7]}']
)
def test_rubbish_is_an_error_in_words(server, body):
    async def answer(request):
        return web.Response(body=body)

    server.handle = answer
    with pytest.raises(KubeError):
        listed(server, "a")


class Heard:
    """What a feed told, and a way to wait for it."""

    def __init__(self, document) -> None:
        self.rows, self.errors, self.kinds, self.changed = None, [], None, asyncio.Event()
        self.feed = TableFeed(document, self.on_rows, self.on_state, lambda kinds: None)

    def on_rows(self, choice, rows):
        self.rows = rows
        self.changed.set()

    def on_state(self, choice, error):
        self.errors.append(error)
        self.changed.set()

    async def until(self, ready):
        while not ready():
            self.changed.clear()
            await self.changed.wait()

    def names(self):
        return {row.key for row in self.rows.rows} if self.rows else set()


def followed(server, story, namespace="a"):
    async def whole(document):
        heard = Heard(document)
        heard.feed.choose(Choice(kind=POD, namespace=namespace))
        task = asyncio.create_task(heard.feed.run())
        try:
            await story(heard)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    play(server, whole)


def test_a_watch_adds_changes_and_removes_rows(server):
    async def story(heard):
        await heard.until(lambda: heard.names() == {"a/one", "a/two"} and heard.rows.complete)
        server.tell("ADDED", "a", "three")
        server.tell("MODIFIED", "a", "one", "9")
        server.tell("DELETED", "a", "two")
        await heard.until(lambda: heard.names() == {"a/one", "a/three"})
        assert next(row for row in heard.rows.rows if row.name == "one").cells[2] == "9"

    followed(server, story)


def test_a_version_that_is_too_old_is_read_again_and_a_loss_is_told_while_rows_stay(server):
    async def story(heard):
        await heard.until(lambda: heard.rows is not None and heard.rows.complete)
        server.pods["a"] = ["four"]
        server.events.put_nowait({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})
        await heard.until(lambda: heard.names() == {"a/four"})
        assert not any(heard.errors)
        server.refused = {"a"}
        server.events.put_nowait({"type": "ERROR", "object": {"kind": "Status", "code": 500, "reason": "Gone"}})
        await heard.until(lambda: any(heard.errors))
        assert heard.names() == {"a/four"}
        server.refused = set()
        await heard.until(lambda: heard.errors[-1] is None)

    followed(server, story)


def test_a_server_that_hangs_is_noticed_though_the_watch_says_nothing(server, monkeypatch):
    monkeypatch.setattr(tables_pulse, "PULSE_S", 0.02)
    monkeypatch.setattr(tables_pulse, "_ANSWER_S", 0.2)

    async def story(heard):
        await heard.until(lambda: heard.rows is not None and heard.rows.complete)
        asked = sum(1 for _, query in server.asked if query.get("limit") == "1")
        server.hangs = True
        await heard.until(lambda: any(heard.errors))
        assert "did not answer" in str(heard.errors[-1].title) and heard.names() == {"a/one", "a/two"}
        watches = sum(1 for _, query in server.asked if query.get("watch"))
        server.hangs = False
        await heard.until(lambda: heard.errors[-1] is None)
        assert watches == sum(1 for _, query in server.asked if query.get("watch")) == 1
        assert sum(1 for _, query in server.asked if query.get("limit") == "1") > asked

    followed(server, story)


def test_credentials_that_are_refused_while_a_watch_goes_on_are_had_anew(server, monkeypatch):
    monkeypatch.setattr(tables_pulse, "PULSE_S", 0.02)

    async def story(heard):
        await heard.until(lambda: heard.rows is not None and heard.rows.complete)
        server.expired = True
        await heard.until(lambda: any(heard.errors))
        await heard.until(lambda: heard.errors[-1] is None)
        assert "refused the credentials" in str(next(error for error in heard.errors if error).title)
        server.tell("ADDED", "a", "three")
        await heard.until(lambda: "a/three" in heard.names())

    followed(server, story)


def test_another_choice_takes_the_place_of_the_first(server):
    async def story(heard):
        await heard.until(lambda: heard.names() == {"a/one", "a/two"})
        heard.feed.choose(Choice(kind=POD, namespace="c"))
        await heard.until(lambda: len(heard.names()) == 1200)
        assert {row.namespace for row in heard.rows.rows} == {"c"}

    followed(server, story)


def test_a_pod_of_the_first_screen_that_is_gone_leaves_the_table_when_it_is_whole(server):
    server.leaving = ["leaving"]

    async def story(heard):
        await heard.until(lambda: heard.rows is not None and heard.rows.complete)
        assert "a/leaving" not in heard.names()
        assert len(heard.names()) == 1202

    followed(server, story, namespace="")
