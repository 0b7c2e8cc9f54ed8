"""A step's form on its own: a document that takes its edits, clusters that answer as told, and pictures of it.

`ANSFLOW_PICTURES=/some/folder pytest tests/qt/test_step_form.py -k picture` leaves the pictures there.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.completions import NameReads
from ansflow_desktop.presenters.step_form import StepFormPresenter
from ansflow_desktop.widgets import pictures
from ansflow_desktop.widgets.step_form import StepForm

MODES = {"helm": {"deploy_type": "helm"}, "manifest": {"deploy_type": "manifest"}}


class FakeNames(NameReads):
    """Objects and containers as told."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []
        self.error: UserError | None = None

    async def resources(self, document, namespace, kinds):
        self.asked.append((namespace, kinds))
        if self.error:
            raise self.error
        return ["deployment/web", "deployment/web-app", "statefulset/db"]

    async def containers(self, document, namespace, resource, selector):
        self.asked.append((namespace, resource, selector))
        return ["app", "sidecar"]


class Document:
    """A plain step that takes the form's edits and is shown again, as the editor does it."""

    def __init__(self, presenter: StepFormPresenter, step: dict, folder: str = "") -> None:
        self.presenter, self.step, self.folder = presenter, step, folder
        self.edits: list[tuple] = []
        self.problems: tuple = ()
        self.echo = True
        presenter.edited.connect(self.on_edited)

    def on_edited(self, path, value) -> None:
        self.edits.append((path, value))
        apply_edit(self.step, path, value)
        if self.echo:
            self.show()

    def show(self) -> None:
        self.presenter.show(copy.deepcopy(self.step), self.problems, self.folder)


def apply_edit(step: dict, path: tuple, value) -> None:
    """Set or remove a field of a plain step."""
    holder = step
    for part in path[:-1]:
        holder = holder.setdefault(part, {})
    if value is None:
        holder.pop(path[-1], None)
    else:
        holder[path[-1]] = value


class Shown:
    """A form in a window of its own."""

    def __init__(self, services, reads, qtbot, step, folder="", size=(460, 900), *, real_names=False) -> None:
        self.names = NameReads() if real_names else FakeNames()
        self.presenter = StepFormPresenter(services, reads, self.names)
        self.document = Document(self.presenter, step, folder)
        self.form = StepForm(self.presenter)
        self.qtbot = qtbot
        self.document.show()
        self.form.resize(*size)
        self.form.show()
        self.form.activateWindow()
        qtbot.waitUntil(self.form.isActiveWindow)

    def find(self, name: str, kind: type[QWidget] = QWidget):
        found = [part for part in self.form.findChildren(kind, name) if part.isVisibleTo(self.form)]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def text(self, name: str) -> str:
        part = self.find(name)
        if isinstance(part, QLineEdit):
            return part.text()
        assert isinstance(part, QPlainTextEdit)
        return part.toPlainText()

    def close(self) -> None:
        window_loop.run_here(self.presenter.close())
        self.form.close()
        self.form.deleteLater()
        QApplication.sendPostedEvents(None, 52)


def picture(widget: QWidget, name: str, ratio: float = 1) -> Path | None:
    """Write `widget` as PNG where ANSFLOW_PICTURES names a folder; return the path."""
    folder = os.environ.get("ANSFLOW_PICTURES")
    return pictures.save(widget, Path(folder) / f"{name}.png", ratio) if folder else None
