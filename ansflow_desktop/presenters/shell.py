"""The frame around the pages: which cluster and namespace one works in, tools, banners, language and theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop import i18n
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.models.command import Tool, ToolSet
from ansflow_desktop.presenters import namespaces, notices
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.clusters import ClustersPresenter
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.presenters.reads import ClusterReads
from ansflow_desktop.presenters.shell_state import Banner, ShellState
from ansflow_desktop.settings import Settings

if TYPE_CHECKING:
    from ansflow_desktop.executors.reconcile import State, Target, Unfinished
    from ansflow_desktop.models.cluster import NamespaceList

_NO_ANSWER = (Reach.UNREACHABLE, Reach.REFUSED, Reach.APPROVAL_NEEDED, Reach.LOCKED)


class ShellPresenter(Presenter):
    """Emits `cluster_changed(name)`, `namespace_changed(name)`, `appearance_changed()` (language or theme).

    `cluster_renamed(old, new)` comes in place of them where the chosen cluster is the same, called otherwise.
    """

    cluster_changed = Signal(str)
    cluster_renamed = Signal(str, str)
    namespace_changed = Signal(str)
    namespaces_changed = Signal(object)
    cluster_ready = Signal(str)
    cluster_failed = Signal(str, object)
    appearance_changed = Signal()

    def __init__(
        self, services: Any, clusters: ClustersPresenter, reads: ClusterReads | None = None, cluster: str | None = None
    ) -> None:
        """Follow `clusters`; `cluster` is the one asked for on the command line."""
        super().__init__()
        self._services = services
        self._clusters = clusters
        self._reads = reads or ClusterReads()
        self._wanted = cluster or ""
        self._ready = ""
        self._closed: set[str] = set()
        self._groups: dict[str, tuple[Banner, ...]] = {}
        self._grouped: set[str] = set()
        self._left_over: tuple[Unfinished, ...] = ()
        settings = services.settings
        self.state = ShellState(language=i18n.active_language(), theme=settings.theme or "system")
        self._left = False
        clusters.state_changed.connect(self._on_clusters)
        clusters.removed.connect(self._on_removed)
        clusters.renamed.connect(self._on_renamed)

    def load(self) -> None:
        """Look for helm and kubectl off the window's thread and say what happened to damaged files."""
        self._start("tools", self._load_tools())

    async def _load_tools(self, *, again: bool = False) -> None:
        self._show_banners("start", await off_thread(lambda: notices.start_banners(self._services)))
        tools, banners = await off_thread(lambda: self._find_tools(again))
        self._show_banners("tools", banners)
        self._publish(msgspec.structs.replace(self.state, tools=_tool_texts(tools)))

    def _find_tools(self, again: bool) -> tuple[ToolSet, tuple[Banner, ...]]:
        try:
            tools = self._services.find_tools_again() if again else self._services.tools
        except UserError as error:
            return ToolSet(), (notices.wrong_tool(error),)
        return tools, notices.tool_banners(tools)

    def look_back(self) -> None:
        """Take the data directory's lock and tell what the last start left: damage, and runs without an end."""
        self._start("past", self._look_back())

    async def _look_back(self) -> None:
        self._show_banners("data", await off_thread(lambda: notices.data_banners(self._services)))
        self._left_over = await off_thread(lambda: notices.runs_left_over(self._services))
        await self._ask_about(self._left_over)

    async def _ask_about(self, runs: tuple[Unfinished, ...]) -> None:
        for run in runs:
            states = () if run.alive else tuple([await self._read_state(target) for target in run.targets])
            banner = notices.run_banner(run, states)
            if banner.key not in self._closed:
                self.add_banner(banner)

    async def _read_state(self, target: Target) -> State:
        from ansflow_desktop.executors.reconcile import State

        try:
            document = await off_thread(lambda: self._services.catalog.document(target.cluster))
            release = await self._reads.release(document, target.namespace, target.release)
        except UserError as error:
            return State(target=target, error=error)
        return State(target=target, release=release)

    def _show_banners(self, group: str, banners: tuple[Banner, ...]) -> None:
        """Show these banners in place of the last ones of `group`, without those that were closed."""
        self._groups[group] = banners
        of_groups = [one for shown in self._groups.values() for one in shown if one.key not in self._closed]
        known = self._grouped | {one.key for one in banners}
        others = [one for one in self.state.banners if one.key not in known]
        self._grouped = known
        self._publish(msgspec.structs.replace(self.state, banners=(*of_groups, *others)))

    def close_banner(self, key: str) -> None:
        """Hide a banner until the next start; one on a run left over for good."""
        self._closed.add(key)
        if key.startswith(notices.RUN):
            self._start(f"told {key}", self._tell(key.removeprefix(notices.RUN)))
        left = tuple(banner for banner in self.state.banners if banner.key != key)
        self._publish(msgspec.structs.replace(self.state, banners=left))

    async def _tell(self, run_id: str) -> None:
        for run in self._left_over:
            if run.run == run_id:
                await off_thread(lambda told=run: notices.told(self._services, told))  # type: ignore[misc]

    def add_banner(self, banner: Banner) -> None:
        """Show one more banner (an error that belongs to no field)."""
        others = tuple(shown for shown in self.state.banners if shown.key != banner.key)
        self._publish(msgspec.structs.replace(self.state, banners=(*others, banner)))

    @Slot(object)
    def show_error(self, error: UserError) -> None:
        """Show an error that belongs to no field as a banner; a newer one takes its place."""
        text = error.message or error.hint
        self.add_banner(Banner(key="error", tone="bad", title=error.title, text=text))

    @Slot(object, object)
    def tell_vault(self, title: Text, text: Text) -> None:
        """Say what became of the vault's files; a newer word takes its place."""
        self.add_banner(Banner(key="vault", tone="warn", title=title, text=text))

    @Slot()
    def _on_clusters(self) -> None:
        rows = self._clusters.state.rows
        self._publish(msgspec.structs.replace(self.state, rows=rows))
        stands_in = self.state.row is not None and _offered(self.state.row)  # no cluster yet, and nobody's choice
        if rows and (stands_in or not self.state.cluster) and not self._left:
            self.choose_cluster(self._first(rows))
        row = self.state.row
        reachable = row is not None and row.status.reach is Reach.REACHABLE
        if reachable and self._ready != self.state.cluster:
            self._ready = self.state.cluster
            self._start("namespaces", self._load_namespaces(self._ready))
            left = tuple(run for run in self._left_over if self._ready in {target.cluster for target in run.targets})
            self._start("left over", self._ask_about(left))
            self.cluster_ready.emit(self._ready)
        if row is not None and row.status.reach in _NO_ANSWER:
            self._ready = ""
            self.cluster_failed.emit(row.entry.name, _why(row))
        if row is None and self.state.cluster and not self._clusters.state.loading:
            self._say_gone(self.state.cluster)

    def _say_gone(self, name: str) -> None:
        """Say that the chosen cluster is not there any more; it stays chosen, as a file may just be written anew."""
        self._ready = ""
        title = msg("There is no cluster “%(cluster)s” any more", cluster=name)
        self.cluster_failed.emit(name, UserError(title, "", msg("Choose another cluster.")))

    @Slot(str)
    def _on_removed(self, name: str) -> None:
        """Work in no cluster: none takes the place of the one that was removed without being chosen."""
        if name == self.state.cluster:
            self._left = True
            self._work_in("", "")

    @Slot(str, str)
    def _on_renamed(self, before: str, name: str) -> None:
        """Go on in the cluster under its new name."""
        if before == self.state.cluster:
            self._ready = ""
            self._clusters.watch("shell", name)
            self._publish(msgspec.structs.replace(self.state, cluster=name))
            self.cluster_renamed.emit(before, name)

    def _first(self, rows: tuple[ClusterRow, ...]) -> str:
        names = [row.entry.name for row in rows]
        if self._wanted in names:
            return self._wanted
        names = [row.entry.name for row in rows if not _offered(row)] or names
        last = _last_cluster(self._services.settings)
        current = getattr(self._services.catalog, "current", str)()
        return next((name for name in (last, current) if name in names), names[0])

    def choose_cluster(self, name: str) -> None:
        """Work in cluster `name`; the namespace is the one noted of it, as the last one belongs to the old cluster."""
        if name == self.state.cluster or not any(row.entry.name == name for row in self.state.rows):
            return
        self._ready = ""
        self._work_in(name, next(row.entry.marks.namespace for row in self.state.rows if row.entry.name == name))
        self._start("known namespaces", self._show_known(name))
        self._clusters.check(name)
        self._on_clusters()

    def _work_in(self, name: str, namespace: str) -> None:
        self._left = self._left and not name
        self._clusters.watch("shell", name)
        self._publish(
            msgspec.structs.replace(self.state, cluster=name, namespace=namespace, namespaces=(), namespaces_note="")
        )
        self.namespaces_changed.emit(None)
        self.cluster_changed.emit(name)
        self.namespace_changed.emit(namespace)

    def choose_namespace(self, name: str) -> None:
        """Work in namespace `name`; empty for all of them."""
        if name != self.state.namespace:
            self._publish(msgspec.structs.replace(self.state, namespace=name))
            self.namespace_changed.emit(name)

    def reload_namespaces(self) -> None:
        """Ask the chosen cluster for its namespaces again; one that did not answer is checked first."""
        if self._ready:
            self._start("namespaces", self._load_namespaces(self._ready))
        elif self.state.cluster:
            self._clusters.check(self.state.cluster)

    async def _load_namespaces(self, cluster: str) -> None:
        number = self._requests.begin("namespaces")
        found = await namespaces.of(self._services).read(cluster, self._reads)
        if self._requests.current("namespaces", number):
            self._show_namespaces(cluster, found)

    async def _show_known(self, cluster: str) -> None:
        """Show what was read earlier, until the cluster answers."""
        found = await namespaces.of(self._services).known(cluster)
        if found is not None and not self.state.namespaces_note:
            self._show_namespaces(cluster, found)

    def _show_namespaces(self, cluster: str, found: NamespaceList) -> None:
        if cluster == self.state.cluster:
            note = namespaces.note(found)
            self._publish(msgspec.structs.replace(self.state, namespaces=found.names, namespaces_note=note))
            self.namespaces_changed.emit(found)

    def set_running(self, count: int) -> None:
        """Show how many runs are going on."""
        self._publish(msgspec.structs.replace(self.state, running=count))

    def set_expiring(self, count: int) -> None:
        """Show how many credentials have ended or end soon."""
        self._publish(msgspec.structs.replace(self.state, expiring=count))

    def choose_language(self, language: str) -> None:
        """Speak `language` (en or zh_CN) from now on and after the next start."""
        self._save(language=language)
        self.appear(language, self.state.theme)

    def choose_theme(self, theme: str) -> None:
        """Use theme `system`, `light` or `dark` from now on and after the next start."""
        self._save(theme=theme)
        self.appear(self.state.language, theme)

    def appear(self, language: str, theme: str) -> None:
        """Use language and theme now, saving neither."""
        i18n.set_language(language)
        self._publish(msgspec.structs.replace(self.state, language=language, theme=theme))
        self.appearance_changed.emit()

    def choose_tools(self, helm: str, kubectl: str) -> None:
        """Use these programs (empty: look in the usual places) from now on and after the next start."""
        self._save(helm=helm, kubectl=kubectl)
        self._start("tools", self._load_tools(again=True))

    def _save(self, **changed: Any) -> None:
        settings = msgspec.structs.replace(self._services.settings, **changed)
        if settings == self._services.settings:
            return
        try:
            self._services.save_settings(settings)
        except UserError as error:
            self.failed.emit(error)
        except OSError as error:
            self.failed.emit(UserError(msg("The settings could not be saved"), error.strerror or str(error)))

    def _publish(self, state: ShellState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()


def _last_cluster(settings: Settings) -> str:
    remembered = settings.last.get(settings.recent_charts[0]) if settings.recent_charts else None
    return remembered.cluster if remembered else ""


def _offered(row: ClusterRow) -> bool:
    """Return whether the row is the practice cluster that is offered, but was never made."""
    return row.practice and not row.entry.server


def _why(row: ClusterRow) -> UserError:
    if row.practice and not row.running:
        return UserError(msg("The practice cluster does not run"), "", msg("Start it on the Clusters page."))
    title = msg("%(cluster)s cannot be asked", cluster=row.entry.name)
    return UserError(title, row.status.message, msg("Check it on the Clusters page."))


def _tool_texts(tools: ToolSet) -> tuple[Text, ...]:
    return (_tool_text("helm", tools.helm), _tool_text("kubectl", tools.kubectl))


def _tool_text(name: str, tool: Tool | None) -> Text:
    return f"{name} {tool.version}" if tool else msg("%(name)s not found", name=name)
