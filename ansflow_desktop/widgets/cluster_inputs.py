"""Inputs of the cluster dialog: PEM text, a secret that is pasted and never shown, a choice with a colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import Text, _, msg, msg_n, translate
from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.controls import ComboBox, ElidedLabel, button, icon_button, row
from ansflow_desktop.widgets.dialogs import ask_file

MOST = 1024 * 1024
_LONGEST_TOKEN = 512 * 1024


def read_text(path: str) -> tuple[str, str]:
    """Return the text of a file of at most 1 MiB, and why it cannot be read (empty when it can)."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MOST + 1)
        if len(data) > MOST:
            return "", translate(msg("%(file)s is larger than 1 MiB", file=path))
        return data.decode("utf-8-sig"), ""
    except (OSError, UnicodeDecodeError) as error:
        return "", translate(msg("%(file)s cannot be read: %(reason)s", file=path, reason=str(error)))


class PemBox(QWidget):
    """PEM text that is no secret: typed, pasted, or read from a file. Emits `changed()`."""

    changed = Signal()

    def __init__(self, name: str, object_name: str) -> None:
        """Make it empty; `name` is for assistive tools."""
        super().__init__()
        self.edit = QPlainTextEdit()
        self.edit.setObjectName(object_name)
        self.edit.setAccessibleName(name)
        self.edit.setProperty("role", "code")
        self.edit.setFont(theme.mono_font())
        self.edit.setTabChangesFocus(True)
        self.edit.setPlaceholderText("-----BEGIN CERTIFICATE-----")
        self.edit.setFixedHeight(self.edit.fontMetrics().lineSpacing() * 3 + 18)
        self.edit.textChanged.connect(self.changed)
        self._name = name
        file = button(_("From a file…"), "link", "folder-open-outline", translate(msg("%(name)s: file", name=name)))
        file.clicked.connect(self._on_file)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.edit)
        layout.addLayout(row(file, 1))

    @Slot()
    def _on_file(self) -> None:
        ask_file(self, self._name, [], self._read)

    def _read(self, path: str) -> None:
        text, why = read_text(path)
        self.edit.setPlainText(text or why)

    @property
    def text(self) -> str:
        """The text as it stands."""
        return self.edit.toPlainText()


class SecretBox(QWidget):
    """Text that is pasted or read from a file and never shown: a key, a kubeconfig. Emits `changed()`."""

    changed = Signal()

    def __init__(self, name: str, object_name: str) -> None:
        """Make it empty; `name` is for assistive tools, its buttons are `<object_name>_paste` and `_file`."""
        super().__init__()
        self.setObjectName(object_name)
        self._name, self._text, self._why = name, "", ""
        self.paste_button = button(_("Paste"), "", "content-paste", translate(msg("%(name)s: paste", name=name)))
        self.paste_button.setObjectName(f"{object_name}_paste")
        self.paste_button.setAutoDefault(False)
        self.paste_button.clicked.connect(self.paste)
        file = button(_("From a file…"), "", "folder-open-outline", translate(msg("%(name)s: file", name=name)))
        file.setObjectName(f"{object_name}_file")
        file.setAutoDefault(False)
        file.clicked.connect(self._on_file)
        self._state = ElidedLabel("", "muted")
        layout = row(self.paste_button, file, self._state)
        layout.setStretch(2, 1)
        self.setLayout(layout)
        self._say()

    @property
    def text(self) -> str:
        """What was given last; a secret."""
        return self._text

    @Slot()
    def paste(self) -> None:
        """Take the clipboard's text."""
        self.take(QGuiApplication.clipboard().text())

    def take(self, text: str, why: str = "") -> None:
        """Take `text`; `why` says why there is none."""
        self._text, self._why = text, why
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        count = msg_n("%(count)s character, not shown", "%(count)s characters, not shown", len(self._text))
        self._state.set_text(self._why or (translate(count) if self._text else _("Nothing given yet")))

    @Slot()
    def _on_file(self) -> None:
        ask_file(self, self._name, [], self._read)

    def _read(self, path: str) -> None:
        self.take(*read_text(path))


class TokenLine(QWidget):
    """A token as dots, with a button that shows it while one looks. Emits `changed()`."""

    changed = Signal()

    def __init__(self) -> None:
        """Make it empty."""
        super().__init__()
        self.line = QLineEdit()
        self.line.setObjectName("cluster_token")
        self.line.setAccessibleName(_("Token"))
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setMaxLength(_LONGEST_TOKEN)
        self.line.textChanged.connect(self.changed)
        self._eye = icon_button("eye-outline", _("Show the token"))
        self._eye.setCheckable(True)
        self._eye.toggled.connect(self._on_eye)
        file = icon_button("folder-open-outline", _("Read the token from a file"))
        file.clicked.connect(self._on_file)
        self.setLayout(row(self.line, self._eye, file, spacing=4))

    @Slot(bool)
    def _on_eye(self, shown: bool) -> None:
        self.line.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)

    @Slot()
    def _on_file(self) -> None:
        ask_file(self, _("Token"), [], self._read)

    def _read(self, path: str) -> None:
        text, why = read_text(path)
        self.line.setText(text.strip())
        self.line.setPlaceholderText(why)


def choice(name: str, object_name: str, choices: Sequence[tuple[str, Text]], *, coloured: bool = False) -> ComboBox:
    """Return a box of `choices` (key and word); with `coloured` each key is a colour that is shown beside its word."""
    box = ComboBox(name)
    box.setObjectName(object_name)
    for key, word in choices:
        picture = QIcon()
        if coloured:
            picture = icons.icon("circle" if key else "circle-outline", f"mark_{key}" if key else "muted")
        box.addItem(picture, translate(word), key)
    return box
