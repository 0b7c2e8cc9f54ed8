"""The blocking parts of a step's preview; each runs in a thread of its own and touches nothing of the window."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import Command, KubeTarget
from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.pipeline_editor_work import read
from ansflow_desktop.presenters.pipeline_problems import in_words
from ansflow_desktop.presenters.step_preview_state import (
    Commands,
    CommandText,
    Difference,
    Preview,
    PreviewStatus,
    difference_of,
)
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from ansflow_desktop.executors.checks_context import StepView


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which step of which text is to be previewed; relative paths start in `folder`.

    `turn` tells apart the same question asked again, when files may have changed meanwhile.
    """

    text: str
    folder: str
    index: int
    turn: int = 0


@functools.lru_cache(maxsize=2)
def view_of(question: Question) -> StepView:
    """Return the step with what is known of it; raises UserError where the text or its variables cannot be used.

    Kept for the three parts of one preview.
    """
    from ansflow_desktop.executors.checks_context import step_views
    from ansflow_desktop.pipelines.codec import examine
    from ansflow_desktop.pipelines.document import PipelineError

    read = examine(question.text, question.folder)
    own = tuple(each for each in read.problems if each.field.startswith(f"steps[{question.index}]"))
    if read.pipeline is None or own:
        raise PipelineError(own or read.problems)
    views = step_views(read.pipeline)
    if question.index >= len(views):
        raise UserError(msg("There is no such step"))
    view = views[question.index]
    if view.error is not None and not view.unknown:
        view.error.field = view.error.field or ""
        raise view.error
    return view


def commands(question: Question, services: Any, known: Collection[str] = ()) -> Commands:
    """Return the exact commands of the step, without what is `known` to be in a Secret of its rendering."""
    from ansflow_desktop.executors.known_texts import without
    from ansflow_desktop.executors.plan import copy_text, plan_step
    from ansflow_desktop.executors.step_secrets import redactor_of

    view = None
    try:
        view = view_of(question)
        target = _target(view, services)
        plan = plan_step(view.step, view.context, services.tools, target, Path(view.context.working_directory))
    except (UserError, OSError, ValueError) as error:
        return Commands(status=PreviewStatus.FAILED, problems=_problems(error, question, view))
    typed = [without(each, known) for each in ((plan.shown,) if plan.shown else plan.commands)]
    fetches = (plan.preparation.notice,) if plan.preparation and plan.shown else ()
    redact = redactor_of(view.step, view.context)
    return Commands(
        status=PreviewStatus.READY,
        commands=tuple(_text(command, copy_text(command), view, redact) for command in typed),
        notices=(*view.remarks, *plan.notices, *(notice for notice in fetches if notice not in plan.notices)),
    )


def _text(command: Command, pasted: str, view: StepView, redact: Callable[[str], str]) -> CommandText:
    """Return a command as text without secrets; a shell step's script is shown as it was written."""
    if view.step.type is StepType.SHELL:
        return CommandText(shown=view.step.command, copy=pasted, purpose=command.purpose)
    return CommandText(shown=redact(command.shown()), copy=redact(pasted), purpose=command.purpose)


def _target(view: StepView, services: Any) -> KubeTarget:
    if view.step.type is StepType.SHELL or not view.step.k8s_cluster:
        return KubeTarget(kubeconfig="", context="")
    target: KubeTarget = services.catalog.user_target(view.step.k8s_cluster)
    return target


def manifest(question: Question, services: Any, cancel: Cancel) -> Preview | None:
    """Return what the step renders to, secrets masked; None when cancelled."""
    from ansflow_desktop.executors.preview import render

    view = None
    try:
        view = view_of(question)
        if view.step.type is not StepType.K8S_DEPLOY:
            return Preview(status=PreviewStatus.NONE)
        found = render(view.step, view.context, services.tools, cancel)
    except (UserError, OSError, ValueError) as error:
        return Preview(status=PreviewStatus.FAILED, problems=_problems(error, question, view))
    if found.cancelled:
        return None
    status = PreviewStatus.FAILED if found.problems and not found.text else PreviewStatus.READY
    return Preview(
        status=status,
        text=found.text,
        objects=len(found.objects),
        problems=_below(found.problems, question),
        known=found.known,
    )


def difference(question: Question, services: Any, cancel: Cancel) -> Difference | None:
    """Return how the step differs from what is live; None when cancelled."""
    from ansflow_desktop.executors.live_diff import live_diff

    view = None
    try:
        view = view_of(question)
        if view.step.type is not StepType.K8S_DEPLOY:
            return Difference(status=PreviewStatus.NONE)
        document = services.catalog.document(view.step.k8s_cluster) if view.step.k8s_cluster else None
        found = live_diff(view.step, view.context, services.tools, document, cancel)
    except (UserError, OSError, ValueError) as error:
        return Difference(status=PreviewStatus.FAILED, problems=_problems(error, question, view))
    if found.cancelled:
        return None
    shown = difference_of(found)
    return msgspec.structs.replace(shown, problems=_below(found.problems, question))


def _below(problems: tuple[Problem, ...], question: Question) -> tuple[Problem, ...]:
    """Name fields from the file's top; helm's own are of the configuration."""
    return tuple(msgspec.structs.replace(problem, field=_whole(problem.field, question.index)) for problem in problems)


_CHARTS = ("chart_path", "chart_name", "chart_repo", "chart_version", "custom_values", "values_files", "set_values")


def _whole(field: str, index: int) -> str:
    if field.startswith(("steps[", "metadata", "spec")):
        return field
    inner = f"k8s_config.{field}" if field.startswith(_CHARTS) else field
    return f"steps[{index}].{inner}" if inner else f"steps[{index}]"


def _problems(error: Exception, question: Question, view: StepView | None = None) -> tuple[Problem, ...]:
    """Return why there is nothing to show; what only the run knows is no mistake."""
    if view is not None and isinstance(error, UserError) and view.excuses(error):
        field = f"steps[{question.index}]"
        return tuple(Problem(field=field, title=remark, severity=Severity.INFO) for remark in view.remarks)
    found = getattr(error, "problems", None)
    if found:
        return in_words(found, read(question.text).steps)
    if isinstance(error, UserError):
        field = _whole(error.field, question.index)
        return (Problem(field=field, title=error.title, message=error.message, hint=error.hint),)
    title = msg("A path of this step cannot be used")
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return (Problem(field=f"steps[{question.index}]", title=title, message=words, severity=Severity.ERROR),)
