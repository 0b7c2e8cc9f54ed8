"""Which field of a Kubernetes step is which there and here (ansflow-compat.md), with the converters of its values."""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.pipelines.ansflow import texts
from ansflow_desktop.pipelines.ansflow.texts import Convert

SHELL_TYPES = ("custom", "shell_script", "script", "command", "shell")
CLUSTER = "k8s_cluster"
NAMESPACE = "k8s_namespace"
RESOURCE = "k8s_resource_name"
CONFIG = "k8s_config"
K8S_FIELDS = (CLUSTER, NAMESPACE, RESOURCE, CONFIG)
DEFAULT_NAMESPACE = "default"  # what AnsFlow uses where none is given
DEFAULT_TAIL = 100
CONTAINERS = ("", "parameters", "ansible_parameters")  # places of a step that hold its configuration, "" its top level

_CONDITIONS = {
    "available": "Available",
    "ready": "Ready",
    "complete": "Complete",
    "progressing": "Progressing",
}
DELETED = "delete"


class Field(NamedTuple):
    """One field of `k8s_config`: its name here and there and how its value is converted."""

    here: str
    there: str
    to_here: Convert
    to_there: Convert


def _condition_here(value: Any) -> str | None:
    text = texts.text_here(value)
    if text is None or text.lower() in (DELETED, "deleted"):
        return None
    return _CONDITIONS.get(text.lower(), text)


def _condition_there(value: Any) -> str | None:
    text = texts.text_there(value)
    names = {here: there for there, here in _CONDITIONS.items()}
    return None if text is None else names.get(text, text)


def _deleted_here(value: Any) -> bool | None:
    return True if isinstance(value, str) and value.lower() in (DELETED, "deleted") else None


def _deleted_there(value: Any) -> str | None:
    return DELETED if value is True else None


def _command_there(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        parts = [texts.plain_text(part) for part in value]
        return texts.text_there(shlex.join([part for part in parts if part is not None]))
    return texts.text_there(value)


def _text(name: str, there: str = "") -> Field:
    return Field(name, there or name, texts.text_here, texts.text_there)


def _flag(name: str, there: str = "") -> Field:
    return Field(name, there or name, texts.flag, texts.flag)


def _time(name: str, there: str = "") -> Field:
    return Field(name, there or name, texts.duration_here, texts.duration_there)


def _count(name: str) -> Field:
    return Field(name, name, texts.count_here, texts.count_there)


def _file(name: str, there: str) -> Field:
    return Field(name, there, texts.files_here, texts.files_there)


_HELM = (
    _text("chart_name"),
    _text("chart_repo"),
    _text("chart_version"),
    _text("release_name"),
    _file("values_files", "values_file"),
    _text("custom_values"),
    _flag("upgrade", "helm_upgrade"),
    _flag("wait", "helm_wait"),
    _flag("atomic", "helm_atomic"),
    _time("timeout", "helm_timeout"),
    _flag("dry_run"),
)
_MANIFEST = (
    _text("manifest", "manifest_content"),
    _file("manifest_files", "manifest_path"),
    _flag("wait", "wait_for_rollout"),
    _flag("rollback_on_failure"),
    _flag("dry_run"),
)
_OTHERS: dict[StepType, tuple[Field, ...]] = {
    StepType.K8S_SCALE: (_count("replicas"), _flag("wait", "wait_for_rollout")),
    StepType.K8S_DELETE: (_flag("force", "force_delete"), _flag("ignore_not_found")),
    StepType.K8S_WAIT: (
        Field("condition", "condition", _condition_here, _condition_there),
        Field("deleted", "condition", _deleted_here, _deleted_there),
        _time("timeout"),
    ),
    StepType.K8S_EXEC: (
        Field("command", "command", texts.text_here, _command_there),
        _text("container"),
        _text("selector", "pod_selector"),
    ),
    StepType.K8S_LOGS: (
        _text("container"),
        _text("selector", "pod_selector"),
        _count("tail_lines"),
        _time("since", "since_seconds"),
        _flag("follow"),
        _flag("previous"),
    ),
}


def config_fields(kind: StepType, deploy_type: str = "") -> tuple[Field, ...]:
    """Return the fields of `k8s_config`; of a deploy those of its mode, then those that only the other mode has."""
    if kind is not StepType.K8S_DEPLOY:
        return _OTHERS.get(kind, ())
    own, other = (_HELM, _MANIFEST) if deploy_type == "helm" else (_MANIFEST, _HELM)
    names = {field.here for field in own}
    return (*own, *(field for field in other if field.here not in names))
