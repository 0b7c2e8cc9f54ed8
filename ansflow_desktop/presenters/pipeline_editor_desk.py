"""The open pipeline with everything around it: the form of its step, checks, preview, and its run."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QTimer, Signal, Slot

from ansflow_desktop.i18n import msg
from ansflow_desktop.models.run import Phase
from ansflow_desktop.presenters import pipeline_editor_work as work
from ansflow_desktop.presenters import pipelines_work
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.pipeline_completion import PipelineCompletion
from ansflow_desktop.presenters.pipeline_convert import ChartMade, Document, PipelineConvert
from ansflow_desktop.presenters.pipeline_editor import PipelineEditor
from ansflow_desktop.presenters.pipeline_problems import in_words
from ansflow_desktop.presenters.pipeline_run import PipelineRun
from ansflow_desktop.presenters.pipelines_palette import new_step

if TYPE_CHECKING:
    from ansflow_desktop.models.pipeline import Pipeline
    from ansflow_desktop.presenters.pipeline_editor_state import EditorState

_OWN_PROGRAMS = ("shell", "k8s_exec")


class OwnCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an imported step would run: shown before it is trusted."""

    step: str
    type: str
    text: str


class PipelineDesk(Presenter):
    """Emits `said(Text)` for a short word, `trust_needed(commands)` before an imported pipeline runs the first time.

    `confirmation_needed(cluster, UserError)` comes where a production cluster asks for its name.

    `copied(str)` brings a step as YAML for the clipboard, `library_steps(names)` the names of the library's steps,
    `template_asked(name, steps)` steps that are to be kept as a template.
    """

    said = Signal(object)
    trust_needed = Signal(tuple)
    copied = Signal(str)
    library_steps = Signal(tuple)
    template_asked = Signal(str, tuple)
    run_finished = Signal(object)
    confirmation_needed = Signal(str, object)

    def __init__(self, services: Any, reads: Any) -> None:
        """Make the parts; nothing is read before a pipeline is opened."""
        from ansflow_desktop.presenters.step_checks import StepChecks
        from ansflow_desktop.presenters.step_form import StepFormPresenter
        from ansflow_desktop.presenters.step_preview import StepPreview

        super().__init__()
        self._services = services
        self.editor = PipelineEditor(services)
        self.form = StepFormPresenter(services, reads)
        self.checks = StepChecks(services)
        self.preview = StepPreview(services)
        self.run = PipelineRun(services)
        self.convert = PipelineConvert(services)
        self.completion = PipelineCompletion()
        self.read_only = bool(getattr(services, "read_only", False))
        self._cluster = self._namespace = ""
        self._batch: list[tuple[tuple[str | int, ...], object]] = []
        self._shown: tuple[str, str, int | None] | None = None
        self._trusted = False
        self._asked: dict[str, Any] = {}
        self._connect()

    def _connect(self) -> None:
        self.editor.document_changed.connect(self._on_document)
        self.editor.failed.connect(self.failed)
        self.editor.refused.connect(self._on_refused)
        self.editor.saved.connect(self._on_saved)
        self.editor.turning.connect(self._on_batch)
        self.editor.turned.connect(self.form.turn_back)
        self.form.edited.connect(self._on_edited)
        self.form.failed.connect(self.failed)
        self.checks.problems_changed.connect(self._on_problems)
        self.run.changed.connect(self._on_run)
        self.run.finished.connect(self._on_finished)
        self.convert.failed.connect(self.failed)
        self.convert.chart_made.connect(self._on_chart_made)

    @property
    def state(self) -> EditorState:
        """The open document."""
        return self.editor.state

    @property
    def can_run(self) -> bool:
        """True when nothing known stands in the way of a run."""
        state = self.state
        ready = state.open and state.fresh and bool(state.document.steps) and not state.errors
        return ready and not self.run.running and not self.read_only

    @property
    def can_run_steps(self) -> bool:
        """True when one step, or from one on, can be run: the runner says what is wrong with them."""
        state = self.state
        ready = state.open and state.fresh and bool(state.document.steps) and state.document.problem is None
        return ready and not self.run.running and not self.read_only

    # Document

    def show_opened(self, opened: work.Opened, draft_key: str = "") -> None:
        """Edit `opened` from now on."""
        self._trusted, self._shown = False, None
        self.run.clear()
        self.editor.show_opened(opened, draft_key)

    @Slot()
    def _on_document(self) -> None:
        state = self.state
        folder = state.home.working_folder
        here = (state.text, folder, state.selected)
        if here != self._shown:
            if self._shown is None or here[:2] != self._shown[:2]:
                self.checks.check(state.text, folder)
            self._shown = here
            self.preview.show(state.text, folder, state.selected)
        self._show_form()

    def _show_form(self) -> None:
        """Show the step as the document has it, unless what was typed is still on its way there."""
        state = self.state
        if self.editor.busy or self._batch:
            return
        problems = state.problems_of_step(state.selected) if state.selected is not None else ()
        variables = {name: str(value) for name, value in state.document.variables.items()}
        self.form.show(state.step, problems, state.home.working_folder, variables=variables)

    @Slot(object)
    def _on_refused(self, error: object) -> None:
        self._show_form()
        self.failed.emit(error)

    @Slot()
    def _on_problems(self) -> None:
        self.editor.set_problems(in_words(self.checks.problems, self.state.document.steps))
        self._show_form()

    def refresh(self) -> None:
        """Say the problems anew: the language is another one."""
        self._on_problems()

    @Slot(tuple, object)
    def _on_edited(self, path: tuple[str | int, ...], value: object) -> None:
        """Take an edit of the form; those that come together are one."""
        if not self._batch:
            QTimer.singleShot(0, self._on_batch)
        self._batch.append((path, value))

    @Slot()
    def _on_batch(self) -> None:
        batch, self._batch = self._batch, []
        edits = [work.step_field(path, value) for path, value in batch]
        if edits:
            self.editor.ask(edits[0] if len(edits) == 1 else work.together(edits))

    @Slot()
    def _on_saved(self) -> None:
        self.said.emit(msg("Saved"))
        if self._trusted:  # what the person changed in a pipeline that they trust is their own
            text = self.state.base
            self._start("trust", self._trust(text))

    async def _trust(self, text: str) -> None:
        await off_thread(lambda: self._services.trust.trust(text))

    # Steps

    def work_in(self, cluster: str, namespace: str) -> None:
        """Take the cluster and namespace that new steps begin with."""
        self._cluster, self._namespace = cluster, namespace

    def add_step(self, step_type: str) -> None:
        """Insert a new step of `step_type` behind the selected one and select it."""
        self.editor.ask(work.added(new_step(step_type, self._cluster, self._namespace)))

    def copy_step(self, index: int) -> None:
        """Emit `copied` with step `index` as YAML."""
        self._start("copy", self._copy(self.state.text, index))

    async def _copy(self, text: str, index: int) -> None:
        from ansflow_desktop.pipelines import edit

        self.copied.emit(await off_thread(lambda: edit.step_text(text, index)))

    def ask_library_steps(self) -> None:
        """Emit `library_steps` with the names of the library's steps."""
        self._start("steps", self._read_steps())

    async def _read_steps(self) -> None:
        items = await off_thread(lambda: pipelines_work.library_steps(self._services))
        self.library_steps.emit(tuple(item.name for item in items))

    def insert_library_step(self, name: str) -> None:
        """Insert a copy of a step of the library behind the selected one."""
        self._start("insert", self._insert(name))

    async def _insert(self, name: str) -> None:
        step = await off_thread(lambda: pipelines_work.library_step(self._services, name))
        self.editor.ask(work.added(step))

    def keep_in_library(self, index: int) -> None:
        """Put a copy of step `index` into the library."""
        steps = self.state.document.steps
        if index < len(steps):
            self._start("keep", self._keep(steps[index]))

    async def _keep(self, step: dict[str, Any]) -> None:
        from ansflow_desktop.pipelines import atomic

        name = await off_thread(lambda: pipelines_work.keep_step(self._services, atomic.to_atomic(step)))
        self.said.emit(msg("%(name)s is in the step library now", name=name))

    def keep_as_template(self, index: int, name: str) -> None:
        """Emit `template_asked` with step `index`, to be kept under `name`."""
        steps = self.state.document.steps
        if index < len(steps) and name:
            self.template_asked.emit(name, (steps[index],))

    @property
    def document(self) -> Document:
        """The text as it stands, with its folder."""
        return Document(text=self.state.text, folder=self.state.home.working_folder)

    @Slot(object)
    def _on_chart_made(self, made: ChartMade) -> None:
        self.editor.ask(work.configured(made.index, made.name, made.fields))

    def select_at(self, offset: int) -> None:
        """Select the step in which the text face's cursor stands, `offset` characters from the start."""
        if self.state.fresh and self.state.document.problem is None:
            self._start("at", self._select_at(self.state.text, offset))

    async def _select_at(self, text: str, offset: int) -> None:
        from ansflow_desktop.pipelines import lossless

        index = await off_thread(lambda: lossless.step_at(text, offset))
        if index is not None and text == self.state.text:
            self.editor.select(index)

    # Run

    def start(
        self, *, only: str | None = None, start_from: str | None = None, variables: dict[str, str] | None = None
    ) -> None:
        """Run the document as it stands: all of it, one step, or from one on; `trust_needed` may come first.

        `variables` are other values than those of the document, for this run alone.
        """
        if self.can_run if only is None and start_from is None else self.can_run_steps:
            self._asked = {"only": only, "start_from": start_from, **({"variables": variables} if variables else {})}
            self._start("start", self._start_run())

    async def _start_run(self) -> None:
        text, found = self.state.text, own_commands(self.state)
        if found and not self._trusted and self.state.home.origin != "user":
            self._trusted = await off_thread(lambda: self._services.trust.trusted(text))
            if not self._trusted:
                self.trust_needed.emit(found)
                return
        self._run_now()

    def trust_and_run(self) -> None:
        """Trust the pipeline as it was shown, and run what was asked for."""
        self._trusted = True
        self._start("trust", self._trust(self.state.text))
        self._run_now()

    def _run_now(self) -> None:
        home, text = self.state.home, self.state.text
        name = home.path or f"{self.state.title}.yaml"
        make = partial(_parse, text, home.working_folder, name)
        self.run.start_pipeline(make, time.time(), **self._asked)

    def stop(self) -> None:
        """Ask the run to stop; the second call stops it at once."""
        self.run.cancel()

    @Slot()
    def _on_run(self) -> None:
        view = self.run.view
        self.editor.set_phases({step.name: step.phase for step in view.steps} if view else {})
        self.state_changed.emit()

    @Slot(object)
    def _on_finished(self, phase: Phase) -> None:
        self.run_finished.emit(phase)
        from ansflow_desktop.executors.guard import ConfirmationNeeded

        if isinstance(self.run.refusal, ConfirmationNeeded):
            self.confirmation_needed.emit(self.run.refusal.cluster, self.run.refusal)

    def confirm_and_run(self, typed: str) -> None:
        """Start again what a production cluster refused, with the name that was typed; the executor compares it."""
        if not self.run.running:
            self._asked = {**self._asked, "confirmed": (*self._asked.get("confirmed", ()), typed)}
            self._run_now()

    async def close(self) -> None:
        """Keep a draft of what is not saved, then end every task and thread; a run that goes on is waited for."""
        for part in (self.editor, self.form, self.checks, self.preview, self.convert, self.completion):
            await part.close()
        await super().close()
        self.run.close()


def _parse(text: str, folder: str, name: str) -> Pipeline:
    from ansflow_desktop.pipelines.codec import parse

    return parse(text, folder, name)


def own_commands(state: EditorState) -> tuple[OwnCommand, ...]:
    """Return what the steps of a pipeline would run on this machine or in a container, as it is written."""
    return tuple(
        OwnCommand(step=str(step.get("name", "")), type=str(step["type"]), text=_command(step))
        for step in state.document.steps
        if step.get("type") in _OWN_PROGRAMS
    )


def _command(step: dict[str, Any]) -> str:
    config = step.get("k8s_config")
    found = step.get("command") if step.get("type") == "shell" else (config or {}).get("command", "")
    return "\n".join(str(one) for one in found) if isinstance(found, list) else str(found or "")
