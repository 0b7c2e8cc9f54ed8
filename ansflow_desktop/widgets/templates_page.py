"""The Templates page: find one, fill it in, make a pipeline of it; keep, change and share one's own."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QStackedWidget, QVBoxLayout, QWidget

from ansflow_desktop import paths
from ansflow_desktop.i18n import Text, _, msg, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.models.template import Template
from ansflow_desktop.presenters.templates import TemplatesPresenter, first_problem
from ansflow_desktop.widgets.code import CodeEditor, CodeView
from ansflow_desktop.widgets.controls import ComboBox, EmptyState, TableCard, button, icon_button, label, row
from ansflow_desktop.widgets.dialogs import Dialog, ask_file
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog
from ansflow_desktop.widgets.table import Column, RowsModel, Table
from ansflow_desktop.widgets.template_form import TemplateForm
from ansflow_desktop.widgets.template_words import CATEGORY_WORDS, category_of, origin_of, title_of, words_in

_LIST_WIDTH = 430


class TemplatesPage(Page):
    """Shows a TemplatesPresenter; `clusters` are the names that the cluster of a template is picked from."""

    def __init__(self, presenter: TemplatesPresenter, clusters: tuple[str, ...] = ()) -> None:
        """Make the page and read the templates."""
        super().__init__(_("Templates"))
        self.presenter = presenter
        self.set_context(_("Steps with a few named values, ready to be deployed"))
        self._build_actions()
        self._form = TemplateForm(presenter, clusters)
        left = QWidget()
        left.setFixedWidth(_LIST_WIDTH)
        self._build_list(QVBoxLayout(left))
        line = row(left, self._form, spacing=14)
        line.setStretch(1, 1)
        self.content.addLayout(line, 1)
        presenter.state_changed.connect(self.show_state)
        presenter.said.connect(self._on_said)
        presenter.trust_needed.connect(self._on_trust_needed)
        presenter.edit_asked.connect(self._on_edit_asked)
        presenter.load()
        self.show_state()

    # Parts

    def _build_actions(self) -> None:
        self._more = icon_button("dots-horizontal", _("More"))
        self._more.setObjectName("template_more")
        self._more.clicked.connect(self._on_more)
        self._import = button(_("Import…"), "", "file-import-outline", _("Import a template file"))
        self._import.setObjectName("templates_import")
        self._import.clicked.connect(self._on_import)
        self._edit = button(_("Edit…"), "", "pencil-outline")
        self._edit.setObjectName("template_edit")
        self._edit.clicked.connect(self.presenter.edit)
        for part in (self._import, self._edit, self._more):
            self.action_row.addWidget(part)

    def _build_list(self, layout: QVBoxLayout) -> None:
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._search = QLineEdit(self.presenter.state.query)
        self._search.setObjectName("templates_search")
        self._search.setAccessibleName(_("Search the templates"))
        self._search.setPlaceholderText(_("Search  /"))
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self.presenter.search)
        self._category = ComboBox(_("Category"))
        self._category.setObjectName("templates_category")
        self._category.addItem(_("All categories"), "")
        for name, words in CATEGORY_WORDS.items():
            self._category.addItem(translate(words), name)
        self._category.setCurrentIndex(max(0, self._category.findData(self.presenter.state.category)))
        self._category.currentIndexChanged.connect(self._on_category)
        tools = row(self._search, self._category)
        tools.setStretch(0, 1)
        layout.addLayout(tools)
        self._unread = Problems()
        layout.addWidget(self._unread)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._table_part())
        self._stack.addWidget(EmptyState("magnify", _("Nothing found"), _("No template has all of these words.")))
        layout.addWidget(self._stack, 1)

    def _table_part(self) -> QWidget:
        columns = (
            Column(title=_("Template"), text=title_of, tip=_about, weight=5, least=180, strong=True),
            Column(title=_("Category"), text=category_of, weight=2, least=100),
            Column(title=_("From"), text=_short_origin, tip=origin_of, weight=2, least=90),
        )
        self._model = RowsModel(columns, lambda one: f"{one.origin}:{one.name}")
        self.table = Table(self._model, _("Templates"))
        self.table.setObjectName("templates_table")
        self.table.chosen.connect(self._on_chosen)
        self.table.activated_row.connect(self._on_activated)
        self._card = TableCard()
        self._card.body.addWidget(self.table)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._card, 1000)
        column.addStretch(1)
        return holder

    # Shown

    @Slot()
    def show_state(self) -> None:
        """Show the list and the template that is chosen."""
        state = self.presenter.state
        self._model.set_rows(state.rows)
        self._card.fit(self.table.height_of_rows())
        self._stack.setCurrentIndex(0 if state.rows or not state.loaded else 1)
        problems = (Problem(field="", title=first_problem(error)) for error in state.unread)
        self._unread.show_problems(tuple(problems))
        for part in (self._edit, self._more):
            part.setEnabled(state.chosen is not None)
        own = state.chosen is not None and state.chosen.origin != "builtin"
        self._edit.setToolTip("" if own else _("A copy of your own is made first"))
        chosen: Template | None = self.table.chosen_row()
        if state.chosen is not None and (chosen is None or chosen.name != state.chosen.name):
            self.table.choose(f"{state.chosen.origin}:{state.chosen.name}")

    @Slot()
    def _on_chosen(self) -> None:
        chosen: Template | None = self.table.chosen_row()
        if chosen is not None and chosen != self.presenter.state.chosen:
            self.presenter.choose(chosen)

    @Slot(object)
    def _on_activated(self, _chosen: object) -> None:
        self._form.focus_first()

    @Slot(int)
    def _on_category(self, _index: int) -> None:
        self.presenter.choose_category(str(self._category.currentData() or ""))

    @Slot(object)
    def _on_said(self, text: Text) -> None:
        self.said.emit(translate(text))

    # Asked for

    @Slot()
    def _on_import(self) -> None:
        ask_file(self, _("Import a template"), [_("YAML files (*.yaml *.yml)")], self.presenter.import_file)

    @Slot()
    def _on_more(self) -> None:
        menu = QMenu(self)
        menu.setObjectName("template_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(_("Duplicate")).setData("duplicate")
        menu.addAction(_("Export…")).setData("export")
        delete = menu.addAction(_("Delete…"))
        delete.setData("delete")
        chosen = self.presenter.state.chosen
        delete.setEnabled(chosen is not None and chosen.origin != "builtin")
        menu.triggered.connect(self._on_menu)
        menu.popup(self._more.mapToGlobal(QPoint(0, self._more.height() + 2)))

    @Slot(object)
    def _on_menu(self, action: object) -> None:
        name = str(action.data())  # type: ignore[attr-defined]  # a QAction
        if name == "duplicate":
            self.presenter.duplicate()
        elif name == "export":
            self._ask_where()
        else:
            self._ask_delete()

    def _ask_where(self) -> None:
        chosen = self.presenter.state.chosen
        dialog = QFileDialog(self, _("Export the template"), str(paths.home()))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("yaml")
        dialog.selectFile(f"{chosen.name if chosen else 'template'}.yaml")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.presenter.export_file)
        dialog.open()

    def _ask_delete(self) -> None:
        chosen = self.presenter.state.chosen
        if chosen is None:
            return
        text = translate(msg("Delete the template %(name)s?", name=title_of(chosen)))
        dialog = DeleteDialog(self.window(), text, _("Pipelines that were made from it stay as they are."), _("Delete"))
        dialog.confirmed.connect(self.presenter.remove)
        dialog.open()

    @Slot(object, bool)
    def _on_trust_needed(self, template: Template, new: bool) -> None:
        dialog = TrustTemplateDialog(self.window(), template, self.presenter.state.preview, new=new)
        dialog.trusted.connect(self._on_trusted)
        dialog.open()

    @Slot(object, bool)
    def _on_trusted(self, template: Template, new: bool) -> None:
        self.presenter.trust_and_use(template, new=new)

    @Slot(str, str)
    def _on_edit_asked(self, name: str, text: str) -> None:
        dialog = EditTemplateDialog(self.window(), self.presenter, name, text)
        dialog.open()

    # Keys of the frame

    def reload(self) -> None:
        """Read the templates again (Ctrl+R)."""
        self.presenter.load()

    def trigger(self) -> None:
        """Make a pipeline of the chosen template (Ctrl+Return)."""
        self.presenter.use(new=True)

    def focus_filter(self) -> None:
        """Put the keyboard into the search (/)."""
        self._search.setFocus()
        self._search.selectAll()

    def focus_first(self) -> None:
        """Put the keyboard into the list."""
        self.table.setFocus()

    def leave(self) -> bool:
        """Empty the search (Esc) and return whether there was something in it."""
        if not self._search.text() and not self._search.hasFocus():
            return False
        self._search.clear()
        self._search.clearFocus()  # a table that is not shown yet takes no keyboard
        self.table.setFocus()
        return True


class TrustTemplateDialog(Dialog):
    """Shows the steps of an imported template before they are used (conventions.md, 13); emits `trusted`."""

    trusted = Signal(object, bool)

    def __init__(self, parent: QWidget, template: Template, steps: str, *, new: bool) -> None:
        """Show `steps` as YAML; Cancel is the default."""
        super().__init__(parent, _("This template was imported and runs commands of its own"))
        self.setObjectName("trust_template")
        self._template, self._is_new = template, new
        self.setMinimumSize(640, 460)
        intro = _("Shell steps run on this machine with your rights, exec steps in a container. Read them first.")
        self.body.addWidget(label(intro, "context", wrap=True))
        shown = CodeView(_("Steps as YAML"), yaml=True)
        shown.setPlainText(steps)
        self.body.addWidget(shown, 1)
        cancel = button(_("Cancel"))
        cancel.setDefault(True)
        cancel.clicked.connect(self.reject)
        use = button(_("Trust and use"))
        use.setObjectName("trust_template_use")
        use.setAutoDefault(False)
        use.clicked.connect(self._on_use)
        self.body.addLayout(row(1, cancel, use))
        cancel.setFocus()

    @Slot()
    def _on_use(self) -> None:
        self.accept()
        self.trusted.emit(self._template, self._is_new)


class EditTemplateDialog(Dialog):
    """A template's YAML to be changed; it stays open, with what was typed, until it could be saved."""

    def __init__(self, parent: QWidget, presenter: TemplatesPresenter, name: str, text: str) -> None:
        """Show `text`; saving goes to `presenter`."""
        super().__init__(parent, translate(msg("Edit the template %(name)s", name=name)))
        self._asked = False
        self.setObjectName("edit_template")
        self.setMinimumSize(720, 560)
        self._presenter, self._before = presenter, text
        self.editor = CodeEditor(_("Template as YAML"))
        self.editor.setObjectName("edit_template_text")
        self.editor.setPlainText(text)
        self.body.addWidget(self.editor, 1)
        self._problems = Problems()
        self.body.addWidget(self._problems)
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        save = button(_("Save"), "primary")
        save.setObjectName("edit_template_save")
        save.clicked.connect(self._on_save)
        self.body.addLayout(row(1, cancel, save))
        presenter.saved.connect(self.accept)
        presenter.refused.connect(self._on_refused)

    @Slot()
    def _on_save(self) -> None:
        self._presenter.save_text(self.editor.exact_text())

    def reject(self) -> None:
        """Close (Cancel, Esc); where something was typed only the second time."""
        if self._asked or self.editor.exact_text() == self._before:
            super().reject()
            return
        self._asked = True
        hint = _("Save it, or press Cancel or Esc once more to let it go.")
        self._problems.show_problems((Problem(field="", title=_("What you changed is not saved"), hint=hint),))

    @Slot(object)
    def _on_refused(self, error: object) -> None:
        problem = Problem(field="", title=error.title, message=error.message, hint=error.hint)  # type: ignore[attr-defined]
        self._problems.show_problems((problem,))


def _about(template: Template) -> str:
    return f"{title_of(template)} ({template.name})\n{words_in(template.description)}".strip()


def _short_origin(template: Template) -> str:
    words = {"builtin": "AnsFlow", "user": _("Your own"), "imported": _("Imported")}
    return words[template.origin]
