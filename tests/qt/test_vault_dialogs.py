"""Dialogs of the vault on a real vault: what is asked, what is refused, what was typed stays."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QRadioButton, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.vault import VaultPresenter
from ansflow_desktop.store.vault import VaultLocked, VaultNeeded
from ansflow_desktop.widgets.vault_dialogs import (
    ChangePassphraseDialog,
    CreateVaultDialog,
    TransferDialog,
    UnlockDialog,
)

OLD, NEW = "correct horse battery", "another horse staple"


@pytest.fixture
def presenter(loop, services):
    made = VaultPresenter(services)
    yield made
    window_loop.run_here(made.close())


@pytest.fixture
def parent(qtbot, loop):
    made = QWidget()
    qtbot.addWidget(made)
    return made


def type_in(dialog, **texts):
    for name, text in texts.items():
        dialog.findChild(QLineEdit, f"vault_{name}").setText(text)


def go(dialog) -> QPushButton:
    return dialog.findChild(QPushButton, "vault_go")


def answer(qtbot, dialog, signal, **texts):
    dialog.show()
    type_in(dialog, **texts)
    with qtbot.waitSignal(signal, timeout=30_000):  # the key of a passphrase costs a second, on a busy machine many
        go(dialog).click()


def test_a_vault_is_made_behind_a_passphrase_typed_twice(presenter, parent, qtbot, services):
    dialog = CreateVaultDialog(parent, presenter, ("passphrase", "session"), "This session has no keyring.")
    assert not dialog.findChild(QRadioButton, "vault_kind_keyring").isEnabled()
    assert [one for one in dialog.findChildren(QLabel) if one.text() == "This session has no keyring."]
    type_in(dialog, passphrase="short", again="short")
    assert not go(dialog).isEnabled()
    type_in(dialog, passphrase=OLD, again=NEW)
    assert not go(dialog).isEnabled()
    assert dialog.findChild(QLabel, "vault_strength").text() == "The two are not the same."
    type_in(dialog, again=OLD[:3])  # still typing: no reproach
    assert dialog.findChild(QLabel, "vault_strength").text() == "Strong"
    answer(qtbot, dialog, presenter.unlocked, passphrase=OLD, again=OLD)
    assert presenter.state.kind == "passphrase"
    assert (services.vault.state().kind, services.vault.state().locked) == ("passphrase", False)


def test_session_only_needs_no_passphrase(presenter, parent, qtbot, services):
    dialog = CreateVaultDialog(parent, presenter, ("passphrase", "session"))
    dialog.findChild(QRadioButton, "vault_kind_session").click()
    answer(qtbot, dialog, presenter.unlocked)
    assert services.vault.state().kind == "session"
    assert not services.vault.path.exists()


def test_a_wrong_passphrase_is_said_and_stays_typed(presenter, parent, qtbot, services):
    services.vault.create("passphrase", OLD)
    services.vault.lock()
    dialog = UnlockDialog(parent, presenter)
    answer(qtbot, dialog, presenter.refused, passphrase=NEW)
    assert dialog.isVisible()
    line = dialog.findChild(QLineEdit, "vault_passphrase")
    assert (line.text(), line.echoMode()) == (NEW, QLineEdit.EchoMode.Password)
    problems = dialog.findChild(QWidget, "vault_problems")
    assert problems.isVisible()
    said = [one for one in problems.findChildren(QLabel) if one.text()]
    assert [one.text() for one in said] == ["The passphrase is not the one of this vault."]
    assert all(one.height() >= one.heightForWidth(one.width()) for one in said), "words are cut"
    with qtbot.waitSignal(dialog.accepted):
        type_in(dialog, passphrase=OLD)
        go(dialog).click()
    assert not services.vault.state().locked


def test_the_passphrase_changes_and_secrets_travel(presenter, parent, qtbot, services, tmp_path):
    services.vault.create("passphrase", OLD)
    services.vault.put("a", "secret-4711")
    answer(qtbot, ChangePassphraseDialog(parent, presenter), presenter.unlocked, old=OLD, passphrase=NEW, again=NEW)
    services.vault.lock()
    services.vault.unlock(NEW)
    file = tmp_path / "export"
    export = TransferDialog(parent, presenter, export=True)
    type_in(export, file=str(file), passphrase=OLD, again=NEW)
    assert not go(export).isEnabled(), "an export whose passphrase was mistyped could never be read"
    answer(qtbot, export, presenter.done, file=str(file), passphrase=OLD, again=OLD)
    services.vault.remove("a")
    answer(qtbot, TransferDialog(parent, presenter, export=False), presenter.done, file=str(file), passphrase=OLD)
    assert services.vault.get("a") == "secret-4711"


def test_only_matters_of_the_vault_open_a_question(presenter, qtbot):
    asked = []
    presenter.ask_unlock.connect(asked.append)
    presenter.ask_create.connect(asked.append)
    locked, needed = VaultLocked("passphrase"), VaultNeeded(("passphrase",))
    assert presenter.needed(locked)
    assert presenter.needed(needed)
    assert not presenter.needed(UserError("other"))
    assert asked == [locked, needed]


def test_the_timer_locks_when_nobody_was_there(presenter, qtbot, services):
    services.vault.create("passphrase", OLD)
    presenter.refresh()
    qtbot.waitUntil(lambda: presenter.state.kind == "passphrase")
    services.vault._idle_s = -1
    with qtbot.waitSignal(presenter.state_changed):
        presenter._timer.timeout.emit()
    assert presenter.state.locked
