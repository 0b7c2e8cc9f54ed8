"""Helm releases as the cluster knows them."""

from __future__ import annotations

import enum

import msgspec


class ReleaseStatus(enum.StrEnum):
    """Helm's own nine statuses (helm `pkg/release/common/status.go`)."""

    UNKNOWN = "unknown"
    DEPLOYED = "deployed"
    UNINSTALLED = "uninstalled"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    UNINSTALLING = "uninstalling"
    PENDING_INSTALL = "pending-install"
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"

    @property
    def pending(self) -> bool:
        """True for the states that lock a release (failure-modes.md, row 1)."""
        return self.value.startswith("pending-") or self is ReleaseStatus.UNINSTALLING


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a release; the keys are those of `helm list -o json`.

    `updated` is RFC 3339 in UTC; `revision` is a number; `description` is Helm's own sentence on the last action.
    """

    name: str
    namespace: str
    revision: int
    updated: str = ""
    status: ReleaseStatus = ReleaseStatus.UNKNOWN
    chart: str = ""
    app_version: str = ""
    description: str = ""
    cluster: str = ""
