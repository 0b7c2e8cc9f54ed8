"""What the frame of the window shows, as data: imported before the first paint, so it imports little (goal 9)."""

from __future__ import annotations

import msgspec

from ansflow_desktop.i18n import Text
from ansflow_desktop.presenters.clusters_state import ClusterRow


class Banner(msgspec.Struct, frozen=True, kw_only=True):
    """A line below the top bar; `key` names it so that it can be closed, `tone` is accent, warn or bad."""

    key: str
    tone: str
    title: Text
    text: Text = ""


class ShellState(msgspec.Struct, frozen=True, kw_only=True):
    """The frame: `cluster` and `namespace` are empty for none chosen and for all namespaces."""

    rows: tuple[ClusterRow, ...] = ()
    cluster: str = ""
    namespace: str = ""
    namespaces: tuple[str, ...] = ()
    namespaces_note: Text = ""
    tools: tuple[Text, ...] = ()
    banners: tuple[Banner, ...] = ()
    running: int = 0
    expiring: int = 0
    language: str = ""
    theme: str = "system"

    @property
    def row(self) -> ClusterRow | None:
        """The chosen cluster's row."""
        return next((row for row in self.rows if row.entry.name == self.cluster), None)
