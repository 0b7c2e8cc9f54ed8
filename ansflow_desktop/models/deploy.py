"""What a person asks for on the Deploy page or with `deploy`: a step as data, the same for both."""

from __future__ import annotations

from typing import Any

import msgspec

from ansflow_desktop.models.pipeline import HelmDeploy, Pipeline, PipelineStep, StepType


class DeployRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A chart folder, where it goes, and how; paths are absolute, `timeout` is a duration text.

    `release_name` empty is an error found by validation, not a default. `rollback` is Helm's rollback on failure.
    """

    chart_path: str = ""
    cluster: str = ""
    namespace: str = ""
    release_name: str = ""
    values_files: tuple[str, ...] = ()
    custom_values: str = ""
    set_values: tuple[str, ...] = ()
    reset_values: bool = False
    wait: bool = True
    timeout: str = "300s"
    rollback: bool = False
    dry_run: bool = False

    def step(self) -> PipelineStep:
        """Return the `k8s_deploy` step that carries this request out."""
        config: dict[str, Any] = {
            "deploy_type": "helm",
            "chart_path": self.chart_path,
            "release_name": self.release_name,
            "values_files": self.values_files,
            "custom_values": self.custom_values,
            "set_values": self.set_values,
            "reset_values": self.reset_values,
            "wait": self.wait,
            "timeout": self.timeout,
            "atomic": self.rollback,
            "dry_run": self.dry_run,
        }
        defaults = {name: getattr(HelmDeploy(), name) for name in config}
        kept = {name: value for name, value in config.items() if value != defaults[name] or name == "deploy_type"}
        return PipelineStep(
            name="deploy",
            type=StepType.K8S_DEPLOY,
            k8s_cluster=self.cluster,
            k8s_namespace=self.namespace,
            k8s_config=kept,
        )

    def pipeline(self) -> Pipeline:
        """Return a pipeline of that one step, with the chart's folder as its first working directory."""
        return Pipeline(name=self.release_name, steps=(self.step(),), folder=self.chart_path, literal=True)
