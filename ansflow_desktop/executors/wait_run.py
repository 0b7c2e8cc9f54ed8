"""Runs `k8s_wait`: a missing object is told at once, what will never come ends the wait early, both with the reason."""

from __future__ import annotations

import time
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import kubectl_said, wait_reasons
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.follow import Follow
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.executors.objects_missing import has_namespace, missing, no_namespace, require_kind
from ansflow_desktop.executors.objects_names import FIELD
from ansflow_desktop.executors.objects_run import ObjectWork, refuse
from ansflow_desktop.executors.objects_watch import ObjectWatch
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.planned import require_namespace
from ansflow_desktop.executors.wait_reasons import Hopeless
from ansflow_desktop.executors.wait_step import Awaited, Goal, check_wait, require_create, wait_command
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.discovery import ServedKind, served_kinds
from ansflow_desktop.kube.health import assess
from ansflow_desktop.kube.live import KINDS
from ansflow_desktop.kube.objects import Object, get_object
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, Wait
from ansflow_desktop.models.run import Phase, ResourceChanged
from ansflow_desktop.process import Cancel, ProcessResult

_PATIENCE_S = 10.0  # how long a condition may be missing before that is told


def run_wait(
    step: PipelineStep, config: Wait, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Wait, and return what came of it; raises UserError where there is nothing that could be waited for."""
    require_namespace(step)
    awaited = check_wait(step, config)
    work = ObjectWork(step, context, scope, document, awaited.seconds)
    require_create(awaited, work.kubectl.tool)
    return _WaitRun(work, awaited).run()


class _WaitRun:
    """One wait under way; what the watch finds is kept here and ends kubectl."""

    def __init__(self, work: ObjectWork, awaited: Awaited) -> None:
        self._work, self._awaited = work, awaited
        self._kind: ServedKind
        self._began = time.monotonic()
        self._waiting: Cancel | None = None
        self._hopeless: Hopeless | None = None
        self._told = False

    def run(self) -> StepResult:
        obj = self._work.read(self._before)
        if self._awaited.goal is Goal.CREATED and obj is not None:
            return self._work.ended(Phase.SUCCEEDED, msg("%(object)s is there already.", object=self._label))
        if self._awaited.goal is Goal.DELETED and obj is None:
            self._work.notice("warning", msg("%(object)s is not there, nothing was waited for.", object=self._label))
            return self._work.ended(Phase.SUCCEEDED, msg("%(object)s is not there.", object=self._label))
        objects = [(self._kind.kind, self._awaited.found.name)]
        follows = objects if self._kind.kind in KINDS and self._awaited.goal is not Goal.DELETED else []
        work = self._work
        with Follow(work.scope, work.step, work.document, work.namespace, objects=follows) as follow:
            ended = self._wait()
        return ended if isinstance(ended, StepResult) else self._failed(*ended, follow.causes)

    @property
    def _label(self) -> str:
        return f"{self._kind.kind} {self._awaited.found.name}"

    async def _before(self, client: ClusterClient) -> Object | None:
        found, namespace = self._awaited.found, self._work.namespace
        self._kind = require_kind(await served_kinds(client), found.kind, FIELD)
        obj = await get_object(client, self._kind, namespace, found.name)
        if obj is None and self._awaited.goal not in (Goal.DELETED, Goal.CREATED):
            raise await missing(client, self._kind, namespace, found.name)
        if obj is None and self._kind.namespaced and not await has_namespace(client, namespace):
            await self._no_namespace(namespace)
        return obj

    async def _no_namespace(self, namespace: str) -> None:
        """Tell of a namespace that is not there: it may still come, but for a deletion it is probably misspelt."""
        if self._awaited.goal is Goal.CREATED:
            words = msg("The namespace %(namespace)s is not there yet.", namespace=namespace)
            return self._work.notice("warning", words)
        raise no_namespace(namespace)

    def _wait(self) -> StepResult | tuple[Object | None, ProcessResult]:
        """Wait; return the result, or the object as it is now and how kubectl ended where it did not come."""
        while True:
            with (
                self._work.scope.cancel.narrowed() as self._waiting,
                ObjectWatch(self._work.document, self._look),
            ):
                command = wait_command(self._work.kubectl, self._awaited, self._work.namespace, self._work.left)
                result = self._work.run(command, self._waiting)
            if result.exit_code == 0 and not result.cancelled:
                return self._work.ended(Phase.SUCCEEDED, self._done(), "", result)
            try:
                obj = self._work.read_again(self._read)
            except UserError as error:
                return self._cancelled(None, result) if result.cancelled else self._work.unknown(error, result)
            if not self._goes_on(result):
                return obj, result
            self._work.notice("warning", msg("The connection was lost; it is there again, the wait goes on."))

    def _goes_on(self, result: ProcessResult) -> bool:
        lost = kubectl_said.lost(result.stderr) and not result.cancelled and not result.timed_out
        return lost and self._hopeless is None and self._work.left > 1

    async def _read(self, client: ClusterClient) -> Object | None:
        return await get_object(client, self._kind, self._work.namespace, self._awaited.found.name)

    async def _look(self, client: ClusterClient) -> None:
        """Look whether it may still come; on the thread of the watch."""
        obj = await self._read(client)
        found = wait_reasons.hopeless(self._awaited, self._kind.kind, obj)
        if found is None and time.monotonic() - self._began >= min(_PATIENCE_S, self._awaited.seconds / 2):
            found = self._missing_condition(obj)
        if found is not None and self._waiting is not None:
            self._hopeless = found
            self._waiting.request()

    def _missing_condition(self, obj: Object | None) -> Hopeless | None:
        """Tell of a condition that is not there; return it where it never will be."""
        found = wait_reasons.unknown_condition(self._awaited, self._kind.kind, obj)
        if found is None or found.hint:
            return found
        if not self._told:
            self._told = True
            self._work.notice("warning", msg("%(object)s: %(reason)s", object=self._label, reason=found.reason))
        return None

    def _failed(self, obj: Object | None, result: ProcessResult, causes: list[ResourceChanged]) -> StepResult:
        if self._work.scope.cancel.requested:
            return self._cancelled(obj, result)
        why = self._hopeless or wait_reasons.hopeless(self._awaited, self._kind.kind, obj)
        if why is not None:
            words = msg("%(object)s: %(reason)s", object=self._label, reason=why.reason)
            hint = failure_hint("", causes) if causes and obj is not None else why.hint
            return self._work.ended(Phase.FAILED, words, hint)
        refuse(result)
        if result.timed_out or kubectl_said.late(result.stderr):
            return self._late(obj, result, causes)
        words = msg("%(object)s: %(said)s", object=self._label, said=said_by(result))
        return self._work.ended(Phase.FAILED, words, failure_hint(result.stderr, causes), result)

    def _late(self, obj: Object | None, result: ProcessResult, causes: list[ResourceChanged]) -> StepResult:
        words = msg(
            "%(object)s: %(wanted)s did not come within %(timeout)s. %(state)s",
            object=self._label,
            wanted=self._awaited.wanted,
            timeout=f"{self._awaited.seconds:g}s",
            state=self._state(obj),
        )
        missing_one = wait_reasons.unknown_condition(self._awaited, self._kind.kind, obj)
        if missing_one is not None:
            return self._work.ended(Phase.FAILED, words, missing_one.hint or missing_one.reason, result)
        longer = msg("Look at what should bring it about, or give the step a longer timeout.")
        hint = failure_hint(result.stderr, causes) if causes else longer
        return self._work.ended(Phase.FAILED, words, hint, result)

    def _cancelled(self, obj: Object | None, result: ProcessResult) -> StepResult:
        words = msg("Cancelled. %(object)s: %(state)s", object=self._label, state=self._state(obj))
        return self._work.ended(Phase.CANCELLED, words, "", result)

    def _state(self, obj: Object | None) -> Text:
        if obj is None:
            return msg("It is not there.")
        condition = wait_reasons.condition_state(self._awaited, obj)
        if condition is not None:
            return condition
        found = assess({**obj, "kind": self._kind.kind})
        if found.message and found.detail:
            return msg("%(state)s: %(detail)s", state=found.message, detail=found.detail)
        return found.message or found.health.value

    def _done(self) -> Message:
        words = {
            Goal.CONDITION: msg("%(object)s: %(wanted)s is there.", object=self._label, wanted=self._awaited.wanted),
            Goal.JSONPATH: msg("%(object)s: %(wanted)s is there.", object=self._label, wanted=self._awaited.wanted),
            Goal.ROLLOUT: msg("%(object)s is rolled out.", object=self._label),
            Goal.DELETED: msg("%(object)s is gone.", object=self._label),
            Goal.CREATED: msg("%(object)s is there.", object=self._label),
        }
        return words[self._awaited.goal]
