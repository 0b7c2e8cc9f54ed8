"""`clusters add|edit|remove|test|sync|stats|namespaces`: what is kept, what is refused, and that no secret shows."""

from __future__ import annotations

import io
import json
import sys

import pytest
from api_kit import Authority

from ansflow_desktop import cli
from ansflow_desktop.store.vault import Vault

TOKEN = "canary-token-0123456789"
PASSPHRASE = "correct horse battery"
DEAD = "https://127.0.0.1:1"


@pytest.fixture(scope="module")
def vault_file(tmp_path_factory):
    """A vault behind a passphrase, made once: that takes its time on purpose."""
    file = tmp_path_factory.mktemp("vault") / "vault.json"
    Vault(file).create("passphrase", PASSPHRASE)
    return file


@pytest.fixture
def folder(tmp_path, vault_file):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "vault.json").write_bytes(vault_file.read_bytes())
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (tmp_path / "config").write_text(
        f"contexts: [{{name: dead, context: {{cluster: c}}}}]\nclusters: [{{name: c, cluster: {{server: '{DEAD}'}}}}]\n"
    )
    return tmp_path


@pytest.fixture
def call(folder, capsys):
    """Run one subcommand; returns exit code, stdout and stderr, in which no secret ever stands."""

    def run(*words, form="text"):
        start = ["--data-dir", str(folder / "data"), "--kubeconfig", str(folder / "config")]
        start += ["--passphrase-file", str(folder / "passphrase"), "-o", form]
        code = cli.main([*start, *map(str, words)])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err and "error of its own" not in shown.err
        assert TOKEN not in shown.out + shown.err and PASSPHRASE not in shown.out + shown.err
        return code, shown.out, shown.err

    return run


@pytest.fixture
def add(call, folder):
    def run(name, *more):
        return call("clusters", "add", name, "--server", DEAD, "--token-file", folder / "token", *more)

    return run


def stdin_of(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def listed(call):
    return {row["name"]: row for row in json.loads(call("clusters", "list", form="json")[1])}


def kept(folder):
    """Return what the vault holds, as text."""
    vault = Vault(folder / "data" / "vault.json")
    vault.unlock(PASSPHRASE)
    return [vault.get(key) for key in vault.keys()]  # noqa: SIM118  # a method of the vault


def test_a_cluster_by_address_and_token(call, add, folder):
    marks = ("--group", "lab", "--production", "--marked-read-only", "-n", "web", "--type", "k3s", "--colour", "red")
    code, out, _ = add("mine", "--ca-file", folder / "ca.pem", "--description", "the lab", *marks)
    assert code == 0 and "mine" in out and "production, read-only, lab, k3s, the lab" in out
    row = listed(call)["mine"]
    assert (row["server"], row["source"], row["reachable"]) == (DEAD, "own", False)
    expected = {"group": "lab", "production": True, "read_only": True, "namespace": "web", "type": "k3s"}
    assert row["marks"] | expected | {"colour": "red", "description": "the lab"} == row["marks"]
    assert TOKEN in "".join(kept(folder))
    assert all(TOKEN.encode() not in file.read_bytes() for file in (folder / "data").rglob("*") if file.is_file())


@pytest.mark.parametrize("option", ["--description", "--group", "--namespace"])
def test_notes_without_bounds_are_refused_by_the_option_that_gave_them(call, option):
    code, _, err = call("clusters", "edit", "dead", option, "x" * 5000)
    assert code == 2 and option in err
    assert "marks" not in listed(call)["dead"]


@pytest.fixture
def locked(folder, capsys):
    """Run one subcommand without the passphrase."""

    def run(*words):
        code = cli.main(["--data-dir", str(folder / "data"), "--kubeconfig", str(folder / "config"), *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_a_cluster_behind_a_locked_vault_was_not_asked_and_says_so(add, locked):
    add("mine")
    rows = {row["name"]: row for row in json.loads(locked("clusters", "list", "-o", "json")[1])}
    assert (rows["mine"]["reachable"], rows["dead"]["reachable"]) == (None, False)
    assert rows["mine"]["message"] == "The vault is locked"
    out = locked("clusters", "list")[1]
    assert "not asked" in next(line for line in out.splitlines() if line.startswith("mine"))
    for action in ("test", "sync"):
        code, out, err = locked("clusters", action, "mine")
        assert code == 2 and "The vault is locked" in out + err and "reached" not in out + err


def test_a_token_from_stdin(call, folder, monkeypatch):
    stdin_of(monkeypatch, TOKEN.encode() + b"\n")
    assert call("clusters", "add", "mine", "--server", DEAD, "--token-file", "-")[0] == 0
    assert TOKEN in "".join(kept(folder))


def test_a_client_certificate(call, folder):
    authority = Authority()
    authority.context(folder)
    pem = (folder / "server.pem").read_text()
    (folder / "key.pem").write_text(pem[pem.index("-----BEGIN PRIVATE") :])
    files = ("--client-certificate", folder / "server.pem", "--client-key", folder / "key.pem")
    assert call("clusters", "add", "mine", "--server", DEAD, *files)[0] == 0
    assert "PRIVATE KEY" in kept(folder)[0]


def test_a_credential_program_is_kept_and_not_run(call, folder):
    words = ("--exec-command", "touch", "--exec-arg", str(folder / "ran"), "--exec-env", "A=b")
    assert call("clusters", "add", "mine", "--server", DEAD, *words)[0] == 0
    code, _, err = call("clusters", "test", "mine")
    assert code == 2 and "--approve-plugin" in err and "A=b" in err
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--server", "ftp://nonsense", "--token-file", "token"), "--server"),
        (("--server", "", "--token-file", "token"), "--server"),
        (("--server", DEAD, "--token-file", "missing"), "--token-file"),
        (("--server", DEAD, "--token-file", "."), "--token-file"),
        (("--server", DEAD, "--token-file", "binary"), "--token-file"),
        (("--server", DEAD, "--token-file", "empty"), "--token-file"),
        (("--server", DEAD, "--token-file", "large"), "--token-file"),
        (("--server", DEAD, "--token-file", "token", "--ca-file", "token"), "--ca-file"),
        (("--server", DEAD, "--token-file", "token", "--exec-command", "x"), "More than one way"),
        (("--server", DEAD, "--client-certificate", "ca.pem"), "--client-key"),
        (("--server", DEAD, "--exec-arg", "x"), "--exec-command"),
        (("--server", DEAD, "--exec-command", "x", "--exec-env", "nothing"), "K=V"),
        (("--server", DEAD, "--proxy-url", "nonsense"), "--proxy-url"),
        (("--server", DEAD, "-n", "Not A Name"), "--namespace"),
        (("--token-file", "token"), "--server"),
        (("--from-kubeconfig", "token"), "--from-kubeconfig"),
        (("--from-kubeconfig", "missing"), "--from-kubeconfig"),
    ],
)
def test_what_cannot_be_kept_is_named_and_nothing_is(call, folder, monkeypatch, words, said):
    monkeypatch.chdir(folder)
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "empty").write_text("")
    (folder / "large").write_text("x" * 2_000_000)
    code, out, err = call("clusters", "add", "mine", *words)
    assert (code, out) == (2, "") and said in err
    assert not (folder / "data" / "clusters.json").exists()


def test_a_name_in_use_is_refused(call, add):
    assert add("dead")[0] == 2
    assert add("mine")[0] == 0
    assert add("mine")[0] == 2
    assert set(listed(call)) == {"dead", "mine"}


def test_edit_changes_what_was_given_and_nothing_else(call, add, folder):
    add("mine", "--group", "lab", "--production", "--default")
    other = "https://127.0.0.1:2"
    code, out, _ = call("clusters", "edit", "mine", "--rename", "yours", "--server", other, "--no-production")
    assert code == 0 and "yours" in out
    row = listed(call)["yours"]
    assert row["server"] == other and row["marks"]["group"] == "lab" and row["marks"]["default"] is True
    assert row["marks"]["production"] is False
    assert TOKEN in "".join(kept(folder))
    (folder / "token").write_text("canary-token-of-tomorrow")
    assert call("clusters", "edit", "yours", "--token-file", folder / "token")[0] == 0
    assert "canary-token-of-tomorrow" in "".join(kept(folder)) and TOKEN not in "".join(kept(folder))


def test_notes_on_a_context_never_touch_its_file(call, folder):
    before = (folder / "config").read_bytes()
    assert call("clusters", "edit", "dead", "--production", "--colour", "orange")[0] == 0
    assert listed(call)["dead"]["marks"]["production"] is True
    code, _, err = call("clusters", "edit", "dead", "--server", "https://127.0.0.1:2")
    assert code == 2 and "never written" in err
    assert call("clusters", "edit", "dead", "--rename", "x")[0] == 2
    code, out, _ = call("clusters", "remove", "dead")
    assert code == 0 and "never written" in out
    assert "marks" not in listed(call)["dead"] and (folder / "config").read_bytes() == before


def test_remove_takes_the_secret_along(call, add, folder):
    add("mine")
    assert json.loads(call("clusters", "remove", "mine", form="json")[1]) == {"name": "mine", "removed": True}
    assert set(listed(call)) == {"dead"} and kept(folder) == []
    assert call("clusters", "remove", "mine")[0] == 2


def test_all_of_a_pasted_kubeconfig(call, folder, monkeypatch):
    one = "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
    rest = f"clusters: [{{name: c, cluster: {{server: '{DEAD}'}}}}]\nusers: [{{name: u, user: {{token: {TOKEN}}}}}]\n"
    stdin_of(monkeypatch, ("\ufeff" + one + rest).encode())
    assert call("clusters", "add", "mine", "--from-kubeconfig", "-")[0] == 0
    assert TOKEN in "".join(kept(folder))
    two = "contexts: [{name: a, context: {cluster: c}}, {name: b, context: {cluster: c}}]\n"
    (folder / "two").write_text(two + rest)
    code, _, err = call("clusters", "add", "third", "--from-kubeconfig", folder / "two")
    assert code == 2 and "There are: a, b." in err
    assert call("clusters", "add", "b", "--from-kubeconfig", folder / "two")[0] == 0
    assert set(listed(call)) == {"dead", "mine", "b"}


def test_a_context_that_cannot_be_taken_does_not_keep_another_from_it(call, folder):
    rest = f"clusters: [{{name: c, cluster: {{server: '{DEAD}'}}}}]\n"
    proxied = f", {{name: d, cluster: {{server: '{DEAD}', proxy-url: 'http://me:x1y2z3@127.0.0.1:9'}}}}]\n"
    rest = rest.replace("]\n", proxied)
    users = f"users: [{{name: u, user: {{token: {TOKEN}}}}}, {{name: v, user: {{username: me, password: x1y2z3}}}}]\n"
    contexts = "contexts: [{name: v, context: {cluster: c, user: v}}, {name: u, context: {cluster: c, user: u}}]\n"
    contexts = contexts.replace("]\n", ", {name: p, context: {cluster: d, user: u}}]\n")
    (folder / "both").write_text(contexts + rest + users)
    code, _, err = call("clusters", "add", "v", "--from-kubeconfig", folder / "both")
    assert code == 2 and "username" in err and "x1y2z3" not in err
    code, _, err = call("clusters", "add", "p", "--from-kubeconfig", folder / "both")
    assert code == 2 and "proxy" in err and "x1y2z3" not in err
    assert call("clusters", "add", "third", "--from-kubeconfig", folder / "both")[0] == 2
    assert call("clusters", "add", "u", "--from-kubeconfig", folder / "both")[0] == 0
    assert set(listed(call)) == {"dead", "u"}


def test_notes_do_not_belong_to_a_file(call, folder):
    assert call("clusters", "add", folder / "config", "--production")[0] == 2


def test_a_test_shows_the_stage_at_fault(call):
    code, out, err = call("clusters", "test", "dead")
    assert code == 3 and "Port 1 of 127.0.0.1 does not accept connections" in out
    assert err.startswith("CLUSTER: Cluster dead cannot be reached")
    code, out, _ = call("clusters", "test", "dead", form="json")
    document = json.loads(out)
    assert code == 3 and document["reachable"] is False and document["error"]["code"] == 3
    stages = {stage["name"]: stage["finding"] for stage in document["stages"]}
    assert stages["tcp"] == "bad" and stages["api"] == "skipped" and len(stages) == 9


def test_reading_a_dead_cluster_is_3_and_of_all_clusters_0(call):
    for action in ("stats", "namespaces"):
        code, out, err = call("clusters", action, "dead")
        assert (code, out) == (3, "") and "does not accept connections" in err
    code, out, _ = call("clusters", "sync", "dead", form="json")
    assert code == 3 and json.loads(out)["statistics"] is None
    code, out, _ = call("clusters", "sync", form="json")
    assert code == 0 and [row["reachable"] for row in json.loads(out)] == [False]
    assert call("clusters", "sync")[0] == 0


@pytest.mark.parametrize("given", ["~nobody-of-this-name/x", "\udcff\udcfe", "x" * 5000])
@pytest.mark.parametrize("option", ["--from-kubeconfig", "FILE"])
def test_a_file_name_of_any_letters_is_an_error_in_words(call, given, option):
    words = ["add", given] if option == "FILE" else ["add", "lab", "--server", DEAD, f"{option}={given}"]
    code, out, _err = call("clusters", *words, form="json")
    assert (code, json.loads(out)["error"]["code"]) == (2, 2)


def test_a_file_that_is_no_kubeconfig_is_called_what_was_typed(call, folder):
    code, _out, err = call("clusters", "add", folder / "token")
    assert code == 2 and "FILE" in err and "--from-kubeconfig" not in err


def test_a_socks_proxy_is_kept_and_said(call, folder):
    words = ("--server", DEAD, "--token-file", folder / "token", "--proxy-url", "socks5://127.0.0.1:1")
    code, _out, err = call("clusters", "add", "lab", *words)
    assert code == 0 and "A SOCKS proxy cannot be used by this program" in err
    code, out, _err = call("clusters", "test", "lab", form="json")
    assert code == 3 and [one["name"] for one in json.loads(out)["stages"] if one["finding"] == "bad"] == ["proxy"]


def test_a_kubeconfig_file_that_was_added_is_read_no_more_when_that_is_wanted(call, folder):
    more = folder / "more"
    more.write_text((folder / "config").read_text().replace("dead", "second"))
    assert call("clusters", "add", more)[0] == 0
    code, _, err = call("clusters", "remove", "second")
    assert code == 0 and f"clusters remove {more}" in err
    more.unlink()  # it may be gone, too
    assert call("clusters", "remove", more)[0] == 0
    code, out, err = call("clusters", "list", form="json")
    assert [row["name"] for row in json.loads(out)] == ["dead"] and str(more) not in err
    assert call("clusters", "remove", more)[0] == 2


def test_one_cluster_with_a_field_of_a_wrong_type_does_not_hide_the_others(call, folder):
    more = folder / "more"
    text = (folder / "config").read_text()
    more.write_text(text.replace("dead", "typed").replace("server:", "proxy-url: 5, server:"))
    assert call("clusters", "add", more)[0] == 0
    code, out, _ = call("clusters", "list", form="json")
    rows = {row["name"]: row["message"] for row in json.loads(out)}
    assert code == 0 and "proxy-url" in rows["typed"] and rows["dead"]


def test_a_closed_stdin_is_an_error_in_words(call, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    code, out, _ = call("clusters", "add", "lab", "--server", DEAD, "--token-file", "-", form="json")
    assert (code, json.loads(out)["error"]["field"]) == (2, "--token-file")
    assert call("clusters", "add", "mine", "--server", DEAD, "--exec-command", "touch")[0] == 0
    code, _, err = call("clusters", "test", "mine")
    assert code == 2 and "--approve-plugin" in err


@pytest.mark.parametrize("line, wanted", [("edit dead --group g", 0), ("list", 1)])
def test_what_was_done_counts_where_nobody_takes_the_output(call, monkeypatch, line, wanted):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert call("clusters", *line.split())[0] == wanted


def test_a_damaged_list_of_clusters_is_told_of_and_the_last_good_one_used(call, folder):
    assert call("clusters", "edit", "dead", "--group", "first")[0] == 0
    assert call("clusters", "edit", "dead", "--group", "second")[0] == 0
    (folder / "data" / "clusters.json").write_text("garbage")
    code, out, err = call("clusters", "list", form="json")
    assert code == 0 and json.loads(out) and "clusters.json was damaged" in err


def test_streams_that_were_closed_before_the_start_are_no_error(call, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert call("clusters", "list", form="json")[0] == 0
