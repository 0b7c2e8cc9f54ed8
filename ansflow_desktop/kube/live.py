"""What becomes of one release while it is deployed: its objects, their pods, and the events about them, as they change.

Everything is watched, nothing polled; each kind has a watch and pauses of its own, so that a forbidden or failing one
leaves the others alone. Watching a namespace that does not exist yet works: its lists are empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.kube.backoff import Backoff
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError, from_exception
from ansflow_desktop.kube.live_board import EventUpdate, LiveBoard, Object, ResourceUpdate
from ansflow_desktop.kube.next_page import PageTurner

Update: TypeAlias = ResourceUpdate | EventUpdate
Emit: TypeAlias = Callable[[Update], None]

COALESCE_S = 0.1
_SETTLE_S = 0.05
_END_S = 0.5
_PAGE = 250
_TOLERANCE_S = 2.0  # events and the Date header count whole seconds
_EVENTS = "Event"
# owners before what they own, so that a pod's owner is mostly known when the pod is seen
KINDS: dict[str, str] = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Service": "/api/v1/namespaces/{}/services",
    "Pod": "/api/v1/namespaces/{}/pods",
    _EVENTS: "/api/v1/namespaces/{}/events",
}


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct, frozen=True):
    metadata: _Meta
    items: list[Object] | None = None


class _Bookmark(msgspec.Struct, frozen=True):
    metadata: _Meta


async def follow_release(
    document: dict[str, Any],
    namespace: str,
    objects: Sequence[tuple[str, str]],
    emit: Emit,
    stop: asyncio.Event,
    *,
    release: str = "",
    since: float | None = None,
    on_problem: Callable[[str, KubeError], None] | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Report changes of the release's objects and their pods until `stop` is set, then what is still to be said.

    `objects` are (kind, name) of the manifest in `namespace`; `release` adds what carries its name as the label
    app.kubernetes.io/instance or in Helm's annotation. Events from before `since` (epoch seconds, the call when not
    given) are left out. `emit` hears only changes, at most every 100 ms; `on_problem` hears of each kind that cannot
    be watched; `on_ready` is called when every kind was read once or refused. Raises KubeError when the cluster's
    credentials cannot be had.
    """
    began = time.time() if since is None else since
    async with ClusterClient(document) as client:
        follower = _Follower(client, namespace, LiveBoard(objects, release), began, emit, on_problem or _ignore)
        await follower.follow(stop, on_ready)


def _ignore(kind: str, error: KubeError) -> None:
    del kind, error


class _Follower:
    """The watches of one release and the loop that reports what they changed."""

    def __init__(
        self,
        client: ClusterClient,
        namespace: str,
        board: LiveBoard,
        since: float,
        emit: Emit,
        on_problem: Callable[[str, KubeError], None],
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._board = board
        self._since = since
        self._emit = emit
        self._on_problem = on_problem
        self._read_once: dict[str, asyncio.Event] = {kind: asyncio.Event() for kind in KINDS}
        self._changed = asyncio.Event()

    async def follow(self, stop: asyncio.Event, on_ready: Callable[[], None] | None) -> None:
        tasks = [asyncio.create_task(self._keep_watching(kind)) for kind in KINDS]
        tasks.append(asyncio.create_task(self._keep_reporting()))
        if on_ready:
            tasks.append(asyncio.create_task(self._tell_ready(on_ready)))
        try:
            await stop.wait()
            await asyncio.sleep(_SETTLE_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._report()

    async def _tell_ready(self, on_ready: Callable[[], None]) -> None:
        for event in self._read_once.values():
            await event.wait()
        on_ready()

    async def _keep_reporting(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(COALESCE_S)
            self._changed.clear()
            self._report()

    def _report(self) -> None:
        for update in self._board.changes():
            self._emit(update)

    async def _keep_watching(self, kind: str) -> None:
        """List, then watch, again and again; the version of the last list or event is where the watch goes on."""
        pauses, version, told = Backoff(first=0.25, limit=10), "", ""
        while True:
            try:
                version = version or await self._list(kind)
                version = await self._watch(kind, version, pauses)
            except KubeError as error:
                version = "" if error.status == 410 or kind != _EVENTS else version
                self._read_once[kind].set()
                if error.status != 410 and str(error.title) != told:
                    told = str(error.title)
                    self._on_problem(kind, error)
            except (msgspec.MsgspecError, UserError):
                version = ""
            await asyncio.sleep(pauses.next())

    async def _list(self, kind: str) -> str:
        """Read the collection and return its version; of events only those of this run are taken in."""
        seen, version = set(), ""
        async for page in self._pages(kind):
            version = page.metadata.resource_version
            for item in sorted(page.items or [], key=lambda found: found.happened):
                seen.add(item.metadata.name)
                self._take(kind, item)
            self._changed.set()
        self._board.keep_only(kind, seen)
        self._read_once[kind].set()
        return version

    async def _pages(self, kind: str) -> AsyncIterator[_Page]:
        asked: dict[str, str | int] = {"limit": _PAGE}
        turner = PageTurner(asked)
        while True:
            page = await self._page(kind, asked)
            yield page
            if not page.metadata.continue_:
                return
            turner.turn(page.metadata.continue_)

    async def _page(self, kind: str, asked: dict[str, str | int]) -> _Page:
        body = await self._client.get(KINDS[kind].format(self._namespace), asked)
        return msgspec.json.decode(body, type=_Page)

    async def _watch(self, kind: str, version: str, pauses: Backoff) -> str:
        path = KINDS[kind].format(self._namespace)
        watching = self._client.watch(path, {"resourceVersion": version})
        async with contextlib.aclosing(watching):
            async for event in watching:
                pauses.reset()
                if event.type == "BOOKMARK":
                    version = msgspec.json.decode(event.object, type=_Bookmark).metadata.resource_version or version
                    continue
                found = msgspec.json.decode(event.object, type=Object)
                version = found.metadata.resource_version or version
                self._apply(kind, event.type, found)
        return version

    def _apply(self, kind: str, change: str, found: Object) -> None:
        if change == "DELETED":
            self._board.remove(kind, found.metadata.name)
        else:
            self._take(kind, found)
        self._changed.set()

    def _take(self, kind: str, found: Object) -> None:
        begin = self._since + self._client.clock_ahead - _TOLERANCE_S
        if kind != _EVENTS:
            self._board.put(kind, found, fresh=found.metadata.created >= begin)
        elif found.happened >= begin:
            self._board.put_event(found)


class ReleaseFollower:
    """`follow_release` in a thread of its own, for the blocking runner; never raises, never holds a run up.

    `emit` is called on that thread. `problems` tells which kinds could not be watched, and why.
    """

    def __init__(
        self, document: dict[str, Any], namespace: str, release: str, objects: Sequence[tuple[str, str]], emit: Emit
    ) -> None:
        """Keep the parts; nothing is started."""
        self._arguments = (document, namespace, tuple(objects), emit)
        self._release = release
        self._since = time.time()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._stop_inside: asyncio.Event | None = None
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"follow {release}", daemon=True)
        self.problems: dict[str, KubeError] = {}

    def start(self) -> None:
        """Begin to follow; returns at once. Events from now on are reported."""
        self._since = time.time()
        self._thread.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait at most `seconds` until everything was read once or refused; return whether it was."""
        return self._ready.wait(seconds)

    def stop(self, seconds: float = 2.0) -> bool:
        """Report what is left and end; return whether that took at most `seconds`, even when the API is frozen."""
        self._stop.set()
        with self._lock:
            if self._loop and self._stop_inside:
                self._loop.call_soon_threadsafe(self._stop_inside.set)
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except UserError as error:
            self.problems[""] = error if isinstance(error, KubeError) else from_exception("", error)
        finally:
            self._ready.set()

    async def _main(self) -> None:
        inside = asyncio.Event()
        with self._lock:
            self._loop, self._stop_inside = asyncio.get_running_loop(), inside
        try:
            if not self._stop.is_set():
                await self._follow(inside)
        finally:
            with self._lock:
                self._loop = None

    async def _follow(self, inside: asyncio.Event) -> None:
        """Follow until told to stop; what has not ended half a second later (a login, a frozen server) is dropped."""
        document, namespace, objects, emit = self._arguments
        following = asyncio.create_task(
            follow_release(
                document,
                namespace,
                objects,
                emit,
                inside,
                release=self._release,
                since=self._since,
                on_problem=self.problems.__setitem__,
                on_ready=self._ready.set,
            )
        )
        stopped = asyncio.create_task(inside.wait())
        await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({following}, timeout=_END_S)
        following.cancel()
        stopped.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
