"""Boxes of one line that offer something: names of the cluster and the disk, and paths chosen in a dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, QRectF, QStringListModel, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCompleter, QFileDialog, QLineEdit, QListView, QStyledItemDelegate, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.definition import Kind
from ansflow_desktop.presenters.step_form_state import FieldState
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import icon_button
from ansflow_desktop.widgets.form_inputs import LineInput

_ARROW_PX = 25


class SuggestBox(QLineEdit):
    """A line that offers names: a list opens while one types, with the arrow, or by the Down key.

    Nothing is ever completed unasked: `fe` stays `fe` where there is a `fe-app` too. New names change neither text,
    cursor nor undo. `wanted` says that the list was asked for.
    """

    wanted = Signal()

    def __init__(self) -> None:
        """Make it with nothing to offer."""
        super().__init__()
        self._names = QStringListModel(self)
        self._completer = QCompleter(self._names, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setMaxVisibleItems(12)
        self._completer.setWidget(self)
        self._popup = QListView()
        self._popup.setProperty("role", "popup")
        self._completer.setPopup(self._popup)
        self._popup.setItemDelegate(QStyledItemDelegate(self._popup))
        self._completer.activated[QModelIndex].connect(self._on_chosen)
        self.setTextMargins(0, 0, _ARROW_PX - 6, 0)
        self.textEdited.connect(self._on_edited)

    @property
    def names(self) -> list[str]:
        """The names offered now."""
        return self._names.stringList()

    @property
    def popup(self) -> QListView:
        """The list of names."""
        return self._popup

    def offer(self, names: Sequence[str]) -> None:
        """Offer these names from now on, in an open list too."""
        if list(names) == self.names:
            return
        self._names.setStringList(list(names))
        self.update()
        if self._popup.isVisible():
            self._complete(self._completer.completionPrefix())

    @Slot()
    def open_list(self) -> None:
        """Show every name, whatever is typed."""
        self.setFocus()
        self.wanted.emit()
        self._complete("")

    @Slot(str)
    def _on_edited(self, text: str) -> None:
        if text and "$" not in text:
            self._complete(text)
        else:
            self._popup.hide()

    def _complete(self, prefix: str) -> None:
        self._completer.setCompletionPrefix(prefix)
        found = self._completer.completionCount()
        exact = found == 1 and self._completer.currentCompletion() == self.text()
        if not found or exact:
            self._popup.hide()
            return
        self._completer.complete()
        self._popup.setCurrentIndex(QModelIndex())

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        """Put the chosen name in as if it were typed: it can be undone."""
        name = str(index.data())
        self.blockSignals(True)
        self.selectAll()
        self.insert(name)
        self.blockSignals(False)
        self._popup.hide()
        self.textEdited.emit(name)

    def _arrow(self) -> QRectF:
        return QRectF(self.width() - _ARROW_PX, (self.height() - 18) / 2, 18, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, then an arrow like a combo box's; a paler one where there is nothing to choose."""
        super().paintEvent(event)
        icons.paint(QPainter(self), self._arrow(), "chevron-down", "muted" if self.names else "line_strong")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the list by the arrow."""
        if event.position().x() >= self._arrow().left() - 3:
            self.open_list()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show an arrow pointer over the arrow, a text pointer over the text."""
        over = event.position().x() >= self._arrow().left() - 3
        self.setCursor(Qt.CursorShape.ArrowCursor if over else Qt.CursorShape.IBeamCursor)
        super().mouseMoveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the list on Down."""
        if event.key() == Qt.Key.Key_Down and not self._popup.isVisible():
            self.open_list()
        else:
            super().keyPressEvent(event)


class SuggestInput(LineInput):
    """A name of the cluster or the disk, typed or chosen."""

    def __init__(self, field: FieldState) -> None:
        """Make it for `field`."""
        self.suggest = SuggestBox()
        super().__init__(field, self.suggest)
        self.suggest.wanted.connect(self.wanted)

    def decorate(self) -> None:
        """Offer the field's options."""
        super().decorate()
        names = self.field.options or tuple(choice.value for choice in self.field.choices)
        self.suggest.offer(names)


class PathInput(LineInput):
    """A file or folder, typed or chosen in a dialog; a chosen one is written relative to the step's folder."""

    def __init__(self, field: FieldState, folder: Callable[[], str], written: Callable[[str], str]) -> None:
        """`folder` gives where the dialog starts, `written` how a chosen path is written into the file."""
        super().__init__(field)
        self._folder, self._written_path = folder, written
        words = {"folder": msg("Choose a folder: %(field)s", field=field.title)}
        name = words.get(field.kind, msg("Choose a file: %(field)s", field=field.title))
        self.browse_button = icon_button("folder-open-outline", translate(name))
        self.browse_button.setObjectName(f"browse_{field.object_name}")
        self.browse_button.clicked.connect(self.browse)
        self.layout_.addWidget(self.browse_button)

    @Slot()
    def browse(self) -> None:
        """Open the dialog; it does not block the window."""
        start = Path(self._folder()) / self.line.text()
        open_dialog(self, self.field, str(start if start.is_dir() else Path(self._folder())), self.choose)

    def choose(self, paths: Sequence[str]) -> None:
        """Take the chosen path."""
        if paths:
            self.line.setText(self._written_path(paths[0]))
            self.send()


def open_dialog(parent: QWidget, field: FieldState, start: str, chosen: Callable[[list[str]], None]) -> QFileDialog:
    """Open the dialog that fits the field's kind (folder, file, files) and hand the paths chosen to `chosen`."""
    dialog = QFileDialog(parent, field.title, start)
    mode = QFileDialog.FileMode
    modes: dict[Kind, QFileDialog.FileMode] = {"folder": mode.Directory, "files": mode.ExistingFiles}
    dialog.setFileMode(modes.get(field.kind, mode.AnyFile))
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, field.kind == "folder")
    if field.kind == "files":
        dialog.setNameFilters([_("YAML files (*.yaml *.yml)"), _("All files (*)")])
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(chosen)
    dialog.open()
    return dialog
