"""The vault: what is on disk, every byte flipped, keyrings that are none, kills, idleness (failure-modes.md, 12-14)."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from keyring.backends import fail, null

from ansflow_desktop.errors import UserError
from ansflow_desktop.store import vault_file, vault_seal
from ansflow_desktop.store.vault import Vault, VaultDamaged, VaultLocked, VaultNeeded, WrongPassphrase
from ansflow_desktop.store.vault_errors import WrongExportPassphrase
from ansflow_desktop.store.vault_keyring import Keyring
from ansflow_desktop.store.vault_passphrase import strength

OLD, NEW, SECRET = "correct horse battery", "another horse staple", "eyJhbGciOi-canary-4711"


class Ring:
    """A keyring that keeps what it is given, waits, or fails as told."""

    def __init__(self):
        self.kept, self.error, self.gate = {}, None, None

    def _answer(self):
        if self.gate:
            self.gate.wait(20)
        if self.error:
            raise self.error

    def get_password(self, service, name):
        self._answer()
        return self.kept.get((service, name))

    def set_password(self, service, name, text):
        self._answer()
        self.kept[service, name] = text

    def delete_password(self, service, name):
        self._answer()
        del self.kept[service, name]


REAL = (f"{Ring.__module__}.Ring",)


def ring_of(backend, wait_s=20.0) -> Keyring:
    return Keyring(lambda: backend, REAL, wait_s)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "vault.json"


@pytest.fixture
def ring():
    return Ring()


@pytest.fixture
def behind_keyring(path, ring):
    made = Vault(path, ring_of(ring))
    made.create("keyring")
    made.put("cluster/1", SECRET)
    return made


@pytest.fixture
def behind_passphrase(path):
    made = Vault(path, ring_of(null.Keyring()))
    made.create("passphrase", OLD)
    made.put("cluster/1", SECRET)
    return made


def forms(secret: str) -> list[bytes]:
    return [secret.encode(), base64.b64encode(secret.encode())[:-4], secret[8:].encode()]


@pytest.mark.parametrize("kind", ["behind_keyring", "behind_passphrase"])
def test_nothing_on_disk_holds_a_secret_or_a_key_and_all_is_private(kind, request, path, ring):
    request.getfixturevalue(kind)
    found = b"".join(one.read_bytes() for one in path.parent.iterdir())
    keys = [text.encode() for text in ring.kept.values()]
    assert not [form for form in (*forms(SECRET), OLD.encode(), *keys) if form in found]
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_vault_of_the_keyring_opens_by_itself_in_the_next_start(behind_keyring, path, ring):
    assert Vault(path, ring_of(ring)).get("cluster/1") == SECRET


def test_a_vault_behind_a_passphrase_opens_with_it_alone(behind_passphrase, path):
    other = Vault(path)
    assert other.state().kind == "passphrase"
    assert other.state().locked
    with pytest.raises(VaultLocked):
        other.get("cluster/1")
    with pytest.raises(WrongPassphrase) as caught:
        other.unlock(NEW)
    assert NEW not in str(caught.value)
    other.unlock(OLD)
    assert (other.get("cluster/1"), other.state().locked) == (SECRET, False)
    assert Vault(path, passphrase=lambda: OLD).get("cluster/1") == SECRET


def test_every_byte_flipped_is_noticed(behind_keyring, path, ring):
    sound = path.read_bytes()
    path.with_name("vault.json.bak").unlink()
    unnoticed = []
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        try:
            Vault(path, ring_of(ring)).get("cluster/1")
            unnoticed.append(place)
        except UserError:
            pass
    assert not unnoticed


@pytest.mark.parametrize("field", ["key_nonce", "key", "nonce", "payload", "wrap"])
def test_a_change_by_one_who_knows_the_format_is_noticed(behind_keyring, path, ring, field):
    """The check sum is written anew, so only the cryptography can tell."""
    sealed = vault_seal.decode(path.read_bytes(), "v")
    old = getattr(sealed, field)
    other = bytes([old[0] ^ 1]) + old[1:] if isinstance(old, bytes) else vault_seal.Wrap(
        kind="keyring", entry=old.entry, lanes=1)  # fmt: skip
    changed = vault_seal.msgspec.structs.replace(sealed, **{field: other}, check="")
    path.write_bytes(vault_seal.encode(vault_seal.msgspec.structs.replace(changed, check=vault_seal._check(changed))))
    with pytest.raises((VaultDamaged, VaultLocked)):
        Vault(path, ring_of(ring)).get("cluster/1")


@pytest.mark.parametrize("damage", [b"", b"{}", None, b"\xff\xfe"])
def test_a_truncated_vault_comes_back_from_its_copy_and_says_so(behind_passphrase, path, damage):
    path.write_bytes(path.read_bytes()[:100] if damage is None else damage)
    again = Vault(path, passphrase=lambda: OLD)
    assert again.get("cluster/1") == SECRET
    assert "restored" in str(again.notice)
    assert [one for one in path.parent.iterdir() if ".damaged-" in one.name]


def test_where_the_copy_is_damaged_too_nothing_is_written_over(behind_passphrase, path):
    for one in (path, path.with_name("vault.json.bak")):
        one.write_bytes(b"{}")
    broken = Vault(path, passphrase=lambda: OLD)
    for act in (lambda: broken.get("a"), lambda: broken.put("a", "b"), lambda: broken.create("passphrase", OLD)):
        with pytest.raises(UserError):
            act()
    assert path.read_bytes() == b"{}"
    kept = broken.start_over()
    assert kept.read_bytes() == b"{}"
    assert broken.state().kind == "none"


@pytest.mark.parametrize("backend", [null.Keyring(), fail.Keyring(), SimpleNamespace()])
def test_what_is_no_keyring_is_refused_and_said_never_used(path, backend):
    vault = Vault(path, ring_of(backend))
    usable, reason = vault.keyring_usable()
    assert not usable
    assert str(reason)
    with pytest.raises(VaultNeeded) as caught:
        vault.put("a", SECRET)
    assert caught.value.possible == ("passphrase", "session")
    with pytest.raises(UserError, match="keyring cannot keep"):
        vault.create("keyring")
    assert not path.exists()


@pytest.mark.parametrize("loss", ["error", "gone", "refused", "hangs"])
def test_a_keyring_that_does_not_answer_locks_the_vault_and_changes_nothing(behind_keyring, path, ring, loss):
    before = path.read_bytes()
    wait_s = 20.0
    if loss == "error":
        ring.error = RuntimeError("the collection is locked")
    elif loss == "gone":
        ring.kept.clear()
    elif loss == "hangs":
        ring.gate, wait_s = threading.Event(), 0.05
    other = Vault(path, ring_of(fail.Keyring() if loss == "refused" else ring, wait_s))
    for act in (lambda: other.get("cluster/1"), lambda: other.put("cluster/1", "x"), other.unlock):
        with pytest.raises(VaultLocked) as caught:
            act()
        assert str(caught.value.reason)
    assert other.state().locked
    with pytest.raises(UserError, match="already"):
        other.create("passphrase", OLD)
    assert path.read_bytes() == before
    if ring.gate:
        ring.gate.set()


def test_a_session_keeps_secrets_in_memory_until_a_vault_is_made(path):
    vault = Vault(path, ring_of(null.Keyring()))
    vault.create("session")
    vault.put("a", SECRET)
    assert (vault.get("a"), vault.state().kind, path.parent.exists()) == (SECRET, "session", False)
    vault.create("passphrase", OLD)
    assert Vault(path, passphrase=lambda: OLD).get("a") == SECRET


def test_a_new_passphrase_shuts_out_the_old_one_also_from_the_copy(behind_passphrase, path):
    with pytest.raises(WrongPassphrase):
        behind_passphrase.change_passphrase(NEW, "third horse staple")
    behind_passphrase.change_passphrase(OLD, NEW)
    assert path.read_bytes() == path.with_name("vault.json.bak").read_bytes()
    with pytest.raises(WrongPassphrase):
        Vault(path).unlock(OLD)
    assert Vault(path, passphrase=lambda: NEW).get("cluster/1") == SECRET


def test_another_process_that_changed_the_passphrase_locks_this_one(behind_passphrase, path):
    Vault(path).change_passphrase(OLD, NEW)
    with pytest.raises(VaultLocked):
        behind_passphrase.put("b", "x")
    behind_passphrase.unlock(NEW)
    assert behind_passphrase.get("cluster/1") == SECRET


def test_the_kind_changes_both_ways_and_the_keyring_forgets_its_key(behind_keyring, path, ring):
    behind_keyring.change_kind("passphrase", OLD)
    assert not ring.kept
    assert Vault(path, passphrase=lambda: OLD).get("cluster/1") == SECRET
    behind_keyring.change_kind("keyring")
    assert Vault(path, ring_of(ring)).get("cluster/1") == SECRET


def test_it_locks_when_nobody_is_there_but_not_during_a_run(path):
    now = [0.0]
    vault = Vault(path, idle_s=10, clock=lambda: now[0])
    vault.create("passphrase", OLD)
    with vault.in_use():
        now[0] = 11
        assert not vault.lock_if_idle()
        assert vault.keys() == ()
    now[0] = 20
    vault.touch()
    now[0] = 29
    assert vault.keys() == ()
    now[0] = 31
    with pytest.raises(VaultLocked):
        vault.keys()


def test_locked_by_hand_it_stays_locked_even_with_the_keyring(behind_keyring):
    behind_keyring.lock()
    with pytest.raises(VaultLocked):
        behind_keyring.get("cluster/1")
    behind_keyring.unlock()
    assert behind_keyring.get("cluster/1") == SECRET


def test_an_export_is_encrypted_and_comes_back_elsewhere(behind_keyring, tmp_path):
    file = tmp_path / "export.json"
    assert behind_keyring.export(file, NEW) == 1
    assert not [form for form in forms(SECRET) if form in file.read_bytes()]
    other = Vault(tmp_path / "elsewhere" / "vault.json")
    with pytest.raises(VaultNeeded):
        other.import_(file, NEW)
    other.create("passphrase", OLD)
    with pytest.raises(WrongExportPassphrase):
        other.import_(file, OLD)
    assert other.import_(file, NEW) == 1
    assert other.get("cluster/1") == SECRET


def test_an_export_replaces_no_file_of_another_kind(behind_keyring, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        behind_keyring.export(file, NEW)
    assert file.read_text() == "mine"


def test_an_export_does_not_go_where_a_link_to_nowhere_leads(behind_keyring, tmp_path):
    file, elsewhere = tmp_path / "export.json", tmp_path / "elsewhere.json"
    file.symlink_to(elsewhere)
    with pytest.raises(UserError, match="exists already"):
        behind_keyring.export(file, NEW)
    assert not elsewhere.exists() and file.is_symlink()


@pytest.mark.parametrize("name, value", [("memory_kib", 2**31), ("passes", 10**6), ("lanes", 10**4), ("memory_kib", 8)])
def test_parameters_that_exhaust_the_machine_or_weaken_the_key_are_refused(behind_passphrase, path, name, value):
    sealed = vault_seal.decode(path.read_bytes(), "v")
    wrap = vault_seal.msgspec.structs.replace(sealed.wrap, **{name: value})
    changed = vault_seal.msgspec.structs.replace(sealed, wrap=wrap, check="")
    path.write_bytes(vault_seal.encode(vault_seal.msgspec.structs.replace(changed, check=vault_seal._check(changed))))
    with pytest.raises(VaultDamaged):
        Vault(path).unlock(OLD)


def test_a_vault_of_a_newer_version_is_left_alone(behind_passphrase, path):
    newer = json.dumps({**json.loads(path.read_text()), "version": 2, "more": 1}).encode()
    path.write_bytes(newer)
    with pytest.raises(UserError, match="newer"):
        behind_passphrase.put("a", "b")
    assert path.read_bytes() == newer


@pytest.mark.parametrize("bad", ["", "short", "aaaaaaaaaaaa", "Password"])
def test_weak_passphrases_are_refused_and_nothing_is_made(path, bad):
    with pytest.raises(UserError):
        Vault(path).create("passphrase", bad)
    assert not path.exists()
    assert strength(bad)[0] == 0
    assert strength(OLD)[0] == 3


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_vault import SECRET, Ring, Vault, ring_of
path, ring = Path(sys.argv[1]), Ring()
vault = Vault(path, ring_of(ring))
vault.create("keyring")
vault.put("cluster/1", SECRET)
EVENTS = ("os.rename", "os.remove", "open", "os.mkdir", "os.chmod", "tempfile.mkstemp", "os.listdir", "os.scandir")
killed = 0
for call in range(1, 60):
    child = os.fork()
    if not child:
        left = [call]
        def kill_at(event, arguments):
            if event in EVENTS:
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(kill_at)
        vault.put("cluster/2", str(call))
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    again = Vault(path, ring_of(ring))
    assert again.get("cluster/1") == SECRET, call
    assert again.get("cluster/2") in (None, *map(str, range(call + 1))), call
    if code == 0:
        break
    assert code == -signal.SIGKILL, code
    killed += 1
left_over = [one.name for one in path.parent.iterdir() if one.name.startswith(".vault") and "lock" not in one.name]
print(killed, again.get("cluster/2") == str(call), left_over)
"""


def test_a_kill_between_any_two_calls_loses_nothing(path):
    """A process is killed at its 1st, 2nd, ... call that touches a file, until one comes to its end."""
    arguments = [sys.executable, "-W", "ignore", "-c", CHILD, str(path), os.path.dirname(__file__)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    killed, *rest = done.stdout.split(maxsplit=1)
    assert int(killed) > 5
    assert rest == ["True []\n"]


@pytest.mark.parametrize("calls", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_vault(behind_passphrase, path, monkeypatch, calls):
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"os.{calls}" if calls == "fsync" else "pathlib.Path.replace", full)
    with pytest.raises(UserError):
        behind_passphrase.put("cluster/2", "x")
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert behind_passphrase.keys() == ("cluster/1",)


def test_many_threads_and_two_vaults_on_one_file_lose_no_secret(behind_keyring, path, ring):
    vaults = [behind_keyring, Vault(path, ring_of(ring))]

    def work(number: int) -> None:
        for turn in range(5):
            vaults[number % 2].put(f"{number}/{turn}", "x")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(vaults[0].keys()) == 21


def test_nothing_of_a_vault_shows_a_secret(behind_passphrase):
    shown = repr(behind_passphrase) + repr(vars(behind_passphrase))
    assert not [form for form in (SECRET, OLD) if form in shown]
    assert "_Open(***)" in shown


def test_where_the_copy_cannot_be_renewed_none_stays_that_opens_with_the_old_passphrase(
    behind_passphrase, path, monkeypatch
):
    copy = path.with_name("vault.json.bak")
    write = vault_file.files.write_atomic

    def first_only(target, data, **more):
        if target == copy:
            raise UserError("disk full")
        write(target, data, **more)

    monkeypatch.setattr(vault_file.files, "write_atomic", first_only)
    behind_passphrase.change_passphrase(OLD, NEW)
    assert not copy.exists()
    assert behind_passphrase.get("cluster/1") == SECRET


@pytest.mark.parametrize("change", [{"key_nonce": b"0" * 12}, {"format": vault_seal.EXPORT}, {"key": b"0" * 48}])
def test_the_payload_belongs_to_its_header(change):
    sealed, data_key = vault_seal.seal(vault_seal.keyring_wrap("a"), vault_seal.new_key(), {"a": SECRET})
    assert vault_seal.secrets_of(sealed, data_key, "v") == {"a": SECRET}
    with pytest.raises(VaultDamaged):
        vault_seal.secrets_of(vault_seal.msgspec.structs.replace(sealed, **change), data_key, "v")


def test_a_secret_in_use_keeps_the_vault_open(path):
    now = [0.0]
    vault = Vault(path, idle_s=10, clock=lambda: now[0])
    vault.create("passphrase", OLD)
    vault.put("a", SECRET)
    for now[0] in (9, 18, 27):
        assert vault.get("a") == SECRET
    now[0] = 38
    with pytest.raises(VaultLocked):
        vault.get("a")
