"""Runs a manifest deploy object by object where it matters (failure-modes.md, row 19): nothing half applied unseen."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.follow import Follow
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.executors.manifest_deploy import (
    ManifestPlan,
    arrange,
    check_config,
    field_of,
    kubectl_for,
    kustomization,
    manifest_text,
    waits,
)
from ansflow_desktop.executors.manifest_documents import ManifestObject
from ansflow_desktop.executors.manifest_rollback import Before, Kind, told
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.planned import require_namespace
from ansflow_desktop.executors.step_run import run_command, step_folder
from ansflow_desktop.i18n import Message, Text, msg, msg_n
from ansflow_desktop.kube.live import KINDS
from ansflow_desktop.models.command import Command
from ansflow_desktop.models.pipeline import ExecutionContext, ManifestDeploy, PipelineStep
from ansflow_desktop.models.run import Health, Phase, ResourceChanged
from ansflow_desktop.process import Cancel, ProcessResult

_UNREACHABLE = re.compile(
    r"Unable to connect to the server|connection refused|no such host|i/o timeout|was refused|TLS handshake", re.I
)
_REFUSED = re.compile(r"Unauthorized|must be logged in|provide credentials", re.I)
_FORBIDDEN = re.compile(r"\(?Forbidden\)?:? |is forbidden", re.I)


class _Ended(Exception):
    """The step ends here with `result`."""

    def __init__(self, result: StepResult) -> None:
        super().__init__(result)
        self.result = result


def run_manifest(
    step: PipelineStep, config: ManifestDeploy, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Apply a manifest and wait for it; raises UserError where nothing was started."""
    require_namespace(step)
    check_config(config)
    target = scope.clusters.private_target(step.k8s_cluster, step_folder(step, scope))
    kubectl = kubectl_for(step, context, scope.tools, target)
    run = _Run(step, config, context, scope)
    try:
        text = (
            run.kustomized(kubectl.kustomize(kustomization(config, kubectl.directory)))
            if config.kustomize
            else (manifest_text(config, kubectl.directory))
        )
        plan = arrange(text, field_of(config), kubectl, step.k8s_namespace, config)
        objects = [(found.kind, found.name) for found in plan.rest]
        with Follow(scope, step, document, step.k8s_namespace, objects=objects, on_change=run.on_change) as run.follow:
            return run.dry_run(plan) if config.dry_run else run.apply(plan)
    except _Ended as ended:
        return ended.result


class _Run:
    """One manifest deploy under way: what was applied so far, and how much of the timeout is left."""

    def __init__(self, step: PipelineStep, config: ManifestDeploy, context: ExecutionContext, scope: RunScope) -> None:
        self._step, self._config, self._context, self._scope = step, config, context, scope
        self._deadline = time.monotonic() + check_config(config)
        self._applied: list[ManifestObject] = []
        self._failed_job = ""
        self._touched = False
        self._before: Before | None = None
        self._waiting: Cancel | None = None
        self.follow: Follow | None = None

    def on_change(self, seen: ResourceChanged) -> None:
        """End the wait for a Job that has failed: it never completes."""
        if seen.kind == "Job" and seen.health is Health.DEGRADED:
            self._failed_job = seen.name
            if self._waiting:
                self._waiting.request()

    def kustomized(self, command: Command) -> str:
        """Return what a kustomization renders to."""
        result = run_command(command, self._step, self._scope, stdout_shown=False)
        if result.cancelled or result.exit_code != 0:
            raise self._ended(result, msg("The kustomization could not be rendered."))
        return result.stdout

    def dry_run(self, plan: ManifestPlan) -> StepResult:
        """Have the server check everything that it can check while nothing is made."""
        if plan.first:
            self._check(plan, plan.first, plan.namespace)
        new = {found.name for found in plan.first if found.is_namespace}
        if plan.created and not self._exists(plan, plan.created.name):
            new.add(plan.created.name)
        checked, unchecked = _checkable(plan, new)
        for name, group in plan.groups(checked):
            self._check(plan, group, name)
        if unchecked:
            self._notice("warning", _unchecked(unchecked))
        return self._done(msg("The dry run passed. Nothing was changed."), ProcessResult(exit_code=0))

    def apply(self, plan: ManifestPlan) -> StepResult:
        """Apply everything and wait for it; with `rollback_on_failure` a failure puts back what was there before."""
        if not self._config.rollback_on_failure:
            return self._apply_all(plan)
        self._before = Before(plan)
        try:
            return self._apply_all(plan)
        except _Ended as ended:
            return self._rolled_back(self._before, ended.result)
        except UserError as error:
            if not self._touched:
                raise
            said = msg("%(title)s: %(reason)s", title=error.title, reason=error.message)
            return self._rolled_back(self._before, StepResult(phase=Phase.FAILED, context=self._context, message=said))

    def _rolled_back(self, before: Before, result: StepResult) -> StepResult:
        """Put back what was touched, whatever ended the deploy; a second request to cancel ends that, too."""
        if not self._touched:
            return result
        self._notice("info", msg("Rolling back to what was there before."))
        undone = before.put_back(self._quietly)
        phase: Phase = Phase.CANCELLED if result.phase is Phase.CANCELLED else Phase.FAILED
        if any(each.kind is Kind.UNKNOWN for each in undone):
            phase = Phase.UNKNOWN
        message = msg("%(what)s\n%(so_far)s", what=result.message, so_far=told(undone))
        return msgspec.structs.replace(result, phase=phase, message=message)

    def _quietly(self, command: Command) -> ProcessResult:
        """Run a command of the rollback: not ended by the request that ended the deploy, its output not shown."""
        asked = self._scope.cancel
        own = Cancel()

        def follow() -> None:
            if asked.forced:
                own.request()

        with asked.waking(follow):
            follow()
            return run_command(command, self._step, self._scope, stdout_shown=False, stderr_shown=False, cancel=own)

    def _reading(self, command: Command) -> ProcessResult:
        return run_command(command, self._step, self._scope, stdout_shown=False)

    def _apply_all(self, plan: ManifestPlan) -> StepResult:
        """Namespaces and CRDs, then a dry run of the rest, then the rest, then the waits."""
        self._apply_first(plan)
        groups = plan.groups(plan.rest)
        for name, group in groups:
            self._check(plan, group, name)
        if self._before:
            self._before.remember(plan.rest, self._reading)
        for name, group in groups:
            self._apply(plan, group, name)
        if self._config.wait:
            for command in waits(plan, self._config.timeout):
                self._wait(command)
        count = len(self._applied)
        message = msg_n("%(count)d object is applied.", "%(count)d objects are applied.", count)
        return self._done(message, ProcessResult(exit_code=0))

    def _apply_first(self, plan: ManifestPlan) -> None:
        if plan.first:
            self._check(plan, plan.first, plan.namespace)
        made = (plan.created,) if plan.created and not self._exists(plan, plan.created.name) else ()
        first = (*made, *plan.first)
        if first and self._before:
            self._before.remember(first, self._reading)
        if first:
            self._apply(plan, first, plan.namespace)
        if plan.crds:
            result = run_command(plan.kubectl.established(plan.crds), self._step, self._scope)
            if result.cancelled or result.exit_code != 0:
                raise self._ended(result, msg("The cluster did not take up the new kinds."))

    def _exists(self, plan: ManifestPlan, name: str) -> bool:
        """Ask for the namespace; who may not ask may still deploy into it."""
        result = run_command(plan.kubectl.get_namespace(name), self._step, self._scope, stdout_shown=False)
        if result.exit_code == 0:
            return bool(result.stdout.strip())
        self._refuse_unreachable(result)
        if result.cancelled or not _FORBIDDEN.search(result.stderr):
            raise self._ended(result, msg("The namespace %(name)s could not be looked up.", name=name))
        return True

    def _check(self, plan: ManifestPlan, group: tuple[ManifestObject, ...], namespace: str) -> None:
        result = run_command(
            plan.kubectl.apply(group, namespace, dry_run=True), self._step, self._scope, stdout_shown=False
        )
        if result.exit_code == 0:
            return
        self._refuse_unreachable(result)
        if not result.cancelled and len(group) > 1:
            self._one_by_one(plan, group, namespace, dry_run=True)
        raise self._ended(result, msg("The cluster refuses the manifest."))

    def _apply(self, plan: ManifestPlan, group: tuple[ManifestObject, ...], namespace: str) -> None:
        self._touched = True
        result = run_command(plan.kubectl.apply(group, namespace), self._step, self._scope)
        if result.exit_code == 0:
            self._applied += group
            for found in group:
                self._tell_object(plan, found, Health.HEALTHY, msg("Applied"))
            return
        if not result.cancelled and not _UNREACHABLE.search(result.stderr):
            self._applied += self._one_by_one(plan, group, namespace, dry_run=False)
        raise self._ended(result, msg("Not everything could be applied."))

    def _one_by_one(
        self, plan: ManifestPlan, group: tuple[ManifestObject, ...], namespace: str, *, dry_run: bool
    ) -> list[ManifestObject]:
        """Tell for each object of a group that failed how it fares; server-side apply may be repeated at will."""
        good = []
        for found in group:
            command = plan.kubectl.apply((found,), namespace, dry_run=dry_run)
            result = run_command(command, self._step, self._scope, stdout_shown=False, stderr_shown=False)
            if result.cancelled:
                break
            if result.exit_code == 0:
                good.append(found)
                self._notice("info", _good(found, dry_run=dry_run))
                if not dry_run:
                    self._tell_object(plan, found, Health.HEALTHY, msg("Applied"))
            else:
                said = msg(
                    "%(object)s (line %(line)d): %(said)s", object=found.label, line=found.line, said=said_by(result)
                )
                self._notice("error", said)
                self._tell_object(plan, found, Health.DEGRADED, said_by(result))
        return good

    def _tell_object(self, plan: ManifestPlan, found: ManifestObject, health: Health, message: Text) -> None:
        """Tell each object's result; of what is watched its own state tells more than that it was applied."""
        if health is Health.HEALTHY and found.kind in KINDS:
            return
        event = ResourceChanged(
            time=time.time(),
            run=self._scope.run_id,
            step=self._step.name,
            kind=found.kind,
            namespace="" if found.comes_first else found.namespace or plan.namespace,
            name=found.name,
            health=health,
            message=message,
        )
        self._scope.emit(event)

    def _wait(self, command: Command) -> None:
        left = max(1, round(self._deadline - time.monotonic()))
        argv = tuple(f"--timeout={left}s" if arg.startswith("--timeout=") else arg for arg in command.argv)
        bounded = msgspec.structs.replace(command, argv=argv, timeout=float(left + 30))
        with self._scope.cancel.narrowed() as self._waiting:
            if self._failed_job:
                self._waiting.request()
            result = run_command(bounded, self._step, self._scope, cancel=self._waiting)
        if self._failed_job and not self._scope.cancel.requested:
            what = msg("Everything is applied, but the Job %(name)s failed.", name=self._failed_job)
            raise self._ended(ProcessResult(exit_code=1, stdout=result.stdout), what)
        if result.cancelled or result.exit_code != 0:
            raise self._ended(result, msg("Everything is applied, but not all of it became ready."))

    def _refuse_unreachable(self, result: ProcessResult) -> None:
        """Before anything was changed, a cluster that cannot be asked is an error of its own (3), not a failed step."""
        if self._applied or result.cancelled:
            return
        refused = _REFUSED.search(result.stderr)
        if refused or _UNREACHABLE.search(result.stderr):
            title = msg("The cluster refuses the credentials") if refused else msg("The cluster cannot be reached")
            hint = (
                msg("Renew the credentials of this cluster.")
                if refused
                else msg("Check the network, or choose another.")
            )
            raise UserError(title, said_by(result), hint, field="k8s_cluster", code=ExitCode.UNREACHABLE)

    def _ended(self, result: ProcessResult, what: Message) -> _Ended:
        phase = Phase.FAILED
        said: Text = said_by(result)
        if result.cancelled:
            phase, what, said = Phase.CANCELLED, msg("Cancelled."), ""
        elif _UNREACHABLE.search(result.stderr):
            phase = Phase.UNKNOWN
        message = msg("%(what)s %(so_far)s\n%(said)s", what=what, so_far=self._so_far(result), said=said)
        return _Ended(
            StepResult(
                phase=phase,
                context=self._context,
                exit_code=result.exit_code,
                message=message,
                hint=failure_hint(result.stderr, self._causes(result)) or self._hint(),
            )
        )

    def _causes(self, result: ProcessResult) -> list[ResourceChanged]:
        """Return what is wrong with the objects: only once they are applied is it due to them."""
        return self.follow.causes if self.follow and self._applied and not result.cancelled else []

    def _so_far(self, result: ProcessResult) -> Message:
        if not self._applied and not (result.cancelled or _UNREACHABLE.search(result.stderr)):
            return msg("Nothing was applied.")
        if not self._applied:
            return msg("Nothing is known to be applied.")
        return msg("Applied so far: %(objects)s.", objects=", ".join(found.label for found in self._applied[:20]))

    def _hint(self) -> Text:
        return msg("Correct the cause and deploy again: applying may be repeated.") if self._applied else ""

    def _done(self, message: Message, result: ProcessResult) -> StepResult:
        return StepResult(phase=Phase.SUCCEEDED, context=self._context, exit_code=result.exit_code, message=message)

    def _notice(self, level: str, message: Message) -> None:
        self._scope.notice(self._step.name, level, message)


def _good(found: ManifestObject, *, dry_run: bool) -> Message:
    if dry_run:
        return msg("%(object)s (line %(line)d): accepted", object=found.label, line=found.line)
    return msg("%(object)s (line %(line)d): applied", object=found.label, line=found.line)


def _checkable(plan: ManifestPlan, new: set[str]) -> tuple[tuple[ManifestObject, ...], tuple[ManifestObject, ...]]:
    """Part the rest into what a dry run can check now, and what needs a namespace or kind that is not there yet."""
    kinds = {_served_kind(crd) for crd in plan.crds}

    def ready(found: ManifestObject) -> bool:
        return (found.namespace or plan.namespace) not in new and (found.group, found.kind) not in kinds

    return tuple(filter(ready, plan.rest)), tuple(found for found in plan.rest if not ready(found))


def _served_kind(crd: ManifestObject) -> tuple[str, str]:
    """Return (group, kind) that a CRD's text defines; empty where it says neither."""
    group = re.search(r"^\s+group:\s*[\"']?([\w.-]+)", crd.text, re.M)
    kind = re.search(r"^\s+kind:\s*[\"']?(\w+)", crd.text, re.M)
    return (group[1] if group else "", kind[1] if kind else "")


def _unchecked(objects: tuple[ManifestObject, ...]) -> Message:
    return msg(
        "Not checked, as the namespace or kind is not there before a real apply: %(objects)s.",
        objects=", ".join(found.label for found in objects[:20]),
    )
