"""What is advised, what comes first, what a person is reminded of, and logins at registries."""

from __future__ import annotations

import base64
import datetime
import itertools
import json
from pathlib import Path

import claims_kit as kit
import msgspec
import pytest

from ansflow_desktop.credentials import reminders
from ansflow_desktop.credentials.advice import advise, priority_actions
from ansflow_desktop.credentials.inventory import report
from ansflow_desktop.credentials.registries import image_pull_secrets, registry_logins
from ansflow_desktop.i18n import translate
from ansflow_desktop.models.credential import (
    Claims,
    Credential,
    CredentialKind,
    CredentialReport,
    ServerAnswer,
    ServerVerdict,
    Strategy,
    Use,
)

DAY = datetime.timedelta(days=1)
NOW = kit.NOW
K, S, V = CredentialKind, Strategy, ServerVerdict


def row(
    kind: CredentialKind = K.TOKEN,
    claims: Claims | None = None,
    server: ServerVerdict = V.NOT_ASKED,
    *,
    name: str = "x",
    account: str = "",
    ahead: float = 0,
) -> CredentialReport:
    own = Credential(
        id=name,
        name=name,
        kind=kind,
        claims=claims or Claims(),
        service_account=account,
        used_by=(Use(cluster="prod"), Use(cluster="test"), Use(cluster="prod", place="b")),
    )
    return report(own, ServerAnswer(verdict=server, clock_ahead=ahead), NOW, kit.WEEK)


SOON = Claims(expires_at=NOW + DAY)
PAST = Claims(expires_at=NOW - DAY)
FAR = Claims(expires_at=NOW + DAY * 30, issued_at=NOW)


@pytest.mark.parametrize(
    ("made", "strategies"),
    [
        (row(claims=FAR, server=V.ACCEPTED), [S.KEEP]),
        (row(claims=SOON, account="ci"), [S.TOKEN_REQUEST]),
        (row(claims=PAST, account="ci", server=V.ACCEPTED), [S.TOKEN_REQUEST]),
        (row(claims=PAST, account="ci"), [S.ASK_ADMINISTRATOR]),
        (row(claims=FAR, account="ci", server=V.REFUSED), [S.ASK_ADMINISTRATOR]),
        (row(K.TOKEN_FILE, SOON), [S.SIGN_IN]),
        (row(K.LEGACY_TOKEN, server=V.ACCEPTED), [S.REPLACE_LEGACY]),
        (row(account="ci"), [S.REPLACE_LEGACY]),
        (row(claims=Claims(expires_at=NOW + DAY * 400, issued_at=NOW), account="ci"), [S.SHORTEN]),
        (row(K.CLIENT_CERTIFICATE, Claims(expires_at=NOW + DAY * 500, not_before=NOW)), [S.SHORTEN]),
        (row(K.CLIENT_CERTIFICATE, SOON, V.ACCEPTED), [S.CSR]),
        (row(K.CLIENT_CERTIFICATE, PAST, V.REFUSED), [S.ROTATE_CERTIFICATE]),
        (row(K.CA_CERTIFICATE, PAST), [S.ROTATE_CERTIFICATE]),
        (row(K.SERVER_CERTIFICATE, SOON), [S.ROTATE_CERTIFICATE]),
        (row(K.EXEC_PLUGIN, Claims(renews=True, expires_at=NOW - DAY)), [S.KEEP]),
        (row(K.EXEC_PLUGIN, Claims(renews=True), V.REFUSED), [S.SIGN_IN]),
        (row(K.OIDC_ID_TOKEN, PAST), [S.SIGN_IN]),
        (row(K.OIDC_REFRESH_TOKEN, Claims(opaque=True)), [S.KEEP]),
        (row(K.REGISTRY_LOGIN, PAST), [S.SIGN_IN]),
        (row(K.IMAGE_PULL, SOON), [S.SIGN_IN]),
        (row(K.PASSWORD, Claims(opaque=True)), [S.CORRECT]),
        (row(claims=Claims(problem="torn"), server=V.REFUSED), [S.CORRECT, S.SIGN_IN]),
        (row(claims=FAR, server=V.FORBIDDEN), [S.FIX_ACCESS]),
        (row(claims=FAR, server=V.UNREACHABLE), [S.FIX_ACCESS]),
        (row(claims=FAR, server=V.ACCEPTED, ahead=-400), [S.FIX_CLOCK]),
        (row(claims=Claims(not_before=NOW + DAY, expires_at=NOW + DAY * 9)), [S.FIX_CLOCK]),
    ],
)
def test_each_state_has_its_strategy(made: CredentialReport, strategies: list[Strategy]) -> None:
    assert [advice.strategy for advice in made.advice] == strategies


def test_urgent_advice_comes_first_and_says_what_breaks_where() -> None:
    for kind, claims, server in itertools.product(K, (SOON, PAST, FAR, Claims(problem="x")), V):
        made = row(kind, claims, server, account="ci")
        urgent = [advice.immediate for advice in made.advice]
        assert urgent == sorted(urgent, reverse=True)
        assert all(translate(one.breaks).endswith(": prod, test.") for one in made.advice if one.immediate)
    assert set(row(claims=SOON, account="ci").advice[0].automation) == {
        "bash", "powershell", "systemd", "cronjob", "exec",
    }  # fmt: skip


def test_what_is_broken_comes_first_then_what_ends_first_then_what_can_wait() -> None:
    rows = [
        row(K.LEGACY_TOKEN, name="endless", server=V.ACCEPTED),
        row(claims=FAR, name="well", server=V.ACCEPTED),
        row(claims=Claims(expires_at=NOW + DAY * 3), name="in three days"),
        row(claims=SOON, name="tomorrow"),
        row(claims=PAST, name="past and accepted", server=V.ACCEPTED),
        row(claims=FAR, name="refused", server=V.REFUSED),
    ]
    actions = priority_actions(rows)
    named = [action.credential for action in actions]
    assert named == ["refused", "past and accepted", "tomorrow", "in three days", "endless"]
    assert [action.number for action in actions] == [1, 2, 3, 4, 5]
    assert (actions[2].due, actions[4].due) == (NOW + DAY, None)
    bare = [msgspec.structs.replace(one, advice=()) for one in rows]
    assert priority_actions(bare) == actions


def told_after(rows: list[CredentialReport], told: dict[str, int], now: datetime.datetime) -> list[int]:
    found = reminders.due(rows, (30, 7, 1), told, now)
    told |= {one.key: one.day for one in found}
    return [one.day for one in found]


def test_each_day_is_told_once_and_the_end_too() -> None:
    rows, told = [row(claims=Claims(expires_at=NOW))], {}
    days = [told_after(rows, told, NOW - DAY * left) for left in (40, 30, 29, 7, 6, 1, 1, 0, -1, -9)]
    assert days == [[], [30], [], [7], [], [1], [], [0], [], []]


def test_who_starts_late_hears_of_the_nearest_day_only_and_of_a_renewed_one_anew() -> None:
    told: dict[str, int] = {}
    assert told_after([row(claims=SOON)], told, NOW) == [1]
    renewed = [row(claims=Claims(expires_at=NOW + DAY * 20))]
    assert told_after(renewed, told, NOW) == [30]
    assert reminders.kept(told, renewed) == {f"x@{int((NOW + DAY * 20).timestamp())}": 30}


def test_short_lives_endless_ones_and_those_that_renew_are_not_told_of() -> None:
    hour = Claims(expires_at=NOW + DAY / 24, issued_at=NOW)
    rows = [row(claims=hour), row(claims=Claims()), row(claims=Claims(renews=True, expires_at=NOW))]
    assert reminders.due(rows, (30, 7, 1), {}, NOW) == ()
    assert [one.day for one in reminders.due(rows, (30,), {}, NOW + DAY)] == [reminders.ENDED]
    ordered = reminders.due([row(claims=SOON, name="b"), row(claims=PAST, name="a")], (7,), {}, NOW)
    assert [one.report.credential.name for one in ordered] == ["a", "b"]


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


AMAZON = base64.b64encode(json.dumps({"payload": "x", "expiration": NOW.timestamp()}).encode()).decode()
LOGINS = {
    "credHelpers": {"gcr.io": "gcloud"},
    "credsStore": "secretservice",
    "auths": {
        "plain.example": auth("bob", "hunter2-hunter2-hunter2"),
        "jwt.example": auth("bot", kit.token({"sub": "bot", "exp": NOW.timestamp()})),
        "ecr.example": auth("AWS", AMAZON),
        "identity.example": {"identitytoken": kit.token({"exp": NOW.timestamp()})},
        "kept.example": {},
        "torn.example": {"auth": "%%%"},
        "odd.example": 7,
    },
}


def test_logins_of_docker_and_helm_are_read_and_helpers_named(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(json.dumps(LOGINS))
    (tmp_path / "helm.json").write_text(json.dumps({"auths": {"charts.example": auth("a", "b")}}))
    found = registry_logins(tmp_path, {"HELM_REGISTRY_CONFIG": str(tmp_path / "helm.json")})
    by_name = {one.name.split()[0]: one for one in found}
    assert set(by_name) == {*LOGINS["auths"], "gcr.io", "charts.example"}
    for host in ("jwt.example", "ecr.example", "identity.example"):
        assert by_name[host].claims.expires_at == NOW
    assert (by_name["plain.example"].claims.subject, by_name["plain.example"].fingerprint) == ("bob", "")
    assert by_name["torn.example"].claims.problem
    said = [translate(by_name[host].claims.notes[0]) for host in ("gcr.io", "kept.example", "odd.example")]
    assert ["gcloud" in said[0], *("secretservice" in one for one in said[1:])] == [True, True, True]
    assert "hunter2" not in repr(found)
    assert len({one.id for one in found}) == len(found)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_broken_login_file_is_one_problem(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "config.json").write_bytes(data)
    (one,) = registry_logins(tmp_path, {"DOCKER_CONFIG": str(tmp_path)})
    assert one.claims.problem
    assert registry_logins(tmp_path / "nobody", {}) == ()


def test_pull_secrets_are_read_from_one_or_from_a_list() -> None:
    packed = base64.b64encode(json.dumps(LOGINS).encode()).decode()
    old = base64.b64encode(json.dumps({"old.example": auth("a", "b")}).encode()).decode()
    meta = {"name": "pull", "namespace": "web"}
    new_one = {"type": "kubernetes.io/dockerconfigjson", "metadata": meta, "data": {".dockerconfigjson": packed}}
    old_one = {"type": "kubernetes.io/dockercfg", "metadata": meta, "data": {".dockercfg": old}}
    torn = {"type": "kubernetes.io/dockercfg", "metadata": meta, "data": {".dockercfg": "%"}}
    other = {"type": "Opaque", "data": {"a": "b"}}
    found = image_pull_secrets(json.dumps({"items": [new_one, old_one, other, torn, 7]}).encode(), "prod")
    assert {one.kind for one in found} == {K.IMAGE_PULL}
    assert {one.used_by[0] for one in found} == {Use(cluster="prod", place="Secret web/pull")}
    assert len(found) == len(LOGINS["auths"]) + 3
    assert found[-1].claims.problem
    assert len(image_pull_secrets(json.dumps(old_one).encode(), "prod")) == 1
    assert image_pull_secrets(b"<html>", "prod") == image_pull_secrets(b"{}", "prod") == ()


def test_a_token_that_is_in_order_can_be_renewed_by_itself_from_now_on() -> None:
    (own,), (other,) = advise(row(claims=FAR, server=V.ACCEPTED, account="ci")), advise(row(claims=FAR))
    assert (own.strategy, other.strategy) == (S.KEEP, S.KEEP)
    assert "systemd" in own.automation and other.automation == ()
