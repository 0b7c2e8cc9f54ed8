"""The open pipeline: its text, undo, the selected step, saving, drafts. Form and text are two faces of that one text.

Every edit is a function of the text. They run one after the other off the window's thread, each on the text that the
one before left, so that a long document never holds up the window and a burst of keys loses nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.models.run import Phase
from ansflow_desktop.presenters import pipeline_editor_home as homes
from ansflow_desktop.presenters import pipeline_editor_work as work
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.pipeline_editor_history import TYPING, History, Moment
from ansflow_desktop.presenters.pipeline_editor_state import EditorState, Home, step_of

_READ_DELAY_S = 0.06
_DRAFT_DELAY_S = 1.0


class _Turn(msgspec.Struct, frozen=True):
    """Undo or redo, asked for while edits are being made: it has its turn behind them."""

    step: Callable[[], None]
    key: str = ""


class PipelineEditor(Presenter):
    """Emits `document_changed()` when text or selection are others, `refused(UserError)` for an edit that cannot be.

    `saved()` comes after the text was written, `place_asked(field)` when a problem's place is to be shown, `turning()`
    before undo and redo: edits that were not asked for yet are asked for now; `turned()` once the text is another one.
    """

    document_changed = Signal()
    refused = Signal(object)
    saved = Signal()
    place_asked = Signal(str)
    turning = Signal()
    turned = Signal()

    def __init__(self, services: Any) -> None:
        """Start with no pipeline open."""
        super().__init__()
        self._services = services
        self._history = History()
        self._waiting: deque[work.Edit | _Turn] = deque()
        self._pumping = False
        self._handle: Any = None
        self._draft_key = ""
        self._seen: str | None = None
        self._overwrite = False
        self._drafted = False
        self._disk = homes.DiskWatch()
        self._disk.touched.connect(self.look_at_disk)
        self.state = EditorState()

    # Opening

    def show_opened(self, opened: work.Opened, draft_key: str = "") -> None:
        """Edit `opened` from now on; what was open before is let go (ask first whether it is saved)."""
        self.leave()
        self._handle, self._seen, self._overwrite = opened.handle, None, False
        self._draft_key = draft_key or (opened.home.key if opened.home.saved else work.new_draft_key())
        self._drafted = bool(draft_key or opened.draft)
        first = 0 if opened.document.steps else None
        self.state = EditorState(
            open=True,
            home=opened.home,
            saved_folder=opened.home.folder,
            text=opened.text,
            base=opened.text if opened.base is None else opened.base,
            document=opened.document,
            selected=first,
            draft=opened.draft,
        )
        self._disk.watch(opened.home.path)
        self._announce()

    def leave(self) -> None:
        """Let the open pipeline go; its draft stays where it is."""
        for kind in ("edits", "read", "draft", "disk", "save"):
            self._stop(kind)
        self._waiting.clear()
        self._pumping = False
        self._history.clear()
        self._disk.watch("")
        self.state = EditorState()
        self.state_changed.emit()

    def discard(self) -> None:
        """Let the open pipeline go with everything that was not saved: its draft goes too."""
        key = self._draft_key
        self.leave()
        if self._drafted:
            self._start("forget", self._forget(key))

    async def _forget(self, key: str) -> None:
        self._drafted = False
        await off_thread(lambda: self._services.drafts.remove(key))

    # Edits

    def ask(self, edit: work.Edit) -> None:
        """Make `edit` once those before it are made; the newest value of one field takes the place of an older one."""
        if not self.state.open:
            return
        if edit.key and self._waiting and self._waiting[-1].key == edit.key:
            self._waiting.pop()
        self._waiting.append(edit)
        if not self._pumping:
            self._pumping = True
            self._start("edits", self._pump())

    @property
    def busy(self) -> bool:
        """True while an edit is being made."""
        return self._pumping

    async def _pump(self) -> None:
        try:
            while self._waiting:
                one = self._waiting.popleft()
                if isinstance(one, _Turn):
                    one.step()
                else:
                    await self._make(one)
        finally:
            if not self._waiting:
                self._pumping = False
        self._announce()

    async def _make(self, edit: work.Edit) -> None:
        while True:
            text, selected = self.state.text, self.state.selected
            try:
                applied = await off_thread(partial(work.apply, edit, text, selected))
            except UserError as error:
                self.refused.emit(error)
                return
            if self.state.text == text:  # not typed on meanwhile
                break
        self._take(applied, edit.key)

    def _take(self, applied: work.Applied, key: str) -> None:
        state = self.state
        if applied.text != state.text:
            self._history.push(Moment(state.text, state.selected), f"{key} {state.selected}" if key else "")
            self._draft_later()
        self._change(text=applied.text, selected=applied.selected, document=applied.document, fresh=True)
        if not self._waiting:
            self._announce()

    def type_text(self, text: str) -> None:
        """Take the whole text as it stands in the text face after a key."""
        if text == self.state.text or not self.state.open:
            return
        self._history.push(Moment(self.state.text, self.state.selected), TYPING)
        self._change(text=text, fresh=False)
        self._draft_later()
        self._start("read", self._read_later())

    async def _read_later(self) -> None:
        await asyncio.sleep(_READ_DELAY_S)
        text = self.state.text
        document = await off_thread(lambda: work.read(text))
        if text != self.state.text:
            return
        if document.problem is not None:  # the steps stay as they were last read
            old = self.state.document
            document = msgspec.structs.replace(
                document, name=old.name, description=old.description, variables=old.variables, steps=old.steps
            )
        count, selected = len(document.steps), self.state.selected
        kept = None if selected is None or not count else min(selected, count - 1)
        self._change(document=document, selected=kept, fresh=True)
        self._announce()

    def select(self, index: int | None) -> None:
        """Select step `index`, None for the pipeline's own settings."""
        if index == self.state.selected and not self._pumping:
            return
        if self._pumping:
            self.ask(work.chosen(index))
            return
        self._change(selected=index)
        self._announce()

    def undo(self) -> None:
        """Go back before the last edit."""
        self._in_turn(self._undo)

    def redo(self) -> None:
        """Make the edit again that was undone last."""
        self._in_turn(self._redo)

    def _in_turn(self, step: Callable[[], None]) -> None:
        self.turning.emit()
        if self._pumping:
            self._waiting.append(_Turn(step))
        else:
            step()

    def _undo(self) -> None:
        self._go(self._history.undo(self._moment()))

    def _redo(self) -> None:
        self._go(self._history.redo(self._moment()))

    def _moment(self) -> Moment:
        return Moment(self.state.text, self.state.selected)

    def _go(self, moment: Moment | None) -> None:
        if moment is None:
            return
        self.turned.emit()
        self._change(text=moment.text, selected=moment.selected, fresh=False)
        self._draft_later()
        self._start("read", self._read_later())

    def replace_text(self, text: str) -> None:
        """Put `text` in the place of the whole document, as one step that can be undone."""
        if text == self.state.text:
            return
        self._history.push(self._moment())
        self._change(text=text, fresh=False)
        self._draft_later()
        self._start("read", self._read_later())

    def set_folder(self, folder: str) -> None:
        """Take the folder that relative paths of a pipeline of the library start from; `~` is the home folder."""
        whole = str(paths.expanded(folder).absolute()) if folder else ""
        if homes.is_library(self.state.home) and whole != self.state.home.working_folder:
            self._change(home=msgspec.structs.replace(self.state.home, folder=whole))
            self._announce()

    # Drafts

    def _draft_later(self) -> None:
        self._start("draft", self._save_draft())

    async def _save_draft(self) -> None:
        await asyncio.sleep(_DRAFT_DELAY_S)
        await self.keep_draft()

    async def keep_draft(self) -> None:
        """Write what is not saved to the drafts; where all is saved, the draft goes."""
        state, key = self.state, self._draft_key
        if not state.open:
            return
        if not state.dirty:
            if self._drafted:
                await self._forget(key)
            return
        await off_thread(lambda: self._services.drafts.save(key, state.text, state.base))
        self._drafted = True

    def take_draft(self) -> None:
        """Go on with the draft that is offered."""
        draft = self.state.draft
        self._change(draft=None)
        if draft is not None:
            self.replace_text(draft.text)

    def drop_draft(self) -> None:
        """Forget the draft that is offered."""
        self._change(draft=None)
        if self._drafted:
            self._start("forget", self._forget(self._draft_key))

    # Saving

    def save(self) -> None:
        """Save where the pipeline lives; a new one goes to the library under its name."""
        if self.state.open and not self.state.saving:
            self._start("save", self._save_here())

    async def _save_here(self) -> None:
        await self.save_now()

    async def save_now(self) -> bool:
        """Save what stands there once all edits are made; return whether it was written. Raises UserError."""
        while self._pumping or not self.state.fresh:
            await asyncio.sleep(_READ_DELAY_S / 4)
        name, overwrite = self.state.document.name, self._overwrite
        home, text, handle = self.state.home, self.state.text, self._handle
        return await self._save(partial(homes.save, self._services, home, handle, text, name, overwrite=overwrite))

    def save_as_file(self, path: str) -> None:
        """Save in the file `path`, where the pipeline lives from now on."""
        text = self.state.text
        self._start("save", self._save_as(lambda: homes.save_as_file(path, text)))

    async def _save_as(self, call: Callable[[], homes.Saved]) -> None:
        await self._save(call)

    async def _save(self, call: Callable[[], homes.Saved]) -> bool:
        self._change(saving=True)
        try:
            saved = await off_thread(call)
        finally:
            self._change(saving=False)
        if saved.theirs is not None:
            self._change(theirs=saved.theirs)
            return False
        moved = saved.home.path != self.state.home.path
        self._handle, self._seen, self._overwrite = saved.handle, None, False
        self._history.pause()
        self._change(home=saved.home, saved_folder=saved.home.folder, base=saved.text, theirs=None, draft=None)
        if moved:
            self._disk.watch(saved.home.path)
        await self._forget(self._draft_key)
        self._draft_key = saved.home.key
        self.saved.emit()
        return True

    @Slot()
    def look_at_disk(self) -> None:
        """See whether somebody else changed what is open: the file was touched, or the window is used again."""
        if self.state.open and self.state.home.saved and not self.state.saving:
            self._start("disk", self._look())

    async def _look(self) -> None:
        home, handle = self.state.home, self._handle
        theirs = await off_thread(lambda: homes.look(self._services, home, handle))
        if handle is self._handle and theirs != self._seen:
            self._change(theirs=theirs)

    def keep_mine(self) -> None:
        """Keep this text: the next save writes over what somebody else wrote."""
        self._seen, self._overwrite = self.state.theirs, True
        self._change(theirs=None)

    def take_theirs(self) -> None:
        """Take the text that somebody else wrote; this one can be had again by undo."""
        if self.state.theirs is None:
            return
        self._start("theirs", self._reopen(self.state.home))

    async def _reopen(self, home: Home) -> None:
        open_again = partial(work.open_file, self._services, home.path)
        if homes.is_library(home):
            open_again = partial(work.open_library, self._services, home.name)
        opened = await off_thread(open_again)
        self._handle, self._seen, self._overwrite = opened.handle, None, False
        self._change(theirs=None, base=opened.text)
        self.replace_text(opened.text)

    # What others find out

    def set_problems(self, problems: tuple[Problem, ...]) -> None:
        """Take the problems that were found in the text as it stands, and find their places in it."""
        self._change(problems=tuple(problems))
        self._start("marks", self._find_places(self.state.text, self.state.document.problem))

    async def _find_places(self, text: str, broken: Problem | None) -> None:
        problems = self.state.problems
        marks = () if broken else await off_thread(lambda: work.marks(text, problems))
        if text == self.state.text:
            self._change(marks=marks)

    def set_phases(self, phases: Mapping[str, Phase]) -> None:
        """Take how far the steps of the run are, by their names."""
        self._change(phases=dict(phases))

    def show_place(self, problem: Problem) -> None:
        """Go to what `problem` is about: its step is selected, then `place_asked` names the field."""
        index = step_of(problem.field)
        if index is not None and index < len(self.state.document.steps):
            self.select(index)
        elif problem.field.startswith(("metadata", "spec.variables", "variables")):
            self.select(None)
        self.place_asked.emit(problem.field)

    async def close(self) -> None:
        """Keep what is not saved as a draft, then end every task."""
        if self.state.dirty:
            try:
                await self.keep_draft()
            except UserError as error:
                self.failed.emit(error)
        self._disk.watch("")
        await super().close()

    def _announce(self) -> None:
        self.state_changed.emit()
        self.document_changed.emit()

    def _change(self, **fields: Any) -> None:
        fields.setdefault("can_undo", self._history.can_undo)
        fields.setdefault("can_redo", self._history.can_redo)
        state = msgspec.structs.replace(self.state, **fields)
        if state != self.state:
            self.state = state
            self.state_changed.emit()
