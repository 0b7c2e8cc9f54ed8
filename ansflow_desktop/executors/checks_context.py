"""What is known of each step before anything runs: its variables replaced, and the directory it will start in.

A shell step may change both. A plain `cd charts/web` is followed; anything cleverer makes the directory of the steps
behind it uncertain, and then nothing is claimed about relative paths.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.planned import step_directory
from ansflow_desktop.files import is_folder
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.pipeline import ExecutionContext, Pipeline, PipelineStep, StepType
from ansflow_desktop.pipelines.builtin import builtin_variables
from ansflow_desktop.pipelines.conditions import met
from ansflow_desktop.pipelines.variables import names_in, resolve, substitute

PREVIEW_RUN = "preview"

_MOVES = re.compile(r"(?<![\w./-])(cd|pushd|popd|chdir|source|eval|exec)(?![\w./-])|(?:^|[;&|])\s*\.\s")
_CD = re.compile(r"cd\s+(?P<where>'[^']*'|\"[^\"$`\\]*\"|[^\s;&|$`'\"()<>*?\\]+)\s*(?:(?:&&|;)(?P<rest>.*))?")


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it will run, as far as that is known now.

    `step` has its variables replaced where all are known; `known` False means that some are only known when it runs:
    those named in `unknown` still stand in `step` as they are written (`${name}`), or none is replaced where that
    cannot be. `placed` False means that its directory is only known then. `error` says why variables could not be
    replaced.
    """

    index: int
    step: PipelineStep
    context: ExecutionContext
    known: bool = True
    placed: bool = True
    unknown: tuple[str, ...] = ()
    error: UserError | None = None

    @property
    def field(self) -> str:
        """The step's field in problems."""
        return f"steps[{self.index}]"

    @property
    def remarks(self) -> tuple[Message, ...]:
        """What a person should know of this view before it runs."""
        found = []
        if not self.placed:
            found.append(msg("A shell step above changes the directory in a way that is only known when it runs."))
        if self.unknown:
            names = ", ".join(f"${{{name}}}" for name in self.unknown)
            found.append(msg("Only known when it runs: %(names)s.", names=names))
        if not self.met:
            found.append(msg("Its condition is not met: %(condition)s", condition=self.step.when))
        return tuple(found)

    def excuses(self, error: UserError) -> bool:
        """Return whether `error` may come of a value that only the run knows."""
        name = error.field.rpartition(".")[2].partition("[")[0]
        values = {**self.step.k8s_config, **{one: getattr(self.step, one) for one in self.step.__struct_fields__}}
        return bool(self.unknown) and "${" in repr(values.get(name, "${"))

    @property
    def met(self) -> bool:
        """False where its condition is not met with the variables as they are known now."""
        try:
            return met(self.step.when, self.context.variables)
        except UserError:
            return True


def step_views(pipeline: Pipeline, given: Mapping[str, str] | None = None) -> tuple[StepView, ...]:
    """Return every step with what is known of it; nothing is run but git, where its variables are used.

    `given` are values that go before the file's (`-v`).
    """
    context = ExecutionContext(working_directory=pipeline.folder, variables=_variables(pipeline, given or {}))
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


def _variables(pipeline: Pipeline, given: Mapping[str, str]) -> dict[str, str]:
    if pipeline.literal:
        return {}
    built_in = builtin_variables(pipeline, PREVIEW_RUN) if is_folder(pipeline.folder) else {"run_id": PREVIEW_RUN}
    try:
        return resolve(pipeline, {**built_in, **given})
    except UserError:
        return {**built_in, **given}


def _view(index: int, step: PipelineStep, context: ExecutionContext, *, placed: bool, literal: bool) -> StepView:
    if literal:
        return StepView(index=index, step=step, context=context, placed=placed)
    try:
        ready = substitute(step, context.variables)
    except UserError as error:
        unknown = tuple(sorted(set(_names(step)) - context.variables.keys()))
        view = StepView(index=index, step=step, context=context, placed=placed, known=False, error=error)
        return _as_far_as_known(view, unknown)
    return StepView(index=index, step=ready, context=context, placed=placed)


def _as_far_as_known(view: StepView, unknown: tuple[str, ...]) -> StepView:
    """Replace what is known and let the rest stand; a number or a switch cannot stand so."""
    stand_ins = {name: f"${{{name}}}" for name in unknown}
    try:
        step = substitute(view.step, {**view.context.variables, **stand_ins})
    except UserError:
        return view
    return msgspec.structs.replace(view, step=step, unknown=unknown)


def _names(value: Any) -> Iterator[str]:
    """Yield the variables that a step's texts name, but for its own script and condition."""
    if isinstance(value, PipelineStep):
        skipped = {"when", "command"} if value.type is StepType.SHELL else {"when"}
        value = [getattr(value, name) for name in value.__struct_fields__ if name not in skipped]
    if isinstance(value, str):
        with contextlib.suppress(UserError):
            yield from names_in(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _names(each)


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
