"""The Clusters page: every context and the practice clusters; who can be reached, and how fast."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QStackedWidget, QVBoxLayout

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters.clusters import ClustersPresenter
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.controls import (
    Card,
    Chip,
    ElidedLabel,
    EmptyState,
    FlowLayout,
    TableCard,
    button,
    clear,
    icon_button,
    label,
    row,
)
from ansflow_desktop.widgets.controls import Column as ScrolledColumn
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.practice_card import PracticeCard
from ansflow_desktop.widgets.table import Column, RowsModel, Table

_SIDE = 320


def columns() -> tuple[Column, ...]:
    """Return the columns in the language in use."""
    return (
        Column(title=_("Name"), text=lambda one: one.entry.name, weight=4, least=130, strong=True),
        Column(title=_("State"), text=_state, look=_look, tip=_why, weight=3, least=150),
        Column(title=_("Version"), text=lambda one: one.status.version, weight=1, least=86),
        Column(
            title=_("Latency"),
            text=_latency,
            sort=lambda one: one.status.latency_ms or 1e9,
            least=84,
            weight=1,
            right=True,
        ),
        Column(
            title=_("Server"),
            text=lambda one: one.entry.server.removeprefix("https://"),
            tip=lambda one: one.entry.server,
            weight=5,
            least=140,
        ),
    )


def _look(one: ClusterRow) -> words.Look:
    return words.reach_look(one.status, stopped=one.practice and not one.running)


def _state(one: ClusterRow) -> str:
    return translate(_look(one).word)


def _why(one: ClusterRow) -> str:
    return translate(one.status.message) or _state(one)


def _latency(one: ClusterRow) -> str:
    if one.status.reach is not Reach.REACHABLE:
        return ""
    return translate(msg("%(ms)s ms", ms=max(1, round(one.status.latency_ms))))


class DetailCard(Card):
    """What is known of the selected cluster, with its actions."""

    use_asked = Signal()
    check_asked = Signal()

    def __init__(self) -> None:
        """Start with no cluster."""
        super().__init__(spacing=8)
        self._shown: ClusterRow | None = None
        self._name = ElidedLabel("", "card_title")
        self._state = Chip()
        self.body.addLayout(row(self._name, self._state))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)
        self._message = label("", "", wrap=True, selectable=True)
        self.body.addWidget(self._message)
        self.check = button(_("Check"), "", "sync", _("Check the selected cluster"))
        self.check.setObjectName("check_cluster")
        self.check.clicked.connect(self.check_asked)
        self.use = button(_("Work in it"), "", "", _("Work in the selected cluster"))
        self.use.clicked.connect(self.use_asked)
        flow = FlowLayout()
        for part in (self.use, self.check):
            flow.addWidget(part)
        self.body.addLayout(flow)

    def show_row(self, one: ClusterRow | None) -> None:
        """Show `one`, or nothing."""
        self.setVisible(one is not None)
        if one is None or one == self._shown:
            return
        self._shown = one
        look = _look(one)
        self._name.set_text(one.entry.name)
        self._state.set(translate(look.word), look.icon, look.tone)
        needed = one.status.reach is Reach.APPROVAL_NEEDED
        self.check.setText(_("Show and approve…") if needed else _("Check"))
        self._message.setText(translate(one.status.message))
        self._message.setVisible(bool(self._message.text()))
        clear(self._grid)
        for number, (title, text) in enumerate(_facts(one)):
            self._grid.addWidget(label(title, "muted"), number, 0)
            self._grid.addWidget(ElidedLabel(text), number, 1)


def _facts(one: ClusterRow) -> list[tuple[str, str]]:
    entry, plugin = one.entry, one.entry.exec_plugin
    found = [
        (_("Server"), entry.server),
        (_("From"), _("Practice cluster") if one.practice else entry.source),
        (_("User"), entry.user),
        (_("Namespace"), entry.namespace),
        (_("Logs in by"), plugin.command if plugin else ""),
        (_("TLS"), _("not verified") if entry.insecure else ""),
    ]
    return [(title, text) for title, text in found if text]


class ClustersPage(Page):
    """Shows a ClustersPresenter; emits `cluster_chosen(name)` when a row is activated."""

    cluster_chosen = Signal(str)

    def __init__(self, presenter: ClustersPresenter) -> None:
        """Make the page for `presenter` as it stands."""
        super().__init__(_("Clusters"))
        self.presenter = presenter
        self._build_actions()
        columns = QHBoxLayout()
        columns.setSpacing(14)
        columns.addWidget(self._list(), 7)
        columns.addWidget(self._side(), 3)
        self.content.addLayout(columns, 1)
        presenter.state_changed.connect(self._on_state)
        self._on_state()

    def _list(self) -> TableCard:
        card = TableCard()
        self._model = RowsModel(columns(), lambda one: one.entry.name)
        self.table = Table(self._model, _("Clusters"))
        self.table.setObjectName("clusters_table")
        self.table.activated_row.connect(self._on_activated)
        self.table.chosen.connect(self._on_chosen)
        self._stack = QStackedWidget()
        text = _("Add a kubeconfig file, or start a practice cluster.")
        self._stack.addWidget(self.table)
        self._stack.addWidget(EmptyState("server-network", _("No clusters yet"), text))
        card.body.addWidget(self._stack, 1)
        return card

    def _side(self) -> ScrolledColumn:
        side = ScrolledColumn(_SIDE)
        side.setMaximumWidth(_SIDE + 60)
        layout = QVBoxLayout(side.inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        self._problems = Problems()
        self._problem_card = Card(_("Kubeconfig files"))
        self._problem_card.body.addWidget(self._problems)
        self._detail = DetailCard()
        self._detail.use_asked.connect(self._on_use)
        self._detail.check_asked.connect(self._on_check)
        self._practice = PracticeCard(self.presenter)
        for part in (self._problem_card, self._detail, self._practice):
            layout.addWidget(part)
        layout.addStretch(1)
        return side

    def _build_actions(self) -> None:
        add = button(_("Add kubeconfig…"), "primary", "plus")
        add.setObjectName("add_kubeconfig")
        add.clicked.connect(self.add)
        reload = icon_button("refresh", _("Check all clusters again  Ctrl+R"))
        reload.clicked.connect(self.reload)
        for part in (reload, add):
            self.action_row.addWidget(part)

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        shown = tuple(one for one in state.rows if not one.practice or one.entry.server)
        self._model.set_rows(shown)
        self._stack.setCurrentIndex(0 if shown or state.loading else 1)
        self._problems.show_problems(state.problems)
        self._problem_card.setVisible(bool(state.problems))
        self._practice.show_state(state)
        good = sum(1 for one in shown if one.status.reach is Reach.REACHABLE)
        text = msg_n(
            "%(good)s of %(count)s cluster reachable", "%(good)s of %(count)s clusters reachable", len(shown), good=good
        )
        self.set_context(translate(text) if shown else "")
        if shown and self.table.chosen_row() is None:
            self.table.selectRow(0)
        self._on_chosen()

    @Slot()
    def _on_chosen(self) -> None:
        self._detail.show_row(self.table.chosen_row())

    @Slot()
    def _on_check(self) -> None:
        chosen: ClusterRow | None = self.table.chosen_row()
        if chosen is not None:
            self.presenter.check(chosen.entry.name)

    @Slot()
    def _on_use(self) -> None:
        self._on_activated(self.table.chosen_row())

    @Slot(object)
    def _on_activated(self, chosen: ClusterRow | None) -> None:
        if chosen is not None:
            self.cluster_chosen.emit(chosen.entry.name)

    @Slot()
    def add(self) -> None:
        """Open the file dialog for one more kubeconfig file."""
        dialog = QFileDialog(self, _("Add a kubeconfig file"), str(Path.home() / ".kube"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.presenter.add_file)
        dialog.open()

    @Slot()
    def reload(self) -> None:
        """Check every cluster again (Ctrl+R)."""
        self.presenter.load()

    def focus_first(self) -> None:
        """Put the keyboard into the table."""
        self.table.setFocus()
