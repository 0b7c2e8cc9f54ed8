"""Helm releases of a cluster: metadata first, then only the newest revision of each is decoded (performance.md, 2).

Helm keeps a revision per Secret of type helm.sh/release.v1; its labels give name, status and revision. Chart,
appVersion and the exact time stand in the blob (Base64 of gzip of JSON), which is read once per change and kept.
"""

from __future__ import annotations

from typing import Any

from ansflow_desktop.kube import blobs
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.release_watch import watch_releases
from ansflow_desktop.kube.revisions import list_revisions, newest, row_of, rows_of, secret
from ansflow_desktop.models.release import Release, ReleaseStatus

__all__ = ["history", "list_releases", "list_status_rows", "read_release", "release_values", "watch_releases"]


async def list_releases(document: dict[str, Any], namespace: str | None = None) -> list[Release]:
    """Return the newest revision of every release in all states, by namespace and name.

    All namespaces when `namespace` is None. Raises KubeError (3 unreachable or refused, 4 forbidden).
    """
    async with ClusterClient(document) as client:
        revisions, _ = await list_revisions(client, namespace)
        return await rows_of(client, newest(revisions))


async def list_status_rows(document: dict[str, Any], namespace: str | None = None) -> list[Release]:
    """Return the same rows as `list_releases` from metadata alone: without chart, appVersion and exact time."""
    async with ClusterClient(document) as client:
        revisions, _ = await list_revisions(client, namespace)
        return [row_of(revision, blobs.known(revision.key)) for revision in newest(revisions)]


async def history(document: dict[str, Any], namespace: str, name: str) -> list[Release]:
    """Return all kept revisions of a release, oldest first; empty when there is none. Raises KubeError."""
    async with ClusterClient(document) as client:
        revisions, _ = await list_revisions(client, namespace, name)
        return await rows_of(client, sorted(revisions, key=lambda revision: revision.number))


async def read_release(document: dict[str, Any], namespace: str, name: str) -> Release | None:
    """Return the newest revision of a release, None when there is none; KubeError means that it is not known."""
    async with ClusterClient(document) as client:
        revisions, _ = await list_revisions(client, namespace, name)
        rows = await rows_of(client, newest(revisions))
        return rows[0] if rows else None


async def release_values(document: dict[str, Any], namespace: str, name: str) -> dict[str, Any] | None:
    """Return the user-supplied values that the next upgrade keeps when it is given none; None without a release.

    Helm takes them from the newest deployed revision, else from the newest one (helm `pkg/action/upgrade.go`,
    prepareUpgrade), so a failed upgrade's values do not count. Raises KubeError.
    """
    async with ClusterClient(document) as client:
        revisions, _ = await list_revisions(client, namespace, name)
        deployed = [revision for revision in revisions if revision.status is ReleaseStatus.DEPLOYED]
        source = newest(deployed) or newest(revisions)
        if not source:
            return None
        return blobs.values(await secret(client, source[0]))
