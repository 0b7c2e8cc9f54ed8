"""What a step would make of the cluster, shown before it runs: the rendered manifest, and the values that stay."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import rendered
from ansflow_desktop.executors.fetched import FETCHED
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.executors.manifest_deploy import check_config, field_of, kubectl_for, kustomization, manifest_text
from ansflow_desktop.executors.manifest_documents import read_objects
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.plan import plan_step
from ansflow_desktop.executors.planned import StepPlan, decode
from ansflow_desktop.executors.step_secrets import names_shown, redactor_of
from ansflow_desktop.helm.dependencies import materialise
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube import releases, sync
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, ManifestDeploy, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.process import Cancel, ProcessResult, ProcessRunner
from ansflow_desktop.redact import Redactor

ObjectKey: TypeAlias = "tuple[str, str, str]"

_NOWHERE = KubeTarget(kubeconfig="/dev/null", context="preview")


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered step: the manifest with Secrets masked, what is wrong, and (kind, namespace, name) of its objects.

    `cancelled` says that it was given up and holds nothing. `known` are the texts that its Secrets hold, to be taken
    out of values and commands (`known_texts.without`): they are never shown themselves.
    """

    text: str = ""
    problems: tuple[Problem, ...] = ()
    objects: tuple[ObjectKey, ...] = ()
    cancelled: bool = False
    known: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Say how much it is: it holds secrets."""
        return f"Rendered(objects={len(self.objects)}, problems={len(self.problems)}, cancelled={self.cancelled})"


class RawRendering(msgspec.Struct, frozen=True, kw_only=True):
    """What a step renders to, secrets and all: never to be shown, stored or logged. `field` is where it comes from."""

    text: str = ""
    field: str = ""
    problems: tuple[Problem, ...] = ()
    cancelled: bool = False


def render(step: PipelineStep, context: ExecutionContext, tools: ToolSet, cancel: Cancel | None = None) -> Rendered:
    """Return what `step` renders to, without a cluster; never raises UserError: that becomes a problem by its field.

    Blocking (some 0.1 s; missing dependencies are fetched into a private copy first); `cancel` ends it at once.
    """
    found = shown(render_raw(step, context, tools, cancel), names_shown(step))
    redact = redactor_of(step, context)
    problems = tuple(_without_secrets(problem, redact) for problem in found.problems)
    return msgspec.structs.replace(found, text=redact(found.text), problems=problems)


def _without_secrets(problem: Problem, redact: Redactor) -> Problem:
    """Take secret values out of the words of a tool (a chart may fail with its values)."""
    words = problem.message
    return msgspec.structs.replace(problem, message=redact(words)) if isinstance(words, str) else problem


def render_raw(
    step: PipelineStep,
    context: ExecutionContext,
    tools: ToolSet,
    cancel: Cancel | None = None,
    adapt: Callable[[Command], Command] | None = None,
) -> RawRendering:
    """Return the same with its secrets, to be compared; `adapt` may change the `helm template` that is run."""
    cancel = cancel or Cancel()
    if step.type is not StepType.K8S_DEPLOY:
        return RawRendering()
    try:
        config = decode(step)
        if isinstance(config, ManifestDeploy):
            return _manifest(step, config, context, tools, cancel)
        with prepared(step, context, tools, cancel) as (plan, failed):
            return failed or _helm(plan, cancel, adapt)
    except UserError as error:
        return RawRendering(problems=(_problem(error),))


@contextlib.contextmanager
def prepared(
    step: PipelineStep, context: ExecutionContext, tools: ToolSet, cancel: Cancel
) -> Iterator[tuple[StepPlan, RawRendering | None]]:
    """Give the plan of a Helm deploy with its chart made ready in a private folder, and why it is not, None if it is.

    Raises UserError where it cannot be planned.
    """
    with tempfile.TemporaryDirectory(prefix="ansflow-preview-") as folder:
        plan = plan_step(step, context, tools, _NOWHERE, Path(folder))
        yield plan, (_fetched(plan, cancel) if plan.preparation else None)


def kept_values(document: dict[str, Any], namespace: str, release: str) -> dict[str, Any] | None:
    """Return the live release's own values, which helm keeps when none are given (row 11); None where it has none.

    Blocking; raises KubeError when the cluster cannot be asked.
    """
    return sync.run(releases.release_values(document, namespace, release)) or None


def _helm(plan: StepPlan, cancel: Cancel, adapt: Callable[[Command], Command] | None) -> RawRendering:
    assert plan.template
    command = adapt(plan.template) if adapt else plan.template
    return template_result(plan, ProcessRunner().run(command, None, cancel))


def _fetched(plan: StepPlan, cancel: Cancel) -> RawRendering | None:
    """Put the missing dependencies into the private copy, from the last preview where they are the same.

    Returns what to show where that failed, None to go on.
    """
    assert plan.preparation
    materialise(plan.preparation)
    if FETCHED.restore(plan.preparation):
        return None
    for command in plan.preparation.commands:
        result = ProcessRunner().run(command, None, cancel)
        if result.cancelled:
            return RawRendering(cancelled=True)
        if result.exit_code != 0:
            return RawRendering(problems=(_not_fetched(plan, result),))
    FETCHED.keep(plan.preparation)
    return None


def template_result(plan: StepPlan, result: ProcessResult) -> RawRendering:
    """Return what an ended `helm template` of `plan` says."""
    if result.cancelled:
        return RawRendering(cancelled=True)
    if result.exit_code != 0:
        return RawRendering(problems=(_template_problem(plan, result),))
    return RawRendering(text=result.stdout, field="chart_path")


def shown(raw: RawRendering, names: Collection[str] = ()) -> Rendered:
    """Return a rendering as it may be shown: secrets masked, its objects named; `names` stand openly anyway."""
    if raw.cancelled or raw.problems:
        return Rendered(problems=raw.problems, cancelled=raw.cancelled)
    try:
        found = rendered.read(raw.text, names)
        return Rendered(text=found.text, objects=found.objects, known=found.known)
    except safe_yaml.YamlProblem as problem:
        title = msg("What the chart renders to is not YAML")
        return Rendered(problems=(Problem(field=raw.field, title=title, message=problem.text()),))


def _manifest(
    step: PipelineStep, config: ManifestDeploy, context: ExecutionContext, tools: ToolSet, cancel: Cancel
) -> RawRendering:
    check_config(config)
    kubectl = kubectl_for(step, context, tools, _NOWHERE)
    if not config.kustomize:
        text = manifest_text(config, kubectl.directory)
    else:
        result = ProcessRunner().run(kubectl.kustomize(kustomization(config, kubectl.directory)), None, cancel)
        if result.cancelled:
            return RawRendering(cancelled=True)
        if result.exit_code != 0:
            title = msg("The kustomization could not be rendered")
            return RawRendering(problems=(Problem(field="k8s_config.kustomize", title=title, message=said_by(result)),))
        text = result.stdout
    read_objects(text, field_of(config))
    return RawRendering(text=text, field=field_of(config))


def _problem(error: UserError) -> Problem:
    return Problem(field=error.field, title=error.title, message=error.message, hint=error.hint)


def _template_problem(plan: StepPlan, result: ProcessResult) -> Problem:
    said = str(said_by(result))
    title = msg("The chart cannot be rendered with these values")
    hint = failure_hint(result.stderr)
    if result.timed_out:
        title, hint = msg("Rendering the chart takes too long"), msg("Look for a loop in its templates.")
    return Problem(field=_field_at_fault(said, plan.template), title=title, message=said, hint=hint)


def _field_at_fault(said: str, command: Command | None) -> str:
    """Return the field that helm's words point to: values that do not fit, else the chart."""
    if command and command.stdin and re.search(r"failed to parse -:|schema", said):
        return "custom_values"
    if re.search(r"failed parsing --set|key .* has no value", said):
        return "set_values"
    return "chart_path"


def _not_fetched(plan: StepPlan, result: ProcessResult) -> Problem:
    return Problem(
        field="chart_path",
        title=msg("The chart's dependencies could not be fetched"),
        message=said_by(result),
        hint=failure_hint(result.stderr) or msg("Check the repositories in Chart.yaml."),
    )
