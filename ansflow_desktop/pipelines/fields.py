"""The frame of a pipeline file and the typed form of each k8s_config; a step's own fields are in the definitions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.pipeline import (
    Delete,
    Exec,
    HelmDeploy,
    Logs,
    ManifestDeploy,
    Scale,
    StepType,
    Wait,
)

API_VERSION = "ansflow.dev/v1"
KIND = "Pipeline"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)  # no octal, no underscores: what it looks like is what it is

DEPLOY_TYPES = ("helm", "manifest")
LATER_CONFIG_FIELDS = ("strategy",)

ROOT_FIELDS = ("apiVersion", "kind", "metadata", "spec")
METADATA_FIELDS = ("name", "description")
SPEC_FIELDS = ("variables", "steps")
FOREIGN = "x-ansflow"  # of spec and of a step: what an import keeps of AnsFlow's document; read and validated by nobody
CONFIGS: dict[str, type[Any]] = {
    "helm": HelmDeploy,
    "manifest": ManifestDeploy,
    StepType.K8S_SCALE.value: Scale,
    StepType.K8S_DELETE.value: Delete,
    StepType.K8S_WAIT.value: Wait,
    StepType.K8S_EXEC.value: Exec,
    StepType.K8S_LOGS.value: Logs,
}


def config_key(step_type: str, config: Mapping[str, Any]) -> str:
    """Return the key in `CONFIGS` of a step's k8s_config: its deploy_type for a k8s_deploy, the type for the others."""
    return str(config.get("deploy_type", "")) if step_type == StepType.K8S_DEPLOY else str(step_type)


def suggestion(name: str, known: Iterable[str]) -> Text:
    """Return a hint with the known name nearest to `name`, or all of them when none is near."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        return msg("Did you mean %(name)s?", name=near[0])
    return msg("Known here: %(names)s.", names=", ".join(names))
