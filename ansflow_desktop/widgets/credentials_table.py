"""The table of credentials: its columns, the less needed of which go where there is little room."""

from __future__ import annotations

from typing import Any

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.credential import CredentialReport
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets.table import Column, RowsModel, Table

_KIND, _LIFETIME, _USED = 2, 5, 6


def columns() -> tuple[Column, ...]:
    """Return the columns in the language in use; the nearest end comes first."""
    return (
        Column(
            title=_("Expires"),
            text=said.expires,
            sort=_end,
            tip=lambda one: said.local(one.credential.claims.expires_at) or said.expires(one),
            weight=1,
            least=114,
        ),
        Column(
            title=_("Credential"),
            text=lambda one: one.credential.name,
            sort=lambda one: one.credential.name.casefold(),
            weight=5,
            least=150,
            strong=True,
        ),
        Column(title=_("Kind"), text=lambda one: translate(said.KIND[one.credential.kind]), weight=3, least=116),
        Column(
            title=_("It says"),
            text=lambda one: translate(said.CLAIM[one.claim_verdict].word),
            look=lambda one: said.CLAIM[one.claim_verdict],
            tip=_claim_tip,
            weight=2,
            least=134,
        ),
        Column(
            title=_("The server says"),
            text=lambda one: translate(said.SERVER[one.answer.verdict].word),
            look=lambda one: said.SERVER[one.answer.verdict],
            tip=_server_tip,
            weight=2,
            least=142,
        ),
        Column(
            title=_("Lifetime used"), text=said.lifetime, sort=lambda one: one.lifetime_used or 0.0, weight=1, least=112
        ),
        Column(title=_("Used by"), text=said.used_by, tip=said.used_by_all, weight=3, least=84),
    )


def _end(report: CredentialReport) -> float:
    return said.seconds_left(report.credential.claims.expires_at, 0.0)


def _claim_tip(report: CredentialReport) -> str:
    return translate(report.status_message)


def _server_tip(report: CredentialReport) -> str:
    answer = report.answer
    asked = said.since(answer.checked_at)
    parts = [translate(answer.message), translate(msg("asked %(ago)s", ago=asked)) if asked else ""]
    return "\n".join(part for part in parts if part) or translate(said.SERVER[answer.verdict].word)


class CredentialsTable(Table):
    """A table that leaves out what the details show too, where there is little room: lifetime, kind, used by."""

    def __init__(self, model: RowsModel, name: str) -> None:
        """Show `model`, whose columns are `columns()`."""
        super().__init__(model, name)
        self._credentials_model = model

    def resizeEvent(self, event: Any) -> None:
        """Share the width among the columns that have room."""
        super().resizeEvent(event)
        columns, width = self._credentials_model.columns, self.viewport().width()
        shown = list(range(len(columns)))
        for gone in (_LIFETIME, _KIND, _USED):
            if sum(columns[number].least for number in shown) > width:
                shown.remove(gone)
        room = max(0, width - sum(columns[number].least for number in shown))
        total = sum(columns[number].weight for number in shown)
        for number in range(len(columns)):
            self.setColumnHidden(number, number not in shown)
        for number in shown[:-1]:
            self.setColumnWidth(number, columns[number].least + room * columns[number].weight // total)
            width -= self.columnWidth(number)
        self.setColumnWidth(shown[-1], max(width, 40))
