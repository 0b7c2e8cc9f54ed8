"""How far getting a tool, or starting a cluster, is."""

from __future__ import annotations

import msgspec

from ansflow_desktop.i18n import Text


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One report: the `tool` (or cluster) it is about and `what` is being done.

    `fraction` (0 to 1) is set where the end is known, `elapsed_s` (seconds) where it is not.
    """

    tool: str
    what: Text
    fraction: float | None = None
    elapsed_s: float = 0
