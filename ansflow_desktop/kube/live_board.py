"""What is known of a release's objects, and what of it was not told yet: no network, no clock, tested by itself."""

from __future__ import annotations

import datetime
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.health import assess
from ansflow_desktop.kube.pods import Assessment
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.run import Health

Key: TypeAlias = tuple[str, str]

_INSTANCE = "app.kubernetes.io/instance"
_RELEASE = "meta.helm.sh/release-name"
_HOOK = "helm.sh/hook"
_WAITING = 2000
_SEEN = 10_000


class ResourceUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the release as it is now; fields as in `models.run.ResourceChanged`. MISSING: it was deleted."""

    kind: str
    namespace: str
    name: str
    health: Health
    message: Text = ""
    owner: str = ""
    detail: str = ""


class EventUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A Kubernetes event about an object of the release; `time` is the server's RFC 3339 time."""

    kind: str
    namespace: str
    name: str
    reason: str
    message: str
    warning: bool = False
    time: str = ""


class Owner(msgspec.Struct, frozen=True):
    """One entry of ownerReferences."""

    kind: str = ""
    name: str = ""
    controller: bool = False


class Metadata(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The metadata that is looked at; managedFields are never decoded."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[Owner] = []

    @property
    def owner(self) -> Key | None:
        """Kind and name of the controlling owner, None where there is none."""
        owners = [owner for owner in self.owner_references if owner.controller] or self.owner_references
        return (owners[0].kind, owners[0].name) if owners else None

    @property
    def created(self) -> float:
        """When the object was made, in epoch seconds; infinity where it does not say."""
        return _epoch(self.creation_timestamp)


class Object(msgspec.Struct, frozen=True, rename="camel"):
    """An object or event of the API, as far as it is looked at."""

    metadata: Metadata
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}
    involved_object: dict[str, Any] = {}
    reason: str | None = None
    message: str | None = None
    type: str | None = None
    count: int | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: dict[str, Any] | None = None

    @property
    def moment(self) -> str:
        """When the event last happened, RFC 3339, empty where it does not say."""
        again = str((self.series or {}).get("lastObservedTime") or "")
        return again or self.last_timestamp or self.event_time or ""

    @property
    def happened(self) -> float:
        """`moment` in epoch seconds; infinity where it does not say, so that nothing is lost."""
        return _epoch(self.moment)


class _Known(msgspec.Struct, frozen=True):
    """An object that was seen: who owns it, whether it names the release itself, its update.

    `idle` is an object scaled to zero: the ReplicaSets of former revisions, not worth telling.
    """

    owner: Key | None
    named: bool
    update: ResourceUpdate
    idle: bool = False


class LiveBoard:
    """Objects and events of a namespace go in; what changed about one release comes out, each change once."""

    def __init__(self, objects: Iterable[Sequence[str]], release: str = "") -> None:
        """Follow the manifest's `objects` (kind, name) and everything that names `release` or is owned by these."""
        self._roots: set[Key] = {(item[0], item[-1]) for item in objects}
        self._release = release
        self._known: dict[Key, _Known] = {}
        self._told: dict[Key, ResourceUpdate] = {}
        self._dirty: dict[Key, None] = {}
        self._orphans: dict[Key, None] = {}
        self._events: deque[tuple[Key, str, EventUpdate]] = deque(maxlen=_WAITING)
        self._told_events: dict[str, None] = {}

    def put(self, kind: str, found: Object, *, fresh: bool = False) -> None:
        """Take in an object as it is now; `fresh` means made in this run: Helm marks hooks with no release's name."""
        meta = found.metadata
        key = (kind, meta.name)
        owner = meta.owner
        update = _update(kind, found, _assess(kind, found), owner)
        known, former = (
            _Known(
                owner,
                self._is_named(key, meta) or (fresh and self._is_hook(meta)),
                update,
                found.spec.get("replicas") == 0,
            ),
            self._known.get(key),
        )
        self._known[key] = known
        self._dirty[key] = None
        if former and former.named != known.named:  # what it owns may be ours now, too
            self._dirty.update(dict.fromkeys(self._known))

    def remove(self, kind: str, name: str) -> None:
        """Take out an object that was deleted."""
        key = (kind, name)
        self._known.pop(key, None)
        self._orphans.pop(key, None)
        self._dirty[key] = None

    def keep_only(self, kind: str, names: set[str]) -> None:
        """Take out all objects of `kind` that are not among `names`: the collection was listed anew."""
        for key in [key for key in self._known if key[0] == kind and key[1] not in names]:
            self.remove(*key)

    def put_event(self, found: Object) -> None:
        """Take in an event; it waits until its object is known to belong to the release."""
        about = found.involved_object
        key = (str(about.get("kind") or ""), str(about.get("name") or ""))
        version = f"{found.metadata.uid}/{found.metadata.resource_version}"
        self._events.append((key, version, _event_update(key, found)))

    def changes(self) -> Iterator[ResourceUpdate | EventUpdate]:
        """Yield what is new since the last call: objects first, then events."""
        dirty = [*self._orphans, *self._dirty]
        self._dirty, self._orphans = {}, {}
        for key in dict.fromkeys(dirty):
            yield from self._change_of(key)
        for _ in range(len(self._events)):
            key, version, update = self._events.popleft()
            if not self.is_ours(key) and key not in self._told:
                self._events.append((key, version, update))
            elif version not in self._told_events:
                self._remember(version)
                yield update

    def is_ours(self, key: Key) -> bool:
        """Return whether the object belongs to the release: by name, by label, or through its owners."""
        for link in self._chain(key):
            known = self._known.get(link)
            if link in self._roots or (known is not None and known.named):
                return True
        return False

    def _chain(self, key: Key) -> list[Key]:
        """Return `key` and its owners upwards, the last one perhaps not seen yet; owners in a circle end."""
        chain = [key]
        while (known := self._known.get(chain[-1])) and known.owner and known.owner not in chain:
            chain.append(known.owner)
        return chain

    def _change_of(self, key: Key) -> Iterator[ResourceUpdate]:
        known, told = self._known.get(key), self._told.get(key)
        if known is None:
            if told is not None and told.health is not Health.MISSING:
                gone = msgspec.structs.replace(told, health=Health.MISSING, message=msg("Deleted"), detail="")
                self._told[key] = gone
                yield gone
            return
        if not self.is_ours(key):
            if self._chain(key)[-1] not in self._known:  # ask again next time: the watches run side by side
                self._orphans[key] = None
            return
        empty = key[0] == "ReplicaSet" and known.idle
        if known.update != told and not (empty and told is None):
            self._told[key] = known.update
            yield known.update

    def _is_named(self, key: Key, meta: Metadata) -> bool:
        if key in self._roots:
            return True
        marks = (meta.labels.get(_INSTANCE), meta.annotations.get(_RELEASE))
        return bool(self._release) and self._release in marks

    def _is_hook(self, meta: Metadata) -> bool:
        return _HOOK in meta.annotations and meta.labels.get(_INSTANCE, self._release) == self._release

    def _remember(self, version: str) -> None:
        while len(self._told_events) >= _SEEN:
            self._told_events.pop(next(iter(self._told_events)))
        self._told_events[version] = None


def _epoch(moment: str) -> float:
    try:
        return datetime.datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return math.inf


def _assess(kind: str, found: Object) -> Assessment:
    meta = {"generation": found.metadata.generation, "deletionTimestamp": found.metadata.deletion_timestamp}
    shown: Mapping[str, Any] = {"kind": kind, "metadata": meta, "spec": found.spec, "status": found.status}
    return assess(shown)


def _update(kind: str, found: Object, assessment: Assessment, owner: Key | None) -> ResourceUpdate:
    return ResourceUpdate(
        kind=kind,
        namespace=found.metadata.namespace,
        name=found.metadata.name,
        health=assessment.health,
        message=assessment.message,
        owner="/".join(owner) if owner else "",
        detail=assessment.detail,
    )


def _event_update(key: Key, found: Object) -> EventUpdate:
    return EventUpdate(
        kind=clean(key[0]),
        namespace=clean(str(found.involved_object.get("namespace") or "")),
        name=clean(key[1]),
        reason=clean(found.reason or ""),
        message=clean((found.message or "").strip()),
        warning=found.type == "Warning",
        time=found.moment,
    )
