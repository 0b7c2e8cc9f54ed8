"""The Clusters page: every cluster with its state, the one selected with its figures, and its resources."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop import paths
from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters import cluster_list
from ansflow_desktop.presenters.cluster_details import ClusterDetailsPresenter
from ansflow_desktop.presenters.cluster_form import ClusterFormPresenter
from ansflow_desktop.presenters.clusters import ClustersPresenter
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.widgets.cluster_details import DetailCard, reach_of, version_of
from ansflow_desktop.widgets.cluster_form import ClusterDialog
from ansflow_desktop.widgets.cluster_statistics import StatisticsCard
from ansflow_desktop.widgets.cluster_words import mark_look, marks_text
from ansflow_desktop.widgets.controls import (
    Card,
    ComboBox,
    EmptyState,
    TableCard,
    button,
    icon_button,
    row,
)
from ansflow_desktop.widgets.controls import Column as ScrolledColumn
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog
from ansflow_desktop.widgets.practice_card import PracticeCard
from ansflow_desktop.widgets.table import Column, RowsModel, Table

if TYPE_CHECKING:
    from ansflow_desktop.widgets.resources_view import ResourcesView

_SIDE, _SIDE_MOST = 400, 480


def columns() -> tuple[Column, ...]:
    """Return the columns in the language in use."""
    return (
        Column(
            title=_("Name"),
            text=lambda one: one.entry.name,
            look=mark_look,
            tip=lambda one: one.entry.marks.description or one.entry.name,
            weight=4,
            least=120,
            strong=True,
        ),
        Column(title=_("State"), text=_state, look=reach_of, tip=_why, weight=0, least=184),
        Column(title=_("Group and marks"), text=marks_text, sort=_by_group, weight=6, least=140),
        Column(title=_("Version"), text=lambda one: one.status.version, tip=version_of, weight=1, least=84, spare=1),
    )


def _by_group(one: ClusterRow) -> tuple[bool, str]:
    """Sort the clusters of a group side by side whatever their flags, those without a group behind them."""
    return not one.entry.marks.group, one.entry.marks.group.casefold()


def _state(one: ClusterRow) -> str:
    return translate(reach_of(one).word)


def _why(one: ClusterRow) -> str:
    return translate(one.status.message) or _state(one)


class ClustersPage(Page):
    """Shows a ClustersPresenter; emits `cluster_chosen(name)` when a row is activated."""

    cluster_chosen = Signal(str)

    def __init__(
        self,
        presenter: ClustersPresenter,
        details: ClusterDetailsPresenter,
        make_form: Callable[[tuple[str, ...]], ClusterFormPresenter],
        make_resources: Callable[[], tuple[ResourcesView, Callable[[str, str], None]]],
    ) -> None:
        """Make the page for `presenter` as it stands.

        `make_form(groups)` makes the presenter of a dialog, `make_resources()` the view of a cluster's resources with
        what shows those of a cluster and namespace in it; it is made when it is first looked at.
        """
        super().__init__(_("Clusters"))
        self.presenter, self.details = presenter, details
        self._make_form, self._make_resources = make_form, make_resources
        self._show_resources: Callable[[str, str], None] | None = None
        self._view: ResourcesView | None = None
        self._wanted = self._followed = ""
        self._build_actions()
        self._tabs = QTabBar()
        self._tabs.setObjectName("clusters_tabs")
        self._tabs.setAccessibleName(_("Clusters"))
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.addTab(_("Overview"))
        self._tabs.addTab(_("Resources"))
        self.content.addWidget(self._tabs)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._overview())
        self.content.addWidget(self._pages, 1)
        self._tabs.currentChanged.connect(self._on_tab)
        presenter.state_changed.connect(self._on_state)
        presenter.removed.connect(details.forget)
        details.state_changed.connect(self._on_details)
        self._on_state()
        self._on_details()

    # Parts

    def _overview(self) -> QWidget:
        part = QWidget()
        line = QHBoxLayout(part)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(14)
        left = QVBoxLayout()
        left.setSpacing(12)
        left.addLayout(self._filters())
        left.addWidget(self._list(), 1000)
        left.addStretch(1)
        line.addLayout(left, 6)
        line.addWidget(self._side(), 4)
        return part

    def _filters(self) -> QHBoxLayout:
        self.filter = QLineEdit()
        self.filter.setObjectName("clusters_filter")
        self.filter.setAccessibleName(_("Filter clusters"))
        self.filter.setPlaceholderText(_("Filter by name, server, group or mark  /"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._on_state)
        self._groups = ComboBox(_("Group"))
        self._groups.setObjectName("clusters_group")
        self._groups.currentIndexChanged.connect(self._on_state)
        line = row(self.filter, self._groups)
        line.setStretch(0, 1)
        return line

    def _list(self) -> TableCard:
        card = self._card = TableCard()
        self._model = RowsModel(columns(), lambda one: one.entry.name)
        self.table = Table(self._model, _("Clusters"))
        self.table.setObjectName("clusters_table")
        self.table.activated_row.connect(self._on_activated)
        self.table.chosen.connect(self._on_chosen)
        self._stack = QStackedWidget()
        text = _("Add one by its server and token, add a kubeconfig file, or start a practice cluster.")
        self._stack.addWidget(self.table)
        self._stack.addWidget(EmptyState("server-network", _("No clusters yet"), text, width=360))
        self._stack.addWidget(EmptyState("magnify", _("No cluster matches"), _("Change the filter or the group.")))
        card.body.addWidget(self._stack, 1)
        return card

    def _side(self) -> ScrolledColumn:
        side = ScrolledColumn(_SIDE)
        side.setMaximumWidth(_SIDE_MOST)  # whatever stands in it: the list beside it does not jump
        layout = QVBoxLayout(side.inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        self._problems = Problems()
        self._problem_card = Card(_("Kubeconfig files"))
        self._problem_card.body.addWidget(self._problems)
        self._detail = DetailCard()
        self._detail.use_asked.connect(self._on_use)
        self._detail.check_asked.connect(self._on_check)
        self._detail.edit_asked.connect(self.edit)
        self._detail.remove_asked.connect(self._on_remove)
        self._statistics = StatisticsCard()
        self._statistics.read_asked.connect(self.details.read)
        self._practice = PracticeCard(self.presenter)
        for part in (self._problem_card, self._detail, self._statistics, self._practice):
            layout.addWidget(part)
        layout.addStretch(1)
        return side

    def _build_actions(self) -> None:
        add = button(_("Add cluster…"), "primary", "plus")
        add.setObjectName("add_cluster")
        add.clicked.connect(self.add_cluster)
        file = button(_("Add kubeconfig…"), "", "folder-open-outline")
        file.setObjectName("add_kubeconfig")
        file.clicked.connect(self.add)
        reload = icon_button("refresh", _("Check all clusters again  Ctrl+R"))
        reload.clicked.connect(self.presenter.load)
        for part in (reload, file, add):
            self.action_row.addWidget(part)

    # What is shown

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        there = tuple(one for one in state.rows if not one.practice or one.entry.server)
        self._show_groups(cluster_list.groups(there))
        shown = cluster_list.matching(there, self.filter.text(), self._groups.currentData() or "")
        self._model.set_rows(shown)
        self._stack.setCurrentIndex(0 if shown or state.loading else 2 if there else 1)
        self._card.fit(self.table.height_of_rows() if shown else 0)
        self._problems.show_problems(state.problems)
        self._problem_card.setVisible(bool(state.problems))
        self._practice.show_state(state)
        self._say_how_many(there)
        if self._wanted and self._model.number_of(self._wanted) is not None:
            self.table.choose(self._wanted)
            self._wanted = ""
        if shown and self.table.chosen_row() is None:
            self.table.selectRow(0)
        self._on_chosen()

    def _show_groups(self, groups: tuple[str, ...]) -> None:
        self._groups.setVisible(bool(groups))
        if list(groups) == [self._groups.itemData(number) for number in range(1, self._groups.count())]:
            return
        chosen = self._groups.currentData()
        self._groups.blockSignals(True)
        self._groups.clear()
        self._groups.addItem(_("All groups"), "")
        for group in groups:
            self._groups.addItem(group, group)
        self._groups.setCurrentIndex(max(0, self._groups.findData(chosen)))
        self._groups.blockSignals(False)

    def _say_how_many(self, there: tuple[ClusterRow, ...]) -> None:
        good = sum(1 for one in there if one.status.reach is Reach.REACHABLE)
        text = msg_n(
            "%(good)s of %(count)s cluster reachable", "%(good)s of %(count)s clusters reachable", len(there), good=good
        )
        checking = any(one.status.reach in (Reach.UNCHECKED, Reach.CHECKING) for one in there)
        if checking:
            text = msg("%(text)s, being checked", text=translate(text))
        self.set_context(translate(text) if there else "")

    @Slot()
    def _on_details(self) -> None:
        state = self.details.state
        self._detail.show_details(state)
        self._statistics.show_statistics(state.statistics, state.error, reading=state.reading)
        title = msg("Resources of %(cluster)s", cluster=state.name) if state.name else msg("Resources")
        self._tabs.setTabText(1, translate(title))
        self._tabs.setTabEnabled(1, bool(state.name))
        if self._tabs.currentIndex() == 1 and state.name != self._followed:
            self._tabs.setCurrentIndex(0)  # the cluster whose objects are shown is gone: no other takes its place

    @Slot()
    def _on_chosen(self) -> None:
        chosen: ClusterRow | None = self.table.chosen_row()
        self.details.show(chosen.entry.name if chosen is not None else "")

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the resources again where they are what is shown."""
        super().showEvent(event)
        if self._tabs.currentIndex() == 1:
            self._on_tab(1)

    @Slot(int)
    def _on_tab(self, number: int) -> None:
        if number == 1 and self._show_resources is None:
            self._view, self._show_resources = self._make_resources()
            self._pages.addWidget(self._view)
        state = self.details.state
        if number == 1 and self._show_resources is not None and state.row is not None:
            self._followed = state.name
            self._show_resources(state.name, state.row.entry.namespace)
        self._pages.setCurrentIndex(number)

    # What is asked

    @Slot()
    def _on_check(self) -> None:
        if self.details.state.name:
            self.details.test(self.details.state.name)

    @Slot()
    def _on_use(self) -> None:
        self._on_activated(self.table.chosen_row())

    @Slot(object)
    def _on_activated(self, chosen: ClusterRow | None) -> None:
        if chosen is not None:
            self.cluster_chosen.emit(chosen.entry.name)

    @Slot()
    def add_cluster(self) -> None:
        """Open the dialog of a new cluster."""
        self._open(self._form())

    @Slot()
    def edit(self) -> None:
        """Open the dialog of the selected cluster."""
        chosen = self.details.state.row
        if chosen is not None:
            form = self._form()
            form.edit(chosen.entry)
            self._open(form)

    def _form(self) -> ClusterFormPresenter:
        form = self._make_form(cluster_list.groups(self.presenter.state.rows))
        form.saved.connect(self._on_saved)
        return form

    def _open(self, form: ClusterFormPresenter) -> None:
        ClusterDialog(self, form).open()

    @Slot(str)
    def _on_saved(self, name: str) -> None:
        self.details.forget(name)
        self._wanted = name
        self.filter.clear()
        self._groups.setCurrentIndex(0)
        self.presenter.changed(name)

    @Slot()
    def _on_remove(self) -> None:
        name = self.details.state.name
        if not name:
            return
        text = translate(msg("Remove %(cluster)s from the list?", cluster=name))
        more = _("Its address, its notes and its secret are forgotten. Nothing on it is changed.")
        dialog = DeleteDialog(self, text, more, _("Remove"), title=_("Remove the cluster"), keep=_("Keep"))
        dialog.confirmed.connect(partial(self.presenter.remove, name))
        dialog.open()

    @Slot()
    def add(self) -> None:
        """Open the file dialog for one more kubeconfig file."""
        dialog = QFileDialog(self, _("Add a kubeconfig file"), str(paths.home() / ".kube"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.presenter.add_file)
        dialog.open()

    @Slot()
    def reload(self) -> None:
        """Check every cluster again, or read the objects again where they are what is shown (Ctrl+R)."""
        if (view := self._objects()) is not None:
            view.reload()
        else:
            self.presenter.load()

    def _objects(self) -> ResourcesView | None:
        """Return the view of the objects where it is what is shown."""
        return self._view if self._tabs.currentIndex() == 1 else None

    def trigger(self) -> None:
        """Test the selected cluster (Ctrl+Return)."""
        self._on_check()

    def show_cluster(self, name: str, *, resources: bool = False) -> None:
        """Select cluster `name`, where it is in the list; with `resources` show its objects."""
        self._tabs.setCurrentIndex(0)
        self.table.choose(name)
        self._tabs.setCurrentIndex(int(resources))

    def focus_filter(self) -> None:
        """Put the keyboard into the filter of what is shown (/)."""
        if (view := self._objects()) is not None:
            view.focus_filter()
            return
        self.filter.setFocus()
        self.filter.selectAll()

    def focus_first(self) -> None:
        """Put the keyboard into the table of what is shown."""
        if (view := self._objects()) is not None:
            view.focus_first()
        else:
            self.table.setFocus()

    def leave(self) -> bool:
        """Clear the filter of what is shown, or go back from the objects to the list (Esc)."""
        if (view := self._objects()) is not None:
            if not view.leave():
                self._tabs.setCurrentIndex(0)
                self.focus_first()
            return True
        held = bool(self.filter.text()) or self.filter.hasFocus()
        self.filter.clear()
        if self.filter.hasFocus():
            self.filter.clearFocus()  # a table that is not shown yet takes no keyboard
            self.table.setFocus()
        return held
