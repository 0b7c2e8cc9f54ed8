"""One chain by clicks and keys alone: nothing is known; a cluster is added, tested, measured, and its token renewed."""

import datetime
import json
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QLineEdit, QPlainTextEdit
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, shown_window

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.models.cluster import Finding, Reach
from ansflow_desktop.models.credential import ClaimVerdict, CredentialKind, ServerVerdict
from ansflow_desktop.store.vault import Vault
from ansflow_desktop.widgets import credentials_words as said

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

READY_MS = 60_000
QUARTER_S = 90 * 86400
PHRASE = "correct horse battery staple"
LOOK = ["get", "list", "watch"]
RULES = [
    {"apiGroups": [""], "resources": ["nodes", "namespaces", "pods"], "verbs": LOOK},
    {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets"], "verbs": LOOK},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": LOOK},
]
RENEW = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": ["looker"], "verbs": ["create"]}


@pytest.fixture
def services(tmp_path):
    made = Services(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(tmp_path / "none"), lang="en"))
    yield made
    made.close()


@pytest.fixture
def access(kubeconfig, practice_api, namespace):
    """Server, authority (PEM) and a token for 10 minutes of an account that looks, and renews its own token."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    subjects = [{"kind": "ServiceAccount", "name": "looker", "namespace": namespace}]

    def bind(place, kind, rules):
        practice_api.create(f"{place}/{kind.lower()}s", {"metadata": {"name": namespace}, "rules": rules})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": namespace}
        body = {"metadata": {"name": namespace}, "roleRef": role, "subjects": subjects}
        practice_api.create(f"{place}/{kind.lower()}bindings", body)

    practice_api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    practice_api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "looker"}})
    bind(rbac, "ClusterRole", RULES)
    bind(f"{rbac}/namespaces/{namespace}", "Role", [RENEW])
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/looker/token"
    _status, answer = practice_api.request("POST", path, {"spec": {"expirationSeconds": 600}})
    server = safe_yaml.load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    authority = (kubeconfig.parent / "pki" / "ca.crt").read_text()
    yield SimpleNamespace(server=server, ca=authority, token=json.loads(answer)["status"]["token"])
    for kind in ("clusterrolebindings", "clusterroles"):
        practice_api.request("DELETE", f"{rbac}/{kind}/{namespace}")


class Person:
    """Who sees what the window shows, clicks, pastes and presses keys."""

    def __init__(self, qtbot, window):
        self.qtbot, self.window = qtbot, window

    def waits(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=READY_MS)

    def clicks(self, name, within=None):
        place = within or self.window.shell

        def seen():
            return [one for one in place.findChildren(QAbstractButton, name) if one.isVisible() and one.isEnabled()]

        self.waits(seen)
        self.qtbot.mouseClick(seen()[0], Qt.MouseButton.LeftButton)

    def dialog(self, holding):
        """The dialog that shows an input called `holding`, once it is there."""

        def seen():
            dialogs = [one for one in self.window.shell.findChildren(QDialog) if one.isVisible()]
            return [one for one in dialogs if one.findChild(object, holding)]

        self.waits(seen)
        return seen()[-1]

    def pastes(self, dialog, text, name, kind=QLineEdit):
        field = dialog.findChild(kind, name)
        self.qtbot.mouseClick(field if kind is QLineEdit else field.viewport(), Qt.MouseButton.LeftButton)
        QGuiApplication.clipboard().setText(text)
        self.qtbot.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    def reads(self, place):
        """Every word that labels of `place` show, and what is read out of them."""
        labels = [one for one in place.findChildren(QLabel) if one.isVisible()]
        return {one.text() for one in labels} | {one.accessibleName() for one in labels}

    def goes_to(self, name):
        self.window.shell.show_page(name)
        return self.window.shell.page


def stages(form):
    return {one.name: one.finding for one in form.state.diagnosis.stages} if form.state.diagnosis else {}


def adds_the_cluster(person, access, services):
    """Server and token alone are tested; then the authority is pasted, tested again, and all of it kept."""
    person.clicks("add_cluster")
    dialog = person.dialog("cluster_server")
    form = dialog.presenter
    person.pastes(dialog, access.server, "cluster_server")
    person.pastes(dialog, access.token, "cluster_token")
    person.clicks("cluster_test", dialog)
    person.waits(lambda: stages(form).get("tls") is Finding.BAD)  # nobody vouches for this server yet
    person.pastes(dialog, access.ca, "cluster_ca", QPlainTextEdit)
    person.pastes(dialog, "by-hand", "cluster_name")
    person.clicks("cluster_test", dialog)
    person.waits(lambda: stages(form).get("credentials") is Finding.GOOD)
    seen = person.reads(dialog)
    assert {"Address", "Connection", "Encryption", "Credentials", "Rights"} <= seen
    assert any(words.endswith(":looker") for words in seen)
    assert not services.shelf.own()  # a test keeps nothing
    person.clicks("cluster_save", dialog)
    question = person.dialog("vault_kind_passphrase")
    person.clicks("vault_kind_passphrase", question)
    person.pastes(question, PHRASE, "vault_passphrase")
    person.pastes(question, PHRASE, "vault_again")
    person.clicks("vault_go", question)
    person.waits(lambda: bool(services.shelf.own()))


def sees_figures(person, since=0.0):
    """Real figures of the cluster, read after `since`, stand on its page."""
    page = person.goes_to("clusters")
    clusters = person.window.clusters
    person.waits(lambda: (row := clusters.state.row("by-hand")) and row.status.reach is Reach.REACHABLE)
    person.waits(lambda: page.details.state.statistics and page.details.state.statistics.read_at > since)
    found = page.details.state.statistics
    assert page.details.state.name == "by-hand" and found.nodes == 3 and found.namespaces >= 4
    assert found.pods is not None and set(found.workloads) == {"Deployment", "StatefulSet", "DaemonSet", "Job"}
    wanted = {f"Nodes: {found.nodes}", f"Namespaces: {found.namespaces}", f"Pods: {sum(found.pods.values())}"}
    person.waits(lambda: wanted <= person.reads(page))
    return found.read_at


def bearer(page):
    """The report of the cluster's token, None while it is not read."""
    found = [one for one in page.presenter.state.reports if one.credential.kind is CredentialKind.TOKEN]
    return found[0] if found else None


def sees_both_verdicts(person, page, verdict):
    person.waits(lambda: bearer(page) and bearer(page).answer.verdict is ServerVerdict.ACCEPTED)
    report = bearer(page)
    page.table.choose(report.credential.id)
    assert report.claim_verdict is verdict
    model = page.table.model()
    number = next(one for one in range(model.rowCount()) if model.index(one, 1).data() == report.credential.name)
    cells = [model.index(number, column).data() for column in range(model.columnCount())]
    assert {str(said.CLAIM[verdict].word), "Accepted", said.expires(report)} <= set(cells)
    wanted = said.local(report.credential.claims.expires_at)
    person.waits(lambda: any(wanted in words for words in person.reads(page.detail)))
    return report


def renews_for_a_quarter(person, page):
    person.clicks("renew_credential")
    dialog = person.dialog("renew_lifetime")
    person.waits(lambda: dialog.put.currentData() == "replace")
    assert dialog.fields.account.text() == "looker"
    lifetime = dialog.fields.seconds
    lifetime.setFocus()
    while lifetime.currentData() != QUARTER_S:
        before = lifetime.currentIndex()
        person.qtbot.keyClick(lifetime, Qt.Key.Key_Down)
        assert lifetime.currentIndex() > before
    person.clicks("renew_start", dialog)
    person.waits(lambda: bool(page.presenter.renewal.done or page.presenter.renewal.error))
    made = page.presenter.renewal
    assert made.error is None
    assert any(said.local(made.expires_at) in words for words in person.reads(dialog))
    person.clicks("renew_start", dialog)  # it says Close now
    return made.expires_at


def kept_token(services):
    """The token that a program started anew reads from the vault's file."""
    vault = Vault(services.directories.data / "vault.json", passphrase=lambda: PHRASE)
    (key,) = vault.keys()
    return json.loads(vault.get(key))["token"]


def reviewed(api, token):
    """What the API server says of `token`."""
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    return json.loads(api.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", kind)[1])["status"]


def test_from_nothing_to_a_renewed_token(loop, services, access, qtbot, practice_api):
    with shown_window(services, qtbot) as window:
        person = Person(qtbot, window)
        person.goes_to("clusters")
        adds_the_cluster(person, access, services)
        first = sees_figures(person)
        assert kept_token(services) == access.token
        page = person.goes_to("credentials")
        old = sees_both_verdicts(person, page, ClaimVerdict.EXPIRING)

        ends = renews_for_a_quarter(person, page)

        assert ends - old.credential.claims.expires_at > datetime.timedelta(days=89)
        person.waits(lambda: bearer(page).credential.claims.expires_at == ends)
        sees_both_verdicts(person, page, ClaimVerdict.VALID)
        new = kept_token(services)
        assert new != access.token and reviewed(practice_api, new)["user"]["username"].endswith(":looker")
        person.goes_to("clusters")
        person.clicks("statistics_again")
        assert sees_figures(person, first) > first
        written = [path.read_bytes() for path in services.directories.data.rglob("*") if path.is_file()]
        assert written and not any(token.encode() in data for data in written for token in (access.token, new))
