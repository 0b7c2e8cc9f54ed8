"""Times that credentials name: aware, in UTC, and always within what can be shown in any local time."""

from __future__ import annotations

import datetime
import math

UTC = datetime.UTC
EARLIEST = datetime.datetime(1, 1, 3, tzinfo=UTC)
LATEST = datetime.datetime(9999, 12, 29, 23, 59, 59, tzinfo=UTC)
"""No time is later than this: one more day, and a local time east of Greenwich is past what datetime can hold."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
_MOST_S = 2.6e11  # a little more than the seconds from 1970 to the year 9999


def from_epoch(seconds: float) -> datetime.datetime | None:
    """Return the time `seconds` after 1970, None for no number of seconds; far ones are moved to the first or last."""
    if math.isnan(seconds):
        return None
    if abs(seconds) > _MOST_S:
        return LATEST if seconds > 0 else EARLIEST
    return within(_EPOCH + datetime.timedelta(seconds=seconds))


def within(when: datetime.datetime) -> datetime.datetime:
    """Return `when` in UTC (one without a zone is taken as UTC), moved to `EARLIEST` or `LATEST` where it is past."""
    if when.tzinfo is None:
        aware = when.replace(tzinfo=UTC)
    else:
        try:
            aware = when.astimezone(UTC)
        except OverflowError:
            aware = when.replace(tzinfo=UTC)
    return min(max(aware, EARLIEST), LATEST)
