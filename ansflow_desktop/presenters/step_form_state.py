"""What the form of a step shows, as data: groups of fields, each with its value, problems and completions."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.i18n import Text
from ansflow_desktop.models.definition import Kind
from ansflow_desktop.models.problem import Problem, Severity

Path: TypeAlias = tuple[str, ...]
CONFIG = "k8s_config"
MODE: Path = (CONFIG, "deploy_type")


class ChoiceState(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a choice with its label in the language in use."""

    value: str
    title: str


class FieldState(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form.

    `path` leads to it within the step (`("k8s_config", "timeout")`), `name` is the same as people read it in the file.
    `given` says whether the file holds it, `value` what it holds as plain data. `default` holds where it is left out,
    None for none. `hint` stands in an empty box, `wins_over` names the fields that this one beats. `applies` is False
    for a field of the other mode, which is not shown. `options` are offered for completion, `options_note` says where
    they came from or why there are none; `note` stands beneath the box.
    """

    path: Path
    kind: Kind
    title: str
    help: str = ""
    hint: str = ""
    unit: str = ""
    value: Any = None
    given: bool = False
    default: Any = None
    choices: tuple[ChoiceState, ...] = ()
    required: bool = False
    advanced: bool = False
    applies: bool = True
    wins_over: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    options_note: Text = ""
    note: Text = ""
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The field's name in the file."""
        return ".".join(self.path)

    @property
    def object_name(self) -> str:
        """The name by which tests find the input."""
        return "field_" + "_".join("config" if part == CONFIG else part for part in self.path)

    @property
    def changed(self) -> bool:
        """True for a field that the file holds with another value than its default."""
        return self.given and not same(self.value, self.default)

    @property
    def wrong(self) -> bool:
        """True for a field with a problem that wants to be seen."""
        return any(problem.severity is not Severity.INFO for problem in self.problems)


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A group of fields under one heading, in order; `note` says of which of them one is given."""

    key: str
    title: str
    note: Text = ""
    fields: tuple[FieldState, ...] = ()


class KeptField(msgspec.Struct, frozen=True, kw_only=True):
    """A field that the file holds and the form does not edit: its name, its value as YAML would show it, its problems.

    `other_mode` True means that it does not apply to the step as it is now; otherwise it is unknown here.
    """

    name: str
    text: str
    other_mode: bool = False
    problems: tuple[Problem, ...] = ()


class FormState(msgspec.Struct, frozen=True, kw_only=True):
    """The form of one step; `type` empty for no step, `known` False for a type that is not known here.

    `serial` is another number for another step: what was typed for the last one is then forgotten; `turns` is one after
    undo and redo: what was typed does not stand over what the document holds. `problems` belong to no field.
    """

    type: str = ""
    title: str = ""
    help: str = ""
    icon: str = ""
    known: bool = True
    serial: int = 0
    turns: int = 0
    folder: str = ""
    groups: tuple[GroupState, ...] = ()
    kept: tuple[KeptField, ...] = ()
    problems: tuple[Problem, ...] = ()

    def field(self, path: Path) -> FieldState | None:
        """Return the field at `path`, the one that applies where two modes have one of that name."""
        found = [field for group in self.groups for field in group.fields if field.path == path]
        return next((field for field in found if field.applies), found[0] if found else None)


def same(value: Any, other: Any) -> bool:
    """Return whether two plain values are the same in a file: `true` is not `1`."""
    return type(value) is type(other) and bool(value == other)
