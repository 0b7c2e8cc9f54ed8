"""What the other certificates of a chain mean for its first one."""

from __future__ import annotations

from collections.abc import Iterable

from ansflow_desktop.credentials import times
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.credential import Claims, When


def ends_earlier(end: When, above: Iterable[Claims]) -> tuple[Text, ...]:
    """Return a note for each certificate of a chain that ends before `end`, the end of the chain's first one."""
    last = end or times.LATEST
    return tuple(
        msg("The certificate %(name)s of its chain ends earlier: %(date)s (UTC).", name=item.subject, date=_date(item))
        for item in above
        if item.expires_at is not None and item.expires_at < last
    )


def _date(claims: Claims) -> str:
    return f"{claims.expires_at:%Y-%m-%d %H:%M}" if claims.expires_at else ""
