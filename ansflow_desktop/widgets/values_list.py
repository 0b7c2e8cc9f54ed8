"""The ordered list of values files: ticked ones are used, later ones win."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.deploy_state import ValuesChoice
from ansflow_desktop.widgets.controls import CheckBox, ElidedLabel, clear, icon_button, label, plain_tip


class _ValuesRow(QWidget):
    used = Signal(str, bool)
    moved = Signal(str, int)
    removed = Signal(str)

    def __init__(self, choice: ValuesChoice, *, first: bool, last: bool) -> None:
        super().__init__()
        self._path = choice.path
        name = choice.shown
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        tick = CheckBox("", translate(msg("Use %(file)s", file=name)))
        tick.setChecked(choice.used)
        tick.setToolTip(plain_tip(choice.path))
        tick.toggled.connect(self._on_toggled)
        layout.addWidget(tick)
        shown = ElidedLabel(name)
        layout.addWidget(shown, 1)
        if not choice.found:
            where = ElidedLabel(str(Path(choice.path).parent), "muted")
            layout.addWidget(where, 1)
        for icon, text, handler, off in (
            ("arrow-up", msg("Move %(file)s up", file=name), self._on_up, first),
            ("arrow-down", msg("Move %(file)s down", file=name), self._on_down, last),
            ("close", msg("Remove %(file)s", file=name), self._on_removed, False),
        ):
            if icon == "close" and choice.found:
                continue
            made = icon_button(icon, translate(text))
            made.setEnabled(not off)
            made.clicked.connect(handler)
            layout.addWidget(made)

    @Slot(bool)
    def _on_toggled(self, used: bool) -> None:
        self.used.emit(self._path, used)

    @Slot()
    def _on_up(self) -> None:
        self.moved.emit(self._path, -1)

    @Slot()
    def _on_down(self) -> None:
        self.moved.emit(self._path, 1)

    @Slot()
    def _on_removed(self) -> None:
        self.removed.emit(self._path)


class ValuesList(QWidget):
    """Shows the choices in order; emits what was ticked, moved and removed by the file's path."""

    used = Signal(str, bool)
    moved = Signal(str, int)
    removed = Signal(str)

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._shown: tuple[tuple[ValuesChoice, ...], bool] | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def show_choices(self, choices: tuple[ValuesChoice, ...], *, chart: bool) -> None:
        """Show these files, unless they are shown already; `chart` says whether a chart is chosen."""
        if (choices, chart) == self._shown:
            return
        self._shown = (choices, chart)
        clear(self._layout)
        if not choices:
            own = _("Only the chart's own values.yaml: no other lies beside it.")
            none = _("Files beside the chosen chart are offered here.")
            self._layout.addWidget(label(own if chart else none, "muted", wrap=True))
        for index, choice in enumerate(choices):
            made = _ValuesRow(choice, first=index == 0, last=index == len(choices) - 1)
            made.used.connect(self.used)
            made.moved.connect(self.moved)
            made.removed.connect(self.removed)
            self._layout.addWidget(made)
