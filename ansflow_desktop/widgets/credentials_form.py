"""Fields that renewal and automation share: the cluster, the ServiceAccount, and how long a new credential lives."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import _, msg_n, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.credentials_state import RenewalForm
from ansflow_desktop.widgets.controls import ComboBox
from ansflow_desktop.widgets.fields import Field

HOUR, DAY = 3600, 86400
LIFETIMES = (HOUR, 8 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY)


def span(seconds: int) -> str:
    """Return a lifetime in words: 8 hours, 30 days."""
    if seconds % DAY == 0 and seconds > DAY:
        return translate(msg_n("%(count)s day", "%(count)s days", seconds // DAY))
    return translate(msg_n("%(count)s hour", "%(count)s hours", seconds // HOUR))


def lifetime_past(days: int) -> int:
    """Return the shortest lifetime (seconds) to choose that is not at once one that ends "soon" (within `days`)."""
    return next((one for one in LIFETIMES if one >= DAY and one > days * DAY), LIFETIMES[-1])


def choice(title: str, items: tuple[tuple[str, object], ...], chosen: object, name: str = "") -> ComboBox:
    """Return a box of texts with their values, `chosen` selected; `name` is its object name."""
    box = ComboBox(title)
    box.setObjectName(name)
    for text, value in items:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    return box


def line(title: str, text: str, hint: str = "", name: str = "") -> QLineEdit:
    """Return a line to type into; `name` is its object name."""
    made = QLineEdit(text)
    made.setObjectName(name)
    made.setAccessibleName(title)
    made.setPlaceholderText(hint)
    return made


class FormFields(QWidget):
    """Shows a RenewalForm and gives back what was chosen; emits `changed` when anything was."""

    changed = Signal()
    cluster_chosen = Signal(str)

    def __init__(self, form: RenewalForm, *, token_only: bool = False) -> None:
        """Show `form`; `token_only` where only tokens of ServiceAccounts are made."""
        super().__init__()
        self._form = form
        self._token_only = token_only
        self._chosen = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(12)
        self.cluster = choice(
            _("Cluster"), tuple((name, name) for name in form.clusters), form.cluster, name="renew_cluster"
        )
        self.how = choice(_("By"), _ways(), form.how, name="renew_how")
        self.namespace = line(_("Namespace"), form.namespace, "default", name="renew_namespace")
        self.account = line(_("ServiceAccount"), form.account, name="renew_account")
        self.seconds = choice(
            _("Lifetime"), tuple((span(one), one) for one in LIFETIMES), form.seconds, name="renew_lifetime"
        )
        self.user = line(_("User"), form.user, name="renew_user")
        self.groups = line(_("Groups"), ", ".join(form.groups), _("separated by commas"), name="renew_groups")
        self.signer = line(_("Signer"), form.signer, "kubernetes.io/kube-apiserver-client", name="renew_signer")
        self.via = choice(_("Asked by"), (), "", name="renew_via")
        self._place()
        self._show_vias(form)
        self._connect()
        self._on_how()

    def _place(self) -> None:
        cluster, how = Field(_("Cluster"), self.cluster), Field(_("By"), self.how)
        cluster.setVisible(len(self._form.clusters) > 1)
        how.setVisible(not self._token_only)
        self._fields = {
            "namespace": Field(_("Namespace"), self.namespace),
            "account": Field(_("ServiceAccount"), self.account),
            "seconds": Field(_("Lifetime"), self.seconds),
            "user": Field(_("User"), self.user),
            "groups": Field(_("Groups"), self.groups),
            "signer": Field(_("Signer"), self.signer),
            "via": Field(_("Asked by"), self.via),
        }
        self._token = _pair(self._fields["namespace"], self._fields["account"])
        self._certificate = _pair(self._fields["user"], self._fields["groups"])
        last = (self._fields["seconds"], self._fields["signer"], self._fields["via"])
        for part in (cluster, how, self._token, self._certificate, *last):
            self._layout.addWidget(part)

    def _show_vias(self, form: RenewalForm) -> None:
        """Offer the entries of the same server that may ask in its place, for a credential that is refused."""
        self.via.clear()
        self.via.addItem(_("The cluster itself"), "")
        for name in form.vias:
            self.via.addItem(name, name)
        self.via.setCurrentIndex(max(0, self.via.findData(form.via)))
        self._fields["via"].setVisible(bool(form.vias) and not self._token_only)

    def _connect(self) -> None:
        self.seconds.activated.connect(self.changed)
        self.how.activated.connect(self._on_way)
        self.cluster.activated.connect(self._on_cluster)
        for text in (self.namespace, self.account, self.user, self.groups, self.signer):
            text.textEdited.connect(self.changed)

    @Slot()
    def _on_way(self) -> None:
        self._chosen = True
        self._on_how()
        self.changed.emit()

    @Slot()
    def _on_how(self) -> None:
        token = self._token_only or self.how.currentData() == "token_request"
        self._token.setVisible(token)
        self._certificate.setVisible(not token)
        self._fields["signer"].setVisible(not token)

    @Slot()
    def _on_cluster(self) -> None:
        self.cluster_chosen.emit(str(self.cluster.currentData()))

    def form(self) -> RenewalForm:
        """Return what is chosen now."""
        return msgspec.structs.replace(
            self._form,
            cluster=str(self.cluster.currentData() or self._form.cluster),
            how="token_request" if self._token_only else str(self.how.currentData()),
            namespace=self.namespace.text().strip(),
            account=self.account.text().strip(),
            seconds=int(self.seconds.currentData()),
            user=self.user.text().strip(),
            groups=tuple(dict.fromkeys(name for part in self.groups.text().split(",") if (name := part.strip()))),
            signer=self.signer.text().strip(),
            via=str(self.via.currentData() or ""),
        )

    def show_form(self, form: RenewalForm) -> None:
        """Show what was found out; what a person typed already stays."""
        self._form = form
        if not self._chosen:
            self.how.setCurrentIndex(max(0, self.how.findData(form.how)))
        for made, text in (
            (self.namespace, form.namespace),
            (self.account, form.account),
            (self.user, form.user),
            (self.groups, ", ".join(form.groups)),
        ):
            if not made.isModified():
                made.setText(text)
        self._show_vias(form)
        self._on_how()

    def show_error(self, error: UserError | None) -> bool:
        """Show an error below the field it names; return False where it names none of these."""
        for field in self._fields.values():
            field.show_problems(())
        field_name = {"duration": "seconds"}.get(error.field, error.field) if error is not None else ""
        if error is None or field_name not in self._fields or not self._fields[field_name].isVisibleTo(self):
            return False
        self._fields[field_name].show_problems(
            (Problem(field=field_name, title=error.title, message=error.message, hint=error.hint),)
        )
        self._fields[field_name].input.setFocus()
        return True


def _ways() -> tuple[tuple[str, object], ...]:
    return ((_("A new token of a ServiceAccount"), "token_request"), (_("A new client certificate"), "csr"))


def _pair(*parts: QWidget) -> QWidget:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(12)
    for part in parts:
        layout.addWidget(part, 1)
    return holder
