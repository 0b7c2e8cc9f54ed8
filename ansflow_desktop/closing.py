"""What is asked before the window closes: what becomes of runs, then of changes that were not saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from ansflow_desktop.app import Window


class Closing(QObject):
    """Emits `agreed()` once nothing stands in the way of the end."""

    agreed = Signal()

    def __init__(self, window: Window) -> None:
        """Ask about `window`, whose parts may not be made yet."""
        super().__init__(window)
        self._window = window
        self._wanted = False

    @property
    def _running(self) -> bool:
        window, pipelines = self._window, self._window.pipelines_if_made
        deploys = hasattr(window, "deploy") and window.deploy.run.running
        return deploys or (pipelines is not None and pipelines.desk.run.running)

    @Slot()
    def ask(self) -> None:
        """Ask what becomes of a run (failure-modes.md, row 16) and of unsaved changes; without them it is agreed."""
        if not self._running:
            self._ask_about_changes()
            return
        from ansflow_desktop.widgets.dialogs import CloseDialog

        dialog = CloseDialog(self._window.shell)
        dialog.wait_asked.connect(self._on_wait)
        dialog.cancel_asked.connect(self._on_cancel)
        dialog.leave_asked.connect(self._on_leave)
        dialog.open()

    def run_ended(self) -> None:
        """Go on with the end that waited for a run."""
        if self._wanted and not self._running:
            self._ask_about_changes()

    def _ask_about_changes(self) -> None:
        self._wanted = False
        pipelines = self._window.pipelines_if_made
        if pipelines is None:
            self.agreed.emit()
            return
        if pipelines.desk.state.dirty:
            self._window.shell.show_page("pipelines")  # the question is its page's
        pipelines.ask_to_leave(self.agreed.emit)

    @Slot()
    def _on_wait(self) -> None:
        self._wanted = True
        self.run_ended()

    @Slot()
    def _on_cancel(self) -> None:
        self._wanted = True
        self._cancel_runs()

    @Slot()
    def _on_leave(self) -> None:
        """Stop at once: the second request skips the grace times; the next start reads what became of it."""
        self._wanted = True
        self._cancel_runs()
        self._cancel_runs()

    def _cancel_runs(self) -> None:
        self._window.deploy.cancel()
        pipelines = self._window.pipelines_if_made
        if pipelines is not None:
            pipelines.desk.stop()
