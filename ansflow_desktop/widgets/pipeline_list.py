"""The list of pipelines: the library's, the files opened lately, and drafts that were never saved."""

from __future__ import annotations

import time
from datetime import datetime

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ansflow_desktop import paths
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.pipelines import PipelinesPresenter
from ansflow_desktop.presenters.pipelines_state import PipelineRow
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.controls import EmptyState, TableCard, button, label, row
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.table import Column, RowsModel, Table
from ansflow_desktop.widgets.words import Look

_EMPTY, _TABLE, _NONE_FOUND, _ERROR, _LOADING = range(5)


def _columns(presenter: PipelinesPresenter) -> tuple[Column, ...]:
    def state(one: PipelineRow) -> Look:
        return _look(presenter, one)

    return (
        Column(title=_("Name"), text=lambda one: one.name, tip=_tip, weight=4, least=130, strong=True),
        Column(title=_("Where"), text=_where, tip=_whole_where, weight=5, least=110),
        Column(title=_("Steps"), text=_steps, sort=lambda one: one.steps or 0, weight=1, least=64),
        Column(title=_("State"), text=lambda one: translate(state(one).word), look=state, weight=3, least=140),
        Column(title=_("Changed"), text=_changed, sort=lambda one: -one.updated, tip=_exactly, weight=2, least=110),
    )


def _tip(one: PipelineRow) -> str:
    return f"{one.name}\n{one.description}".strip()


def _whole_where(one: PipelineRow) -> str:
    return translate(one.where)


def _where(one: PipelineRow) -> str:
    home, where = str(paths.home()), translate(one.where)
    return "~" + where[len(home) :] if where.startswith(home + "/") else where


def _steps(one: PipelineRow) -> str:
    return "" if one.steps is None else str(one.steps)


def _changed(one: PipelineRow) -> str:
    return words.age(time.time() - one.updated) if one.updated else ""


def _exactly(one: PipelineRow) -> str:
    return datetime.fromtimestamp(one.updated).astimezone().isoformat(" ", "seconds") if one.updated else ""


def _look(presenter: PipelinesPresenter, one: PipelineRow) -> Look:
    if one.problem:
        return Look(msg("Cannot be read"), "alert-circle", "bad")
    if presenter.is_open(one):
        dirty = presenter.desk.state.dirty
        return Look(msg("Open, not saved") if dirty else msg("Open"), "pencil-outline", "warn" if dirty else "accent")
    if one.kind == "draft" or one.draft:
        return Look(msg("Changes not saved"), "history", "warn")
    if one.steps is None:
        return Look(msg("Not valid YAML"), "alert-circle", "bad")
    return Look(msg("Saved"), "check-circle", "ok")


class _PipelineTable(Table):
    """Emits what the keys ask for: F2 renames, Delete deletes, Ctrl+D duplicates."""

    key_pressed = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take these keys; everything else is the table's."""
        keys = {Qt.Key.Key_F2: "rename", Qt.Key.Key_Delete: "remove"}
        if event.key() in keys:
            self.key_pressed.emit(keys[Qt.Key(event.key())])
        elif event.modifiers() == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_D:
            self.key_pressed.emit("duplicate")
        else:
            super().keyPressEvent(event)


class PipelineList(QWidget):
    """Shows a PipelinesPresenter; emits `rename_asked(row)` and `remove_asked(row)`, which want a question first."""

    rename_asked = Signal(object)
    remove_asked = Signal(object)

    def __init__(self, presenter: PipelinesPresenter, open_file: QPushButton) -> None:
        """Make the list; `open_file` is offered where there is nothing yet."""
        super().__init__()
        self._presenter = presenter
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(self._tools())
        self._stack = QStackedWidget()
        self._model = RowsModel(_columns(presenter), lambda one: one.id)
        self.table = _PipelineTable(self._model, _("Pipelines"))
        self.table.setObjectName("pipelines_table")
        self._card = TableCard()
        self._card.body.addWidget(self.table)
        self._problems = Problems()
        for part in self._pages(open_file):
            self._stack.addWidget(part)
        layout.addWidget(self._stack, 1)
        self.table.activated_row.connect(self._on_open)
        self.table.chosen.connect(self._on_chosen)
        self.table.key_pressed.connect(self._do)
        presenter.state_changed.connect(self.show_state)
        presenter.desk.editor.state_changed.connect(self._on_desk)
        self.show_state()

    def _tools(self) -> QVBoxLayout:
        self._search = QLineEdit(self._presenter.state.query)
        self._search.setObjectName("pipelines_search")
        self._search.setAccessibleName(_("Search the pipelines"))
        self._search.setPlaceholderText(_("Search  /"))
        self._search.setClearButtonEnabled(True)
        self._search.setMaximumWidth(320)
        self._search.textChanged.connect(self._presenter.search)
        self._actions: dict[str, QPushButton] = {}
        for name, text, icon in (
            ("open", _("Open"), "folder-open-outline"),
            ("rename", _("Rename"), "pencil-outline"),
            ("duplicate", _("Duplicate"), "content-duplicate"),
            ("remove", _("Delete"), "trash-can-outline"),
        ):
            made = self._actions[name] = button(text, "link", icon)
            made.setObjectName(f"pipelines_{name}")
            made.setProperty("action", name)
            made.clicked.connect(self._on_action)
        line = row(self._search, 1, *self._actions.values(), spacing=4)
        line.setStretch(0, 3)
        self._line = QWidget()
        self._line.setLayout(line)
        holder = QVBoxLayout()
        holder.addWidget(self._line)
        return holder

    def _pages(self, open_file: QPushButton) -> tuple[QWidget, ...]:
        empty = EmptyState(
            "source-branch",
            _("No pipelines yet"),
            _(
                "A pipeline is a list of steps: deploy, scale, wait, run a command. Make one with New, open a pipeline "
                "file, or drop a folder that holds one."
            ),
            open_file,
        )
        table = QWidget()
        column = QVBoxLayout(table)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._card)
        column.addStretch(1)
        none = EmptyState("magnify", _("Nothing found"), _("No pipeline has all of these words."))
        failed = QWidget()
        errors = QVBoxLayout(failed)
        errors.addWidget(self._problems)
        errors.addStretch(1)
        loading = label(_("Reading the pipelines…"), "context")
        loading.setAlignment(Qt.AlignmentFlag.AlignTop)
        return empty, table, none, failed, loading

    # Shown

    @Slot()
    def show_state(self) -> None:
        """Show the list as it was read last."""
        state = self._presenter.state
        if state.error is not None:
            from ansflow_desktop.models.problem import Problem

            error = state.error
            self._problems.show_problems(
                (Problem(field="", title=error.title, message=error.message, hint=error.hint),)
            )
        self._model.set_rows(state.rows)
        self._card.fit(self.table.height_of_rows())
        self._line.setVisible(state.total > 0)
        self._stack.setCurrentIndex(self._page())
        self._on_chosen()

    def _page(self) -> int:
        state = self._presenter.state
        if state.error is not None:
            return _ERROR
        if not state.loaded:
            return _LOADING
        if not state.total:
            return _EMPTY
        return _TABLE if state.rows else _NONE_FOUND

    @Slot()
    def _on_desk(self) -> None:
        if self.isVisible():
            self.table.viewport().update()

    @Slot()
    def _on_chosen(self) -> None:
        chosen: PipelineRow | None = self.table.chosen_row()
        for name, made in self._actions.items():
            made.setEnabled(chosen is not None and (name != "rename" or chosen.kind == "library"))
        file = chosen is not None and chosen.kind == "file"
        self._actions["remove"].setText(_("Take off the list") if file else _("Delete"))

    # Asked for

    @Slot(object)
    def _on_open(self, one: PipelineRow | None) -> None:
        if one is not None:
            self._presenter.open(one)

    @Slot()
    def _on_action(self) -> None:
        self._do(str(self.sender().property("action")))

    @Slot(str)
    def _do(self, name: str) -> None:
        chosen: PipelineRow | None = self.table.chosen_row()
        if chosen is None:
            return
        if name == "open":
            self._presenter.open(chosen)
        elif name == "rename" and chosen.kind == "library":
            self.rename_asked.emit(chosen)
        elif name == "duplicate":
            self._presenter.duplicate(chosen)
        elif name == "remove":
            self.remove_asked.emit(chosen)

    def focus_search(self) -> None:
        """Put the keyboard into the search."""
        self._search.setFocus()
        self._search.selectAll()

    def clear_search(self) -> bool:
        """Empty the search and return whether there was something in it."""
        if not self._search.text() and not self._search.hasFocus():
            return False
        self._search.clear()
        self.table.setFocus()
        return True
