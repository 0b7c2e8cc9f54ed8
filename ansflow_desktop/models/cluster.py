"""Clusters: entries of the cluster list, and what a check of one found."""

from __future__ import annotations

import enum

import msgspec

from ansflow_desktop.i18n import Text


class ExecPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """The credential program that a kubeconfig user asks to run; `digest` identifies exactly this command."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    digest: str = ""


class ClusterEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the cluster list: a context of a kubeconfig file, or a practice cluster.

    `name` is the context's name; `source` the file it came from, or `practice`; `namespace` the context's own default.
    `problem` says why the entry cannot be used (missing user, unreadable file), empty when it can.
    """

    name: str
    context: str
    server: str = ""
    source: str = ""
    user: str = ""
    namespace: str = ""
    exec_plugin: ExecPlugin | None = None
    insecure: bool = False
    problem: Text = ""


class Reach(enum.StrEnum):
    """What a check of a cluster found."""

    UNCHECKED = "unchecked"
    CHECKING = "checking"
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    APPROVAL_NEEDED = "approval_needed"


class ClusterStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a check: `latency_ms` of one request, the server's `version`, why not, and `checked_at` (epoch s)."""

    name: str
    reach: Reach = Reach.UNCHECKED
    version: str = ""
    latency_ms: float = 0
    message: Text = ""
    checked_at: float = 0
