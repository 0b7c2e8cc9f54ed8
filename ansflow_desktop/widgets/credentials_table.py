"""The table of credentials: its columns; lifetime, kind and users go where there is little room (details have them)."""

from __future__ import annotations

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.credential import CredentialReport
from ansflow_desktop.widgets import credentials_words as said
from ansflow_desktop.widgets.table import Column


def columns() -> tuple[Column, ...]:
    """Return the columns in the language in use; the nearest end comes first."""
    return (
        Column(
            title=_("Expires"),
            text=said.expires,
            sort=_end,
            tip=lambda one: said.local(one.credential.claims.expires_at) or said.expires(one),
            weight=1,
            least=122,
        ),
        Column(
            title=_("Credential"),
            text=lambda one: one.credential.name,
            sort=lambda one: one.credential.name.casefold(),
            weight=8,
            least=136,
            strong=True,
        ),
        Column(
            title=_("Kind"),
            text=lambda one: translate(said.KIND[one.credential.kind]),
            weight=1,
            least=136,
            spare=1,
        ),
        Column(
            title=_("It says"),
            text=lambda one: translate(said.CLAIM[one.claim_verdict].word),
            look=lambda one: said.CLAIM[one.claim_verdict],
            tip=_claim_tip,
            weight=2,
            least=128,
        ),
        Column(
            title=_("The server says"),
            text=lambda one: translate(said.SERVER[one.answer.verdict].word),
            look=lambda one: said.SERVER[one.answer.verdict],
            tip=_server_tip,
            weight=2,
            least=138,
        ),
        Column(
            title=_("Lifetime used"),
            text=said.lifetime,
            sort=lambda one: one.lifetime_used or 0.0,
            weight=1,
            least=112,
            spare=3,
        ),
        Column(title=_("Used by"), text=said.used_by, tip=said.used_by_all, weight=3, least=140, spare=2),
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
