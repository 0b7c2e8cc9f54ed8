"""Runs a planned Helm deploy: what was there before, helm followed live, and what the cluster says afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import helm_rights, outcome
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.follow import Follow
from ansflow_desktop.executors.helm_deploy import plan_helm
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.executors.outcome import Outcome
from ansflow_desktop.executors.planned import StepPlan
from ansflow_desktop.executors.step_run import run_command, step_folder
from ansflow_desktop.helm.dependencies import materialise
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.kube import releases, sync
from ansflow_desktop.kube.rights import Rights
from ansflow_desktop.kube.rights import rights as read_rights
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, PipelineStep
from ansflow_desktop.models.release import Release
from ansflow_desktop.models.run import Phase
from ansflow_desktop.process import ProcessResult
from ansflow_desktop.tools import require_helm

T = TypeVar("T")
_READ_S = 8.0
_READ_AGAIN_S = 15.0
_PAUSE_S = 1.0


def run_helm(
    step: PipelineStep, config: HelmDeploy, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Deploy a chart and return how the release really is; raises UserError where nothing was started.

    That is for bad input (code 2), a cluster that cannot be reached or refuses (3), and missing rights (4).
    """
    folder = step_folder(step, scope)
    target = scope.clusters.private_target(step.k8s_cluster, folder)
    plan = plan_helm(step, config, context, scope.tools, target, folder)
    _tell(plan, step, scope)
    before, plan = _before(plan, step, scope, document)
    if before is not None and before.status.pending and not config.dry_run:
        return _result(outcome.refusal(before), context, None)
    failed = _prepare(plan, step, context, scope)
    if failed:
        return failed
    return _deploy(plan, step, config, context, scope, document, before)


def _tell(plan: StepPlan, step: PipelineStep, scope: RunScope) -> None:
    for decision in plan.decisions:
        scope.notice(step.name, "debug", decision)
    for notice in plan.notices:
        scope.notice(step.name, "info", notice if isinstance(notice, Message) else msg("%(text)s", text=notice))


def _before(
    plan: StepPlan, step: PipelineStep, scope: RunScope, document: dict[str, Any]
) -> tuple[Release | None, StepPlan]:
    """Return the release as it is, and the plan as the user's rights allow it.

    KubeError ends the step here, before anything was changed.
    """
    before, values, rights = sync.run(_read_all(plan, scope, document))
    if before is not None and values:
        scope.notice(step.name, "warning", kept_message(values))
    command, notices = helm_rights.fitted(plan.commands[-1], rights)
    for notice in notices:
        scope.notice(step.name, "info", notice)
    return before, msgspec.structs.replace(plan, commands=(*plan.commands[:-1], command))


async def _read_all(
    plan: StepPlan, scope: RunScope, document: dict[str, Any]
) -> tuple[Release | None, dict[str, Any] | None, Rights]:
    command, helm = plan.commands[-1], require_helm(scope.tools)
    make, watch = helm_rights.verbs(helm, command), helm_rights.watches(helm, command)
    before, values, rights = await asyncio.gather(
        releases.read_release(document, plan.namespace, plan.release),
        releases.release_values(document, plan.namespace, plan.release) if plan.keeps_values else _none(),
        read_rights(document, plan.namespace, make=make, watch=watch),
    )
    return before, values, rights


async def _none() -> dict[str, Any] | None:
    """Stand for values that nobody asks for."""
    return None


def kept_message(values: dict[str, Any]) -> Message:
    """Return the warning that helm keeps the release's own values, naming their keys (failure-modes.md, row 11)."""
    return msg(
        "No values are given, so helm keeps those of the last deploy: %(keys)s. "
        "To start from the chart's defaults use --reset-values (reset_values: true).",
        keys=", ".join(key_paths(values)[:20]),
    )


def key_paths(values: dict[str, Any], prefix: str = "") -> list[str]:
    """Return the dotted keys of nested values, without the values themselves."""
    found: list[str] = []
    for key, value in values.items():
        path = f"{prefix}{key}"
        found += key_paths(value, f"{path}.") if isinstance(value, dict) and value else [path]
    return found


def _prepare(plan: StepPlan, step: PipelineStep, context: ExecutionContext, scope: RunScope) -> StepResult | None:
    """Fetch what is missing into the private copy; return a result where that failed, None to go on."""
    if plan.preparation is None:
        return None
    materialise(plan.preparation)
    for command in plan.preparation.commands:
        result = run_command(command, step, scope)
        if result.cancelled:
            return _result(Outcome(phase=Phase.CANCELLED, message=_untouched(msg("Cancelled."))), context, result)
        if result.exit_code != 0:
            said = msg("The chart's dependencies could not be fetched: %(said)s.", said=outcome.said_by(result))
            hint = failure_hint(result.stderr)
            return _result(Outcome(phase=Phase.FAILED, message=_untouched(said), hint=hint), context, result)
    return None


def _untouched(what: Message) -> Message:
    return msg("%(what)s Nothing was changed in the cluster.", what=what)


def _deploy(
    plan: StepPlan,
    step: PipelineStep,
    config: HelmDeploy,
    context: ExecutionContext,
    scope: RunScope,
    document: dict[str, Any],
    before: Release | None,
) -> StepResult:
    command = plan.commands[-1]
    if config.dry_run:
        result = run_command(command, step, scope)
        return _result(outcome.dry_run(result), context, result)
    with Follow(scope, step, document, plan.namespace, release=plan.release) as follow:
        result = run_command(command, step, scope)
    return _result(_decided(result, plan, scope, document, before, follow), context, result)


def _decided(
    result: ProcessResult,
    plan: StepPlan,
    scope: RunScope,
    document: dict[str, Any],
    before: Release | None,
    follow: Follow,
) -> Outcome:
    try:
        after = _read_after(plan, scope, document)
    except UserError as error:
        return outcome.unknown(result, error)
    return outcome.decide(result, before, after, follow.causes)


def _read_after(plan: StepPlan, scope: RunScope, document: dict[str, Any]) -> Release | None:
    """Read the release until the cluster answers, for 15 s; a second cancel ends the waiting."""
    end = time.monotonic() + _READ_AGAIN_S
    while True:
        try:
            return sync.run(_bounded(releases.read_release(document, plan.namespace, plan.release)))
        except UserError as error:
            if error.code is not ExitCode.UNREACHABLE or scope.cancel.forced or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_S)


async def _bounded(reading: Coroutine[Any, Any, T]) -> T:
    """Wait at most 8 s: a frozen API server would hold the verdict for as long as the client's own timeout."""
    try:
        return await asyncio.wait_for(reading, _READ_S)
    except TimeoutError as error:
        raise UserError(
            msg("The cluster does not answer"), hint=msg("Check the network."), code=ExitCode.UNREACHABLE
        ) from error


def _result(found: Outcome, context: ExecutionContext, result: ProcessResult | None) -> StepResult:
    return StepResult(
        phase=found.phase,
        context=context,
        exit_code=result.exit_code if result else None,
        message=found.message,
        hint=found.hint,
        release=found.release,
    )
