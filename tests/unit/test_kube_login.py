"""kube/login.py: real credential programs that work, fail, hang, prompt, flood and leave children behind."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansflow_desktop.i18n import translate
from ansflow_desktop.kube import login, probe
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.cluster import ClusterEntry

VERSION = "client.authentication.k8s.io/v1"


@pytest.fixture
def program(tmp_path):
    def make(script: str) -> str:
        path = tmp_path / "plugin"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return str(path)

    return make


def document(command, server="https://x", **more):
    asked = {"command": command, "apiVersion": VERSION, **more}
    return {
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": "Q0E="}}],
        "users": [{"name": "u", "user": {"exec": asked}}],
    }


def answer(**status):
    return "cat <<'E'\n" + json.dumps({"kind": "ExecCredential", "apiVersion": VERSION, "status": status}) + "\nE\n"


def is_running(pid: int) -> bool:
    """Return whether a process lives: one that ended but that init has not reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ask(asked, timeout=5.0):
    return asyncio.run(login.log_in(asked, timeout))


def test_a_token_is_given(program):
    found = ask(document(program(answer(token="abc"))))
    assert found.token == "abc"


def test_a_user_without_a_program_asks_nobody():
    assert ask({"clusters": [], "users": []}) is None
    assert ask({"clusters": [{"cluster": {}}], "users": [{"user": {"token": "x"}}]}) is None


def test_arguments_environment_and_cluster_are_passed(program, tmp_path):
    script = f'echo "$1|$HELLO|$KUBERNETES_EXEC_INFO" > {tmp_path}/said\n' + answer(token="t")
    more = {"args": ["one"], "env": [{"name": "HELLO", "value": "there"}], "provideClusterInfo": True}
    ask(document(program(script), **more))
    first, env, info = (tmp_path / "said").read_text().split("|")
    assert (first, env) == ("one", "there")
    spec = json.loads(info)["spec"]
    assert spec["cluster"] == {"server": "https://x", "certificate-authority-data": "Q0E="}
    assert spec["interactive"] is False


def test_an_answer_is_kept_until_it_expires_or_is_refused(program, tmp_path):
    count = tmp_path / "count"
    script = f"echo x >> {count}\n"
    lasting = document(program(script + answer(token="t", expirationTimestamp="2099-01-01T00:00:00Z")), "https://kept")
    ask(lasting)
    ask(lasting)
    assert count.read_text() == "x\n"
    login.forget(lasting)
    ask(lasting)
    assert count.read_text() == "x\nx\n"
    program(script + answer(token="t", expirationTimestamp="2020-01-01T00:00:00Z"))
    login.forget(lasting)
    ask(lasting)
    ask(lasting)
    assert count.read_text() == "x\n" * 3


def test_an_answer_that_has_ended_is_asked_for_again_after_a_moment(program, tmp_path, monkeypatch):
    count = tmp_path / "count"
    script = f"echo x >> {count}\n" + answer(token="t", expirationTimestamp="2020-01-01T00:00:00Z")
    ended = document(program(script), "https://ended")
    ask(ended)
    monkeypatch.setattr(login, "_AGAIN_S", 0.0)
    ask(ended)
    assert count.read_text() == "x\n" * 2


def together(*asked, timeout=5.0):
    """Ask from an event loop of its own each, at once; returns what each got or raised."""

    def one(document):
        try:
            return ask(document, timeout).token
        except KubeError as error:
            return error

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, asked))


def gated(folder, last):
    """A script that counts its runs and ends when the file `go` is there."""
    return f"echo x >> {folder}/count\nwhile [ ! -e {folder}/go ]; do sleep 0.02; done\n{last}"


@pytest.mark.parametrize(("last", "told"), [(answer(token="t"), "t"), ("echo not now >&2; exit 1\n", "not now")])
def test_sessions_at_once_run_a_program_once(program, tmp_path, monkeypatch, last, told):
    waiting, begun = login._waited, []

    async def counted(*args):
        begun.append(args)
        if len(begun) == 3:
            (tmp_path / "go").touch()
        return await waiting(*args)

    monkeypatch.setattr(login, "_waited", counted)
    asked = document(program(gated(tmp_path, last)), f"https://at-once-{told}")
    assert [told in str(found) for found in together(*[asked] * 4)] == [True] * 4
    assert (tmp_path / "count").read_text() == "x\n"
    assert not login._Cache.asked


def test_who_waits_runs_the_program_itself_when_the_first_session_leaves(program, tmp_path):
    asked = document(program(gated(tmp_path, answer(token="t"))), "https://leaves")

    async def story():
        first = asyncio.create_task(login.log_in(asked, 5.0))
        while not (tmp_path / "count").exists():
            await asyncio.sleep(0.01)
        second = asyncio.create_task(login.log_in(asked, 5.0))
        await asyncio.sleep(0)
        first.cancel()
        (tmp_path / "go").touch()
        with pytest.raises(asyncio.CancelledError):
            await first
        return (await second).token

    assert asyncio.run(story()) == "t"
    assert (tmp_path / "count").read_text() == "x\n" * 2


def test_who_waits_has_its_own_patience_and_takes_nothing_from_the_first(program, tmp_path):
    asked = document(program(gated(tmp_path, answer(token="t"))), "https://patience")

    async def story():
        first = asyncio.create_task(login.log_in(asked, 5.0))
        while not (tmp_path / "count").exists():
            await asyncio.sleep(0.01)
        with pytest.raises(KubeError, match=r"within 0.05 s"):
            await login.log_in(asked, 0.05)
        (tmp_path / "go").touch()
        return (await first).token

    assert asyncio.run(story()) == "t"
    assert (tmp_path / "count").read_text() == "x\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'please sign in' >&2; exit 1\n", "please sign in"),
        ("exit 7\n", "Exit code 7"),
        ("echo nonsense\n", "something else"),
        (answer(), "neither"),
        (answer(clientCertificateData="x"), "neither"),
        ("yes\n", "more than 1 MB"),
        ("yes >&2\n", "more than 1 MB"),
        ("""echo '{"kind": "ExecCredential", "apiVersion": "x/v9", "status": {"token": "t"}}'\n""", "answers in x/v9"),
    ],
    ids=["fails", "silent", "nonsense", "empty", "half", "flood", "flood of errors", "version"],
)
def test_a_program_that_fails_is_named_with_its_words(program, script, words):
    command = program(script)
    with pytest.raises(KubeError, match=words) as failed:
        ask(document(command))
    assert int(failed.value.code) == 3
    assert command in translate(failed.value.title)


def test_a_program_that_is_not_there_gives_its_install_hint():
    with pytest.raises(KubeError, match="get it from there"):
        ask(document("no-such-plugin", installHint="get it from there"))
    with pytest.raises(KubeError, match="not installed"):
        ask(document("no-such-plugin"))
    with pytest.raises(KubeError, match="No such file"):
        ask(document("/no/such/plugin"))


def test_a_program_that_hangs_is_killed_with_its_group(program, tmp_path):
    pid = tmp_path / "pid"
    command = program(f"trap '' INT TERM\nsleep 60 & echo $! > {pid}\nwait\nsleep 60\n")
    started = time.monotonic()
    with pytest.raises(KubeError, match="did not end within"):
        ask(document(command), timeout=0.5)
    assert time.monotonic() - started < 5
    assert not is_running(int(pid.read_text()))


def test_programs_that_hang_do_not_hold_up_the_others(program, tmp_path):
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nsleep 60\n")
    hanging.chmod(0o755)
    good = program(answer(token="quick"))

    async def story():
        held = [asyncio.create_task(login.log_in(document(str(hanging), f"https://held{n}"), 60)) for n in range(40)]
        await asyncio.sleep(0)
        found = await login.log_in(document(good, "https://beside"), 20)
        await asyncio.to_thread(int)  # the loop's own threads are free
        for task in held:
            task.cancel()
        ends = await asyncio.gather(*held, return_exceptions=True)
        return found, ends

    found, ends = asyncio.run(story())
    assert found.token == "quick"
    assert {type(end) for end in ends} == {asyncio.CancelledError}


def test_a_program_that_hangs_is_named_by_a_check(program, monkeypatch):
    monkeypatch.setattr(probe, "_LOGIN_S", 0.3)
    entry = ClusterEntry(name="x", context="x")
    asked = {**document(program("sleep 60\n"), "https://hangs"), "contexts": [{"name": "x", "context": {}}]}
    status = asyncio.run(probe.check(entry, asked, 0.01))
    assert "gave no credentials: It did not end within 0.3 s" in translate(status.message)


def test_a_program_that_prompts_reads_nothing(program):
    with pytest.raises(KubeError, match="no input"):
        ask(document(program("read line || { echo no input >&2; exit 1; }\n")))


def test_the_older_google_form(program):
    command = program("""echo '{"credential": {"access_token": "g", "token_expiry": "2099-01-01T00:00:00Z"}}'\n""")
    asked = document("x")
    asked["users"][0]["user"] = {"auth-provider": {"name": "gcp", "config": {"cmd-path": command, "cmd-args": "a"}}}
    assert ask(asked).token == "g"
