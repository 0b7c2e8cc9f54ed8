"""The vault among the settings, and the way out for who has forgotten its passphrase: real clicks, a real vault."""

from types import SimpleNamespace

import pytest
from dialog_kit import opened, press
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from ansflow_desktop.store.vault import VaultLocked, WrongPassphrase
from ansflow_desktop.widgets.dialogs import SettingsDialog
from ansflow_desktop.widgets.vault_dialogs import (
    ChangeKindDialog,
    ChangePassphraseDialog,
    CreateVaultDialog,
    StartOverDialog,
    TransferDialog,
    UnlockDialog,
)

OLD, NEW = "correct horse battery", "another horse staple"


pytestmark = pytest.mark.usefixtures("cheap_passphrases")


@pytest.fixture
def vault(services):
    services.vault.create("passphrase", OLD)
    services.vault.put("a", "secret-4711")
    return services.vault


def settings(window, qtbot):
    window.shell.settings_asked.emit()
    return opened(qtbot, SettingsDialog)


def answer(qtbot, dialog, **texts):
    for name, text in texts.items():
        qtbot.keyClicks(dialog.findChild(QLineEdit, f"vault_{name}"), text)
    press(qtbot, dialog, "vault_go")


def test_without_a_vault_there_is_nothing_to_do(window, qtbot):
    dialog = settings(window, qtbot)
    for name in ("vault_lock", "vault_change_asked", "vault_kind_asked", "vault_export_asked", "vault_import_asked"):
        assert not dialog.findChild(QPushButton, name).isEnabled()
    assert "none yet" in dialog.findChild(QLabel, "vault_said").text()
    dialog.reject()


def test_it_is_locked_and_unlocked_among_the_settings(window, vault, qtbot):
    dialog = settings(window, qtbot)
    press(qtbot, dialog, "vault_lock")
    lock = dialog.findChild(QPushButton, "vault_lock")
    qtbot.waitUntil(lambda: lock.text() == "Unlock…")
    assert vault.state().locked
    assert not dialog.findChild(QPushButton, "vault_export_asked").isEnabled()
    press(qtbot, dialog, "vault_lock")
    answer(qtbot, opened(qtbot, UnlockDialog), passphrase=OLD)
    qtbot.waitUntil(lambda: lock.text() == "Lock")
    assert not vault.state().locked
    dialog.reject()


def test_the_passphrase_is_changed_among_the_settings(window, vault, qtbot):
    dialog = settings(window, qtbot)
    press(qtbot, dialog, "vault_change_asked")
    answer(qtbot, opened(qtbot, ChangePassphraseDialog), old=OLD, passphrase=NEW, again=NEW)
    opened(qtbot, SettingsDialog).reject()
    vault.lock()
    with pytest.raises(WrongPassphrase):
        vault.unlock(OLD)
    vault.unlock(NEW)


def test_keyring_and_passphrase_are_exchanged_among_the_settings(window, vault, qtbot, monkeypatch):
    kept = {}
    ring = SimpleNamespace(usable=lambda: (True, ""), read=kept.get, write=kept.__setitem__, remove=kept.pop)
    monkeypatch.setattr(vault, "_keyring", ring)
    dialog = settings(window, qtbot)
    press(qtbot, dialog, "vault_kind_asked")
    answer(qtbot, opened(qtbot, ChangeKindDialog))
    qtbot.waitUntil(lambda: dialog.findChild(QPushButton, "vault_kind_asked").text() == "Use a passphrase…")
    assert kept and vault.state().kind == "keyring"
    press(qtbot, dialog, "vault_kind_asked")
    answer(qtbot, opened(qtbot, ChangeKindDialog), passphrase=NEW, again=NEW)
    qtbot.waitUntil(lambda: dialog.findChild(QPushButton, "vault_kind_asked").text() == "Use the keyring…")
    opened(qtbot, SettingsDialog).reject()
    vault.lock()
    vault.unlock(NEW)
    assert not kept and vault.get("a") == "secret-4711"


def test_without_a_keyring_the_passphrase_stays(window, vault, qtbot):
    press(qtbot, settings(window, qtbot), "vault_kind_asked")
    dialog = opened(qtbot, ChangeKindDialog)
    with qtbot.waitSignal(window.vault.presenter.refused):
        answer(qtbot, dialog)
    assert "The keyring cannot keep" in str([one.text() for one in dialog.findChildren(QLabel)])
    dialog.reject()
    assert vault.state().kind == "passphrase" and vault.get("a") == "secret-4711"
    opened(qtbot, SettingsDialog).reject()


def test_secrets_are_exported_and_imported_among_the_settings(window, vault, qtbot, tmp_path):
    dialog = settings(window, qtbot)
    file = str(tmp_path / "export")
    press(qtbot, dialog, "vault_export_asked")
    answer(qtbot, opened(qtbot, TransferDialog), file=file, passphrase=NEW, again=NEW)
    opened(qtbot, SettingsDialog)
    vault.remove("a")
    press(qtbot, dialog, "vault_import_asked")
    answer(qtbot, opened(qtbot, TransferDialog), file=file, passphrase=NEW)
    opened(qtbot, SettingsDialog).reject()
    assert vault.get("a") == "secret-4711"


def test_who_forgot_the_passphrase_is_warned_and_starts_over_and_the_old_file_is_kept(window, vault, qtbot):
    vault.lock()
    before, again = vault.path.read_bytes(), []
    window.vault.ask(VaultLocked("passphrase"), lambda: again.append("again"))
    press(qtbot, opened(qtbot, UnlockDialog), "vault_forgotten")
    warned = opened(qtbot, StartOverDialog)
    press(qtbot, warned, "vault_cancel")
    assert vault.path.read_bytes() == before
    press(qtbot, opened(qtbot, UnlockDialog), "vault_forgotten")
    press(qtbot, opened(qtbot, StartOverDialog), "vault_go")
    made = opened(qtbot, CreateVaultDialog)
    assert before in [file.read_bytes() for file in vault.path.parent.glob("vault*") if file != vault.path]
    made._boxes["passphrase"].click()
    answer(qtbot, made, passphrase=NEW, again=NEW)
    qtbot.waitUntil(lambda: again == ["again"])
    assert vault.keys() == ()


def test_what_was_declined_is_not_done_when_the_vault_opens_later(window, vault, qtbot):
    vault.lock()
    again = []
    window.vault.ask(VaultLocked("passphrase"), lambda: again.append("again"))
    press(qtbot, opened(qtbot, UnlockDialog), "vault_cancel")
    with qtbot.waitSignal(window.vault.unlocked):
        window.vault.presenter.unlock(OLD)
    assert not again
