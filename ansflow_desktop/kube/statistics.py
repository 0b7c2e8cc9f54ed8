"""Figures of one cluster: nodes, namespaces, workloads by health, pods by phase, CPU and memory.

Lists are read in pages of 100 as raw bytes and decoded to the few fields that count (performance.md). What may not be
read is None and named in the server's words; nothing forbidden hides what is allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube import usage
from ansflow_desktop.kube.client import METADATA_LIST, ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.health import assess
from ansflow_desktop.kube.pages import Restart, decode, pages
from ansflow_desktop.kube.usage import NodeList, PodList
from ansflow_desktop.models.cluster import Amount, ClusterStatistics

T = TypeVar("T")

_WORKLOADS = {
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "Job": "/apis/batch/v1/jobs",
}
_PHASES = ("Running", "Pending", "Succeeded", "Failed", "Unknown")
_NAMESPACES_A_PAGE = 500
_TRIES = 3


async def read_statistics(document: dict[str, Any], name: str, timeout: float = 30.0) -> ClusterStatistics:
    """Return the figures of the cluster `name` that `document` leads to; `timeout` (seconds) is for each request.

    Raises KubeError (3) when it cannot be reached or refuses the credentials; a part that fails otherwise is None.
    """
    async with ClusterClient(document, timeout=timeout) as client:
        return await _Reading(client).all(name)


class _Reading:
    """One reading of all parts side by side; what failed is gathered."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._messages: list[Text] = []
        self._fatal: list[KubeError] = []

    async def all(self, name: str) -> ClusterStatistics:
        client = self._client
        version = await client.server_version()
        (nodes, namespaces, pods, used), workloads = await asyncio.gather(
            asyncio.gather(
                self._part(msg("nodes"), _again(lambda: _nodes(client))),
                self._part(msg("namespaces"), _again(lambda: _namespaces(client))),
                self._part(msg("pods"), _again(lambda: _pods(client))),
                self._part(msg("usage"), _used(client)),
            ),
            asyncio.gather(*(self._part(kind, _again(partial(_workload, client, kind))) for kind in _WORKLOADS)),
        )
        if self._fatal:
            raise self._fatal[0]
        return ClusterStatistics(
            cluster=name,
            version=version,
            nodes=nodes.count if nodes else None,
            nodes_ready=nodes.ready if nodes else None,
            allocatable=nodes.allocatable if nodes else None,
            namespaces=namespaces,
            pods=pods.phases if pods else None,
            requested=pods.requested if pods else None,
            workloads={kind: found for kind, found in zip(_WORKLOADS, workloads, strict=True) if found is not None},
            used=used,
            messages=tuple(self._messages),
            read_at=time.time(),
        )

    async def _part(self, what: Text, reader: Coroutine[Any, Any, T]) -> T | None:
        """Return what `reader` read; None where that is forbidden or fails, which is then said."""
        try:
            return await reader
        except KubeError as error:
            if error.code is ExitCode.UNREACHABLE and error.status in (0, 401):
                self._fatal.append(error)
            self._messages.append(msg("%(what)s: %(words)s", what=what, words=_plain(error)))
            return None


def _plain(error: KubeError) -> Message | str:
    return error.message or error.title


async def _again(reader: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Read once more where the server forgot the list meanwhile; raises KubeError after the third time."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(Restart):
            return await reader()
    try:
        return await reader()
    except Restart as error:
        raise error.gone from error


class _Nodes(msgspec.Struct):
    count: int = 0
    ready: int = 0
    allocatable: Amount = Amount()


async def _nodes(client: ClusterClient) -> _Nodes:
    found = _Nodes()
    async for page in pages(client, "/api/v1/nodes"):
        for node in decode(page, NodeList).items:
            found.count += 1
            found.ready += node.ready
            found.allocatable = usage.plus(found.allocatable, node.allocatable)
    return found


async def _namespaces(client: ClusterClient) -> int:
    total = 0
    async for page in pages(client, "/api/v1/namespaces", accept=METADATA_LIST, size=_NAMESPACES_A_PAGE):
        total += len(decode(page, _Anything).items)
    return total


class _Anything(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw] = []


class _Pods(msgspec.Struct):
    phases: dict[str, int]
    requested: Amount = Amount()


async def _pods(client: ClusterClient) -> _Pods:
    phases: Counter[str] = Counter()
    cpu = memory = 0.0
    async for page in pages(client, "/api/v1/pods"):
        for pod in decode(page, PodList).items:
            phase = pod.status.phase if pod.status.phase in _PHASES else "Unknown"
            phases[phase] += 1
            if phase not in ("Succeeded", "Failed"):  # what has ended holds nothing any more
                wanted = usage.requested(pod)
                cpu, memory = cpu + wanted.cpu, memory + wanted.memory
    return _Pods(phases={phase: phases[phase] for phase in _PHASES}, requested=Amount(cpu=cpu, memory=memory))


async def _workload(client: ClusterClient, kind: str) -> dict[str, int]:
    """Return how many objects of `kind` there are in each health."""
    found: Counter[str] = Counter()
    async for page in pages(client, _WORKLOADS[kind]):
        for item in decode(page, _Objects).items:
            found[assess({**item, "kind": kind}).health.value] += 1
    return dict(found)


class _Objects(msgspec.Struct, frozen=True):
    items: list[dict[str, Any]] = []


async def _used(client: ClusterClient) -> Amount | None:
    """Return what the nodes use now; None where nothing measures it (no metrics.k8s.io)."""
    try:
        return usage.used(await client.get("/apis/metrics.k8s.io/v1beta1/nodes"))
    except KubeError as error:
        if error.status in (404, 503):  # 503: the metrics server is announced and not there
            return None
        raise
