"""How presenters read a cluster: thin asynchronous calls into `kube`, imported at the first use (goal 9).

One object, so that unit tests can put another in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.presenters.base import KUBE_CLIENT, imported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansflow_desktop.kube.namespace_cache import NamespaceCache
    from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatistics, ClusterStatus, Diagnosis, NamespaceList
    from ansflow_desktop.models.command import ToolSet
    from ansflow_desktop.models.release import Release


_READS = (
    *KUBE_CLIENT,
    *(f"ansflow_desktop.kube.{name}" for name in ("release_watch", "probe", "namespace_cache", "releases")),
)


class ClusterReads:
    """Reads of one cluster at a time; every method takes the minimal kubeconfig document of that cluster."""

    async def check(self, entry: ClusterEntry, document: dict[str, Any]) -> ClusterStatus:
        """Return whether the cluster answers, its version and latency; never raises for a cluster that does not."""
        await imported(*_READS)
        from ansflow_desktop.kube import probe

        return await probe.check(entry, document)

    async def diagnose(self, entry: ClusterEntry, document: dict[str, Any], tools: ToolSet | None = None) -> Diagnosis:
        """Return what a connection test finds, stage by stage; never raises for a cluster that does not answer.

        With `tools` the server's version is compared with what they support.
        """
        await imported(*_READS)
        diagnose = await imported("ansflow_desktop.kube.diagnose")
        found: Diagnosis = await diagnose.diagnose(entry, document, tools=tools)
        return found

    async def statistics(
        self, document: dict[str, Any], name: str, told: Callable[[ClusterStatistics], None]
    ) -> ClusterStatistics:
        """Return the figures of cluster `name`; raises KubeError where nothing could be read.

        `told` hears of them before what pods request, which takes the longest, is known.
        """
        await imported(*_READS)
        statistics = await imported("ansflow_desktop.kube.statistics")
        found: ClusterStatistics = await statistics.read_statistics(document, name, told=told)
        return found

    async def namespaces(
        self, cache: NamespaceCache, cluster: str, document: dict[str, Any], candidates: Sequence[str]
    ) -> NamespaceList:
        """Return the namespaces of `cluster`, as `NamespaceCache.read` does; raises KubeError."""
        await imported(*_READS)
        return await cache.read(cluster, document, candidates)

    async def watch_releases(
        self,
        document: dict[str, Any],
        on_rows: Callable[[list[Release]], None],
        on_state: Callable[[UserError | None], None],
    ) -> None:
        """Call `on_rows` with all releases of all namespaces now and after every change, until cancelled.

        `on_state` hears the error when the connection is lost, and None once it stands again.
        """
        await imported(*_READS)
        from ansflow_desktop.kube import release_watch

        await release_watch.watch_releases(document, on_rows, on_state)

    async def release(self, document: dict[str, Any], namespace: str, name: str) -> Release | None:
        """Return the newest revision of a release, None where there is none; raises KubeError."""
        await imported(*_READS)
        from ansflow_desktop.kube import releases

        return await releases.read_release(document, namespace, name)

    async def history(self, document: dict[str, Any], namespace: str, name: str) -> list[Release]:
        """Return the revisions of a release that are kept, oldest first; raises KubeError."""
        await imported(*_READS)
        from ansflow_desktop.kube import releases

        return await releases.history(document, namespace, name)

    async def kept_values(self, document: dict[str, Any], namespace: str, release: str) -> dict[str, Any] | None:
        """Return the values of the live release that helm would silently keep, None when there are none."""
        await imported(*_READS)
        from ansflow_desktop.kube import releases

        return await releases.release_values(document, namespace, release)


def known_tools(services: Any) -> ToolSet | None:
    """Return the programs that were found, None where the chosen ones cannot be used; runs them: off the thread."""
    try:
        found: ToolSet = services.tools
    except UserError:
        return None
    return found
