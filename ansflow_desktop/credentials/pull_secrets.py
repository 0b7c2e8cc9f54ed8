"""Image pull secrets of clusters: those of the few namespaces that a person uses, where their rights allow to see them.

Never the whole cluster's Secrets: the server is asked for two types, in named namespaces, some at a time. What comes is
read for its claims and dropped at once; a refusal is no error, the rows are just not there.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ansflow_desktop.credentials.registries import SECRET_TYPES, image_pull_secrets
from ansflow_desktop.errors import UserError
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.credential import Credential
from ansflow_desktop.models.names import namespace_problem

MOST_NAMESPACES = 5
"""So many namespaces of one cluster are asked at the most."""
_MOST_SECRETS = 50
_AT_ONCE = 8
_REFUSALS = frozenset({401, 403, 404})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster to ask: its name, its kubeconfig document, the namespaces (the first few count)."""

    cluster: str
    document: dict[str, Any]
    namespaces: tuple[str, ...]

    def __repr__(self) -> str:
        """Say nothing of the document: it holds secrets."""
        return f"Wanted({self.cluster!r})"


class _Known(msgspec.Struct, frozen=True):
    """What was found at this server in these namespaces, and when."""

    place: tuple[str, ...]
    found: tuple[Credential, ...]
    read_at: datetime.datetime


class PullSecrets:
    """Keeps what was found of each cluster; safe in several event loops, for each asks its own questions."""

    def __init__(self, clock: Callable[[], datetime.datetime]) -> None:
        """Keep the clock, which returns aware times."""
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def known(self, clusters: Iterable[str]) -> tuple[Credential, ...]:
        """Return what was found of these clusters when they were last asked; asks nobody."""
        rows = [self._known[name].found for name in clusters if name in self._known]
        return tuple(one for found in rows for one in found)

    async def read(self, wanted: Iterable[Wanted], ttl_s: float, timeout: float, *, fresh: bool) -> None:
        """Ask the clusters of which nothing is known that is younger than `ttl_s`, all of them with `fresh`.

        `timeout` (seconds) is for each request. A server that is silent loses nothing that was known. Never raises for
        what servers and networks do.
        """
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(cluster: Wanted) -> None:
            async with limit:
                found = await _of_cluster(cluster, timeout)
            if found is not None:
                self._known[cluster.cluster] = _Known(_place(cluster), found, self._clock())

        await asyncio.gather(*(one(each) for each in wanted if fresh or not self._is_young(each, ttl_s)))

    def _is_young(self, wanted: Wanted, ttl_s: float) -> bool:
        known = self._known.get(wanted.cluster)
        if known is None or known.place != _place(wanted):
            return False
        return 0 <= (self._clock() - known.read_at).total_seconds() < ttl_s


def _place(wanted: Wanted) -> tuple[str, ...]:
    return (str(wanted.document["clusters"][0]["cluster"].get("server")), *wanted.namespaces)


async def _of_cluster(wanted: Wanted, timeout: float) -> tuple[Credential, ...] | None:
    """Return what may be seen; None where the server did not answer."""
    names = [name for name in dict.fromkeys(wanted.namespaces) if name and not namespace_problem(name)]
    found: list[Credential] = []
    try:
        async with ClusterClient(wanted.document, timeout=timeout) as client:
            for namespace in names[:MOST_NAMESPACES]:
                found += await _of_namespace(client, namespace, wanted.cluster)
    except UserError as error:
        if not isinstance(error, KubeError) or error.status not in _REFUSALS:
            return None
    return tuple(found)


async def _of_namespace(client: ClusterClient, namespace: str, cluster: str) -> list[Credential]:
    found: list[Credential] = []
    for kind in SECRET_TYPES:
        asked: dict[str, str | int] = {"fieldSelector": f"type={kind}", "limit": _MOST_SECRETS}
        try:
            raw = await client.get(f"/api/v1/namespaces/{namespace}/secrets", asked)
        except KubeError as error:
            if error.status in _REFUSALS:
                break
            raise
        found += image_pull_secrets(raw, cluster)
    return found
