"""The dialog for reminders: what "soon" means, and on which days before an end one is told."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from ansflow_desktop.i18n import _, msg_n, translate
from ansflow_desktop.presenters.credentials import CredentialsPresenter
from ansflow_desktop.widgets.controls import CheckBox, button, label, row
from ansflow_desktop.widgets.credentials_form import choice
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field

DAYS = (60, 30, 14, 7, 3, 1)
_IN_A_ROW = 3
_SOON = (1, 3, 7, 14, 30, 60, 90)


class RemindersDialog(Dialog):
    """Chooses the days; saved when one says so."""

    def __init__(self, parent: QWidget, presenter: CredentialsPresenter) -> None:
        """Show the days as they are."""
        super().__init__(parent, _("Reminders"))
        self._presenter = presenter
        self.setMinimumWidth(460)
        text = _("You are told once on each of these days, and at the end itself, while AnsFlow is open.")
        self.body.addWidget(label(text, "context", wrap=True))
        self._build_days()
        self._build_end()

    def _build_days(self) -> None:
        state = self._presenter.state
        self.days = {day: CheckBox(_day(day)) for day in sorted({*DAYS, *state.reminder_days}, reverse=True)}
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        for number, (day, box) in enumerate(self.days.items()):
            box.setObjectName(f"remind_{day}")
            box.setChecked(day in state.reminder_days)
            grid.addWidget(box, number // _IN_A_ROW, number % _IN_A_ROW)
        self.body.addWidget(Field(_("Before something expires"), holder, self.days[7]))
        soon = sorted({*_SOON, state.warn_days})
        self.warn = choice(
            _("“Expires soon” means"), tuple((_within(day), day) for day in soon), state.warn_days, name="warn_days"
        )
        self.body.addWidget(Field(_("“Expires soon” means"), self.warn))

    def _build_end(self) -> None:
        hint = _("For cron: ansflow-desktop credentials list --within 7d ends with 1 when something expires.")
        self.body.addWidget(label(hint, "muted", wrap=True, selectable=True))
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        save = button(_("Save"), "primary")
        save.setDefault(True)
        save.setObjectName("reminders_save")
        save.clicked.connect(self._on_save)
        self.body.addLayout(row(1, cancel, save))

    @Slot()
    def _on_save(self) -> None:
        chosen = tuple(day for day, box in self.days.items() if box.isChecked())
        self._presenter.choose_days(int(self.warn.currentData()), chosen)
        self.accept()


def _day(day: int) -> str:
    return translate(msg_n("%(count)s day", "%(count)s days", day))


def _within(day: int) -> str:
    return translate(msg_n("within %(count)s day", "within %(count)s days", day))
