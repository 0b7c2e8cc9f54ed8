"""The secret values that a step and its variables hold: learned before it starts, so that nothing shows or stores them.

A value is secret by its name (`db_password`, an environment variable API_TOKEN) or as a part of a Secret
(conventions.md, 11; failure-modes.md, row 7).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.live_diff_masks import looks_secret, may_hold_secrets, secret_texts, tells
from ansflow_desktop.executors.manifest_deploy import manifest_text
from ansflow_desktop.executors.planned import Config, decode, step_directory
from ansflow_desktop.helm.values_merge import SourceProblem, sources_of
from ansflow_desktop.models.pipeline import Delete, ExecutionContext, HelmDeploy, ManifestDeploy, PipelineStep, StepType
from ansflow_desktop.redact import Redactor

_ENTRIES = ("data", "stringData")


def secrets_in_variables(variables: Mapping[str, str], *steps: PipelineStep) -> tuple[str, ...]:
    """Return the values of variables whose names call them secret.

    Left out is what another variable says openly, and what is part of a name that one of `steps` shows anyway.
    """
    open_ = {text for name, text in variables.items() if not looks_secret(name)}
    open_names = [name for step in steps for name in names_shown(step)]
    return tuple(
        text
        for name, text in variables.items()
        if looks_secret(name) and tells(text) and text not in open_ and not any(text in one for one in open_names)
    )


def secrets_in_step(step: PipelineStep, context: ExecutionContext) -> tuple[str, ...]:
    """Return the secrets of `step`, its variables replaced; never raises: what cannot be read holds none.

    What is part of a name that the step shows anyway (`postgres` as password and as release) is no secret here: every
    message would be mangled.
    """
    found = [*secrets_in_variables(step.env), *_of_config(step, context)]
    shown = names_shown(step)
    return tuple(dict.fromkeys(text for text in found if tells(text) and not any(text in one for one in shown)))


def redactor_of(step: PipelineStep, context: ExecutionContext) -> Redactor:
    """Return what takes the secrets of a step and of its variables out of a preview."""
    return Redactor((*secrets_in_variables(context.variables, step), *secrets_in_step(step, context)))


def names_shown(step: PipelineStep) -> tuple[str, ...]:
    """Return what `step` shows of itself anyway: its names, its cluster, what it deploys and where."""
    return tuple(name for name in _names(step) if name)


def _names(step: PipelineStep) -> Iterator[str]:
    yield from (step.name, step.k8s_cluster, step.k8s_namespace, step.k8s_resource_name)
    keys = ("release_name", "chart_name", "chart_path", "chart_repo", "kustomize", "container", "selector")
    yield from (str(step.k8s_config[key]) for key in keys if step.k8s_config.get(key))


def _of_config(step: PipelineStep, context: ExecutionContext) -> Iterable[str]:
    if step.type is StepType.SHELL:
        return ()
    try:
        return tuple(_of(decode(step), step_directory(step, context)))
    except (UserError, SourceProblem, safe_yaml.YamlProblem):
        return ()  # the step itself says what is wrong


def _of(config: Config, directory: str) -> Iterator[str]:
    if isinstance(config, HelmDeploy):
        for source in sources_of(config, directory):
            yield from secret_texts(source.read.data)
    elif isinstance(config, ManifestDeploy) and not config.kustomize:
        yield from _of_manifest(manifest_text(config, directory))
    elif isinstance(config, Delete):
        yield from _of_manifest(config.manifest)


def _of_manifest(text: str) -> Iterator[str]:
    for node in safe_yaml.compose(text) if may_hold_secrets(text) else ():
        yield from _of_object(safe_yaml.construct(node))


def _of_object(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _of_object(item)
    if not isinstance(value, dict):
        return
    if value.get("kind") == "Secret":
        yield from (text for key in _ENTRIES for text in _entries(value.get(key), encoded=key == "data"))
    if looks_secret(str(value.get("name", ""))) and isinstance(value.get("value"), str):
        yield value["value"]
    for key, below in value.items():
        if isinstance(below, str) and looks_secret(str(key)):
            yield below
        yield from _of_object(below)


def _entries(entries: Any, *, encoded: bool) -> Iterator[str]:
    for text in entries.values() if isinstance(entries, dict) else ():
        if isinstance(text, str):
            yield text
            yield from _decoded(text) if encoded else ()
        elif isinstance(text, list):
            yield from (str(item) for item in text)


def _decoded(text: str) -> Iterator[str]:
    try:
        yield base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return
