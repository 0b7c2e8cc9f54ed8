"""Lists of an API server page by page, so that no answer is large (performance.md, "The window's event loop")."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.client import JSON
from ansflow_desktop.kube.errors import KubeError

if TYPE_CHECKING:
    from ansflow_desktop.kube.client import ClusterClient

T = TypeVar("T")

PAGE = 100
_GONE = 410


class Restart(Exception):
    """The server forgot the list while it was read: throw away what was gathered and begin again.

    `gone` is the server's answer.
    """

    def __init__(self, gone: KubeError) -> None:
        """Keep the answer."""
        super().__init__(gone)
        self.gone = gone


class _Meta(msgspec.Struct, frozen=True, rename={"next": "continue"}):
    next: str | None = None


class _Head(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()


async def pages(
    client: ClusterClient, path: str, *, accept: str = JSON, size: int = PAGE
) -> AsyncGenerator[bytes, None]:
    """Yield the raw pages of the collection `path`, `size` objects each; raises KubeError and Restart."""
    asked: dict[str, str | int] = {"limit": size}
    while True:
        try:
            body = await client.get(path, asked, accept)
        except KubeError as error:
            if error.status == _GONE and "continue" in asked:
                raise Restart(error) from error
            raise
        token = decode(body, _Head).metadata.next
        yield body
        if not token:
            return
        asked = {"limit": size, "continue": token}


def decode(body: bytes, kind: type[T]) -> T:
    """Return `body` as the Struct `kind`; raises KubeError for an answer that is something else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        title = msg("The server's answer is not what a Kubernetes API server says")
        raise KubeError(title, str(error), code=ExitCode.FAILED) from error
