"""kube/client.py, release_watch.py and live.py against a small HTTP server that behaves badly on purpose."""

from __future__ import annotations

import asyncio
import errno
import json
import socket

import pytest
from aiohttp import web
from api_kit import play_app as play

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.kube import next_page, release_watch, releases, revisions
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError, from_status
from ansflow_desktop.kube.live import follow_release
from ansflow_desktop.kube.live_board import EventUpdate, ResourceUpdate
from ansflow_desktop.kube.objects import list_path
from ansflow_desktop.kube.pages import Listing, pages
from ansflow_desktop.kube.resolver import DaemonResolver

GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}


def line(kind, item):
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


class Server:
    """Answers by a function of the request; what was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answer = None

    async def handle(self, request):
        self.asked.append((request.path, dict(request.query)))
        return await self.answer(request)


async def stream(request, *chunks, hold=False):
    response = web.StreamResponse()
    await response.prepare(request)
    for chunk in chunks:
        await response.write(chunk)
        await asyncio.sleep(0)
    if hold:
        await asyncio.Event().wait()
    return response


@pytest.fixture
def server():
    return Server()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("ansflow_desktop.kube.backoff.Backoff.next", lambda self: 0.001)


async def watched(document, **params):
    async with ClusterClient(document) as client:
        return [event async for event in client.watch("/w", {"resourceVersion": "1", **params})]


def test_events_may_be_cut_anywhere_and_be_huge(server):
    large = {"metadata": {"name": "x" * 3_000_000}}
    whole = line("ADDED", {"a": 1}) + b"\n" + line("MODIFIED", large) + line("BOOKMARK", {})

    async def answer(request):
        return await stream(request, whole[:7], whole[7:9], whole[9:2_000_000], whole[2_000_000:])

    server.answer = answer
    events = play(server, watched)
    assert [event.type for event in events] == ["ADDED", "MODIFIED", "BOOKMARK"]
    assert json.loads(bytes(events[1].object)) == large
    assert server.asked[0][1]["watch"] == "1"


@pytest.mark.parametrize("chunks", [(line("ADDED", {})[:10],), (b"nonsense\n",)], ids=["cut", "nonsense"])
def test_a_watch_that_ends_in_the_middle_gives_no_half_event(server, chunks):
    async def answer(request):
        return await stream(request, *chunks)

    server.answer = answer
    try:
        assert play(server, watched) == []
    except KubeError as error:
        assert int(error.code) == 3


def test_a_version_that_is_too_old_is_told(server):
    async def answer(request):
        return await stream(request, json.dumps(GONE).encode() + b"\n")

    server.answer = answer
    with pytest.raises(KubeError, match="too old") as gone:
        play(server, watched)
    assert gone.value.status == 410


def test_a_busy_server_is_asked_again_after_the_pause_it_names(server):
    async def answer(request):
        if len(server.asked) == 1:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return web.json_response({"gitVersion": "v1.2.3"})

    async def story(document):
        async with ClusterClient(document) as client:
            return await client.server_version()

    server.answer = answer
    assert play(server, story) == "v1.2.3"


@pytest.mark.parametrize("body", ["<html>please log in</html>", "[]", ""])
def test_a_version_that_is_none_is_an_error_in_words(server, body):
    async def answer(request):
        return web.Response(text=body)

    async def story(document):
        async with ClusterClient(document) as client:
            return await client.server_version()

    server.answer = answer
    with pytest.raises(KubeError):
        play(server, story)


def test_a_list_whose_pages_expire_begins_again(server):
    async def answer(request):
        if request.query.get("continue"):
            return web.json_response(GONE["object"], status=410)
        more = "token" if request.query.get("limit") != "0" else ""
        return web.json_response({"metadata": {"resourceVersion": "5", "continue": more}, "items": []})

    server.answer = answer
    assert play(server, releases.list_status_rows) == []
    assert server.asked[-1][1]["limit"] == "0"


def secret(name, version, revision="1"):
    labels = {"owner": "helm", "name": name, "version": revision, "status": "deployed"}
    return {"metadata": {"name": name, "namespace": "ns", "uid": name, "resourceVersion": version, "labels": labels}}


def test_the_release_watch_lists_again_after_410_and_goes_on_after_an_end(server, monkeypatch):
    monkeypatch.setattr(release_watch, "COALESCE_S", 0.001)
    lists = []

    async def answer(request):
        if request.path.count("/") > 3:
            return web.json_response({}, status=404)
        if "watch" not in request.query:
            lists.append(1)
            items = [secret("a", "5")] if len(lists) == 1 else [secret("b", "7")]
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": items})
        watches = sum(1 for _, query in server.asked if "watch" in query)
        if watches == 1:
            return await stream(request, line("BOOKMARK", {"metadata": {"resourceVersion": "6"}}))
        if watches == 2:
            return await stream(request, json.dumps(GONE).encode() + b"\n")
        deleted = line("DELETED", secret("b", "8"))
        return await stream(request, line("ADDED", secret("c", "9")), deleted, hold=True)

    states = []

    async def story(document):
        rows: asyncio.Queue = asyncio.Queue()
        watching = asyncio.create_task(releases.watch_releases(document, rows.put_nowait, states.append))
        seen = []
        while not seen or seen[-1] != ["c"]:
            seen.append([row.name for row in await rows.get()])
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return seen

    server.answer = answer
    seen = play(server, story)
    assert (seen[0], seen[1], seen[-1]) == (["a"], ["b"], ["c"])
    versions = [query["resourceVersion"] for _, query in server.asked if "watch" in query]
    assert versions[:3] == ["7", "6", "7"]
    assert states == [None, None]


def test_the_release_watch_tells_of_a_lost_connection_and_of_its_return(server):
    async def answer(request):
        if len(server.asked) == 1:
            return web.Response(status=403, text="no")
        if "watch" in request.query:
            return await stream(request, hold=True)
        return web.json_response({"metadata": {"resourceVersion": "7"}, "items": []})

    async def story(document):
        states: asyncio.Queue = asyncio.Queue()
        watching = asyncio.create_task(releases.watch_releases(document, lambda rows: None, states.put_nowait))
        first, second = await states.get(), await states.get()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return first, second

    server.answer = answer
    lost, found = play(server, story)
    assert (lost.status, found) == (403, None)


def pod(name, version, ready):
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"metadata": {"name": name, "namespace": "ns", "resourceVersion": version}, "status": status}


def test_a_follower_goes_on_after_410_and_tells_what_vanished_meanwhile(server):
    lists = []

    async def answer(request):
        if not request.path.endswith("/pods"):
            empty = {"metadata": {"resourceVersion": "1"}, "items": []}
            return await stream(request, hold=True) if "watch" in request.query else web.json_response(empty)
        if "watch" not in request.query:
            lists.append(1)
            items = [pod("a", "1", False), pod("b", "1", False)] if len(lists) == 1 else [pod("b", "3", True)]
            return web.json_response({"metadata": {"resourceVersion": "3"}, "items": items})
        if len(lists) == 1:
            await told_first.wait()
            return await stream(request, json.dumps(GONE).encode() + b"\n")
        return await stream(request, hold=True)

    told_first = asyncio.Event()
    seen: list[ResourceUpdate | EventUpdate] = []

    async def story(document):
        stop, done = asyncio.Event(), asyncio.Event()

        def emit(update):
            seen.append(update)
            if len(seen) == 2:
                told_first.set()
            if len(seen) == 4:
                done.set()

        following = asyncio.create_task(follow_release(document, "ns", [("Pod", "a"), ("Pod", "b")], emit, stop))
        await done.wait()
        stop.set()
        await following

    server.answer = answer
    play(server, story)
    assert [(item.name, str(item.health)) for item in seen[:2]] == [("a", "Progressing"), ("b", "Progressing")]
    assert {(item.name, str(item.health)) for item in seen[2:]} == {("a", "Missing"), ("b", "Healthy")}


def test_every_request_says_who_asks_and_none_from_this_machine_is_compressed(server):
    seen = []

    async def answer(request):
        seen.append((request.headers["User-Agent"], request.headers["Accept-Encoding"]))
        return web.json_response({"gitVersion": "v1"})

    async def story(document):
        async with ClusterClient(document) as client:
            await client.server_version()

    server.answer = answer
    play(server, story)
    assert seen == [("ansflow-desktop", "identity")]


@pytest.mark.parametrize("status", [400, 403, 422])
def test_what_admission_denies_is_forbidden_whatever_its_status(status: int) -> None:
    words = (
        "pods \"web\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied request: nothing runs here."
    )
    error = from_status("https://x", status, json.dumps({"kind": "Status", "message": words}).encode())
    assert error.code is ExitCode.FORBIDDEN
    assert words in str(error.message)


@pytest.mark.parametrize("body", [b'{"gitVersion":"\xff\xfe"}', b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"])
def test_an_answer_of_foreign_letters_or_endless_nesting_is_an_error_or_a_version(server, body):
    async def answer(request):
        return web.Response(body=body, content_type="application/json")

    async def story(document):
        async with ClusterClient(document) as client:
            return await client.server_version()

    server.answer = answer
    try:
        assert "\N{REPLACEMENT CHARACTER}" in play(server, story)
    except KubeError as error:
        assert "nested too deeply" in str(error) and body.endswith(b"]}")


def test_a_watched_object_of_endless_nesting_is_an_error(server):
    async def answer(request):
        return await stream(request, b'{"type":"ADDED","object":' + b"[" * 5000 + b"]" * 5000 + b"}\n")

    server.answer = answer
    with pytest.raises(KubeError, match="nested too deeply"):
        play(server, watched)


def test_a_disk_that_takes_no_private_file_is_an_error_in_words(server, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story(document):
        async with ClusterClient(document):
            pass

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(KubeError, match="No space left") as caught:
        play(server, story)
    assert caught.value.code is ExitCode.FAILED


def test_a_list_that_names_its_own_page_as_the_next_one_is_not_read_for_ever(server):
    async def answer(request):
        return web.json_response({"metadata": {"continue": "again"}, "items": []})

    async def story(document):
        async with ClusterClient(document) as client:
            for reading in (list_path(client, "/x"), revisions.list_revisions(client, "fe")):
                with pytest.raises(KubeError, match="no end"):
                    await reading
            with pytest.raises(KubeError, match="no end"):
                async for _page in pages(client, "/x", Listing):
                    pass

    server.answer = answer
    play(server, story)
    assert len(server.asked) == 6


def test_a_list_with_always_one_more_page_is_told_of(server, monkeypatch):
    async def answer(request):
        return web.json_response({"metadata": {"continue": str(len(server.asked))}, "items": []})

    async def read_all(client):
        async for _page in pages(client, "/x", Listing):
            pass

    async def story(document):
        async with ClusterClient(document) as client:
            for reading in (list_path(client, "/x"), revisions.list_revisions(client, "fe"), read_all(client)):
                before = len(server.asked)
                with pytest.raises(KubeError, match="one more behind each of 7 pages"):
                    await reading
                assert len(server.asked) - before == 7

    monkeypatch.setattr(next_page, "MOST_PAGES", 7)
    server.answer = answer
    play(server, story)


@pytest.mark.parametrize("host", ["a" * 70 + ".x", "a..b", "."])
def test_a_name_that_can_be_nobodys_is_not_found_at_once(host):
    async def story():
        async with asyncio.timeout(20):
            await DaemonResolver().resolve(host, 443)

    with pytest.raises(socket.gaierror, match="not known"):
        asyncio.run(story())
