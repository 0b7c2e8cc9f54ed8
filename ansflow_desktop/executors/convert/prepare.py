"""A pipeline made ready for another engine: enabled steps with their scripts, and the variables they start with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.convert.conditions import bash_test
from ansflow_desktop.executors.convert.steps import require_known, script_of
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.pipelines.builtin import BUILTIN
from ansflow_desktop.pipelines.definitions import by_key
from ansflow_desktop.pipelines.variables import fill, names_in, substitute

_BUILTIN = {
    "run_id": "$(date -u +%Y%m%dT%H%M%S)-$$",
    "date": "$(date -u +%Y-%m-%d)",
    "git_commit": "$(git rev-parse HEAD)",
    "git_branch": "$(git rev-parse --abbrev-ref HEAD)",
}
_TYPED = ("boolean", "integer", "duration")


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """One step: its script for bash and the options of `ansflow_step` (resources/shell/runtime.sh) in their order."""

    name: str
    description: str
    script: str
    options: tuple[str, ...]


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline: `variables` by name as written, `computed` those that bash works out; `notices` for people."""

    name: str
    variables: dict[str, str]
    computed: dict[str, str]
    steps: tuple[Ready, ...]
    notices: tuple[Message, ...]


def prepare(pipeline: Pipeline, given: Mapping[str, str]) -> Prepared:
    """Return `pipeline` with the variables `given` laid over its own.

    Raises UserError with the field (`steps[1].k8s_config.timeout`) that cannot be known before a run.
    """
    variables = {**pipeline.variables, **{name: _dollars(text) for name, text in given.items()}}
    known = _known(variables)
    steps = [_ready(step, f"steps[{index}]", known) for index, step in enumerate(pipeline.steps)]
    text = repr(pipeline)
    return Prepared(
        name=pipeline.name,
        variables=variables,
        computed={name: _BUILTIN[name] for name in BUILTIN if name in text},
        steps=tuple(step for step in steps if step),
        notices=tuple(_notices(pipeline, known)),
    )


def _shown(text: str, known: Mapping[str, str]) -> str:
    """Return `text` with what is known filled in, as it is written where that is not all."""
    try:
        return fill(text, known)
    except UserError:
        return text


def _dollars(text: str) -> str:
    return text.replace("$", "$$")


def _known(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the values that are known now: those that are made from nothing but one another."""
    known: dict[str, str] = {}
    for name, text in variables.items():
        if all(used in known for used in names_in(text)):
            known[name] = fill(text, known)
    return known


def _ready(step: PipelineStep, field: str, known: Mapping[str, str]) -> Ready | None:
    try:
        fixed = _fixed(step, known)
        if not fixed.enabled:
            return None
        script, options = script_of(fixed), _options(fixed)
        return Ready(name=step.name, description=step.description, script=script, options=options)
    except UserError as error:
        error.field = f"{field}.{error.field}" if error.field else field
        raise


def _fixed(step: PipelineStep, known: Mapping[str, str]) -> PipelineStep:
    """Return `step` with its true/false, number and duration fields filled in: bash is not asked for those."""
    config = {name: _value(step, name, value, known) for name, value in step.k8s_config.items()}
    times = {name: _filled(getattr(step, name), name, known) for name in ("timeout", "retry_delay")}
    switches = msgspec.structs.replace(_only_switches(step), **times)
    fixed = substitute(switches, known) if step.deferred else switches
    whole = {name: getattr(step, name) for name in step.__struct_fields__}
    typed = {name: getattr(fixed, name) for name in ("enabled", "continue_on_error", "always", "retries", *times)}
    made = PipelineStep(**{**whole, **typed, "k8s_config": config, "deferred": {}})
    require_known(made)
    return made


def _only_switches(step: PipelineStep) -> PipelineStep:
    return PipelineStep(
        name=step.name,
        type=StepType.SHELL,
        enabled=step.enabled,
        continue_on_error=step.continue_on_error,
        always=step.always,
        retries=step.retries,
        deferred=step.deferred,
    )


def _value(step: PipelineStep, name: str, value: Any, known: Mapping[str, str]) -> Any:
    parameter = by_key(step.type.value, "config").get(name)
    if not isinstance(value, str) or parameter is None or parameter.kind not in _TYPED:
        return value
    filled = _filled(value, f"k8s_config.{name}", known)
    return {"true": True, "false": False}.get(filled, filled) if parameter.kind == "boolean" else filled


def _filled(text: str, field: str, known: Mapping[str, str]) -> str:
    try:
        return fill(text, known)
    except UserError as error:
        raise UserError(
            msg("It is only known when the pipeline runs"),
            error.title,
            msg("Give the variable with -v NAME=VALUE, or write the value into the step."),
            field=field,
        ) from error


def _options(step: PipelineStep) -> tuple[str, ...]:
    """Return the options of `ansflow_step`, not yet quoted."""
    found = []
    if step.timeout:
        found.append(f"timeout={max(1, round(parse_duration(step.timeout)))}")
    if step.retries:
        delay = parse_duration(step.retry_delay) if step.retry_delay else 5
        found += [f"retries={step.retries}", f"delay={max(0, round(delay))}"]
    found += ["continue"] if step.continue_on_error else []
    found += ["always"] if step.always else []
    found += ["stay"] if step.type is not StepType.SHELL else []
    found += [f"when={bash_test(step.when)}"] if step.when else []
    output = step.output or str(step.k8s_config.get("output") or "")
    found += [f"output={output}"] if output else []
    return (*found, *(f"env={name}" for name in step.env))


def _notices(pipeline: Pipeline, known: Mapping[str, str]) -> list[Message]:
    found = []
    clusters = sorted({_shown(step.k8s_cluster, known) for step in pipeline.steps if step.k8s_cluster and step.enabled})
    if clusters:
        found.append(msg("The engine needs a kubeconfig with these contexts: %(names)s.", names=", ".join(clusters)))
    for step in pipeline.steps:
        if not step.enabled:
            found.append(msg("The disabled step %(name)s is left out.", name=step.name))
        if step.k8s_config.get("rollback_on_failure"):
            found.append(msg("%(name)s: manifests are not rolled back by the script.", name=step.name))
    return found
