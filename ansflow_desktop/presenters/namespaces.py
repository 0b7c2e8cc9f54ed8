"""The namespaces of clusters for every box of the window: what is known at once, then what the cluster says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.presenters.base import off_thread
from ansflow_desktop.presenters.reads import ClusterReads

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services
    from ansflow_desktop.models.cluster import NamespaceList

_DAY_S = 12 * 3600


class Namespaces:
    """One service for all presenters of a window (`of`): they share what is known; files are read off the thread."""

    def __init__(self, services: Services) -> None:
        """Keep the services; nothing is read yet."""
        self._services = services

    async def known(self, cluster: str) -> NamespaceList | None:
        """Return what was last read of `cluster`, in this start or an earlier one; None for nothing. Asks nobody."""
        return await off_thread(lambda: self._known(cluster))

    def _known(self, cluster: str) -> NamespaceList | None:
        services = self._services
        found = next((entry for entry in services.catalog.entries() if entry.name == cluster), None)
        return services.namespaces.known(cluster, found.server) if found else None  # one that is only offered

    async def read(self, cluster: str, reads: ClusterReads | None = None) -> NamespaceList:
        """Ask `cluster` by `reads` and keep the answer; where it cannot be reached, what is known, with a message.

        Raises UserError: an unknown cluster, an unapproved program, a locked vault, refused credentials, or a cluster
        that cannot be reached and of which nothing is known.
        """
        document, asked = await off_thread(lambda: self._of(cluster))
        return await (reads or ClusterReads()).namespaces(self._services.namespaces, cluster, document, asked)

    def _of(self, cluster: str) -> tuple[dict[str, object], tuple[str, ...]]:
        from ansflow_desktop.kube.namespace_cache import candidates

        services = self._services
        return services.catalog.document(cluster), candidates(services.catalog.entry(cluster), services.settings)


def note(found: NamespaceList) -> Text:
    """Return how old the names are, and why they may not be all, for a tool tip."""
    day = "%H:%M:%S" if time.time() - found.read_at < _DAY_S else "%Y-%m-%d %H:%M"
    clock = time.strftime(day, time.localtime(found.read_at))
    if found.message:
        return msg("%(why)s Read from the cluster at %(time)s", why=found.message, time=clock)
    return msg("Read from the cluster at %(time)s", time=clock)


_MADE: WeakKeyDictionary[Services, Namespaces] = WeakKeyDictionary()


def of(services: Services) -> Namespaces:
    """Return the one `Namespaces` of these services; to be called on the window's thread."""
    made = _MADE.get(services)
    if made is None:
        made = _MADE[services] = Namespaces(services)
    return made
