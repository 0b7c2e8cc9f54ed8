"""Figures of a cluster as small cards: nodes, namespaces, pods by phase, workloads by health, CPU and memory."""

from __future__ import annotations

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QProgressBar, QVBoxLayout, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, _, msg, msg_n, translate
from ansflow_desktop.models.cluster import Amount, ClusterStatistics
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.models.run import Health
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.controls import Card, Chip, FlowLayout, clear, icon_button, label, row, rule, set_property
from ansflow_desktop.widgets.fields import Problems

_PHASES: tuple[tuple[str, Message, str, str], ...] = (
    ("Running", msg("Running"), "check-circle", "ok"),
    ("Pending", msg("Pending"), "clock-outline", "warn"),
    ("Failed", msg("Failed"), "close-circle", "bad"),
    ("Succeeded", msg("Succeeded"), "check", "muted"),
    ("Unknown", msg("Unknown"), "help-circle", "muted"),
)
_FULL, _HIGH = 0.95, 0.8
_GI = 1024.0**3


class StatisticsCard(Card):
    """Shows ClusterStatistics; emits `read_asked()`."""

    read_asked = Signal()

    def __init__(self) -> None:
        """Start with nothing read."""
        super().__init__(_("Statistics"), spacing=10)
        self._shown: object = None
        self._age = label("", "muted")
        self._again = icon_button("refresh", _("Read the statistics again"))
        self._again.setObjectName("statistics_again")
        self._again.clicked.connect(self.read_asked)
        self.header.addWidget(self._age)
        self.header.addWidget(self._again)
        self._problems = Problems()
        self.body.addWidget(self._problems)
        self._inside = QVBoxLayout()
        self._inside.setSpacing(10)
        self.body.addLayout(self._inside)

    def show_statistics(self, found: ClusterStatistics | None, error: UserError | None, *, reading: bool) -> None:
        """Show what was read, that it is being read, or why it was not; takes no room where there is none of it."""
        self.setVisible(found is not None or error is not None or reading)
        self._again.setEnabled(not reading)
        self._age.setText(_("Reading") if reading else words.age(time.time() - found.read_at) if found else "")
        self._problems.show_problems(_as_problems(error))
        shown = found or (ClusterStatistics(cluster="") if reading else None)  # while read: the shape of what comes
        if shown != self._shown:
            self._shown = shown
            clear(self._inside)
            if shown is not None:
                self._fill(shown)

    def _fill(self, found: ClusterStatistics) -> None:
        self._inside.addLayout(_counts(found))
        chips = _chips(found)
        if chips is not None:
            self._inside.addWidget(chips)
        if found.workloads:
            self._inside.addWidget(rule())
            self._inside.addLayout(_workloads(found.workloads))
        if found.allocatable is not None:
            self._inside.addWidget(rule())
            self._inside.addLayout(_amounts(found, found.allocatable))
        for message in found.messages:
            self._inside.addWidget(label(translate(message), "muted", wrap=True, selectable=True))


def _as_problems(error: UserError | None) -> tuple[Problem, ...]:
    if error is None:
        return ()
    return (Problem(field="", title=error.title, message=error.message, hint=error.hint),)


def _counts(found: ClusterStatistics) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(0)
    pods = sum(found.pods.values()) if found.pods is not None else None
    ready = msg("%(ready)s of %(count)s ready", ready=found.nodes_ready or 0, count=found.nodes or 0)
    figures = (
        (_("Nodes"), found.nodes, translate(ready) if found.nodes_ready is not None and found.nodes else ""),
        (_("Namespaces"), found.namespaces, ""),
        (_("Pods"), pods, ""),
    )
    for number, (title, count, more) in enumerate(figures):
        grid.addWidget(label(title, "muted"), 0, number)
        value = label("–" if count is None else f"{count:,}", "page_title")
        value.setAccessibleName(f"{title}: {_('not known') if count is None else count}")
        grid.addWidget(value, 1, number)
        grid.addWidget(label(more, "muted"), 2, number)
        grid.setColumnStretch(number, 1)
    return grid


def _chips(found: ClusterStatistics) -> QWidget | None:
    if not found.pods:
        return None
    holder = QWidget()
    flow = FlowLayout()
    holder.setLayout(flow)
    for phase, word, icon, tone in _PHASES:
        if found.pods.get(phase):
            text = msg("%(count)s %(state)s", count=f"{found.pods[phase]:,}", state=translate(word))
            flow.addWidget(Chip(translate(text), icon, tone))
    return holder


def _workloads(workloads: dict[str, dict[str, int]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(1, 1)
    for number, (kind, counts) in enumerate(workloads.items()):
        grid.addWidget(label(kind, "muted"), number, 0)
        flow = FlowLayout()
        for health, count in counts.items():
            look = words.HEALTH.get(Health(health), words.HEALTH[Health.UNKNOWN]) if _known(health) else None
            look = look or words.HEALTH[Health.UNKNOWN]
            text = msg("%(count)s %(state)s", count=f"{count:,}", state=translate(look.word))
            flow.addWidget(Chip(translate(text), look.icon, look.tone))
        if not counts:
            flow.addWidget(label(_("none"), "muted"))
        grid.addLayout(flow, number, 1)
    return grid


def _known(health: str) -> bool:
    return health in {one.value for one in Health}


def _amounts(found: ClusterStatistics, room: Amount) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(8)
    asked, used = found.requested, found.used
    for title, total, wanted, taken, shown in (
        (_("CPU"), room.cpu, asked.cpu if asked else None, used.cpu if used else None, _cores),
        (_("Memory"), room.memory, asked.memory if asked else None, used.memory if used else None, _bytes),
    ):
        for word, value in ((_("requested"), wanted), (_("used"), taken)):
            if value is not None:
                text = msg("%(value)s of %(total)s %(word)s", value=shown(value), total=shown(total), word=word)
                column.addLayout(row(label(title, "muted"), 1, label(translate(text))))
                column.addWidget(_bar(value / total if total else 0, f"{title} {word}"))
    if asked is None and not found.complete:
        column.addWidget(label(_("What pods request is being read."), "muted", wrap=True))
    if used is None:
        column.addWidget(
            label(_("What is used is not measured: the cluster has no metrics server."), "muted", wrap=True)
        )
    return column


def _bar(share: float, name: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setTextVisible(False)
    bar.setAccessibleName(name)
    bar.setRange(0, 1000)
    bar.setValue(min(1000, round(share * 1000)))
    set_property(bar, "tone", "bad" if share > _FULL else "warn" if share > _HIGH else "ok")
    return bar


def _cores(value: float) -> str:
    return translate(msg_n("%(count)s core", "%(count)s cores", round(value), count=f"{value:.4g}"))


def _bytes(value: float) -> str:
    return f"{value / _GI:.3g} GiB" if value < 1000 * _GI else f"{value / _GI:,.0f} GiB"
