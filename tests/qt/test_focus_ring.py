"""Who works with the keyboard sees where it is in a table, a tree and a list."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLineEdit, QListWidget, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ansflow_desktop.kube.tables import row_of
from ansflow_desktop.models.resource_table import TableColumn
from ansflow_desktop.presenters.resource_rows import shown_columns
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.focus_ring import Ringed
from ansflow_desktop.widgets.resource_table import ResourceModel, ResourceTable
from ansflow_desktop.widgets.table import Column, RowsModel, Table

NAMES = ("api", "blog", "shop")


def table():
    model = RowsModel((Column(title="Name", text=str), Column(title="Length", text=lambda one: str(len(one)))), str)
    model.set_rows(NAMES)
    return Table(model, "Names")


def objects():
    model = ResourceModel()
    made = ResourceTable(model, "Objects")
    rows = [row_of("", name, (name,), 0) for name in NAMES]
    model.show(shown_columns((TableColumn(name="Name"),), namespaces=False), rows)
    return made


class Items(Ringed, QListWidget):
    """A list with a ring."""


class Tree(Ringed, QTreeWidget):
    """A tree with a ring."""


def items():
    made = Items()
    made.addItems(NAMES)
    return made


def tree():
    made = Tree()
    made.addTopLevelItems([QTreeWidgetItem([name]) for name in NAMES])
    return made


def ringed(view) -> list[int]:
    """Return the rows that have a line in the accent's colour at the far end of their upper edge."""
    picture = view.viewport().grab().toImage()
    model, accent = view.model(), QColor(theme.colour("accent")).rgb()
    tops = [view.visualRect(model.index(row, 0)).top() for row in range(model.rowCount())]
    scale = picture.width() / view.viewport().width()
    far = picture.width() - round(40 * scale)
    return [row for row, top in enumerate(tops) if picture.pixelColor(far, round(top * scale)).rgb() == accent]


@pytest.mark.parametrize("make", [table, objects, items, tree])
def test_the_row_that_has_the_keyboard_wears_a_ring(loop, qtbot, make):
    window, line, view = QWidget(), QLineEdit(), make()
    layout = QVBoxLayout(window)
    layout.addWidget(line)
    layout.addWidget(view)
    window.resize(500, 400)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    line.setFocus()
    assert ringed(view) == []
    qtbot.keyClick(line, Qt.Key.Key_Tab)
    assert view.hasFocus() and ringed(view) == [0]
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert ringed(view) == [1]
    line.setFocus()
    assert ringed(view) == []
