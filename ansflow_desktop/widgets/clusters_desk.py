"""What the Clusters page works with beside the list: details, dialogs, resources; made when the page is first shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters.cluster_details import ClusterDetailsPresenter
from ansflow_desktop.presenters.cluster_form import ClusterFormPresenter
from ansflow_desktop.widgets.clusters_page import ClustersPage

if TYPE_CHECKING:
    from ansflow_desktop.presenters.clusters import ClustersPresenter
    from ansflow_desktop.presenters.reads import ClusterReads
    from ansflow_desktop.presenters.resources import ResourcesPresenter
    from ansflow_desktop.widgets.resources_view import ResourcesView


class ClustersDesk(QObject):
    """Emits `vault_needed(error, again)` where a secret is locked away, `saved(name)` when a cluster was kept.

    `failed(UserError)` comes for errors that belong to no field.
    """

    vault_needed = Signal(object, object)
    saved = Signal(str)
    failed = Signal(object)

    def __init__(self, services: Any, clusters: ClustersPresenter, reads: ClusterReads) -> None:
        """Make the presenters that outlive the page's widgets."""
        super().__init__()
        self._services, self._clusters, self._reads = services, clusters, reads
        self._forms: list[ClusterFormPresenter] = []
        self._resources: ResourcesPresenter | None = None
        self._lost = False
        self.details = ClusterDetailsPresenter(services, clusters, reads)
        self.details.vault_needed.connect(self.vault_needed)
        self.details.failed.connect(self.failed)
        clusters.removed.connect(self._forget)
        clusters.state_changed.connect(self._on_clusters)

    @Slot()
    def _on_clusters(self) -> None:
        """Follow objects again that could not be read, once their cluster can be asked (a vault that was opened)."""
        resources = self._resources
        if resources is None or resources.following or resources.state.error is None:
            return
        row = self._clusters.state.row(resources.state.cluster)
        if row is not None and row.status.reach is Reach.REACHABLE:
            resources.reload()

    @Slot()
    def _on_resources(self) -> None:
        """Ask the cluster whose objects stopped coming, or come again, before its turn: its row says the same then."""
        state = self._resources.state if self._resources is not None else None
        lost = state is not None and state.error is not None
        if state is None or lost is self._lost:
            return
        self._lost = lost
        row = self._clusters.state.row(state.cluster)
        wrong = (Reach.REACHABLE,) if lost else (Reach.UNREACHABLE, Reach.REFUSED)
        if row is not None and row.status.reach in wrong:
            self._clusters.check(state.cluster)

    @Slot(str)
    def _on_saved(self, name: str) -> None:
        """Tell of another name; what was read of the cluster may be another connection's."""
        form = self.sender()
        before = form.state.original if isinstance(form, ClusterFormPresenter) else ""
        self._forget(name)
        if before and before != name:
            self._forget(before)
            self._clusters.renamed.emit(before, name)

    @Slot(str)
    def _forget(self, name: str) -> None:
        """Let go of the objects of a cluster that was removed, or whose connection may be another one now."""
        if self._resources is not None and self._resources.state.cluster == name:
            self._resources.show("")

    def page(self) -> ClustersPage:
        """Return a new page."""
        return ClustersPage(self._clusters, self.details, self._form, self._resources_view)

    def _form(self, groups: tuple[str, ...]) -> ClusterFormPresenter:
        made = ClusterFormPresenter(self._services, self._reads, groups)
        made.vault_needed.connect(self.vault_needed)
        made.failed.connect(self.failed)
        made.saved.connect(self.saved)
        made.saved.connect(self._on_saved)
        made.released.connect(self._on_released)
        self._forms.append(made)
        return made

    @Slot()
    def _on_released(self) -> None:
        """Let go of the presenter of a dialog that was closed."""
        self._forms = [one for one in self._forms if one is not self.sender()]

    def _resources_view(self) -> tuple[ResourcesView, Callable[[str, str], None]]:
        from ansflow_desktop.presenters.resources import ResourcesPresenter
        from ansflow_desktop.widgets.resources_view import ResourcesView

        if self._resources is None:
            self._resources = ResourcesPresenter(self._services)
            self._resources.failed.connect(self.failed)
            self._resources.state_changed.connect(self._on_resources)
        view = ResourcesView(self._resources)
        view.left.connect(self._resources.stop)
        return view, self._resources.show

    async def close(self) -> None:
        """End every task."""
        parts = [self.details, *self._forms, *([self._resources] if self._resources else [])]
        await asyncio.gather(*(part.close() for part in parts))
