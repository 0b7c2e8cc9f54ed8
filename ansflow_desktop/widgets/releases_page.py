"""The Releases page: every release of the chosen cluster, refreshed as it changes."""

from __future__ import annotations

import time
from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.release import Release
from ansflow_desktop.presenters.releases import ReleasesPresenter, ReleasesState, chart_parts
from ansflow_desktop.widgets import theme, words
from ansflow_desktop.widgets.controls import Chip, EmptyState, TableCard, button, icon_button, label, plain_tip, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.table import Column, RowsModel, Table

_AGE_MS = 10_000
_HISTORY_ROWS = 8


def columns() -> tuple[Column, ...]:
    """Return the columns in the language in use."""
    return (
        Column(title=_("Name"), text=lambda one: one.name, weight=5, least=120, strong=True),
        Column(title=_("Namespace"), text=lambda one: one.namespace, weight=3, least=90),
        Column(
            title=_("Chart"), text=lambda one: chart_parts(one.chart)[0], tip=lambda one: one.chart, weight=3, least=90
        ),
        Column(title=_("Version"), text=lambda one: chart_parts(one.chart)[1], tip=lambda one: one.chart, least=76),
        Column(title=_("App version"), text=lambda one: one.app_version, least=96),
        Column(
            title=_("Revision"), text=lambda one: str(one.revision), sort=lambda one: one.revision, weight=1, least=80
        ),
        Column(
            title=_("Status"),
            text=lambda one: str(one.status),
            look=lambda one: words.release_look(one.status),
            tip=lambda one: one.description or str(one.status),
            weight=3,
            least=130,
        ),
        Column(title=_("Updated"), text=updated, sort=_when, tip=_exactly, weight=3, least=110),
    )


def _when(release: Release) -> float:
    try:
        return -datetime.fromisoformat(release.updated).timestamp()
    except ValueError:
        return 0.0


def updated(release: Release) -> str:
    """Return how long ago a release was updated."""
    when = -_when(release)
    return words.age(time.time() - when) if when else release.updated


def _exactly(release: Release) -> str:
    when = -_when(release)
    return datetime.fromtimestamp(when).astimezone().isoformat(" ", "seconds") if when else release.updated


def history_columns() -> tuple[Column, ...]:
    """Return the columns of a release's history in the language in use."""
    return (
        Column(
            title=_("Revision"), text=lambda one: str(one.revision), sort=lambda one: -one.revision, weight=1, least=80
        ),
        Column(
            title=_("Status"),
            text=lambda one: str(one.status),
            look=lambda one: words.release_look(one.status),
            weight=1,
            least=136,
        ),
        Column(title=_("Version"), text=lambda one: chart_parts(one.chart)[1], tip=lambda one: one.chart, least=80),
        Column(title=_("App version"), text=lambda one: one.app_version, weight=1, least=96),
        Column(title=_("Updated"), text=updated, sort=_when, tip=_exactly, least=120),
        Column(title=_("What Helm says"), text=_said, tip=_said, weight=5, least=190),
    )


def _said(release: Release) -> str:
    return release.description


class ReleaseDialog(Dialog):
    """One release: what Helm said last, when, and every revision that is kept. Read-only."""

    def __init__(self, parent: QWidget, presenter: ReleasesPresenter, release: Release) -> None:
        """Ask for the history of `release` and show what is known of it at once."""
        super().__init__(parent, release.name)
        self._key = (release.namespace, release.name)
        self.setMinimumWidth(min(860, parent.window().width() - 80))
        look = words.release_look(release.status)
        where = msg("in %(namespace)s, last changed %(when)s", namespace=release.namespace, when=_exactly(release))
        line = row(Chip(translate(look.word), look.icon, look.tone), label(translate(where), "context"), 1, spacing=10)
        self.body.addLayout(line)
        if release.description:
            self.body.addWidget(label(release.description, "", wrap=True, selectable=True))
        self._model = RowsModel(history_columns(), lambda one: f"{one.revision:09d}")
        self.table = Table(self._model, _("History of the release"))
        self.table.setObjectName("history_table")
        self._waiting = label(_("Reading the history…"), "context", wrap=True, selectable=True)
        card = TableCard()
        card.body.addWidget(self.table)
        self._card = card
        card.hide()
        self.body.addWidget(self._waiting)
        self.body.addWidget(card, 1)
        close = button(_("Close"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.body.addLayout(row(1, close))
        presenter.history_read.connect(self._on_history)
        presenter.read_history(release)

    @Slot(object, object)
    def _on_history(self, release: Release, answer: object) -> None:
        if (release.namespace, release.name) != self._key:
            return
        if isinstance(answer, UserError):
            parts = (answer.title, answer.message, answer.hint)
            self._waiting.setText("\n".join(translate(part) for part in parts if part))
            return
        rows: tuple[Release, ...] = tuple(answer)  # type: ignore[arg-type]  # a signal's object
        self._model.set_rows(rows)
        self._waiting.setText(_("No revision is kept any more."))
        self._waiting.setVisible(not rows)
        self._card.setVisible(bool(rows))
        shown = min(self.table.height_of_rows(), 34 + _HISTORY_ROWS * theme.ROW_PX)
        self._card.setFixedHeight(shown + 12)
        self.adjustSize()


class Skeleton(QWidget):
    """The shape of the rows that come, while they are loading."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint pale bars where texts will stand."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number in range(max(1, self.height() // theme.ROW_PX)):
            top = number * theme.ROW_PX
            painter.setPen(QColor(theme.colour("line")))
            painter.drawLine(0, top + theme.ROW_PX - 1, self.width(), top + theme.ROW_PX - 1)
            painter.setBrush(QColor(theme.colour("hover")))
            painter.setPen(QColor(theme.colour("hover")))
            for part, share in ((0.0, 0.16), (0.24, 0.1), (0.4, 0.14), (0.62, 0.06), (0.8, 0.1)):
                left = 14 + int(self.width() * part)
                painter.drawRoundedRect(left, top + 12, int(self.width() * share), 12, 4, 4)


class ReleasesPage(Page):
    """Shows a ReleasesPresenter; emits `deploy_asked()`."""

    deploy_asked = Signal()

    def __init__(self, presenter: ReleasesPresenter) -> None:
        """Make the page for `presenter` as it stands."""
        super().__init__(_("Releases"))
        self.presenter = presenter
        self._build_actions()
        self._card = TableCard()
        self._stack = QStackedWidget()
        self._card.body.addWidget(self._stack)
        self.content.addWidget(self._card, 1000)
        self.content.addStretch(1)
        self._model = RowsModel(columns(), lambda one: f"{one.namespace}/{one.name}")
        self.table = Table(self._model, _("Releases"))
        self.table.setObjectName("releases_table")
        self.table.setToolTip(_("Enter or a double click shows the release's history"))
        self.table.activated_row.connect(self._on_activated)
        self._skeleton = Skeleton()
        self._build_empty()
        for part in (self.table, self._skeleton, self._none, self._no_match, self._broken):
            self._stack.addWidget(part)
        self._timer = QTimer(self)
        self._timer.setInterval(_AGE_MS)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start()
        presenter.state_changed.connect(self._on_state)
        self._on_state()

    def _build_actions(self) -> None:
        self._stale = Chip("", "alert", "warn")
        self._stale.hide()
        self._filter = QLineEdit()
        self._filter.setObjectName("release_filter")
        self._filter.setPlaceholderText(_("Filter   /"))
        self._filter.setAccessibleName(_("Filter releases"))
        self._filter.setClearButtonEnabled(False)
        self._filter.setFixedWidth(220)
        self._filter.setText(self.presenter.state.text)
        self._filter.textChanged.connect(self.presenter.filter)
        reload = icon_button("refresh", _("Read the releases again  Ctrl+R"))
        reload.clicked.connect(self.presenter.reload)
        for part in (self._stale, self._filter, reload):
            self.action_row.addWidget(part)

    def _build_empty(self) -> None:
        deploy = button(_("Deploy a chart"), "primary", "rocket-launch-outline")
        deploy.clicked.connect(self.deploy_asked)
        self._none = EmptyState(
            "package-variant-closed",
            _("No releases yet"),
            _("What is deployed to this cluster by Helm stands here."),
            deploy,
        )
        clear_button = button(_("Clear the filter"))
        clear_button.clicked.connect(self._filter.clear)
        self._no_match = EmptyState(
            "magnify", _("No release matches"), _("Every word of the filter must occur."), clear_button
        )
        again = button(_("Try again"), "", "refresh")
        again.clicked.connect(self.presenter.reload)
        self._broken_text = label("", "context", wrap=True, selectable=True)
        self._broken_text.setFixedWidth(520)
        self._broken_text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._broken = EmptyState("server-network", _("The releases could not be read"), "")
        self._broken.add(self._broken_text)
        self._broken.add(again)

    @Slot()
    def _on_tick(self) -> None:
        self._on_state()
        self.table.viewport().update()

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        self._model.set_rows(state.rows)
        part = self._part(state)
        self._stack.setCurrentWidget(part)
        self._card.fit(self.table.height_of_rows() if part is self.table else 0)
        self.set_context(_context(state))
        self._stale.setVisible(state.stale)
        if state.stale:
            ago = words.age(time.time() - state.fresh_at)
            self._stale.set(translate(msg("Reconnecting, read %(ago)s", ago=ago)), "alert", "warn")
            self._stale.setToolTip(plain_tip(words.error_lines(state.error)))
        self._broken_text.setText(words.error_lines(state.error))
        self._broken_text.setMinimumHeight(max(0, self._broken_text.heightForWidth(520)))

    @Slot(object)
    def _on_activated(self, chosen: Release | None) -> None:
        if chosen is not None:
            ReleaseDialog(self, self.presenter, chosen).open()

    def _part(self, state: ReleasesState) -> QWidget:
        if state.rows:
            return self.table
        if state.error is not None:
            return self._broken
        if state.loading or not state.cluster or not state.fresh_at:
            return self._skeleton
        return self._no_match if state.total else self._none

    def reload(self) -> None:
        """Read everything again (Ctrl+R)."""
        self.presenter.reload()

    def focus_filter(self) -> None:
        """Put the keyboard into the filter (/)."""
        self._filter.setFocus()
        self._filter.selectAll()

    def focus_first(self) -> None:
        """Put the keyboard into the table."""
        self.table.setFocus()

    def leave(self) -> bool:
        """Clear the filter (Esc)."""
        had = bool(self._filter.text())
        self._filter.clear()
        if self._filter.hasFocus():
            self._filter.clearFocus()  # a table that is not shown yet takes no keyboard
            self.table.setFocus()
            had = True
        return had


def _context(state: ReleasesState) -> str:
    where = state.namespace or _("all namespaces")
    count = translate(msg_n("%(count)s release", "%(count)s releases", state.total))
    if len(state.rows) != state.total:
        count = translate(msg("%(shown)s of %(count)s", shown=len(state.rows), count=count))
    return translate(msg("%(count)s in %(where)s", count=count, where=where)) if state.fresh_at else where
