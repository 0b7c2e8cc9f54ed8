"""The environment of a credential program of a cluster added by hand: in the vault, and nowhere else."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
import yaml

from ansflow_desktop.executors.cluster_book import ClusterBook
from ansflow_desktop.kube.approvals import ApprovalNeeded, Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.kube.own import SecretMissing
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, ExecPlugin, OwnCluster
from ansflow_desktop.redact import Redactor
from ansflow_desktop.store.clusters import ClusterShelf
from ansflow_desktop.store.vault import Vault, VaultLocked, VaultNeeded
from ansflow_desktop.store.vault_keyring import Keyring

ENV = (("APP_SECRET", "sesame-opens-4711"), ("MODE", "of-my-own"))
ARGS = ("login", "--client-secret=hidden-4711", "--token", "spoken-4711", "--region", "north")
HIDDEN = ("sesame-opens-4711", "of-my-own", "hidden-4711", "spoken-4711")
PLUGIN = make_plugin("aws", ARGS, ENV)


class Ring:
    """A keyring in memory."""

    kept: ClassVar[dict[str, str]] = {}

    def get_password(self, _service, entry):
        return self.kept.get(entry)

    def set_password(self, _service, entry, text):
        self.kept[entry] = text


class Place:
    """A shelf, a real vault behind a keyring, and the book over both."""

    def __init__(self, folder):
        self.folder = folder
        self.shelf = ClusterShelf(folder / "clusters.json")
        self.vault = Vault(folder / "vault.json", Keyring(Ring, ("test_vault_environment.Ring",)))
        self.approvals = Approvals(folder / "approved.json")
        self.catalog = ClusterCatalog(
            (), self.approvals, folder / "practice", shelf=self.shelf, secret_of=lambda one: self.book.secret(one)
        )
        self.book = ClusterBook(self.shelf, self.vault, self.catalog)

    def written(self) -> bytes:
        """All files that are not the vault's."""
        files = [file for file in self.folder.iterdir() if file.is_file() and not file.name.startswith("vault.json")]
        return b"".join(file.read_bytes() for file in files)

    def ran(self) -> dict:
        """What the approved program would be started with."""
        self.approvals.approve(PLUGIN)
        return self.catalog.document("mine")["users"][0]["user"]["exec"]


def mine(**changes) -> OwnCluster:
    given = {"id": "a" * 16, "name": "mine", "server": "https://192.0.2.9:6443", "auth": "exec", "exec_plugin": PLUGIN}
    return OwnCluster(**{**given, **changes})


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    made.vault.create("keyring")
    return made


@pytest.fixture
def old(place):
    """A clusters.json of before, with its copy: the environment in plain."""
    place.shelf.save_own(mine())
    place.shelf.set_marks("mine", ClusterMarks(group="lab"))
    assert place.written().count(b"sesame-opens-4711") == 2
    return place


def nothing_in_plain(place) -> bool:
    return not any(text.encode() in place.written() for text in HIDDEN)


def test_it_is_kept_in_the_vault_and_the_program_gets_all_of_it(place):
    place.book.add(mine(), None, ClusterMarks())
    assert nothing_in_plain(place)
    assert b"APP_SECRET" in place.written()
    ran = place.ran()
    assert (tuple(ran["args"]), ran["env"][0]) == (ARGS, {"name": "APP_SECRET", "value": "sesame-opens-4711"})


def test_approval_shows_the_names_and_what_is_no_secret(place):
    place.book.add(mine(), None, ClusterMarks())
    with pytest.raises(ApprovalNeeded) as needed:
        place.catalog.document("mine")
    assert needed.value.plugin == PLUGIN
    assert "MODE=of-my-own" in needed.value.message and "APP_SECRET='***'" in needed.value.message
    assert "sesame" not in needed.value.message and "4711" not in needed.value.message
    entry = place.catalog.entry("mine")
    assert place.book.shown(entry).exec_plugin == PLUGIN
    place.vault.lock()
    locked = place.book.shown(entry).exec_plugin
    assert locked.shown_env == (("APP_SECRET", "***"), ("MODE", "***"))
    assert locked.shown_args == ("login", "--client-secret=***", "--token", "***", "--region", "north")


def test_a_program_that_was_changed_in_the_vault_is_shown_again(place):
    place.book.add(mine(), None, ClusterMarks())
    place.ran()
    other = ClusterSecret(env=(("LD_PRELOAD", "/tmp/other.so"),), args=ARGS)
    place.vault.put(f"cluster/{'a' * 16}", msgspec.json.encode(other).decode())
    with pytest.raises(ApprovalNeeded):
        place.catalog.document("mine")


def test_an_old_file_works_and_its_values_move_when_the_vault_is_opened(old):
    old.vault.lock()
    assert old.ran()["env"][1] == {"name": "MODE", "value": "of-my-own"}
    with pytest.raises(VaultLocked):
        old.book.move_secrets()
    assert old.written().count(b"sesame-opens-4711") == 2  # locked: nothing is dropped
    old.vault.unlock()
    old.book.move_secrets()
    assert nothing_in_plain(old)
    assert tuple(old.ran()["args"]) == ARGS  # and no approval is asked again
    assert old.catalog.marks("mine").group == "lab"


def test_they_move_when_any_secret_is_read(old):
    old.book.add(
        mine(id="b" * 16, name="other", auth="token", exec_plugin=None), ClusterSecret(token="t"), ClusterMarks()
    )
    old.catalog.document("other")
    assert nothing_in_plain(old)


def test_a_change_moves_them_or_is_refused_whole(old):
    old.vault.lock()
    with pytest.raises(VaultLocked):
        old.book.change("mine", mine(server="https://192.0.2.1:6443"), None, ClusterMarks())
    assert old.book.own("mine") == mine()
    old.vault.unlock()
    old.book.change("mine", mine(server="https://192.0.2.1:6443"), None, ClusterMarks())
    assert nothing_in_plain(old)
    assert old.book.own("mine").server == "https://192.0.2.1:6443"


def test_what_stands_as_stars_stays_and_what_is_typed_replaces_it(place):
    place.book.add(mine(), None, ClusterMarks())
    typed = make_plugin("aws", place.book.own("mine").exec_plugin.args, (("APP_SECRET", "***"), ("MODE", "new-one")))
    place.book.change("mine", mine(exec_plugin=typed), None, ClusterMarks())
    kept = place.book.secret(place.book.own("mine"))
    assert kept == ClusterSecret(env=(("APP_SECRET", "sesame-opens-4711"), ("MODE", "new-one")), args=ARGS)
    renamed = msgspec.structs.replace(place.book.own("mine"), name="yours")
    place.vault.lock()
    place.book.change("mine", renamed, None, ClusterMarks())  # needs nothing of the vault
    place.vault.unlock()
    assert place.book.secret(place.book.own("yours")) == kept


def test_what_is_not_used_any_more_is_forgotten(place):
    place.book.add(mine(), None, ClusterMarks())
    place.book.change("mine", mine(auth="token"), ClusterSecret(token="abc"), ClusterMarks())
    assert place.book.own("mine").exec_plugin is None
    assert place.book.secret(place.book.own("mine")) == ClusterSecret(token="abc")
    place.book.change("mine", mine(), None, ClusterMarks())
    place.book.remove("mine")
    assert place.vault.keys() == () and nothing_in_plain(place)


def test_a_vault_that_was_replaced_is_told(place):
    place.book.add(mine(), None, ClusterMarks())
    place.vault.remove(f"cluster/{'a' * 16}")
    with pytest.raises(SecretMissing):
        place.catalog.document("mine")


def test_a_program_without_environment_needs_no_vault(tmp_path):
    place = Place(tmp_path)
    place.book.add(mine(exec_plugin=make_plugin("aws", ("login",), ())), None, ClusterMarks())
    assert place.vault.state().kind == "none"
    with pytest.raises(VaultNeeded):
        place.book.add(mine(id="b" * 16, name="other"), None, ClusterMarks())
    assert [one.name for one in place.shelf.own()] == ["mine"]


def test_a_program_says_nothing_of_its_environment_in_a_log():
    assert "sesame" not in repr(PLUGIN) + repr(mine()) and repr(ExecPlugin(command="aws")) == "ExecPlugin('aws', ***)"


def test_a_secret_is_taken_out_in_the_spelling_of_yaml_too():
    secret = "sesame-\u00e9\u4e2d\U0001f511-4711"
    text = yaml.safe_dump({"custom": secret})
    assert "\\xE9" in text and Redactor([secret])(text) == 'custom: "***"\n'
