"""A cluster whose secret lies in a locked vault: it is not called unreachable, and one click unlocks it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from window_kit import shown_window

from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster, Reach
from ansflow_desktop.widgets.vault_dialogs import UnlockDialog

PASSPHRASE = "correct horse battery"


def test_a_locked_vault_is_no_unreachable_cluster_and_is_unlocked_from_its_details(loop, services, reads, qtbot):
    services.vault.create("passphrase", PASSPHRASE)
    own = OwnCluster(id=services.cluster_book.new_id(), name="shop", server="https://10.0.0.1:6443", auth="token")
    services.cluster_book.add(own, ClusterSecret(token="planted-secret-token"), ClusterMarks())
    services.vault.lock()
    with shown_window(services, qtbot, reads=reads) as window:
        rows = window.clusters
        qtbot.waitUntil(lambda: rows.state.row("shop").status.reach is Reach.LOCKED)
        window.shell.show_page("clusters")
        page = window.shell.page
        page.show_cluster("shop")
        check = page.findChild(QPushButton, "check_cluster")
        qtbot.waitUntil(lambda: check.text() == "Unlock…")
        qtbot.mouseClick(check, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), UnlockDialog))
        dialog = QApplication.activeModalWidget()
        dialog.findChild(QLineEdit, "vault_passphrase").setText(PASSPHRASE)
        dialog.findChild(QPushButton, "vault_go").click()
        qtbot.waitUntil(lambda: rows.state.row("shop").status.reach is Reach.REACHABLE)
