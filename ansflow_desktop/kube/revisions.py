"""Release Secrets as metadata, and rows made of them; the data of a Secret is read only where it is not known yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop.kube import blobs
from ansflow_desktop.kube.blobs import Details
from ansflow_desktop.kube.client import METADATA_LIST, ClusterClient, Params
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.next_page import PageTurner
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.release import Release, ReleaseStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

SELECTOR: dict[str, str | int] = {"labelSelector": "owner=helm", "fieldSelector": "type=helm.sh/release.v1"}
_PAGE = 500
_AT_ONCE = 8
_RESTARTS = 3


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}


class Revision(msgspec.Struct, frozen=True):
    """One release Secret's metadata; everything here comes without reading the Secret's data."""

    metadata: _Meta

    @property
    def release(self) -> tuple[str, str]:
        """Namespace and name of the release."""
        return (self.metadata.namespace, self.metadata.labels.get("name", ""))

    @property
    def number(self) -> int:
        """The revision as a number (the label is a text: 10 comes after 9); 0 where it cannot be read."""
        label = self.metadata.labels.get("version", "")
        return int(label) if label.isascii() and label.isdigit() else 0

    @property
    def status(self) -> ReleaseStatus:
        """Helm's status as labelled; UNKNOWN for a word that is none of the nine."""
        return status_of(self.metadata.labels.get("status", ""))

    @property
    def key(self) -> tuple[str, str]:
        """What the decoded blob is kept under: it changes with every write."""
        return (self.metadata.uid, self.metadata.resource_version)


class _Collection(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct, frozen=True):
    metadata: _Collection
    items: list[Revision] | None = None  # the server writes null for an empty list of metadata


def status_of(word: str) -> ReleaseStatus:
    """Return Helm's status for its `word`, UNKNOWN where it is none of the nine."""
    try:
        return ReleaseStatus(word)
    except ValueError:
        return ReleaseStatus.UNKNOWN


async def list_revisions(
    client: ClusterClient, namespace: str | None, name: str | None = None
) -> tuple[list[Revision], str]:
    """Return the metadata of all release Secrets and the collection's resourceVersion; raises KubeError."""
    params = {**SELECTOR, "limit": _PAGE}
    if name:
        params["labelSelector"] = f"owner=helm,name={name}"
    for _ in range(_RESTARTS):
        try:
            return await _pages(client, secrets_path(namespace), params)
        except KubeError as error:
            if error.status != 410:  # the continue token expired while paging: begin again
                raise
    return await _pages(client, secrets_path(namespace), {**params, "limit": 0})


async def _pages(client: ClusterClient, path: str, params: Params) -> tuple[list[Revision], str]:
    found: list[Revision] = []
    asked: dict[str, str | int] = dict(params)
    turner = PageTurner(asked)
    while True:
        page = msgspec.json.decode(await client.get(path, asked, METADATA_LIST), type=_Page)
        found += page.items or []
        if not page.metadata.continue_:
            return found, page.metadata.resource_version
        turner.turn(page.metadata.continue_)


def secrets_path(namespace: str | None) -> str:
    """Return the path of the Secrets of `namespace`, of all namespaces for None."""
    return f"/api/v1/namespaces/{namespace}/secrets" if namespace else "/api/v1/secrets"


def newest(revisions: Iterable[Revision]) -> list[Revision]:
    """Return the revision with the highest number of each release, by namespace and name."""
    best: dict[tuple[str, str], Revision] = {}
    for revision in revisions:
        known = best.get(revision.release)
        if known is None or revision.number > known.number:
            best[revision.release] = revision
    return [best[key] for key in sorted(best)]


async def rows_of(client: ClusterClient, revisions: Iterable[Revision]) -> list[Release]:
    """Return a row for each of `revisions` in their order, reading the blobs that are not known yet.

    A Secret that vanished meanwhile or cannot be decoded gives a row with what its labels say.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(revision: Revision) -> Release:
        found = blobs.known(revision.key)
        if found is None:
            async with places:
                found = await _details(client, revision)
        return row_of(revision, found)

    return list(await asyncio.gather(*(one(revision) for revision in revisions)))


async def _details(client: ClusterClient, revision: Revision) -> Details | None:
    try:
        found = await secret(client, revision)
    except KubeError as error:
        if error.status in (403, 404):
            return None
        raise
    details = await asyncio.to_thread(blobs.details, found)
    blobs.remember(revision.key, details)
    return details


async def secret(client: ClusterClient, revision: Revision) -> bytes:
    """Return the JSON of a revision's Secret; raises KubeError."""
    return await client.get(f"{secrets_path(revision.metadata.namespace)}/{revision.metadata.name}")


def row_of(revision: Revision, details: Details | None) -> Release:
    """Return the row of a revision; `details` None when its blob was not read."""
    namespace, name = revision.release
    found = details or Details()
    return Release(
        name=name,
        namespace=namespace,
        revision=revision.number,
        updated=found.updated or blobs.from_epoch(revision.metadata.labels.get("modifiedAt", "")),
        status=ReleaseStatus.UNKNOWN if found.corrupt else revision.status,
        chart=clean(found.chart),
        app_version=clean(found.app_version),
        description=clean(found.description),
    )
