"""Marked secrets are planted everywhere, the real window is driven over all its pages, and all it says is searched.

An output is a text that a person or a screen reader could get: of a widget (tips, names, titles), of a model in any
role, one that is painted, copied, told to the desktop, or written to a file. A picture of the window says what is
painted; as a file its bytes are searched. What a person types into an editor of their own document stands there in
plain: the pipeline below holds its secrets in files and in what a step makes.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3

import pytest
import yaml
from planted_kit import MARK, Eyes, Search, chart, logins, mark, wrapper, write_kubeconfig
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, shown_window

from ansflow_desktop.commands import crash
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster, Reach
from ansflow_desktop.widgets import desktop, pictures

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left"]

READY_MS = 60_000
LEAST = 2000


@pytest.fixture
def plants():
    odd = ("values", "manifest", "made", "passphrase", "registry", "chartlogin", "refresh", "password")
    plain = ("filetoken", "opaque", "execenv", "execarg", "execsaid", "ownenv", "ownarg", "proxy", "idtoken", "drafted")
    found = {name: mark(name) for name in odd}
    return found | {name: f"{MARK}-{name}-{secrets.token_hex(12)}" for name in plain}


@pytest.fixture
def place(tmp_path, kubeconfig, plants, kubectl, helm4, namespace, isolated_home):
    """A person's files with a secret in each, and wrappers that record what helm and kubectl are started with."""
    admin = yaml.safe_load(kubeconfig.read_text())
    server, token = admin["clusters"][0]["cluster"], admin["users"][0]["user"]["token"]
    plants["admin"] = token
    (tmp_path / "token").write_text(plants["filetoken"])
    (tmp_path / "made").write_text(plants["made"])
    said = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": plants["execsaid"]},
    }
    (tmp_path / "plugin").write_text(f"#!/bin/sh\necho \"$APP_SECRET $1\" >&2\necho '{json.dumps(said)}'\n")
    (tmp_path / "plugin").chmod(0o755)
    clusters = {"c": server, "proxied": {**server, "proxy-url": f"http://me:{plants['proxy']}@127.0.0.1:9"}}
    write_kubeconfig(tmp_path / "kubeconfig", clusters, users(tmp_path, plants, token))
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"password": plants["values"]}))
    chart(tmp_path / "chart")
    (tmp_path / "chart" / "templates" / "NOTES.txt").write_text("Log in with {{ .Values.password }}\n")
    (tmp_path / "secret.yaml").write_text(manifest(plants["manifest"]))
    (tmp_path / "pipeline.yaml").write_text(pipeline(namespace))
    logins(isolated_home, plants)
    for tool in (helm4, kubectl):
        wrapper(tmp_path, tool)
    return tmp_path


def users(folder, plants, token):
    run = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(folder / "plugin"),
        "args": [f"--client-secret={plants['execarg']}"],
        "env": [{"name": "APP_SECRET", "value": plants["execenv"]}],
        "interactiveMode": "Never",
    }
    unsigned = base64.urlsafe_b64encode(b'{"sub":"somebody","exp":4000000000}').decode().rstrip("=")
    oidc = {"refresh-token": plants["refresh"], "id-token": f"e30.{unsigned}.{plants['idtoken']}"}
    return {
        "practice": {"token": token},
        "file": {"tokenFile": str(folder / "token")},
        "opaque": {"token": plants["opaque"]},
        "basic": {"username": "me", "password": plants["password"]},
        "plugin": {"exec": run},
        "oidc": {"auth-provider": {"name": "oidc", "config": oidc}},
        "proxied": {"token": token},
    }


def manifest(secret):
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "stringData": {"password": secret}}
    )


def pipeline(namespace):
    """A step that makes a secret out of a file, one that shouts it, a chart, a Secret, and a step that fails."""
    here = {"k8s_cluster": "practice", "k8s_namespace": namespace}
    helm = {"deploy_type": "helm", "chart_path": "chart", "release_name": "planted", "values_files": ["values.yaml"]}
    steps = [
        {"name": "make", "type": "shell", "command": "export APP_PASSWORD=$(cat made)"},
        {"name": "shout", "type": "shell", "command": 'echo "$APP_PASSWORD $(printf %s "$APP_PASSWORD" | base64 -w0)"'},
        {"name": "chart", "type": "k8s_deploy", **here, "k8s_config": {**helm, "timeout": "60s"}},
        {
            "name": "secret",
            "type": "k8s_deploy",
            **here,
            "k8s_config": {"deploy_type": "manifest", "manifest_files": ["secret.yaml"]},
        },
        {"name": "fails", "type": "shell", "command": 'echo "$APP_PASSWORD" >&2; exit 3'},
    ]
    head = {"apiVersion": "ansflow.dev/v1", "kind": "Pipeline", "metadata": {"name": "planted"}}
    return yaml.safe_dump({**head, "spec": {"steps": steps}}, sort_keys=False)


@pytest.fixture
def services(place, plants, access_of_own):
    options = Options(
        data_dir=str(place / "data"),
        kubeconfig=str(place / "kubeconfig"),
        helm=str(place / "helm"),
        kubectl=str(place / "kubectl"),
        lang="en",
        log_level="debug",
    )
    made = Services(options)
    made.start_log()
    made.vault.create("passphrase", plants["passphrase"])
    for cluster, secret in access_of_own:
        made.cluster_book.add(cluster, secret, ClusterMarks())
    yield made
    made.close()


@pytest.fixture
def access_of_own(place, plants):
    """Clusters added by hand: one for each way to sign in."""
    server = yaml.safe_load((place / "kubeconfig").read_text())["clusters"][0]["cluster"]
    ca = base64.b64decode(server["certificate-authority-data"]).decode()
    plants["key"] = base64.b64encode(secrets.token_bytes(90)).decode()
    key = f"-----BEGIN PRIVATE KEY-----\n{plants['key']}\n-----END PRIVATE KEY-----\n"
    plugin = make_plugin(
        str(place / "plugin"), (f"--token={plants['ownarg']}",), (("APP_SECRET", plants["ownenv"]), ("MODE", "x"))
    )
    common = {"server": server["server"], "ca": ca}
    return (
        (OwnCluster(id="a" * 16, name="own", **common), ClusterSecret(token=plants["admin"])),
        (
            OwnCluster(id="b" * 16, name="own-pair", auth="certificate", **common),
            ClusterSecret(certificate=ca, key=key),
        ),
        (OwnCluster(id="c" * 16, name="own-exec", auth="exec", exec_plugin=plugin, **common), None),
    )


class Person:
    """Clicks through the window; looks at all of it after each thing done."""

    def __init__(self, window, qtbot, eyes):
        self.window, self.qtbot, self.eyes = window, qtbot, eyes

    def until(self, condition):
        self.qtbot.waitUntil(condition, timeout=READY_MS)

    def shown(self, name, kind=QAbstractButton):
        return [
            one
            for one in QApplication.allWidgets()
            if isinstance(one, kind) and one.objectName() == name and one.isVisible()
        ]

    def click(self, name):
        self.until(lambda: any(one.isEnabled() for one in self.shown(name)))
        self.qtbot.mouseClick(next(one for one in self.shown(name) if one.isEnabled()), Qt.MouseButton.LeftButton)

    def page(self, name):
        self.window.shell.show_page(name)
        return self.window.shell.page

    def look(self, where):
        self.eyes.look(where)

    def tabs(self, name, where):
        """Show each tab and look."""
        for bar in self.shown(name, QTabBar):
            for number in range(bar.count()):
                if bar.isTabEnabled(number):
                    bar.setCurrentIndex(number)
                    QApplication.processEvents()
                    self.look(f"{where}, {bar.tabText(number)}")
            bar.setCurrentIndex(0)

    def dialog(self):
        """The dialog on top."""
        self.until(lambda: isinstance(QApplication.activeModalWidget(), QDialog))
        return QApplication.activeModalWidget()

    def close(self, dialog):
        dialog.done(0)
        self.until(lambda: QApplication.activeModalWidget() is not dialog)


def test_no_planted_secret_is_in_the_window(loop, services, place, plants, qtbot, monkeypatch, namespace):
    search = Search(plants)
    eyes = Eyes(search, qtbot)
    monkeypatch.setattr(
        desktop.Notifier, "tell", lambda _self, *words: eyes.take("told", " ".join(map(translate, words)))
    )
    with shown_window(services, qtbot, cluster="practice") as window:
        person = Person(window, qtbot, eyes)
        person.until(lambda: window.frame.state.row.status.reach is Reach.REACHABLE)
        for visit in (deploy, pipelines, drafts, releases, clusters, credentials, templates, settings):
            visit(person, place, plants, namespace)
        for name in ("deploy", "clusters", "credentials"):
            person.page(name)
            search.look("a picture", pictures.save(window.shell, place / f"{name}.png", 1).read_bytes())
    written(place, search)
    assert not search.found, "\n".join(dict.fromkeys(search.found))
    assert search.count >= LEAST, search.count


def deploy(person, place, plants, namespace):
    window = person.window
    person.page("deploy")
    window.deploy.choose_chart(str(place / "chart"))
    window.deploy.choose_namespace(namespace)
    window.deploy.add_values_file(str(place / "values.yaml"))
    person.until(lambda: "kind: Secret" in window.deploy.state.preview.text)
    person.look("deploy, planned")
    person.click("copy_command")
    with person.qtbot.waitSignal(window.deploy.finished, timeout=READY_MS):
        person.click("deploy")
    assert window.deploy.state.run.verdict.release.revision == 1
    person.look("deploy, run")


def pipelines(person, place, plants, namespace):
    window = person.window
    person.page("pipelines")
    person.until(lambda: window.pipelines.state.loaded)
    window.pipelines.open_file(str(place / "pipeline.yaml"))
    desk = window.pipelines.desk
    person.until(lambda: desk.state.open and desk.can_run)
    for number in (1, 2, 3):
        desk.editor.select(number)
        person.until(lambda number=number: desk.state.selected == number)
        person.tabs("preview_tabs", f"step {number}")
        for name in ("copy_commands", "copy_command_1"):
            if person.shown(name):
                person.click(name)
    with person.qtbot.waitSignal(desk.run_finished, timeout=READY_MS):
        person.click("pipeline_run")
    assert [step.phase.value for step in desk.run.view.steps][-2:] == ["Succeeded", "Failed"]
    person.look("pipeline, run")


def drafts(person, place, plants, namespace):
    """A secret typed into a step's environment stands in the person's own document and its private draft only."""
    desk = person.window.pipelines.desk
    made = yaml.safe_load(desk.editor.state.text)
    made["spec"]["steps"][1]["env"] = {"APP_PASSWORD": plants["drafted"]}
    desk.editor.replace_text(yaml.safe_dump(made, sort_keys=False))
    desk.editor.select(1)
    person.until(lambda: any((place / "data" / "drafts").glob("*.json")) and bool(desk.preview.state.commands.commands))
    person.eyes.take("the preview of a draft", desk.preview.state.commands.copy_text)
    desk.editor.leave()
    person.window.pipelines.open_file(str(place / "pipeline.yaml"))
    person.until(lambda: desk.state.open and desk.state.draft is not None)
    desk.editor.select(1)
    person.until(lambda: desk.state.selected == 1 and not person.shown("field_env_0_1", QLineEdit))
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    person.look("pipelines, a draft is offered")


def releases(person, place, plants, namespace):
    page = person.page("releases")
    person.until(lambda: any(row.namespace == namespace for row in person.window.releases.state.rows))
    for number in range(page.findChild(QWidget, "releases_table").model().rowCount()):
        page.findChild(QWidget, "releases_table").selectRow(number)
    QApplication.processEvents()
    person.look("releases")


def clusters(person, place, plants, namespace):
    page = person.page("clusters")
    names = ("practice", "file", "opaque", "basic", "plugin", "oidc", "proxied", "own", "own-pair", "own-exec")
    for name in names:
        page.table.choose(name)
        person.until(lambda name=name: page.details.state.name == name)
        if page.details.state.row.status.reach is Reach.APPROVAL_NEEDED:
            person.click("check_cluster")
            person.dialog()
            person.look(f"approval of {name}")
            person.click("approval_approve")
            person.until(lambda: page.details.state.row.status.reach is not Reach.APPROVAL_NEEDED)
        page.details.test(name)
        person.until(lambda: ended(page.details.state))
        person.look(f"cluster {name}")
        page.edit()
        person.look(f"edit {name}")
        if name == "own":
            person.click("cluster_test")
            presenter = person.dialog().presenter
            person.until(lambda presenter=presenter: presenter.state.diagnosis is not None)
            person.look(f"test {name} while it is edited")
        person.close(person.dialog())
    for name in ("opaque", "plugin"):
        pasted(person, place, name)
    person.click("practice_new")
    person.look("a new practice cluster")
    person.close(person.dialog())
    resources(person, page, namespace)


def pasted(person, place, name):
    """Paste the kubeconfig into the dialog of a new cluster, by its buttons, and take one context of it."""
    person.click("add_cluster")
    dialog = person.dialog()
    person.click("cluster_paste")
    text = (place / "kubeconfig").read_text()
    person.eyes.pause(lambda: QApplication.clipboard().setText(text))
    person.click("kubeconfig_text_paste")
    person.until(lambda: any(one.isEnabled() for one in person.shown("kubeconfig_take")))
    person.look("a pasted kubeconfig")
    box = person.shown("kubeconfig_context", QComboBox)[0]
    assert {box.itemText(number) for number in range(box.count())} == {"practice", "file", "opaque", "plugin"}
    box.setCurrentText(name)
    person.click("kubeconfig_take")
    person.until(lambda: person.dialog() is dialog)
    person.until(lambda: bool(person.shown("cluster_server", QLineEdit)))
    tokens = () if name == "plugin" else dialog.findChildren(QLineEdit, "cluster_token")
    person.eyes.look(f"{name}, taken from a pasted kubeconfig", typed=tokens)
    person.eyes.pause(QApplication.clipboard().clear)
    person.close(dialog)


def ended(state):
    """The connection test ended, with what it found or with an error."""
    return not state.testing and (state.diagnosis is not None or state.error is not None)


def resources(person, page, namespace):
    page.table.choose("practice")
    person.until(lambda: page.details.state.name == "practice")
    bar = page.findChild(QTabBar, "clusters_tabs")
    bar.setCurrentIndex(1)
    presenter = person.window.clusters_desk._resources
    person.until(lambda: bool(presenter.state.kinds))
    box = page.findChild(QWidget, "resource_kind")
    for number in range(box.count()):
        if "secret" in box.itemText(number).lower():
            box.setCurrentIndex(number)
            box.activated.emit(number)
    presenter.choose_namespace(namespace)
    person.until(lambda: page.findChild(QWidget, "resources_table").model().rowCount() > 0)
    person.look("resources")
    bar.setCurrentIndex(0)


def credentials(person, place, plants, namespace):
    page = person.page("credentials")
    person.until(lambda: bool(page.presenter.state.asked_at) and not page.presenter.state.asking)
    names = {report.credential.name for report in page.presenter.state.reports}
    assert any("registry.invalid" in name for name in names) and any("chartlogin" in name for name in names), names
    for report in page.presenter.state.reports:
        page.table.choose(report.credential.id)
        QApplication.processEvents()
        person.look(f"credential {report.credential.name}")
        shown = (
            {"renew_credential", "automate_credential"} if report.credential.name.startswith(("own", "opaque")) else ()
        )
        for name in shown:
            if any(one.isEnabled() for one in person.shown(name)):
                person.click(name)
                dialog = person.dialog()
                person.qtbot.wait(1)
                person.look(f"{name} of {report.credential.name}")
                person.close(dialog)
    person.click("reminders")
    person.look("reminders")
    person.close(person.dialog())


def templates(person, place, plants, namespace):
    person.page("templates")
    person.until(lambda: person.window.templates.state.loaded)
    person.look("templates")


def settings(person, place, plants, namespace):
    window = person.window
    window.shell.settings_asked.emit()
    dialog = person.dialog()
    person.until(lambda: any(one.isEnabled() for one in person.shown("vault_export_asked")))
    person.look("settings")
    for name in ("vault_change_asked", "vault_export_asked", "vault_import_asked"):
        person.click(name)
        person.look(name)
        person.close(person.dialog())
    person.click("vault_lock")
    person.until(lambda: window.vault.presenter.state.locked)
    person.click("vault_lock")
    unlock(person, plants)
    person.close(dialog)
    window.shell.shortcuts_asked.emit()
    person.look("shortcuts")
    person.close(person.dialog())


def unlock(person, plants):
    """Type the passphrase, wrong first; what is typed stands in its own field only, as dots."""
    for text in (plants["passphrase"] + "x", plants["passphrase"]):
        line = person.shown("vault_passphrase", QLineEdit)[0]
        line.setText(text)
        person.eyes.look("unlock, typed", typed=(line,))
        person.click("vault_go")
        person.until(lambda: bool(not person.shown("vault_go") or person.shown("vault_problems", QWidget)))


def written(place, search):
    """Everything that was written: the data directory, the journal row by row, what the programs were started with."""
    for name in ("helm", "kubectl"):
        search.lines(f"arguments of {name}", (place / f"started-{name}").read_text())
    try:
        raise RuntimeError(f"--set password={(place / 'made').read_text()}")
    except RuntimeError as error:
        search.look("crash", str(crash.report(["deploy", "--set", f"password={(place / 'made').read_text()}"], error)))
    for file in (place / "data").rglob("*"):
        if file.is_file() and file.parent.name == "drafts":  # the person's own document, as it was typed
            assert file.stat().st_mode & 0o077 == 0
        elif file.is_file():
            search.look(str(file.relative_to(place)), file.read_bytes())
    with sqlite3.connect(place / "data" / "ansflow.db") as database:
        for table in ("runs", "events", "library"):
            for row in database.execute(f"SELECT * FROM {table}"):
                search.lines(f"a row of {table}", json.dumps(row, ensure_ascii=False))


def test_the_eyes_see_whatever_a_widget_says(loop, plants, qtbot):
    def shown(made, show):
        holder = QWidget()
        qtbot.addWidget(holder)
        made.setParent(holder)
        made.resize(400, 60)
        show(made)
        holder.show()
        return holder

    shows = {
        "a label": lambda text: shown(QLabel(), lambda one: one.setText(text)),
        "a tip": lambda text: shown(QLabel(), lambda one: one.setToolTip(text)),
        "a name": lambda text: shown(QLabel(), lambda one: one.setAccessibleName(text)),
        "a cell": lambda text: shown(QTableWidget(1, 1), lambda one: one.setItem(0, 0, QTableWidgetItem(text))),
        "a choice": lambda text: shown(QComboBox(), lambda one: one.addItem("x", text)),
        "a painted text": lambda text: shown(Painter(text), lambda one: None),
    }
    for what, show in shows.items():
        search = Search(plants)
        eyes = Eyes(search, qtbot)
        holder = show(plants["opaque"])
        eyes.look("here")
        assert any(found.startswith("opaque") for found in search.found), what
        holder.close()
        holder.deleteLater()
        QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete


class Painter(QWidget):
    """Says its text to nobody, but paints it."""

    def __init__(self, text):
        super().__init__()
        self._hidden = text

    def paintEvent(self, _event):
        QPainter(self).drawText(5, 20, self._hidden)
