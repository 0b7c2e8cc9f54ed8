"""Lists of an API server page by page, so that no answer is large (performance.md, "The window's event loop")."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.client import JSON
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.next_page import PageTurner

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


class Listing(msgspec.Struct, frozen=True):
    """A page of a collection; what it lists is for a subclass to say."""

    metadata: _Meta = _Meta()


L = TypeVar("L", bound=Listing)


async def pages(
    client: ClusterClient, path: str, kind: type[L], *, accept: str = JSON, size: int = PAGE, **more: str
) -> AsyncGenerator[L, None]:
    """Yield the pages of the collection `path` as `kind`, `size` objects each; raises KubeError and Restart.

    `more` are further parameters, such as `fieldSelector`.
    """
    asked: dict[str, str | int] = {**more, "limit": size}
    turner = PageTurner(asked)
    while True:
        try:
            page = decode(await client.get(path, asked, accept), kind)
        except KubeError as error:
            if error.status == _GONE and "continue" in asked:
                raise Restart(error) from error
            raise
        yield page
        if not page.metadata.next:
            return
        turner.turn(page.metadata.next)


def decode(body: bytes, kind: type[T]) -> T:
    """Return `body` as the Struct `kind`; raises KubeError for an answer that is something else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        title = msg("The server's answer is not what a Kubernetes API server says")
        raise KubeError(title, str(error), code=ExitCode.FAILED) from error
