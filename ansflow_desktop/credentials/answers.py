"""What servers answer to credentials: one credential, one question, kept for a while, never a storm.

The question is SelfSubjectReview ("who am I"), which every signed-in user may ask from Kubernetes 1.28 on; before, a
SelfSubjectAccessReview stands in for it. A document handed in is never kept, only the answer.
"""

from __future__ import annotations

import asyncio
import datetime
import re
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from ansflow_desktop.credentials.chain import server_chain
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube import who
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.credential import ServerAnswer, ServerVerdict

__all__ = ["Answers", "review", "server_chain", "utc_now"]

_MAY = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SOON_S = 30.0  # an answer that did not come is asked for again sooner: the network may be back
_LOGIN_S = 20.0
_NO_ANSWER = frozenset({0, 429, 502, 503, 504})
_UNASKABLE = frozenset({404, 405, 406, 415})
_NAMED = re.compile(r'User "([^"]+)" cannot')
# a server (or what stands before it) that refuses a client certificate within the handshake says so by a TLS alert
_ALERT = re.compile(r"_ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")


def utc_now() -> datetime.datetime:
    """Return the time of this machine's clock, aware and in UTC."""
    return datetime.datetime.now(datetime.UTC)


class _Access(msgspec.Struct, frozen=True):
    kind: Literal["SelfSubjectAccessReview"]


class _Loop:
    """What belongs to one event loop: the places for questions, and those under way by their keys."""

    def __init__(self, limit: int) -> None:
        self.places = asyncio.Semaphore(limit)
        self.flights: dict[str, asyncio.Task[ServerAnswer]] = {}


class Answers:
    """Answers by credential; safe in several event loops, each question asked by one flight a loop."""

    def __init__(
        self,
        ttl_s: float = 300.0,
        limit: int = 8,
        *,
        timeout: float = 5.0,
        clock: Callable[[], datetime.datetime] = utc_now,
    ) -> None:
        """Keep an answer for `ttl_s` seconds (it may be changed later), ask at most `limit` servers at a time.

        `timeout` is that of one call in seconds; `clock` returns our aware time.
        """
        self.ttl_s = ttl_s
        self._limit = limit
        self.timeout = timeout
        self._clock = clock
        self._known: dict[str, ServerAnswer] = {}
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = weakref.WeakKeyDictionary()

    def known(self, key: str) -> ServerAnswer | None:
        """Return the last answer to the credential `key`, however old (`checked_at`), None where there is none."""
        return self._known.get(key)

    def forget(self, key: str) -> None:
        """Drop what is known of `key`."""
        self._known.pop(key, None)

    async def ask(
        self,
        key: str,
        document: dict[str, Any],
        *,
        fresh: bool = False,
        turns: Sequence[datetime.datetime] = (),
    ) -> ServerAnswer:
        """Return the server's answer to the one credential of `document`; a kept one unless it is old or `fresh`.

        `key` names credential and server and is no secret. `turns` are times at which the answer may become another
        (the credential's own end): an answer from before one that has passed is old. Raises nothing for what servers,
        networks and credential programs do.
        """
        known = self._known.get(key)
        if known and not fresh and self._is_current(known, turns):
            return known
        room = self._room()
        flight = room.flights.get(key)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._fly(key, document, room))
            room.flights[key] = flight
            flight.add_done_callback(lambda _: room.flights.pop(key, None))
        return await asyncio.shield(flight)

    def _room(self) -> _Loop:
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            self._loops[loop] = _Loop(self._limit)
        return self._loops[loop]

    def _is_current(self, known: ServerAnswer, turns: Sequence[datetime.datetime]) -> bool:
        if known.checked_at is None:
            return False
        now, checked = self._clock(), known.checked_at
        lost = known.verdict in (ServerVerdict.UNREACHABLE, ServerVerdict.UNKNOWN)
        keep = min(self.ttl_s, _SOON_S) if lost else self.ttl_s
        young = 0 <= (now - checked).total_seconds() < keep
        return young and not any(checked < turn <= now for turn in turns)

    async def _fly(self, key: str, document: dict[str, Any], room: _Loop) -> ServerAnswer:
        async with room.places:
            answer = await review(document, self.timeout, self._clock)
        self._known[key] = answer
        return answer


async def review(
    document: dict[str, Any], timeout: float = 5.0, clock: Callable[[], datetime.datetime] = utc_now
) -> ServerAnswer:
    """Ask the server of `document` who we are, on a client of its own; `timeout` in seconds is that of each call.

    Raises nothing for what servers, networks, files and credential programs do: the answer then says why there is none.
    """
    asked = _Question(document, timeout)
    try:
        async with asyncio.timeout(timeout * 3 + _LOGIN_S):
            found = await asked.answer()
    except KubeError as error:
        found = _of_error(error) if asked.sent else _without(ServerVerdict.UNKNOWN, error)
    except UserError as error:
        found = _without(ServerVerdict.UNKNOWN, error)
    except TimeoutError:
        words = msg("No answer within %(seconds)s s", seconds=f"{timeout * 3 + _LOGIN_S:g}")
        found = ServerAnswer(verdict=ServerVerdict.UNREACHABLE, message=words)
    now = clock()
    return msgspec.structs.replace(found, checked_at=now, clock_ahead=asked.clock_ahead(now))


class _Question:
    """One question to one server; `sent` once the credentials were there and a connection was tried."""

    def __init__(self, document: dict[str, Any], timeout: float) -> None:
        self._client = ClusterClient(document, timeout=timeout, login_timeout=_LOGIN_S)
        self.sent = False

    async def answer(self) -> ServerAnswer:
        async with self._client:
            self.sent = True
            try:
                return _of_user(await who.review(self._client))
            except who.NoReview:
                return _not_the_api()
            except KubeError as error:
                if error.status not in _UNASKABLE:
                    raise
            return await self._older()

    async def _older(self) -> ServerAnswer:
        """Ask a server older than 1.28: who may ask what they may do is signed in."""
        spec = {"nonResourceAttributes": {"path": "/version", "verb": "get"}}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        return _signed_in(await self._client.post(_MAY, body))

    def clock_ahead(self, now: datetime.datetime) -> float:
        """Return by how many seconds the server's clock is ahead of ours, whichever clock ours is; 0 if unknown."""
        ahead = self._client.clock_ahead
        return ahead + (utc_now() - now).total_seconds() if ahead else 0.0


def _of_user(user: who.Who) -> ServerAnswer:
    if user.username == who.ANONYMOUS:
        words = msg("The server knows no user of these credentials")
        return ServerAnswer(verdict=ServerVerdict.REFUSED, message=words)
    return ServerAnswer(verdict=ServerVerdict.ACCEPTED, user=user.username, groups=user.groups)


def _signed_in(body: bytes) -> ServerAnswer:
    try:
        msgspec.json.decode(body, type=_Access)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _not_the_api()
    return ServerAnswer(verdict=ServerVerdict.ACCEPTED)


def _not_the_api() -> ServerAnswer:
    words = msg("Something else than a Kubernetes API server answered, perhaps a sign-in page of the network")
    return ServerAnswer(verdict=ServerVerdict.UNKNOWN, message=words)


def _of_error(error: KubeError) -> ServerAnswer:
    words = str(error.message)
    if error.status == 401 or _ALERT.search(words):
        return ServerAnswer(verdict=ServerVerdict.REFUSED, message=error.message)
    if error.status == 403:
        return _forbidden(error, words)
    cause = error.__cause__
    unsendable = isinstance(cause, ValueError) and not isinstance(cause, OSError)  # a token that fits no header
    lost = error.status in _NO_ANSWER and not unsendable
    return _without(ServerVerdict.UNREACHABLE if lost else ServerVerdict.UNKNOWN, error)


def _forbidden(error: KubeError, words: str) -> ServerAnswer:
    found = _NAMED.search(words)
    user = found.group(1) if found else ""
    if user == who.ANONYMOUS:
        return ServerAnswer(verdict=ServerVerdict.REFUSED, message=error.message)
    return ServerAnswer(verdict=ServerVerdict.FORBIDDEN, user=user, message=error.message)


def _without(verdict: ServerVerdict, error: UserError) -> ServerAnswer:
    """Return an answer that none was got, in the words of whoever said why."""
    words: Text = error.title
    if error.message:
        words = msg("%(title)s: %(words)s", title=error.title, words=error.message)
    return ServerAnswer(verdict=verdict, message=words)
