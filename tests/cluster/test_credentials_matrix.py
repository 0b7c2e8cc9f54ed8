"""Both verdicts, the one word and the sentence, for every pair of claim and answer, on a real API server."""

from __future__ import annotations

import base64
import datetime
import json
import time

import jwt
import pytest
from credential_kit import Place, captive_portal, clock_proxy, connect_proxy, static_jwt
from practice_kit import until

from ansflow_desktop import cli
from ansflow_desktop.credentials.answers import Answers, server_chain, utc_now
from ansflow_desktop.credentials.service import CredentialService, CredentialSettings
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import sync
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.credential import ClaimVerdict, CredentialKind, CredentialStatus, ServerVerdict
from ansflow_desktop.paths import Directories

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
TEN_YEARS = 10 * YEAR


def two_parts(token):
    return token.rsplit(".", 1)[0]


def bad_payload(token):
    head, _, signature = token.split(".")
    return f"{head}.{base64.urlsafe_b64encode(b'no json').decode().rstrip('=')}.{signature}"


def tokens():
    """Return one new token of each claim verdict (renews_itself apart: that is a program's)."""
    now = int(time.time())
    return {
        "valid": static_jwt(iat=now - DAY, exp=now + 30 * DAY),
        "expiring": static_jwt(iat=now - DAY, exp=now + HOUR),
        "expired": static_jwt(iat=now - DAY, exp=now - HOUR),
        "not_yet_valid": static_jwt(nbf=now + DAY, exp=now + 30 * DAY),
        "no_expiry": static_jwt(iat=now - DAY),
        "opaque": "opaque-" + jwt.utils.base64url_encode(now.to_bytes(8, "big")).decode(),
        "malformed": two_parts(static_jwt(exp=now + DAY)),
        "bad_payload": bad_payload(static_jwt(exp=now + DAY)),
        "long_ago": static_jwt(iat=now - 11 * YEAR, exp=now - TEN_YEARS),
    }


KNOWN, STRANGE = tokens(), {name: f"{token}x" for name, token in tokens().items()}
STRANGE |= {"malformed": two_parts(static_jwt(exp=1)), "opaque": "opaque-of-nobody"}


@pytest.fixture(scope="module")
def place(practice_tools, tmp_path_factory):
    """A cluster of this module's own: it is frozen, and knows tokens that say they have ended."""
    folder = tmp_path_factory.mktemp("credentials")
    made = Place(Directories(data=folder, tools=practice_tools), KNOWN)
    yield made
    made.remove()


class Book:
    """A cluster list of documents, as the catalogue hands them out."""

    def __init__(self, documents) -> None:
        self._documents = documents

    def entries(self):
        return tuple(
            ClusterEntry(name=name, context=name, server=document["clusters"][0]["cluster"]["server"], user="me")
            for name, document in self._documents.items()
        )

    def document(self, name):
        return self._documents[name]


def read(documents, *, ask=True, clock=utc_now, timeout=15.0, **options):
    """Return the reports of the documents' sign-ins by cluster name, and by kind where there are several."""
    answers = Answers(timeout=timeout, clock=clock)
    service = CredentialService(Book(documents), answers, clock, lambda: CredentialSettings(**options))
    overview = sync.run(service.overview(ask, names=documents))
    assert not overview.unread
    return overview.reports


def sign_ins(reports):
    shown = (CredentialKind.CA_CERTIFICATE, CredentialKind.SERVER_CERTIFICATE)
    return {use.cluster: row for row in reports for use in row.credential.used_by if row.credential.kind not in shown}


def one(document, **options):
    return sign_ins(read({"it": document}, **options))["it"]


def verdicts(report):
    return report.claim_verdict.value, report.server_verdict.value, report.status.value


def plugin(token, folder):
    """Return a kubeconfig user whose credential program prints `token`."""
    status = {"token": token, "expirationTimestamp": "2099-01-01T00:00:00Z"}
    found = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    script = folder / f"login-{len(token)}-{abs(hash(token))}"
    script.write_text(f"#!/bin/sh\ncat <<'EOF'\n{json.dumps(found)}\nEOF\n")
    script.chmod(0o700)
    return {"exec": {"apiVersion": found["apiVersion"], "command": str(script), "interactiveMode": "Never"}}


ALONE = {
    "valid": "It is valid by what it says of itself.",
    "expiring": "It is still valid, but it ends soon.",
    "expired": "It has expired.",
    "not_yet_valid": "It is not yet valid.",
    "no_expiry": "It names no end.",
    "renews_itself": "It is renewed by itself.",
    "opaque": "It says nothing of itself.",
    "malformed": "It cannot be read.",
}
REVOKED = "but the server refuses it: it was revoked, or it is of another cluster."
ACCEPTED = {
    "valid": "It is valid, and the server accepts it.",
    "expiring": "The server accepts it, but it ends soon.",
    "expired": "It says that it has expired, but the server still accepts it: the connection works.",
    "not_yet_valid": "It says that it is not yet valid, but the server accepts it already.",
    "no_expiry": "The server accepts it, and it names no end: it works until somebody revokes it.",
    "renews_itself": "The server accepts it, and it is renewed by itself.",
    "opaque": "The server accepts it; it does not say itself when it ends.",
    "malformed": "It cannot be read here, but the server accepts it.",
}
REFUSED = {
    "valid": f"It is valid by what it says of itself, {REVOKED}",
    "expiring": f"It says that it is valid for a little longer, {REVOKED}",
    "expired": "It has expired, and the server refuses it.",
    "not_yet_valid": "It is not yet valid, and the server refuses it.",
    "no_expiry": f"It names no end, {REVOKED}",
    "renews_itself": "It is renewed by itself, but the server refuses what it has now: sign in again.",
    "opaque": "The server refuses it; it says nothing of itself that would tell why.",
    "malformed": "It cannot be read, and the server refuses it.",
}
UNSURE = {
    "forbidden": "The server knows it, but forbids what was asked with it.",
    "unreachable": "The server could not be reached, so it is not known whether it accepts it.",
    "unknown": "It could not be found out whether the server accepts it.",
}
REASON = " It has 2 parts; a JWT has three."
WORDS = {
    "accepted": {"expiring": "warning", "expired": "warning", "not_yet_valid": "warning", "malformed": "warning"},
    "forbidden": dict.fromkeys(ALONE, "warning"),
    "refused": dict.fromkeys(ALONE, "invalid"),
    "unreachable": dict.fromkeys(ALONE, "warning"),
    "unknown": dict.fromkeys(ALONE, "warning"),
    "not_asked": {"expiring": "warning", "opaque": "warning"},
}
"""The one word where it is not `valid`."""
BAD = ("expired", "not_yet_valid", "malformed")
for _server in ("unreachable", "unknown", "not_asked"):
    WORDS[_server] |= dict.fromkeys(BAD, "invalid")


def sentence(claim, server):
    """Return the whole sentence that is owed to a pair of verdicts."""
    if server in ("accepted", "refused"):
        found = (ACCEPTED if server == "accepted" else REFUSED)[claim]
    else:
        found = " ".join(filter(None, (ALONE[claim], UNSURE.get(server, ""))))
    return found + (REASON if claim == "malformed" else "")


class Asked:
    """Reads one credential of each claim verdict in each state of the server, once."""

    def __init__(self, place, folder) -> None:
        self._place, self._folder = place, folder
        self._kept = {}

    def __call__(self, state):
        if state not in self._kept:
            self._kept[state] = sign_ins(getattr(self, f"_{state}")())
        return self._kept[state]

    def _documents(self, found, server=None):
        users = {name: {"token": token} for name, token in found.items()}
        users["renews_itself"] = plugin(found["valid"], self._folder)
        return {name: self._place.document(user, server) for name, user in users.items()}

    def _accepted(self):
        return read(self._documents(KNOWN))

    def _refused(self):
        return read(self._documents(STRANGE))

    def _not_asked(self):
        return read(self._documents(KNOWN), ask=False)

    def _forbidden(self):
        with reviews_forbidden(self._place):
            return read(self._documents(KNOWN))

    def _unknown(self):
        with captive_portal() as server:
            return read(self._documents(KNOWN, server))

    def _unreachable(self):
        with self._place.frozen():
            return read(self._documents(KNOWN), timeout=0.3)


@pytest.fixture(scope="module")
def asked(place, tmp_path_factory):
    """The readings of this module."""
    return Asked(place, tmp_path_factory.mktemp("plugins"))


class reviews_forbidden:
    """Take from everybody the right to ask who they are, and give it back."""

    PATH = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user"

    def __init__(self, place) -> None:
        self._place = place
        self._rules = place.api.get(self.PATH)["rules"]

    def __enter__(self):
        self._set([])
        until(lambda: self._verdict() == ServerVerdict.FORBIDDEN)

    def __exit__(self, *_):
        self._set(self._rules)
        until(lambda: self._verdict() == ServerVerdict.ACCEPTED)

    def _set(self, rules):
        status, answer = self._place.api.request("PATCH", self.PATH, {"rules": rules})
        assert status == 200, answer

    def _verdict(self):
        return one(self._place.document({"token": KNOWN["valid"]})).server_verdict


STATES = ("accepted", "refused", "forbidden", "unreachable", "unknown", "not_asked")


@pytest.mark.parametrize("claim", ALONE)
@pytest.mark.parametrize("server", STATES)
def test_every_pair_of_verdicts(asked, server, claim):
    report = asked(server)[claim]
    assert verdicts(report) == (claim, server, WORDS[server].get(claim, "valid"))
    assert translate(report.status_message) == sentence(claim, server)
    assert (report.answer.checked_at is None) == (server == "not_asked")


def test_the_matrix_is_whole():
    assert {*ALONE} == {each.value for each in ClaimVerdict}
    assert {*STATES} == {each.value for each in ServerVerdict}
    assert {"warning", "invalid", "valid"} == {each.value for each in CredentialStatus} - {"no_token"}


def test_ten_years_past_its_end_and_yet_accepted_and_a_payload_that_is_no_json(asked):
    assert verdicts(asked("accepted")["long_ago"]) == ("expired", "accepted", "warning")
    assert verdicts(asked("accepted")["bad_payload"]) == ("malformed", "accepted", "warning")
    assert verdicts(asked("refused")["long_ago"]) == ("expired", "refused", "invalid")


def test_who_the_server_takes_it_for_and_its_words(asked):
    accepted, refused = asked("accepted")["expired"].answer, asked("refused")["valid"].answer
    assert accepted.user == "expired"
    assert {"people", "testers", "system:authenticated"} <= {*accepted.groups}
    assert translate(refused.message) == "Unauthorized"
    assert "selfsubjectreviews" in translate(asked("forbidden")["opaque"].answer.message)
    assert asked("forbidden")["opaque"].answer.user == "opaque"
    assert "did not answer within 0.3 s" in translate(asked("unreachable")["valid"].answer.message)
    assert "sign-in page" in translate(asked("unknown")["valid"].answer.message)


@pytest.fixture(scope="module")
def account(place):
    """A ServiceAccount of this module: its name and uid."""
    return "robot", place.account("robot")


@pytest.mark.parametrize(
    ("seconds", "claim"),
    [(600, "expiring"), (HOUR, "expiring"), (6 * DAY, "expiring"), (8 * DAY, "valid"), (TEN_YEARS, "valid")],
)
def test_tokens_that_the_cluster_gave(place, account, seconds, claim):
    report = one(place.document({"token": place.requested(account[0], seconds)}))
    assert verdicts(report) == (claim, "accepted", "warning" if claim == "expiring" else "valid")
    assert translate(report.status_message) == ACCEPTED[claim]
    ends = report.credential.claims.expires_at
    assert abs((ends - utc_now()).total_seconds() - seconds) < 60
    assert report.answer.user == report.credential.claims.subject == "system:serviceaccount:default:robot"
    assert report.lifetime_used < 0.1


@pytest.mark.parametrize(
    ("begins", "ends", "claim", "server"),
    [
        (-10, 20, "expiring", "accepted"),
        (-10, 60, "expiring", "accepted"),
        (-DAY, TEN_YEARS, "valid", "accepted"),
        (-2 * HOUR, -20, "expired", "accepted"),  # an API server allows a minute
        (-2 * HOUR, -HOUR, "expired", "refused"),
        (-TEN_YEARS, -YEAR, "expired", "refused"),
        (DAY, 2 * DAY, "not_yet_valid", "refused"),
    ],
    ids=lambda value: str(value),
)
def test_tokens_signed_with_the_clusters_own_key(place, account, begins, ends, claim, server):
    report = one(place.document({"token": place.signed(*account, begins, ends)}))
    words = ACCEPTED if server == "accepted" else REFUSED
    assert verdicts(report)[:2] == (claim, server)
    assert translate(report.status_message) == words[claim]


def test_a_revoked_service_account(place):
    place.account("leaver")
    token = place.requested("leaver", 30 * DAY)
    place.remove_account("leaver")
    document = place.document({"token": token})
    report = until(lambda: (found := one(document)).server_verdict is ServerVerdict.REFUSED and found)
    assert verdicts(report) == ("valid", "refused", "invalid")
    assert translate(report.status_message) == REFUSED["valid"]


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (2 * HOUR, "The server's clock is 2 hours ahead of ours. By that clock it has expired."),
        (-2 * HOUR, "The server's clock is 2 hours behind ours."),
        (20, ""),
    ],
)
def test_a_server_whose_date_is_another(place, ahead, words):
    with clock_proxy(place, ahead) as server:
        report = one(place.document({"token": KNOWN["expiring"]}, server))
    assert verdicts(report) == ("expiring", "accepted", "warning")
    assert abs(report.answer.clock_ahead - ahead) < 5
    assert translate(report.status_message) == " ".join(filter(None, (ACCEPTED["expiring"], words)))


@pytest.mark.parametrize(
    ("off", "name", "claim", "words"),
    [
        (3 * HOUR, "expiring", "expired", "The server's clock is 3 hours behind ours. By that clock it is valid."),
        (-3 * DAY, "expired", "expiring", "The server's clock is 3 days ahead of ours. By that clock it has expired."),
    ],
)
def test_our_own_clock_is_wrong(place, off, name, claim, words):
    def clock():
        return utc_now() + datetime.timedelta(seconds=off)

    report = one(place.document({"token": KNOWN[name]}), clock=clock)
    assert verdicts(report) == (claim, "accepted", "warning")
    assert translate(report.status_message) == f"{ACCEPTED[claim]} {words}"


def test_a_skewed_server_that_refuses_says_why(place):
    with clock_proxy(place, DAY) as server:
        report = one(place.document({"token": STRANGE["expiring"]}, server))
    assert verdicts(report) == ("expiring", "refused", "invalid")
    said = translate(report.status_message)
    assert said.startswith(REFUSED["expiring"])
    assert said.endswith("By that clock it has expired.")


@pytest.mark.parametrize(
    ("begins", "ends", "claim", "server"),
    [
        (-HOUR, 30 * DAY, "valid", "accepted"),
        (-HOUR, HOUR, "expiring", "accepted"),
        (-2 * HOUR, -HOUR, "expired", "refused"),
        (DAY, 2 * DAY, "not_yet_valid", "refused"),
    ],
    ids=("valid", "expiring", "expired", "not-yet"),
)
def test_client_certificates(place, begins, ends, claim, server):
    report = one(place.document(place.certificate("jane", begins, ends)))
    assert report.credential.kind is CredentialKind.CLIENT_CERTIFICATE
    assert verdicts(report)[:2] == (claim, server)
    assert translate(report.status_message) == (ACCEPTED if server == "accepted" else REFUSED)[claim]
    assert report.answer.user == ("jane" if server == "accepted" else "")
    assert report.credential.claims.subject == "jane"


def test_an_expired_certificate_beside_a_token_is_judged_alone(place):
    user = {**place.certificate("jane", -2 * HOUR, -HOUR), "token": KNOWN["valid"], "as": "somebody-else"}
    rows = [
        row
        for row in read({"it": place.document(user)})
        if row.credential.kind in (CredentialKind.CLIENT_CERTIFICATE, CredentialKind.TOKEN)
    ]
    found = {row.credential.kind.value: verdicts(row) for row in rows}
    assert found == {
        "client_certificate": ("expired", "refused", "invalid"),
        "token": ("valid", "accepted", "valid"),
    }


def test_the_servers_certificate_and_its_authority_are_told_without_asking(place):
    rows = {row.credential.kind: row for row in read({"it": place.document({"token": KNOWN["valid"]})})}
    server, authority = rows[CredentialKind.SERVER_CERTIFICATE], rows[CredentialKind.CA_CERTIFICATE]
    assert {server.server_verdict, authority.server_verdict} == {ServerVerdict.NOT_ASKED}
    assert server.credential.claims.expires_at > utc_now()
    assert authority.credential.claims.expires_at > utc_now()


def test_the_chain_of_a_server_that_does_not_answer_is_empty(place):
    document = place.document({})
    assert len(sync.run(server_chain(document))) >= 1
    with place.frozen():
        assert sync.run(server_chain(document, timeout=0.3)) == ()
    assert sync.run(server_chain(place.document({}, "https://127.0.0.1:1"))) == ()
    assert sync.run(server_chain(place.document({}, "http://127.0.0.1:1"))) == ()


def test_the_chain_through_a_proxy(place):
    direct = sync.run(server_chain(place.document({})))
    with connect_proxy() as proxy:
        found = sync.run(server_chain(place.document({}, **{"proxy-url": proxy.url, "tls-server-name": "localhost"})))
    assert found == direct
    assert proxy.asked == [f"127.0.0.1:{place.api.port}"]


def test_a_token_that_ends_while_it_is_looked_at(place, account):
    """The kept answer is asked for again at the credential's end, and then the server's minute has passed too."""
    now = [utc_now()]
    answers = Answers(clock=lambda: now[0])
    document = place.document({"token": place.signed(*account, -HOUR, 5)})
    service = CredentialService(Book({"it": document}), answers, lambda: now[0])

    def look():
        return sign_ins(sync.run(service.reports(True)))["it"]

    assert verdicts(look())[:2] == ("expiring", "accepted")
    first = look().answer.checked_at
    now[0] += datetime.timedelta(seconds=2)
    assert look().answer.checked_at == first, "a kept answer is used again"
    now[0] += datetime.timedelta(seconds=4)
    ended = look()
    assert verdicts(ended)[:2] == ("expired", "accepted")
    assert ended.answer.checked_at > first, "its end came between: what was answered before it is not shown"


def test_the_command_line_on_a_real_cluster(place, tmp_path, capsys):
    file = tmp_path / "kubeconfig"
    users = {"gone": {"token": KNOWN["expired"]}, "fine": {"token": KNOWN["valid"]}, "odd": {"token": STRANGE["valid"]}}
    found = place.document({})
    found["users"] = [{"name": f"{name}-user", "user": user} for name, user in users.items()]
    cluster = found["clusters"][0]["name"]
    found["contexts"] = [{"name": name, "context": {"cluster": cluster, "user": f"{name}-user"}} for name in users]
    file.write_text(json.dumps(found))
    where = ["--kubeconfig", str(file), "--data-dir", str(tmp_path / "data"), "-o", "json"]
    assert cli.main(["credentials", "list", *where]) == 0
    out, err = capsys.readouterr()
    rows = {row["name"]: (row["claim_verdict"], row["server_verdict"], row["status"]) for row in json.loads(out)}
    assert rows["gone-user @ gone"] == ("expired", "accepted", "warning")
    assert rows["fine-user @ fine"] == ("valid", "accepted", "valid")
    assert rows["odd-user @ odd"] == ("valid", "refused", "invalid")
    assert cli.main(["credentials", "list", "--within", "7d", *where]) == 1
    within, more = capsys.readouterr()
    assert [row["name"] for row in json.loads(within)] == ["gone-user @ gone"]
    secret = {part for user in users.values() for part in user["token"].split(".")[1:]}
    assert not [part for part in secret if part in out + err + within + more]
