"""Who a server takes us for (SelfSubjectReview)."""

from __future__ import annotations

from typing import Literal

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.text import clean

ANONYMOUS = "system:anonymous"
_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_BODY = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


class Who(msgspec.Struct, frozen=True):
    """User name and groups; the name is empty where the server cannot say (older than 1.28)."""

    username: str = ""
    groups: tuple[str, ...] = ()


class NoReview(KubeError):
    """Something else than a Kubernetes API server answered: a sign-in page of the network, for one."""


class _UserInfo(msgspec.Struct, frozen=True, rename="camel"):
    user_info: Who = Who()


class _Review(msgspec.Struct, frozen=True):
    kind: Literal["SelfSubjectReview"]
    status: _UserInfo = _UserInfo()


async def review(client: ClusterClient) -> Who:
    """Return the user that the server sees, nobody being `ANONYMOUS`.

    Raises KubeError for every refusal (404: older than 1.28), NoReview for an answer that is none.
    """
    body = await client.post(_REVIEW, _BODY)
    try:
        user = msgspec.json.decode(body, type=_Review).status.user_info
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        title = msg("The server's answer is not what a Kubernetes API server says")
        hint = msg("Check that the address is that of a Kubernetes API server.")
        raise NoReview(title, str(error), hint, code=ExitCode.FAILED) from error
    return Who(clean(user.username), tuple(map(clean, user.groups)))


async def who(client: ClusterClient) -> Who:
    """Return the user that the server sees, as far as it can say; KubeError with status 401: credentials refused."""
    try:
        return await review(client)
    except KubeError as error:
        if error.status == 403 and ANONYMOUS in str(error.message):
            return Who(ANONYMOUS)
        if error.status in (403, 404, 405):
            return Who()
        raise
