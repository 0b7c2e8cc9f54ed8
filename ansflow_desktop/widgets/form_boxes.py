"""Boxes of one line that offer something: names of the cluster and the disk, and paths chosen in a dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    QStringListModel,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.definition import Kind
from ansflow_desktop.presenters.step_form_state import FieldState
from ansflow_desktop.presenters.step_form_state import Path as FieldPath
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import icon_button
from ansflow_desktop.widgets.form_inputs import LineInput, scroll_area_of

_ARROW_PX = 25
_ROW_PX = 30
_MOST_ROWS = 10


class _Rows(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(super().sizeHint(option, index).width(), _ROW_PX)


class NameList(QListView):
    """The names that are offered, over the window and below the box; it never takes the keyboard from the box."""

    def __init__(self, window: QWidget, name: str) -> None:
        """Make it hidden; `name` is for assistive tools."""
        super().__init__(window)
        self._model = QStringListModel(self)
        self.setModel(self._model)
        self.setProperty("role", "popup")
        self.setAccessibleName(name)
        self.setItemDelegate(_Rows(self))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.hide()

    @property
    def names(self) -> list[str]:
        """The names in the list."""
        return self._model.stringList()

    def open_below(self, box: QWidget, names: Sequence[str]) -> None:
        """Show `names` below `box`, or above it where there is more room; none of them is chosen yet."""
        self._model.setStringList(list(names))
        window = box.window()
        place = box.mapTo(window, QPoint(0, 0))
        below, above = window.height() - place.y() - box.height() - 4, place.y() - 4
        wanted = min(len(names), _MOST_ROWS) * _ROW_PX + 12
        height = min(wanted, max(below, above))
        top = place.y() + box.height() + 2 if height <= below else place.y() - height - 2
        self.setGeometry(place.x(), top, box.width(), height)
        self.setCurrentIndex(QModelIndex())
        self.show()
        self.raise_()

    def step(self, by: int) -> None:
        """Make the next (1) or last (-1) name the current one."""
        count, row = len(self.names), self.currentIndex().row()
        self.setCurrentIndex(self._model.index((row + by) % count if row >= 0 or by > 0 else count - 1))


class SuggestBox(QLineEdit):
    """A line that offers names: a list opens while one types, by the arrow, or by the Down key.

    Nothing is ever completed unasked: `fe` stays `fe` where there is a `fe-app` too. New names change neither text,
    cursor nor undo. `wanted` says that the list was asked for.
    """

    wanted = Signal()

    def __init__(self, name: str) -> None:
        """Make it with nothing to offer; `name` is for assistive tools."""
        super().__init__()
        self._name = name
        self._names: list[str] = []
        self._prefix = ""
        self._list: NameList | None = None
        self.setTextMargins(0, 0, _ARROW_PX - 6, 0)
        self.textEdited.connect(self._on_edited)

    @property
    def names(self) -> list[str]:
        """The names offered now."""
        return self._names

    @property
    def shown(self) -> list[str]:
        """The names in the open list, none where it is closed."""
        return self._list.names if self._list and self._list.isVisible() else []

    def offer(self, names: Sequence[str]) -> None:
        """Offer these names from now on, in an open list too."""
        if list(names) != self._names:
            self._names = list(names)
            self.update()
            if self.shown:
                self._open(self._prefix)

    @Slot()
    def open_list(self) -> None:
        """Show every name, whatever is typed."""
        self.setFocus()
        self.wanted.emit()
        self._open("")

    @Slot()
    def close_list(self) -> None:
        """Hide the list."""
        if self._list:
            self._list.hide()

    @Slot(str)
    def _on_edited(self, text: str) -> None:
        if text and "$" not in text:
            self._open(text)
        else:
            self.close_list()

    def _open(self, prefix: str) -> None:
        self._prefix = prefix
        found = [name for name in self._names if prefix.casefold() in name.casefold()]
        if not found or (prefix and found == [self.text()]):
            self.close_list()
            return
        self._list_here().open_below(self, found)

    def _list_here(self) -> NameList:
        """Return the list as a part of the window the box is in now."""
        if self._list is None:
            self._list = NameList(self.window(), self._name)
            self._list.clicked.connect(self._on_chosen)
            self.destroyed.connect(self._list.deleteLater)
            area = scroll_area_of(self)
            if area:
                area.verticalScrollBar().valueChanged.connect(self.close_list)
        if self._list.parentWidget() is not self.window():
            self._list.setParent(self.window())
        return self._list

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        """Put the chosen name in as if it were typed: it can be undone."""
        name = str(index.data())
        self.blockSignals(True)
        self.selectAll()
        self.insert(name)
        self.blockSignals(False)
        self.close_list()
        self.textEdited.emit(name)
        self.close_list()

    def _arrow(self) -> QRectF:
        return QRectF(self.width() - _ARROW_PX, (self.height() - 18) / 2, 18, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, then an arrow like a combo box's; a paler one where there is nothing to choose."""
        super().paintEvent(event)
        icons.paint(QPainter(self), self._arrow(), "chevron-down", "muted" if self.names else "line_strong")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open and close the list by the arrow."""
        if event.position().x() < self._arrow().left() - 3:
            super().mousePressEvent(event)
        elif self.shown:
            self.close_list()
        else:
            self.open_list()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show an arrow pointer over the arrow, a text pointer over the text."""
        over = event.position().x() >= self._arrow().left() - 3
        self.setCursor(Qt.CursorShape.ArrowCursor if over else Qt.CursorShape.IBeamCursor)
        super().mouseMoveEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep Esc from the window's shortcut while it closes the list."""
        if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return super().event(event)
        if self.shown and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the list on Down; in an open one the arrows choose, Enter takes and Esc closes."""
        if not self.shown or self._list is None:
            if event.key() == Qt.Key.Key_Down:
                self.open_list()
            else:
                super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._list.step(1 if event.key() == Qt.Key.Key_Down else -1)
        elif event.key() == Qt.Key.Key_Escape:
            self.close_list()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._list.currentIndex().isValid():
            self._on_chosen(self._list.currentIndex())
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Close the list with the keyboard gone."""
        self.close_list()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Close the list with the box."""
        self.close_list()
        super().hideEvent(event)


class SuggestInput(LineInput):
    """A name of the cluster or the disk, typed or chosen."""

    def __init__(self, field: FieldState) -> None:
        """Make it for `field`."""
        self.suggest = SuggestBox(field.title)
        super().__init__(field, self.suggest)
        self.suggest.wanted.connect(self.wanted)

    def decorate(self) -> None:
        """Offer the field's options."""
        super().decorate()
        names = self.field.options or tuple(choice.value for choice in self.field.choices)
        self.suggest.offer(names)


class NamespaceInput(SuggestInput):
    """A namespace of the cluster, typed or chosen, with a button that asks the cluster again."""

    def __init__(self, field: FieldState, again: Callable[[FieldPath], None]) -> None:
        """Make it for `field`; `again(path)` asks anew."""
        super().__init__(field)
        self._again = again
        self.again_button = icon_button("refresh", _("Read the namespaces again"))
        self.again_button.setObjectName(f"again_{field.object_name}")
        self.again_button.clicked.connect(self._on_again)
        self.layout_.addWidget(self.again_button)

    @Slot()
    def _on_again(self) -> None:
        self._again(self.field.path)


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
