"""Namespaces of a cluster, for choosing one; where listing them is forbidden, those that one may use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.client import METADATA_LIST, ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.pages import decode
from ansflow_desktop.kube.who import who
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.models.names import namespace_problem

_RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
_ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_PROJECTS = "/apis/project.openshift.io/v1/projects"
_EVERYBODYS = frozenset({"authorization.k8s.io", "authentication.k8s.io"})  # every user may ask these
_MOST = 50
_AT_ONCE = 4


class _Metadata(msgspec.Struct, frozen=True):
    name: str = ""


class _Item(msgspec.Struct, frozen=True):
    metadata: _Metadata


class _List(msgspec.Struct, frozen=True):
    items: list[_Item]


async def usable_namespaces(document: dict[str, Any], candidates: Sequence[str] = ()) -> NamespaceList:
    """Return all namespaces; where listing is forbidden, those of the candidates in which the user may do something.

    Candidates are the context's own namespace, `candidates` (noted, recently used), that of the ServiceAccount,
    `default`, and the projects of OpenShift. The context's own stays in any case: the kubeconfig names it. Raises
    KubeError (3) when the cluster cannot be reached or refuses the credentials.
    """
    async with ClusterClient(document) as client:
        try:
            return NamespaceList(names=tuple(await _listed(client)), read_at=time.time())
        except KubeError as error:
            if error.status != 403:
                raise
            words = error.message
        own = own_namespace(document)
        names = await _usable(client, own, candidates)
    return NamespaceList(names=tuple(names), read_at=time.time(), complete=False, message=_not_all(words))


def own_namespace(document: Mapping[str, Any]) -> str:
    """Return the namespace that the document's context names, empty when it names none."""
    return str(document["contexts"][0]["context"].get("namespace") or "")


async def _listed(client: ClusterClient) -> list[str]:
    body = await client.get("/api/v1/namespaces", accept=METADATA_LIST)
    return sorted(_valid(item.metadata.name for item in decode(body, _List).items))


def _not_all(words: Text) -> Text:
    return msg("The namespaces may not be listed; these are the known ones that may be used. %(words)s", words=words)


async def _usable(client: ClusterClient, own: str, candidates: Sequence[str]) -> list[str]:
    projects = await _projects(client)
    asked = _valid([own, *candidates, await _account_namespace(client), "default"])[:_MOST]
    places = asyncio.Semaphore(_AT_ONCE)

    async def usable(name: str) -> bool:
        async with places:
            return await _may_use(client, name)

    unknown = [name for name in asked if name not in projects and name != own]
    answers = await asyncio.gather(*map(usable, unknown))
    found = {name for name, good in zip(unknown, answers, strict=True) if good}
    return sorted(found | set(projects) | set(_valid([own])))


def _valid(names: Iterable[str]) -> list[str]:
    """Return each name once, without those that no server would take."""
    return [name for name in dict.fromkeys(names) if name and not namespace_problem(name)]


async def _projects(client: ClusterClient) -> list[str]:
    """Return the projects that OpenShift shows this user; none elsewhere."""
    try:
        return _valid(item.metadata.name for item in decode(await client.get(_PROJECTS), _List).items)
    except KubeError as error:
        if error.status in (403, 404) or error.status >= 500:
            return []
        raise


async def _account_namespace(client: ClusterClient) -> str:
    """Return the namespace of the ServiceAccount that the server takes us for, empty for other users."""
    try:
        parts = (await who(client)).username.split(":")
    except KubeError:
        return ""
    return parts[2] if parts[:2] == ["system", "serviceaccount"] and len(parts) == 4 else ""


class _Rule(msgspec.Struct, frozen=True, rename="camel"):
    api_groups: list[str] | None = None


class _Rules(msgspec.Struct, frozen=True, rename="camel"):
    resource_rules: list[_Rule] | None = None
    incomplete: bool = False


class _RulesReview(msgspec.Struct, frozen=True):
    status: _Rules = _Rules()


async def _may_use(client: ClusterClient, name: str) -> bool:
    """Return whether the user may do anything in `name`; where the server cannot tell all, whether pods may be listed.

    Authorizers that are asked over the network (clouds) cannot list their rules: then the review is incomplete.
    """
    body = {**_body("SelfSubjectRulesReview"), "spec": {"namespace": name}}
    try:
        found = decode(await client.post(_RULES, body), _RulesReview).status
    except KubeError:
        return await _may_list(client, name)
    if any(set(rule.api_groups or ()) - _EVERYBODYS for rule in found.resource_rules or ()):
        return True
    return found.incomplete and await _may_list(client, name)


class _Allowed(msgspec.Struct, frozen=True):
    allowed: bool = False


class _AccessReview(msgspec.Struct, frozen=True):
    status: _Allowed = _Allowed()


async def _may_list(client: ClusterClient, name: str) -> bool:
    attributes = {"namespace": name, "verb": "list", "resource": "pods"}
    body = {**_body("SelfSubjectAccessReview"), "spec": {"resourceAttributes": attributes}}
    try:
        return decode(await client.post(_ACCESS, body), _AccessReview).status.allowed
    except KubeError:
        return False


def _body(kind: str) -> dict[str, Any]:
    return {"apiVersion": "authorization.k8s.io/v1", "kind": kind}
