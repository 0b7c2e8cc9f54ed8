"""The namespaces of clusters for every box of the window: what is known at once, then what the cluster says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.presenters.base import off_thread
from ansflow_desktop.presenters.reads import ClusterReads

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services
    from ansflow_desktop.models.cluster import NamespaceList

_DAY_S = 12 * 3600
_OLD_S = 600.0


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
    values = {"time": time.strftime(day, time.localtime(found.read_at)), "age": age(found.read_at)}
    if found.message:
        return msg("%(why)s Read from the cluster at %(time)s (%(age)s)", why=found.message, **values)
    return msg("Read from the cluster at %(time)s (%(age)s)", **values)


def age(read_at: float) -> Text:
    """Return how long ago `read_at` (epoch seconds) was: just now, 3 min ago, 5 h ago, 2 days ago."""
    minutes = max(0, int((time.time() - read_at) / 60))
    if not minutes:
        return msg("just now")
    if minutes < 60:
        return msg_n("%(count)s min ago", "%(count)s min ago", minutes)
    if minutes < 48 * 60:
        return msg_n("%(count)s h ago", "%(count)s h ago", minutes // 60)
    return msg_n("%(count)s day ago", "%(count)s days ago", minutes // (24 * 60))


def are_all(found: NamespaceList) -> bool:
    """Return whether a name that is not in `found` does not exist: all were listed, lately, and by the cluster."""
    return found.complete and not found.message and not is_old(found.read_at)


def is_old(read_at: float) -> bool:
    """Return whether names that were read at `read_at` (epoch seconds) are so old that it is said."""
    return time.time() - read_at >= _OLD_S


def old_note(read_at: float) -> Text:
    """Return what stands below a box whose names are old."""
    return msg("Namespaces read %(age)s; the tool tip says more.", age=age(read_at))


def not_looked_up(name: str, cluster: str) -> Text:
    """Return what is said of a namespace that is in no list, where the list may not be whole."""
    values = {"name": name, "cluster": cluster}
    return msg("It is not known whether namespace %(name)s exists: %(cluster)s did not list all of them.", **values)


_MADE: WeakKeyDictionary[Services, Namespaces] = WeakKeyDictionary()


def of(services: Services) -> Namespaces:
    """Return the one `Namespaces` of these services; to be called on the window's thread."""
    made = _MADE.get(services)
    if made is None:
        made = _MADE[services] = Namespaces(services)
    return made
