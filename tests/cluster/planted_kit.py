"""What the searches for planted secrets share: marked secrets, files that hold them, and the search itself."""

from __future__ import annotations

import base64
import itertools
import json
import re
import secrets
import stat
from urllib.parse import quote, quote_plus

import yaml
from PySide6.QtCore import QAbstractListModel, QAbstractTableModel, QModelIndex
from PySide6.QtGui import QAccessible, QPicture
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QLineEdit, QTabBar, QTabWidget

from ansflow_desktop.redact import forms_of

MARK = "PLANT"
BEGINNINGS = (MARK, MARK.encode().hex(), "UExBTl", "BMQU5U", "QTEFOV")  # base64 at each of three alignments


def mark(name):
    """A secret that is known again in every form: letters that URLs and base64 write differently are in it."""
    return f"{MARK}/{name}+{secrets.token_hex(12)}=&é"


def chart(folder):
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("password: ''\ncustom: ''\n")
    (folder / "templates" / "secret.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-s'}\n"
        "stringData:\n  password: {{ .Values.password | quote }}\n  custom: {{ .Values.custom | quote }}\n"
    )


def wrapper(folder, tool):
    """A program of the tool's name that notes its arguments and environment, and becomes the tool."""
    path = folder / tool.name
    path.write_text(
        f'#!/bin/sh\n{{ tr "\\0" "\\n" < /proc/$$/cmdline; env; }} >> "{folder}/started-{tool.name}"\n'
        f'exec "{tool.path}" "$@"\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def write_kubeconfig(path, clusters, people):
    contexts = {name: {"cluster": name if name in clusters else "c", "user": name} for name in people}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "practice",
        "clusters": [{"name": name, "cluster": cluster} for name, cluster in clusters.items()],
        "users": [{"name": name, "user": user} for name, user in people.items()],
        "contexts": [{"name": name, "context": {**one, "namespace": "default"}} for name, one in contexts.items()],
    }
    path.write_text(yaml.safe_dump(document))


def logins(home, plants):
    """What `docker login` and `helm registry login` leave."""
    for folder, name in ((home / ".docker", "registry"), (home / "helm" / "config" / "registry", "chartlogin")):
        folder.mkdir(parents=True)
        code = base64.b64encode(f"me:{plants[name]}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {f"{name}.invalid": {"auth": code}}}))


class Search:
    """Counts outputs and remembers which of them holds a secret, or the beginning of one: a list shows no more."""

    def __init__(self, plants):
        self.count = 0
        self.found: list[str] = []
        self._forms = {form.encode(): "a beginning" for form in BEGINNINGS}
        for name, secret in plants.items():
            forms = forms_of(secret) | {quote(secret, safe=""), quote_plus(secret), secret.encode().hex()}
            for form in (*forms, base64.b64encode(secret.encode()).decode(), secret.strip()[:40]):
                self._forms[form.encode()] = name

    def look(self, where, data):
        """Search one output."""
        self.count += 1
        data = data.encode("utf-8", "replace") if isinstance(data, str) else data
        self.found += [f"{name} in {where}" for form, name in self._forms.items() if form in data]

    def lines(self, where, text):
        """Search a text line by line, and as a whole: a secret may be broken over lines."""
        for line in text.splitlines():
            self.look(where, line)
            for inside in texts_in(line):
                self.look(where, inside)
        self.look(where, text)


def texts_in(line):
    """The lines of every text in a line of JSON: an event holds many lines of output, written with escapes."""
    try:
        pending = [json.loads(line)]
    except ValueError:
        return
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str):
            yield from value.splitlines()


class Eyes:
    """Everything of the window that a person or a screen reader could get; each different text counts once."""

    def __init__(self, search, qtbot):
        self.search, self.qtbot = search, qtbot
        self._seen = set()
        self._paused = False
        QApplication.clipboard().dataChanged.connect(self._on_clipboard)

    def _on_clipboard(self):
        if not self._paused:
            self.take("the clipboard", QApplication.clipboard().text())

    def take(self, where, text):
        """Search a text, if it is another one than all before."""
        if text and text not in self._seen:
            self._seen.add(text)
            self.search.look(where, text)

    def pause(self, work):
        """Do `work` while nobody looks: the person copies a secret from another program."""
        self._paused = True
        work()
        self._paused = False

    def look(self, where, typed=()):
        """Look at every widget there is, shown or not: its texts, its model, its accessibility, what it paints.

        A password field holds nothing but what a person types, those of `typed`.
        """
        models = set()
        for widget in QApplication.allWidgets():
            name = f"{where}: {type(widget).__name__} {widget.objectName()}"
            if isinstance(widget, QLineEdit) and widget.echoMode() is QLineEdit.EchoMode.Password:
                assert widget in typed or not widget.text(), f"{name} holds what nobody typed"
            self._take_all(name, texts_of(widget))
            model = widget.model() if isinstance(widget, QAbstractItemView | QComboBox) else None
            if model is not None and model not in models:
                models.add(model)
                self._take_all(f"{name}, its model", data_of(model))
        for window in QApplication.topLevelWidgets():
            if window.isVisible():
                self._take_all(f"{where}, painted in {type(window).__name__}", painted(window))
                said = spoken(QAccessible.queryAccessibleInterface(window))
                self._take_all(f"{where}, as a screen reader says it", said)

    def _take_all(self, where, texts):
        for text in texts:
            self.take(where, text)


def painted(widget):
    """The texts that a widget and its children paint now: a QPicture keeps each string that is drawn, as UTF-16."""
    picture = QPicture()
    widget.render(picture)
    letters = bytes(picture.data()).replace(b"\0", b"").decode("latin-1")
    return re.findall(r"[ -~\xa0-\xff]{4,}", letters)


def texts_of(widget):
    """Every text among a widget's properties: what is shown, its tips, its names for a screen reader, its title."""
    hidden = isinstance(widget, QLineEdit) and widget.echoMode() is not QLineEdit.EchoMode.Normal
    for name in _text_properties(type(widget), widget.metaObject()):
        if not (hidden and name in ("text", "selectedText")):
            yield str(widget.property(name) or "")
    for action in widget.actions():
        yield from (action.text(), action.toolTip(), action.statusTip(), action.whatsThis())
    if isinstance(widget, QTabBar | QTabWidget):
        yield from (widget.tabText(number) + widget.tabToolTip(number) for number in range(widget.count()))


def _text_properties(kind, about):
    if kind not in _KNOWN:
        all_of_it = [about.property(number) for number in range(about.propertyCount())]
        texts = [one.name() for one in all_of_it if one.typeName() in ("QString", "QStringList", "QVariant")]
        _KNOWN[kind] = [name for name in texts if name not in ("objectName", "styleSheet", "html")]
    return _KNOWN[kind]


_KNOWN: dict[type, list[str]] = {}


def data_of(model, parent=None):
    """What a model says in any role; of other things than texts, what a log would say of them."""
    parent = parent or QModelIndex()
    flat = isinstance(model, QAbstractListModel | QAbstractTableModel)
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
    for row, column in itertools.product(range(model.rowCount(parent)), range(columns)):
        index = model.index(row, column, parent)
        for role in (*range(15), *range(256, 264)):
            value = model.data(index, role)
            if value is not None:
                yield value if isinstance(value, str) else repr(value)
        if column == 0 and not flat:
            yield from data_of(model, index)


def spoken(interface):
    """What a screen reader is told of a part of the window and of all parts in it."""
    if interface is None or not interface.isValid():
        return
    kinds = QAccessible.Text
    for kind in (kinds.Name, kinds.Description, kinds.Value, kinds.Help, kinds.Accelerator):
        yield interface.text(kind)
    for number in range(min(interface.childCount(), 300)):
        yield from spoken(interface.child(number))
