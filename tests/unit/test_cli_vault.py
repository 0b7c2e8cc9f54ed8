"""`vault` on the command line: every action end to end, and nothing secret in what it says."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansflow_desktop import cli
from ansflow_desktop.store.vault import Vault

OLD, NEW, SECRET = "correct horse battery", "another horse staple", "canary-token-4711"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    """No desktop session: what `keyring` itself calls its backend of failure."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture
def vault(tmp_path, capsys):
    """Run `vault ...` and return exit code, stdout and stderr; `{old}`, `{new}` are passphrase files."""
    names = {"old": tmp_path / "old", "new": tmp_path / "new", "dir": tmp_path}
    names["old"].write_text(f"{OLD}\n")
    names["new"].write_text(f"{NEW}\r\nsecond line\n")

    def run(line: str):
        words = ["--data-dir", str(tmp_path / "data"), "vault", *line.format(**names).split()]
        code = cli.main(words)
        said = capsys.readouterr()
        assert not [one for one in (OLD, NEW, SECRET) if one in said.out + said.err]
        return code, said.out, said.err

    return run


def test_a_vault_from_its_making_to_its_import(vault, tmp_path):
    assert vault("create --kind passphrase --passphrase-file {old}")[0] == 0
    Vault(tmp_path / "data" / "vault.json", passphrase=lambda: OLD).put("cluster/1", SECRET)
    code, out, _ = vault("status -o json")
    assert (code, json.loads(out)["locked"], json.loads(out)["secrets"]) == (0, True, None)
    assert vault("passphrase --passphrase-file {old} --new-passphrase-file {new}")[0] == 0
    code, out, _ = vault("status -o json --passphrase-file {new}")
    assert (json.loads(out)["kind"], json.loads(out)["locked"], json.loads(out)["secrets"]) == ("passphrase", False, 1)
    assert vault("export {dir}/e --passphrase-file {new} --export-passphrase-file {old}")[0] == 0
    assert vault("import {dir}/e --passphrase-file {new} --export-passphrase-file {old}")[0] == 0
    code, _, err = vault("import {dir}/e --passphrase-file {new} --export-passphrase-file {new}")
    assert code == 2 and "this export" in err and "locked" not in err


def test_keyring_and_passphrase_are_exchanged_and_the_secrets_stay(vault, tmp_path, monkeypatch):
    kept = {}
    ring = SimpleNamespace(usable=lambda: (True, ""), read=kept.get, write=kept.__setitem__, remove=kept.pop)
    monkeypatch.setattr("ansflow_desktop.store.vault.Keyring", lambda: ring)
    assert vault("create --kind passphrase --passphrase-file {old}")[0] == 0
    Vault(tmp_path / "data" / "vault.json", passphrase=lambda: OLD).put("cluster/1", SECRET)
    assert vault("change --kind keyring")[0] != 0
    assert vault("change --kind keyring --passphrase-file {old}")[0] == 0
    assert kept
    code, _, said = vault("change --kind passphrase")
    assert code == 2 and "--new-passphrase-file" in said
    assert vault("change --kind passphrase --new-passphrase-file {new}")[0] == 0
    assert not kept
    assert Vault(tmp_path / "data" / "vault.json", passphrase=lambda: NEW).get("cluster/1") == SECRET


@pytest.mark.parametrize(
    "line, words",
    [
        ("create --kind keyring", "no keyring"),
        ("create --kind passphrase", "--passphrase-file"),
        ("create --kind passphrase --passphrase-file {dir}/missing", "cannot be read"),
        ("passphrase --passphrase-file {old} --new-passphrase-file {new}", "no passphrase"),
        ("import {old} --passphrase-file {old} --export-passphrase-file {old}", "damaged"),
        ("import {dir}/missing --passphrase-file {old} --export-passphrase-file {old}", "no export"),
    ],
)
def test_what_cannot_be_done_is_said_and_makes_no_vault(vault, tmp_path, line, words):
    code, _, said = vault(line)
    assert code in (1, 2)
    assert words in said
    assert not (tmp_path / "data" / "vault.json").exists()


def test_without_a_vault_the_status_says_so_and_why_there_is_no_keyring(vault):
    code, out, _ = vault("status")
    assert code == 0
    assert "none yet" in out
    assert "no keyring" in out


def test_a_vault_whose_passphrase_is_forgotten_is_set_aside_and_a_new_one_made(vault, tmp_path):
    assert vault("set-aside")[0] == 2
    assert vault("create --kind passphrase --passphrase-file {old}")[0] == 0
    assert vault("create --kind passphrase --passphrase-file {new}")[0] == 2
    code, out, _ = vault("set-aside -o json")
    assert code == 0 and ".damaged-" in json.loads(out)["message"]
    assert vault("create --kind passphrase --passphrase-file {new}")[0] == 0
    assert len(list((tmp_path / "data").glob("vault.json.damaged-*"))) == 1
