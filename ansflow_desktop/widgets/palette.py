"""The palette: one button for each step type, and the steps of the library."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _
from ansflow_desktop.presenters.pipelines_palette import PaletteEntry
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import button, label

_HALF_PX = 104


class Palette(QWidget):
    """Emits `chosen(type)`, `library_asked()` and `library_chosen(name)`."""

    chosen = Signal(str)
    library_asked = Signal()
    library_chosen = Signal(str)

    def __init__(self, entries: tuple[PaletteEntry, ...]) -> None:
        """Show a button for each entry: short ones two in a row, then the long ones."""
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label(_("Add a step"), "field"))
        self._library = self._plain(_("From the library"), "bookshelf")
        self._library.setObjectName("palette_library")
        self._library.setToolTip(_("Insert a copy of a step that you kept in the library"))
        self._library.clicked.connect(self.library_asked)
        layout.addLayout(_placed([*map(self._button, entries), self._library]))

    def _button(self, entry: PaletteEntry) -> QPushButton:
        made = self._plain(entry.label, entry.icon)
        made.setObjectName(f"palette_{entry.type}")
        made.setProperty("step_type", entry.type)
        made.setToolTip(f"{entry.type}\n{entry.help}")
        made.clicked.connect(self._on_clicked)
        return made

    @staticmethod
    def _plain(text: str, icon: str) -> QPushButton:
        made = button(text, "palette", name=text)
        made.setIcon(icons.icon(icon, "accent"))
        made.setIconSize(QSize(18, 16))
        return made

    @Slot()
    def _on_clicked(self) -> None:
        self.chosen.emit(str(self.sender().property("step_type")))

    def show_library(self, names: tuple[str, ...]) -> None:
        """Offer the steps of the library as a menu."""
        menu = QMenu(self)
        menu.setObjectName("library_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in names:
            menu.addAction(name).setData(name)
        if not names:
            menu.addAction(_("The library has no steps yet. Keep one from a step's menu.")).setEnabled(False)
        menu.triggered.connect(self._on_library_chosen)
        menu.popup(self._library.mapToGlobal(QPoint(0, self._library.height() + 2)))

    @Slot(object)
    def _on_library_chosen(self, action: object) -> None:
        self.library_chosen.emit(str(action.data()))  # type: ignore[attr-defined]  # a QAction


def _placed(buttons: list[QPushButton]) -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(3)
    for made in buttons:
        made.ensurePolished()
    short = [made for made in buttons if made.sizeHint().width() <= _HALF_PX]
    for number, made in enumerate(short):
        grid.addWidget(made, number // 2, number % 2)
    first = (len(short) + 1) // 2
    for number, made in enumerate(one for one in buttons if one not in short):
        grid.addWidget(made, first + number, 0, 1, 2)
    for column in (0, 1):
        grid.setColumnStretch(column, 1)
    return grid
