"""The Deploy page: the form on the left; command, manifest, run and verdict on the right. One primary button."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.presenters.deploy import DeployPresenter
from ansflow_desktop.presenters.deploy_state import DeployState, PreviewStatus
from ansflow_desktop.widgets.code import OUTPUT_LINES, CodeView, CommandView
from ansflow_desktop.widgets.controls import Card, Column, EmptyState, button, label, plain_tip, row
from ansflow_desktop.widgets.deploy_form import DeployForm
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.run_panel import ResourceTree, StatusStrip, Timeline, VerdictCard

MANIFEST, OUTPUT = 0, 1
_LOW = 740


class _Split(QSplitter):
    """Asks for no more than its parts need at least: the column scrolls only where even that does not fit."""

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()


class DeployPage(Page):
    """Shows a DeployPresenter."""

    def __init__(self, presenter: DeployPresenter) -> None:
        """Make the page for `presenter` as it stands, also in the middle of a run."""
        super().__init__(_("Deploy a chart"))
        self.presenter = presenter
        self._was_running = False
        self._build_actions()
        columns = QHBoxLayout()
        columns.setSpacing(14)
        self.form = DeployForm(presenter)
        self.form.setMaximumWidth(440)
        columns.addWidget(self.form, 4)
        columns.addWidget(self._right_column(), 8)
        self.content.addLayout(columns, 1)
        self._build_right()
        presenter.state_changed.connect(self._on_state)
        presenter.run_changed.connect(self._on_run)
        presenter.output_added.connect(self._on_output)
        if presenter.run.output:
            self._output.append_text(presenter.run.output)
        self._on_state()
        self._on_run()

    def _build_actions(self) -> None:
        self._cancel = button(_("Cancel"), "danger", "stop")
        self._cancel.setObjectName("cancel")
        self._cancel.clicked.connect(self._on_cancel)
        self._deploy = button(_("Deploy"), "primary", "rocket-launch-outline")
        self._deploy.setObjectName("deploy")
        self._deploy.clicked.connect(self.presenter.deploy)
        self.action_row.addWidget(self._cancel)
        self.action_row.addWidget(self._deploy)

    def _right_column(self) -> Column:
        """Return the right column; it scrolls where the window is too low for all of it."""
        scroll = Column()
        self._right = QVBoxLayout(scroll.inside)
        self._right.setContentsMargins(0, 0, 0, 0)
        self._right.setSpacing(12)
        return scroll

    def _build_right(self) -> None:
        self._verdict = VerdictCard()
        self._verdict.closed.connect(self.presenter.clear_run)
        self._right.addWidget(self._verdict)
        self._strip = StatusStrip()
        self._strip.hide()
        self._right.addWidget(self._strip)
        self._command_box = self._command_card()
        self._right.addWidget(self._command_box)
        self._split = _Split(Qt.Orientation.Vertical)
        self._split.setHandleWidth(12)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._live_cards())
        self._split.addWidget(self._tabs_card())
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        self._right.addWidget(self._split, 1)

    def _command_card(self) -> Card:
        card = Card(_("Command"), spacing=6)
        self._copy = button(_("Copy command"), "link", "content-copy")
        self._copy.setObjectName("copy_command")
        self._copy.clicked.connect(self._on_copy)
        card.header.addWidget(self._copy)
        self._command = CommandView(_("The command that runs"))
        self._command.setObjectName("command")
        self._command.setPlaceholderText(_("The exact command stands here once nothing is missing."))
        card.body.addWidget(self._command)
        self._problems = Problems()
        card.body.addWidget(self._problems)
        return card

    def _live_cards(self) -> QSplitter:
        self._live = QSplitter(Qt.Orientation.Horizontal)
        self._live.setHandleWidth(12)
        self._live.setChildrenCollapsible(False)
        resources = Card(_("Resources"), spacing=4)
        self._tree = ResourceTree()
        resources.body.addWidget(self._tree, 1)
        timeline = self._timeline_card = Card(_("Timeline"), spacing=4)
        self._timeline = Timeline()
        timeline.body.addWidget(self._timeline, 1)
        for card, width in ((resources, 260), (timeline, 200)):
            card.setMinimumSize(width, 150)
            self._live.addWidget(card)
        self._live.setSizes([600, 380])
        self._live.setStretchFactor(0, 8)
        self._live.setStretchFactor(1, 5)
        self._live.hide()
        return self._live

    def _tabs_card(self) -> Card:
        card = Card(spacing=6)
        card.body.setContentsMargins(16, 6, 16, 16)
        card.setMinimumHeight(150)
        self._tabs = QTabBar()
        self._tabs.setAccessibleName(_("Manifest or output"))
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.addTab(_("Manifest"))
        self._tabs.addTab(_("Output"))
        self._tabs.currentChanged.connect(self._on_tab)
        self._objects = label("", "muted")
        card.body.addLayout(row(self._tabs, 1, self._objects))
        self._stack = QStackedWidget()
        self._stack.setMinimumHeight(70)
        self._manifest = CodeView(_("Rendered manifest"), yaml=True)
        self._output = CodeView(_("Output of helm"), lines=OUTPUT_LINES)
        self._output.setObjectName("output")
        self._output.setPlaceholderText(_("What helm writes stands here during a deploy."))
        self._stack.addWidget(self._manifest_pages())
        self._stack.addWidget(self._output)
        card.body.addWidget(self._stack, 1)
        return card

    def _manifest_pages(self) -> QStackedWidget:
        self._manifest_stack = QStackedWidget()
        self._no_manifest = EmptyState(
            "file-document-outline",
            _("No manifest yet"),
            _("Choose a chart folder: what helm would send to the cluster stands here, before anything runs."),
        )
        self._loading = label(_("Rendering the manifest…"), "context")
        self._loading.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._loading.setContentsMargins(8, 10, 8, 8)
        self._render_problems = Problems()
        failed = QWidget()
        layout = QVBoxLayout(failed)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self._render_problems)
        layout.addStretch(1)
        for part in (self._no_manifest, self._loading, self._manifest, failed):
            self._manifest_stack.addWidget(part)
        return self._manifest_stack

    # Shown

    @Slot()
    def _on_state(self) -> None:
        state = self.presenter.state
        self.set_context(_context(state))
        self._deploy.setEnabled(state.can_deploy)
        self._deploy.setToolTip(plain_tip(_blocker(state)))
        self._copy.setEnabled(bool(state.copy_text))
        self._command.show_command(state.command)
        self._problems.show_problems(state.problems_elsewhere(*_PLACED))
        self._show_preview(state)

    def _show_preview(self, state: DeployState) -> None:
        preview = state.preview
        order = (PreviewStatus.NONE, PreviewStatus.LOADING, PreviewStatus.READY, PreviewStatus.FAILED)
        self._manifest_stack.setCurrentIndex(order.index(preview.status))
        if preview.status is PreviewStatus.READY:
            self._manifest.show_text(preview.text)
        self._render_problems.show_problems(preview.problems)
        self._show_count()

    def _show_count(self) -> None:
        preview = self.presenter.state.preview
        shown = self._tabs.currentIndex() == MANIFEST and preview.status is PreviewStatus.READY
        count = translate(msg_n("%(count)s object", "%(count)s objects", preview.objects))
        self._objects.setText(count if shown else "")

    @Slot(int)
    def _on_tab(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self._show_count()

    @Slot()
    def _on_run(self) -> None:
        view = self.presenter.state.run
        running = view is not None and view.running
        if running and not self._was_running:
            self._begin_run()
        self._was_running = running
        self._cancel.setVisible(running)
        self._deploy.setVisible(not running)
        self._deploy.setEnabled(self.presenter.state.can_deploy)
        self._live.setVisible(view is not None and bool(view.resources or view.timeline))
        self._strip.setVisible(running)
        self._verdict.show_view(view)
        self.form.setEnabled(not running)
        self._fit()
        if view is None:
            self._tabs.setCurrentIndex(MANIFEST)
            return
        self._cancel.setText(_("Stop at once…") if view.cancelling else _("Cancel"))
        self._timeline_card.setVisible(bool(view.timeline))
        self._strip.show_view(view)
        self._tree.show_nodes(view.resources)
        self._timeline.show_rows(view.timeline)

    def _fit(self) -> None:
        """Leave the command out of a low window once it runs: what it does is worth more room."""
        self._command_box.setVisible(self.presenter.state.run is None or self.height() > _LOW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what matters in view."""
        super().resizeEvent(event)
        self._fit()

    def _begin_run(self) -> None:
        self._output.clear()
        self._tabs.setCurrentIndex(OUTPUT)
        self._cancel.setEnabled(True)

    @Slot(str)
    def _on_output(self, text: str) -> None:
        self._output.append_text(text)

    # Pressed

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.presenter.state.copy_text)
        self.said.emit(_("The command was copied"))

    @Slot()
    def _on_cancel(self) -> None:
        view = self.presenter.state.run
        if view is None or not view.running:
            return
        if not view.cancelling:
            self.presenter.cancel()
            return
        self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(_("Stop at once"))
        box.setText(_("Stop helm at once?"))
        box.setInformativeText(
            _("Helm is still recording the release's state. Stopped now, the release can stay locked as pending.")
        )
        wait = box.addButton(_("Keep waiting"), QMessageBox.ButtonRole.RejectRole)
        stop = box.addButton(_("Stop at once"), QMessageBox.ButtonRole.DestructiveRole)
        stop.setProperty("role", "danger")
        stop.setObjectName("stop_at_once")
        stop.clicked.connect(self.presenter.cancel)
        box.setDefaultButton(wait)
        box.setEscapeButton(wait)
        box.open()

    def reload(self) -> None:
        """Read the chart's folder again (Ctrl+R)."""
        self.presenter.reload_chart()

    def trigger(self) -> None:
        """Deploy (Ctrl+Return)."""
        if self._deploy.isVisible() and self._deploy.isEnabled():
            self.presenter.deploy()

    def focus_first(self) -> None:
        """Put the keyboard into the first field."""
        self.form.focus_first()


def _context(state: DeployState) -> str:
    if state.chart is None:
        return _("Choose a chart folder and a cluster")
    if not state.cluster:
        return _("Choose a cluster")
    where = f"{state.cluster} / {state.namespace}" if state.namespace else state.cluster
    return translate(
        msg("%(chart)s %(version)s to %(where)s", chart=state.chart.name, version=state.chart.version, where=where)
    )


def _blocker(state: DeployState) -> str:
    if state.read_only:
        return _("This start is read-only")
    if state.can_deploy or state.running:
        return _("Deploy  Ctrl+Return")
    return translate(state.problems[0].title) if state.problems else _("Choose a chart folder and a cluster")


_PLACED = (
    "chart_path",
    "chart_name",
    "release_name",
    "k8s_namespace",
    "namespace",
    "values_files",
    "custom_values",
    "timeout",
)
