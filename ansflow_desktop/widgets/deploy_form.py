"""The left card of the Deploy page: what is deployed, where to, and how."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QSizePolicy, QVBoxLayout, QWidget

from ansflow_desktop import paths
from ansflow_desktop.i18n import Text, _, msg, msg_n, translate
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.presenters import namespaces
from ansflow_desktop.presenters.deploy import DeployPresenter
from ansflow_desktop.presenters.deploy_state import DeployState
from ansflow_desktop.widgets.code import CodeEditor, CodeView
from ansflow_desktop.widgets.controls import (
    Card,
    CheckBox,
    Chip,
    Column,
    ComboBox,
    FlowLayout,
    button,
    clear,
    icon_button,
    label,
    plain_tip,
    row,
    rule,
)
from ansflow_desktop.widgets.fields import Field
from ansflow_desktop.widgets.values_list import ValuesList


class ChartChips(QWidget):
    """What Chart.yaml says, and whether the dependencies are there."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._flow = FlowLayout()
        self.setLayout(self._flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._shown: tuple[tuple[str, str, str], ...] = ()
        self.hide()

    def show_state(self, state: DeployState) -> None:
        """Show the chips of the chosen chart."""
        chips = _chips(state)
        if chips != self._shown:
            self._shown = chips
            clear(self._flow)
            for text, icon, tone in chips:
                self._flow.addWidget(Chip(text, icon, tone))
            self.setVisible(bool(chips))
            self.updateGeometry()


def _chips(state: DeployState) -> tuple[tuple[str, str, str], ...]:
    chart = state.chart
    if state.reading:
        return ((_("Reading the chart"), "progress-clock", "muted"),)
    if chart is None:
        return ()
    chips = [(f"{chart.name} {chart.version}", "check-circle", "ok")]
    if chart.app_version:
        chips.append((translate(msg("app %(version)s", version=chart.app_version)), "", "muted"))
    total, missing = len(chart.dependencies), len(chart.missing)
    if total:
        tone = ("check-circle", "ok") if not missing else ("alert", "warn")
        here = msg_n(
            "%(here)s of %(count)s dependency here",
            "%(here)s of %(count)s dependencies here",
            total,
            here=total - missing,
        )
        chips.append((translate(here), *tone))
    return tuple(chips)


def _about_namespace(name: str, cluster: str, found: NamespaceList) -> Text:
    if not name or name in found.names:
        return namespaces.old_note(found.read_at) if namespaces.is_old(found.read_at) else ""
    if namespaces.are_all(found):
        return msg("%(name)s does not exist yet and will be created.", name=name)
    return namespaces.not_looked_up(name, cluster)


class DeployForm(Card):
    """Shows a DeployState's fields; everything typed goes straight to the presenter."""

    def __init__(self, presenter: DeployPresenter) -> None:
        """Make the form for `presenter`."""
        super().__init__(margins=0)
        self._presenter = presenter
        self._filling = False
        self.body.setContentsMargins(0, 0, 0, 0)
        scroll = Column(310)
        self._layout = QVBoxLayout(scroll.inside)
        self._layout.setContentsMargins(16, 14, 16, 16)
        self._layout.setSpacing(10)
        self.body.addWidget(scroll)
        self._build()
        presenter.state_changed.connect(self._on_state)
        presenter.form_replaced.connect(self._on_form_replaced)
        self._on_form_replaced()
        self._on_state()

    def _build(self) -> None:
        self._layout.addWidget(label(_("What and where"), "card_title"))
        self._build_chart()
        self._build_names()
        self._layout.addWidget(rule())
        self._build_values()
        self._layout.addWidget(rule())
        self._build_options()

    def _build_chart(self) -> None:
        self._chart = QLineEdit()
        self._chart.setObjectName("chart_path")
        self._chart.setPlaceholderText(_("Type a folder, browse, or drop one here"))
        self._chart.setAccessibleName(_("Chart folder"))
        self._chart.editingFinished.connect(self._on_chart_typed)
        recent = icon_button("history", _("Recent chart folders"))
        recent.setObjectName("recent_charts")
        recent.clicked.connect(self._on_recent)
        self._recent = recent
        browse = icon_button("folder-open-outline", _("Browse for a chart folder"))
        browse.setObjectName("browse_chart")
        browse.clicked.connect(self.browse)
        line = QWidget()
        line.setLayout(row(self._chart, recent, browse, spacing=2))
        self._chart_field = Field(_("Chart folder"), line, self._chart)
        self._layout.addWidget(self._chart_field)
        self._chips = ChartChips()
        self._layout.addWidget(self._chips)
        self._fetched = label("", "muted", wrap=True)
        self._fetched.setObjectName("fetched")
        self._layout.addWidget(self._fetched)

    def _build_names(self) -> None:
        self._release = QLineEdit()
        self._release.setObjectName("release_name")
        self._release.setAccessibleName(_("Release name"))
        self._release.textEdited.connect(self._on_release_typed)
        self._release_field = Field(_("Release name"), self._release)
        self._namespace = ComboBox(_("Namespace to deploy to"))
        self._namespace.setObjectName("deploy_namespace")
        self._namespace.setEditable(True)
        self._namespace.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        edit = QLineEdit()
        self._namespace.setLineEdit(edit)
        # Completing `fe` to `fe-app` unasked would deploy to the wrong one.
        self._namespace.setCompleter(None)  # type: ignore[arg-type]  # the stub leaves None out
        edit.setAccessibleName(_("Namespace to deploy to"))
        edit.setPlaceholderText(_("Choose or type one"))
        self._namespace.editTextChanged.connect(self._on_namespace_typed)
        again = icon_button("refresh", _("Read the namespaces again"))
        again.setObjectName("deploy_namespaces_again")
        again.clicked.connect(self._presenter.reload_namespaces)
        line = QWidget()
        inside = row(self._namespace, again, spacing=2)
        inside.setStretch(0, 1)
        line.setLayout(inside)
        self._namespace_field = Field(_("Namespace"), line, self._namespace)
        self._new_namespace = label("", "muted", wrap=True)
        self._layout.addWidget(self._release_field)
        self._layout.addWidget(self._namespace_field)
        self._layout.addWidget(self._new_namespace)

    def _build_values(self) -> None:
        self._values = ValuesList()
        self._values.used.connect(self._on_values_used)
        self._values.moved.connect(self._presenter.move_values_file)
        self._values.removed.connect(self._presenter.remove_values_file)
        add = button(_("Add file…"), "link", "file-plus-outline", _("Add a values file"))
        add.clicked.connect(self._on_add_values)
        self._layout.addLayout(row(label(_("Values files, later ones win"), "field"), 1, add))
        self._values_field = Field("", self._values)
        self._layout.addWidget(self._values_field)
        self._custom = CodeEditor(_("Extra values as YAML"))
        self._custom.setObjectName("custom_values")
        self._custom.setPlaceholderText(_("replicaCount: 2"))
        self._custom.setMinimumHeight(96)
        self._custom.textChanged.connect(self._on_custom_typed)
        self._custom_field = Field(_("Extra values as YAML, used last"), self._custom, stretch=1)
        self._layout.addWidget(self._custom_field, 1)
        self._kept_note = label("", "", "warn", wrap=True)
        self._kept = CodeView(_("Values that the release keeps"), yaml=True)
        self._kept.setMaximumHeight(110)
        self._layout.addWidget(self._kept_note)
        self._layout.addWidget(self._kept)

    def _build_options(self) -> None:
        self._wait = CheckBox(_("Wait until everything is ready"))
        self._wait.setObjectName("wait")
        self._wait.toggled.connect(self._on_wait)
        self._rollback = CheckBox(_("Roll back on failure"))
        self._rollback.setObjectName("rollback")
        self._rollback.toggled.connect(self._on_rollback)
        self._reset = CheckBox(_("Start from the chart's defaults"))
        self._reset.setToolTip(_("Gives --reset-values: what the last deploy set is forgotten."))
        self._reset.setObjectName("reset_values")
        self._reset.toggled.connect(self._on_reset)
        self._timeout = QLineEdit()
        self._timeout.setObjectName("timeout")
        self._timeout.setAccessibleName(_("Timeout"))
        self._timeout.setMaximumWidth(96)
        self._timeout.setToolTip(_("A duration such as 300s, 5m or 1h30m"))
        self._timeout.textEdited.connect(self._on_timeout_typed)
        holder = QWidget()
        holder.setLayout(row(self._timeout, label(_("such as 300s or 5m"), "muted"), 1))
        self._timeout_field = Field(_("Timeout"), holder, self._timeout)
        options = QVBoxLayout()
        options.setSpacing(4)
        for part in (self._wait, self._rollback, self._reset):
            options.addWidget(part)
        self._layout.addLayout(options)
        self._layout.addWidget(self._timeout_field)

    # Shown

    @Slot()
    def _on_form_replaced(self) -> None:
        state = self._presenter.state
        self._filling = True
        self._set_line(self._chart, shown_path(state.chart_path))
        self._set_line(self._release, state.release_name)
        self._set_line(self._timeout, state.timeout)
        if self._custom.toPlainText() != state.custom_values:
            self._custom.setPlainText(state.custom_values)
        names = [self._namespace.itemText(index) for index in range(self._namespace.count())]
        if names != list(state.namespaces):
            self._namespace.clear()
            self._namespace.addItems(list(state.namespaces))
        if self._namespace.currentText() != state.namespace:
            self._namespace.setEditText(state.namespace)
        self._wait.setChecked(state.wait)
        self._rollback.setChecked(state.rollback)
        self._reset.setChecked(state.reset_values)
        self._filling = False

    @staticmethod
    def _set_line(line: QLineEdit, text: str) -> None:
        if line.text() != text:
            line.setText(text)

    @Slot()
    def _on_state(self) -> None:
        state = self._presenter.state
        self._chips.show_state(state)
        self._show_fetched(state)
        self._recent.setEnabled(bool(state.recent))
        self._values.show_choices(state.values, chart=state.chart is not None)
        self._chart_field.show_problems(state.problems_of("chart_path", "chart_name"))
        self._release_field.show_problems(state.problems_of("release_name"))
        self._namespace_field.show_problems(state.problems_of("k8s_namespace", "namespace"))
        self._values_field.show_problems(state.problems_of("values_files"))
        custom = state.problems_of("custom_values")
        self._custom_field.show_problems(custom)
        self._custom.mark_line(line_of(custom[0].message) if custom else 0)
        self._timeout_field.show_problems(state.problems_of("timeout"))
        self._show_namespace_note(state)
        self._show_kept(state)

    def _show_fetched(self, state: DeployState) -> None:
        """Say what is fetched before the deploy: the person's folder is never changed unasked."""
        total, missing = (len(state.chart.dependencies), len(state.chart.missing)) if state.chart else (0, 0)
        note = msg_n(
            "%(missing)s of %(count)s dependency will be fetched into a private copy of the chart.",
            "%(missing)s of %(count)s dependencies will be fetched into a private copy of the chart.",
            total,
            missing=missing,
        )
        self._fetched.setText(translate(note))
        self._fetched.setToolTip(plain_tip(translate(state.fetches)))
        self._fetched.setVisible(bool(state.fetches and missing))

    def _show_namespace_note(self, state: DeployState) -> None:
        """Say how old the names are where they are not fresh, and that one does not exist where that is known."""
        found = state.namespace_list
        text = translate(_about_namespace(state.namespace, state.cluster, found)) if found else ""
        self._namespace.setToolTip(plain_tip(translate(namespaces.note(found))) if found else "")
        self._new_namespace.setText(text)
        self._new_namespace.setVisible(bool(text) and not state.problems_of("k8s_namespace", "namespace"))

    def _show_kept(self, state: DeployState) -> None:
        shown = bool(state.kept) and not state.gives_values
        text = _("The live release has values of its own. Helm keeps them, because none are given here:")
        dropped = _("The live release has values of its own. They will be forgotten:")
        self._kept_note.setText(dropped if state.reset_values else text)
        self._kept_note.setVisible(shown)
        self._kept.setVisible(shown)
        self._kept.show_text(state.kept)

    # Typed

    @Slot()
    def _on_chart_typed(self) -> None:
        if self._chart.text() != shown_path(self._presenter.state.chart_path):
            self._presenter.choose_chart(self._chart.text())

    @Slot(str)
    def _on_release_typed(self, text: str) -> None:
        self._edit(release_name=text)

    @Slot(str)
    def _on_namespace_typed(self, text: str) -> None:
        self._edit(namespace=text.strip())

    @Slot(str)
    def _on_timeout_typed(self, text: str) -> None:
        self._edit(timeout=text.strip())

    @Slot()
    def _on_custom_typed(self) -> None:
        self._edit(custom_values=self._custom.toPlainText())

    @Slot(bool)
    def _on_wait(self, on: bool) -> None:
        self._edit(wait=on)

    @Slot(bool)
    def _on_rollback(self, on: bool) -> None:
        self._edit(rollback=on)

    @Slot(bool)
    def _on_reset(self, on: bool) -> None:
        self._edit(reset_values=on)

    def _edit(self, **fields: object) -> None:
        if not self._filling:
            self._presenter.edit(**fields)

    @Slot(str, bool)
    def _on_values_used(self, path: str, used: bool) -> None:
        self._presenter.use_values_file(path, used=used)

    # Dialogs

    @Slot()
    def browse(self) -> None:
        """Open the folder dialog; it does not block the window."""
        dialog = QFileDialog(self, _("Choose a chart folder"), self._start_folder())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._presenter.choose_chart)
        dialog.open()

    @Slot()
    def _on_add_values(self) -> None:
        dialog = QFileDialog(self, _("Add values files"), self._start_folder())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([_("YAML files (*.yaml *.yml)"), _("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._on_values_selected)
        dialog.open()

    @Slot(list)
    def _on_values_selected(self, paths: list[str]) -> None:
        for path in paths:
            self._presenter.add_values_file(path)

    def _start_folder(self) -> str:
        return self._presenter.state.chart_path or str(paths.home())

    @Slot()
    def _on_recent(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for path in self._presenter.state.recent:
            menu.addAction(shown_path(path)).setData(path)
        menu.triggered.connect(self._on_recent_chosen)
        menu.popup(self._recent.mapToGlobal(QPoint(0, self._recent.height() + 2)))

    @Slot(object)
    def _on_recent_chosen(self, action: object) -> None:
        self._presenter.choose_chart(action.data())  # type: ignore[attr-defined]  # a QAction

    def focus_first(self) -> None:
        """Put the keyboard into the first field."""
        self._chart.setFocus()


def shown_path(path: str) -> str:
    """Return a path as people write it: below the home folder with `~`."""
    home = str(paths.home())
    return "~" + path[len(home) :] if path.startswith(home + "/") else path


def line_of(message: object) -> int:
    """Return the line number that a YAML problem's message carries as a parameter, 0 for none."""
    params = getattr(message, "params", {})
    line = params.get("line", 0)
    return int(line) if str(line).isdigit() else 0
