"""Names of workloads, pods and containers in a namespace, for choosing one: metadata only, every read bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from ansflow_desktop.kube.client import METADATA_LIST, ClusterClient, Params
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.text import clean

MOST = 500
"""The most objects of one kind that are offered: a longer list helps nobody to choose."""
_TIMEOUT_S = 8.0
_LOGIN_S = 8.0

_COLLECTIONS: dict[str, tuple[str, str]] = {
    "deployment": ("apis/apps/v1", "deployments"),
    "statefulset": ("apis/apps/v1", "statefulsets"),
    "daemonset": ("apis/apps/v1", "daemonsets"),
    "replicaset": ("apis/apps/v1", "replicasets"),
    "job": ("apis/batch/v1", "jobs"),
    "cronjob": ("apis/batch/v1", "cronjobs"),
    "pod": ("api/v1", "pods"),
    "service": ("api/v1", "services"),
    "ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "configmap": ("api/v1", "configmaps"),
    "secret": ("api/v1", "secrets"),
    "persistentvolumeclaim": ("api/v1", "persistentvolumeclaims"),
    "horizontalpodautoscaler": ("apis/autoscaling/v2", "horizontalpodautoscalers"),
}
KINDS = tuple(_COLLECTIONS)
"""The kinds that can be asked for, as `kind/name` writes them."""


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    owner_references: list[Any] = []


class _Item(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _List(msgspec.Struct, frozen=True):
    items: list[_Item] | None = None  # an empty list of metadata comes as null


class _Container(msgspec.Struct, frozen=True):
    name: str = ""


class _PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    containers: list[_Container] = []
    init_containers: list[_Container] | None = None


class _Template(msgspec.Struct, frozen=True):
    spec: _PodSpec = _PodSpec()


class _JobTemplate(msgspec.Struct, frozen=True):
    spec: _TemplateHolder


class _TemplateHolder(msgspec.Struct, frozen=True):
    template: _Template = _Template()


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    template: _Template | None = None
    job_template: _JobTemplate | None = None


class _Object(msgspec.Struct, frozen=True):
    spec: _Spec = _Spec()


class _Pods(msgspec.Struct, frozen=True):
    items: list[_Object] | None = None


async def list_resources(document: dict[str, Any], namespace: str, kinds: Sequence[str]) -> list[str]:
    """Return the objects of these kinds as `kind/name`, at most `MOST` of each, kinds in the order given.

    What a controller made for itself (a deployment's replica sets, a cron job's jobs) is left out, pods are not. A kind
    that may not be listed or is not there is skipped; raises KubeError where none could be listed.
    """
    known = [kind for kind in dict.fromkeys(kinds) if kind in _COLLECTIONS]
    async with ClusterClient(document, timeout=_TIMEOUT_S, login_timeout=_LOGIN_S) as client:
        reads = (_names(client, namespace, kind) for kind in known)
        answers = await asyncio.gather(*reads, return_exceptions=True)
    found: list[str] = []
    errors: list[BaseException] = []
    for kind, answer in zip(known, answers, strict=True):
        if isinstance(answer, BaseException):
            errors.append(answer)
        else:
            found += [f"{kind}/{name}" for name in answer]
    _raise_unless_listed(errors, len(known))
    return found


def _raise_unless_listed(errors: list[BaseException], asked: int) -> None:
    """Raise what is no refusal of one kind, and the first refusal where every kind was refused."""
    for error in errors:
        if not isinstance(error, KubeError) or error.status not in (403, 404) or len(errors) == asked:
            raise error


async def _names(client: ClusterClient, namespace: str, kind: str) -> list[str]:
    body = await client.get(_collection(namespace, kind), {"limit": MOST}, METADATA_LIST)
    items = msgspec.json.decode(body, type=_List).items or ()
    return sorted(clean(item.metadata.name) for item in items if kind == "pod" or not item.metadata.owner_references)


def _collection(namespace: str, kind: str) -> str:
    group, plural = _COLLECTIONS[kind]
    return f"/{group}/namespaces/{quote(namespace, safe='')}/{plural}"


async def list_containers(
    document: dict[str, Any], namespace: str, resource: str = "", selector: str = ""
) -> list[str]:
    """Return the names of the containers of `resource` (`kind/name`), or of the first pods that `selector` picks.

    Init containers come last. Empty for an object that is not there or has no pods; raises KubeError.
    """
    async with ClusterClient(document, timeout=_TIMEOUT_S, login_timeout=_LOGIN_S) as client:
        if resource:
            return await _of_object(client, namespace, resource)
        params: Params = {"labelSelector": selector, "limit": 5}
        body = await client.get(_collection(namespace, "pod"), params)
    specs = [item.spec for item in msgspec.json.decode(body, type=_Pods).items or ()]
    return list(dict.fromkeys(name for spec in specs for name in _containers(spec)))


async def _of_object(client: ClusterClient, namespace: str, resource: str) -> list[str]:
    kind, _, name = resource.rpartition("/")
    if not name or (kind or "deployment") not in _COLLECTIONS:
        return []
    path = f"{_collection(namespace, kind or 'deployment')}/{quote(name, safe='')}"
    try:
        body = await client.get(path)
    except KubeError as error:
        if error.status == 404:
            return []
        raise
    return _containers(msgspec.json.decode(body, type=_Object).spec)


def _containers(spec: _Spec) -> list[str]:
    held = spec.job_template.spec.template if spec.job_template else spec.template
    pod = held.spec if held else _PodSpec(spec.containers or [], spec.init_containers)
    return [clean(one.name) for one in (*pod.containers, *(pod.init_containers or ()))]
