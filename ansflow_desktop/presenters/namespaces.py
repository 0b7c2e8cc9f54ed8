"""The namespaces of clusters for every box of the window: what is known at once, then what the cluster says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ansflow_desktop.presenters.base import off_thread

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services
    from ansflow_desktop.kube.namespace_cache import NamespaceCache
    from ansflow_desktop.models.cluster import NamespaceList


class Namespaces:
    """One service for all presenters of a window (`of`): they share what is known; files are read off the thread."""

    def __init__(self, services: Services) -> None:
        """Keep the services; nothing is read yet."""
        self._services = services
        self._cache: NamespaceCache | None = None

    async def known(self, cluster: str) -> NamespaceList | None:
        """Return what was last read of `cluster`, in this start or an earlier one; None for nothing. Asks nobody."""
        return await off_thread(lambda: self._kept().known(cluster))

    async def read(self, cluster: str) -> NamespaceList:
        """Ask `cluster` and keep the answer; where it cannot be reached, what is known, with a message that says so.

        Raises UserError: an unknown cluster, an unapproved program, a locked vault, refused credentials, or a cluster
        that cannot be reached and of which nothing is known.
        """
        cache = await off_thread(self._kept)
        document, asked = await off_thread(lambda: self._of(cluster))
        return await cache.read(cluster, document, asked)

    def _of(self, cluster: str) -> tuple[dict[str, object], tuple[str, ...]]:
        from ansflow_desktop.kube.namespace_cache import candidates

        services = self._services
        return services.catalog.document(cluster), candidates(services.catalog.entry(cluster), services.settings)

    def _kept(self) -> NamespaceCache:
        from ansflow_desktop.kube.namespace_cache import NamespaceCache

        if self._cache is None:
            self._cache = NamespaceCache(self._services.directories.data / "namespaces.json")
        return self._cache


_MADE: WeakKeyDictionary[Services, Namespaces] = WeakKeyDictionary()


def of(services: Services) -> Namespaces:
    """Return the one `Namespaces` of these services; to be called on the window's thread."""
    made = _MADE.get(services)
    if made is None:
        made = _MADE[services] = Namespaces(services)
    return made
