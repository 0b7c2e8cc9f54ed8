"""What the window shows, looked at: its visible parts, and what of them is cut off."""

from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from ansflow_desktop.widgets.controls import Chip, ElidedLabel


def parts(window, kind=QWidget):
    """Return the visible widgets of `kind`."""
    return [part for part in window.shell.findChildren(kind) if part.isVisible()]


def settled(window, qtbot):
    """Wait until the chosen cluster and its namespaces are known."""
    qtbot.waitUntil(lambda: window.frame.state.row is not None and bool(window.frame.state.namespaces))


def cut_off(window) -> list[str]:
    """Say which labels, buttons and chips of the window have less room than their words need."""
    found = []
    for part in parts(window, QLabel):
        if isinstance(part, ElidedLabel) or not part.text() or part.objectName() == "toast":
            continue
        if part.wordWrap():
            if part.height() + 1 < part.heightForWidth(part.width()):
                found.append(f"label {part.text()!r} is {part.height()} high")
        elif part.width() < part.fontMetrics().horizontalAdvance(part.text()):
            found.append(f"label {part.text()!r} is {part.width()} wide")
    for part in [*parts(window, QAbstractButton), *parts(window, Chip)]:
        if isinstance(part, QAbstractButton) and not part.text():
            continue
        if 0 < part.visibleRegion().boundingRect().width() < part.width():
            found.append(f"{type(part).__name__} {part.accessibleName()!r} goes beyond its column")
        if part.width() + 1 < part.sizeHint().width():
            text = part.text() if isinstance(part, QAbstractButton) else part.text
            found.append(f"{type(part).__name__} {text!r} is {part.width()} wide, not {part.sizeHint().width()}")
    return found
