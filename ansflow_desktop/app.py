"""The window's composition root: services, presenters and pages meet here, and nowhere else."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QDialog

from ansflow_desktop.closing import Closing
from ansflow_desktop.widgets import icons, theme
from ansflow_desktop.widgets.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from ansflow_desktop.credentials.reminders import Reminder
    from ansflow_desktop.errors import UserError
    from ansflow_desktop.executors.services import Options, Services
    from ansflow_desktop.i18n import Text
    from ansflow_desktop.models.cluster import ClusterEntry
    from ansflow_desktop.presenters.clusters import ClustersPresenter
    from ansflow_desktop.presenters.credentials import CredentialsPresenter
    from ansflow_desktop.presenters.deploy import DeployPresenter
    from ansflow_desktop.presenters.pipelines import PipelinesPresenter
    from ansflow_desktop.presenters.reads import ClusterReads
    from ansflow_desktop.presenters.releases import ReleasesPresenter
    from ansflow_desktop.presenters.shell import ShellPresenter
    from ansflow_desktop.presenters.templates import TemplatesPresenter
    from ansflow_desktop.presenters.templates_state import Use
    from ansflow_desktop.widgets.clusters_desk import ClustersDesk
    from ansflow_desktop.widgets.desktop import Notifier
    from ansflow_desktop.widgets.page import Page
    from ansflow_desktop.widgets.vault_desk import VaultDesk

WIDTH, HEIGHT = 1440, 900
_LATER = Qt.ConnectionType.QueuedConnection
_SWITCH_S = 0.0005  # a thread that imports gives way to the window after 0.5 ms, not Python's 5


def application() -> QApplication:
    """Return the one QApplication, made where there is none yet."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("ansflow-desktop")
    app.setApplicationDisplayName("AnsFlow Desktop")
    app.setDesktopFileName("ansflow-desktop")
    return app


class Window(QObject):
    """The window with its presenters. `closed` comes when the last of it has ended and the program may go."""

    closed = Signal()

    def __init__(self, services: Services, chart: str | None = None, cluster: str | None = None) -> None:
        """Make the frame only: presenters and pages come with `load`."""
        super().__init__()
        self.services = services
        self._chart, self._cluster = chart, cluster
        self._closing = Closing(self)
        self._notifier: Notifier | None = None
        self._ended = False
        self._reads: ClusterReads | None = None
        self._pipelines: PipelinesPresenter | None = None
        self._templates: TemplatesPresenter | None = None
        self._clusters_desk: ClustersDesk | None = None
        self._credentials: CredentialsPresenter | None = None
        self.shell = Shell()
        self.shell.resize(WIDTH, HEIGHT)
        self.clusters: ClustersPresenter
        self.vault: VaultDesk
        self.frame: ShellPresenter
        self.deploy: DeployPresenter
        self.releases: ReleasesPresenter

    # Parts

    def load(self, reads: ClusterReads | None = None) -> None:
        """Make presenters and the first page; a loop must be running."""
        self.load_presenters(reads)
        self.load_page()

    def load_presenters(self, reads: ClusterReads | None = None) -> None:
        """Make the presenters; a loop must be running."""
        from ansflow_desktop.presenters.clusters import ClustersPresenter
        from ansflow_desktop.presenters.deploy import DeployPresenter
        from ansflow_desktop.presenters.releases import ReleasesPresenter
        from ansflow_desktop.presenters.shell import ShellPresenter
        from ansflow_desktop.widgets.vault_desk import VaultDesk

        self._reads = reads
        self.clusters = ClustersPresenter(self.services, reads)
        self.frame = ShellPresenter(self.services, self.clusters, reads, self._cluster)
        self.deploy = DeployPresenter(self.services, reads)
        self.releases = ReleasesPresenter(self.services, reads)
        self.vault = VaultDesk(self.shell, self.services)
        self._connect_presenters()
        self._connect_shell()

    def load_page(self) -> None:
        """Make the first page, on which everything that was loaded is shown."""
        self.shell.set_factory(self._make_page)
        self.shell.show_state(self.frame.state)

    @Slot()
    def begin(self) -> None:
        """Begin to read tools, clusters and the first chart: after the page was painted."""
        self.shell.setWindowIcon(QIcon(icons.pixmap("ship-wheel", "accent", 64)))
        self.frame.load()
        self.clusters.load()
        recent = self.services.settings.recent_charts
        first = self._chart or (recent[0] if recent else "")
        if first:
            self.deploy.choose_chart(first)

    @Slot()
    def look_back(self) -> None:
        """Tell what the last start left behind: not in pictures, which take no lock and open no journal."""
        self.frame.look_back()
        self.credentials.watch()

    def _connect_presenters(self) -> None:
        frame = self.frame
        for presenter in (self.clusters, frame, self.deploy, self.releases):
            presenter.failed.connect(self._on_failed)
        self.vault.failed.connect(frame.show_error)
        self.vault.unlocked.connect(self._on_unlocked)
        self.vault.said.connect(frame.tell_vault)
        self.clusters.approval_needed.connect(self._on_approval_needed)
        frame.cluster_changed.connect(self.deploy.choose_cluster)
        frame.cluster_changed.connect(self.releases.choose_cluster)
        frame.cluster_renamed.connect(self.deploy.rename_cluster)
        frame.cluster_renamed.connect(self.releases.rename_cluster)
        frame.namespace_changed.connect(self.releases.choose_namespace)
        frame.namespace_changed.connect(self.deploy.choose_namespace)
        frame.namespaces_changed.connect(self.deploy.set_namespaces)
        self.deploy.vault_needed.connect(self.vault.ask)
        self.deploy.namespaces_asked.connect(frame.reload_namespaces)
        frame.cluster_ready.connect(self.releases.watch)
        frame.cluster_ready.connect(self.deploy.cluster_answered)
        frame.cluster_failed.connect(self.releases.cluster_failed)
        frame.appearance_changed.connect(self._on_appearance)
        frame.state_changed.connect(self._on_frame)
        self.deploy.run_changed.connect(self._on_run_changed)
        self.deploy.finished.connect(self._on_run_finished)

    def _connect_shell(self) -> None:
        shell = self.shell
        shell.closing.connect(self._closing.ask)
        self._closing.agreed.connect(self._end)
        shell.chart_dropped.connect(self.deploy.choose_chart)
        shell.settings_asked.connect(self._on_settings)
        shell.shortcuts_asked.connect(self._on_shortcuts)
        shell.rebuilt.connect(self._connect_bars)
        self._connect_bars()

    @Slot()
    def _connect_bars(self) -> None:
        bar = self.shell.top_bar
        bar.cluster_chosen.connect(self.frame.choose_cluster)
        bar.namespace_chosen.connect(self.frame.choose_namespace)
        bar.language_chosen.connect(self.frame.choose_language)
        bar.theme_chosen.connect(self.frame.choose_theme)
        self.shell.banners.closed.connect(self.frame.close_banner)

    def _make_page(self, key: str) -> Page:
        if key == "releases":
            return self._releases_page()
        if key == "clusters":
            return self._clusters_page()
        if key == "credentials":
            return self._credentials_page()
        if key == "pipelines":
            return self._pipelines_page()
        if key == "templates":
            return self._templates_page()
        from ansflow_desktop.widgets.deploy_page import DeployPage

        return DeployPage(self.deploy)

    def _releases_page(self) -> Page:
        from ansflow_desktop.widgets.releases_page import ReleasesPage

        page = ReleasesPage(self.releases)
        page.deploy_asked.connect(self._on_deploy_asked)
        return page

    def _clusters_page(self) -> Page:
        page = self.clusters_desk.page()
        page.cluster_chosen.connect(self.frame.choose_cluster)
        return page

    @property
    def clusters_desk(self) -> ClustersDesk:
        """What the Clusters page works with, made when it is first shown."""
        if self._clusters_desk is None:
            from ansflow_desktop.presenters.reads import ClusterReads
            from ansflow_desktop.widgets.clusters_desk import ClustersDesk

            made = self._clusters_desk = ClustersDesk(self.services, self.clusters, self._reads or ClusterReads())
            made.failed.connect(self._on_failed)
            made.vault_needed.connect(self.vault.ask)
        return self._clusters_desk

    def _credentials_page(self) -> Page:
        from ansflow_desktop.widgets.credentials_page import CredentialsPage

        page = CredentialsPage(self.credentials)
        page.unlock_asked.connect(self.vault.ask_now)
        page.approve_asked.connect(self.clusters.ask_approval)
        return page

    def _pipelines_page(self) -> Page:
        from ansflow_desktop.widgets.pipelines_page import PipelinesPage

        return PipelinesPage(self.pipelines, self._cluster_names())

    def _templates_page(self) -> Page:
        from ansflow_desktop.widgets.templates_page import TemplatesPage

        return TemplatesPage(self.templates, self._cluster_names())

    def _cluster_names(self) -> tuple[str, ...]:
        return tuple(row.entry.name for row in self.frame.state.rows)

    @property
    def pipelines_if_made(self) -> PipelinesPresenter | None:
        """The presenter of the Pipelines page, None where the page was never shown."""
        return self._pipelines

    @property
    def pipelines(self) -> PipelinesPresenter:
        """The presenter of the Pipelines page, made when it is first shown: the start does not wait for it."""
        if self._pipelines is None:
            from ansflow_desktop.presenters.pipelines import PipelinesPresenter
            from ansflow_desktop.presenters.reads import ClusterReads

            made = self._pipelines = PipelinesPresenter(self.services, self._reads or ClusterReads())
            made.failed.connect(self._on_failed)
            made.desk.state_changed.connect(self._on_run_changed)
            made.desk.run_finished.connect(self._on_pipeline_finished)
            made.desk.template_asked.connect(self._on_template_asked)
            self.frame.cluster_changed.connect(self._on_place_changed)
            self.frame.cluster_renamed.connect(self._on_place_changed)
            self.frame.namespace_changed.connect(self._on_place_changed)
            application().applicationStateChanged.connect(self._on_application_state)
            self._on_place_changed()
        return self._pipelines

    @property
    def templates(self) -> TemplatesPresenter:
        """The presenter of the Templates page, made when it is first shown."""
        if self._templates is None:
            from ansflow_desktop.presenters.templates import TemplatesPresenter

            made = self._templates = TemplatesPresenter(self.services)
            made.failed.connect(self._on_failed)
            made.use_asked.connect(self._on_use_asked)
            made.said.connect(self.pipelines.said)
            self.frame.appearance_changed.connect(made.on_language)
            self.pipelines.desk.editor.state_changed.connect(self._on_open_pipeline)
            self._on_open_pipeline()
            self._on_place_changed()
        return self._templates

    @property
    def credentials(self) -> CredentialsPresenter:
        """The presenter of the Credentials page, made when it is first shown or the first reminder is looked for."""
        if self._credentials is None:
            from ansflow_desktop.presenters.credentials import CredentialsPresenter

            made = self._credentials = CredentialsPresenter(self.services)
            made.failed.connect(self._on_failed)
            made.state_changed.connect(self._on_credentials)
            made.due.connect(self._on_due)
            made.locked.connect(self._on_failed)
        return self._credentials

    # What happens

    @Slot(object)
    def _on_failed(self, error: UserError) -> None:
        """Ask for the vault where it is locked or missing; every other error is a banner."""
        if not self.vault.take(error):
            self.frame.show_error(error)

    @Slot()
    def _on_unlocked(self) -> None:
        self.clusters.load()
        if self._credentials is not None:
            self._credentials.check_all()

    @Slot()
    def _on_approved(self) -> None:
        if self._credentials is not None:
            self._credentials.load()

    @Slot()
    def _on_credentials(self) -> None:
        self.frame.set_expiring(self.credentials.state.soon)

    @Slot(tuple)
    def _on_due(self, due: tuple[Reminder, ...]) -> None:
        """Tell the desktop what ends soon; one banner says the same to who looks at the window."""
        from ansflow_desktop.presenters.credentials_reminders import reminder_banner

        banner = reminder_banner(due)
        self.frame.add_banner(banner)
        self._tell(banner.title, banner.text, "credentials")
        self.credentials.told(due)

    @Slot()
    def _on_place_changed(self) -> None:
        for part in (self.pipelines.desk, self._templates):
            if part is not None:
                part.work_in(self.frame.state.cluster, self.frame.state.namespace)

    @Slot()
    def _on_open_pipeline(self) -> None:
        state = self.pipelines.desk.state
        self.templates.set_pipeline(state.title if state.open else "")

    @Slot(str, tuple)
    def _on_template_asked(self, name: str, steps: tuple[dict[str, Any], ...]) -> None:
        self.templates.keep_steps(name, steps)

    @Slot(object)
    def _on_use_asked(self, use: Use) -> None:
        self.shell.show_page("pipelines")
        self.pipelines.use_steps(use)

    @Slot(Qt.ApplicationState)
    def _on_application_state(self, state: Qt.ApplicationState) -> None:
        """Look whether the open pipeline was changed by somebody else while another program was used."""
        if state is Qt.ApplicationState.ApplicationActive and self._pipelines is not None and not self._ended:
            self._pipelines.desk.editor.look_at_disk()

    @Slot()
    def _on_frame(self) -> None:
        self.shell.show_state(self.frame.state)

    @Slot()
    def _on_deploy_asked(self) -> None:
        self.shell.show_page("deploy")

    @Slot()
    def _on_run_changed(self) -> None:
        pipeline = self._pipelines is not None and self._pipelines.desk.run.running
        self.frame.set_running(int(self.deploy.state.running) + int(pipeline))

    @Slot(object)
    def _on_run_finished(self, _phase: object) -> None:
        self.frame.reload_namespaces()
        view = self.deploy.state.run
        if view is not None and view.verdict is not None:
            self._tell(view.verdict.title, view.verdict.state, "deploy")
        self._closing.run_ended()

    @Slot(object)
    def _on_pipeline_finished(self, _phase: object) -> None:
        self.frame.reload_namespaces()
        self._on_run_changed()
        view = self.pipelines.desk.run.view
        if view is not None and view.verdict is not None:
            self._tell(view.verdict.title, view.verdict.state, "pipelines")
        self._closing.run_ended()

    def _tell(self, title: Text, text: Text, page: str) -> None:
        """Tell the desktop what happened, when nobody looks at the window; a click shows it on its page."""
        if self.shell.isActiveWindow() or not self.shell.isVisible():
            return
        if self._notifier is None:
            from ansflow_desktop.widgets.desktop import Notifier

            self._notifier = Notifier(self.shell)
            self._notifier.page_asked.connect(self.shell.show_page)
        self._notifier.tell(title, text, page)

    @Slot(object)
    def _on_approval_needed(self, entry: ClusterEntry) -> None:
        from ansflow_desktop.widgets.dialogs import ApprovalDialog

        dialog = ApprovalDialog(self.shell, entry)
        dialog.approved.connect(self.clusters.approve)
        dialog.approved.connect(self._on_approved)
        dialog.open()

    @Slot()
    def _on_shortcuts(self) -> None:
        from ansflow_desktop.widgets.dialogs import ShortcutsDialog

        ShortcutsDialog(self.shell).open()

    @Slot()
    def _on_settings(self) -> None:
        from ansflow_desktop.widgets.dialogs import SettingsDialog
        from ansflow_desktop.widgets.vault_section import VaultSection

        state, settings = self.frame.state, self.services.settings
        dialog = SettingsDialog(self.shell, state.language, state.theme, settings.helm, settings.kubectl)
        dialog.language_chosen.connect(self.frame.choose_language)
        dialog.theme_chosen.connect(self.frame.choose_theme)
        dialog.tools_chosen.connect(self.frame.choose_tools)
        dialog.add_section(VaultSection(self.vault))
        dialog.open()

    @Slot()
    def _on_appearance(self) -> None:
        theme.apply(application(), self.frame.state.theme)
        self.shell.rebuild(self.frame.state)

    @Slot()
    def on_system_scheme(self) -> None:
        """Follow the desktop when it goes from light to dark or back; an open dialog's answer is waited for."""
        if self.frame.state.theme != "system" or theme.wants_dark("system", application()) == theme.current().dark:
            return
        dialog = application().activeModalWidget()
        if isinstance(dialog, QDialog):  # the page that it answers to would be made anew
            dialog.finished.connect(self.on_system_scheme, _LATER)
        else:
            self._on_appearance()

    # The end

    @Slot()
    def _end(self) -> None:
        self.shell.may_close = True
        self.shell.close()
        import asyncio

        asyncio.get_running_loop().create_task(self._finish())

    async def _finish(self) -> None:
        await self.aclose()
        self.closed.emit()

    async def aclose(self) -> None:
        """End every task and thread of the window; nothing is begun any more, as the loop ends too."""
        self._ended = True
        for made in (self._templates, self._pipelines, self._credentials, self._clusters_desk):
            if made is not None:
                await made.close()
        for presenter in (self.deploy, self.releases, self.frame, self.clusters, self.vault):
            await presenter.close()


def make_window(
    services: Services, chart: str | None = None, cluster: str | None = None, reads: ClusterReads | None = None
) -> Window:
    """Return the whole window on `services`, loaded but not shown; for tests and pictures. A loop must be running."""
    theme.apply(application(), services.settings.theme)
    window = Window(services, chart, cluster)
    window.load(reads)
    window.begin()
    return window


def _save_place(shell: Shell, place: Path) -> None:
    """Keep where the window was, unless nothing was ever written to this data directory (a look at the program)."""
    from ansflow_desktop.widgets.desktop import save_place

    if place.parent.is_dir():
        save_place(shell, place)


def run_window(options: Options, chart: str | None = None, cluster: str | None = None) -> int:
    """Open the window on `options` and return the program's exit code once it is closed.

    `chart` is a folder to choose at the start, `cluster` the name of the cluster to work in.
    """
    from ansflow_desktop.executors.services import build
    from ansflow_desktop.start import Start

    gc.disable()
    sys.setswitchinterval(_SWITCH_S)
    services = build(options)
    app = application()
    theme.apply(app, services.settings.theme)
    window = Window(services, chart, cluster)
    start = Start(window, app)
    window.shell.painted.connect(start.load)
    place = services.directories.data / "window.ini"
    if place.exists():
        from ansflow_desktop.widgets.desktop import restore_place

        restore_place(window.shell, place)
    window.shell.show()
    try:
        return app.exec()
    finally:
        _save_place(window.shell, place)
        start.close_loop()
        services.close()
