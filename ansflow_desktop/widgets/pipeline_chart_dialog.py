"""A YAML step becomes a Helm chart: asks for a new folder, shows that it is being made, and what stood in the way."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QLineEdit, QProgressBar, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.widgets.controls import button, icon_button, label, row
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field


class ChartDialog(Dialog):
    """Emits `chart_asked(folder)`, and `stop_asked()` when the person ends what is under way."""

    chart_asked = Signal(str)
    stop_asked = Signal()

    def __init__(self, parent: QWidget, folder: str, base: str) -> None:
        """Offer `folder`; one that is relative lies in `base`."""
        super().__init__(parent, _("Turn the step into a Helm chart"))
        self.setObjectName("chart_dialog")
        self.setMinimumWidth(520)
        self._base, self._working = base, False
        intro = _(
            "The manifests are written as a chart, with names, images, replicas, resources and ports in its values. "
            "It is kept only if helm renders the same objects. The YAML stays in the step."
        )
        self.body.addWidget(label(intro, "context", wrap=True))
        self.body.addWidget(self._folder_field(folder))
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName(_("The chart is being made"))
        self._busy.hide()
        self.body.addWidget(self._busy)
        self._cancel = button(_("Cancel"))
        self._cancel.setObjectName("chart_cancel")
        self._cancel.clicked.connect(self.reject)
        self._make = button(_("Make the chart"), "primary")
        self._make.setObjectName("chart_make")
        self._make.setDefault(True)
        self._make.clicked.connect(self._on_make)
        self.body.addLayout(row(1, self._cancel, self._make))
        self._line.setFocus()

    def _folder_field(self, folder: str) -> Field:
        self._line = QLineEdit(folder)
        self._line.setObjectName("chart_folder")
        self._line.setAccessibleName(_("New folder"))
        self._line.textChanged.connect(self._on_text)
        browse = icon_button("folder-open-outline", _("Choose the folder that it is made in"))
        browse.clicked.connect(self._on_browse)
        holder = QWidget()
        holder.setLayout(row(self._line, browse, spacing=6))
        self._field = Field(_("New folder"), holder, self._line)
        return self._field

    @Slot(str)
    def _on_text(self, text: str) -> None:
        self._make.setEnabled(bool(text.strip()))
        self._field.show_problems(())

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, _("Choose a folder"), self._base)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_parent)
        dialog.open()

    @Slot(str)
    def _on_parent(self, parent: str) -> None:
        self._line.setText(str(Path(parent) / Path(self._line.text()).name))

    @Slot()
    def _on_make(self) -> None:
        self._show_working(working=True)
        self.chart_asked.emit(self._line.text().strip())

    def _show_working(self, *, working: bool) -> None:
        self._working = working
        self._busy.setVisible(working)
        self._make.setEnabled(not working)
        if working:
            self._cancel.setFocus()
        self._line.setEnabled(not working)
        QTimer.singleShot(0, self.adjustSize)

    @Slot(object)
    def show_error(self, error: UserError) -> None:
        """Say why there is no chart; another folder can be tried."""
        self._show_working(working=False)
        self._field.show_problems((Problem(field="", title=error.title, message=error.message, hint=error.hint),))
        self._line.setFocus()

    @Slot()
    def reject(self) -> None:
        """Close; what is under way is ended first, and the answer to that closes."""
        if self._working:
            self._cancel.setEnabled(False)
            self.stop_asked.emit()
        else:
            super().reject()

    @Slot()
    def stopped(self) -> None:
        """Close: what was under way has ended."""
        self._working = False
        super().reject()
