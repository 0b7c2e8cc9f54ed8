"""How a step type is described: one definition feeds form, JSON Schema, validation, completion and reference."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Words: TypeAlias = dict[str, str]  # the same text by language: {"en": ..., "zh_CN": ...}

Kind: TypeAlias = Literal[
    "text", "lines", "yaml", "code", "boolean", "integer", "duration", "choice", "list", "mapping", "command",
    "variable", "cluster", "namespace", "resource", "container", "selector", "chart", "folder", "file", "files",
    "kinds",
]  # fmt: skip


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value of a parameter of kind `choice`."""

    value: str
    label: Words


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a step: `place` says where it lies in the document (`step`: its top level, `config`: k8s_config).

    `when` maps another field of the same place or the step to the value for which this one applies
    (`{"deploy_type": "helm"}`). `one_of` names a set of parameters of which exactly one is given; `wins_over` names
    those that this one beats where both are given. `unit` is `s`, `lines`, `replicas` and the like. `advanced` ones are
    folded away in the form. `default` null means none.
    """

    key: str
    kind: Kind
    place: Literal["step", "config"]
    label: Words
    help: Words
    group: str
    order: int
    default: Any = None
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[Choice, ...] = ()
    required: bool = False
    when: dict[str, str] = {}
    one_of: str = ""
    wins_over: tuple[str, ...] = ()
    advanced: bool = False
    placeholder: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of parameters in the form and the reference."""

    key: str
    order: int
    label: Words


class StepDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step type: `icon` is a name of the icon font, `example` its YAML, `jenkins` the same step in Jenkins."""

    type: str
    label: Words
    help: Words
    icon: str
    category: str
    parameters: tuple[Parameter, ...]
    example: str
    jenkins: str


class StepDefinitions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file `resources/pipeline-steps-config.json`; `common` are the options that every step has."""

    version: int
    groups: tuple[Group, ...]
    common: tuple[Parameter, ...]
    types: tuple[StepDefinition, ...]
