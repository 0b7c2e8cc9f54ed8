"""The list of pipelines: the library's and the files opened lately; what is opened goes to the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from PySide6.QtCore import Signal

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg, msg_n
from ansflow_desktop.presenters import pipeline_editor_work as work
from ansflow_desktop.presenters import pipelines_work
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.pipeline_editor_desk import PipelineDesk
from ansflow_desktop.presenters.pipelines_state import PipelineRow, PipelinesState
from ansflow_desktop.presenters.templates_state import Use


class PipelinesPresenter(Presenter):
    """Emits `opened()` when a pipeline stands on the desk, `choose_asked(paths)` where a folder has several.

    `leave_asked()` comes before another pipeline is opened over unsaved changes: answer by `leave`. `clusters_asked`
    comes with the clusters' numbers of an AnsFlow document that is imported: answer by `finish_import`.
    """

    opened = Signal()
    said = Signal(object)
    choose_asked = Signal(tuple)
    leave_asked = Signal()
    clusters_asked = Signal(tuple)
    imported = Signal(object)

    def __init__(self, services: Any, reads: Any) -> None:
        """Make the desk; nothing is read before `load`."""
        super().__init__()
        self._services = services
        self.desk = PipelineDesk(services, reads)
        self.desk.failed.connect(self.failed)
        self.desk.said.connect(self.said)
        self.desk.editor.saved.connect(self.load)
        self._rows: tuple[PipelineRow, ...] = ()
        self._next: Callable[[], None] | None = None
        self._import_text = ""
        self.shows_editor = False
        self.state = PipelinesState()

    # The list

    def load(self) -> None:
        """Read the list again."""
        self._start("list", self._load())

    async def _load(self) -> None:
        number = self._requests.begin("list")
        try:
            rows = await off_thread(lambda: pipelines_work.rows(self._services))
        except UserError as error:
            self._publish(msgspec.structs.replace(self.state, loaded=True, error=error))
            return
        if self._requests.current("list", number):
            self._rows = rows
            self._publish(msgspec.structs.replace(self.state, loaded=True, error=None))

    def search(self, query: str) -> None:
        """Show the pipelines in whose name, place or description every word of `query` is found."""
        self._publish(msgspec.structs.replace(self.state, query=query))

    def _publish(self, state: PipelinesState) -> None:
        words = state.query.casefold().split()
        rows = tuple(row for row in self._rows if all(word in _text(row) for word in words))
        state = msgspec.structs.replace(state, rows=rows, total=len(self._rows))
        if state != self.state:
            self.state = state
            self.state_changed.emit()

    # Opening

    def new(self) -> None:
        """Open an empty pipeline under a name that is free."""
        self._unless_unsaved(self._new)

    def _new(self) -> None:
        self._start("open", self._open(self._make_new))

    def _make_new(self) -> work.Opened:
        return work.open_new(pipelines_work.free_name(self._services, "pipeline"))

    def use_steps(self, use: Use) -> None:
        """Put steps of a template into the open pipeline, or into a new one, which is then open."""
        if use.new:
            self._unless_unsaved(lambda: self._start("open", self._open(lambda: self._make_with(use))))
        else:
            self.desk.editor.ask(work.together([work.added(step) for step in use.steps]))
            self.opened.emit()

    def _make_with(self, use: Use) -> work.Opened:
        return work.open_new(pipelines_work.free_name(self._services, use.name), use.steps)

    def open(self, row: PipelineRow) -> None:
        """Open a pipeline of the list; the one that is open already is shown as it stands."""
        home = self.desk.state.home
        if self.desk.state.open and row.id == home.key and home.saved:
            self.opened.emit()
            return
        self._unless_unsaved(lambda: self._open_row(row))

    def _open_row(self, row: PipelineRow) -> None:
        if row.kind == "file":
            self._start("open", self._open_file(row.key))
        elif row.kind == "library":
            self._start("open", self._open(lambda: work.open_library(self._services, row.key)))
        else:
            self._start("open", self._open(lambda: work.open_draft(self._services, row.key), row.key))

    def open_file(self, path: str) -> None:
        """Open the pipeline file `path`; it joins the list."""
        self._unless_unsaved(lambda: self._start("open", self._open_file(path)))

    async def _open_file(self, path: str) -> None:
        await self._open(lambda: work.open_file(self._services, path))
        await off_thread(lambda: self._services.save_settings(self._services.settings.with_pipeline(path)))
        self.load()

    async def _open(self, call: Callable[[], work.Opened | None], draft_key: str = "") -> None:
        found = await off_thread(call)
        if found is not None:
            self.desk.show_opened(found, draft_key)
            self.opened.emit()

    def open_folder(self, folder: str) -> None:
        """Open the pipeline that lies in `folder`; several are offered."""
        self._start("folder", self._open_folder(folder))

    async def _open_folder(self, folder: str) -> None:
        found = await off_thread(lambda: pipelines_work.pipelines_in(folder))
        if len(found) == 1:
            self.open_file(found[0])
        else:
            self.choose_asked.emit(found)

    def _unless_unsaved(self, then: Callable[[], None]) -> None:
        """Do `then`, after a question where something would be lost; a run that goes on keeps its pipeline open."""
        if self.desk.run.running:
            hint = msg("Wait for its end, or stop it, then open another pipeline.")
            self.failed.emit(UserError(msg("A pipeline is running"), "", hint))
        elif self.desk.state.dirty:
            self._next = then
            self.leave_asked.emit()
        else:
            then()

    def leave(self, *, save: bool) -> None:
        """Save what is open, or let its changes go, and do what was asked for before the question."""
        then, self._next = self._next, None
        if then is None:
            return
        if save:
            self._start("leave", self._save_then(then))
        else:
            self.desk.editor.discard()
            then()

    async def _save_then(self, then: Callable[[], None]) -> None:
        if await self.desk.editor.save_now():
            then()

    def close_open(self) -> None:
        """Close the open pipeline, after a question where something would be lost."""
        self._unless_unsaved(self.desk.editor.leave)

    def ask_to_leave(self, then: Callable[[], None]) -> None:
        """Do `then` (the window closes) once it is settled what becomes of unsaved changes."""
        if self.desk.state.dirty:
            self._next = then
            self.leave_asked.emit()
        else:
            then()

    def export(self, path: str) -> None:
        """Write the open pipeline as AnsFlow's JSON to `path`."""
        self._start("export", self._export(path, self.desk.state.text))

    async def _export(self, path: str, text: str) -> None:
        await off_thread(lambda: pipelines_work.export(path, text))
        self.said.emit(msg("Exported to %(path)s", path=path))

    # What can be done with one

    def rename(self, row: PipelineRow, name: str) -> None:
        """Give a pipeline of the library another name."""
        self._start("change", self._renamed(row, name.strip()))

    async def _renamed(self, row: PipelineRow, name: str) -> None:
        await off_thread(lambda: pipelines_work.rename(self._services, row, name))
        self._after_change(row)

    def duplicate(self, row: PipelineRow) -> None:
        """Put a copy into the library."""
        self._start("change", self._duplicated(row))

    async def _duplicated(self, row: PipelineRow) -> None:
        name = await off_thread(lambda: pipelines_work.duplicate(self._services, row))
        self.said.emit(msg("%(name)s is in the library now", name=name))
        self.load()

    def remove(self, row: PipelineRow) -> None:
        """Take a pipeline out of the library, or a file out of the list; whoever calls this has asked."""
        self._start("change", self._removed(row))

    async def _removed(self, row: PipelineRow) -> None:
        await off_thread(lambda: pipelines_work.remove(self._services, row))
        self._after_change(row)

    def _after_change(self, row: PipelineRow) -> None:
        if self.desk.state.open and self.desk.state.home.key == row.id and row.kind == "library":
            self.desk.editor.leave()
        self.load()

    def is_open(self, row: PipelineRow) -> bool:
        """Return whether `row` is the pipeline on the desk."""
        home = self.desk.state.home
        return self.desk.state.open and home.saved and home.key == row.id

    # AnsFlow's own documents

    def import_file(self, path: str) -> None:
        """Import pipelines and steps from AnsFlow's JSON; nothing of it is run."""
        self._start("import", self._import(path))

    async def _import(self, path: str) -> None:
        self._import_text = await off_thread(lambda: pipelines_work.read_import(path))
        text = self._import_text
        found = await off_thread(lambda: pipelines_work.import_document(text, {}))
        if found.cluster_ids:
            self.clusters_asked.emit(tuple(found.cluster_ids))
        else:
            await self._keep(found)

    def finish_import(self, clusters: dict[int | str, str]) -> None:
        """Go on with an import: `clusters` names the cluster for each number."""
        self._start("import", self._finish(clusters))

    async def _finish(self, clusters: dict[int | str, str]) -> None:
        text = self._import_text
        await self._keep(await off_thread(lambda: pipelines_work.import_document(text, clusters)))

    async def _keep(self, found: Any) -> None:
        names, steps = await off_thread(lambda: pipelines_work.keep_import(self._services, found))
        self._import_text = ""
        one = msg_n("%(count)s pipeline", "%(count)s pipelines", len(names))
        other = msg_n("%(count)s step", "%(count)s steps", steps)
        self.said.emit(msg("Imported: %(pipelines)s, %(steps)s", pipelines=one, steps=other))
        if found.notices:
            self.imported.emit(tuple(found.notices))
        self.load()

    async def close(self) -> None:
        """End every task and thread of the page."""
        await self.desk.close()
        await super().close()


def _text(row: PipelineRow) -> str:
    return f"{row.name} {row.where} {row.description}".casefold()
