"""The Pipelines page: the list, and the editor of the one that is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QStackedWidget, QWidget

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, _, msg, translate
from ansflow_desktop.presenters.pipeline_editor_desk import OwnCommand
from ansflow_desktop.presenters.pipelines import PipelinesPresenter
from ansflow_desktop.presenters.pipelines_state import PipelineRow
from ansflow_desktop.widgets.confirm_dialog import ConfirmDialog
from ansflow_desktop.widgets.controls import button, icon_button
from ansflow_desktop.widgets.dialogs import ask_file
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.pipeline_dialogs import (
    ChooseDialog,
    ClustersDialog,
    DeleteDialog,
    NameDialog,
    NoticesDialog,
    TrustDialog,
    UnsavedDialog,
)
from ansflow_desktop.widgets.pipeline_extras import PipelineExtras
from ansflow_desktop.widgets.pipeline_list import PipelineList
from ansflow_desktop.widgets.pipeline_view import PipelineView

LIST = 0


class PipelinesPage(Page):
    """Shows a PipelinesPresenter; `clusters` are the names to choose from when an import names some by number."""

    def __init__(self, presenter: PipelinesPresenter, clusters: tuple[str, ...] = ()) -> None:
        """Make the page for `presenter` as it stands: with the editor where a pipeline is open."""
        super().__init__(_("Pipelines"))
        self.presenter = presenter
        self._clusters = clusters
        self._view: PipelineView | None = None
        self._asked_row: PipelineRow | None = None
        self._extras = PipelineExtras(self, presenter.desk)
        self.setAcceptDrops(True)
        self._build_actions()
        self._stack = QStackedWidget()
        self._list = PipelineList(presenter, self._open_button())
        self._list.rename_asked.connect(self._on_rename)
        self._list.remove_asked.connect(self._on_remove)
        self._stack.addWidget(self._list)
        self.content.addWidget(self._stack, 1)
        self._connect()
        presenter.load()
        if presenter.shows_editor:
            self._show_editor()
        else:
            self._show_list()

    # Parts

    def _build_actions(self) -> None:
        self._back = icon_button("arrow-left", _("Back to the list (Esc)"))
        self._back.setObjectName("pipeline_back")
        self._back.clicked.connect(self._on_back)
        self.lead_row.addWidget(self._back)
        editor = self.presenter.desk.editor
        self._undo = icon_button("undo", _("Undo (Ctrl+Z)"))
        self._undo.setObjectName("pipeline_undo")
        self._undo.clicked.connect(editor.undo)
        self._redo = icon_button("redo", _("Redo (Ctrl+Shift+Z)"))
        self._redo.setObjectName("pipeline_redo")
        self._redo.clicked.connect(editor.redo)
        self._more = icon_button("dots-horizontal", _("More"))
        self._more.setObjectName("pipeline_more")
        self._more.clicked.connect(self._on_more)
        self._save = button(_("Save"), "", "content-save-outline")
        self._save.setObjectName("pipeline_save")
        self._save.clicked.connect(editor.save)
        self._stop = button(_("Stop"), "danger", "stop")
        self._stop.setObjectName("pipeline_stop")
        self._stop.clicked.connect(self._on_stop)
        self._run = button(_("Run"), "primary", "play")
        self._run.setObjectName("pipeline_run")
        self._run.clicked.connect(self.trigger)
        self._import = button(_("Import…"), "", "file-import-outline", _("Import AnsFlow's JSON"))
        self._import.setObjectName("pipelines_import")
        self._import.clicked.connect(self._on_import)
        self._open = self._open_button()
        self._new = button(_("New"), "primary", "plus")
        self._new.setObjectName("pipelines_new")
        self._new.clicked.connect(self.presenter.new)
        self._of_editor: tuple[QWidget, ...] = (self._undo, self._redo, self._more, self._save)
        self._of_list: tuple[QWidget, ...] = (self._import, self._open, self._new)
        for part in (*self._of_list, *self._of_editor, self._stop, self._run):
            self.action_row.addWidget(part)

    def _open_button(self) -> QPushButton:
        made = button(_("Open file…"), "", "folder-open-outline")
        made.setObjectName("pipelines_open_file")
        made.clicked.connect(self._on_open_file)
        return made

    def _connect(self) -> None:
        presenter, desk = self.presenter, self.presenter.desk
        presenter.opened.connect(self._on_opened)
        presenter.said.connect(self._on_said)
        presenter.choose_asked.connect(self._on_choose)
        presenter.leave_asked.connect(self._on_leave_asked)
        presenter.clusters_asked.connect(self._on_clusters_asked)
        presenter.imported.connect(self._on_imported)
        desk.trust_needed.connect(self._on_trust_needed)
        desk.confirmation_needed.connect(self._on_confirmation_needed)
        desk.editor.state_changed.connect(self._on_state)
        desk.state_changed.connect(self._on_state)

    # Shown

    @Slot()
    def _on_opened(self) -> None:
        self._show_editor()
        if self._view is not None:
            self._view.focus_first()

    def _show_editor(self) -> None:
        if self._view is None:
            self._view = PipelineView(self.presenter.desk)
            self._view.steps.chart_asked.connect(self._extras.ask_chart)
            self._view.steps.template_asked.connect(self._extras.ask_template)
            self._stack.addWidget(self._view)
        self.presenter.shows_editor = True
        self._stack.setCurrentWidget(self._view)
        self._on_state()

    def _show_list(self) -> None:
        self.presenter.shows_editor = False
        self._stack.setCurrentIndex(LIST)
        self._list.show_state()
        self._on_state()

    @Slot()
    def _on_state(self) -> None:
        state, desk = self.presenter.desk.state, self.presenter.desk
        if self.presenter.shows_editor and not state.open:
            self._show_list()
            return
        editing, running = self.presenter.shows_editor, desk.run.running
        for part in self._of_editor:
            part.setVisible(editing)
        for part in self._of_list:
            part.setVisible(not editing)
        self._back.setVisible(editing)
        self._run.setVisible(editing and not running)
        self._stop.setVisible(editing and running)
        self._undo.setEnabled(state.can_undo)
        self._redo.setEnabled(state.can_redo)
        self._save.setEnabled(state.can_save)
        self._run.setEnabled(desk.can_run)
        self._run.setToolTip(self._why_not())
        self.set_title(state.title or _("Pipeline") if editing else _("Pipelines"))
        self.set_context(self._place() if editing else _("Your library, and the pipeline files opened lately"))

    def _place(self) -> str:
        state = self.presenter.desk.state
        place: Text = _short(state.home.path) if state.home.path else msg("In the library")
        if not state.home.saved:
            place = msg("Not saved yet")
        elif state.dirty:
            place = msg("%(place)s, not saved", place=place)
        return translate(place)

    def _why_not(self) -> str:
        desk = self.presenter.desk
        if desk.read_only:
            return _("This start is read-only")
        if desk.state.errors:
            return translate(desk.state.first_error)
        if not desk.state.document.steps:
            return _("Add a step first")
        return _("Run all steps  Ctrl+Return")

    # Pressed

    @Slot()
    def _on_back(self) -> None:
        self._show_list()
        self.presenter.load()

    @Slot()
    def _on_open_file(self) -> None:
        ask_file(self, _("Open a pipeline"), [_("YAML files (*.yaml *.yml)")], self.presenter.open_file)

    @Slot()
    def _on_import(self) -> None:
        title = _("Import pipelines and steps from AnsFlow")
        ask_file(self, title, [_("JSON files (*.json)")], self.presenter.import_file)

    @Slot()
    def _on_more(self) -> None:
        menu = QMenu(self)
        menu.setObjectName("pipeline_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(_("Save as a file…")).setData("save_as")
        menu.addAction(_("Export for AnsFlow…")).setData("export")
        self._extras.fill_menu(menu)
        menu.addSeparator()
        menu.addAction(_("Close the pipeline")).setData("close")
        menu.triggered.connect(self._on_menu)
        menu.popup(self._more.mapToGlobal(QPoint(0, self._more.height() + 2)))

    @Slot(object)
    def _on_menu(self, action: object) -> None:
        name = str(action.data())  # type: ignore[attr-defined]  # a QAction
        if name == "close":
            self.presenter.close_open()
        elif name == "export":
            self._ask_where(_("Export for AnsFlow"), ".json", self.presenter.export)
        elif not self._extras.do(name):
            self._ask_where(_("Save the pipeline as a file"), ".yaml", self.presenter.desk.editor.save_as_file)

    def _ask_where(self, title: str, suffix: str, then: object) -> None:
        state = self.presenter.desk.state
        dialog = QFileDialog(self, title, state.home.working_folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix.removeprefix("."))
        dialog.selectFile(f"{state.title or 'pipeline'}{suffix}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(then)
        dialog.open()

    @Slot()
    def _on_stop(self) -> None:
        view = self.presenter.desk.run.view
        if view is None or not view.cancelling:
            self.presenter.desk.stop()
            return
        box = DeleteDialog(
            self.window(),
            _("Stop at once?"),
            _("The step is still recording its state. Stopped now, a release can stay locked as pending."),
            _("Stop at once"),
        )
        box.confirmed.connect(self.presenter.desk.stop)
        box.open()

    # Questions

    @Slot(object)
    def _on_rename(self, one: PipelineRow) -> None:
        self._asked_row = one
        dialog = NameDialog(self.window(), _("Rename the pipeline"), one.name)
        dialog.named.connect(self._on_named)
        dialog.open()

    @Slot(str)
    def _on_named(self, name: str) -> None:
        if self._asked_row is not None and name != self._asked_row.name:
            self.presenter.rename(self._asked_row, name)

    @Slot(object)
    def _on_remove(self, one: PipelineRow) -> None:
        self._asked_row = one
        if one.kind == "file":
            text = translate(msg("Take %(name)s off the list?", name=one.name))
            more, action = _("The file stays where it is."), _("Take off the list")
        else:
            text = translate(msg("Delete the pipeline %(name)s?", name=one.name))
            more, action = _("It is removed from the library for good."), _("Delete")
        dialog = DeleteDialog(self.window(), text, more, action)
        dialog.confirmed.connect(self._on_remove_confirmed)
        dialog.open()

    @Slot()
    def _on_remove_confirmed(self) -> None:
        if self._asked_row is not None:
            self.presenter.remove(self._asked_row)

    @Slot()
    def _on_leave_asked(self) -> None:
        dialog = UnsavedDialog(self.window(), self.presenter.desk.state.title or _("the pipeline"))
        dialog.save_asked.connect(self._on_leave_saving)
        dialog.discard_asked.connect(self._on_leave_discarding)
        dialog.open()

    @Slot()
    def _on_leave_saving(self) -> None:
        self.presenter.leave(save=True)

    @Slot()
    def _on_leave_discarding(self) -> None:
        self.presenter.leave(save=False)

    @Slot(str, object)
    def _on_confirmation_needed(self, cluster: str, error: UserError) -> None:
        dialog = ConfirmDialog(self, cluster, error)
        dialog.typed.connect(self.presenter.desk.confirm_and_run)
        dialog.open()

    @Slot(tuple)
    def _on_trust_needed(self, commands: tuple[OwnCommand, ...]) -> None:
        dialog = TrustDialog(self.window(), commands)
        dialog.trusted.connect(self.presenter.desk.trust_and_run)
        dialog.open()

    @Slot(tuple)
    def _on_choose(self, paths: tuple[str, ...]) -> None:
        dialog = ChooseDialog(self.window(), paths)
        dialog.chosen.connect(self.presenter.open_file)
        dialog.open()

    @Slot(tuple)
    def _on_clusters_asked(self, numbers: tuple[int | str, ...]) -> None:
        dialog = ClustersDialog(self.window(), numbers, self._clusters)
        dialog.chosen.connect(self.presenter.finish_import)
        dialog.open()

    @Slot(object)
    def _on_imported(self, notices: tuple[Text, ...]) -> None:
        NoticesDialog(self.window(), _("What to know about this import"), notices).open()

    @Slot(object)
    def _on_said(self, text: Text) -> None:
        self.said.emit(translate(text))

    # Dropped

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one folder or file."""
        if len(_paths(event)) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the pipeline file, or the one in the folder, that was dropped; JSON is imported."""
        path = Path(_paths(event)[0])
        event.acceptProposedAction()
        if path.suffix == ".json":
            self.presenter.import_file(str(path))
        elif path.is_file():
            self.presenter.open_file(str(path))
        else:
            self.presenter.open_folder(str(path))

    # Keys of the frame

    def reload(self) -> None:
        """Read the list again, or look whether the open file changed (Ctrl+R)."""
        if self.presenter.shows_editor:
            self.presenter.desk.editor.look_at_disk()
        else:
            self.presenter.load()

    @Slot()
    def trigger(self) -> None:
        """Run the pipeline (Ctrl+Return)."""
        if self.presenter.shows_editor:
            self.presenter.desk.start()

    def focus_filter(self) -> None:
        """Put the keyboard into the search (/)."""
        if not self.presenter.shows_editor:
            self._list.focus_search()

    def focus_first(self) -> None:
        """Put the keyboard into the list, or into the steps."""
        if self._view is not None and self.presenter.shows_editor:
            self._view.focus_first()
        else:
            self._list.table.setFocus()

    def leave(self) -> bool:
        """Clear the search, or go back from the editor to the list (Esc); what is open stays open."""
        if self.presenter.shows_editor:
            self._on_back()
            return True
        return self._list.clear_search()


def _paths(event: QDropEvent | QDragEnterEvent) -> list[str]:
    urls = event.mimeData().urls() if event.mimeData().hasUrls() else []
    return [url.toLocalFile() for url in urls if url.isLocalFile()]


def _short(path: str) -> str:
    home = str(paths.home())
    return "~" + path[len(home) :] if path.startswith(home + "/") else path
