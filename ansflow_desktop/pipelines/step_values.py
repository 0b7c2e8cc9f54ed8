"""The values of a step's fields beside their definitions: what is given, and what is only known when the step runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ansflow_desktop.models.definition import Parameter
from ansflow_desktop.models.pipeline import PipelineStep
from ansflow_desktop.pipelines.definitions import parameters
from ansflow_desktop.pipelines.variables import has_variable


class Given(NamedTuple):
    """One field of a step: its definition, its path below the step, and its value; None where it is left out."""

    parameter: Parameter
    path: str
    value: Any

    @property
    def is_given(self) -> bool:
        """True where it holds something: not empty, not off."""
        return self.value not in (None, "", False) and self.value != [] and self.value != () and self.value != {}

    def is_open(self, literal: bool) -> bool:
        """Say whether a variable decides the value: it cannot be checked before the step runs."""
        return not literal and isinstance(self.value, str) and has_variable(self.value)


def path_of(parameter: Parameter) -> str:
    """Return a parameter's path below its step."""
    return parameter.key if parameter.place == "step" else f"k8s_config.{parameter.key}"


def values_of(step: PipelineStep) -> Iterator[Given]:
    """Yield every field that a step of this type may have, the other mode's too, with its value."""
    for parameter in parameters(step.type):
        yield Given(parameter, path_of(parameter), value_of(step, parameter))


def value_of(step: PipelineStep, parameter: Parameter) -> Any:
    """Return a field's value as written, the text of a deferred one, None for one left out of k8s_config."""
    if parameter.place == "config":
        return step.k8s_config.get(parameter.key)
    return step.deferred.get(parameter.key, getattr(step, parameter.key))
