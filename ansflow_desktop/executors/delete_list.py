"""Which objects a `k8s_delete` step takes away: read before anything is deleted, dependents included."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.delete_step import Doomed, outside
from ansflow_desktop.executors.objects_missing import missing, require_kind
from ansflow_desktop.executors.objects_names import ObjectName
from ansflow_desktop.executors.objects_run import not_allowed
from ansflow_desktop.executors.planned import CONFIG
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.discovery import ServedKind, find_kind, served_kinds
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.fields import text
from ansflow_desktop.kube.objects import get_object, list_objects, may, name_of, owner_of, release_of, uid_of

_DEPENDENT_KINDS = ("replicasets.apps", "jobs.batch", "pods")
_AT_ONCE = 8
_MOST_PER_KIND = 500
_PASSING = ("events", "events.events.k8s.io")  # they come and go by themselves


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it is before the deletion; `argument` is what kubectl calls it, `owner` who controls it."""

    kind: ServedKind
    name: str
    uid: str
    argument: str
    owner_uid: str = ""
    owner: str = ""
    release: str = ""

    @property
    def label(self) -> str:
        """`Kind name`, for people."""
        return f"{self.kind.kind} {self.name}"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What goes: `objects` are deleted, `dependents` go with them; `missing` were named but are not there."""

    objects: tuple[Found, ...] = ()
    dependents: tuple[Found, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def everything(self) -> tuple[Found, ...]:
        """All objects that go."""
        return (*self.objects, *self.dependents)


class Lister:
    """Reads what a step deletes; one for each step."""

    def __init__(self, client: ClusterClient, namespace: str, doomed: Doomed, *, orphan: bool, lenient: bool) -> None:
        """Keep the parts; `lenient` takes what is not there for deleted already."""
        self._client, self._namespace, self._doomed = client, namespace, doomed
        self._orphan, self._lenient = orphan, lenient
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._kinds: Sequence[ServedKind] = ()

    async def listing(self) -> Listing:
        """Return what goes; raises UserError (1 not there, 2 outside the namespace, 3 unreachable, 4 forbidden)."""
        self._kinds = await served_kinds(self._client)
        found, absent = await (self._named() if self._doomed.named else self._selected())
        await self._check_rights(found)
        uids = {each.uid for each in found}
        tops = tuple(each for each in found if each.owner_uid not in uids)
        if self._orphan:
            return Listing(objects=tops, missing=absent)
        owned = [each for each in found if each.owner_uid in uids]
        return Listing(objects=tops, dependents=tuple(await self._dependents(found, owned)), missing=absent)

    async def _named(self) -> tuple[list[Found], tuple[str, ...]]:
        found: list[Found] = []
        absent: list[str] = []
        for wanted in self._doomed.named:
            kind = self._kind(wanted.kind)
            seen = await self._one(kind, wanted) if kind else None
            if seen is None:
                absent.append(f"{kind.kind if kind else wanted.kind} {wanted.name}")
            else:
                found.append(seen)
        return found, tuple(absent)

    def _kind(self, word: str) -> ServedKind | None:
        """Return the kind of a named object; None where the cluster has no such kind and that does not matter."""
        if self._lenient and find_kind(self._kinds, word) is None:
            return None
        kind = require_kind(self._kinds, word, self._doomed.field)
        if not kind.namespaced and not self._doomed.is_namespace:
            raise outside(kind.kind, self._doomed.field)
        return kind

    async def _one(self, kind: ServedKind, wanted: ObjectName) -> Found | None:
        obj = await get_object(self._client, kind, self._namespace, wanted.name, metadata_only=True)
        if obj is not None:
            return _found(kind, obj, wanted.argument)
        if not self._lenient and len(self._doomed.named) == 1:
            raise await missing(self._client, kind, self._namespace, wanted.name)
        return None

    async def _selected(self) -> tuple[list[Found], tuple[str, ...]]:
        field = f"{CONFIG}.kinds"
        served: list[ServedKind] = []
        for word in self._doomed.kinds:
            if find_kind(self._kinds, word) is None and (self._lenient or not self._doomed.own_kinds):
                continue
            served.append(require_kind(self._kinds, word, field))
            if not served[-1].namespaced:
                raise outside(served[-1].kind, field)
        lists = await asyncio.gather(*(self._matching(kind) for kind in dict.fromkeys(served)))
        return [each for found in lists for each in found], ()

    async def _matching(self, kind: ServedKind) -> list[Found]:
        async with self._room:
            try:
                listed = await list_objects(self._client, kind, self._namespace, self._doomed.selector)
            except KubeError as error:
                if error.status == 400:
                    title = msg("The cluster does not take the selector")
                    raise UserError(title, error.message, field=self._doomed.field) from error
                raise
        return [_found(kind, obj) for obj in listed]

    async def _check_rights(self, found: Iterable[Found]) -> None:
        for kind in dict.fromkeys(each.kind for each in found):
            if not await may(self._client, self._namespace, "delete", kind.group, kind.plural):
                raise not_allowed("delete", kind.plural, self._namespace)

    async def _dependents(self, found: list[Found], owned: list[Found]) -> list[Found]:
        """Return what the garbage collector takes away with `found`, level by level; `owned` is known already."""
        known = {each.uid: each for each in owned}
        uids = {each.uid for each in found}
        if self._doomed.is_namespace:
            inside = [kind for kind in self._kinds if kind.namespaced and {"list", "delete"} <= set(kind.verbs)]
            wanted = [kind for kind in inside if kind.word not in _PASSING and kind.plural != "events"]
            return await self._all_of(wanted)
        kinds = [kind for word in _DEPENDENT_KINDS if (kind := find_kind(self._kinds, word))]
        for each in await self._all_of(kinds):
            if each.owner_uid in uids and each.uid not in uids:
                known[each.uid] = each
                uids.add(each.uid)
        return list(known.values())

    async def _all_of(self, kinds: Sequence[ServedKind]) -> list[Found]:
        """Return all objects of `kinds`, in their order; kinds that may not be listed are left out."""

        async def one(kind: ServedKind) -> list[Found]:
            async with self._room:
                try:
                    listed = await list_objects(self._client, kind, self._namespace, most=_MOST_PER_KIND)
                except KubeError as error:
                    if error.code is ExitCode.UNREACHABLE and error.status == 0:
                        raise
                    return []
            return [_found(kind, obj) for obj in listed]

        return [each for found in await asyncio.gather(*map(one, kinds)) for each in found]


def _found(kind: ServedKind, obj: Mapping[str, Any], argument: str = "") -> Found:
    owner = owner_of(obj) or {}
    return Found(
        kind=kind,
        name=name_of(obj),
        uid=uid_of(obj),
        argument=argument or f"{kind.resource}/{name_of(obj)}",
        owner_uid=text(owner, "uid"),
        owner=f"{text(owner, 'kind')}/{text(owner, 'name')}" if owner else "",
        release=release_of(obj),
    )
