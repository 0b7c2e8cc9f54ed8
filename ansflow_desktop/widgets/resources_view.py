"""The objects of a cluster, any kind, as a table: the Resources tab of the Clusters page."""

from __future__ import annotations

import time

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.presenters.resources import ResourcesPresenter
from ansflow_desktop.presenters.resources_state import ResourcesState
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.controls import (
    CheckBox,
    Chip,
    ComboBox,
    EmptyState,
    TableCard,
    button,
    icon_button,
    label,
    plain_tip,
    row,
)
from ansflow_desktop.widgets.releases_page import Skeleton
from ansflow_desktop.widgets.resource_table import ResourceModel, ResourceTable

_TICK_MS = 5000
_NAMED = 3


class ResourcesView(QWidget):
    """Shows a ResourcesPresenter: kind box, filter, table, how fresh it is, and what could not be read.

    Emits `left()` when another tab or page is shown in its place; a minimized window is not left.
    """

    left = Signal()

    def __init__(self, presenter: ResourcesPresenter) -> None:
        """Make the view for `presenter` as it stands; the cluster is chosen by `presenter.show`."""
        super().__init__()
        self.presenter = presenter
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._model = ResourceModel()
        self.table = ResourceTable(self._model, _("Objects"))
        self.table.setObjectName("resources_table")
        self._build_bar(layout)
        self._stack = QStackedWidget()
        card = TableCard()
        card.body.addWidget(self._stack)
        layout.addWidget(card, 1)
        self._build_parts()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self.setFocusProxy(self.kinds)
        presenter.state_changed.connect(self._on_state)
        self._kinds_shown: tuple[object, ...] = ()
        self._names_shown: tuple[str, ...] = ()
        self._rows_shown: tuple[object, ...] | None = None
        self._on_state()

    def _build_bar(self, layout: QVBoxLayout) -> None:
        self.kinds = ComboBox(_("Kind of object"))
        self.kinds.setObjectName("resource_kind")
        self.kinds.setMinimumWidth(200)
        self.kinds.activated.connect(self._on_kind)
        self.namespaces = ComboBox(_("Namespace"))
        self.namespaces.setObjectName("resource_namespace")
        self.namespaces.setMinimumWidth(160)
        self.namespaces.activated.connect(self._on_namespace)
        self._filter = QLineEdit()
        self._filter.setObjectName("resource_filter")
        self._filter.setPlaceholderText(_("Filter   /"))
        self._filter.setAccessibleName(_("Filter objects"))
        self._filter.setFixedWidth(220)
        self._filter.setText(self.presenter.state.text)
        self._filter.textChanged.connect(self.presenter.filter)
        self._wide = CheckBox(_("All columns"))
        self._wide.toggled.connect(self._on_wide)
        self._count = label("", "context")
        self._age = Chip("", "alert", "warn")
        self._unread = Chip("", "alert", "warn")
        again = icon_button("refresh", _("Read the objects again  Ctrl+R"))
        again.clicked.connect(self.presenter.reload)
        layout.addLayout(
            row(self.kinds, self.namespaces, self._count, 1, self._unread, self._age, self._wide, self._filter, again)
        )

    def _build_parts(self) -> None:
        self._loading = Skeleton()
        self._loading.setAccessibleName(_("Reading"))
        self._none = EmptyState("package-variant-closed", _("There is nothing of this kind here"), "")
        clear = button(_("Clear the filter"))
        clear.clicked.connect(self._filter.clear)
        self._no_match = EmptyState("magnify", _("No object matches"), _("Every word of the filter must occur."), clear)
        again = button(_("Try again"), "", "refresh")
        again.clicked.connect(self.presenter.reload)
        self._why = label("", "context", wrap=True, selectable=True)
        self._why.setFixedWidth(520)
        self._why.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._broken = EmptyState("server-network", _("The objects could not be read"), "")
        self._broken.add(self._why)
        self._broken.add(again)
        for part in (self.table, self._loading, self._none, self._no_match, self._broken):
            self._stack.addWidget(part)

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        self._show_kinds(state)
        self._show_namespaces(state)
        if state.rows is not self._rows_shown or state.columns != self._model.shown:
            self._rows_shown = state.rows
            self._model.show(state.columns, state.rows)
        self._stack.setCurrentWidget(self._part(state))
        self._count.setText(_count(state))
        self._show_age(state)
        self._show_unread(state)
        why = words.error_lines(state.error)
        if why != self._why.text():
            self._why.setText(why)
            self._why.setMinimumHeight(max(0, self._why.heightForWidth(520)))

    def _part(self, state: ResourcesState) -> QWidget:
        if state.rows:
            return self.table
        if state.error is not None:
            return self._broken
        if state.loading or not state.complete:
            return self._loading
        return self._no_match if state.total else self._none

    def _show_kinds(self, state: ResourcesState) -> None:
        if state.kinds != self._kinds_shown:
            self._kinds_shown = state.kinds
            with QSignalBlocker(self.kinds):
                self.kinds.clear()
                for number, one in enumerate(state.kinds):
                    if number and state.kinds[number - 1].common and not one.common:
                        self.kinds.insertSeparator(self.kinds.count())
                    self.kinds.addItem(one.label, one.key)
        place = self.kinds.findData(state.kind)
        if place != self.kinds.currentIndex():
            self.kinds.setCurrentIndex(place)

    def _show_namespaces(self, state: ResourcesState) -> None:
        chosen = state.choice(state.kind)
        self.namespaces.setVisible(chosen is None or chosen.served.namespaced)
        names = ("", *sorted({*state.namespaces, state.namespace} - {""}))
        if names != self._names_shown:
            self._names_shown = names
            with QSignalBlocker(self.namespaces):
                self.namespaces.clear()
                for name in names:
                    self.namespaces.addItem(name or _("All namespaces"), name)
        self.namespaces.setCurrentIndex(names.index(state.namespace))

    def _show_age(self, state: ResourcesState) -> None:
        self._age.setVisible(state.stale)
        if state.stale:
            ago = words.age(time.time() - state.fresh_at)
            self._age.set(translate(msg("Reconnecting, read %(ago)s", ago=ago)), "alert", "warn")
            self._age.setToolTip(plain_tip(words.error_lines(state.error)))

    def _show_unread(self, state: ResourcesState) -> None:
        self._unread.setVisible(bool(state.unread))
        if state.unread:
            count = len(state.unread)
            text = msg_n("%(count)s namespace could not be read", "%(count)s namespaces could not be read", count)
            self._unread.set(translate(text), "alert", "warn")
            lines = [f"{one.namespace}: {translate(one.message)}" for one in state.unread[:_NAMED]]
            self._unread.setToolTip(plain_tip("\n".join(lines + ["…"] * (count > _NAMED))))

    @Slot(int)
    def _on_kind(self, place: int) -> None:
        key = self.kinds.itemData(place)
        if isinstance(key, str):
            self.presenter.choose_kind(key)

    @Slot(int)
    def _on_namespace(self, place: int) -> None:
        self.presenter.choose_namespace(self.namespaces.itemData(place) or "")

    @Slot(bool)
    def _on_wide(self, wide: bool) -> None:
        self.table.show_wide(wide)

    @Slot()
    def _on_tick(self) -> None:
        self._show_age(self.presenter.state)
        self.table.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Let ages go on while somebody looks."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock."""
        super().hideEvent(event)
        self._timer.stop()
        if not event.spontaneous():
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """`/` goes to the filter."""
        if event.text() == "/":
            self.focus_filter()
        else:
            super().keyPressEvent(event)

    def focus_filter(self) -> None:
        """Put the keyboard into the filter (/)."""
        self._filter.setFocus()
        self._filter.selectAll()

    def focus_first(self) -> None:
        """Put the keyboard into the table."""
        self.table.setFocus()

    def reload(self) -> None:
        """Read everything again (Ctrl+R)."""
        self.presenter.reload()

    def leave(self) -> bool:
        """Clear the filter (Esc) and return whether there was one."""
        had = bool(self._filter.text()) or self._filter.hasFocus()
        self._filter.clear()
        if had:
            self._filter.clearFocus()  # a table that is not shown yet takes no keyboard
            self.table.setFocus()
        return had


def _count(state: ResourcesState) -> str:
    if not state.fresh_at:
        return ""
    count = translate(msg_n("%(count)s object", "%(count)s objects", state.total, count=f"{state.total:,}"))
    if len(state.rows) != state.total:
        count = translate(msg("%(shown)s of %(count)s", shown=f"{len(state.rows):,}", count=count))
    return count if state.complete else translate(msg("%(count)s so far", count=count))
