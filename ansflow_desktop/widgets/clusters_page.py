"""The Clusters page: every context and the practice clusters; who can be reached, and how fast."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QFrame, QMessageBox, QProgressBar, QStackedWidget, QVBoxLayout

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters.clusters import ClustersPresenter
from ansflow_desktop.presenters.clusters_state import PRACTICE, ClusterRow, ClustersState
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.controls import Card, EmptyState, Symbol, TableCard, button, icon_button, label, row
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.table import Column, RowsModel, Table


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
        Column(title=_("Server"), text=lambda one: one.entry.server, weight=5, least=130),
        Column(title=_("From"), text=_source, tip=lambda one: one.entry.source, weight=3, least=110),
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


def _source(one: ClusterRow) -> str:
    return _("Practice cluster") if one.practice else Path(one.entry.source).name


class PracticeCard(Card):
    """The practice cluster: what it is, what is being done to it, and its actions."""

    def __init__(self, presenter: ClustersPresenter) -> None:
        """Show the practice cluster that `presenter` knows."""
        super().__init__(margins=14, spacing=8)
        self._presenter = presenter
        self._title = label(_("Practice cluster"), "card_title")
        self._text = label("", "context", wrap=True)
        self._start = button(_("Start"), "", "play", _("Start the practice cluster"))
        self._start.setObjectName("practice_start")
        self._start.clicked.connect(self._on_start)
        self._stop = button(_("Stop"), "", "stop", _("Stop the practice cluster"))
        self._stop.setObjectName("practice_stop")
        self._stop.clicked.connect(self._on_stop)
        self._remove = button(_("Remove…"), "danger", "trash-can-outline", _("Remove the practice cluster"))
        self._remove.clicked.connect(self._on_remove)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(self._title)
        lines.addWidget(self._text)
        line = row(Symbol("ship-wheel", "accent", 28), spacing=14)
        line.addLayout(lines, 1)
        self._cancel = button(_("Cancel"), "danger", "", _("Cancel the start of the practice cluster"))
        self._cancel.setObjectName("practice_cancel")
        self._cancel.clicked.connect(presenter.cancel_practice)
        for part in (self._start, self._stop, self._remove, self._cancel):
            line.addWidget(part)
        self.body.addLayout(line)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the practice cluster"))
        self.body.addWidget(self._bar)

    def show_state(self, state: ClustersState) -> None:
        """Show how the practice cluster stands."""
        work, one = state.practice, state.row(PRACTICE)
        busy, running = bool(work.doing), one is not None and one.running
        exists = one is not None and bool(one.entry.server)
        self._text.setText(_practice_text(state, running=running, exists=exists))
        self._start.setVisible(not running and not busy)
        self._stop.setVisible(running and not busy)
        self._remove.setVisible(exists and not busy)
        self._cancel.setVisible(busy and not running)
        self._bar.setVisible(busy)
        self._bar.setRange(0, 0 if work.fraction is None else 1000)
        self._bar.setValue(0 if work.fraction is None else int(work.fraction * 1000))

    @Slot()
    def _on_start(self) -> None:
        self._presenter.start_practice(PRACTICE)

    @Slot()
    def _on_stop(self) -> None:
        self._presenter.stop_practice(PRACTICE)

    @Slot()
    def _on_remove(self) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(_("Remove the practice cluster"))
        box.setText(_("Remove the practice cluster and everything deployed on it?"))
        keep = box.addButton(_("Keep"), QMessageBox.ButtonRole.RejectRole)
        remove = box.addButton(_("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        remove.setProperty("role", "danger")
        remove.clicked.connect(self._on_removed)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.open()

    @Slot()
    def _on_removed(self) -> None:
        self._presenter.remove_practice(PRACTICE)


def _practice_text(state: ClustersState, *, running: bool, exists: bool) -> str:
    work = state.practice
    if work.doing and work.about:
        return f"{translate(work.doing)}  ·  {work.about}"
    if work.doing:
        return translate(work.doing)
    if running:
        return _("It runs on this machine only: a real Kubernetes with simulated nodes, to try deploys on.")
    if exists:
        return _("It is stopped. What was deployed on it comes back when it is started.")
    return _("A real Kubernetes on this machine with simulated nodes: deploy before you have a cluster.")


class ClustersPage(Page):
    """Shows a ClustersPresenter; emits `cluster_chosen(name)` when a row is activated."""

    cluster_chosen = Signal(str)

    def __init__(self, presenter: ClustersPresenter) -> None:
        """Make the page for `presenter` as it stands."""
        super().__init__(_("Clusters"))
        self.presenter = presenter
        self._build_actions()
        self._problems = Problems()
        self._problem_card = QFrame()
        self._problem_card.setProperty("role", "card")
        holder = QVBoxLayout(self._problem_card)
        holder.setContentsMargins(14, 10, 14, 10)
        holder.addWidget(self._problems)
        self._practice = PracticeCard(presenter)
        self.content.addWidget(self._practice)
        self.content.addWidget(self._problem_card)
        self._card = TableCard()
        self._model = RowsModel(columns(), lambda one: one.entry.name)
        self.table = Table(self._model, _("Clusters"))
        self.table.setObjectName("clusters_table")
        self.table.activated_row.connect(self._on_activated)
        self.table.chosen.connect(self._on_chosen)
        self._stack = QStackedWidget()
        text = _("Add a kubeconfig file, or start the practice cluster above.")
        self._stack.addWidget(self.table)
        self._stack.addWidget(EmptyState("server-network", _("No clusters yet"), text))
        self._card.body.addWidget(self._stack, 1)
        self._detail = label("", "context", wrap=True, selectable=True)
        self._detail.setContentsMargins(14, 4, 14, 6)
        self._card.body.addWidget(self._detail)
        self.content.addWidget(self._card, 1000)
        self.content.addStretch(1)
        presenter.state_changed.connect(self._on_state)
        self._on_state()

    def _build_actions(self) -> None:
        self._check = button(_("Check"), "", "sync", _("Check the selected cluster"))
        self._check.setObjectName("check_cluster")
        self._check.clicked.connect(self._on_check)
        self._use = button(_("Work in it"), "", "", _("Work in the selected cluster"))
        self._use.clicked.connect(self._on_use)
        add = button(_("Add kubeconfig…"), "primary", "plus")
        add.setObjectName("add_kubeconfig")
        add.clicked.connect(self.add)
        reload = icon_button("refresh", _("Check all clusters again  Ctrl+R"))
        reload.clicked.connect(self.reload)
        for part in (reload, self._check, self._use, add):
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
        self._on_chosen()

    @Slot()
    def _on_chosen(self) -> None:
        chosen: ClusterRow | None = self.table.chosen_row()
        self._check.setEnabled(chosen is not None)
        self._use.setEnabled(chosen is not None)
        needed = chosen is not None and chosen.status.reach is Reach.APPROVAL_NEEDED
        self._check.setText(_("Show and approve…") if needed else _("Check"))
        self._detail.setText(translate(chosen.status.message) if chosen else "")
        self._detail.setVisible(bool(self._detail.text()))
        extra = self._detail.heightForWidth(self.width()) + 12 if self._detail.text() else 0
        self._card.fit(self.table.height_of_rows() + extra if self._model.rowCount() else 0)

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
