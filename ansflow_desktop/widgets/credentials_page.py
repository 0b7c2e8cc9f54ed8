"""The Credentials page: four numbers, a time line, a table, and the details of one with what to do."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.credential import CredentialReport
from ansflow_desktop.presenters.credentials import CredentialsPresenter
from ansflow_desktop.presenters.credentials_state import CredentialsState, RenewalForm, Unread
from ansflow_desktop.widgets import words
from ansflow_desktop.widgets.controls import (
    Card,
    Chip,
    EmptyState,
    TableCard,
    button,
    icon_button,
    label,
    plain_tip,
    row,
)
from ansflow_desktop.widgets.controls import Column as ScrolledColumn
from ansflow_desktop.widgets.credentials_details import DetailCard, FirstThings
from ansflow_desktop.widgets.credentials_note import Note
from ansflow_desktop.widgets.credentials_numbers import Numbers
from ansflow_desktop.widgets.credentials_table import columns
from ansflow_desktop.widgets.credentials_timeline import Timeline
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.releases_page import Skeleton
from ansflow_desktop.widgets.table import RowsModel, Table

_SIDE = 330
_AGE_MS = 10_000
_MISSING = 2
_FIRST, _LOW = 3, 720


class CredentialsPage(Page):
    """Shows a CredentialsPresenter; emits `unlock_asked()` where the vault hides what one wants to see.

    `approve_asked(cluster)` comes where the credential program of a cluster is to be shown and approved.
    """

    unlock_asked = Signal()
    approve_asked = Signal(str)

    def __init__(self, presenter: CredentialsPresenter) -> None:
        """Make the page for `presenter` as it stands."""
        super().__init__(_("Credentials"))
        self.presenter = presenter
        self._build_actions()
        line = QHBoxLayout()
        line.setSpacing(14)
        line.addWidget(self._main(), 7)
        line.addWidget(self._side(), 3)
        self.content.addLayout(line, 1)
        self._timer = QTimer(self)
        self._timer.setInterval(_AGE_MS)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start()
        presenter.state_changed.connect(self._on_state)
        self._on_state()
        if not presenter.state.asked_at and not presenter.state.asking:
            presenter.load()

    def _build_actions(self) -> None:
        self._asking = Chip("", "progress-clock", "accent")
        self._filter = QLineEdit()
        self._filter.setObjectName("credential_filter")
        self._filter.setPlaceholderText(_("Filter   /"))
        self._filter.setAccessibleName(_("Filter credentials"))
        self._filter.setFixedWidth(190)
        self._filter.setText(self.presenter.state.text)
        self._filter.textChanged.connect(self.presenter.filter)
        remind = icon_button("bell-outline", _("Reminders…"))
        remind.setObjectName("reminders")
        remind.clicked.connect(self._on_reminders)
        check = icon_button("refresh", _("Ask every server now  Ctrl+R"))
        check.setObjectName("check_credentials")
        check.clicked.connect(self.reload)
        for part in (self._asking, self._filter, remind, check):
            self.action_row.addWidget(part)

    def _main(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        self.numbers = Numbers()
        self.numbers.chosen.connect(self.presenter.show_group)
        self._line_card = Card(margins=14, spacing=4)
        self._line_title = label("", "card_title")
        self._line_note = label("", "muted")
        self._line_card.body.addLayout(row(self._line_title, 1, self._line_note))
        self.timeline = Timeline()
        self.timeline.chosen.connect(self._on_picked)
        self._line_card.body.addWidget(self.timeline)
        self.missing = Note()
        self._unlock_missing = button(_("Unlock…"), "", "lock-outline")
        self._unlock_missing.setObjectName("unlock_missing")
        self._unlock_missing.clicked.connect(self.unlock_asked)
        self.missing.line.addWidget(self._unlock_missing)
        self._approve = button(_("Show and approve…"))
        self._approve.setObjectName("approve_missing")
        self._approve.clicked.connect(self._on_approve)
        self.missing.line.addWidget(self._approve)
        for part in (self.missing, self.numbers, self._line_card):
            layout.addWidget(part)
        layout.addWidget(self._list(), 1000)
        layout.addStretch(1)
        return holder

    def _list(self) -> TableCard:
        self._card = TableCard()
        self._model = RowsModel(columns(), lambda one: one.credential.id)
        self.table = Table(self._model, _("Credentials"))
        self.table.setObjectName("credentials_table")
        self.table.setMinimumHeight(120)
        self.table.chosen.connect(self._on_chosen)
        self.table.activated_row.connect(self._on_activated)
        self._stack = QStackedWidget()
        self._skeleton = Skeleton()
        text = _("Every token, certificate and login that your clusters use stands here once there is a cluster.")
        self._none = EmptyState("key-chain-variant", _("No credentials yet"), text, width=380)
        again = button(_("Show all"))
        again.clicked.connect(self._on_show_all)
        self._no_match = EmptyState("magnify", _("No credential matches"), "", again)
        self._broken_text = label("", "context", wrap=True, selectable=True)
        self._broken_text.setFixedWidth(420)
        self._unlock = button(_("Unlock…"), "primary", "lock-outline")
        self._unlock.clicked.connect(self.unlock_asked)
        self._broken = EmptyState("lock-outline", _("The credentials could not be read"), "", width=380)
        self._broken.add(self._broken_text)
        self._broken.add(self._unlock)
        for part in (self.table, self._skeleton, self._none, self._no_match, self._broken):
            self._stack.addWidget(part)
        self._card.body.addWidget(self._stack)
        return self._card

    def _side(self) -> ScrolledColumn:
        side = ScrolledColumn(_SIDE)
        side.setMaximumWidth(_SIDE + 70)
        layout = QVBoxLayout(side.inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        self._first = FirstThings()
        self._first.chosen.connect(self._on_picked)
        self.detail = DetailCard()
        self.detail.renew_asked.connect(self._on_renew)
        self.detail.automate_asked.connect(self._on_automate)
        for part in (self._first, self.detail):
            layout.addWidget(part)
        layout.addStretch(1)
        self._side_column = side
        return side

    # State

    @Slot()
    def _on_tick(self) -> None:
        self._on_state()
        self.table.viewport().update()
        self.timeline.update()

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        self._model.set_rows(state.rows)
        part = self._part(state)
        self._stack.setCurrentWidget(part)
        self._card.fit(self.table.height_of_rows() if part is self.table else 0)
        self.set_context(_context(state))
        self._asking.setVisible(state.asking and not state.loading)
        self._asking.set(_("Asking the servers"), "progress-clock", "accent")
        self.numbers.setVisible(bool(state.reports))
        self.numbers.show_counts(state.counts, state.group, state.warn_days)
        self.timeline.show_reports(state.rows, state.chosen)
        self._line_card.setVisible(bool(state.rows) and self.timeline.has_ends)
        self._line_title.setText(self.timeline.heading())
        self._line_note.setText(self.timeline.note())
        self._show_error(state)
        self._show_missing(state)
        self._show_side(state)

    def _show_missing(self, state: CredentialsState) -> None:
        """Say which clusters' credentials are not in the list, and why."""
        count = len(state.unread)
        title = msg_n("%(count)s cluster could not be read", "%(count)s clusters could not be read", count)
        lines = [_unread(one) for one in state.unread]
        room = self.height() > _LOW
        shown = lines if room else [_unread(one, hint=False) for one in state.unread]  # all of it is in the tool tip
        self.missing.say(translate(title) if count else "", "\n".join(shown[:_MISSING]), "alert", "warn")
        self.missing.setToolTip(plain_tip("\n".join(lines)))
        self._unlock_missing.setVisible(state.locked)
        self._approve.setVisible(any(one.unapproved for one in state.unread))

    def _part(self, state: CredentialsState) -> QWidget:
        if state.rows:
            return self.table
        if state.loading:
            return self._skeleton
        if state.error is not None:
            return self._broken
        return self._no_match if state.reports else self._none

    def _show_error(self, state: CredentialsState) -> None:
        error = state.error
        parts = (error.title, error.message, error.hint) if error is not None else ()
        self._broken_text.setText("\n".join(translate(part) for part in parts if part))
        self._broken_text.setMinimumHeight(max(0, self._broken_text.heightForWidth(420)))
        self._unlock.setVisible(state.locked)

    def _show_side(self, state: CredentialsState) -> None:
        if state.rows and self.table.chosen_row() is None:
            first = state.actions[0].credential if state.actions else ""
            self.table.choose(state.chosen or first)
            if self.table.chosen_row() is None:
                self.table.selectRow(0)
        names = {one.credential.id: one.credential.name for one in state.reports}
        self._first.show_actions(state.actions, names, _FIRST if self.height() > _LOW else 1)
        report = state.row
        self.detail.show_report(report, can_renew=report is not None and self.presenter.form(report) is not None)
        self._side_column.setVisible(bool(state.reports))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave room for the details where the window is low."""
        super().resizeEvent(event)
        self._show_side(self.presenter.state)
        self._show_missing(self.presenter.state)

    # What a person does

    @Slot()
    def _on_chosen(self) -> None:
        chosen: CredentialReport | None = self.table.chosen_row()
        if chosen is not None:
            self.presenter.choose(chosen.credential.id)

    @Slot(str)
    def _on_picked(self, credential: str) -> None:
        if self._model.number_of(credential) is None:
            self._on_show_all()
        self.table.choose(credential)

    @Slot()
    def _on_show_all(self) -> None:
        self._filter.clear()
        self.presenter.show_group(None)

    @Slot(object)
    def _on_activated(self, _report: CredentialReport | None) -> None:
        self._on_renew()

    @Slot()
    def _on_approve(self) -> None:
        """Ask for the first program that was not approved; the next one is asked for afterwards."""
        found = next((one.cluster for one in self.presenter.state.unread if one.unapproved), "")
        if found:
            self.approve_asked.emit(found)

    @Slot()
    def _on_renew(self) -> None:
        form = self._form()
        if form is not None:
            from ansflow_desktop.widgets.credentials_renew import RenewDialog

            RenewDialog(self, self.presenter, form).open()

    @Slot(tuple)
    def _on_automate(self, kinds: tuple[str, ...]) -> None:
        form = self._form()
        if form is not None:
            from ansflow_desktop.widgets.credentials_automation import AutomationDialog

            AutomationDialog(self, self.presenter, form, kinds).open()

    def _form(self) -> RenewalForm | None:
        report = self.presenter.state.row
        return self.presenter.form(report) if report is not None else None

    @Slot()
    def _on_reminders(self) -> None:
        from ansflow_desktop.widgets.credentials_reminders import RemindersDialog

        RemindersDialog(self, self.presenter).open()

    @Slot()
    def reload(self) -> None:
        """Ask every server anew (Ctrl+R)."""
        self.presenter.check_all()

    def trigger(self) -> None:
        """Renew the chosen credential (Ctrl+Return)."""
        self._on_renew()

    def focus_filter(self) -> None:
        """Put the keyboard into the filter (/)."""
        self._filter.setFocus()

    def focus_first(self) -> None:
        """Put the keyboard into the table."""
        self.table.setFocus()

    def leave(self) -> bool:
        """Clear the filter (Esc)."""
        had = bool(self._filter.text()) or self.presenter.state.group is not None
        self._on_show_all()
        if self._filter.hasFocus():
            self._filter.clearFocus()  # a table that is not shown yet takes no keyboard
            self.table.setFocus()
            had = True
        return had


def _unread(one: Unread, *, hint: bool = True) -> str:
    why, more = translate(one.why), translate(one.hint) if hint else ""
    said = translate(msg("%(cluster)s: %(why)s.", cluster=one.cluster, why=why.rstrip(".。")))
    return f"{said} {more}".rstrip()


def _context(state: CredentialsState) -> str:
    if not state.reports:
        return ""
    used = translate(msg_n("%(count)s cluster", "%(count)s clusters", state.clusters))
    text = translate(msg_n("%(count)s in use by %(clusters)s", "%(count)s in use by %(clusters)s", len(state.reports),
                           clusters=used))  # fmt: skip
    if not state.asked_at:
        return text
    ago = words.age(time.time() - state.asked_at)
    return translate(msg("%(text)s, asked %(ago)s", text=text, ago=ago))
