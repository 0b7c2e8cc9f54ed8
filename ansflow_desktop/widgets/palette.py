"""The palette: one button for each step type, and the steps of the library."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _
from ansflow_desktop.presenters.pipelines_palette import PaletteEntry
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import FlowLayout, button, label


class Palette(QWidget):
    """Emits `chosen(type)`, `library_asked()` and `library_chosen(name)`."""

    chosen = Signal(str)
    library_asked = Signal()
    library_chosen = Signal(str)

    def __init__(self, entries: tuple[PaletteEntry, ...]) -> None:
        """Show a button for each entry, as many in a row as there is room for."""
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label(_("Add a step"), "field"))
        flow = FlowLayout(3)
        for entry in entries:
            flow.addWidget(self._button(entry))
        self._library = self._plain(_("From the library"), "bookshelf")
        self._library.setObjectName("palette_library")
        self._library.setToolTip(_("Insert a copy of a step that you kept in the library"))
        self._library.clicked.connect(self.library_asked)
        flow.addWidget(self._library)
        layout.addLayout(flow)

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
