"""What tests of the Pipelines page share: a person's hands, which count what they do, and a few documents."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QMenu, QTabBar, QWidget

_PLAIN = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 30_000

TWO_STEPS = """\
# deploys the shop
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata:
  name: shop   # the name
spec:
  variables:
    env: dev
  steps:
    - name: build   # first
      type: shell
      command: echo built

    - name: scale
      type: k8s_scale
      k8s_cluster: dev
      k8s_namespace: fe
      k8s_resource_name: deployment/web
      k8s_config: {replicas: 2}
"""


class Hands:
    """Clicks and types in a window as a person does; `count` is the number of interactions beyond typing."""

    def __init__(self, window, qtbot) -> None:
        self.window, self.qtbot, self.count = window, qtbot, 0

    @property
    def desk(self):
        return self.window.pipelines.desk

    @property
    def state(self):
        return self.desk.state

    def find(self, name: str, kind: type = QWidget):
        found = [one for one in self.window.shell.findChildren(kind, name) if one.isVisible()]
        assert found, f"{name} is not shown"
        return found[-1]

    def shown(self, name: str) -> bool:
        return any(one.isVisible() for one in self.window.shell.findChildren(QWidget, name))

    def click(self, name: str) -> None:
        """Click a button; it must be there and may be pressed."""
        button = self.find(name, QAbstractButton)
        assert button.isEnabled(), f"{name} cannot be pressed"
        self.count += 1
        self.qtbot.mouseClick(button, LEFT)

    def tab(self, name: str, index: int) -> None:
        bar = self.find(name, QTabBar)
        self.count += 1
        self.qtbot.mouseClick(bar, LEFT, pos=bar.tabRect(index).center())

    def go(self, name: str) -> QWidget:
        """Put the keyboard into a field by a click, which is an interaction unless it is there already."""
        field = self.find(name)
        line = field.lineEdit() if isinstance(field, QComboBox) and field.isEditable() else field
        if not line.hasFocus():
            self.count += 1
            self.qtbot.mouseClick(line, LEFT)
        return line

    def type(self, name: str, text: str) -> None:
        """Replace what stands in a field by keys."""
        line = self.go(name)
        if isinstance(line, QLineEdit):
            line.selectAll()
        else:
            self.qtbot.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        for number, part in enumerate(text.split("\n")):
            if number:
                self.qtbot.keyClick(line, Qt.Key.Key_Return)
            if part.isascii():
                self.qtbot.keyClicks(line, part)
            else:  # QTest knows the keys of ASCII only; an input method sends texts
                QApplication.sendEvent(line, QKeyEvent(QKeyEvent.Type.KeyPress, 0, _PLAIN, part))

    def key(self, widget: QWidget, key, modifier=_PLAIN) -> None:
        self.count += 1
        self.qtbot.keyClick(widget, key, modifier)

    def menu(self, name: str, data: str) -> None:
        """Choose the entry of an open menu that carries `data`."""
        menu = self.find(name, QMenu)
        action = next(one for one in menu.actions() if one.data() == data)
        self.count += 1
        self.qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())

    def until(self, condition) -> None:
        self.qtbot.waitUntil(condition, timeout=WAIT_MS)

    def settle(self) -> None:
        """Wait until everything typed is in the document."""
        self.until(lambda: not self.desk.editor.busy and self.state.fresh and not self.desk._batch)

    def names(self) -> list[str]:
        return [str(step["name"]) for step in self.state.document.steps]

    def steps(self, *names: str) -> None:
        self.until(lambda: self.names() == list(names))


def opened(window, qtbot, path=None) -> Hands:
    """Show the Pipelines page, and open the file `path` where one is given."""
    hands = Hands(window, qtbot)
    qtbot.waitUntil(lambda: bool(window.frame.state.namespaces))
    window.shell.show_page("pipelines")
    hands.until(lambda: window.pipelines.state.loaded)
    if path is not None:
        window.pipelines.open_file(str(path))
        hands.until(lambda: window.pipelines.desk.state.open and window.pipelines.state.total > 0)
    return hands


def dialog_button(hands: Hands, name: str) -> None:
    """Click a button of a dialog that is open."""
    hands.until(lambda: hands.shown(name))
    hands.click(name)


def clipboard() -> str:
    return QApplication.clipboard().text()
