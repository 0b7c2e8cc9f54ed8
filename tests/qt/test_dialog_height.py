"""A dialog is as high as its words: what is said later is not cut, and what goes leaves no hole."""

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from ansflow_desktop.models.problem import Problem
from ansflow_desktop.widgets.controls import button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Problems

LONG = "The passphrase of this file is another one than that of the vault on this machine. " * 4


@pytest.fixture
def dialog(loop, qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    made = Dialog(parent, "A title")
    made.setMinimumWidth(300)
    made.body.addWidget(label(LONG, "context", wrap=True))
    made.problems = Problems()
    made.body.addWidget(made.problems)
    made.body.addLayout(row(1, button("Cancel")))
    made.show()
    yield made
    made.close()


def cut(dialog):
    """Return the texts that are shown in part only."""
    found = [one for one in dialog.findChildren(QLabel) if one.isVisible() and one.wordWrap()]
    return [one.text() for one in found if one.height() < one.heightForWidth(one.width())]


def test_words_that_come_later_are_not_cut_and_leave_no_hole_when_they_go(dialog, qtbot):
    assert not cut(dialog)
    before = dialog.height()
    dialog.problems.show_problems((Problem(field="", title=LONG, message=LONG, hint=LONG),))
    qtbot.waitUntil(lambda: dialog.height() > before + 100)
    assert not cut(dialog)
    dialog.problems.show_problems(())
    qtbot.waitUntil(lambda: dialog.height() == before)


def test_a_wider_word_makes_the_dialog_wider(dialog, qtbot):
    dialog.body.addLayout(row(button("A button that is much wider than the dialog was made for, whatever it says")))
    qtbot.waitUntil(lambda: dialog.width() >= dialog.body.totalMinimumSize().width() > 400)
