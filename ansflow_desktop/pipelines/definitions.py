"""The definitions of all step types: names, kinds, bounds, defaults and words, from one file of the resources.

Reading, validation, JSON Schema, form, completion and the reference are made from them; a parameter is added there.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.definition import Parameter, StepDefinition, StepDefinitions, Words
from ansflow_desktop.pipelines import fields

FILE = "pipeline-steps-config.json"


@functools.cache
def definitions() -> StepDefinitions:
    """Return all step definitions; the file is part of the program, so one that cannot be read is a broken install."""
    return msgspec.json.decode((paths.resources() / FILE).read_bytes(), type=StepDefinitions)


@functools.cache
def _by_type() -> dict[str, StepDefinition]:
    return {step.type: step for step in definitions().types}


def step_definition(step_type: str) -> StepDefinition | None:
    """Return the definition of a step type, None for one that this version does not know."""
    return _by_type().get(step_type)


def type_names() -> tuple[str, ...]:
    """Return the names of all step types in the order of the file."""
    return tuple(_by_type())


@functools.cache
def parameters(step_type: str) -> tuple[Parameter, ...]:
    """Return every parameter of a step type, the common ones included, by group and order; unknown: the common ones."""
    order = {group.key: group.order for group in definitions().groups}
    own = step_definition(step_type)
    found = (*definitions().common, *(own.parameters if own else ()))
    return tuple(sorted(found, key=lambda one: (order.get(one.group, 0), one.group, one.order)))


def parameters_of(step_type: str, config: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters that apply to a step of `step_type` whose k8s_config is `config`, by group and order.

    One whose `when` depends on a variable (`follow: ${follow}`) applies, as nobody knows yet.
    """
    return tuple(one for one in parameters(step_type) if applies(one, config))


def applies(parameter: Parameter, config: Mapping[str, Any]) -> bool:
    """Say whether a parameter's `when` holds for `config`, or may hold once variables are replaced."""
    return all(_holds(config.get(name), wanted) for name, wanted in parameter.when.items())


def _holds(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == ("true" if value else "false")
    return str(value) == wanted or (isinstance(value, str) and "${" in value)


@functools.cache
def by_key(step_type: str, place: str) -> Mapping[str, Parameter]:
    """Return the parameters of a step type by key, those of one place: `step` or `config` (k8s_config)."""
    return {one.key: one for one in parameters(step_type) if one.place == place}


@functools.cache
def step_fields(step_type: str) -> tuple[str, ...]:
    """Return the names of all fields that a step of this type may have at its top level."""
    config = ("k8s_config",) if by_key(step_type, "config") else ()
    return ("type", *by_key(step_type, "step"), *config)


def mode_parameters(step_type: str, config: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters that do not apply to `config`: those of the other mode, kept and not used."""
    return tuple(one for one in parameters(step_type) if not applies(one, config))


def bounds_problem(parameter: Parameter, value: int) -> Message | None:
    """Return why a number is out of a parameter's bounds, None where it is within them."""
    if parameter.minimum is not None and value < parameter.minimum:
        return msg("%(value)s is too small: at least %(least)s.", value=value, least=parameter.minimum)
    if parameter.maximum is not None and value > parameter.maximum:
        return msg("%(value)s is too large: at most %(most)s.", value=value, most=parameter.maximum)
    return None


def config_struct(step_type: str, config: Mapping[str, Any]) -> type[Any] | None:
    """Return the Struct of a step's k8s_config; None for a shell step, an unknown type or an unknown deploy_type."""
    return fields.CONFIGS.get(fields.config_key(step_type, config))


def words(texts: Words, language: str) -> str:
    """Return the text in `language` (`en`, `zh_CN`), the English one where it has none."""
    return texts.get(language) or texts.get("en", "")
