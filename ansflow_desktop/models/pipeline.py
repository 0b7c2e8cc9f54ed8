"""Pipelines and their steps, with the field names of pipeline-file.md."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class StepType(enum.StrEnum):
    """The step types; more may be found in a file of a newer version and are refused by name."""

    SHELL = "shell"
    K8S_DEPLOY = "k8s_deploy"
    K8S_SCALE = "k8s_scale"
    K8S_DELETE = "k8s_delete"
    K8S_WAIT = "k8s_wait"
    K8S_EXEC = "k8s_exec"
    K8S_LOGS = "k8s_logs"


class PipelineStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step as written, before variables are replaced.

    `k8s_config` is the plain mapping of the file; `HelmDeploy`, `Scale` and the others are its typed forms once
    variables are replaced. `timeout` and `retry_delay` are duration texts (`300s`, `5m`), empty for none. `when` is a
    condition (empty: always met), `retries` how often a failed step is tried again, `always` runs it after a failure.
    `deferred` holds the texts of true/false and number fields (by name) that are only known once variables are
    replaced: `enabled: ${deploy}`.
    """

    name: str
    type: StepType
    description: str = ""
    enabled: bool = True
    when: str = ""
    retries: int = 0
    retry_delay: str = ""
    timeout: str = ""
    continue_on_error: bool = False
    always: bool = False
    working_directory: str = ""
    env: dict[str, str] = {}
    command: str = ""
    output: str = ""
    k8s_cluster: str = ""
    k8s_namespace: str = ""
    k8s_resource_name: str = ""
    k8s_config: dict[str, Any] = {}
    deferred: dict[str, str] = {}


class AtomicStep(msgspec.Struct, frozen=True, kw_only=True):
    """A reusable step of the user's library: its configuration lies under `parameters` (`parameters.k8s_config`).

    `type` is a text, as a newer version or AnsFlow may have written one that is not known here. `extra` holds all other
    fields of the document as they were, unknown ones included.
    """

    name: str
    type: str
    description: str = ""
    parameters: dict[str, Any] = {}
    extra: dict[str, Any] = {}


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


class Scale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_scale` step; `replicas` None means left out, which is an error."""

    replicas: int | None = None
    wait: bool = True
    timeout: str = "300s"


class Delete(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_delete` step: `k8s_resource_name`, or `selector` with `kinds`, or `manifest` (YAML text).

    `kinds` empty means the usual kinds of an application. `grace_period` is in seconds, None for each object's own.
    """

    selector: str = ""
    kinds: tuple[str, ...] = ()
    manifest: str = ""
    propagation: str = "background"
    grace_period: int | None = None
    force: bool = False
    wait: bool = True
    timeout: str = "300s"
    ignore_not_found: bool = False


class Wait(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_wait` step: one of `condition`, `rollout`, `jsonpath`, `deleted` and `created`.

    `condition` is `Ready` or `Ready=False`; `jsonpath` is `{.status.phase}=Running`, or without `=` for any value.
    """

    condition: str = ""
    rollout: bool = False
    jsonpath: str = ""
    deleted: bool = False
    created: bool = False
    timeout: str = "300s"


class Exec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_exec` step: `command` is a list of arguments, or a text that is run by `sh -c`."""

    command: tuple[str, ...] | str = ""
    container: str = ""
    selector: str = ""
    timeout: str = "300s"
    output: str = ""


class Logs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`k8s_config` of a `k8s_logs` step; `tail_lines` None is all lines, `since` a duration text.

    `until` is a regular expression that ends following, `to_file` a path, `output` the name of a variable.
    """

    container: str = ""
    selector: str = ""
    tail_lines: int | None = None
    since: str = ""
    previous: bool = False
    follow: bool = False
    until: str = ""
    timeout: str = "300s"
    to_file: str = ""
    output: str = ""


class ExecutionContext(msgspec.Struct, frozen=True, kw_only=True):
    """What flows from step to step: the working directory (absolute), exported variables, and named outputs."""

    working_directory: str
    variables: dict[str, str] = {}
    outputs: dict[str, str] = {}
