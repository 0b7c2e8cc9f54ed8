"""Is a cluster there, how far away, and are the credentials accepted: one check, bounded, never blocking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from ansflow_desktop.errors import LockedAway, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.approvals import ApprovalNeeded
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.who import ANONYMOUS, who
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus, Reach

_LOGIN_S = 20.0


async def check(entry: ClusterEntry, document: dict[str, Any], timeout: float = 5.0) -> ClusterStatus:
    """Return what a check of `entry` found within about `timeout` seconds; never raises KubeError.

    A credential program has 20 s of its own: some ask a person, and one that hangs is named as what hangs.

    The latency is that of `/version` on an open connection. Since anybody may read `/version`, the server is also
    asked who we are (SelfSubjectReview): nobody, or 401, means that the credentials are refused.
    """
    most = _LOGIN_S + timeout * 3
    client_of = ClusterClient(document, timeout=timeout, login_timeout=_LOGIN_S)
    try:
        async with asyncio.timeout(most), client_of as client:
            return await _ask(entry.name, client)
    except KubeError as error:
        return _failed(entry.name, error)
    except TimeoutError:
        return _status(entry.name, Reach.UNREACHABLE, msg("No answer within %(seconds)s s", seconds=f"{most:g}"))


async def check_all(
    catalog: ClusterCatalog,
    names: Iterable[str],
    on_status: Callable[[ClusterStatus], None],
    limit: int = 8,
    timeout: float = 5.0,
) -> None:
    """Check `names`, at most `limit` at a time, and report each as it begins and as it is known."""
    places = asyncio.Semaphore(limit)

    async def one(name: str) -> None:
        async with places:
            on_status(_status(name, Reach.CHECKING))
            on_status(await check_named(catalog, name, timeout))

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(one(name))


async def check_named(catalog: ClusterCatalog, name: str, timeout: float = 5.0) -> ClusterStatus:
    """Return the check of the catalogue's cluster `name`; a broken, unapproved or locked one is not contacted."""
    try:
        entry, document = catalog.entry(name), catalog.document(name)
    except ApprovalNeeded as error:
        return _status(name, Reach.APPROVAL_NEEDED, error.title)
    except LockedAway as error:
        return _status(name, Reach.LOCKED, _words(error))
    except UserError as error:
        return _status(name, Reach.UNREACHABLE, error.message or error.title)
    return await check(entry, document, timeout)


async def _ask(name: str, client: ClusterClient) -> ClusterStatus:
    user = (await who(client)).username
    started = time.perf_counter()
    version = await client.server_version()
    latency = (time.perf_counter() - started) * 1000
    if user == ANONYMOUS:
        return _status(name, Reach.REFUSED, msg("The server knows no user of these credentials"), version, latency)
    return _status(name, Reach.REACHABLE, "", version, latency)


def _failed(name: str, error: KubeError) -> ClusterStatus:
    reach = Reach.REFUSED if error.status == 401 else Reach.UNREACHABLE
    return _status(name, reach, _words(error))


def _words(error: UserError) -> Text:
    if not error.message:
        return error.title
    return msg("%(title)s: %(words)s", title=error.title, words=error.message)


def _status(name: str, reach: Reach, message: Text = "", version: str = "", latency_ms: float = 0) -> ClusterStatus:
    return ClusterStatus(
        name=name, reach=reach, version=version, latency_ms=latency_ms, message=message, checked_at=time.time()
    )
