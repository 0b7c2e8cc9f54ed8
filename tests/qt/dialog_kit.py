"""The dialog that is open now, and presses of its buttons."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton


def opened(qtbot, kind):
    """Return the dialog of `kind`, once it is the one that takes what is typed."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), kind))
    return QApplication.activeModalWidget()


def press(qtbot, dialog, name):
    """Press the button called `name`, once it can be."""
    found = dialog.findChild(QPushButton, name)
    qtbot.waitUntil(found.isEnabled)
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)
