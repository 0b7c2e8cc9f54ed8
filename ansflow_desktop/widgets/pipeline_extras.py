"""What is done with the open pipeline beyond editing: other engines, a chart of a step, a template, other values."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from ansflow_desktop.i18n import Text, _, msg, translate
from ansflow_desktop.presenters.pipeline_convert import FORMS, ChartMade, chart_folder, file_name, said_of
from ansflow_desktop.presenters.pipeline_editor_desk import PipelineDesk
from ansflow_desktop.widgets.pipeline_chart_dialog import ChartDialog
from ansflow_desktop.widgets.pipeline_dialogs import NameDialog, NoticesDialog
from ansflow_desktop.widgets.pipeline_values import ValuesDialog


class PipelineExtras(QObject):
    """The dialogs of a desk, above the window of `page`; whoever asks for one calls a slot."""

    def __init__(self, page: QWidget, desk: PipelineDesk) -> None:
        """Serve `desk`."""
        super().__init__(page)
        self._page, self._desk = page, desk
        self._form, self._index = "", 0
        desk.convert.written.connect(self._on_written)
        desk.convert.chart_made.connect(self._on_chart_made)

    # Other engines

    def fill_menu(self, menu: QMenu) -> None:
        """Add what can be done with the whole pipeline to its menu; its actions carry names for `do`."""
        values = menu.addAction(_("Run with other values…"))
        values.setData("run_values")
        values.setEnabled(self._desk.can_run and bool(self._desk.state.document.variables))
        inner = menu.addMenu(_("Convert"))
        inner.setObjectName("convert_menu")
        inner.menuAction().setData("convert")
        for form in FORMS:
            inner.addAction(_form_words(form.key)).setData(f"convert_{form.key}")

    def do(self, name: str) -> bool:
        """Do what the action `name` of the menu stands for; False where it is none of these."""
        if name == "run_values":
            self._ask_values()
        elif name.startswith("convert_"):
            self._ask_where(name.removeprefix("convert_"))
        else:
            return name == "convert"
        return True

    def _ask_where(self, key: str) -> None:
        self._form = key
        form, state = next(one for one in FORMS if one.key == key), self._desk.state
        dialog = QFileDialog(self._page, _form_title(key), state.home.working_folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(form, state.title))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_path)
        dialog.open()

    @Slot(str)
    def _on_path(self, path: str) -> None:
        self._desk.convert.convert(self._form, path, self._desk.document)

    @Slot(str, tuple)
    def _on_written(self, path: str, notices: tuple[Text, ...]) -> None:
        self._desk.said.emit(msg("Written: %(path)s", path=path))
        if notices:
            NoticesDialog(self._page.window(), _("What to know about the converted pipeline"), notices).open()

    # A chart of a step

    @Slot(int)
    def ask_chart(self, index: int) -> None:
        """Ask where the chart of step `index` is to be, and make it."""
        self._index = index
        state, convert = self._desk.state, self._desk.convert
        step = state.document.steps[index]
        dialog = ChartDialog(self._page.window(), chart_folder(step), state.home.working_folder)
        dialog.chart_asked.connect(self._on_chart_asked)
        dialog.stop_asked.connect(convert.stop_chart)
        convert.chart_failed.connect(dialog.show_error)
        convert.chart_stopped.connect(dialog.stopped)
        convert.chart_made.connect(dialog.accept)
        dialog.open()

    @Slot(str)
    def _on_chart_asked(self, folder: str) -> None:
        self._desk.convert.to_chart(self._index, folder, self._desk.document)

    @Slot(object)
    def _on_chart_made(self, made: ChartMade) -> None:
        NoticesDialog(self._page.window(), _("The step is a Helm deploy now"), said_of(made)).open()

    # A template

    @Slot(int)
    def ask_template(self, index: int) -> None:
        """Ask for the name of a template made of step `index`, and keep it."""
        self._index = index
        name = str(self._desk.state.document.steps[index].get("name", ""))
        dialog = NameDialog(self._page.window(), _("Save the step as a template"), name, _("Save"))
        dialog.named.connect(self._on_template_named)
        dialog.open()

    @Slot(str)
    def _on_template_named(self, name: str) -> None:
        self._desk.keep_as_template(self._index, name)

    # Other values

    def _ask_values(self) -> None:
        variables = self._desk.state.document.variables
        values = {name: as_text(value) for name, value in variables.items()}
        dialog = ValuesDialog(self._page.window(), values)
        dialog.run_asked.connect(self._on_values)
        dialog.open()

    @Slot(dict)
    def _on_values(self, values: dict[str, str]) -> None:
        self._desk.start(variables=values)


def as_text(value: object) -> str:
    """Return a variable's value as the file has it in words; nothing is an empty text."""
    return "" if value is None else translate(str(value))


def _form_words(key: str) -> str:
    return {"bash": _("To a bash script…"), "jenkins": _("To a Jenkinsfile…"), "argo": _("To an Argo Workflow…")}[key]


def _form_title(key: str) -> str:
    return {
        "bash": _("Convert to a bash script"),
        "jenkins": _("Convert to a Jenkinsfile"),
        "argo": _("Convert to an Argo Workflow"),
    }[key]
