"""Pipelines and their steps, with the field names of pipeline-file.md."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class StepType(enum.StrEnum):
    """The step types; more may be found in a file of a newer version and are refused by name."""

    SHELL = "shell"
    K8S_DEPLOY = "k8s_deploy"


class PipelineStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step as written, before variables are replaced.

    `k8s_config` is the plain mapping of the file; `HelmDeploy` and `ManifestDeploy` are its typed forms once variables
    are replaced. `timeout` is a duration text (`300s`, `5m`), empty for none. `deferred` holds the texts of true/false
    fields (by name) that are only known once variables are replaced: `enabled: ${deploy}`.
    """

    name: str
    type: StepType
    description: str = ""
    enabled: bool = True
    timeout: str = ""
    continue_on_error: bool = False
    working_directory: str = ""
    env: dict[str, str] = {}
    command: str = ""
    output: str = ""
    k8s_cluster: str = ""
    k8s_namespace: str = ""
    k8s_resource_name: str = ""
    k8s_config: dict[str, Any] = {}
    deferred: dict[str, str] = {}


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline: its name, variables and steps, and the absolute folder that relative paths start from.

    `literal` True means that its texts are used as they are, `$` included: a form was filled in, no file was written.
    """

    name: str
    steps: tuple[PipelineStep, ...]
    description: str = ""
    variables: dict[str, str] = {}
    folder: str = ""
    literal: bool = False


class HelmDeploy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_deploy` step in Helm mode; durations are texts (`300s`); paths may be relative.

    `release_name` None means left out (`<chart>-release`); an empty one is an error. `set_values` are `K=V` as typed
    after `--set` on the command line. `reset_values` starts from the chart's defaults instead of the release's own.
    """

    deploy_type: str = "helm"
    chart_name: str = ""
    chart_path: str = ""
    chart_repo: str = ""
    chart_version: str = ""
    release_name: str | None = None
    values_files: tuple[str, ...] = ()
    custom_values: str = ""
    set_values: tuple[str, ...] = ()
    reset_values: bool = False
    create_namespace: bool = True
    wait: bool = True
    timeout: str = "300s"
    atomic: bool = False
    upgrade: bool = True
    dependency_update: bool = False
    dry_run: bool = False


class ManifestDeploy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_deploy` step in YAML mode: one of `manifest` (text), `manifest_files` or `kustomize`."""

    deploy_type: str = "manifest"
    manifest: str = ""
    manifest_files: tuple[str, ...] = ()
    kustomize: str = ""
    create_namespace: bool = True
    wait: bool = True
    timeout: str = "300s"
    rollback_on_failure: bool = False
    dry_run: bool = False


class ExecutionContext(msgspec.Struct, frozen=True, kw_only=True):
    """What flows from step to step: the working directory (absolute), exported variables, and named outputs."""

    working_directory: str
    variables: dict[str, str] = {}
    outputs: dict[str, str] = {}
