"""The editor of the open pipeline: steps, form and YAML as two faces of one text, problems, preview and run."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSplitter, QTabBar, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters import pipeline_editor_work as work
from ansflow_desktop.presenters.pipeline_editor_desk import PipelineDesk
from ansflow_desktop.presenters.pipeline_editor_state import EditorState, step_of, within_step
from ansflow_desktop.widgets.controls import Card
from ansflow_desktop.widgets.pipeline_notes import DifferenceDialog, DiskNote, DraftNote, Note
from ansflow_desktop.widgets.pipeline_run_panel import PipelineRunPanel
from ansflow_desktop.widgets.pipeline_settings import PipelineSettings
from ansflow_desktop.widgets.pipeline_steps import StepsColumn
from ansflow_desktop.widgets.pipeline_yaml import YamlFace
from ansflow_desktop.widgets.preview_tabs import PreviewTabs
from ansflow_desktop.widgets.problem_list import ProblemList
from ansflow_desktop.widgets.step_form import StepForm

FORM, YAML = 0, 1
PREVIEW, RUN = 0, 1
_LEAST_COLUMN = 300
_NO_STEPS = ("steps", "spec.steps")


class PipelineView(QWidget):
    """Shows a PipelineDesk; Ctrl+Z and Ctrl+Shift+Z are the document's everywhere in it."""

    def __init__(self, desk: PipelineDesk) -> None:
        """Make the view for `desk` as it stands, also in the middle of a run."""
        super().__init__()
        self._desk = desk
        self._was_running = False
        self._shown = EditorState()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(10)
        self._draft, self._disk = DraftNote(), DiskNote()
        outer.addWidget(self._draft)
        outer.addWidget(self._disk)
        columns = QHBoxLayout()
        columns.setSpacing(12)
        self.steps = StepsColumn(desk)
        columns.addWidget(self.steps)
        columns.addWidget(self._split(), 1)
        outer.addLayout(columns, 1)
        self._shortcuts()
        self._connect()
        desk.refresh()
        self._on_state()
        self._on_document()
        self._on_run()

    # Parts

    def _split(self) -> QSplitter:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(12)
        split.setChildrenCollapsible(False)
        split.addWidget(self._left())
        split.addWidget(self._right())
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 6)
        return split

    def _left(self) -> QWidget:
        side, column = _side()
        self._faces = _tabs((_("Form"), "YAML"), _("Form or YAML"), "pipeline_faces")
        column.addWidget(self._faces)
        self._broken = Note("alert-circle", "bad")
        self._broken.setObjectName("yaml_broken")
        self._broken.add(_("Show"), "yaml_broken_show").clicked.connect(self._on_show_broken)
        column.addWidget(self._broken)
        self._form = StepForm(self._desk.form)
        self._settings = PipelineSettings()
        self._yaml = YamlFace(self._desk.completion)
        for part in (self._form, self._settings, self._yaml):
            column.addWidget(part, 1)
        self._problems = ProblemList()
        column.addWidget(self._problems)
        self._problems.hide()
        return side

    def _right(self) -> QWidget:
        side, column = _side()
        self._tabs = _tabs((_("Preview"), _("Run")), _("Preview or run"), "pipeline_right")
        column.addWidget(self._tabs)
        self._preview = Card(margins=14)
        self._preview.body.addWidget(PreviewTabs(self._desk.preview), 1)
        self._run_panel = PipelineRunPanel(self._desk.run)
        column.addWidget(self._preview, 1)
        column.addWidget(self._run_panel, 1)
        self._run_panel.hide()
        return side

    def _shortcuts(self) -> None:
        for keys, handler in (
            (QKeySequence(QKeySequence.StandardKey.Undo), self._desk.editor.undo),
            (QKeySequence("Ctrl+Shift+Z"), self._desk.editor.redo),
            (QKeySequence("Ctrl+Y"), self._desk.editor.redo),
            (QKeySequence(QKeySequence.StandardKey.Save), self._desk.editor.save),
        ):
            made = QShortcut(keys, self)
            made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            made.activated.connect(handler)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]

    def _connect(self) -> None:
        desk, editor = self._desk, self._desk.editor
        editor.state_changed.connect(self._on_state)
        editor.document_changed.connect(self._on_document)
        editor.place_asked.connect(self._on_place_asked)
        desk.state_changed.connect(self._on_run)
        self._faces.currentChanged.connect(self._on_face)
        self._tabs.currentChanged.connect(self._on_tab)
        self._yaml.typed.connect(editor.type_text)
        self._yaml.undo_asked.connect(editor.undo)
        self._yaml.redo_asked.connect(editor.redo)
        self._yaml.place_changed.connect(desk.select_at)
        self._settings.field_edited.connect(self._on_setting)
        self._settings.variable_added.connect(self._on_variable_added)
        self._settings.variable_renamed.connect(self._on_variable_renamed)
        self._settings.folder_chosen.connect(editor.set_folder)
        self._problems.chosen.connect(self._on_problem)
        self.steps.form_asked.connect(self.focus_form)
        self._draft.taken.connect(editor.take_draft)
        self._draft.dropped.connect(editor.drop_draft)
        self._draft.difference_asked.connect(self._on_draft_difference)
        self._disk.kept.connect(editor.keep_mine)
        self._disk.taken.connect(editor.take_theirs)
        self._disk.difference_asked.connect(self._on_disk_difference)

    # Shown

    @Slot()
    def _on_state(self) -> None:
        state = self._desk.state
        self._draft.show_state(state)
        self._disk.show_state(state)
        old, self._shown = self._shown, state
        if state.text is not old.text:
            self._yaml.show_document(state.text)
        if state.marks is not old.marks:
            self._yaml.show_marks(state.marks)
        if state.problems is not old.problems:
            self._show_problems(state.problems)
        self.steps.show_state()
        self._show_broken()

    def _show_problems(self, found: tuple[Problem, ...]) -> None:
        problems = tuple(one for one in found if one.field not in _NO_STEPS)  # a new pipeline is no mistake yet
        self._problems.set_problems(problems)
        self._problems.setVisible(bool(problems))

    def _show_broken(self) -> None:
        problem = self._desk.state.document.problem
        self._broken.setVisible(problem is not None and self._faces.currentIndex() == FORM)
        self._form.setEnabled(problem is None)
        self._settings.setEnabled(problem is None)
        if problem is not None:
            self._broken.say(translate(problem.title), f"{translate(problem.hint)}. {translate(problem.message)}")

    @Slot()
    def _on_document(self) -> None:
        if not self._desk.editor.busy:
            self._settings.show_state(self._desk.state)
        self._show_face()

    def _show_face(self) -> None:
        form = self._faces.currentIndex() == FORM
        step = self._desk.state.selected is not None
        self._form.setVisible(form and step)
        self._settings.setVisible(form and not step)
        self._yaml.setVisible(not form)
        self._faces.setTabText(FORM, _("Form") if step else _("Settings"))
        self._show_broken()

    @Slot(int)
    def _on_face(self, _index: int) -> None:
        self._show_face()

    @Slot(int)
    def _on_tab(self, index: int) -> None:
        self._preview.setVisible(index == PREVIEW)
        self._run_panel.setVisible(index == RUN)

    @Slot()
    def _on_run(self) -> None:
        running = self._desk.run.running
        if running and not self._was_running:
            self._tabs.setCurrentIndex(RUN)
        self._was_running = running
        self.steps.show_state()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the form most of a low window."""
        super().resizeEvent(event)
        self._problems.setMaximumHeight(max(88, min(170, self.height() // 5)))

    # Typed

    @Slot(tuple, object)
    def _on_setting(self, path: tuple[str | int, ...], value: object) -> None:
        self._desk.editor.ask(work.field(path, value))

    @Slot()
    def _on_variable_added(self) -> None:
        self._desk.editor.ask(work.variable_added())

    @Slot(str, str)
    def _on_variable_renamed(self, old: str, name: str) -> None:
        self._desk.editor.ask(work.variable_renamed(old, name))

    # Places

    @Slot(object)
    def _on_problem(self, problem: Problem) -> None:
        self._desk.editor.show_place(problem)

    @Slot(str)
    def _on_place_asked(self, field: str) -> None:
        """Show the field of a problem in the face that is shown."""
        state = self._desk.state
        if self._faces.currentIndex() == YAML or (state.document.problem and not field):
            self._go_to_text(field)
        elif step_of(field) is not None:
            self._form.focus_field(within_step(field))
        else:
            self._settings.focus_field(field)

    def _go_to_text(self, field: str) -> None:
        state = self._desk.state
        self._faces.setCurrentIndex(YAML)
        mark = next((mark for mark in state.marks if mark.field == field), None)
        if mark is not None:
            self._yaml.go_to(mark.line, mark.column)
        elif state.document.problem is not None:
            self._yaml.go_to(state.document.line or 1, state.document.column or 1)
        else:
            self._yaml.setFocus()

    @Slot()
    def _on_show_broken(self) -> None:
        self._go_to_text("")

    def focus_first(self) -> None:
        """Put the keyboard to the steps, or into the name where there are none yet."""
        if self._desk.state.document.steps:
            self.steps.list.setFocus()
        else:
            self._settings.focus_first()

    @Slot()
    def focus_form(self) -> None:
        """Put the keyboard into the first field of what is selected."""
        if self._faces.currentIndex() == YAML:
            self._yaml.setFocus()
        elif self._desk.state.selected is None:
            self._settings.focus_first()
        else:
            self._form.focus_field("name")

    # Differences

    @Slot()
    def _on_draft_difference(self) -> None:
        state = self._desk.state
        if state.draft is not None:
            title = _("What the changes that were kept would do")
            DifferenceDialog(self.window(), title, state.text, state.draft.text).open()

    @Slot()
    def _on_disk_difference(self) -> None:
        state = self._desk.state
        if state.theirs is not None:
            title = _("From theirs (-) to mine (+)")
            DifferenceDialog(self.window(), title, state.theirs, state.text).open()

    # Undo is the document's

    @Slot(QWidget, QWidget)
    def _on_focus(self, old: QWidget | None, now: QWidget | None) -> None:
        if old is not None and self.isAncestorOf(old):
            old.removeEventFilter(self)
        if now is not None and self.isAncestorOf(now) and now is not self._yaml:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep a field from taking Ctrl+Z for itself: then it reaches the document's shortcut."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
            if event.matches(undo) or event.matches(redo):
                event.ignore()
                return True
        return super().eventFilter(watched, event)


def _side() -> tuple[QWidget, QVBoxLayout]:
    side = QWidget()
    side.setMinimumWidth(_LEAST_COLUMN)
    column = QVBoxLayout(side)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    return side, column


def _tabs(words: tuple[str, ...], name: str, object_name: str) -> QTabBar:
    made = QTabBar()
    made.setObjectName(object_name)
    made.setAccessibleName(name)
    made.setDrawBase(False)
    made.setExpanding(False)
    for word in words:
        made.addTab(word)
    return made
