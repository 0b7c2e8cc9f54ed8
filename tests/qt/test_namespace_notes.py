"""What is said of a namespace that is in no list, how old the names are, and how they are read again."""

from __future__ import annotations

import time

import pytest
from PySide6.QtWidgets import QComboBox, QToolButton
from window_kit import FakeReads, shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.presenters import namespaces
from ansflow_desktop.presenters.completions import Completions
from ansflow_desktop.presenters.step_form import StepFormPresenter

STEP = {"name": "scale", "type": "k8s_scale", "k8s_cluster": "dev", "k8s_namespace": "prod"}
KEY = ("namespaces", "dev")


class Told(FakeReads):
    """A cluster whose namespaces are `found`; an error is raised."""

    def __init__(self, found) -> None:
        super().__init__()
        self.found = found
        self.reads = 0

    async def namespaces(self, cache, cluster, document, candidates):
        self.reads += 1
        if isinstance(self.found, UserError):
            raise self.found
        return self.found


def listed(*, age: float = 0, complete: bool = True, message: str = "") -> NamespaceList:
    """Names as they were read `age` seconds ago."""
    return NamespaceList(names=("default", "fe"), read_at=time.time() - age, complete=complete, message=message)


WHOLE = listed()
PARTS = {
    "forbidden": listed(complete=False, message="May not be listed."),
    "unreachable": listed(age=90_000, message="The cluster cannot be asked now."),
    "old": listed(age=3600),
}


@pytest.mark.parametrize("found", PARTS.values(), ids=PARTS)
def test_only_a_whole_list_says_that_a_namespace_does_not_exist(loop, services, qtbot, found):
    reads = Told(WHOLE)
    form = StepFormPresenter(services, reads)
    form.show(STEP)
    form.wanted(("k8s_namespace",))
    qtbot.waitUntil(lambda: bool(str(form.state.field(("k8s_namespace",)).note)))
    assert str(form.state.field(("k8s_namespace",)).note) == "There is no namespace prod in dev yet."
    reads.found = found
    form.wanted_again(("k8s_namespace",))
    qtbot.waitUntil(lambda: "not known whether" in str(form.state.field(("k8s_namespace",)).note))


def test_a_failed_read_keeps_names_and_age_and_says_why(loop, services, qtbot):
    reads = Told(listed(age=200))
    completions = Completions(services, reads)
    completions.ask(KEY)
    qtbot.waitUntil(lambda: completions.answer(KEY).names == ("default", "fe"))
    before = completions.answer(KEY)
    reads.found = UserError("dev refused the credentials")
    completions.ask_again(KEY)
    qtbot.waitUntil(lambda: bool(completions.answer(KEY).error))
    after = completions.answer(KEY)
    assert (after.names, after.at, after.complete) == (before.names, before.at, False)
    assert "dev refused the credentials" in str(after.note)
    assert "3 min ago" in str(after.note)


def test_the_deploy_form_says_the_age_and_reads_again(loop, services, qtbot):
    reads = Told(PARTS["unreachable"])
    with shown_window(services, qtbot, cluster="dev", reads=reads) as window:
        box = window.shell.findChild(QComboBox, "deploy_namespace")
        note = window.shell.page.form._new_namespace
        qtbot.waitUntil(lambda: "The cluster cannot be asked now." in box.toolTip())
        assert "25 h ago" in box.toolTip()
        box.setEditText("fe")
        qtbot.waitUntil(lambda: note.text() == "Namespaces read 25 h ago; the tool tip says more.")
        box.setEditText("prod")
        qtbot.waitUntil(lambda: "not known whether namespace prod exists" in note.text())
        reads.found, count = listed(), reads.reads
        window.shell.findChild(QToolButton, "deploy_namespaces_again").click()
        qtbot.waitUntil(lambda: note.text() == "prod does not exist yet and will be created.")
        assert reads.reads == count + 1
        assert "just now" in box.toolTip()


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "just now"), (200, "3 min ago"), (7300, "2 h ago"), (3 * 86400, "3 days ago")]
)
def test_an_age_in_words(seconds, words):
    assert str(namespaces.age(time.time() - seconds)) == words
