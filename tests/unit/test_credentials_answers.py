"""credentials/answers.py: one question a credential, kept as long as it is worth something, never a storm."""

from __future__ import annotations

import asyncio
import datetime
import json

import pytest
from aiohttp import web
from api_kit import document, play_app

from ansflow_desktop.credentials.answers import Answers, review
from ansflow_desktop.i18n import translate
from ansflow_desktop.models.credential import ServerVerdict

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WHO, MAY = "/apis/authentication.k8s.io/v1/selfsubjectreviews", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
FORBIDDEN = 'selfsubjectreviews.authentication.k8s.io is forbidden: User "%s" cannot create resource'


def signed_in(name="jane"):
    user = {"username": name, "groups": ["people", "evil\u202egroup"]}
    return web.json_response({"kind": "SelfSubjectReview", "status": {"userInfo": user}}, status=201)


def refusal(code, message="no"):
    return web.json_response({"kind": "Status", "message": message, "code": code}, status=code)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self):
        return self.now

    def go(self, seconds):
        self.now += datetime.timedelta(seconds=seconds)


class Server:
    """Counts what it is asked, and how many questions it holds at a time."""

    def __init__(self, answer=None) -> None:
        self.asked: list[str] = []
        self.most = self.held = 0
        self.release: asyncio.Event | None = None
        self.answer = answer or (lambda request: signed_in())

    async def handle(self, request):
        self.asked.append(request.path)
        self.held += 1
        self.most = max(self.most, self.held)
        if self.release:
            await self.release.wait()
        self.held -= 1
        return self.answer(request)


def ask_times(answers, clock, steps, **options):
    """Return how often a server is asked when `answers` is asked before and after each of `steps` (seconds)."""
    server = Server()

    async def story(found):
        await answers.ask("key", found, **options)
        for step in steps:
            clock.go(step)
            await answers.ask("key", found, **options)

    play_app(server, story)
    return len(server.asked)


def test_an_answer_is_kept_for_its_time_and_no_longer():
    clock = Clock()
    assert ask_times(Answers(ttl_s=300, clock=clock), clock, [100, 100, 99]) == 1
    assert ask_times(Answers(ttl_s=300, clock=clock), clock, [300]) == 2


def test_an_answer_of_a_clock_that_was_set_back_is_asked_again():
    clock = Clock()
    assert ask_times(Answers(clock=clock), clock, [-1]) == 2


def test_fresh_asks_again_and_a_changed_time_to_keep_is_followed():
    clock = Clock()
    assert ask_times(Answers(clock=clock), clock, [1, 1], fresh=True) == 3
    answers = Answers(clock=clock)
    answers.ttl_s = 0
    assert ask_times(answers, clock, [0, 0]) == 3


def test_an_answer_from_before_the_credentials_end_is_not_shown_after_it():
    clock = Clock()
    turns = [START + datetime.timedelta(seconds=50)]
    assert ask_times(Answers(clock=clock), clock, [49], turns=turns) == 1
    clock.now = START
    assert ask_times(Answers(clock=clock), clock, [49, 1, 10], turns=turns) == 2


def test_a_network_that_is_back_is_noticed_after_half_a_minute():
    clock, server = Clock(), Server(lambda request: refusal(503))

    async def story(found):
        answers = Answers(clock=clock)
        first = await answers.ask("key", found)
        clock.go(29)
        kept = await answers.ask("key", found)
        clock.go(1)
        server.answer = lambda request: signed_in()
        return first, kept, await answers.ask("key", found)

    first, kept, last = play_app(server, story)
    assert first.verdict is kept.verdict is ServerVerdict.UNREACHABLE
    assert (last.verdict, len(server.asked)) == (ServerVerdict.ACCEPTED, 2)


def test_a_thousand_who_ask_at_once_are_one_question():
    server = Server()

    async def story(found):
        server.release = asyncio.Event()
        answers = Answers()
        waiting = [asyncio.create_task(answers.ask("key", found, fresh=True)) for _ in range(1000)]
        while not server.asked:
            await asyncio.sleep(0)
        waiting[0].cancel()  # who goes away takes nobody's answer along
        server.release.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    cancelled, *answered = play_app(server, story)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert {answer.verdict for answer in answered} == {ServerVerdict.ACCEPTED}
    assert len(server.asked) == 1


def test_no_more_servers_are_asked_at_a_time_than_the_limit():
    server = Server()

    async def story(found):
        server.release = asyncio.Event()
        answers = Answers(limit=3)
        waiting = [asyncio.create_task(answers.ask(str(number), found)) for number in range(12)]
        while server.held < 3:
            await asyncio.sleep(0)
        server.release.set()
        await asyncio.gather(*waiting)

    play_app(server, story)
    assert (server.most, len(server.asked)) == (3, 12)


def test_answers_outlive_the_event_loop_that_got_them():
    answers, server = Answers(), Server()
    play_app(server, lambda found: answers.ask("key", found))
    assert answers.known("key").user == "jane"
    play_app(server, lambda found: answers.ask("key", found))
    assert len(server.asked) == 1
    answers.forget("key")
    assert answers.known("key") is None


def answered(answer, user=None):
    server = Server(answer)

    async def story(found):
        return await review({**found, "users": [{"name": "x", "user": user or {"token": "abc"}}]}, 2.0)

    return play_app(server, story)


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (lambda _: refusal(401, "Unauthorized"), "refused", "Unauthorized"),
        (lambda _: refusal(403, FORBIDDEN % "system:anonymous"), "refused", "system:anonymous"),
        (lambda _: refusal(403, FORBIDDEN % "jane"), "forbidden", "cannot create"),
        (lambda _: signed_in("system:anonymous"), "refused", "knows no user"),
        (lambda _: refusal(429, "slow down"), "unreachable", "slow down"),
        (lambda _: refusal(502), "unreachable", "cannot answer now"),
        (lambda _: refusal(500, "etcd"), "unknown", "etcd"),
        (lambda _: refusal(431, "too large"), "unknown", "too large"),
        (lambda _: refusal(404, "page not found"), "unknown", "page not found"),
        (lambda _: web.Response(text="<html>sign in</html>", content_type="text/html"), "unknown", "sign-in page"),
        (lambda _: web.Response(text="[1]", content_type="application/json"), "unknown", "sign-in page"),
        (lambda _: web.json_response({"kind": "Pod"}), "unknown", "sign-in page"),
        (lambda _: web.Response(body=b"\xff\xfe{", content_type="application/json"), "unknown", "sign-in page"),
    ],
)
def test_what_a_server_may_answer(answer, verdict, words):
    found = answered(answer)
    assert found.verdict.value == verdict
    assert words in translate(found.message)
    assert found.checked_at.tzinfo is datetime.UTC


def test_whom_the_server_takes_us_for_without_what_could_deceive():
    found = answered(lambda _: signed_in())
    assert (found.verdict, found.user, found.groups) == (ServerVerdict.ACCEPTED, "jane", ("people", "evilgroup"))
    assert answered(lambda _: refusal(403, FORBIDDEN % "jane")).user == "jane"


@pytest.mark.parametrize(
    ("code", "verdict"), [(201, "accepted"), (401, "refused"), (403, "forbidden"), (404, "unknown")]
)
def test_a_server_too_old_for_the_question_is_asked_another(code, verdict):
    def old(request):
        if request.path == WHO:
            return refusal(404, "not found")
        assert request.path == MAY
        body = {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}
        return web.json_response(body, status=201) if code == 201 else refusal(code, FORBIDDEN % "jane")

    assert answered(old).verdict.value == verdict


@pytest.mark.parametrize(
    "user",
    [
        {"tokenFile": "/no/such/file"},
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/no/such/program"}},
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/echo", "args": ["rubbish"]}},
        {"token": "with\nline break"},
    ],
    ids=("file", "program", "rubbish", "line-break"),
)
def test_what_cannot_be_sent_is_unknown_and_not_the_servers_fault(user):
    found = answered(lambda _: signed_in(), user)
    assert found.verdict is ServerVerdict.UNKNOWN
    assert translate(found.message)
    assert "line break" not in translate(found.message)


def test_a_certificate_that_does_not_load_is_unknown():
    user = {"client-certificate-data": "eA==", "client-key-data": "eA=="}
    found = asyncio.run(review(document("https://127.0.0.1:1", user), 2.0))
    assert found.verdict is ServerVerdict.UNKNOWN
    assert "cannot be used" in translate(found.message)


@pytest.mark.parametrize("server", ["https://[x", "https://", "https://x:99999", "//", "https://a b", "ftp://x", ""])
def test_an_address_that_is_none_is_no_crash(server):
    found = asyncio.run(review(document(server), 2.0))
    assert found.verdict in (ServerVerdict.UNKNOWN, ServerVerdict.UNREACHABLE)
    assert translate(found.message)


def test_nobody_there_and_a_date_that_is_none():
    gone = asyncio.run(review(document("http://127.0.0.1:1"), 2.0))
    assert gone.verdict is ServerVerdict.UNREACHABLE
    assert gone.clock_ahead == 0

    def dated(_):
        answer = signed_in()
        answer.headers["Date"] = "yesterday"
        return answer

    assert answered(dated).clock_ahead == 0


def test_a_large_token_is_asked_about_and_shown_nowhere():
    token = "x" * 100_000
    found = answered(
        lambda request: signed_in() if len(request.headers["Authorization"]) > 100_000 else refusal(401),
        {"token": token},
    )
    assert found.verdict is ServerVerdict.ACCEPTED
    assert token[:100] not in json.dumps(translate(found.message))
