"""Runs `k8s_delete`: the list of what goes first, then kubectl, then proof that it is gone or what holds it."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import kubectl_said
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.delete_list import Found, Lister, Listing
from ansflow_desktop.executors.delete_step import Doomed, check_delete, delete_commands
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.executors.objects_run import PAUSE_S, ObjectWork, joined, refuse
from ansflow_desktop.executors.objects_watch import ObjectWatch
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.planned import CONFIG, require_namespace
from ansflow_desktop.i18n import Message, Text, msg, msg_n
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.fields import conditions, text
from ansflow_desktop.kube.objects import Object, finalizers_of, get_object, is_leaving, uid_of
from ansflow_desktop.models.pipeline import Delete, ExecutionContext, PipelineStep
from ansflow_desktop.models.run import Health, Phase
from ansflow_desktop.process import ProcessResult

_SHOWN = 500
_NAMED = 10
_LOOKED_AT = 50
_HELD_S = 2.0
_COLLECTOR = ("foregroundDeletion", "orphan")  # the garbage collector's own: it is at work


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """An object that is still there: whether it is being deleted, and which finalizers hold it."""

    found: Found
    leaving: bool
    finalizers: tuple[str, ...] = ()
    detail: str = ""

    @property
    def text(self) -> Message:
        """The object and why it is still there, for people."""
        label = self.found.label
        held = ", ".join(each for each in self.finalizers if each not in _COLLECTOR)
        if self.leaving and held:
            return msg("%(object)s (held by the finalizer %(finalizers)s)", object=label, finalizers=held)
        if self.leaving and self.finalizers:
            return msg("%(object)s (waits until what belongs to it is gone)", object=label)
        if self.leaving and self.detail:
            return msg("%(object)s (being deleted: %(detail)s)", object=label, detail=self.detail)
        if self.leaving:
            return msg("%(object)s (being deleted)", object=label)
        return msg("%(object)s (not deleted)", object=label)


def run_delete(
    step: PipelineStep, config: Delete, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Delete, and return what is left by the cluster's own word; raises UserError where nothing was deleted."""
    require_namespace(step)
    doomed = check_delete(step, config)
    return _DeleteRun(ObjectWork(step, context, scope, document, doomed.seconds), doomed, config).run()


class _DeleteRun:
    """One deletion under way."""

    def __init__(self, work: ObjectWork, doomed: Doomed, config: Delete) -> None:
        self._work, self._doomed, self._config = work, doomed, config
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._gone: set[str] = set()
        self._told: set[str] = set()
        self._waited_for: tuple[Found, ...] = ()

    def run(self) -> StepResult:
        work = self._work
        listing = work.read(self._list)
        if listing.missing and not self._config.ignore_not_found:
            raise _not_there(listing.missing)
        for label in listing.missing:
            work.notice("info", msg("%(object)s is not there.", object=label))
        if not listing.objects:
            return self._nothing()
        self._waited_for = listing.objects if self._doomed.is_namespace else listing.everything
        self._show(listing)
        names = [found.argument for found in listing.objects]
        where = "" if self._doomed.is_namespace else work.namespace
        commands = delete_commands(work.kubectl, names, self._config, where, self._doomed.seconds)
        with ObjectWatch(work.document, self._look):
            for command in commands:
                result = work.run(command)
                if result.cancelled or result.exit_code != 0:
                    break
            return self._ended(result)

    async def _list(self, client: ClusterClient) -> Listing:
        orphan, lenient = self._config.propagation == "orphan", self._config.ignore_not_found
        return await Lister(client, self._work.namespace, self._doomed, orphan=orphan, lenient=lenient).listing()

    def _nothing(self) -> StepResult:
        if self._config.ignore_not_found:
            return self._work.ended(Phase.SUCCEEDED, msg("There is nothing to delete."))
        title = msg("No object has the labels %(selector)s", selector=self._doomed.selector)
        hint = msg("Correct the selector or the kinds, or set ignore_not_found: true.")
        raise UserError(title, "", hint, field=f"{CONFIG}.selector", code=ExitCode.FAILED)

    def _show(self, listing: Listing) -> None:
        work = self._work
        work.notice("info", _will_go(listing.objects))
        if listing.dependents:
            work.notice("info", _goes_with(listing.dependents))
        for warning in _warnings(listing, self._config):
            work.notice("warning", warning)
        for found in listing.everything[:_SHOWN]:
            self._changed(found, Health.PROGRESSING, msg("Will be deleted"))

    def _changed(self, found: Found, health: Health, message: Text) -> None:
        namespace = self._work.namespace if found.kind.namespaced else ""
        self._work.changed(found.kind.kind, namespace, found.name, health, message, owner=found.owner)

    async def _look(self, client: ClusterClient) -> None:
        """Tell what has gone and what is held; on the thread of the watch."""
        waiting = [found for found in self._waited_for if found.uid not in self._gone]
        for found in waiting[:_LOOKED_AT]:
            left = await self._left_of(client, found)
            if left is not None and left.leaving and time.monotonic() - self._began > _HELD_S:
                self._tell_held(left)

    def _tell_held(self, left: Left) -> None:
        held = [each for each in left.finalizers if each not in _COLLECTOR]
        if held and left.found.uid not in self._told:
            self._told.add(left.found.uid)
            words = msg("Held by the finalizer %(finalizers)s", finalizers=", ".join(held))
            self._changed(left.found, Health.PROGRESSING, words)
            self._work.notice("warning", msg("Still there: %(object)s", object=left.text))

    async def _left_of(self, client: ClusterClient, found: Found) -> Left | None:
        """Return how `found` is now, None where it is gone; one made anew under its name is another object."""
        whole = self._doomed.is_namespace
        obj = await get_object(client, found.kind, self._work.namespace, found.name, metadata_only=not whole)
        if obj is None or uid_of(obj) != found.uid:
            self._tell_gone(found)
            return None
        detail = _namespace_detail(obj) if whole else ""
        return Left(found=found, leaving=is_leaving(obj), finalizers=finalizers_of(obj), detail=detail)

    def _tell_gone(self, found: Found) -> None:
        """Tell once that an object is gone; the watch and the step itself both look."""
        with self._lock:
            new = found.uid not in self._gone
            self._gone.add(found.uid)
        if new:
            self._changed(found, Health.MISSING, msg("Deleted"))

    async def _left(self, client: ClusterClient) -> list[Left]:
        room = asyncio.Semaphore(_NAMED)

        async def one(found: Found) -> Left | None:
            async with room:
                return await self._left_of(client, found)

        waiting = [found for found in self._waited_for if found.uid not in self._gone]
        return [left for left in await asyncio.gather(*map(one, waiting)) if left is not None]

    def _ended(self, result: ProcessResult) -> StepResult:
        try:
            left = self._until_gone(result)
        except UserError as error:
            return self._work.unknown(error, result)
        return self._verdict(left, result)

    def _until_gone(self, result: ProcessResult) -> list[Left]:
        work = self._work
        waits = self._config.wait and result.exit_code == 0
        while True:
            left = work.read_again(self._left)
            if not left or not waits or not work.left or work.scope.cancel.wait(PAUSE_S):
                return left

    def _verdict(self, left: list[Left], result: ProcessResult) -> StepResult:
        work, state = self._work, self._state(left)
        if left and (result.cancelled or work.scope.cancel.requested):
            return work.ended(Phase.CANCELLED, msg("Cancelled. %(state)s", state=state), "", result)
        untouched = bool(left) and len(left) == len(self._waited_for) and not any(each.leaving for each in left)
        if result.exit_code != 0 and untouched:
            refuse(result)
        if left and result.exit_code != 0 and not kubectl_said.late(result.stderr):
            words = msg("%(state)s\n%(said)s", state=state, said=said_by(result))
            return work.ended(Phase.FAILED, words, _held_hint(left) or failure_hint(result.stderr), result)
        if left and self._config.wait:
            late = msg("Not gone within %(timeout)s s. %(state)s", timeout=f"{self._doomed.seconds:g}", state=state)
            return work.ended(Phase.FAILED, late, _held_hint(left) or _late_hint(), result)
        return work.ended(Phase.SUCCEEDED, state, "", result)

    def _state(self, left: list[Left]) -> Message:
        count = len(self._waited_for)
        if not left:
            return msg_n("%(count)d object is deleted.", "%(count)d objects are deleted.", count)
        names = functools.reduce(lambda one, two: msg("%(one)s, %(two)s", one=one, two=two), _texts(left))
        return msg(
            "%(gone)d of %(count)d objects are gone. Still there: %(objects)s.",
            gone=count - len(left),
            count=count,
            objects=names,
        )


def _texts(left: list[Left]) -> list[Message]:
    shown = [each.text for each in left[:_NAMED]]
    more = len(left) - len(shown)
    return [*shown, msg_n("%(count)d more", "%(count)d more", more)] if more else shown


def _not_there(labels: tuple[str, ...]) -> UserError:
    words = msg("Not there: %(objects)s. Nothing was deleted.", objects=joined(list(labels)))
    hint = msg("Correct the names, or set ignore_not_found: true.")
    return UserError(msg("Not everything to delete is there"), words, hint, field=CONFIG, code=ExitCode.FAILED)


def _will_go(objects: tuple[Found, ...]) -> Message:
    names = joined([found.label for found in objects])
    return msg_n(
        "%(count)d object will be deleted: %(objects)s.",
        "%(count)d objects will be deleted: %(objects)s.",
        len(objects),
        objects=names,
    )


def _goes_with(dependents: tuple[Found, ...]) -> Message:
    names = joined([found.label for found in dependents])
    return msg_n(
        "%(count)d object goes with that: %(objects)s.",
        "%(count)d objects go with that: %(objects)s.",
        len(dependents),
        objects=names,
    )


def _warnings(listing: Listing, config: Delete) -> list[Message]:
    """Return what the user should know of the objects that go."""
    found: list[Message] = []
    releases = sorted({each.release for each in listing.objects if each.release})
    if releases:
        found.append(
            msg(
                "They belong to Helm (release %(names)s): its next deploy makes them again; helm uninstall is the way "
                "to remove them.",
                names=", ".join(releases),
            )
        )
    owned = [each for each in listing.objects if each.owner]
    if owned:
        label, owner = owned[0].label, owned[0].owner
        found.append(msg("%(object)s is controlled by %(owner)s, which may make a new one.", object=label, owner=owner))
    if config.propagation == "orphan":
        found.append(msg("What belongs to these objects stays (orphan)."))
    if config.force:
        found.append(msg("With force, pods are gone from the records at once, though their processes may go on."))
    return found


def _held_hint(left: list[Left]) -> Text:
    held = [each for each in left if set(each.finalizers) - set(_COLLECTOR)]
    if not held:
        return ""
    return msg(
        "The controller that set the finalizer has to take it out: look whether it runs. Only if it is gone for good, "
        "remove the finalizer by hand: kubectl edit %(object)s.",
        object=f"{held[0].found.kind.word}/{held[0].found.name}",
    )


def _late_hint() -> Message:
    return msg("Look at what is still there, or give the step a longer timeout.")


def _namespace_detail(obj: Object) -> str:
    """Return what a namespace under deletion still waits for, in the server's words."""
    waits = [condition for condition in conditions(obj).values() if condition.get("status") == "True"]
    return "; ".join(text(condition, "message") for condition in waits)
