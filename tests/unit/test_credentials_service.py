"""credentials/{service,ask,chain}.py: which question is asked where, and what a reading holds."""

from __future__ import annotations

import asyncio
import datetime

import jwt
import pytest

from ansflow_desktop.credentials import answers as answering
from ansflow_desktop.credentials import ask, pull_secrets, service
from ansflow_desktop.credentials.answers import Answers
from ansflow_desktop.credentials.chain import server_chain
from ansflow_desktop.credentials.service import CredentialService, CredentialSettings
from ansflow_desktop.errors import UserError
from ansflow_desktop.kube.approvals import ApprovalNeeded
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.credential import (
    Claims,
    ClaimVerdict,
    Credential,
    CredentialKind,
    CredentialStatus,
    ServerAnswer,
    ServerVerdict,
)

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
PLUGIN = make_plugin("/opt/login", ("--region", "x"), ())


def token(days, subject="jane"):
    """Return a JWT that ends `days` after NOW."""
    return jwt.encode({"sub": subject, "exp": int((NOW + days * DAY).timestamp())}, b"k" * 32, "HS256")


def document(user, server="https://one.example:6443"):
    return {
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "me"}}],
        "clusters": [{"name": "x", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": user}],
    }


class Book:
    """A cluster list; a value that is an error is raised."""

    def __init__(self, **found) -> None:
        self._found = found

    def entries(self):
        return tuple(ClusterEntry(name=name, context=name, user="me", exec_plugin=PLUGIN) for name in self._found)

    def document(self, name):
        found = self._found[name]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def asked(monkeypatch):
    """Every question that would have been put to a server: address and user; answered by verdict of the address."""
    questions = []

    async def answer(found, timeout, clock):
        server = ask.server_of(found)
        questions.append((server, found["users"][0]["user"]))
        verdict = ServerVerdict.REFUSED if "two" in server else ServerVerdict.ACCEPTED
        return ServerAnswer(verdict=verdict, checked_at=clock())

    async def no_chain(found, timeout):
        return ()

    monkeypatch.setattr(answering, "review", answer)

    async def no_pulls(wanted, timeout):
        return ()

    monkeypatch.setattr(service, "server_chain", no_chain)
    monkeypatch.setattr(pull_secrets, "_of_cluster", no_pulls)
    return questions


def make(home, **found):
    def clock():
        return NOW

    return CredentialService(Book(**found), Answers(clock=clock), clock, lambda: CredentialSettings(home=home))


def read(home, *, with_ask=True, **found):
    return asyncio.run(make(home, **found).overview(with_ask))


def test_rows_are_ordered_by_what_ends_first_and_nothing_is_asked_unless_wanted(asked, tmp_path):
    found = read(
        tmp_path,
        with_ask=False,
        late=document({"token": token(90)}),
        never=document({"token": "an-opaque-token-without-end"}),
        soon=document({"token": token(2)}),
    )
    names = [row.credential.used_by[0].cluster for row in found.reports]
    assert names == ["soon", "late", "never"]
    assert [row.claim_verdict.value for row in found.reports] == ["expiring", "valid", "opaque"]
    assert {row.server_verdict for row in found.reports} == {ServerVerdict.NOT_ASKED}
    assert (asked, found.read_at, found.unread) == ([], NOW, ())


def test_a_token_of_several_contexts_is_one_row_and_one_question_a_server(asked, tmp_path):
    same = {"token": token(30)}
    there = "https://two.example:6443"
    found = read(tmp_path, a=document(same), b=document(same), c=document(same, there))
    [row] = found.reports
    assert [use.cluster for use in row.credential.used_by] == ["a", "b", "c"]
    assert sorted(server for server, _ in asked) == ["https://one.example:6443", there]
    assert row.server_verdict is ServerVerdict.REFUSED, "what is refused somewhere is not hidden by who accepts it"


def test_a_short_token_that_was_changed_in_its_place_is_asked_about_anew(asked, tmp_path):
    made = make(tmp_path, a=document({"token": "short1"}))
    asyncio.run(made.overview(True))
    made._clusters = Book(a=document({"token": "short2"}))
    [before] = asyncio.run(made.overview(False)).reports
    assert before.server_verdict is ServerVerdict.NOT_ASKED
    asyncio.run(made.overview(True))
    assert [user for _, user in asked] == [{"token": "short1"}, {"token": "short2"}]


def test_a_second_reading_asks_nobody_until_the_answers_are_old(asked, tmp_path):
    made = make(tmp_path, a=document({"token": token(30)}))
    for fresh in (False, False, True):
        [row] = asyncio.run(made.reports(True, fresh=fresh))
        assert row.server_verdict is ServerVerdict.ACCEPTED
    assert len(asked) == 2


def test_a_server_is_asked_for_its_certificates_as_seldom_as_for_answers(asked, tmp_path, monkeypatch):
    shown, chain, now = [], [()], [NOW]

    async def show(found, timeout):
        shown.append(ask.server_of(found))
        return chain[0]

    monkeypatch.setattr(service, "server_chain", show)
    answers = Answers(ttl_s=300, clock=lambda: now[0])
    book = Book(a=document({"token": token(30)}), b=document({"token": token(40)}))
    made = CredentialService(book, answers, lambda: now[0], lambda: CredentialSettings(home=tmp_path))

    def look(**options):
        rows = asyncio.run(made.reports(True, **options))
        return [row for row in rows if row.credential.kind is CredentialKind.SERVER_CERTIFICATE]

    assert (look(), look(), len(shown)) == ([], [], 1)
    chain[0] = (b"no certificate" * 20,)
    assert (len(look(fresh=True)), len(shown)) == (1, 2)
    chain[0] = ()
    now[0] += datetime.timedelta(seconds=300)
    assert (len(look()), len(shown)) == (1, 3), "a silent server loses no row"


def test_what_cannot_be_read_is_told_and_the_others_are_there(asked, tmp_path):
    locked = UserError("The vault is locked", "", "Unlock it.")
    found = read(tmp_path, bad=locked, good=document({"token": token(30)}), program=ApprovalNeeded("program", PLUGIN))
    assert [(unread.cluster, str(unread.hint)[:6]) for unread in found.unread] == [
        ("bad", "Unlock"),
        ("program", "Look a"),
    ]
    rows = {row.credential.used_by[0].cluster: row for row in found.reports}
    assert rows["program"].credential.kind is CredentialKind.EXEC_PLUGIN
    program = rows["program"]
    assert (program.claim_verdict, program.server_verdict) == (ClaimVerdict.OPAQUE, ServerVerdict.NOT_ASKED)
    assert program.status is CredentialStatus.WARNING and "until its program is approved" in str(program.status_message)
    assert "allow it" in str(program.advice[0].title)
    assert [user for _, user in asked] == [{"token": token(30)}], "no program runs that nobody has allowed"


def test_what_ends_during_a_run_is_known_without_asking(asked, tmp_path):
    made = make(tmp_path, a=document({"token": token(1)}), b=document({"token": token(0.5)}))
    hours = datetime.timedelta(hours=1)
    assert made.ending("a", 23 * hours) == ()
    assert [row.credential.used_by[0].cluster for row in made.ending("a", 24 * hours)] == ["a"]
    assert asked == []


USER = {
    "token": "t",
    "tokenFile": "/f",
    "client-certificate-data": "c",
    "client-key-data": "k",
    "username": "u",
    "password": "p",
    "exec": {"command": "x"},
    "as": "root",
    "as-groups": ["system:masters"],
}


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (CredentialKind.TOKEN, {"token"}),
        (CredentialKind.TOKEN_FILE, {"tokenFile"}),
        (CredentialKind.LEGACY_TOKEN, {"tokenFile"}),
        (CredentialKind.CLIENT_CERTIFICATE, {"client-certificate-data", "client-key-data"}),
        (CredentialKind.PASSWORD, {"username", "password"}),
        (CredentialKind.EXEC_PLUGIN, {"exec"}),
    ],
)
def test_a_question_is_about_one_credential_and_nobody_is_impersonated(kind, kept):
    found = ask.only(document(USER), kind)
    assert {*found["users"][0]["user"]} == kept
    assert found["clusters"] == document(USER)["clusters"]


def test_tokens_of_a_provider_are_sent_as_they_are():
    provider = {
        "auth-provider": {"name": "oidc", "config": {"id-token": "i", "refresh-token": "r", "access-token": "a"}}
    }
    assert ask.only(document(provider), CredentialKind.OIDC_ID_TOKEN)["users"][0]["user"] == {"token": "i"}
    assert ask.only(document(provider), CredentialKind.TOKEN)["users"][0]["user"] == {"token": "a"}
    broken = document({"auth-provider": {"name": "oidc", "config": None}})
    assert ask.only(broken, CredentialKind.OIDC_ID_TOKEN) is None


@pytest.mark.parametrize(
    "kind", ["ca_certificate", "server_certificate", "oidc_refresh_token", "registry_login", "image_pull"]
)
def test_what_no_server_is_asked_about(kind):
    assert ask.only(document(USER), CredentialKind(kind)) is None


def test_a_certificate_is_not_asked_about_where_it_is_never_shown():
    assert ask.only(document(USER, "http://one.example"), CredentialKind.CLIENT_CERTIFICATE) is None


def test_the_key_of_an_answer_says_nothing_of_the_secret():
    secret = token(1)
    credential = Credential(id="i", name="n", kind=CredentialKind.TOKEN)
    key = ask.key_of(credential, document({"token": secret}))
    assert all(part not in key for part in secret.split("."))
    assert key != ask.key_of(credential, document({"token": token(2)}))
    assert key != ask.key_of(credential, document({"token": secret}, "https://two.example"))


def test_the_times_at_which_an_answer_may_change():
    claims = Claims(not_before=NOW, expires_at=NOW + DAY)
    turns = ask.turns_of(Credential(id="i", name="n", kind=CredentialKind.TOKEN, claims=claims))
    assert turns[:2] == (NOW, NOW + DAY)
    assert datetime.timedelta(minutes=1) < turns[2] - (NOW + DAY) < datetime.timedelta(minutes=2)
    assert ask.turns_of(Credential(id="i", name="n", kind=CredentialKind.TOKEN)) == ()


def test_a_place_says_nothing_of_its_document():
    place = service._Place(entry=ClusterEntry(name="a", context="a"), document=document({"token": "canary"}))
    assert "canary" not in repr(place)


@pytest.mark.parametrize(
    "cluster",
    [
        {"server": "one.example"},
        {"server": "https://[broken"},
        {"server": "https://x:99999"},
        {"server": "https://127.0.0.1:1"},
        {"server": "https://127.0.0.1:1", "proxy-url": "socks5://127.0.0.1:1"},
        {"server": "https://127.0.0.1:1", "proxy-url": "http://127.0.0.1:1"},
        {},
    ],
)
def test_a_server_without_a_chain_is_no_error(cluster):
    found = document({})
    found["clusters"][0]["cluster"] = cluster
    assert asyncio.run(server_chain(found, 2.0)) == ()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nno TLS at all", b"", b"x" * 99999]
)
def test_a_proxy_that_does_not_let_us_through(answer):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def story():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            found = document({})
            proxy = f"http://name:word@127.0.0.1:{server.sockets[0].getsockname()[1]}"
            found["clusters"][0]["cluster"]["proxy-url"] = proxy
            return await server_chain(found, 2.0)

    assert asyncio.run(story()) == ()
