"""The left column of the editor: settings, the steps with what can be done with them, and the palette."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters import pipeline_editor_work as work
from ansflow_desktop.presenters.pipeline_convert import is_yaml_deploy
from ansflow_desktop.presenters.pipeline_editor_desk import PipelineDesk
from ansflow_desktop.presenters.pipeline_editor_state import StepRow
from ansflow_desktop.presenters.pipelines_palette import entries, step_rows
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import Card, button, icon_button, label, row
from ansflow_desktop.widgets.palette import Palette
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog
from ansflow_desktop.widgets.step_list import StepList

_WIDTH = 236
_MENU = (
    *("run_one", "run_from", ""),
    *("duplicate", "switch", "up", "down", "copy", "paste", ""),
    *("keep", "template", "chart", ""),
    "remove",
)


class StepsColumn(QWidget):
    """Shows the steps of a desk; emits `form_asked()` when Return is pressed on a step.

    `chart_asked(index)` and `template_asked(index)` come from a step's menu.
    """

    form_asked = Signal()
    chart_asked = Signal(int)
    template_asked = Signal(int)

    def __init__(self, desk: PipelineDesk) -> None:
        """Make it for `desk` as it stands."""
        super().__init__()
        self._desk = desk
        self._rows: tuple[StepRow, ...] = ()
        self._made_of: tuple[object, ...] = (None, None, None)
        self.setFixedWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._build_settings(layout)
        layout.addWidget(self._steps_card(), 1)
        card = Card(margins=10)
        self.palette_box = Palette(entries())
        card.body.addWidget(self.palette_box)
        layout.addWidget(card)
        self._connect()

    def _build_settings(self, layout: QVBoxLayout) -> None:
        self._settings = button(_("Settings"), "palette", "tune", _("Settings of the pipeline"))
        self._settings.setToolTip(_("Name, description, variables, and the folder that paths start from"))
        self._settings.setObjectName("pipeline_settings")
        self._settings.setCheckable(True)
        self._settings.clicked.connect(self._on_settings)
        layout.addWidget(self._settings)

    def _steps_card(self) -> Card:
        card = Card(margins=0, spacing=0)
        card.body.setContentsMargins(1, 4, 1, 4)
        self.list = StepList()
        self._hint = label(_("No steps yet. Add the first one below."), "context", wrap=True)
        self._hint.setContentsMargins(14, 10, 14, 10)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._bar = QWidget()
        bar = row(spacing=1)
        bar.setContentsMargins(8, 2, 8, 2)
        self._actions = {name: self._action(name, icon, text) for name, icon, text in _actions()}
        for made in self._actions.values():
            bar.addWidget(made)
        bar.addStretch(1)
        self._more = icon_button("dots-horizontal", _("More for this step"))
        self._more.setObjectName("step_more")
        self._more.clicked.connect(self._on_more)
        bar.addWidget(self._more)
        self._bar.setLayout(bar)
        for part, stretch in ((self._hint, 1), (self.list, 1), (self._bar, 0)):
            card.body.addWidget(part, stretch)
        return card

    def _action(self, name: str, icon: str, text: str) -> QToolButton:
        made = icon_button(icon, text, "bad" if name == "remove" else "muted")
        made.setObjectName(f"step_{name}")
        made.setProperty("action", name)
        made.clicked.connect(self._on_action)
        return made

    def _connect(self) -> None:
        steps, desk = self.list, self._desk
        self.palette_box.chosen.connect(desk.add_step)
        self.palette_box.library_asked.connect(desk.ask_library_steps)
        self.palette_box.library_chosen.connect(desk.insert_library_step)
        desk.library_steps.connect(self.palette_box.show_library)
        desk.copied.connect(self._on_copied)
        steps.picked.connect(desk.editor.select)
        steps.moved.connect(self._on_moved)
        steps.copy_asked.connect(desk.copy_step)
        steps.paste_asked.connect(self.paste)
        steps.duplicate_asked.connect(self._on_duplicate)
        steps.remove_asked.connect(self._on_remove)
        steps.switch_asked.connect(self._on_switch)
        steps.form_asked.connect(self.form_asked)
        steps.customContextMenuRequested.connect(self._on_menu)

    def show_state(self) -> None:
        """Show the document as it was read last."""
        state = self._desk.state
        made_of = (state.document, state.problems, state.phases)
        if any(new is not old for new, old in zip(made_of, self._made_of, strict=True)):
            self._made_of, self._rows = made_of, step_rows(state)
        rows = self._rows
        self.list.show_rows(rows, state.selected)
        self.list.setVisible(bool(rows))
        self._hint.setVisible(not rows)
        self._settings.setChecked(state.selected is None)
        self._settings.setIcon(icons.icon("tune", "accent" if state.selected is None else "muted"))
        chosen = state.step is not None
        self._bar.setVisible(bool(rows))
        for name, made in self._actions.items():
            made.setEnabled(chosen and (self._desk.can_run_steps if name.startswith("run") else True))
        on = chosen and state.step is not None and state.step.get("enabled", True) is not False
        self._actions["switch"].setToolTip(_("Turn this step off (Space)") if on else _("Turn this step on (Space)"))

    # Asked for

    @Slot()
    def _on_settings(self) -> None:
        self._settings.setChecked(True)
        self._desk.editor.select(None)

    @Slot()
    def _on_action(self) -> None:
        self._do(str(self.sender().property("action")))

    @Slot(object)
    def _on_menu_action(self, action: object) -> None:
        self._do(str(action.data()))  # type: ignore[attr-defined]  # a QAction

    def _do(self, name: str) -> None:
        index = self._desk.state.selected
        if index is None:
            if name == "paste":
                self.paste()
            return
        handlers = {
            "run_one": self._run_one,
            "run_from": self._run_from,
            "duplicate": self._on_duplicate,
            "switch": self._on_switch,
            "copy": self._desk.copy_step,
            "keep": self._desk.keep_in_library,
            "template": self.template_asked.emit,
            "chart": self.chart_asked.emit,
            "remove": self._on_remove,
            "up": self._up,
            "down": self._down,
        }
        if name == "paste":
            self.paste()
        elif name in handlers:
            handlers[name](index)

    def _run_one(self, index: int) -> None:
        self._desk.start(only=self._name(index))

    def _run_from(self, index: int) -> None:
        self._desk.start(start_from=self._name(index))

    def _name(self, index: int) -> str:
        return str(self._desk.state.document.steps[index].get("name", ""))

    def _up(self, index: int) -> None:
        self._on_moved(index, index - 1)

    def _down(self, index: int) -> None:
        self._on_moved(index, index + 1)

    @Slot(int, int)
    def _on_moved(self, index: int, to: int) -> None:
        self._desk.editor.ask(work.moved(index, to))

    @Slot(int)
    def _on_duplicate(self, index: int) -> None:
        self._desk.editor.ask(work.duplicated(index))

    @Slot(int)
    def _on_switch(self, index: int) -> None:
        self._desk.editor.ask(work.switched(index))

    @Slot(int)
    def _on_remove(self, index: int) -> None:
        text = translate(msg("Delete step %(name)s?", name=self._name(index)))
        dialog = DeleteDialog(self.window(), text, _("Undo (Ctrl+Z) brings it back."), _("Delete step"))
        self._removing = index
        dialog.confirmed.connect(self._on_remove_confirmed)
        dialog.open()

    @Slot()
    def _on_remove_confirmed(self) -> None:
        self._desk.editor.ask(work.removed(self._removing))

    @Slot(str)
    def _on_copied(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._desk.said.emit(msg("The step was copied as YAML"))

    @Slot()
    def paste(self) -> None:
        """Insert the step that lies on the clipboard as YAML."""
        text = QGuiApplication.clipboard().text()
        if text.strip():
            self._desk.editor.ask(work.pasted(text))

    @Slot(QPoint)
    def _on_menu(self, point: QPoint) -> None:
        item = self.list.itemAt(point)
        if item is not None:
            self.list.setCurrentItem(item)
        self._show_menu(self.list.viewport().mapToGlobal(point), has_step=item is not None)

    @Slot()
    def _on_more(self) -> None:
        place = self._more.mapToGlobal(QPoint(0, self._more.height() + 2))
        self._show_menu(place, has_step=self._desk.state.step is not None)

    def _show_menu(self, place: QPoint, *, has_step: bool) -> None:
        menu = QMenu(self)
        menu.setObjectName("step_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = {name: (icon, text) for name, icon, text in (*_actions(), *_more_actions())}
        for name in _MENU:
            if not name:
                menu.addSeparator()
                continue
            icon, text = words[name]
            action = menu.addAction(icons.icon(icon, "bad" if name == "remove" else "muted"), text)
            action.setData(name)
            action.setEnabled(self._can(name, has_step=has_step))
        menu.triggered.connect(self._on_menu_action)
        menu.popup(place)

    def _can(self, name: str, *, has_step: bool) -> bool:
        if name.startswith("run") and not self._desk.can_run_steps:
            return False
        if name == "chart" and not is_yaml_deploy(self._desk.state.step):
            return False
        return has_step or name == "paste"


def _actions() -> tuple[tuple[str, str, str], ...]:
    """Return name, icon and words of what the bar below the steps does."""
    return (
        ("run_one", "play-circle-outline", _("Run this step alone")),
        ("run_from", "step-forward", _("Run from here")),
        ("duplicate", "content-duplicate", _("Duplicate (Ctrl+D)")),
        ("switch", "power", _("Turn on or off (Space)")),
        ("copy", "content-copy", _("Copy as YAML (Ctrl+C)")),
        ("keep", "bookmark-plus-outline", _("Keep in the step library")),
        ("remove", "trash-can-outline", _("Delete (Del)")),
    )


def _more_actions() -> tuple[tuple[str, str, str], ...]:
    return (
        ("template", "shape-outline", _("Save as a template…")),
        ("chart", "ship-wheel", _("Turn into a Helm chart…")),
        ("paste", "content-paste", _("Paste a step (Ctrl+V)")),
        ("up", "arrow-up", _("Move up (Alt+Up)")),
        ("down", "arrow-down", _("Move down (Alt+Down)")),
    )
