"""Dialogs: approval of a credential program, shortcuts, settings, and what to do with a run when closing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QGridLayout, QLineEdit, QMessageBox, QVBoxLayout, QWidget

from ansflow_desktop import paths
from ansflow_desktop.i18n import Message, _, msg, translate
from ansflow_desktop.models.cluster import ClusterEntry, ExecPlugin
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import ComboBox, breakable, button, label, row
from ansflow_desktop.widgets.fields import Field

SHORTCUTS: tuple[tuple[str, Message], ...] = (
    ("Ctrl+1 … Ctrl+6", msg("Go to Deploy, Pipelines, Releases, Clusters, Credentials, Templates")),
    ("Ctrl+Return", msg("Deploy, or run the pipeline")),
    ("Ctrl+S", msg("Save the pipeline")),
    ("Ctrl+Z, Ctrl+Shift+Z", msg("Undo and redo in a pipeline")),
    ("Alt+Up, Alt+Down", msg("Move a step")),
    ("Ctrl+K", msg("Choose a cluster")),
    ("Ctrl+R", msg("Read again what the page shows")),
    ("/", msg("Filter")),
    ("Esc", msg("Go back, clear the filter")),
    ("Ctrl+,", msg("Settings")),
    ("Ctrl+Space, Alt+/", msg("Show what can be typed in the YAML")),
    ("Ctrl+Tab", msg("Leave the YAML editor")),
    ("?", msg("This list")),
    ("Ctrl+Q", msg("Quit")),
)

_LONGEST = 200


class Dialog(QDialog):
    """A modal dialog with its title above `body`, as high as its words; deleted when it is closed.

    Qt alone keeps the height that a dialog was shown with: words that come later would be cut, or lie on each other.
    """

    def __init__(self, parent: QWidget, title: str) -> None:
        """Make it empty."""
        super().__init__(parent)
        self._fitting = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setAccessibleName(title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(22, 20, 22, 18)
        self.body.setSpacing(12)
        self.body.addWidget(label(title, "card_title", wrap=True))

    def showEvent(self, event: QShowEvent) -> None:
        """Begin as high as the words, unless the dialog has a size of its own."""
        if not self.testAttribute(Qt.WidgetAttribute.WA_Resized):
            self._fitting = True
            self._fit()
        super().showEvent(event)

    def event(self, event: QEvent) -> bool:
        """Follow what is added or taken away inside."""
        answer = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest and self.isVisible():
            self._fit()
        return answer

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the height to the person who drew the window's frame."""
        super().resizeEvent(event)
        if event.spontaneous() and self.isVisible():
            self._fitting = False

    def _fit(self) -> None:
        """Take the height that the content wants; where a person chose another one, only never too little."""
        width = max(self.width(), self.minimumWidth(), self.body.totalMinimumSize().width())
        layout, fitting = self.body, self._fitting
        wanted = layout.totalHeightForWidth(width) if fitting else layout.totalMinimumHeightForWidth(width)
        if wanted < 0:
            wanted = (layout.totalSizeHint() if fitting else layout.totalMinimumSize()).height()
        height = wanted if fitting else max(wanted, self.height())
        self.resize(width, min(height, self.screen().availableGeometry().height()))


def ask_file(parent: QWidget, title: str, filters: list[str], then: Callable[[str], object]) -> None:
    """Let a person choose an existing file; `then` gets its path, nothing happens where none is chosen."""
    dialog = QFileDialog(parent, title, str(paths.home()))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([*filters, _("All files (*)")])
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(then)
    dialog.open()


class ApprovalDialog(Dialog):
    """Shows the program that a kubeconfig wants to run (failure-modes.md, row 8); emits `approved(ClusterEntry)`."""

    approved = Signal(object)

    def __init__(self, parent: QWidget, entry: ClusterEntry) -> None:
        """Show the credential program of `entry`; Cancel is the default."""
        super().__init__(parent, _("A kubeconfig wants to run a program"))
        self._entry = entry
        plugin = entry.exec_plugin or ExecPlugin(command="")
        self.setMinimumWidth(560)
        intro = msg(
            "To log in to %(cluster)s, the file %(file)s runs this program on your machine. Approve it only if you "
            "know it. You are asked again when anything about it changes.",
            cluster=breakable(_visible(entry.name)[:_LONGEST]),
            file=breakable(_visible(entry.source)[:_LONGEST]),
        )
        self.body.addWidget(label(translate(intro), "context", wrap=True))
        self._part(_("Command"), _visible(plugin.command), "approval_command")
        self._part(_("Arguments, one a line"), "\n".join(map(_visible, plugin.shown_args)) or "-", "approval_args")
        environment = "\n".join(_visible(f"{name}={value}") for name, value in plugin.shown_env)
        self._part(_("Environment"), environment or "-", "approval_env")
        cancel = button(_("Cancel"))
        cancel.setDefault(True)
        cancel.setObjectName("approval_cancel")
        cancel.clicked.connect(self.reject)
        approve = button(_("Approve and run"))
        approve.setAutoDefault(False)
        approve.setObjectName("approval_approve")
        approve.clicked.connect(self._on_approve)
        self.body.addLayout(row(1, cancel, approve))
        cancel.setFocus()

    def _part(self, title: str, text: str, name: str) -> None:
        shown = CodeView(title)
        shown.setObjectName(name)
        shown.setPlainText(text)
        lines = max(1, min(6, text.count("\n") + 1))
        shown.setFixedHeight(lines * shown.fontMetrics().lineSpacing() + 24)
        self.body.addWidget(Field(title, shown))

    @Slot()
    def _on_approve(self) -> None:
        self.approved.emit(self._entry)
        self.accept()


def _visible(text: str) -> str:
    """Return `text` with what cannot be seen written out as escapes, ends of lines too (failure-modes.md, row 33)."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class ShortcutsDialog(Dialog):
    """The list of keyboard shortcuts (?)."""

    def __init__(self, parent: QWidget) -> None:
        """Show all of them."""
        super().__init__(parent, _("Keyboard shortcuts"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(9)
        for number, (keys, text) in enumerate(SHORTCUTS):
            grid.addWidget(label(keys, "strong"), number, 0)
            grid.addWidget(label(translate(text)), number, 1)
        self.body.addLayout(grid)
        close = button(_("Close"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.body.addLayout(row(1, close))


class SettingsDialog(Dialog):
    """Language and theme, used at once; emits `language_chosen`, `theme_chosen` and `tools_chosen(helm, kubectl)`."""

    language_chosen = Signal(str)
    theme_chosen = Signal(str)
    tools_chosen = Signal(str, str)

    def __init__(self, parent: QWidget, language: str, theme: str, helm: str, kubectl: str) -> None:
        """Show the settings as they are; the paths are empty where the tools are looked for."""
        super().__init__(parent, _("Settings"))
        self.setMinimumWidth(460)
        self._language = self._choice(_("Language"), (("en", "English"), ("zh_CN", "简体中文")), language)
        themes = (("system", _("Like the system")), ("light", _("Light")), ("dark", _("Dark")))
        self._theme = self._choice(_("Theme"), themes, theme)
        self._helm = self._path(_("Path of helm"), helm)
        self._kubectl = self._path(_("Path of kubectl"), kubectl)
        cancel = button(_("Cancel"))
        cancel.clicked.connect(self.reject)
        save = button(_("Save"), "primary")
        save.setDefault(True)
        save.setObjectName("settings_save")
        save.clicked.connect(self._on_save)
        self.body.addLayout(row(1, cancel, save))
        self._before = (language, theme, helm, kubectl)

    def add_section(self, section: QWidget) -> None:
        """Show `section`, whose actions are done at once, above the buttons."""
        self.body.insertWidget(self.body.count() - 1, section)

    def _choice(self, title: str, choices: tuple[tuple[str, str], ...], chosen: str) -> ComboBox:
        box = ComboBox(title)
        for key, text in choices:
            box.addItem(text, key)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        self.body.addWidget(Field(title, box))
        return box

    def _path(self, title: str, path: str) -> QLineEdit:
        line = QLineEdit(path)
        line.setAccessibleName(title)
        line.setPlaceholderText(_("Looked for in the usual places"))
        self.body.addWidget(Field(title, line))
        return line

    @Slot()
    def _on_save(self) -> None:
        language, theme, helm, kubectl = self._before
        self.accept()
        if (self._helm.text().strip(), self._kubectl.text().strip()) != (helm, kubectl):
            self.tools_chosen.emit(self._helm.text().strip(), self._kubectl.text().strip())
        if self._theme.currentData() != theme:
            self.theme_chosen.emit(self._theme.currentData())
        if self._language.currentData() != language:
            self.language_chosen.emit(self._language.currentData())


class CloseDialog(QMessageBox):
    """Asks what becomes of a run when the window is closed (failure-modes.md, row 16).

    Emits `wait_asked`, `cancel_asked` or `leave_asked`; Esc goes back to the window.
    """

    wait_asked = Signal()
    cancel_asked = Signal()
    leave_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        """Make the question."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("A run is going on"))
        self.setText(_("A run is going on. What becomes of it?"))
        self.setInformativeText(
            _(
                "Wait: the window closes when it has ended. Cancel: helm is stopped and records the release's state. "
                "Leave: helm is stopped at once, and what became of the release is found out at the next start."
            )
        )
        back = self.addButton(_("Back"), QMessageBox.ButtonRole.RejectRole)
        wait = self.addButton(_("Wait"), QMessageBox.ButtonRole.AcceptRole)
        cancel = self.addButton(_("Cancel the run"), QMessageBox.ButtonRole.DestructiveRole)
        leave = self.addButton(_("Leave"), QMessageBox.ButtonRole.DestructiveRole)
        for made, name in ((back, "back"), (wait, "wait"), (cancel, "cancel"), (leave, "leave")):
            made.setObjectName(f"close_{name}")
            made.setAccessibleName(made.text())
        wait.clicked.connect(self.wait_asked)
        cancel.clicked.connect(self.cancel_asked)
        leave.clicked.connect(self.leave_asked)
        self.setDefaultButton(wait)
        self.setEscapeButton(back)
