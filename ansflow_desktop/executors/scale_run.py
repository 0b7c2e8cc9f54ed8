"""Runs `k8s_scale`: says from how many to how many, warns of those who decide otherwise, waits, reads it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import kubectl_said, scale_owners
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.follow import Follow
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.executors.objects_missing import missing
from ansflow_desktop.executors.objects_run import PAUSE_S, ObjectWork, not_allowed, refuse
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.planned import require_namespace
from ansflow_desktop.executors.scale_step import (
    Wanted,
    check_scale,
    ready_command,
    release_command,
    rollout_command,
    scale_command,
)
from ansflow_desktop.i18n import Message, Param, Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.discovery import ServedKind
from ansflow_desktop.kube.fields import mapping, number, text
from ansflow_desktop.kube.health import assess
from ansflow_desktop.kube.objects import Object, get_object, list_path, may, owner_of, uid_of
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, Scale
from ansflow_desktop.models.run import Phase, ResourceChanged
from ansflow_desktop.process import ProcessResult

_RELEASE_TRIES = 3
_ENDED = ("Succeeded", "Failed")


class _Before(msgspec.Struct, frozen=True, kw_only=True):
    """The workload before the step, and warnings about those who own its count."""

    obj: Mapping[str, Any]
    rivals: list[Message]

    @property
    def replicas(self) -> int:
        return _wanted_of(self.obj)


class _After(msgspec.Struct, frozen=True, kw_only=True):
    """The workload once the wait is over, how many pods are left over, and how kubectl's wait ended."""

    obj: Mapping[str, Any] | None
    left: int
    result: ProcessResult | None


def run_scale(
    step: PipelineStep, config: Scale, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Scale a workload and return what the cluster says of it; raises UserError where nothing was changed."""
    require_namespace(step)
    wanted = check_scale(step, config)
    work = ObjectWork(step, context, scope, document, wanted.seconds)
    return _ScaleRun(work, wanted, config).run()


class _ScaleRun:
    """One scale step under way."""

    def __init__(self, work: ObjectWork, wanted: Wanted, config: Scale) -> None:
        self._work, self._wanted, self._config = work, wanted, config
        self._kind = _served(wanted.kind)

    def run(self) -> StepResult:
        work, wanted = self._work, self._wanted
        before = work.read(self._before)
        for warning in before.rivals:
            work.notice("warning", warning)
        work.notice("info", _from_to(wanted, before.replicas))
        with Follow(
            work.scope, work.step, work.document, work.namespace, objects=[(wanted.kind, wanted.name)]
        ) as follow:
            ended = self._scale(before) or self._after()
        return ended if isinstance(ended, StepResult) else self._verdict(before, ended, follow.causes)

    async def _before(self, client: ClusterClient) -> _Before:
        wanted, namespace = self._wanted, self._work.namespace
        obj = await get_object(client, self._kind, namespace, wanted.name)
        if obj is None:
            raise await missing(client, self._kind, namespace, wanted.name)
        if not await may(client, namespace, "patch", "apps", f"{self._kind.plural}/scale", wanted.name):
            raise not_allowed("patch", f"{self._kind.plural}/scale", namespace)
        return _Before(obj=obj, rivals=await scale_owners.rivals(client, namespace, wanted.kind, obj))

    def _scale(self, before: _Before) -> StepResult | None:
        """Set the count; return a result where that ended the step, None to go on."""
        work, wanted = self._work, self._wanted
        if before.replicas == wanted.replicas:
            return None
        result = work.run(scale_command(work.kubectl, wanted, work.namespace))
        if result.exit_code != 0 or result.cancelled:
            return self._not_scaled(before, result)
        self._release()
        return None

    def _not_scaled(self, before: _Before, result: ProcessResult) -> StepResult | None:
        """Read what was done: an answer may be lost on its way although the count is set."""
        refuse(result)
        try:
            now = self._work.read_again(self._read)
        except UserError as error:
            return self._work.unknown(error, result)
        if result.cancelled:
            return self._cancelled(before, now, result)
        if now is not None and _wanted_of(now) == self._wanted.replicas and kubectl_said.lost(result.stderr):
            return None
        words = msg("%(said)s\n%(state)s", said=said_by(result), state=self._state(now))
        return self._work.ended(Phase.FAILED, words, failure_hint(result.stderr), result)

    def _release(self) -> None:
        """Give up kubectl's claim where a server-side apply of ours would stop at it (recipes.md, Helm 4)."""
        work, replicas = self._work, self._wanted.replicas
        obj = self._quietly_read()
        deployer = scale_owners.deployer_of(obj) if obj else ""
        if obj is None or not deployer:
            return
        if self._give_up(obj, _RELEASE_TRIES):
            work.notice("info", scale_owners.next_deploy(obj, deployer, replicas))
        else:
            work.notice("warning", scale_owners.will_conflict(obj, deployer, replicas))

    def _give_up(self, obj: Object | None, tries: int) -> bool:
        """Take kubectl's entry out; the object's status may change meanwhile, and the place of the entry with it."""
        work = self._work
        claim = scale_owners.claim_of(obj, Path(work.kubectl.tool.path).name) if obj else None
        if claim is None:
            return True
        result = work.run(release_command(work.kubectl, self._wanted, work.namespace, claim.release()))
        if result.exit_code == 0 or result.cancelled or tries <= 1 or kubectl_said.forbidden(result.stderr):
            return result.exit_code == 0
        return self._give_up(self._quietly_read(), tries - 1)

    def _quietly_read(self) -> Object | None:
        try:
            return self._work.read(self._read)
        except UserError:
            return None

    async def _read(self, client: ClusterClient) -> Object | None:
        return await get_object(client, self._kind, self._work.namespace, self._wanted.name)

    def _after(self) -> StepResult | _After:
        """Wait where that is wanted; return how the workload is then."""
        work, result, left = self._work, None, 0
        try:
            if self._config.wait:
                obj = work.read_again(self._read)
                result = self._wait(obj) if obj else None
                left = self._until_gone(result)
            return _After(obj=work.read_again(self._read), left=left, result=result)
        except UserError as error:
            return work.unknown(error, result)

    def _wait(self, obj: Object) -> ProcessResult | None:
        work, wanted = self._work, self._wanted
        if not wanted.replicas or work.scope.cancel.requested:
            return None
        make = ready_command if _has_no_rollout(obj) else rollout_command
        return work.run(make(work.kubectl, wanted, work.namespace, work.left))

    def _until_gone(self, result: ProcessResult | None) -> int:
        """Wait until no pod is left over; return how many are when the time, or the user's patience, is over."""
        work, told = self._work, False
        while True:
            surplus = len(work.read_again(self._pods)) - self._wanted.replicas
            stopped = result is not None and (result.cancelled or result.exit_code != 0)
            if surplus <= 0 or stopped or not work.left or work.scope.cancel.wait(PAUSE_S):
                return max(0, surplus)
            if not told:
                work.notice("info", msg("Waiting until pods that are not needed any more have ended."))
            told = True

    async def _pods(self, client: ClusterClient) -> list[Object]:
        """Return the pods that the workload controls itself or by a ReplicaSet, but for those that have ended."""
        obj = await self._read(client)
        if obj is None:
            return []
        selector = scale_owners.selector_of(obj)
        base = f"/namespaces/{self._work.namespace}"
        owners = {uid_of(obj)}
        if self._wanted.kind == "Deployment":
            sets = await list_path(client, f"/apis/apps/v1{base}/replicasets", selector)
            owners |= {uid_of(each) for each in sets if text(owner_of(each) or {}, "uid") in owners}
        pods = await list_path(client, f"/api/v1{base}/pods", selector)
        running = [pod for pod in pods if text(mapping(pod, "status"), "phase") not in _ENDED]
        return [pod for pod in running if text(owner_of(pod) or {}, "uid") in owners]

    def _verdict(self, before: _Before, after: _After, causes: list[ResourceChanged]) -> StepResult:
        now, result = after.obj, after.result
        work, wanted = self._work, self._wanted
        if work.scope.cancel.requested or (result is not None and result.cancelled):
            return self._cancelled(before, now, result)
        if now is None or _wanted_of(now) != wanted.replicas:
            return work.ended(Phase.FAILED, self._state(now), _changed_hint(now), result)
        if result is not None and result.exit_code != 0:
            words = msg("%(state)s\n%(said)s", state=self._state(now), said=said_by(result))
            return work.ended(Phase.FAILED, words, failure_hint(result.stderr, causes), result)
        if after.left:
            words = msg("%(state)s Pods left over: %(count)d.", state=self._state(now), count=after.left)
            hint = msg("Look at the pods that do not end, or give the step a longer timeout.")
            return work.ended(Phase.FAILED, words, hint, result)
        return work.ended(Phase.SUCCEEDED, _done(wanted, before.replicas, waited=self._config.wait), "", result)

    def _cancelled(self, before: _Before, now: Object | None, result: ProcessResult | None) -> StepResult:
        words = msg("Cancelled. %(state)s", state=self._state(now))
        changed = now is not None and _wanted_of(now) != before.replicas
        hint = msg("It had %(replicas)d replicas before.", replicas=before.replicas) if changed else ""
        return self._work.ended(Phase.CANCELLED, words, hint, result)

    def _state(self, now: Object | None) -> Message:
        """Return how the workload is, in one sentence."""
        if now is None:
            return msg("%(object)s is gone.", object=self._wanted.label)
        ready: Text = assess({**now, "kind": self._wanted.kind}).message
        return msg(
            "%(object)s is set to %(replicas)d replicas: %(state)s.",
            object=self._wanted.label,
            replicas=_wanted_of(now),
            state=ready,
        )


def _served(kind: str) -> ServedKind:
    """Return where the API serves a workload."""
    return ServedKind(group="apps", version="v1", kind=kind, plural=f"{kind.lower()}s")


def _wanted_of(obj: Object) -> int:
    return number(mapping(obj, "spec"), "replicas", 1)


def _has_no_rollout(obj: Object) -> bool:
    """Return whether `kubectl rollout status` cannot be used: a paused Deployment, or a StatefulSet by OnDelete."""
    spec = mapping(obj, "spec")
    return bool(spec.get("paused")) or text(mapping(spec, "updateStrategy"), "type") == "OnDelete"


def _from_to(wanted: Wanted, replicas: int) -> Message:
    if replicas == wanted.replicas:
        return msg("%(object)s has %(count)d replicas already.", object=wanted.label, count=replicas)
    return msg(
        "%(object)s: from %(before)d to %(after)d replicas.",
        object=wanted.label,
        before=replicas,
        after=wanted.replicas,
    )


def _done(wanted: Wanted, before: int, *, waited: bool) -> Message:
    parts: dict[str, Param] = {"object": wanted.label, "before": before, "after": wanted.replicas}
    if not waited:
        return msg("%(object)s is set from %(before)d to %(after)d replicas; nothing was waited for.", **parts)
    if not wanted.replicas:
        return msg("%(object)s is scaled from %(before)d to 0 replicas; no pod is left.", **parts)
    return msg("%(object)s is scaled from %(before)d to %(after)d replicas; all are ready.", **parts)


def _changed_hint(now: Object | None) -> Text:
    if now is None:
        return msg("Somebody deleted it meanwhile.")
    return msg("Somebody else, or an autoscaler, changed the number meanwhile. Change it there.")
