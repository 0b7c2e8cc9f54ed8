"""A planned step as data, and the typed form of a step's `k8s_config`."""

from __future__ import annotations

import types
from typing import Any, TypeAlias, get_args, get_type_hints

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.helm.dependencies import Preparation
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.chart import Chart
from ansflow_desktop.models.command import Command
from ansflow_desktop.models.names import namespace_problem
from ansflow_desktop.models.pipeline import (
    Delete,
    Exec,
    ExecutionContext,
    HelmDeploy,
    Logs,
    ManifestDeploy,
    PipelineStep,
    Scale,
    StepType,
    Wait,
)
from ansflow_desktop.pipelines.fields import CONFIGS, DEPLOY_TYPES, config_key, suggestion

Config: TypeAlias = HelmDeploy | ManifestDeploy | Scale | Delete | Wait | Exec | Logs

CONFIG = "k8s_config"
_MODES = (StepType.K8S_DEPLOY,)


class StepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a step will run, in order, and what the user should know first.

    `notices` are for people, `decisions` for the debug log. `preparation` is carried out before `commands`, which
    begin with its own (fetching dependencies). `keeps_values`: helm would keep the live release's own values.
    `timeout` is the step's own wait in seconds. `template` renders the same chart without a cluster. `shown`
    is the deploy as a person would type it (with missing dependencies the commands run in a private copy), None where
    the last command is that already.
    """

    commands: tuple[Command, ...]
    notices: tuple[Text, ...] = ()
    chart: Chart | None = None
    namespace: str = ""
    release: str = ""
    decisions: tuple[Message, ...] = ()
    preparation: Preparation | None = None
    keeps_values: bool = False
    timeout: float = 0
    template: Command | None = None
    shown: Command | None = None


def decode(step: PipelineStep) -> Config:
    """Return the typed `k8s_config` of a k8s step; raises UserError naming an unknown field or wrong type.

    Fields of the other way to deploy are kept in the file and left out here (pipeline-file.md; `deploy_type` decides).
    """
    key = config_key(step.type, step.k8s_config)
    struct = CONFIGS.get(key)
    if struct is None:
        raise UserError(
            msg("%(kind)s is not a way to deploy", kind=key or '""'),
            hint=msg("Set deploy_type to helm or manifest."),
            field=f"{CONFIG}.deploy_type",
        )
    _refuse_unknown(step, struct)
    own = {name: value for name, value in step.k8s_config.items() if name in struct.__struct_fields__}
    return _convert({name: _scalar(struct, name, value) for name, value in own.items()}, struct)


def step_directory(step: PipelineStep, context: ExecutionContext) -> str:
    """Return the absolute directory in which `step` runs."""
    return absolute(step.working_directory or ".", context.working_directory)


def require_namespace(step: PipelineStep) -> str:
    """Return the step's namespace; raises UserError naming `k8s_namespace` where it is none."""
    problem = namespace_problem(step.k8s_namespace)
    if problem:
        raise UserError(
            msg("The namespace cannot be used"), problem, msg("Correct the namespace."), field="k8s_namespace"
        )
    return step.k8s_namespace


def _refuse_unknown(step: PipelineStep, struct: type[Any]) -> None:
    known: tuple[str, ...] = struct.__struct_fields__
    other = {name for key in DEPLOY_TYPES for name in CONFIGS[key].__struct_fields__} if step.type in _MODES else set()
    for name in step.k8s_config:
        if name not in known and name not in other:
            raise UserError(
                msg("Unknown field %(name)s", name=name), hint=suggestion(name, known), field=f"{CONFIG}.{name}"
            )


def _scalar(struct: type[Any], name: str, value: Any) -> Any:
    """Take a number where a text belongs (`timeout: 300`), or one text where a list does, as meant."""
    kind = get_type_hints(struct)[name]
    wants_text = kind is str or (isinstance(kind, types.UnionType) and str in get_args(kind))
    if wants_text and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if getattr(kind, "__origin__", None) is tuple and isinstance(value, str):
        return (value,) if value else ()
    return value


def _convert(values: dict[str, Any], struct: Any) -> Config:
    try:
        converted: Config = msgspec.convert(values, struct, strict=False)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").partition("[")[0]
        field = f"{CONFIG}.{name}" if name else CONFIG
        raise UserError(msg("%(field)s has the wrong type", field=field), text, field=field) from error
    return converted
