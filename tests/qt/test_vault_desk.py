"""Where the window asks for the vault: one dialog at a time, tried again once it is open."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from ansflow_desktop.errors import UserError
from ansflow_desktop.store.vault import VaultLocked, VaultNeeded
from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog, UnlockDialog

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def locked(window):
    """The window on a vault that a passphrase opens and that is locked."""
    window.services.vault.create("passphrase", PASSPHRASE)
    window.services.vault.lock()
    return window


def test_a_locked_vault_is_opened_by_its_passphrase_and_what_failed_is_tried_again(locked, qtbot):
    window = locked
    window.deploy.failed.emit(VaultLocked("passphrase", "a reason"))
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, UnlockDialog)
    window.deploy.failed.emit(VaultLocked("passphrase"))
    assert QApplication.activeModalWidget() is dialog
    assert not [banner for banner in window.frame.state.banners if banner.key == "error"]
    line = dialog.findChild(QLineEdit, "vault_passphrase")
    qtbot.keyClicks(line, PASSPHRASE)
    checked = len(window.clusters._reads.checked)
    with qtbot.waitSignal(window.vault.unlocked):
        qtbot.mouseClick(dialog._go, Qt.MouseButton.LeftButton)
    assert not window.services.vault.state().locked
    qtbot.waitUntil(lambda: len(window.clusters._reads.checked) > checked)


def test_the_page_can_ask_too(locked, qtbot):
    locked.vault.ask_now()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), UnlockDialog))
    QApplication.activeModalWidget().reject()
    locked.vault.ask_now()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, UnlockDialog)
    dialog.reject()


def test_where_there_is_no_vault_one_is_made(window):
    window.clusters.failed.emit(VaultNeeded(("passphrase", "session")))
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, CreateVaultDialog)
    dialog.reject()


def test_another_error_is_a_banner_and_makes_nothing_of_the_vault(window):
    window.clusters.failed.emit(UserError("It broke"))
    assert [banner.title for banner in window.frame.state.banners if banner.key == "error"] == ["It broke"]
    assert window.vault._made is None
