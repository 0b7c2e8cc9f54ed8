"""Saving a pipeline where it lives, and noticing that somebody else changed it there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.presenters.pipeline_editor_state import FILE, LIBRARY, Home
from ansflow_desktop.presenters.pipeline_editor_work import PIPELINE

_QUIET_MS = 150


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text was saved; `theirs` is what lies there instead, where somebody changed it and nothing was saved."""

    home: Home
    text: str
    handle: Any = None
    theirs: str | None = None


def save(services: Any, home: Home, handle: Any, text: str, name: str, *, overwrite: bool = False) -> Saved:
    """Save `text` in `home` and return what is known of it then; `name` is the pipeline's own.

    With `overwrite` what somebody else wrote there meanwhile is replaced. Raises UserError.
    """
    if home.kind == FILE:
        return _save_file(home, handle, text, overwrite)
    return _save_library(services, home, handle, text, name, overwrite)


def _save_file(home: Home, handle: Any, text: str, overwrite: bool) -> Saved:
    from ansflow_desktop.pipelines.files import ChangedOnDisk

    try:
        file = handle.save(text, overwrite=overwrite)
        return Saved(home=home, text=text, handle=file)
    except ChangedOnDisk as changed:
        return Saved(home=home, text=text, handle=handle, theirs=changed.theirs)


def save_as_file(path: str, text: str) -> Saved:
    """Save `text` in the file `path`, also over one that is there (the dialog has asked); raises UserError."""
    from ansflow_desktop.pipelines.files import PipelineFile

    file = PipelineFile.create(path, text, overwrite=True)
    return Saved(home=Home(kind=FILE, path=str(file.path)), text=file.text, handle=file)


def _save_library(services: Any, home: Home, handle: Any, text: str, name: str, overwrite: bool) -> Saved:
    library = services.library
    wanted = name or home.name
    if not wanted:
        raise UserError(msg("The pipeline has no name"), "", msg("Give it one in its settings."), field="metadata.name")
    return _save_named(library, home, handle, text, wanted, overwrite)


def _save_named(library: Any, home: Home, known: float | None, text: str, wanted: str, overwrite: bool) -> Saved:
    from ansflow_desktop.store.library import Conflict

    gone = overwrite and home.name and library.read(PIPELINE, home.name) is None  # it is written again
    try:
        if home.name and wanted != home.name and not gone:
            known = library.rename(PIPELINE, home.name, wanted, None if overwrite else known).updated
            home = msgspec.structs.replace(home, name=wanted)
        expected = 0.0 if gone else None if overwrite else known or 0.0
        item = library.save(PIPELINE, wanted, text, home.folder, home.origin, expected)
    except Conflict as conflict:
        if not home.name or (gone and wanted != home.name):
            raise _taken(wanted) from conflict
        theirs = conflict.theirs.document if conflict.theirs else ""  # it was removed
        return Saved(home=home, text=text, handle=known, theirs=theirs)
    return Saved(home=msgspec.structs.replace(home, name=wanted), text=text, handle=item.updated)


def _taken(name: str) -> UserError:
    return UserError(
        msg("The library has a pipeline %(name)s already", name=name),
        "",
        msg("Give this one another name in its settings."),
        field="metadata.name",
    )


def _theirs(library: Any, name: str, known: float | None) -> str | None:
    """Return what somebody else saved under `name` since `known`, None where nobody did."""
    item = library.read(PIPELINE, name)
    return str(item.document) if item is not None and item.updated != known else None


def look(services: Any, home: Home, handle: Any) -> str | None:
    """Return the text that lies in `home` now where it is not the one that is known, None where it is.

    A file that is gone, or a library that cannot be asked, is told at the next save, not here.
    """
    try:
        if home.kind == FILE:
            theirs: str | None = handle.changed_on_disk()
            return theirs
        return _theirs(services.library, home.name, handle) if home.name else None
    except (UserError, OSError):
        return None


class DiskWatch(QObject):
    """Emits `touched()` a moment after the file that is watched, or its folder, changed."""

    touched = Signal()

    def __init__(self) -> None:
        """Watch nothing."""
        super().__init__()
        self._watcher: QFileSystemWatcher | None = None
        self._path = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_QUIET_MS)
        self._timer.timeout.connect(self._on_quiet)

    def watch(self, path: str) -> None:
        """Watch the file `path` from now on, empty for none; its folder too, as editors put a new file in its place."""
        self._path = path
        self._timer.stop()
        if self._watcher is not None:
            self._watcher.deleteLater()
            self._watcher = None
        if path:
            self._watcher = QFileSystemWatcher([path, str(Path(path).parent)], self)
            self._watcher.fileChanged.connect(self._on_touched)
            self._watcher.directoryChanged.connect(self._on_touched)

    @Slot(str)
    def _on_touched(self, _path: str) -> None:
        self._timer.start()

    @Slot()
    def _on_quiet(self) -> None:
        if self._watcher is not None and self._path not in self._watcher.files():
            self._watcher.addPath(self._path)
        self.touched.emit()


def is_library(home: Home) -> bool:
    """Return whether the pipeline lives in the library (or nowhere yet)."""
    return home.kind == LIBRARY
