"""What the resource view shows, as one value, and the kinds that it offers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.kube.discovery import ServedKind
from ansflow_desktop.models.resource_table import TableRow, Unread
from ansflow_desktop.presenters.resource_rows import ShownColumn


def _kind(group: str, version: str, kind: str, plural: str, namespaced: bool = True) -> ServedKind:
    return ServedKind(group=group, version=version, kind=kind, plural=plural, namespaced=namespaced)


COMMON = (
    _kind("", "v1", "Pod", "pods"),
    _kind("apps", "v1", "Deployment", "deployments"),
    _kind("apps", "v1", "StatefulSet", "statefulsets"),
    _kind("apps", "v1", "DaemonSet", "daemonsets"),
    _kind("apps", "v1", "ReplicaSet", "replicasets"),
    _kind("batch", "v1", "Job", "jobs"),
    _kind("batch", "v1", "CronJob", "cronjobs"),
    _kind("", "v1", "Service", "services"),
    _kind("networking.k8s.io", "v1", "Ingress", "ingresses"),
    _kind("", "v1", "ConfigMap", "configmaps"),
    _kind("", "v1", "Secret", "secrets"),
    _kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    _kind("", "v1", "Event", "events"),
    _kind("", "v1", "Node", "nodes", namespaced=False),
    _kind("", "v1", "Namespace", "namespaces", namespaced=False),
)
"""What is offered first, also before the cluster has said what it serves."""


class KindChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the kind box: `key` (`pod`, `deployment.apps`) names it, `label` is shown, `common` ones come first.

    `served` is what is asked for; only the presenter looks at it.
    """

    key: str
    label: str
    common: bool
    served: ServedKind


class ResourcesState(msgspec.Struct, frozen=True, kw_only=True):
    """The view: `rows` as filtered by `text`, `total` before the filter, `kind` the key of the chosen kind.

    `complete` once every namespace has answered; `error` why the rows are not fresh: those read before stay and are
    stale from `fresh_at` (epoch seconds) on. `unread` names the namespaces that could not be read, `namespaces` are
    those that can be chosen.
    """

    cluster: str = ""
    namespace: str = ""
    namespaces: tuple[str, ...] = ()
    kind: str = "pod"
    kinds: tuple[KindChoice, ...] = ()
    columns: tuple[ShownColumn, ...] = ()
    rows: tuple[TableRow, ...] = ()
    total: int = 0
    text: str = ""
    loading: bool = False
    complete: bool = False
    error: UserError | None = None
    unread: tuple[Unread, ...] = ()
    fresh_at: float = 0

    @property
    def stale(self) -> bool:
        """True when rows are shown that the cluster has not confirmed since an error."""
        return self.error is not None and self.fresh_at > 0

    def choice(self, key: str) -> KindChoice | None:
        """Return the entry of the kind box called `key`, None where there is none."""
        return next((one for one in self.kinds if one.key == key), None)


def choices(served: Iterable[ServedKind]) -> tuple[KindChoice, ...]:
    """Return the kind box's entries: common ones first, then by name; those that cannot be listed are left out."""
    kinds = [kind for kind in served if not kind.verbs or "list" in kind.verbs]
    order = {kind.word: number for number, kind in enumerate(COMMON)}
    kinds.sort(key=lambda kind: (order.get(kind.word, len(order)), kind.kind, kind.group))
    names = [kind.kind for kind in kinds]
    return tuple(
        KindChoice(
            key=kind.word,
            label=kind.kind if names.count(kind.kind) == 1 or kind.word in order else f"{kind.kind} ({kind.group})",
            common=kind.word in order,
            served=kind,
        )
        for kind in kinds
    )
