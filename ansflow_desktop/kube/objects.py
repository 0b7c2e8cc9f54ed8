"""Single objects of any kind as the API server has them: read, listed, asked about; and what holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.kube.client import JSON, METADATA, METADATA_LIST, ClusterClient
from ansflow_desktop.kube.discovery import ServedKind
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.fields import mapping, sequence, text
from ansflow_desktop.kube.next_page import PageTurner
from ansflow_desktop.kube.text import clean

Object: TypeAlias = Mapping[str, Any]

_PAGE = 500
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def get_object(
    client: ClusterClient, kind: ServedKind, namespace: str, name: str, *, metadata_only: bool = False
) -> Object | None:
    """Return one object, None where there is none; raises KubeError where that could not be learned."""
    return await get_path(client, kind.path(namespace, name), metadata_only=metadata_only)


async def get_path(client: ClusterClient, path: str, *, metadata_only: bool = False) -> Object | None:
    """Return what lies at `path` of the API, None for nothing; raises KubeError where that could not be learned."""
    try:
        found: dict[str, Any] = msgspec.json.decode(
            await client.get(path, accept=f"{METADATA},{JSON}" if metadata_only else JSON)
        )
    except KubeError as error:
        if error.status == 404:
            return None
        raise
    return found


async def list_objects(
    client: ClusterClient, kind: ServedKind, namespace: str, selector: str = "", *, most: int = 0
) -> list[Object]:
    """Return the metadata of all objects of `kind` that match `selector` (all without one); `most` 0 means no limit.

    Raises KubeError.
    """
    return await list_path(client, kind.path(namespace), selector, most=most, accept=f"{METADATA_LIST},{JSON}")


async def list_path(
    client: ClusterClient, path: str, selector: str = "", *, most: int = 0, accept: str = JSON
) -> list[Object]:
    """Return the objects of the collection `path`, page by page; raises KubeError."""
    found: list[Object] = []
    asked: dict[str, str | int] = {"limit": min(most, _PAGE) or _PAGE}
    if selector:
        asked["labelSelector"] = selector
    turner = PageTurner(asked)
    while True:
        page = msgspec.json.decode(await client.get(path, asked, accept=accept))
        found += sequence(page, "items")
        following = text(mapping(page, "metadata"), "continue")
        if not following or (most and len(found) >= most):
            return found
        turner.turn(following)


async def may(client: ClusterClient, namespace: str, verb: str, group: str, resource: str, name: str = "") -> bool:
    """Return whether the user may do this (`resource` may end in `/scale`); what cannot be asked counts as allowed."""
    plural, _, sub = resource.partition("/")
    attributes = {
        "verb": verb, "group": group, "resource": plural, "subresource": sub, "namespace": namespace, "name": name,
    }  # fmt: skip
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value or key == "group"}},
    }
    try:
        answer = msgspec.json.decode(await client.post(_REVIEWS, body))
    except (KubeError, msgspec.MsgspecError):
        return True
    return mapping(answer, "status").get("allowed") is not False


def name_of(obj: Object) -> str:
    """Return an object's name."""
    return text(mapping(obj, "metadata"), "name")


def uid_of(obj: Object) -> str:
    """Return an object's uid: one made anew under the same name has another."""
    return text(mapping(obj, "metadata"), "uid")


def is_leaving(obj: Object) -> bool:
    """Return whether the object is being deleted."""
    return bool(mapping(obj, "metadata").get("deletionTimestamp"))


def finalizers_of(obj: Object) -> tuple[str, ...]:
    """Return the object's finalizers: it stays until each one's controller has taken it out."""
    listed = mapping(obj, "metadata").get("finalizers")
    return tuple(clean(str(each)) for each in listed) if isinstance(listed, list) else ()


def owner_of(obj: Object) -> Mapping[str, Any] | None:
    """Return the reference (`kind`, `name`, `uid`) to the object that controls this one, None where none does."""
    owners = sequence(mapping(obj, "metadata"), "ownerReferences")
    return next((owner for owner in owners if owner.get("controller")), None)


def release_of(obj: Object) -> str:
    """Return the Helm release that the object belongs to, empty for none (Helm's own annotation)."""
    return text(mapping(mapping(obj, "metadata"), "annotations"), "meta.helm.sh/release-name")
