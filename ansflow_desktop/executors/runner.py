"""Runs a pipeline from its first step to its last: blocking, free of Qt, journalled before anything starts."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import ClusterAccess, RunScope, StepExecutor
from ansflow_desktop.executors.guard import Marked, require_allowed
from ansflow_desktop.executors.journal_glue import EventStream, RunJournal
from ansflow_desktop.executors.run_folder import run_folder, sweep_run_folders
from ansflow_desktop.executors.run_steps import Selected, StepLoop
from ansflow_desktop.executors.step_secrets import secrets_in_variables
from ansflow_desktop.files import is_folder
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, Pipeline, StepType
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.models.run import Notice, Phase, RunEvent, RunFinished, RunStarted
from ansflow_desktop.paths import Directories
from ansflow_desktop.pipelines.builtin import builtin_variables
from ansflow_desktop.pipelines.conditions import met
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.validate import validate
from ansflow_desktop.pipelines.variables import fill, resolve, substitute
from ansflow_desktop.process import Cancel
from ansflow_desktop.redact import Redactor, secrets_of

_log = logging.getLogger(__name__)


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended: its id, its phase, and the exit code of a command that did nothing else (cli.md)."""

    run_id: str
    phase: Phase
    exit_code: ExitCode


@runtime_checkable
class DocumentSource(Protocol):
    """Clusters whose kubeconfig documents can be read, so that their secrets are known; `ClusterCatalog` is one."""

    def document(self, name: str) -> Mapping[str, Any]:
        """Return the kubeconfig document of `name`; raises UserError."""


class PipelineRunner:
    """Runs pipelines, several at once if called from several threads; it keeps no state of a run."""

    def __init__(
        self,
        executors: Mapping[StepType, StepExecutor],
        journal: RunJournal,
        tools: ToolSet,
        clusters: ClusterAccess,
        directories: Directories,
        held: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    ) -> None:
        """Keep what every run uses; nothing is read or written. Each run is inside of its own `held()` to its end."""
        self._executors, self._journal = executors, journal
        self._tools, self._clusters, self._directories = tools, clusters, directories
        self._held = held

    def run(
        self,
        pipeline: Pipeline,
        emit: Callable[[RunEvent], None],
        cancel: Cancel,
        variables: Mapping[str, str] | None = None,
        only: str | None = None,
        start_from: str | None = None,
        confirmed: Iterable[str] = (),
    ) -> RunOutcome:
        """Run the chosen steps and return how it ended; `emit` gets every event, from several threads, in one order.

        `variables` go before those of the file; `only` runs one step, `start_from` that one and all behind it.
        `confirmed` are the names of production clusters that were typed, so that something may be destroyed there.
        Raises UserError before the first event for whatever is wrong before anything runs (exit code 2), and where the
        run cannot be journalled. An error inside a step is that step's failure, not an exception.
        """
        run_id = new_run_id()
        selected = select(pipeline, only, start_from)
        values = self._checked(pipeline, selected, dict(variables or {}), run_id, cancel)
        names = frozenset(confirmed)
        self._guard(pipeline, selected, values, names)
        sweep_run_folders(self._directories)
        redactor = Redactor()
        self._know_secrets(pipeline, values, redactor)
        with self._held(), run_folder(self._directories, run_id) as folder:
            self._journal.begin(run_id, pipeline.name, _details(pipeline, selected, values, redactor))
            stream = EventStream(self._journal, emit, redactor)
            scope = self._scope(run_id, stream, cancel, folder, redactor, names)
            try:
                return self._run(pipeline, selected, values, scope, stream, redactor.add)
            finally:
                stream.close()

    def _checked(
        self, pipeline: Pipeline, selected: list[Selected], given: dict[str, str], run_id: str, cancel: Cancel
    ) -> dict[str, str]:
        """Return the variables at the start; raises UserError for what is wrong before anything runs."""
        problems = validate(pipeline, given, {index for index, _ in selected})
        errors = tuple(problem for problem in problems if problem.severity is Severity.ERROR)
        if errors:
            raise PipelineError(errors)
        for _, step in selected:
            if step.type not in self._executors:
                raise UserError(msg("Step type %(type)s is not in this version yet", type=step.type.value))
        if not is_folder(pipeline.folder):
            raise UserError(msg("The folder %(path)s does not exist", path=pipeline.folder or "''"))
        if pipeline.literal:
            return {}
        return resolve(pipeline, {**builtin_variables(pipeline, run_id, cancel), **given})

    def _know_secrets(self, pipeline: Pipeline, values: Mapping[str, str], redactor: Redactor) -> None:
        """Learn the secret variables and the named clusters' credentials, as far as they are known before the run."""
        redactor.add(secrets_in_variables(values, *pipeline.steps))
        if isinstance(self._clusters, DocumentSource):
            for step in pipeline.steps:
                try:
                    name = step.k8s_cluster if pipeline.literal else fill(step.k8s_cluster, values)
                    redactor.add(secrets_of(self._clusters.document(name)) if name else ())
                except UserError:
                    continue  # the step itself says what is wrong with its cluster

    def _guard(
        self, pipeline: Pipeline, selected: list[Selected], values: Mapping[str, str], confirmed: frozenset[str]
    ) -> None:
        """Refuse the whole run before its first step where a later one would be refused, as far as that is known."""
        if not isinstance(self._clusters, Marked):
            return
        for _, step in selected:
            if step.type is StepType.SHELL or not step.enabled:
                continue
            try:
                if not met(step.when, values):
                    continue
                filled = step if pipeline.literal else substitute(step, values)
                require_allowed(filled, self._clusters, confirmed)
            except UserError as error:
                if error.code is ExitCode.FORBIDDEN:
                    raise

    def _scope(
        self,
        run_id: str,
        stream: EventStream,
        cancel: Cancel,
        folder: Path,
        redactor: Redactor,
        confirmed: frozenset[str],
    ) -> RunScope:
        return RunScope(
            run_id=run_id,
            emit=stream.emit,
            cancel=cancel,
            tools=self._tools,
            clusters=self._clusters,
            folder=folder,
            redact=redactor,
            confirmed=confirmed,
        )

    def _run(
        self,
        pipeline: Pipeline,
        selected: list[Selected],
        values: dict[str, str],
        scope: RunScope,
        stream: EventStream,
        learn: Callable[[Iterable[str]], None],
    ) -> RunOutcome:
        names = tuple(step.name for _, step in selected)
        scope.emit(RunStarted(time=time.time(), run=scope.run_id, pipeline=pipeline.name, steps=names))
        context = ExecutionContext(working_directory=pipeline.folder, variables=values)
        literal = pipeline.literal
        loop = StepLoop(self._executors, scope, literal=literal, commands=lambda: stream.commands, learn=learn)
        phase, code = loop.run(selected, context)
        self._finish(scope, phase)
        return RunOutcome(run_id=scope.run_id, phase=phase, exit_code=code)

    def _finish(self, scope: RunScope, phase: Phase) -> None:
        """Emit the end and write it; a history that cannot be written is told, it does not change the outcome."""
        if self._journal.lost is not None:
            _tell_lost(scope, self._journal.lost)
        scope.emit(RunFinished(time=time.time(), run=scope.run_id, phase=phase))
        try:
            self._journal.finish(scope.run_id, phase)
        except UserError as error:
            _log.error("the end of a run could not be written", extra={"run": scope.run_id, "reason": str(error)})


def _tell_lost(scope: RunScope, error: UserError) -> None:
    message = msg("The history of this run is not complete: %(reason)s", reason=error.message or error.title)
    scope.emit(Notice(time=time.time(), run=scope.run_id, level="warning", message=message))


def new_run_id() -> str:
    """Return an id that sorts by time: `20260131T235959123-a1b2c3` (UTC, milliseconds, six random digits)."""
    now = time.time()
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    return f"{stamp}{int(now * 1000) % 1000:03d}-{secrets.token_hex(3)}"


def select(pipeline: Pipeline, only: str | None, start_from: str | None) -> list[Selected]:
    """Return the steps to run with their indexes; raises UserError for a name that no step has, and for no step."""
    names = [step.name for step in pipeline.steps]
    for name in (only, start_from):
        if name is not None and name not in names:
            raise UserError(
                msg("The pipeline has no step %(name)s", name=name),
                "",
                msg("Its steps are: %(names)s", names=", ".join(names)),
                field="step",
            )
    first = names.index(start_from) if start_from is not None else 0
    found = [(index, step) for index, step in enumerate(pipeline.steps) if index >= first and only in (None, step.name)]
    if pipeline.steps and not found:
        raise UserError(
            msg(
                "Step %(only)s comes before step %(first)s: nothing is left to run", only=only or "", first=names[first]
            ),
            "",
            msg("Give one of --only and --from."),
            field="step",
        )
    return found


def _details(
    pipeline: Pipeline, selected: list[Selected], values: Mapping[str, str], redactor: Redactor
) -> dict[str, Any]:
    """Return what the journal keeps of the intent: where things go, never values."""
    steps = [_intent(step, pipeline, values, redactor) for _, step in selected]
    first = next((step for step in steps if step.get("cluster")), {})
    found = {name: first.get(name, "") for name in ("cluster", "namespace", "release")}
    return {**found, "folder": pipeline.folder, "steps": steps}


def _intent(step: Any, pipeline: Pipeline, values: Mapping[str, str], redactor: Redactor) -> dict[str, str]:
    config = step.k8s_config
    texts = {
        "cluster": step.k8s_cluster,
        "namespace": step.k8s_namespace,
        "resource": step.k8s_resource_name,
        "release": str(config.get("release_name") or ""),
        "chart": str(config.get("chart_path") or config.get("chart_name") or ""),
    }
    filled = {name: _filled(text, pipeline, values) for name, text in texts.items() if text}
    return {"name": step.name, "type": step.type.value, **{name: redactor(text) for name, text in filled.items()}}


def _filled(text: str, pipeline: Pipeline, values: Mapping[str, str]) -> str:
    try:
        return text if pipeline.literal else fill(text, values)
    except UserError:
        return text
