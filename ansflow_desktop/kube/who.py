"""Who a server takes us for (SelfSubjectReview)."""

from __future__ import annotations

import msgspec

from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.pages import decode
from ansflow_desktop.kube.text import clean

ANONYMOUS = "system:anonymous"
_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_BODY = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


class Who(msgspec.Struct, frozen=True):
    """User name and groups; the name is empty where the server cannot say (older than 1.28)."""

    username: str = ""
    groups: tuple[str, ...] = ()


class _UserInfo(msgspec.Struct, frozen=True, rename="camel"):
    user_info: Who = Who()


class _Review(msgspec.Struct, frozen=True):
    status: _UserInfo = _UserInfo()


async def who(client: ClusterClient) -> Who:
    """Return the user that the server sees; raises KubeError, with status 401 where it refuses the credentials."""
    try:
        found = decode(await client.post(_REVIEW, _BODY), _Review).status.user_info
    except KubeError as error:
        if error.status == 403 and ANONYMOUS in str(error.message):
            return Who(ANONYMOUS)
        if error.status in (403, 404, 405):
            return Who()
        raise
    return Who(clean(found.username), tuple(map(clean, found.groups)))
