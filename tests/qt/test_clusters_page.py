"""The Clusters page: hundreds of clusters, marks, the dialog with its problems, a test, figures, removal."""

import pytest
import yaml
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
)
from window_kit import KUBECONFIG, shown_window

from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.presenters.cluster_form_state import ClusterForm, FormState, secret_of
from ansflow_desktop.widgets.cluster_form import ClusterDialog
from ansflow_desktop.widgets.cluster_inputs import SecretBox
from ansflow_desktop.widgets.cluster_paste import PasteDialog
from ansflow_desktop.widgets.dialogs import ApprovalDialog
from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog

SECRET = "planted-secret-token"


@pytest.fixture
def page(loop, services, reads, qtbot):
    services.vault.create("session")
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        made = window.shell.page
        made.window_made = window
        qtbot.waitUntil(lambda: made.table.model().rowCount() == 3)
        yield made


def press(qtbot, parent, name):
    made = next(one for one in parent.findChildren(QPushButton, name) if one.isVisible())
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)


def opened(page, kind=ClusterDialog):
    return next(one for one in page.findChildren(kind) if one.isVisible())


def give_up(qtbot, dialog):
    """Cancel, and lose what was typed where that is asked."""
    press(qtbot, dialog, "cluster_cancel")
    if dialog.presenter.changed:
        press(qtbot, dialog, "delete_confirm")
    assert not dialog.isVisible()


def texts(part):
    return {one.text() for one in part.findChildren(QLabel) if one.isVisible()}


def put(dialog, name, text):
    dialog.findChild(QLineEdit, f"cluster_{name}").setText(text)


def names(page):
    model = page.table.model()
    return [model.index(number, 0).data() for number in range(model.rowCount())]


def add(page, qtbot, name="shop", **fields):
    press(qtbot, page, "add_cluster")
    dialog = opened(page)
    for field, text in {"server": "10.0.0.1:6443", "name": name, "token": SECRET, **fields}.items():
        put(dialog, field, text)
    return dialog


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(page, qtbot, services):
    press(qtbot, page, "add_cluster")
    dialog = opened(page)
    put(dialog, "server", "ftp://x")
    put(dialog, "namespace", "Not A Name")
    press(qtbot, dialog, "cluster_save")
    wanted = {"The server address cannot be used", "The token cannot be used", "The namespace cannot be used"}
    qtbot.waitUntil(lambda: wanted <= texts(dialog))
    assert dialog.findChild(QLineEdit, "cluster_server").text() == "ftp://x" and dialog.isVisible()
    put(dialog, "server", "https://10.0.0.1:6443")
    assert "The server address cannot be used" not in texts(dialog)
    assert not services.shelf.own()
    give_up(qtbot, dialog)


def test_a_cluster_is_added_selected_marked_changed_and_removed(page, qtbot, services):
    dialog = add(page, qtbot)
    dialog.findChild(QCheckBox, "cluster_production").setChecked(True)
    dialog.findChild(QComboBox, "cluster_colour").setCurrentIndex(5)
    press(qtbot, dialog, "cluster_save")
    qtbot.waitUntil(lambda: page.details.state.name == "shop" and page.details.state.statistics is not None)
    kept = services.shelf.own()[0]
    assert kept.server == "https://10.0.0.1:6443" and services.cluster_book.secret(kept).token == SECRET
    assert services.catalog.entry("shop").marks == ClusterMarks(production=True, colour="red")

    press(qtbot, page, "edit_cluster")
    dialog = opened(page)
    assert dialog.findChild(QLineEdit, "cluster_token").text() == ""  # the vault's is kept, never shown
    put(dialog, "name", "shop-2")
    press(qtbot, dialog, "cluster_save")
    qtbot.waitUntil(lambda: "shop-2" in names(page) and "shop" not in names(page))
    assert services.cluster_book.secret(services.shelf.own()[0]).token == SECRET
    assert services.catalog.entry("shop-2").marks.production

    qtbot.waitUntil(lambda: page.details.state.name == "shop-2")
    press(qtbot, page, "remove_cluster")
    asked = opened(page, QMessageBox)
    assert asked.defaultButton().text() == "Keep"
    press(qtbot, asked, "delete_confirm")
    qtbot.waitUntil(lambda: "shop-2" not in names(page))
    assert not services.shelf.own() and not services.vault.keys()


def test_without_a_vault_its_kind_is_asked_and_saving_goes_on(loop, services, reads, qtbot):
    with shown_window(services, qtbot, reads=reads) as window:
        window.shell.show_page("clusters")
        page = window.shell.page
        dialog = add(page, qtbot)
        press(qtbot, dialog, "cluster_save")
        qtbot.waitUntil(lambda: any(one.isVisible() for one in window.shell.findChildren(CreateVaultDialog)))
        asked = opened(window.shell, CreateVaultDialog)
        asked.findChild(QRadioButton, "vault_kind_session").click()
        next(one for one in asked.findChildren(QPushButton) if one.text() == "Keep secrets this way").click()
        qtbot.waitUntil(lambda: "shop" in names(page))
        assert services.cluster_book.secret(services.shelf.own()[0]).token == SECRET


def test_a_context_of_a_kubeconfig_takes_notes_and_its_file_is_not_written(page, qtbot, services, tmp_path):
    page.table.choose("stage")
    press(qtbot, page, "edit_cluster")
    dialog = opened(page)
    assert dialog.findChild(QLineEdit, "cluster_server") is None
    put(dialog, "description", "Second zone")
    put(dialog, "namespace", "shop")
    dialog.findChild(QCheckBox, "cluster_read_only").setChecked(True)
    press(qtbot, dialog, "cluster_save")
    qtbot.waitUntil(lambda: services.catalog.entry("stage").marks.read_only)
    assert (tmp_path / "kubeconfig").read_text() == KUBECONFIG
    qtbot.waitUntil(lambda: page.window_made.frame.state.rows[1].entry.marks.read_only)
    page.window_made.frame.choose_cluster("stage")
    qtbot.waitUntil(lambda: "stage is read-only" in texts(page.window_made.shell.banners))
    assert page.window_made.frame.state.namespace == "shop"


def test_a_test_keeps_nothing_and_shows_its_stages(page, qtbot, services, reads):
    dialog = add(page, qtbot)
    reads.unreachable.add("shop")
    press(qtbot, dialog, "cluster_test")
    qtbot.waitUntil(lambda: {"Connection", "Refused"} <= texts(dialog))
    assert not services.shelf.own() and not services.vault.keys()
    give_up(qtbot, dialog)


def test_a_credential_program_is_shown_before_it_is_tried(page, qtbot, reads):
    press(qtbot, page, "add_cluster")
    dialog = opened(page)
    for field, text in (("server", "10.0.0.1"), ("name", "plug"), ("exec_command", "/opt/vendor/sign-in")):
        put(dialog, field, text)
    dialog.findChild(QComboBox, "cluster_auth").setCurrentIndex(2)
    dialog.findChild(QPlainTextEdit, "cluster_exec_args").setPlainText("--user\nme")
    press(qtbot, dialog, "cluster_test")
    qtbot.waitUntil(lambda: any(one.isVisible() for one in dialog.findChildren(ApprovalDialog)))
    assert "plug" not in reads.checked
    press(qtbot, opened(dialog, ApprovalDialog), "approval_approve")
    qtbot.waitUntil(lambda: "plug" in reads.checked)
    give_up(qtbot, dialog)


def test_a_pasted_kubeconfig_fills_the_form_and_is_never_shown(page, qtbot):
    press(qtbot, page, "add_cluster")
    dialog = opened(page)
    press(qtbot, dialog, "cluster_paste")
    paste = opened(dialog, PasteDialog)
    box = paste.findChild(SecretBox, "kubeconfig_text")
    take = paste.findChild(QPushButton, "kubeconfig_take")
    box.take("no kubeconfig at all: [")
    qtbot.waitUntil(lambda: "The pasted text is not a kubeconfig" in texts(paste))
    assert not take.isEnabled()
    box.take(KUBECONFIG.replace("abc", SECRET))
    qtbot.waitUntil(take.isEnabled)
    paste.findChild(QComboBox, "kubeconfig_context").setCurrentText("stage")
    assert not any(SECRET in text for text in texts(paste))
    press(qtbot, paste, "kubeconfig_take")
    assert dialog.findChildren(QLineEdit, "cluster_server")[-1].text() == "https://127.0.0.1:1"
    assert dialog.presenter.state.form.token == SECRET
    give_up(qtbot, dialog)


def test_one_context_that_cannot_be_taken_does_not_keep_the_others_from_it(page, qtbot):
    press(qtbot, page, "add_cluster")
    dialog = opened(page)
    press(qtbot, dialog, "cluster_paste")
    paste = opened(dialog, PasteDialog)
    read = yaml.safe_load(KUBECONFIG)
    read["users"].append({"name": "basic", "user": {"username": "me", "password": SECRET}})
    read["contexts"].append({"name": "basic", "context": {"cluster": read["clusters"][0]["name"], "user": "basic"}})
    QGuiApplication.clipboard().setText(yaml.safe_dump(read))
    press(qtbot, paste, "kubeconfig_text_paste")
    take = paste.findChild(QPushButton, "kubeconfig_take")
    qtbot.waitUntil(take.isEnabled)
    box = paste.findChild(QComboBox, "kubeconfig_context")
    offered = [box.itemText(number) for number in range(box.count())]
    assert offered == [one["name"] for one in yaml.safe_load(KUBECONFIG)["contexts"]]
    assert "basic: the user's field username cannot be kept" in texts(paste)
    assert not any(SECRET in text for text in texts(paste))
    press(qtbot, paste, "kubeconfig_take")
    give_up(qtbot, dialog)


def test_hundreds_of_clusters_are_filtered_and_grouped(page, qtbot, services):
    for number in range(300):
        name = f"zone-{number:03d}"
        services.shelf.save_own(
            OwnCluster(id=str(number), name=name, server=f"https://10.1.{number % 250}.9", auth="none")
        )
        if number % 100 == 0:
            services.shelf.set_marks(name, ClusterMarks(group="Payments", production=number == 100))
    page.presenter.refresh_list()
    qtbot.waitUntil(lambda: len(names(page)) == 303, timeout=20_000)
    page.filter.setText("zone 299")
    assert names(page) == ["zone-299"]
    page.filter.setText("")
    box = page.findChild(QComboBox, "clusters_group")
    box.setCurrentText("Payments")
    assert names(page) == ["zone-000", "zone-100", "zone-200"]
    page.filter.setText("production")
    assert names(page) == ["zone-100"]
    page.leave()
    assert page.filter.text() == ""


def test_what_holds_a_secret_never_prints_it():
    form = ClusterForm(token=f" Bearer {SECRET}\n")
    assert secret_of(form) == ClusterSecret(token=SECRET)
    assert SECRET not in repr(form) + repr(FormState(form=form)) + repr(secret_of(form))


def test_closing_asks_where_something_was_typed_and_then_holds_nothing(page, qtbot):
    press(qtbot, page, "add_cluster")
    dialog = opened(page)
    press(qtbot, dialog, "cluster_cancel")
    assert not dialog.isVisible()  # nothing was typed: nothing is asked

    dialog = add(page, qtbot)
    form = dialog.presenter
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible() and form.state.form.token == SECRET
    press(qtbot, dialog, "delete_cancel")
    assert dialog.isVisible() and form.state.form.token == SECRET
    give_up(qtbot, dialog)
    assert form.state == FormState() and not page.window_made.clusters_desk._forms


def test_a_kept_cluster_leaves_no_secret_in_its_dialog(page, qtbot, services):
    dialog = add(page, qtbot)
    form = dialog.presenter
    press(qtbot, dialog, "cluster_save")
    qtbot.waitUntil(lambda: bool(services.shelf.own()) and not form.state.form.token)


def test_leaving_the_resources_ends_their_watch(page, qtbot):
    page._tabs.setCurrentIndex(1)
    resources = page.window_made.clusters_desk._resources
    assert "feed" in resources._tasks
    page._tabs.setCurrentIndex(0)
    assert "feed" not in resources._tasks
    page._tabs.setCurrentIndex(1)
    page.window_made.shell.show_page("releases")
    assert "feed" not in resources._tasks
    page.window_made.shell.show_page("clusters")
    assert "feed" in resources._tasks


def test_keys_work_on_the_objects_where_they_are_what_is_shown(page, qtbot):
    shell = page.window_made.shell
    page._tabs.setCurrentIndex(1)
    asked, line = [], page.findChild(QLineEdit, "resource_filter")
    page.window_made.clusters_desk._resources.reload = lambda: asked.append("objects")
    page.presenter.load = lambda: asked.append("clusters")
    qtbot.keyClick(shell, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert asked == ["objects"]
    qtbot.keyClick(shell, Qt.Key.Key_Slash)
    assert line.hasFocus() and page._tabs.currentIndex() == 1
    qtbot.keyClicks(line, "web")
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "" and not line.hasFocus() and page._tabs.currentIndex() == 1
    qtbot.keyClick(shell, Qt.Key.Key_Escape)
    assert page._tabs.currentIndex() == 0 and page.table.hasFocus()
    qtbot.keyClick(shell, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert asked == ["objects", "clusters"]
