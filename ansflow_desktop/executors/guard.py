"""Read-only and production clusters: enforced where steps are run, not where they are shown (conventions.md, 10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol, runtime_checkable

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.planned import decode
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.cluster import ClusterMarks
from ansflow_desktop.models.pipeline import Delete, Exec, HelmDeploy, Logs, ManifestDeploy, PipelineStep, Scale, Wait

_LOOKS = (Logs, Wait)
TAKE_OFF = msg("Take the mark off in the cluster list, if you may; it holds for every entry of the same server.")
"""The way out where a cluster is read-only."""


@runtime_checkable
class Marked(Protocol):
    """Clusters with their notes; `kube.catalog.ClusterCatalog` is the real one."""

    def marks(self, name: str) -> ClusterMarks:
        """Return the notes on cluster `name`; raises UserError."""


class ConfirmationNeeded(UserError):
    """A step may destroy something on a production cluster, and nobody typed the cluster's name."""

    def __init__(self, cluster: str, step: str, what: Message) -> None:
        """Name the cluster, the step and what it would do."""
        super().__init__(
            msg("“%(cluster)s” is a production cluster", cluster=cluster),
            msg("Step %(step)s: %(what)s", step=step, what=what),
            msg("Type the cluster's name to go on; on the command line: --confirm %(cluster)s", cluster=cluster),
            field="confirm",
            code=ExitCode.FORBIDDEN,
        )
        self.cluster = cluster
        self.what = what


def require_allowed(step: PipelineStep, clusters: Marked, confirmed: Collection[str]) -> None:
    """Raise UserError (exit code 4) where the cluster of `step` must not be changed, or not without its name typed.

    `step` has its variables replaced; `confirmed` are the names that were typed. Reading (logs, wait, dry runs) is
    always allowed.
    """
    config = decode(step)
    if not changes(config):
        return
    marks = clusters.marks(step.k8s_cluster)
    if marks.read_only:
        raise _read_only(step.k8s_cluster, step.name)
    what = destroys(config)
    if marks.production and what is not None and step.k8s_cluster not in confirmed:
        raise ConfirmationNeeded(step.k8s_cluster, step.name, what)


def changes(config: object) -> bool:
    """Return whether a step with this configuration changes its cluster."""
    if isinstance(config, HelmDeploy | ManifestDeploy):
        return not config.dry_run
    return not isinstance(config, _LOOKS)


def destroys(config: object) -> Message | None:
    """Return what a step with this configuration may destroy, in words; None where nothing is lost by it.

    A deploy keeps the last revision to go back to, so it is a change, not a loss.
    """
    if isinstance(config, Delete):
        return msg("it deletes objects")
    if isinstance(config, Scale) and config.replicas == 0:
        return msg("it stops every pod of a workload")
    if isinstance(config, Exec):
        return msg("it runs a command in a container")
    return None


def require_changeable(clusters: Marked, names: Iterable[str]) -> None:
    """Raise UserError (exit code 4) when one of these clusters is read-only; for what is not a step."""
    for name in names:
        if clusters.marks(name).read_only:
            raise _read_only(name, "")


def _read_only(cluster: str, step: str) -> UserError:
    return UserError(
        msg("The cluster “%(name)s” is read-only", name=cluster),
        msg("Step %(step)s would change it.", step=step) if step else "",
        TAKE_OFF,
        field="k8s_cluster",
        code=ExitCode.FORBIDDEN,
    )
