"""The live side of a manifest: each object as it is, and as a server-side dry run says that it would become."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.executors.checks_manifest import LocatedObject, located_objects
from ansflow_desktop.executors.kubectl import FIELD_MANAGER
from ansflow_desktop.executors.live_diff_objects import LiveObject, object_of, only_like
from ansflow_desktop.executors.server_check import AT_ONCE, ask_cluster, complaints, problem_from
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.openapi import Discovery, Resource, path_of
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.process import Cancel

Pair = tuple[LiveObject | None, LiveObject | None]


class LiveManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The objects of a manifest as they are beside as they would be, and what the server says against them."""

    pairs: list[Pair]
    problems: tuple[Problem, ...] = ()
    notices: tuple[Text, ...] = ()
    is_live: bool = False


def read_live(
    document: dict[str, Any], text: str, field: str, namespace: str, *, creates_namespace: bool, cancel: Cancel
) -> LiveManifest:
    """Return the manifest's objects as they are and would be; blocking; raises UserError, AskingCancelled."""
    objects = located_objects(text, field)

    async def ask(client: ClusterClient) -> LiveManifest:
        return await _Reader(client, namespace).read(objects, creates_namespace=creates_namespace)

    return ask_cluster(document, ask, cancel)


class _Reader:
    def __init__(self, client: ClusterClient, namespace: str) -> None:
        self._client, self._namespace = client, namespace
        self._discovery = Discovery(client)
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(self, objects: tuple[LocatedObject, ...], *, creates_namespace: bool) -> LiveManifest:
        missing = creates_namespace and not await self._exists(self._namespace)
        found = await asyncio.gather(*(self._one(each) for each in objects))
        notice = msg("The namespace %(name)s does not exist yet; it is created.", name=self._namespace)
        return LiveManifest(
            pairs=[pair for pair, _ in found],
            problems=tuple(problem for _, said in found for problem in said),
            notices=(notice,) if missing else (),
            is_live=any(old for (old, _), _ in found),
        )

    async def _one(self, located: LocatedObject) -> tuple[Pair, list[Problem]]:
        async with self._places:
            written = object_of(safe_yaml.construct(located.node), "")
            assert written
            resource = await self._discovery.resource(located.found.api_version, located.found.kind)
            if resource is None:  # its CRD may come with the same manifest
                return (None, self._placed(written, namespaced=True)), []
            written = self._placed(written, namespaced=resource.namespaced)
            live = await self._live(written, resource)
            return await self._applied(located, written, live, resource)

    def _placed(self, found: LiveObject, *, namespaced: bool) -> LiveObject:
        return msgspec.structs.replace(found, namespace=(found.namespace or self._namespace) if namespaced else "")

    async def _live(self, found: LiveObject, resource: Resource) -> LiveObject | None:
        path = path_of(found.api_version, resource, found.namespace, found.name)
        try:
            return object_of(msgspec.json.decode(await self._client.get(path)), "")
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    async def _applied(
        self, located: LocatedObject, written: LiveObject, live: LiveObject | None, resource: Resource
    ) -> tuple[Pair, list[Problem]]:
        """Return the object as the server would make it; as written where it is new, or the server refuses it."""
        if live is None:
            return (None, written), []
        path = path_of(written.api_version, resource, written.namespace, written.name)
        status, body = await self._client.dry_apply(path, located.found.text, FIELD_MANAGER)
        said = [problem_from(located, each) for each in complaints(status, body)]
        if said:
            like = msgspec.structs.replace(live, data=only_like(live.data, written.data))
            return (like, written), said
        return (live, object_of(msgspec.json.decode(body), "") or written), []

    async def _exists(self, namespace: str) -> bool:
        try:
            await self._client.get(f"/api/v1/namespaces/{namespace}")
        except KubeError as error:
            if error.status in (403, 404):
                return error.status == 403
            raise
        return True
