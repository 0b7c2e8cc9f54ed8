"""The cluster that is selected in the list: what is known of it, its connection test, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters.cluster_details import ClusterDetails
from ansflow_desktop.presenters.clusters_state import OWN, ClusterRow
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.cluster_stages import StageList
from ansflow_desktop.widgets.cluster_words import TYPES, flags, mark_look, name_of
from ansflow_desktop.widgets.controls import Card, Chip, ElidedLabel, FlowLayout, Symbol, button, clear, label, row


def reach_of(one: ClusterRow) -> words.Look:
    """Return how the state of a row looks."""
    return words.reach_look(one.status, stopped=one.practice and not one.running)


def latency_of(one: ClusterRow) -> str:
    """Return how long one request takes, empty where the cluster does not answer."""
    if one.status.reach is not Reach.REACHABLE:
        return ""
    return translate(msg("%(ms)s ms", ms=max(1, round(one.status.latency_ms))))


def version_of(one: ClusterRow) -> str:
    """Return the server's whole version and how long one request takes; empty where neither is known."""
    return "  ·  ".join(part for part in (one.status.version, latency_of(one)) if part)


class DetailCard(Card):
    """Emits what is asked for the cluster shown."""

    use_asked = Signal()
    check_asked = Signal()
    edit_asked = Signal()
    remove_asked = Signal()

    def __init__(self) -> None:
        """Start with no cluster."""
        super().__init__(spacing=8)
        self._shown: ClusterRow | None = None
        self._mark = Symbol("circle-outline", "muted", 16)
        self._name = ElidedLabel("", "card_title")
        self._state = Chip()
        head = row(self._mark, self._name, self._state)
        head.setStretch(1, 1)
        self.body.addLayout(head)
        self._about = label("", "context", wrap=True, selectable=True)
        self.body.addWidget(self._about)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)
        self._message = label("", "", wrap=True, selectable=True)
        self.body.addWidget(self._message)
        self._buttons()
        self.stages = StageList()
        self.body.addWidget(self.stages)

    def _buttons(self) -> None:
        self.use = button(_("Work in it"), "", "", _("Work in the selected cluster"))
        self.check = button(_("Test connection"), "", "connection", _("Test the connection to the selected cluster"))
        self.edit = button(_("Edit…"), "", "pencil-outline", _("Edit the selected cluster"))
        self.remove = button(_("Remove…"), "danger", "trash-can-outline", _("Remove the selected cluster"))
        flow = FlowLayout()
        for name, made, asked in (
            ("use_cluster", self.use, self.use_asked),
            ("check_cluster", self.check, self.check_asked),
            ("edit_cluster", self.edit, self.edit_asked),
            ("remove_cluster", self.remove, self.remove_asked),
        ):
            made.setObjectName(name)
            made.clicked.connect(asked)
            flow.addWidget(made)
        self.body.addLayout(flow)

    def show_details(self, details: ClusterDetails) -> None:
        """Show the details' cluster, or nothing."""
        one = details.row
        self.setVisible(one is not None)
        self.stages.show_test(details.diagnosis, testing=details.testing)
        self.check.setEnabled(not details.testing)
        if one is None:
            return
        told = details.diagnosis is not None and not details.testing  # the test says the same, and at which stage
        self._message.setVisible(bool(one.status.message) and not told)
        if one == self._shown:
            return
        self._shown = one
        self._head(one)
        marks = one.entry.marks
        self._about.setText(marks.description)
        self._about.setVisible(bool(marks.description))
        ways = {Reach.APPROVAL_NEEDED: _("Show and approve…"), Reach.LOCKED: _("Unlock…")}
        self.check.setText(ways.get(one.status.reach, _("Test connection")))
        self.remove.setVisible(one.entry.source == OWN)
        clear(self._grid)
        for number, (title, text) in enumerate(_facts(one)):
            self._grid.addWidget(label(title, "muted"), number, 0, Qt.AlignmentFlag.AlignTop)
            marked = title == _("Marks")  # a mark is never left out in the middle
            self._grid.addWidget(label(text, wrap=True) if marked else ElidedLabel(text), number, 1)

    def _head(self, one: ClusterRow) -> None:
        look, mark = reach_of(one), mark_look(one)
        self._mark.set(mark.icon, mark.tone)
        self._mark.setToolTip(translate(mark.word))
        self._name.set_text(one.entry.name)
        self._state.set(translate(look.word), look.icon, look.tone)
        self._message.setText(translate(one.status.message))


def _facts(one: ClusterRow) -> list[tuple[str, str]]:
    entry, plugin, marks = one.entry, one.entry.exec_plugin, one.entry.marks
    source = _("Practice cluster") if one.practice else _("Added by hand") if entry.source == OWN else entry.source
    found = [
        (_("Marks"), "  ·  ".join(flags(entry))),
        (_("Group"), marks.group),
        (_("Type"), name_of(TYPES, marks.type) if marks.type else ""),
        (_("Server"), entry.server),
        (_("Version"), version_of(one)),
        (_("From"), source),
        (_("User"), entry.user),
        (_("Namespace"), entry.namespace),
        (_("Logs in by"), plugin.command if plugin else ""),
        (_("TLS"), _("not verified") if entry.insecure else ""),
    ]
    return [(title, text) for title, text in found if text]
