"""Which fields a pipeline file has, by level and step type, and what each means (pipeline-file.md)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.pipeline import (
    Delete,
    Exec,
    HelmDeploy,
    Logs,
    ManifestDeploy,
    PipelineStep,
    Scale,
    StepType,
    Wait,
)

API_VERSION = "ansflow.dev/v1"
KIND = "Pipeline"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

LATER_TYPES = ("k8s_scale", "k8s_delete", "k8s_wait", "k8s_exec", "k8s_logs")
LATER_STEP_FIELDS = ("when", "retries", "retry_delay", "always")
LATER_CONFIG_FIELDS = ("strategy",)
UNUSED_STEP_FIELDS = ("k8s_resource_name",)  # of k8s steps that work on one object; a deploy names what it makes

ROOT_FIELDS = ("apiVersion", "kind", "metadata", "spec")
METADATA_FIELDS = ("name", "description")
SPEC_FIELDS = ("variables", "steps")
COMMON_FIELDS = (
    "name",
    "type",
    "description",
    "enabled",
    "timeout",
    "continue_on_error",
    "working_directory",
    "env",
)
TYPE_FIELDS = {
    StepType.SHELL: ("command", "output"),
    StepType.K8S_DEPLOY: ("k8s_cluster", "k8s_namespace", "k8s_config"),
}
CONFIGS: dict[str, type[Any]] = {
    "helm": HelmDeploy,
    "manifest": ManifestDeploy,
    StepType.K8S_SCALE.value: Scale,
    StepType.K8S_DELETE.value: Delete,
    StepType.K8S_WAIT.value: Wait,
    StepType.K8S_EXEC.value: Exec,
    StepType.K8S_LOGS.value: Logs,
}

DESCRIPTIONS = {
    "apiVersion": "The version of this format.",
    "kind": "What the document is.",
    "metadata": "What the pipeline is called.",
    "spec": "Variables and steps.",
    "variables": "Values for ${name}; shell steps get them as environment.",
    "steps": "What is run, in this order.",
    "name": "The name, unique in the file.",
    "type": "What kind of step this is.",
    "description": "For people; it changes nothing.",
    "enabled": "false skips the step.",
    "timeout": "The outer deadline of the step, a duration such as 300s, 5m or 1h30m.",
    "continue_on_error": "true goes on with the next step when this one fails.",
    "working_directory": "Where the step starts, relative to where the last one ended.",
    "env": "Environment of this step alone.",
    "command": "The script, run by bash -e; variables reach it as environment, ${name} is bash's own here.",
    "output": "The variable that takes what the command writes to stdout.",
    "k8s_cluster": "A name of the cluster list; for a kubeconfig entry its context.",
    "k8s_namespace": "The namespace.",
    "k8s_config": "What is deployed and how.",
    "deploy_type": "helm for a chart, manifest for YAML.",
    "chart_name": "The chart; a bare name is looked for in the working directory and in charts/, helm/ and k8s/ there.",
    "chart_path": "The chart's folder or archive.",
    "chart_repo": "The address of the chart repository.",
    "chart_version": "The version or range of versions in the repository.",
    "release_name": "The name of the release; left out it is <chart>-release.",
    "values_files": "Values files, the last one wins.",
    "custom_values": "Values as YAML text, over the files.",
    "set_values": "Single values as KEY=VALUE, over everything else.",
    "reset_values": "true starts from the chart's defaults instead of the release's own values.",
    "create_namespace": "true creates a namespace that does not exist.",
    "wait": "true waits until everything is ready.",
    "config.timeout": "How long to wait, a duration such as 300s.",
    "atomic": "true rolls back when the deploy fails.",
    "upgrade": "false fails when the release exists.",
    "dependency_update": "true fetches the chart's dependencies first, in a copy.",
    "dry_run": "true changes nothing in the cluster.",
    "manifest": "The manifest as YAML text.",
    "manifest_files": "Files with manifests.",
    "kustomize": "A folder with a kustomization.",
    "rollback_on_failure": "true restores what was there when the deploy fails.",
}


def config_key(step_type: str, config: Mapping[str, Any]) -> str:
    """Return the key in `CONFIGS` of a step's k8s_config: its deploy_type for a k8s_deploy, the type for the others."""
    return str(config.get("deploy_type", "")) if step_type == StepType.K8S_DEPLOY else str(step_type)


def field_types(struct: type[Any]) -> dict[str, Any]:
    """Return the types of a Struct's fields by name, as msgspec describes them."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return {field.name: field.type for field in info.fields}


def is_true_or_false(kind: Any) -> bool:
    """Say whether a field of type `kind` takes true or false."""
    return isinstance(kind, msgspec.inspect.BoolType)


def is_list(kind: Any) -> bool:
    """Say whether a field of type `kind` takes a list of texts."""
    return isinstance(kind, msgspec.inspect.VarTupleType | msgspec.inspect.ListType)


def is_mapping(kind: Any) -> bool:
    """Say whether a field of type `kind` takes a mapping of texts."""
    return isinstance(kind, msgspec.inspect.DictType)


STEP_TYPES = field_types(PipelineStep)


def step_fields(kind: StepType) -> tuple[str, ...]:
    """Return the names of all fields that a step of type `kind` may have."""
    return (*COMMON_FIELDS, *TYPE_FIELDS[kind])


def suggestion(name: str, known: Iterable[str]) -> Text:
    """Return a hint with the known name nearest to `name`, or all of them when none is near."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        return msg("Did you mean %(name)s?", name=near[0])
    return msg("Known here: %(names)s.", names=", ".join(names))
