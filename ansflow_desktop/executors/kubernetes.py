"""Runs the six kinds of Kubernetes steps, each by the function that its configuration names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.delete_run import run_delete
from ansflow_desktop.executors.exec_step import run_exec
from ansflow_desktop.executors.guard import Marked, require_allowed
from ansflow_desktop.executors.helm_run import run_helm
from ansflow_desktop.executors.logs_step import run_logs
from ansflow_desktop.executors.manifest_run import run_manifest
from ansflow_desktop.executors.planned import decode
from ansflow_desktop.executors.scale_run import run_scale
from ansflow_desktop.executors.wait_run import run_wait
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import (
    Delete,
    Exec,
    ExecutionContext,
    HelmDeploy,
    Logs,
    ManifestDeploy,
    PipelineStep,
    Scale,
    Wait,
)

Run: TypeAlias = Callable[[PipelineStep, Any, ExecutionContext, RunScope, dict[str, Any]], StepResult]

_RUNS: dict[type[Any], Run] = {
    HelmDeploy: run_helm,
    ManifestDeploy: run_manifest,
    Exec: run_exec,
    Logs: run_logs,
    Scale: run_scale,
    Wait: run_wait,
    Delete: run_delete,
}


class KubernetesStepExecutor:
    """Carries a step out, follows what becomes of it, and reports the state that the cluster tells afterwards."""

    def __init__(self, document_of: Callable[[str], dict[str, Any]], guarded: Marked | None = None) -> None:
        """Keep `document_of`: it gives a cluster's kubeconfig document by name (`ClusterCatalog.document`).

        `guarded` knows which clusters are read-only or production; None guards nothing.
        """
        self._document_of, self._guarded = document_of, guarded

    def execute(self, step: PipelineStep, context: ExecutionContext, scope: RunScope) -> StepResult:
        """Run `step` to its end; raises UserError where nothing could be started (2 input, 3 unreachable, 4 rights)."""
        config = decode(step)
        if not step.k8s_cluster:
            raise UserError(
                msg("No cluster is named"), hint=msg("Choose a cluster of the cluster list."), field="k8s_cluster"
            )
        if self._guarded is not None:
            require_allowed(step, self._guarded, scope.confirmed)
        document = self._document_of(step.k8s_cluster)
        return _RUNS[type(config)](step, config, context, scope, document)
