"""Questions of the Pipelines page: unsaved changes, deleting, a new name, trust, clusters of an import."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton, QWidget

from ansflow_desktop.i18n import Text, _, msg, msg_n, translate
from ansflow_desktop.presenters.pipeline_editor_desk import OwnCommand
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import ComboBox, button, label, plain_tip, row, set_property
from ansflow_desktop.widgets.dialogs import Dialog
from ansflow_desktop.widgets.fields import Field


class _Question(QMessageBox):
    """A question in plain text, deleted when it is answered; Esc is the harmless answer."""

    def __init__(self, parent: QWidget, title: str, text: str, more: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWindowTitle(title)
        self.setText(text)
        self.setInformativeText(more)

    def _add(self, text: str, role: QMessageBox.ButtonRole, name: str) -> QPushButton:
        made = self.addButton(text, role)
        made.setObjectName(name)
        made.setAccessibleName(text)
        if role is QMessageBox.ButtonRole.DestructiveRole:
            set_property(made, "role", "danger")
        return made


class UnsavedDialog(_Question):
    """Asks what becomes of unsaved changes; emits `save_asked` or `discard_asked`, Esc goes back."""

    save_asked = Signal()
    discard_asked = Signal()

    def __init__(self, parent: QWidget, name: str) -> None:
        """Ask about the pipeline `name`."""
        title = _("Unsaved changes")
        text = translate(msg("Save the changes to %(name)s?", name=name))
        super().__init__(parent, title, text, _("Without saving they are lost."))
        back = self._add(_("Back"), QMessageBox.ButtonRole.RejectRole, "unsaved_back")
        discard = self._add(_("Do not save"), QMessageBox.ButtonRole.DestructiveRole, "unsaved_discard")
        save = self._add(_("Save"), QMessageBox.ButtonRole.AcceptRole, "unsaved_save")
        discard.clicked.connect(self.discard_asked)
        save.clicked.connect(self.save_asked)
        self.setDefaultButton(save)
        self.setEscapeButton(back)


class DeleteDialog(_Question):
    """Asks before something is deleted or forgotten; emits `confirmed`. What changes nothing is the default."""

    confirmed = Signal()

    def __init__(self, parent: QWidget, text: str, more: str, action: str, *, title: str = "", keep: str = "") -> None:
        """Ask `text`; `action` is the word on the button that does it, `keep` (else Cancel) that on the other one."""
        super().__init__(parent, title or action, text, more)
        cancel = self._add(keep or _("Cancel"), QMessageBox.ButtonRole.RejectRole, "delete_cancel")
        delete = self._add(action, QMessageBox.ButtonRole.DestructiveRole, "delete_confirm")
        delete.clicked.connect(self.confirmed)
        self.setDefaultButton(cancel)
        self.setEscapeButton(cancel)


class NameDialog(Dialog):
    """Asks for a name; emits `named(str)`."""

    named = Signal(str)

    def __init__(self, parent: QWidget, title: str, name: str, action: str = "") -> None:
        """Begin with `name`, all of it selected; `action` is the word on the button."""
        super().__init__(parent, title)
        self.setMinimumWidth(420)
        self._line = QLineEdit(name)
        self._line.setObjectName("new_name")
        self._line.setAccessibleName(_("Name"))
        self._line.textChanged.connect(self._on_text)
        self.body.addWidget(Field(_("Name"), self._line))
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        self._save = button(action or _("Rename"), "primary")
        self._save.setObjectName("new_name_save")
        self._save.setDefault(True)
        self._save.clicked.connect(self._on_save)
        self.body.addLayout(row(1, cancel, self._save))
        self._on_text(name)
        self._line.selectAll()
        self._line.setFocus()

    @Slot(str)
    def _on_text(self, text: str) -> None:
        self._save.setEnabled(bool(text.strip()))

    @Slot()
    def _on_save(self) -> None:
        self.accept()
        self.named.emit(self._line.text().strip())


class TrustDialog(Dialog):
    """Shows what an imported pipeline would run (conventions.md, line 13); emits `trusted`. Cancel is the default."""

    trusted = Signal()

    def __init__(self, parent: QWidget, commands: tuple[OwnCommand, ...]) -> None:
        """Show every command as it is written."""
        super().__init__(parent, _("This pipeline was imported and runs commands of its own"))
        self.setObjectName("trust")
        self.setMinimumWidth(600)
        intro = _(
            "Shell steps run on this machine with your rights, exec steps in a container. Read them, and run them only "
            "if you know where they come from. You are asked again when the pipeline changes outside this window."
        )
        self.body.addWidget(label(intro, "context", wrap=True))
        shown = CodeView(_("What it runs"))
        shown.setObjectName("trust_commands")
        shown.setPlainText("\n\n".join(f"# {one.step} ({one.type})\n{_visible(one.text)}" for one in commands))
        shown.setMinimumHeight(min(320, 60 + 18 * sum(one.text.count("\n") + 3 for one in commands)))
        self.body.addWidget(shown, 1)
        cancel = button(_("Cancel"))
        cancel.setDefault(True)
        cancel.clicked.connect(self.reject)
        run = button(_("Trust and run"))
        run.setObjectName("trust_run")
        run.setAutoDefault(False)
        run.clicked.connect(self._on_run)
        self.body.addLayout(row(1, cancel, run))
        cancel.setFocus()

    @Slot()
    def _on_run(self) -> None:
        self.accept()
        self.trusted.emit()


def _visible(text: str) -> str:
    """Return `text` with what cannot be seen written out, ends of lines apart (failure-modes.md, row 33)."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode() for char in text
    )


class ClustersDialog(Dialog):
    """Asks which cluster each number of an AnsFlow document stands for; emits `chosen(dict)`."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget, numbers: tuple[int | str, ...], clusters: tuple[str, ...]) -> None:
        """Offer `clusters` for each of `numbers`; the one can be typed that is not known yet."""
        super().__init__(parent, _("Which clusters are meant?"))
        self.setObjectName("import_clusters")
        self.setMinimumWidth(460)
        intro = msg_n(
            "The document names %(count)s cluster by a number. Choose the one of yours that it stands for.",
            "The document names %(count)s clusters by numbers. Choose those of yours that they stand for.",
            len(numbers),
        )
        self.body.addWidget(label(translate(intro), "context", wrap=True))
        self._boxes: dict[int | str, ComboBox] = {}
        for number in numbers:
            box = self._boxes[number] = ComboBox(translate(msg("Cluster %(number)s", number=str(number))))
            box.setObjectName(f"import_cluster_{number}")
            box.addItem(_("Leave it open"), "")
            for name in clusters:
                box.addItem(name, name)
            self.body.addWidget(Field(translate(msg("Cluster %(number)s", number=str(number))), box))
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        save = button(_("Import"), "primary")
        save.setObjectName("import_go")
        save.setDefault(True)
        save.clicked.connect(self._on_save)
        self.body.addLayout(row(1, cancel, save))

    @Slot()
    def _on_save(self) -> None:
        self.accept()
        self.chosen.emit({number: box.currentData() for number, box in self._boxes.items() if box.currentData()})


class NoticesDialog(Dialog):
    """What is to be said about an import, a line each."""

    def __init__(self, parent: QWidget, title: str, notices: tuple[Text, ...]) -> None:
        """Show all of them."""
        super().__init__(parent, title)
        self.setMinimumWidth(560)
        shown = CodeView(title)
        shown.setObjectName("notices_text")
        shown.setPlainText("\n".join(translate(one) for one in notices))
        shown.setMinimumHeight(min(360, 60 + 18 * len(notices)))
        self.body.addWidget(shown, 1)
        close = button(_("Close"))
        close.setObjectName("notices_close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.body.addLayout(row(1, close))


class ChooseDialog(Dialog):
    """Several pipelines lie in a folder: asks for one; emits `chosen(path)`."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget, paths: tuple[str, ...]) -> None:
        """Offer `paths`, one button each."""
        super().__init__(parent, _("Which pipeline?"))
        self.setObjectName("choose_pipeline")
        self.setMinimumWidth(420)
        for path in paths:
            made = button(path.rsplit("/", 1)[-1], "palette", "file-document-outline")
            made.setToolTip(plain_tip(path))
            made.setProperty("path", path)
            made.clicked.connect(self._on_chosen)
            self.body.addWidget(made)
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        self.body.addLayout(row(1, cancel))

    @Slot()
    def _on_chosen(self) -> None:
        path = str(self.sender().property("path"))
        self.accept()
        self.chosen.emit(path)
