"""`credentials list|show`: the exact keys of cli.md, exit codes for cron, and no secret on any stream."""

from __future__ import annotations

import datetime
import json
import time

import jwt
import pytest

from ansflow_desktop import cli
from ansflow_desktop.commands import credentials_words
from ansflow_desktop.commands.credentials import parse_within, utc
from ansflow_desktop.errors import UserError

KEYS = {
    "name",
    "kind",
    "used_by",
    "claim_verdict",
    "server_verdict",
    "status",
    "status_message",
    "issued_at",
    "expires_at",
    "checked_at",
    "actions",
}
DAY = 86400


def signed(seconds):
    return jwt.encode({"sub": "jane", "iat": int(time.time()), "exp": int(time.time()) + seconds}, b"k" * 32, "HS256")


@pytest.fixture
def run(tmp_path, capsys):
    """A function that runs `credentials …` with a kubeconfig of users `{name: user}` on a server that is not there."""

    def call(users, *words):
        contexts = [{"name": name, "context": {"cluster": "c", "user": f"u-{name}"}} for name in users]
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": f"u-{name}", "user": user} for name, user in users.items()],
            "contexts": contexts,
        }
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(document))
        argv = ["credentials", *words, "--kubeconfig", str(file), "--data-dir", str(tmp_path / "data")]
        code = cli.main(argv)
        return code, *capsys.readouterr()

    return call


def test_the_rows_have_exactly_the_keys_that_scripts_rely_on(run):
    token = signed(DAY)
    code, out, _ = run({"a": {"token": token}}, "list", "-o", "json")
    [row] = json.loads(out)
    assert code == 0
    assert {*row} == KEYS
    assert (row["name"], row["kind"], row["used_by"]) == ("u-a @ a", "token", ["a"])
    assert (row["claim_verdict"], row["server_verdict"], row["status"]) == ("expiring", "unreachable", "warning")
    ends = datetime.datetime.fromisoformat(row["expires_at"])
    assert ends.utcoffset() == datetime.timedelta(0)
    assert row["expires_at"].endswith("Z")
    assert abs(ends.timestamp() - time.time() - DAY) < 60
    assert row["checked_at"] > row["issued_at"] or row["checked_at"] == row["issued_at"]
    assert {"strategy", "title", "automation"} <= {*row["actions"][0]}


def test_within_shows_what_ends_and_says_so_by_its_exit_code(run):
    users = {"soon": {"token": signed(3 * DAY)}, "late": {"token": signed(30 * DAY)}, "gone": {"token": signed(-DAY)}}
    code, out, _ = run(users, "list", "--no-ask", "--within", "7d", "-o", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(row["used_by"], row["claim_verdict"]) for row in rows] == [(["gone"], "expired"), (["soon"], "expiring")]
    code, out, _ = run({"late": users["late"]}, "list", "--no-ask", "--within", "7d", "-o", "json")
    assert (code, json.loads(out)) == (0, [])
    code, out, _ = run({"late": users["late"]}, "list", "--no-ask", "--within", "31d", "-o", "json")
    assert (code, json.loads(out)[0]["claim_verdict"]) == (1, "expiring")


def test_what_ends_and_is_not_asked_for_within_is_no_failure(run):
    code, out, _ = run({"gone": {"token": signed(-DAY)}}, "list", "--no-ask")
    assert code == 0
    assert "not_asked" in out
    assert "It has expired." in out


def test_what_renews_itself_does_not_end(run, tmp_path):
    login = tmp_path / "login"
    login.write_text("#!/bin/sh\n")
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(login)}}
    code, out, err = run({"a": user}, "list", "--within", "520w", "-o", "json")
    assert (code, json.loads(out)) == (0, [])
    assert str(login) in err, "a program that nobody has allowed is named"


def test_an_allowed_program_is_run_and_another_is_not(run, tmp_path):
    login = tmp_path / "login"
    login.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho rubbish\n")
    login.chmod(0o700)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(login)}}
    code, out, err = run({"a": user}, "list", "-o", "json")
    assert json.loads(out)[0]["server_verdict"] == "not_asked"
    assert not (tmp_path / "ran").exists()
    digest = err.rpartition("approve-plugin ")[2].split()[0].rstrip(".")
    code, out, err = run({"a": user}, "list", "-o", "json", "--approve-plugin", digest)
    assert (code, json.loads(out)[0]["server_verdict"]) == (0, "unknown")
    assert (tmp_path / "ran").exists()


def test_show_tells_everything_but_the_credential(run):
    token = signed(DAY)
    code, out, err = run({"a": {"token": token}}, "show", "u-a @ a")
    assert code == 0
    for words in ("subject: jane", "says of itself: expiring", "server answers: unreachable", "does not accept"):
        assert words in out
    code, more, _ = run({"a": {"token": token}}, "show", "u-a @ a", "-o", "json")
    assert {*json.loads(more)} > KEYS
    assert json.loads(more)["subject"] == "jane"
    for text in (out, err, more):
        assert all(part not in text for part in token.split("."))


def test_a_name_that_is_not_there_names_those_that_are(run):
    code, out, err = run({"a": {"token": "an-opaque-token"}}, "show", "nobody")
    assert (code, out) == (2, "")
    assert "u-a @ a" in err


def test_a_broken_entry_is_told_and_the_list_goes_on(run):
    code, out, err = run({"a": {"token": signed(DAY)}, "bad": "no mapping"}, "list", "--no-ask", "-o", "json")
    assert code == 0
    assert [row["used_by"] for row in json.loads(out)] == [["a"]]
    assert "bad" in err


@pytest.mark.parametrize(
    ("text", "seconds"), [("7d", 7 * DAY), ("2w", 14 * DAY), ("36h", 1.5 * DAY), ("1d12h", 1.5 * DAY), ("90m", 5400)]
)
def test_times_that_can_be_given(text, seconds):
    assert parse_within(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "0d", "7 d", "7days", "1e3d", "٧d", "999999999w", "nan", "7d\n"])
def test_times_that_cannot(run, text):
    with pytest.raises(UserError):
        parse_within(text)
    code, out, err = run({"a": {"token": "t"}}, "list", f"--within={text}")
    assert (code, out) == (2, "")
    assert "within" in err


def test_times_are_shown_in_utc_to_the_second():
    zone = datetime.timezone(datetime.timedelta(hours=8))
    assert utc(datetime.datetime(2026, 1, 1, 7, 0, 0, 5, tzinfo=zone)) == "2025-12-31T23:00:00Z"
    assert utc(datetime.datetime(9999, 12, 29, tzinfo=datetime.UTC)) == "9999-12-29T00:00:00Z"
    assert utc(None) is None


def test_the_fixed_words_are_said_in_the_language_of_the_texts_and_stay_in_documents(run, monkeypatch):
    shown = {"expired": "已过期", "not_asked": "未询问", "token": "令牌"}
    monkeypatch.setattr(credentials_words, "translate", lambda text: shown.get(text.text, text.text))
    for words in (("list", "--no-ask"), ("show", "u-gone @ gone")):
        code, out, _ = run({"gone": {"token": signed(-DAY)}}, *words)
        assert code == 0 and shown["expired"] in out and shown["token"] in out
    code, out, _ = run({"gone": {"token": signed(-DAY)}}, "list", "--no-ask", "-o", "json")
    assert (json.loads(out)[0]["claim_verdict"], json.loads(out)[0]["server_verdict"]) == ("expired", "not_asked")
