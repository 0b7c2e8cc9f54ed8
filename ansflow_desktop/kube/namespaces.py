"""Namespaces of a cluster, for choosing one."""

from __future__ import annotations

from typing import Any

import msgspec

from ansflow_desktop.kube.client import METADATA_LIST, ClusterClient
from ansflow_desktop.kube.errors import KubeError


class _Metadata(msgspec.Struct, frozen=True):
    name: str = ""


class _Item(msgspec.Struct, frozen=True):
    metadata: _Metadata


class _List(msgspec.Struct, frozen=True):
    items: list[_Item]


async def list_namespaces(document: dict[str, Any]) -> list[str]:
    """Return the names in order; where listing them is forbidden, the context's own namespace alone.

    Raises KubeError: unreachable or refused (3), and forbidden (4) where the context names no namespace.
    """
    async with ClusterClient(document) as client:
        try:
            body = await client.get("/api/v1/namespaces", accept=METADATA_LIST)
        except KubeError as error:
            own = document["contexts"][0]["context"].get("namespace")
            if error.status == 403 and own:
                return [str(own)]
            raise
    return sorted(item.metadata.name for item in msgspec.json.decode(body, type=_List).items)
