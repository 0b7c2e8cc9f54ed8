"""The practice clusters: start, stop and remove each, make another one by name, and what is being done to one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.clusters import ClustersPresenter
from ansflow_desktop.presenters.clusters_state import PRACTICE, ClustersState, PracticeRow, PracticeState
from ansflow_desktop.widgets.controls import (
    Card,
    CheckBox,
    Chip,
    ElidedLabel,
    FlowLayout,
    button,
    clear,
    label,
    row,
    rule,
)
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog


class PracticeLine(QFrame):
    """One practice cluster with its actions; its buttons are found as `practice_start`, `_stop` and `_remove`."""

    started = Signal(str)
    stopped = Signal(str)
    removed = Signal(str)

    def __init__(self, one: PracticeRow, *, busy: bool) -> None:
        """Show `one`; while `busy` with some practice cluster nothing else can be begun."""
        super().__init__()
        self._name = one.name
        self.setProperty("role", "plain")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 6)
        layout.setSpacing(6)
        state = Chip(*((_("Running"), "check-circle", "ok") if one.running else (_("Stopped"), "stop", "muted")))
        state.setVisible(one.made)
        layout.addLayout(row(ElidedLabel(one.name, "strong"), state))
        if one.exec_here:
            layout.addLayout(row(Chip(_("Exec runs on this machine"), "alert", "warn"), 1))
        flow = FlowLayout()
        for made in self._buttons(one):
            made.setEnabled(not busy)
            flow.addWidget(made)
        layout.addLayout(flow)

    def _buttons(self, one: PracticeRow) -> list[QWidget]:
        name = {"name": one.name}
        found: list[QWidget] = []
        if one.running:
            stop = button(_("Stop"), "", "stop", translate(msg("Stop practice cluster %(name)s", **name)))
            stop.setObjectName("practice_stop")
            stop.clicked.connect(self._on_stop)
            found.append(stop)
        else:
            start = button(_("Start"), "", "play", translate(msg("Start practice cluster %(name)s", **name)))
            start.setObjectName("practice_start")
            start.clicked.connect(self._on_start)
            found.append(start)
        if one.made:
            words = translate(msg("Remove practice cluster %(name)s", **name))
            remove = button(_("Remove…"), "danger", "trash-can-outline", words)
            remove.setObjectName("practice_remove")
            remove.clicked.connect(self._on_remove)
            found.append(remove)
        return found

    @Slot()
    def _on_start(self) -> None:
        self.started.emit(self._name)

    @Slot()
    def _on_stop(self) -> None:
        self.stopped.emit(self._name)

    @Slot()
    def _on_remove(self) -> None:
        self.removed.emit(self._name)


class PracticeCard(Card):
    """All practice clusters of this data directory."""

    def __init__(self, presenter: ClustersPresenter) -> None:
        """Show what `presenter` knows."""
        super().__init__(_("Practice clusters"), spacing=8)
        self._presenter = presenter
        self._shown: tuple[object, ...] = ()
        more = button(_("New…"), "link", "plus", _("Make another practice cluster"))
        more.setObjectName("practice_new")
        more.clicked.connect(self._on_new)
        self._more = more
        self.header.addWidget(more)
        about = _("A real Kubernetes on this machine with simulated nodes: deploy before you have a cluster.")
        self.body.addWidget(label(about, "context", wrap=True))
        self.body.addWidget(self._work())
        self._lines = QVBoxLayout()
        self._lines.setSpacing(0)
        self.body.addLayout(self._lines)

    def _work(self) -> QWidget:
        self._busy = QWidget()
        layout = QVBoxLayout(self._busy)
        layout.setContentsMargins(0, 4, 0, 4)
        self._doing = label("", "", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the practice cluster"))
        self._cancel = button(_("Cancel"), "danger", "", _("Cancel the start of the practice cluster"))
        self._cancel.setObjectName("practice_cancel")
        self._cancel.clicked.connect(self._presenter.cancel_practice)
        layout.addWidget(self._doing)
        layout.addWidget(self._bar)
        layout.addLayout(row(self._cancel, 1))
        return self._busy

    def show_state(self, state: ClustersState) -> None:
        """Show how the practice clusters stand."""
        work = state.practice
        busy = bool(work.doing)
        self._busy.setVisible(busy)
        self._more.setEnabled(not busy)
        self._doing.setText(_doing(work) if busy else "")
        self._cancel.setVisible(work.can_cancel)
        self._bar.setRange(0, 0 if work.fraction is None else 1000)
        self._bar.setValue(0 if work.fraction is None else int(work.fraction * 1000))
        if self._shown != (state.practices, busy):
            self._shown = (state.practices, busy)
            self._fill(state.practices, busy=busy)

    def _fill(self, practices: tuple[PracticeRow, ...], *, busy: bool) -> None:
        clear(self._lines)
        for number, one in enumerate(practices):
            if number:
                self._lines.addWidget(rule())
            line = PracticeLine(one, busy=busy)
            line.started.connect(self._on_start)
            line.stopped.connect(self._presenter.stop_practice)
            line.removed.connect(self._on_remove)
            self._lines.addWidget(line)

    @Slot(str)
    def _on_start(self, name: str) -> None:
        known = {one.name: one.exec_here for one in self._presenter.state.practices}
        self._presenter.start_practice(name, exec_here=known.get(name, False))

    @Slot(str)
    def _on_remove(self, name: str) -> None:
        text = translate(msg("Remove practice cluster %(name)s and everything deployed on it?", name=name))
        title = _("Remove the practice cluster")
        dialog = DeleteDialog(self, text, "", _("Remove"), title=title, keep=_("Keep"))
        dialog.confirmed.connect(partial(self._presenter.remove_practice, name))
        dialog.open()

    @Slot()
    def _on_new(self) -> None:
        NewPracticeDialog(self, self._presenter).open()


def _doing(work: PracticeState) -> str:
    parts = (work.name, translate(work.doing), work.about if work.about != work.name else "")
    return "  ·  ".join(part for part in parts if part)


class NewPracticeDialog(Dialog):
    """Asks for the name of a new practice cluster, and whether exec may run on this machine."""

    def __init__(self, parent: QWidget, presenter: ClustersPresenter) -> None:
        """Offer a name that is free."""
        super().__init__(parent, _("New practice cluster"))
        self._presenter = presenter
        self.setMinimumWidth(440)
        self._line = QLineEdit(_free_name(presenter.state))
        self._line.setObjectName("practice_name")
        self._line.setAccessibleName(_("Name of the practice cluster"))
        self._line.textChanged.connect(self._on_typed)
        self._field = Field(_("Name"), self._line)
        self._exec = CheckBox(_("Let exec run on this machine"))
        self._exec.setObjectName("practice_exec")
        note = _("Pods here are simulated. With this, a command run in one runs on your machine, with your rights.")
        self._start = button(_("Start"), "primary")
        self._start.setObjectName("practice_make")
        self._start.setDefault(True)
        self._start.clicked.connect(self._on_start)
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        for part in (self._field, self._exec, label(note, "muted", wrap=True)):
            self.body.addWidget(part)
        self.body.addLayout(row(1, cancel, self._start))
        self._line.selectAll()

    @Slot(str)
    def _on_typed(self, text: str) -> None:
        why = self._presenter.practice_name_problem(text.strip())
        self._field.show_problems((Problem(field="name", title=why),) if why else ())
        self._start.setEnabled(not why)

    @Slot()
    def _on_start(self) -> None:
        self.accept()
        self._presenter.start_practice(self._line.text().strip(), exec_here=self._exec.isChecked())


def _free_name(state: ClustersState) -> str:
    taken = {one.name for one in state.practices if one.made} | {
        one.entry.name for one in state.rows if not one.practice
    }
    names = (PRACTICE, *(f"{PRACTICE}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
