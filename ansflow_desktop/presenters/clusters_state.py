"""What the Clusters page shows, as data: imported before the first paint, so it imports little (goal 9)."""

from __future__ import annotations

import msgspec

from ansflow_desktop.i18n import Text
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus
from ansflow_desktop.models.problem import Problem

PRACTICE = "practice"
OWN = "own"
"""The source of clusters that were added by hand (models/cluster.py)."""


class ClusterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the cluster table: the entry, its last check, and for a practice cluster whether it runs.

    `exec_here`: commands that are run in its pods run on this machine.
    """

    entry: ClusterEntry
    status: ClusterStatus
    practice: bool = False
    running: bool = False
    exec_here: bool = False


class PracticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A practice cluster: `made` is False for the one that is offered where there is none yet."""

    name: str
    running: bool = False
    exec_here: bool = False
    made: bool = True


class PracticeState(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done to practice cluster `name`: `doing` is empty for nothing.

    `about` is the part of it at work, `fraction` (0 to 1) how far it is, None where the end is not known; a start can
    be given up (`can_cancel`).
    """

    name: str = PRACTICE
    doing: Text = ""
    about: str = ""
    fraction: float | None = None
    can_cancel: bool = False


class ClustersState(msgspec.Struct, frozen=True, kw_only=True):
    """The page: rows in the list's order, problems of kubeconfig files, the practice clusters and the work on one."""

    rows: tuple[ClusterRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    loading: bool = True
    practice: PracticeState = PracticeState()
    practices: tuple[PracticeRow, ...] = (PracticeRow(name=PRACTICE, made=False),)

    def row(self, name: str) -> ClusterRow | None:
        """Return the row of cluster `name`."""
        return next((row for row in self.rows if row.entry.name == name), None)
