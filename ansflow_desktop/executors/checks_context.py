"""What is known of each step before anything runs: its variables replaced, and the directory it will start in.

A shell step may change both. A plain `cd charts/web` is followed; anything cleverer makes the directory of the steps
behind it uncertain, and then nothing is claimed about relative paths.
"""

from __future__ import annotations

import re
import shlex

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.planned import step_directory
from ansflow_desktop.files import is_folder
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.models.pipeline import ExecutionContext, Pipeline, PipelineStep, StepType
from ansflow_desktop.pipelines.builtin import builtin_variables
from ansflow_desktop.pipelines.variables import resolve, substitute

PREVIEW_RUN = "preview"

_MOVES = re.compile(r"(?<![\w./-])(cd|pushd|popd|chdir|source|eval|exec)(?![\w./-])|(?:^|[;&|])\s*\.\s")
_CD = re.compile(r"cd\s+(?P<where>'[^']*'|\"[^\"$`\\]*\"|[^\s;&|$`'\"()<>*?\\]+)\s*(?:(?:&&|;)(?P<rest>.*))?")


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it will run, as far as that is known now.

    `step` has its variables replaced where all are known; `known` False means that some are only known when it runs,
    and `step` is then as written. `placed` False means that its directory is only known then. `error` says why
    variables could not be replaced.
    """

    index: int
    step: PipelineStep
    context: ExecutionContext
    known: bool = True
    placed: bool = True
    error: UserError | None = None

    @property
    def field(self) -> str:
        """The step's field in problems."""
        return f"steps[{self.index}]"


def step_views(pipeline: Pipeline) -> tuple[StepView, ...]:
    """Return every step with what is known of it; nothing is run but git, where its variables are used."""
    context = ExecutionContext(working_directory=pipeline.folder, variables=_variables(pipeline))
    placed = is_folder(pipeline.folder)
    views = []
    for index, step in enumerate(pipeline.steps):
        view = _view(index, step, context, placed=placed, literal=pipeline.literal)
        views.append(view)
        if step.type is StepType.SHELL and step.enabled:
            directory = directory_after(step.command, step_directory(view.step, context)) if placed else None
            placed = directory is not None
            context = msgspec.structs.replace(context, working_directory=directory or context.working_directory)
    return tuple(views)


def _variables(pipeline: Pipeline) -> dict[str, str]:
    if pipeline.literal:
        return {}
    given = builtin_variables(pipeline, PREVIEW_RUN) if is_folder(pipeline.folder) else {"run_id": PREVIEW_RUN}
    try:
        return resolve(pipeline, given)
    except UserError:
        return given


def _view(index: int, step: PipelineStep, context: ExecutionContext, *, placed: bool, literal: bool) -> StepView:
    if literal:
        return StepView(index=index, step=step, context=context, placed=placed)
    try:
        ready = substitute(step, context.variables)
    except UserError as error:
        return StepView(index=index, step=step, context=context, placed=placed, known=False, error=error)
    return StepView(index=index, step=ready, context=context, placed=placed)


def directory_after(script: str, directory: str) -> str | None:
    """Return where a script that starts in `directory` ends, None where that is not plain to see.

    Only `cd` to a literal folder that exists, at the beginning of an unindented line, is followed.
    """
    for line in script.splitlines():
        code = line.split(" #", 1)[0]
        if code.lstrip().startswith("#") or not _MOVES.search(code):
            continue
        found = _CD.fullmatch(code.rstrip())
        if not found or _MOVES.search(found["rest"] or ""):
            return None
        directory = absolute(shlex.split(found["where"])[0], directory)
        if not is_folder(directory):
            return None
    return directory
