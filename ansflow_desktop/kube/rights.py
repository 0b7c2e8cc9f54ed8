"""What the user may do in a namespace before helm is asked to do it: access reviews, all at once, never a hindrance."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError

Asked: TypeAlias = "tuple[str, str, str]"

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_TIMEOUT_S = 5.0


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """`make_namespace`: the namespace may be made (or is missing); `watch`: its workloads may be listed and watched.

    What could not be asked counts as allowed: the server has the last word anyway.
    """

    make_namespace: bool = True
    watch: bool = True


class _Status(msgspec.Struct, frozen=True):
    allowed: bool = True


class _Review(msgspec.Struct, frozen=True):
    status: _Status = _Status()


async def rights(document: dict[str, Any], namespace: str, *, make: tuple[str, ...], watch: bool) -> Rights:
    """Return the user's rights; `make` are the verbs on the namespace itself that a deploy would use.

    With `watch` the right to follow workloads is asked for, too. Never raises.
    """
    watched = [(verb, "apps", "deployments") for verb in ("list", "watch")] if watch else []
    try:
        async with ClusterClient(document, timeout=_TIMEOUT_S) as client:
            wanted = [*((verb, "", "namespaces") for verb in make), *watched]
            answers = await asyncio.gather(*(_allowed(client, namespace, each) for each in wanted))
            made = all(answers[: len(make)]) or not await _is_there(client, namespace)
    except UserError:
        return Rights()
    return Rights(make_namespace=made, watch=all(answers[len(make) :]))


async def _allowed(client: ClusterClient, namespace: str, asked: Asked) -> bool:
    verb, group, resource = asked
    attributes = {"verb": verb, "group": group, "resource": resource}
    if verb != "create":  # a namespace is made outside of any namespace
        attributes["namespace"] = namespace
    if resource == "namespaces":
        attributes["name"] = namespace
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    try:
        return msgspec.json.decode(await client.post(_REVIEWS, body), type=_Review).status.allowed
    except (KubeError, msgspec.MsgspecError):
        return True


async def _is_there(client: ClusterClient, namespace: str) -> bool:
    """Return whether the namespace is there; one that may not even be looked at is taken to be."""
    try:
        await client.get(f"/api/v1/namespaces/{namespace}")
    except KubeError as error:
        return error.status == 403
    return True
