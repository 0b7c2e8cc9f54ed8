"""Runs `k8s_deploy` steps: a chart by helm, or a manifest by kubectl's server-side apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.helm_run import run_helm
from ansflow_desktop.executors.manifest_run import run_manifest
from ansflow_desktop.executors.planned import decode
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import ExecutionContext, HelmDeploy, PipelineStep


class KubernetesStepExecutor:
    """Deploys, follows what becomes of it, and reports the state that the cluster tells afterwards."""

    def __init__(self, document_of: Callable[[str], dict[str, Any]]) -> None:
        """Keep `document_of`: it gives a cluster's kubeconfig document by name (`ClusterCatalog.document`)."""
        self._document_of = document_of

    def execute(self, step: PipelineStep, context: ExecutionContext, scope: RunScope) -> StepResult:
        """Run `step` to its end; raises UserError where nothing could be started (2 input, 3 unreachable, 4 rights)."""
        config = decode(step)
        if not step.k8s_cluster:
            raise UserError(
                msg("No cluster is named"), hint=msg("Choose a cluster of the cluster list."), field="k8s_cluster"
            )
        document = self._document_of(step.k8s_cluster)
        if isinstance(config, HelmDeploy):
            return run_helm(step, config, context, scope, document)
        return run_manifest(step, config, context, scope, document)
