"""A cluster added by clicks from server, token and authority alone: tested, kept, measured, and its token renewed."""

import datetime
import json
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QPushButton
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, shown_window

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import Finding, Reach
from ansflow_desktop.models.credential import CredentialKind, ServerVerdict
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets.cluster_form import ClusterDialog
from ansflow_desktop.widgets.credentials_renew import RenewDialog

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

READY_MS = 60_000
WEEK_S = 7 * 86400


@pytest.fixture
def services(tmp_path):
    empty = tmp_path / "kubeconfig"
    empty.write_text("apiVersion: v1\nkind: Config\n")
    made = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(empty), lang="en"))
    made.vault.create("session")
    yield made
    made.close()


@pytest.fixture
def access(kubeconfig, practice_api, namespace):
    """Server, authority (PEM) and the token of a new ServiceAccount that may look at everything."""
    practice_api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    practice_api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "looker"}})
    practice_api.create(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "looker", "namespace": namespace}],
        },
    )
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/looker/token"
    _status, answer = practice_api.request("POST", path, {"spec": {"expirationSeconds": 600}})
    server = safe_yaml.load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    authority = (kubeconfig.parent / "pki" / "ca.crt").read_text()
    yield SimpleNamespace(server=server, ca=authority, token=json.loads(answer)["status"]["token"])
    practice_api.request("DELETE", f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{namespace}")


def click(qtbot, parent, name):
    qtbot.waitUntil(lambda: any(one.isVisible() and one.isEnabled() for one in parent.findChildren(QPushButton, name)))
    made = next(one for one in parent.findChildren(QPushButton, name) if one.isVisible())
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)


def fill(qtbot, dialog, kind, name, text):
    field = dialog.findChild(kind, name)
    qtbot.mouseClick(field if kind is QLineEdit else field.viewport(), Qt.MouseButton.LeftButton)
    QGuiApplication.clipboard().setText(text)
    qtbot.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def dialog_of(page):
    return next(one for one in page.findChildren(ClusterDialog) if one.isVisible())


def stages(presenter):
    return {one.name: one.finding for one in presenter.state.diagnosis.stages}


def bearer(page):
    """Return the report of the cluster's token, None while it is not read."""
    found = [one for one in page.presenter.state.reports if one.credential.kind is CredentialKind.TOKEN]
    return found[0] if found else None


def renew_for_a_week(qtbot, page):
    """Renew the token of the page by its button and the dialog's; return the renewal that the dialog showed."""
    qtbot.waitUntil(lambda: bearer(page) and bearer(page).answer.verdict is ServerVerdict.ACCEPTED, timeout=READY_MS)
    page.table.choose(bearer(page).credential.id)
    click(qtbot, page, "renew_credential")
    dialog = next(one for one in page.findChildren(RenewDialog) if one.isVisible())
    qtbot.waitUntil(lambda: dialog.put.currentData() == "replace", timeout=READY_MS)
    assert dialog.fields.account.text() == "looker"
    lifetime = dialog.fields.seconds
    lifetime.setFocus()
    while lifetime.currentData() != WEEK_S:
        before = lifetime.currentIndex()
        qtbot.keyClick(lifetime, Qt.Key.Key_Down)
        assert lifetime.currentIndex() > before
    click(qtbot, dialog, "renew_start")
    qtbot.waitUntil(lambda: bool(page.presenter.renewal.done or page.presenter.renewal.error), timeout=READY_MS)
    made = page.presenter.renewal
    click(qtbot, dialog, "renew_start")  # it says Close now
    return made


def test_its_token_is_renewed_by_clicks(loop, services, access, qtbot, practice_api):
    with shown_window(services, qtbot) as window:
        window.shell.show_page("clusters")
        click(qtbot, window.shell.page, "add_cluster")
        dialog = dialog_of(window.shell.page)
        fill(qtbot, dialog, QLineEdit, "cluster_server", access.server)
        fill(qtbot, dialog, QLineEdit, "cluster_token", access.token)
        fill(qtbot, dialog, QPlainTextEdit, "cluster_ca", access.ca)
        fill(qtbot, dialog, QLineEdit, "cluster_name", "by-hand")
        click(qtbot, dialog, "cluster_save")
        qtbot.waitUntil(lambda: bool(services.shelf.own()), timeout=READY_MS)
        window.shell.show_page("credentials")
        page = window.shell.page
        qtbot.waitUntil(lambda: bearer(page) is not None, timeout=READY_MS)
        old = bearer(page).credential.claims.expires_at
        made = renew_for_a_week(qtbot, page)
        assert made.error is None and made.expires_at - old > datetime.timedelta(days=6)

        qtbot.waitUntil(lambda: bearer(page).credential.claims.expires_at == made.expires_at, timeout=READY_MS)
        qtbot.waitUntil(lambda: bearer(page).answer.verdict is ServerVerdict.ACCEPTED, timeout=READY_MS)
        report = bearer(page)
        model = page.table.model()
        shown = {model.index(number, 0).data() for number in range(model.rowCount())}
        assert said.expires(report) in shown
        page.table.choose(report.credential.id)
        wanted = said.local(made.expires_at)
        qtbot.waitUntil(lambda: any(wanted in one.text() for one in page.detail.findChildren(QLabel)))
        kept = services.cluster_book.secret(services.shelf.own()[0]).token
        assert kept != access.token and kept
        assert reviewed(practice_api, kept)["user"]["username"].endswith(":looker")


def reviewed(api, token):
    """Return what the API server says of `token`."""
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    _status, answer = api.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", kind)
    return json.loads(answer)["status"]


def test_a_cluster_from_server_and_token_is_tested_kept_and_measured(loop, services, access, qtbot):
    with shown_window(services, qtbot) as window:
        window.shell.show_page("clusters")
        page = window.shell.page
        click(qtbot, page, "add_cluster")
        dialog = dialog_of(page)
        form = dialog.presenter
        fill(qtbot, dialog, QLineEdit, "cluster_server", access.server)
        fill(qtbot, dialog, QLineEdit, "cluster_token", access.token)
        click(qtbot, dialog, "cluster_test")
        qtbot.waitUntil(lambda: form.state.diagnosis is not None, timeout=READY_MS)
        assert stages(form)["tls"] is Finding.BAD  # nobody vouches for this server yet

        fill(qtbot, dialog, QPlainTextEdit, "cluster_ca", access.ca)
        fill(qtbot, dialog, QLineEdit, "cluster_name", "by-hand")
        click(qtbot, dialog, "cluster_test")
        qtbot.waitUntil(
            lambda: form.state.diagnosis is not None and stages(form)["credentials"] is Finding.GOOD, timeout=READY_MS
        )
        assert form.state.diagnosis.user.endswith(":looker")
        assert not services.shelf.own()  # a test keeps nothing
        click(qtbot, dialog, "cluster_save")

        def reach():
            row = window.clusters.state.row("by-hand")
            return row.status.reach if row else None

        qtbot.waitUntil(lambda: reach() is Reach.REACHABLE, timeout=READY_MS)
        qtbot.waitUntil(lambda: page.details.state.statistics is not None, timeout=READY_MS)
        found = page.details.state.statistics
        assert page.details.state.name == "by-hand" and found.nodes == 3 and found.namespaces >= 4
        wanted = {f"Nodes: {found.nodes}", f"Namespaces: {found.namespaces}"}
        qtbot.waitUntil(
            lambda: wanted <= {one.accessibleName() for one in page.findChildren(QLabel) if one.isVisible()}
        )
        written = [path.read_bytes() for path in services.directories.data.rglob("*") if path.is_file()]
        assert not any(access.token.encode() in data for data in written)
