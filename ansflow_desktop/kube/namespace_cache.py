"""What is known of each cluster's namespaces, kept over starts with its age; one file, safe from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop import files
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.namespaces import usable_namespaces
from ansflow_desktop.models.cluster import ClusterEntry, NamespaceList

if TYPE_CHECKING:
    from ansflow_desktop.settings import Settings

_MOST_CLUSTERS = 1000
_MOST_BYTES = 32 * 1024 * 1024


class _Known(msgspec.Struct, frozen=True):
    """The namespaces of the server that a cluster's name led to when they were read."""

    server: str
    found: NamespaceList


class NamespaceCache:
    """Namespaces by cluster name. A file that is damaged or cannot be written only means that they are read again."""

    def __init__(self, path: Path) -> None:
        """Keep the name of the file; it is read at the first question."""
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, _Known] | None = None

    def known(self, cluster: str, server: str = "") -> NamespaceList | None:
        """Return what was last read of `cluster`, None when nothing was; reads the file once, contacts nobody.

        With `server` (its address), only what came from there: a name may lead to another server by now.
        """
        with self._lock:
            found = self._all().get(cluster)
        return found.found if found and server in ("", found.server) else None

    async def read(self, cluster: str, document: dict[str, Any], candidates: Sequence[str] = ()) -> NamespaceList:
        """Read the namespaces of `cluster` and keep them; `candidates` are asked for where listing is forbidden.

        Where the cluster cannot be reached now, the kept ones are returned with a message that says so; raises
        KubeError when there are none, or the credentials were refused.
        """
        server = str(document["clusters"][0]["cluster"].get("server", ""))
        known = await asyncio.to_thread(self.known, cluster, server)
        asked = [*candidates, *(known.names if known and not known.complete else ())]
        try:
            found = await usable_namespaces(document, asked)
        except KubeError as error:
            if known is None or error.status == 401:
                raise
            return _old(known, error)
        await asyncio.to_thread(self._keep, cluster, _Known(server, found))
        return found

    def forget(self, cluster: str) -> None:
        """Drop what is known of `cluster`: it was removed."""
        self._keep(cluster, None)

    def rename(self, old: str, new: str) -> None:
        """Keep what is known of `old` under the name `new`."""
        if old == new:
            return
        with self._lock:
            found = self._all().get(old)
        self._keep(old, None)
        if found:
            self._keep(new, found)

    def _keep(self, cluster: str, found: _Known | None) -> None:
        with self._lock:
            known = dict(self._all())
            changed = known.pop(cluster, None) is not found
            if found:
                known[cluster] = found
            self._known = dict(list(known.items())[-_MOST_CLUSTERS:])
            if changed:
                self._write()

    def _write(self) -> None:
        try:
            files.write_atomic(self._path, msgspec.json.encode(self._known))
        except UserError:
            return  # a full disk: the names are kept for this session

    def _all(self) -> dict[str, _Known]:
        if self._known is None:
            self._known = _read(self._path)
        return self._known


def candidates(entry: ClusterEntry, settings: Settings) -> tuple[str, ...]:
    """Return the namespaces to ask for where listing is forbidden: the noted one and those of earlier deploys."""
    used = [last.namespace for last in settings.last.values() if last.cluster == entry.name]
    return tuple(dict.fromkeys(name for name in (entry.namespace, *used) if name))


def _read(path: Path) -> dict[str, _Known]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Known])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _old(known: NamespaceList, error: KubeError) -> NamespaceList:
    words = error.message or error.title
    text = msg("The cluster cannot be asked now; these were known before. %(words)s", words=words)
    return msgspec.structs.replace(known, message=text)
