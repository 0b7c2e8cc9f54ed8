"""What the boxes of a step's form offer: clusters, namespaces, objects, containers and charts, asked in the background.

Nothing here ever blocks or complains: a cluster that does not answer leaves a box without offers, and the box's tool
tip says why. Answers are kept by cluster and namespace with their age.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from PySide6.QtCore import Signal

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.presenters import namespaces
from ansflow_desktop.presenters.base import KUBE_CLIENT, Presenter, imported, off_thread

if TYPE_CHECKING:
    from ansflow_desktop.models.cluster import NamespaceList

Key: TypeAlias = tuple[str, ...]
"""The kind of a question and what it is about: `("namespaces", cluster)`."""

FRESH_S = 20.0
MOST_KEPT = 64
_MOST_ENTRIES = 400
_CHART_PLACES = (".", "charts", "helm", "k8s")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known to a question: the names, why there are none, and the local time of the answer (epoch seconds).

    `asking` is True while it is asked (again); `at` is 0 for one that was never answered;
    `about` says how old the names are and why they may not be all, where more is known than `at`; `complete` is
    False where there may be more names than these.
    """

    names: tuple[str, ...] = ()
    error: Text = ""
    at: float = 0
    asking: bool = False
    about: Text = ""
    complete: bool = True

    @property
    def note(self) -> Text:
        """Where the names come from, for a tool tip."""
        clock = time.strftime("%H:%M:%S", time.localtime(self.at))
        if self.error and self.about:
            return msg("These names are older: %(why)s. %(about)s", why=self.error, about=self.about)
        if self.error and self.names:
            return msg("These names are older: %(why)s.", why=self.error)
        if self.error:
            return msg("Nothing to choose from: %(why)s. Type the name.", why=self.error)
        if self.about:
            return self.about
        if not self.at:
            return msg("Asking the cluster") if self.asking else ""
        return msg("Read from the cluster at %(time)s", time=clock)


_READS = (*KUBE_CLIENT, "ansflow_desktop.kube.resources")


class NameReads:
    """Reads of names for completion, imported at the first use; unit tests put another in its place."""

    async def resources(self, document: dict[str, Any], namespace: str, kinds: tuple[str, ...]) -> list[str]:
        """Return objects of these kinds as `kind/name`; raises KubeError."""
        module = await imported(*_READS)
        return list(await module.list_resources(document, namespace, kinds))

    async def containers(self, document: dict[str, Any], namespace: str, resource: str, selector: str) -> list[str]:
        """Return the containers of an object, or of the pods that a selector picks; raises KubeError."""
        module = await imported(*_READS)
        return list(await module.list_containers(document, namespace, resource, selector))


class Completions(Presenter):
    """Answers by key; `changed(key)` comes when another answer to a question is known."""

    changed = Signal(tuple)

    def __init__(self, services: Any, reads: Any, names: NameReads | None = None) -> None:
        """Keep the services (their cluster catalog is used), the reads of namespaces, and those of other names."""
        super().__init__()
        self._services = services
        self._reads = reads
        self._names = names or NameReads()
        self._answers: dict[Key, Answer] = {}
        self._begun: dict[Key, float] = {}

    def answer(self, key: Key) -> Answer:
        """Return what is known to `key` now."""
        return self._answers.get(key, Answer())

    def ask(self, key: Key) -> None:
        """Ask `key` in the background, unless a fresh answer is there or it is being asked."""
        known = self.answer(key)
        if known.asking or time.monotonic() - self._begun.get(key, -FRESH_S) < FRESH_S:
            return
        self._begun[key] = time.monotonic()
        self._forget_asking(key[0])
        self._keep(key, msgspec.structs.replace(known, asking=True))
        self._start(key[0], self._ask(key, self._requests.begin(key[0])))

    def ask_again(self, key: Key) -> None:
        """Ask `key` now, however fresh its answer is: somebody asked for it."""
        self._begun.pop(key, None)
        self.ask(key)

    def forget(self, kind: str) -> None:
        """Ask questions of `kind` anew at the next occasion, however fresh their answers are."""
        for key in [key for key in self._begun if key[0] == kind]:
            del self._begun[key]

    def _forget_asking(self, kind: str) -> None:
        """Give up the last question of this kind for a new one; it may be asked again at once."""
        for key, answer in self._answers.items():
            if key[0] == kind and answer.asking:
                self._answers[key] = msgspec.structs.replace(answer, asking=False)
                self._begun.pop(key, None)

    async def _ask(self, key: Key, number: int) -> None:
        try:
            found = await (self._namespaces(key, number) if key[0] == "namespaces" else self._names_of(key))
        except (UserError, msgspec.MsgspecError, OSError) as error:
            why = error.title if isinstance(error, UserError) else str(error)
            found = self._older(key, why)
        if self._requests.current(key[0], number):
            self._keep(key, found)

    def _older(self, key: Key, why: Text) -> Answer:
        """Return what was known before with its own age, now that the cluster could not be asked."""
        known = self.answer(key)
        return msgspec.structs.replace(
            known, error=why, at=known.at or time.time(), asking=False, complete=known.complete and not known.names
        )

    async def _names_of(self, key: Key) -> Answer:
        return Answer(names=tuple(await self._read(key)), at=time.time())

    async def _namespaces(self, key: Key, number: int) -> Answer:
        """Show what was read earlier at once, then ask the cluster."""
        service, cluster = namespaces.of(self._services), key[1]
        known = None if self.answer(key).names else await service.known(cluster)
        if known is not None and self._requests.current(key[0], number):
            self._keep(key, msgspec.structs.replace(_answer(known), asking=True))
        return _answer(await service.read(cluster, self._reads))

    def _keep(self, key: Key, answer: Answer) -> None:
        self._answers.pop(key, None)
        self._answers[key] = answer
        while len(self._answers) > MOST_KEPT:
            oldest = next(iter(self._answers))
            del self._answers[oldest]
            self._begun.pop(oldest, None)
        self.changed.emit(key)

    async def _read(self, key: Key) -> list[str]:
        kind, *about = key
        if kind == "clusters":
            return await off_thread(self._clusters)
        if kind == "charts":
            return await off_thread(lambda: charts_below(about[0]))
        document = await off_thread(lambda: self._services.catalog.document(about[0]))
        if kind == "resources":
            return await self._names.resources(document, about[1], tuple(about[2:]))
        return await self._names.containers(document, about[1], about[2], about[3])

    def _clusters(self) -> list[str]:
        return [entry.name for entry in self._services.catalog.entries()]


def _answer(found: NamespaceList) -> Answer:
    return Answer(names=found.names, at=found.read_at, about=namespaces.note(found), complete=namespaces.are_all(found))


def charts_below(folder: str) -> list[str]:
    """Return the names by which charts near `folder` can be given: its sub-folders and those of charts/, helm/, k8s/.

    A folder that is a chart itself is given by `.`. Unreadable folders are passed over; at most 400 entries of each
    are looked at.
    """
    base = Path(folder)
    found = ["."] if _is_chart(base) else []
    for place in _CHART_PLACES:
        found += [entry.name for entry in _entries(base / place) if _is_chart(entry)]
    return list(dict.fromkeys(found))


def _entries(folder: Path) -> list[Path]:
    found: list[Path] = []
    with contextlib.suppress(OSError, ValueError):
        for entry, _ in zip(folder.iterdir(), range(_MOST_ENTRIES), strict=False):
            found.append(entry)
    return sorted(found)


def _is_chart(folder: Path) -> bool:
    try:
        return (folder / "Chart.yaml").is_file()
    except (OSError, ValueError):
        return False
