"""The dialog of one cluster: address and credentials first, the rest folded away, and the test before it is kept."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, QTimer, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.presenters.cluster_form import ClusterFormPresenter
from ansflow_desktop.presenters.cluster_form_state import ClusterForm, FormState
from ansflow_desktop.widgets.cluster_inputs import PemBox, SecretBox, TokenLine, choice
from ansflow_desktop.widgets.cluster_marks import MarksPart
from ansflow_desktop.widgets.cluster_paste import PasteDialog
from ansflow_desktop.widgets.cluster_stages import StageList
from ansflow_desktop.widgets.cluster_words import AUTHS
from ansflow_desktop.widgets.controls import CheckBox, Column, button, label, row, rule
from ansflow_desktop.widgets.dialogs import ApprovalDialog, Dialog
from ansflow_desktop.widgets.fields import Field, Problems
from ansflow_desktop.widgets.pipeline_dialogs import DeleteDialog

_WIDTH, _HEIGHT, _LEAST = 620, 760, 420
_STAGE_PX = 8
_PROBLEM_PX = 90  # room for the words below a field, which are not laid out yet


class ConnectionPart(QWidget):
    """How the cluster is reached, and who one is there. Emits `changed()`; `values()` are fields of ClusterForm."""

    changed = Signal()

    def __init__(self, form: ClusterForm, *, kept: bool) -> None:
        """Show `form`; with `kept` an empty secret keeps the one in the vault."""
        super().__init__()
        self._lines: dict[str, QLineEdit] = {}
        self._texts: dict[str, QPlainTextEdit] = {}
        self.fields: dict[str, Field] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        self._line("server", _("Server"), form.server, "https://10.0.0.1:6443")
        self._line("name", _("Name"), form.name, _("The server's name where it is empty"))
        self._auth = choice(_("Log in with"), "cluster_auth", AUTHS)
        self._layout.addWidget(Field(_("Log in with"), self._auth))
        self._ways = (self._token(form, kept=kept), self._pair(form, kept=kept), self._program(form))
        for part in self._ways:
            self._layout.addWidget(part)
        self._auth.currentIndexChanged.connect(self._on_auth)
        self._auth.setCurrentIndex(max(0, self._auth.findData(form.auth)))
        self._authority(form)
        self._more(form)
        self._on_auth()

    def _line(self, name: str, title: str, value: str, hint: str = "", layout: QVBoxLayout | None = None) -> None:
        line = QLineEdit(value)
        line.setObjectName(f"cluster_{name}")
        line.setAccessibleName(title)
        line.setPlaceholderText(hint)
        line.textChanged.connect(self.changed)
        self._lines[name] = line
        self._put(name, title, line, line, layout)

    def _put(self, name: str, title: str, content: QWidget, focus: QWidget, layout: QVBoxLayout | None = None) -> None:
        self.fields[name] = Field(title, content, focus)
        (layout or self._layout).addWidget(self.fields[name])

    def _token(self, form: ClusterForm, *, kept: bool) -> QWidget:
        part, layout = _column()
        self._token_line = TokenLine()
        self._token_line.line.setText(form.token)
        if kept:
            self._token_line.line.setPlaceholderText(_("Kept in the vault; type another one to replace it"))
        self._token_line.changed.connect(self.changed)
        self._put("token", _("Token"), self._token_line, self._token_line.line, layout)
        return part

    def _pair(self, form: ClusterForm, *, kept: bool) -> QWidget:
        part, layout = _column()
        self._certificate = PemBox(_("Client certificate (PEM)"), "cluster_certificate")
        self._certificate.edit.setPlainText(form.certificate)
        if kept:
            self._certificate.edit.setPlaceholderText(_("Kept in the vault; give another one to replace it"))
        self._key = SecretBox(_("Key (PEM)"), "cluster_key")
        if form.key:
            self._key.take(form.key)
        for box in (self._certificate, self._key):
            box.changed.connect(self.changed)
        self._put("certificate", _("Client certificate (PEM)"), self._certificate, self._certificate.edit, layout)
        self._put("key", _("Key (PEM)"), self._key, self._key.paste_button, layout)
        return part

    def _program(self, form: ClusterForm) -> QWidget:
        part, layout = _column()
        self._line("exec_command", _("Program"), form.exec_command, "aws", layout)
        for name, title, value in (
            ("exec_args", _("Arguments, one a line"), form.exec_args),
            ("exec_env", _("Environment, one NAME=value a line"), form.exec_env),
        ):
            edit = QPlainTextEdit(value)
            edit.setObjectName(f"cluster_{name}")
            edit.setAccessibleName(title)
            edit.setProperty("role", "code")
            edit.setTabChangesFocus(True)
            edit.setFixedHeight(edit.fontMetrics().lineSpacing() * 3 + 18)
            edit.textChanged.connect(self.changed)
            self._texts[name] = edit
            self._put(name, title, edit, edit, layout)
        note = _("The program is shown again and run only after you approved it.")
        layout.addWidget(label(note, "muted", wrap=True))
        return part

    def _authority(self, form: ClusterForm) -> None:
        self._ca = PemBox(_("Certificate of the authority (PEM)"), "cluster_ca")
        self._ca.edit.setPlainText(form.ca)
        self._ca.edit.setPlaceholderText(_("Empty: the authorities that this machine trusts"))
        self._ca.changed.connect(self.changed)
        self._put("ca", _("Certificate of the authority (PEM)"), self._ca, self._ca.edit)

    def _more(self, form: ClusterForm) -> None:
        self._fold = button(_("Proxy and TLS"), "link", "chevron-right")
        self._fold.setObjectName("cluster_more")
        self._fold.setAutoDefault(False)
        self._fold.clicked.connect(self._on_fold)
        self._layout.addLayout(row(self._fold, 1))
        self._rest, layout = _column()
        self._insecure = CheckBox(_("Do not verify the server's certificate"))
        self._insecure.setObjectName("cluster_insecure")
        self._insecure.setChecked(form.insecure)
        self._insecure.toggled.connect(self.changed)
        layout.addWidget(self._insecure)
        layout.addWidget(label(_("Anyone on the way can then read and change what is sent."), "muted", wrap=True))
        self._line("proxy_url", _("Proxy"), form.proxy_url, "http://proxy.example:3128", layout)
        self._line("tls_server_name", _("Name in the server's certificate"), form.tls_server_name, "", layout)
        self._layout.addWidget(self._rest)
        self._rest.setVisible(form.insecure or bool(form.proxy_url or form.tls_server_name))

    @Slot()
    def _on_fold(self) -> None:
        self._rest.setVisible(not self._rest.isVisible())

    @Slot()
    def _on_auth(self) -> None:
        for number, part in enumerate(self._ways):
            part.setVisible(number == self._auth.currentIndex())
        self.changed.emit()

    def values(self) -> dict[str, Any]:
        """Return what stands in the inputs."""
        return {
            **{name: line.text() for name, line in self._lines.items()},
            **{name: edit.toPlainText() for name, edit in self._texts.items()},
            "auth": self._auth.currentData(),
            "token": self._token_line.line.text(),
            "certificate": self._certificate.text,
            "key": self._key.text,
            "ca": self._ca.text,
            "insecure": self._insecure.isChecked(),
        }


def _column() -> tuple[QWidget, QVBoxLayout]:
    part = QWidget()
    layout = QVBoxLayout(part)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(10)
    return part, layout


class ClusterDialog(Dialog):
    """Shows a ClusterFormPresenter; closes itself when the cluster was kept."""

    def __init__(self, parent: QWidget, presenter: ClusterFormPresenter) -> None:
        """Show the presenter's form as it stands."""
        state = presenter.state
        super().__init__(parent, _title(state))
        self.presenter = presenter
        self._connection: ConnectionPart | None = None
        self._marks: MarksPart
        self._column = Column(_WIDTH - 60)
        self._inside = QVBoxLayout(self._column.inside)
        self._inside.setContentsMargins(0, 0, 8, 0)
        self._inside.setSpacing(12)
        self.body.addWidget(self._column, 1)
        self._general = Problems()
        self._stages = StageList()
        self._follows = False  # the stages have their place only once they are laid out, which may take two turns
        self._scroll = QTimer(self)
        self._scroll.setSingleShot(True)
        self._scroll.timeout.connect(self._show_stages)
        self._column.verticalScrollBar().rangeChanged.connect(self._on_laid_out)
        self.body.addWidget(self._general)
        self.body.addLayout(self._actions(state))
        self._build(state)
        presenter.state_changed.connect(self._on_state)
        presenter.saved.connect(self._on_saved)
        presenter.approval_needed.connect(self._on_approval)
        self.finished.connect(self._on_finished)
        self.resize(QSize(_WIDTH, self._height(max(_LEAST, parent.window().height() - 60))))

    def _height(self, most: int) -> int:
        """Return the height at which nothing has to be scrolled, at most that of the window behind."""
        inside = self._inside.totalHeightForWidth(_WIDTH - 70)
        around = self.body.totalMinimumSize().height() - self._column.minimumSizeHint().height()
        return min(_HEIGHT, most, (inside if inside > 0 else self._inside.totalSizeHint().height()) + around + 12)

    def _build(self, state: FormState) -> None:
        if state.own:
            self._connection = ConnectionPart(state.form, kept=state.kept_secret)
            self._connection.changed.connect(self._on_changed)
            if not state.original:
                self._inside.addLayout(self._paste_row())
            self._inside.addWidget(self._connection)
            self._inside.addWidget(self._stages)
            self._inside.addWidget(rule())
            self._connection.fields["server"].input.setFocus()
        else:
            note = _("Its connection stands in a kubeconfig file, which is never written. These notes are kept here.")
            self._inside.addWidget(label(note, "context", wrap=True))
        self._marks = MarksPart(state.form, state.groups, state.held_by)
        self._marks.changed.connect(self._on_changed)
        self._inside.addWidget(self._marks)
        self._inside.addStretch(1)

    def _paste_row(self) -> Any:
        paste = button(_("Take it from a kubeconfig…"), "link", "content-paste")
        paste.setObjectName("cluster_paste")
        paste.setAutoDefault(False)
        paste.clicked.connect(self._on_paste)
        return row(paste, 1)

    def _actions(self, state: FormState) -> Any:
        self.test = button(_("Test connection"), "", "connection")
        self.test.setObjectName("cluster_test")
        self.test.setAutoDefault(False)
        self.test.setVisible(state.own)
        self.test.clicked.connect(self.presenter.test)
        cancel = button(_("Cancel"))
        cancel.setObjectName("cluster_cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.keep = button(_("Save") if state.original else _("Add cluster"), "primary")
        self.keep.setObjectName("cluster_save")
        self.keep.setDefault(True)
        self.keep.clicked.connect(self.presenter.save)
        return row(self.test, 1, cancel, self.keep)

    @property
    def fields(self) -> dict[str, Field]:
        """The fields at which problems are shown, by name."""
        return {**(self._connection.fields if self._connection else {}), **self._marks.fields}

    @Slot()
    def _on_changed(self) -> None:
        values = self._connection.values() if self._connection else {}
        self.presenter.change(**values, **self._marks.values())

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        fields = self.fields
        for name, field in fields.items():
            field.show_problems([one for one in state.problems if one.field == name])
        self._general.show_problems([one for one in state.problems if one.field not in fields])
        told = self._stages.show_test(state.diagnosis, testing=state.testing)
        self.test.setEnabled(not state.testing)
        self.keep.setEnabled(not state.saving)
        first = next((one.field for one in state.problems if one.field in fields), None)
        if first and not state.saving and not state.testing:
            self._column.ensureWidgetVisible(fields[first], 0, _PROBLEM_PX)
        self._follows = told and not first and (state.testing or state.diagnosis is not None)
        if self._follows:
            self._scroll.start(0)

    @Slot()
    def _on_laid_out(self) -> None:
        if self._follows:
            self._show_stages()

    @Slot()
    def _show_stages(self) -> None:
        """Show the end of the stages, then their beginning or the one at fault, where there is no room for both."""
        for part in (self._stages, self._stages.at_fault or self._stages):
            self._column.ensureWidgetVisible(part, 0, _STAGE_PX)

    @Slot()
    def _on_paste(self) -> None:
        dialog = PasteDialog(self, self.presenter)
        dialog.chosen.connect(self._on_taken)
        dialog.open()

    @Slot(object)
    def _on_taken(self, found: Any) -> None:
        self.presenter.take(*found)
        old = self._connection
        self._connection = ConnectionPart(self.presenter.state.form, kept=False)
        self._connection.changed.connect(self._on_changed)
        if old is not None:
            self._inside.replaceWidget(old, self._connection)
            old.hide()
            old.deleteLater()

    @Slot(object)
    def _on_approval(self, entry: ClusterEntry) -> None:
        dialog = ApprovalDialog(self, entry)
        dialog.approved.connect(self.presenter.approve)
        dialog.open()

    @Slot(str)
    def _on_saved(self, _name: str) -> None:
        self.accept()

    @Slot()
    def reject(self) -> None:
        """Close it; ask first where something was typed that would be lost (Cancel, Esc, the window's cross)."""
        if not self.presenter.changed:
            super().reject()
            return
        question = DeleteDialog(
            self, _("Close without saving?"), _("What was typed here is lost."), _("Close without saving")
        )
        question.confirmed.connect(self._give_up)
        question.open()

    @Slot()
    def _give_up(self) -> None:
        super().reject()

    @Slot()
    def _on_finished(self) -> None:
        self.presenter.state_changed.disconnect(self._on_state)
        self.presenter.release()


def _title(state: FormState) -> str:
    if not state.original:
        return _("Add a cluster")
    return translate(msg("Edit %(cluster)s", cluster=state.original))
