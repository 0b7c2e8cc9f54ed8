"""A vault that is damaged is met by a dialog with the ways out; an import is seen at once; what was kept is named."""

import pytest
from dialog_kit import opened, press
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.store import vault_seal
from ansflow_desktop.store.vault import Vault, VaultDamaged
from ansflow_desktop.widgets.vault_damaged import DamagedVaultDialog
from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog, TransferDialog, UnlockDialog

PASSPHRASE = "correct horse battery staple"


pytestmark = pytest.mark.usefixtures("cheap_passphrases")


@pytest.fixture
def vault(services):
    services.vault.create("passphrase", PASSPHRASE)
    services.vault.put("a", "secret-4711")
    services.vault.lock()
    return services.vault


def answer(qtbot, dialog, **texts):
    for name, text in texts.items():
        dialog.findChild(QLineEdit, f"vault_{name}").setText(text)
    press(qtbot, dialog, "vault_go")


def tampered(vault):
    """The file is whole, but its payload is not what was sealed: only who opens it notices."""
    sealed = vault_seal.decode(vault.path.read_bytes(), "")
    other, _key = vault_seal.seal(sealed.wrap, b"0" * 32, {})
    mixed = vault_seal.msgspec.structs.replace(sealed, nonce=other.nonce, payload=other.payload, check="")
    whole = vault_seal.msgspec.structs.replace(mixed, check=vault_seal._check(mixed))
    vault.path.write_bytes(vault_seal.encode(whole))


def kept(vault):
    return list(vault.path.parent.glob("vault.json.damaged-*"))


def banner(window):
    return [str(one.text) for one in window.frame.state.banners if one.key == "vault"]


def test_the_copy_is_restored_and_what_failed_is_tried_again(window, vault, qtbot):
    tampered(vault)
    again = []
    window.vault.ask(VaultDamaged(str(vault.path)), lambda: again.append("again"))
    press(qtbot, opened(qtbot, DamagedVaultDialog), "vault_restore")
    answer(qtbot, opened(qtbot, UnlockDialog), passphrase=PASSPHRASE)
    qtbot.waitUntil(lambda: again == ["again"])
    assert vault.get("a") == "secret-4711"
    assert len(kept(vault)) == 1 and kept(vault)[0].name in banner(window)[0]


def test_who_begins_anew_is_told_where_the_old_one_is(window, vault, qtbot):
    vault.path.write_bytes(b"{")
    vault.path.with_name("vault.json.bak").write_bytes(b"{")
    window.deploy.failed.emit(VaultDamaged(str(vault.path), "a reason"))
    dialog = opened(qtbot, DamagedVaultDialog)
    assert not dialog.findChild(QPushButton, "vault_restore").isEnabled()
    press(qtbot, dialog, "vault_anew")
    made = opened(qtbot, CreateVaultDialog)
    made._boxes["passphrase"].click()
    answer(qtbot, made, passphrase=PASSPHRASE, again=PASSPHRASE)
    qtbot.waitUntil(lambda: vault.state().kind == "passphrase" and not vault.state().locked)
    assert vault.keys() == () and kept(vault)[0].read_bytes() == b"{"
    assert kept(vault)[0].name in banner(window)[0]


def test_an_export_is_imported_into_a_new_vault(window, vault, qtbot, tmp_path):
    vault.unlock(PASSPHRASE)
    vault.export(tmp_path / "export", PASSPHRASE)
    vault.lock()
    tampered(vault)
    window.vault.ask_now()
    answer(qtbot, opened(qtbot, UnlockDialog), passphrase=PASSPHRASE)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)  # the passphrase opens it, its content does not
    window.clusters.failed.emit(_error(vault))
    press(qtbot, opened(qtbot, DamagedVaultDialog), "vault_import")
    made = opened(qtbot, CreateVaultDialog)
    made._boxes["passphrase"].click()
    answer(qtbot, made, passphrase=PASSPHRASE, again=PASSPHRASE)
    answer(qtbot, opened(qtbot, TransferDialog), file=str(tmp_path / "export"), passphrase=PASSPHRASE)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    assert vault.get("a") == "secret-4711"


def _error(vault):
    with pytest.raises(VaultDamaged) as caught:
        vault.get("a")
    return caught.value


def test_a_vault_that_is_damaged_is_said_where_it_is_to_be_unlocked(window, vault, qtbot):
    vault.path.write_bytes(b"{")
    vault.path.with_name("vault.json.bak").unlink()
    assert vault.state().damaged
    window.vault.ask_now()
    opened(qtbot, DamagedVaultDialog).reject()
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    assert vault.path.read_bytes() == b"{" and not kept(vault)


def test_a_file_that_restored_itself_is_told(window, vault, qtbot):
    vault.path.write_bytes(b"{")
    window.vault.presenter.refresh()
    qtbot.waitUntil(lambda: bool(banner(window)))
    assert kept(vault)[0].name in banner(window)[0]


def test_an_import_is_seen_at_once_in_window_and_services(window, vault, services, qtbot, tmp_path):
    cluster = OwnCluster(id="a" * 16, name="mine", server="https://127.0.0.1:1")
    other = Vault(tmp_path / "other.json")
    other.create("passphrase", PASSPHRASE)
    other.put(f"cluster/{cluster.id}", '{"token":"imported-4711"}')
    other.export(tmp_path / "export", PASSPHRASE)
    vault.unlock(PASSPHRASE)
    services.cluster_book.add(cluster, ClusterSecret(token="before"), ClusterMarks())
    with qtbot.waitSignal(window.vault.presenter.unlocked):
        window.vault.presenter.unlock(PASSPHRASE)
    qtbot.waitUntil(lambda: "mine" in window.clusters._reads.checked)
    before = window.clusters._reads.checked.count("mine")
    window.vault.transfer(export=False)
    answer(qtbot, opened(qtbot, TransferDialog), file=str(tmp_path / "export"), passphrase=PASSPHRASE)
    qtbot.waitUntil(lambda: window.clusters._reads.checked.count("mine") > before)
    assert services.catalog.document("mine")["users"][0]["user"]["token"] == "imported-4711"
    assert "1 secret" in next(str(one.title) for one in window.frame.state.banners if one.key == "vault")


def test_an_old_environment_moves_when_the_window_opens_the_vault(window, vault, services, qtbot):
    plugin = make_plugin("aws", (), (("A", "plain-4711"),))
    services.shelf.save_own(
        OwnCluster(id="c" * 16, name="old", server="https://127.0.0.1:1", auth="exec", exec_plugin=plugin)
    )
    with qtbot.waitSignal(window.vault.presenter.unlocked):
        window.vault.presenter.unlock(PASSPHRASE)
    assert b"plain-4711" not in (services.directories.data / "clusters.json").read_bytes()
    assert services.cluster_book.secret(services.shelf.own()[0]).env == (("A", "plain-4711"),)
