"""From a step as written and the definitions of its type to the form: pure functions, nothing is read or asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from ansflow_desktop.i18n import Text, _, active_language, msg, msg_n, translate
from ansflow_desktop.models.definition import Group, Parameter, StepDefinitions, Words
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.step_form_state import (
    CONFIG,
    MODE,
    ChoiceState,
    FieldState,
    FormState,
    GroupState,
    KeptField,
    Path,
)

_STEP = re.compile(r"^(?:spec\.)?steps\[\d+\]\.?")
_HIDDEN = {("type",)}
_MOST_TEXT = 2000
Step = Mapping[str, Any]


def words(texts: Words) -> str:
    """Return a text of the definitions in the language in use, English where there is no other."""
    return texts.get(active_language()) or texts.get("en", "")


def build_form(step: Step, problems: Sequence[Problem], all_definitions: StepDefinitions) -> FormState:
    """Return the form of `step` with `problems` beneath their fields; a type that is not known is shown read-only."""
    kind = step.get("type")
    definition = next((one for one in all_definitions.types if one.type == kind), None)
    if definition is None:
        kept = _kept(step, (), mode_fields=())
        return _with_problems(FormState(type=str(kind or ""), title=str(kind or ""), known=False, kept=kept), problems)
    parameters = [one for one in (*all_definitions.common, *definition.parameters) if path_of(one) not in _HIDDEN]
    fields = _fields(step, parameters, {one.key: one for one in parameters})
    paths = [path_of(one) for one in parameters]
    kept = _kept(step, paths, [field.path for field in fields if not field.applies])
    state = FormState(
        type=definition.type,
        title=words(definition.label),
        help=words(definition.help),
        icon=definition.icon,
        groups=_groups([_with_mode_note(field, kept) for field in fields], parameters, all_definitions.groups),
        kept=kept,
    )
    return _with_problems(state, problems)


def path_of(parameter: Parameter) -> Path:
    """Return where the parameter lies within a step."""
    return (CONFIG, parameter.key) if parameter.place == "config" else (parameter.key,)


def value_at(step: Step, path: Path) -> tuple[Any, bool]:
    """Return the plain value at `path` within the step and whether it is there."""
    holder: Any = step
    for part in path[:-1]:
        holder = holder.get(part) if isinstance(holder, Mapping) else None
    if not isinstance(holder, Mapping) or path[-1] not in holder:
        return None, False
    return holder[path[-1]], True


def has_variable(value: Any) -> bool:
    """Return whether a value is a text whose meaning is only known once variables are replaced."""
    return isinstance(value, str) and "${" in value


# Fields


def _fields(step: Step, parameters: Iterable[Parameter], by_key: Mapping[str, Parameter]) -> list[FieldState]:
    """Return a field for each parameter; of two at one place at most one applies."""
    made: list[FieldState] = []
    taken: set[Path] = set()
    for parameter in parameters:
        path = path_of(parameter)
        applies = path not in taken and _applies(step, parameter, by_key)
        if applies:
            taken.add(path)
        made.append(_field(step, parameter, path, applies=applies))
    return made


def _applies(step: Step, parameter: Parameter, by_key: Mapping[str, Parameter]) -> bool:
    for key, wanted in parameter.when.items():
        same_place = (CONFIG, key) if parameter.place == "config" else (key,)
        found, given = value_at(step, same_place)
        if not given:
            found, given = value_at(step, (key,))
        if not given:
            found = by_key[key].default if key in by_key else None
        if not has_variable(found) and _as_text(found) != wanted:
            return False
    return True


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _field(step: Step, parameter: Parameter, path: Path, *, applies: bool) -> FieldState:
    value, given = value_at(step, path)
    return FieldState(
        path=path,
        kind=parameter.kind,
        title=words(parameter.label),
        help=words(parameter.help),
        hint=_hint(parameter),
        unit=parameter.unit,
        value=value,
        given=given,
        default=parameter.default,
        choices=tuple(ChoiceState(value=one.value, title=words(one.label)) for one in parameter.choices),
        required=parameter.required,
        advanced=parameter.advanced and not parameter.required,
        wins_over=parameter.wins_over,
        applies=applies,
    )


def _hint(parameter: Parameter) -> str:
    """Return what stands in the empty box: the default that then counts, else an example, else that it is needed."""
    if isinstance(parameter.default, list):
        return "\n".join(map(str, parameter.default))
    if parameter.default not in (None, "", {}):
        return _as_text(parameter.default)
    if not parameter.placeholder:
        return _("Required") if parameter.required else ""
    example = msg("Such as %(example)s", example=parameter.placeholder)
    needed = msg("Required, such as %(example)s", example=parameter.placeholder)
    return translate(needed if parameter.required else example)


def _groups(
    fields: Sequence[FieldState], parameters: Sequence[Parameter], groups: Sequence[Group]
) -> tuple[GroupState, ...]:
    placed = {id(field): one for field, one in zip(fields, parameters, strict=True)}
    titles = {group.key: words(group.label) for group in sorted(groups, key=lambda group: group.order)}
    known = list(dict.fromkeys([*titles, *(one.group for one in parameters)]))
    made = []
    for key in known:
        here = sorted((one for one in fields if placed[id(one)].group == key), key=lambda one: placed[id(one)].order)
        if here:
            note = _one_of([(field, placed[id(field)]) for field in here])
            made.append(GroupState(key=key, title=titles.get(key, key), note=note, fields=tuple(here)))
    return tuple(made)


def _one_of(fields: Sequence[tuple[FieldState, Parameter]]) -> Text:
    """Return the sentence on fields of which exactly one is given, empty where there are none."""
    named = next((one.one_of for field, one in fields if one.one_of and field.applies), "")
    titles = [field.title for field, one in fields if one.one_of == named and field.applies] if named else []
    return msg("Give one of these: %(fields)s.", fields=", ".join(titles)) if len(titles) > 1 else ""


def _with_mode_note(field: FieldState, kept: Sequence[KeptField]) -> FieldState:
    """Say beneath the switch that what was typed for the other mode is still there."""
    count = sum(one.other_mode for one in kept)
    if field.path != MODE or not count:
        return field
    text = msg_n(
        "%(count)s field of the other mode is kept in the file.",
        "%(count)s fields of the other mode are kept in the file.",
        count,
    )
    return msgspec.structs.replace(field, note=text)


# What is kept as it is


def _kept(step: Step, known: Sequence[Path], mode_fields: Sequence[Path]) -> tuple[KeptField, ...]:
    """Return what the file holds and no field edits; a `k8s_config` that is no mapping is one of them."""
    config = step.get(CONFIG)
    nested = config if isinstance(config, Mapping) else {}
    held: dict[Path, Any] = {
        (str(key),): value for key, value in step.items() if key != CONFIG or config not in (None, nested)
    }
    held |= {(CONFIG, str(key)): value for key, value in nested.items()}
    editable = {path for path in known if path not in mode_fields or path in _twice(known)} | _HIDDEN
    return tuple(
        KeptField(name=".".join(path), text=shown_text(value), other_mode=path in mode_fields)
        for path, value in held.items()
        if path not in editable
    )


def _twice(known: Sequence[Path]) -> set[Path]:
    """Return the places that two parameters have, one for each mode: one of them applies."""
    return {path for path in known if list(known).count(path) > 1}


def shown_text(value: Any) -> str:
    """Return a plain value as YAML shows it, texts as they are, at most 2,000 characters."""
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    try:
        text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, default_flow_style=None)
    except yaml.YAMLError:
        text = str(value)
    return text.removesuffix("\n").removesuffix("\n...")[:_MOST_TEXT]


# Problems


def _with_problems(state: FormState, problems: Sequence[Problem]) -> FormState:
    """Return the form with each problem beneath the field that it names, the rest at the top."""
    names = [field.name for group in state.groups for field in group.fields if field.applies]
    names += [kept.name for kept in state.kept]
    sorted_out: dict[str, list[Problem]] = {}
    for problem in problems:
        sorted_out.setdefault(_owner(problem.field, names), []).append(problem)
    of = {name: tuple(found) for name, found in sorted_out.items()}
    replace = msgspec.structs.replace
    groups = tuple(replace(group, fields=tuple(_given(field, of) for field in group.fields)) for group in state.groups)
    kept = tuple(replace(one, problems=of.get(one.name, ())) for one in state.kept)
    return replace(state, groups=groups, kept=kept, problems=of.get("", ()))


def _given(field: FieldState, of: Mapping[str, tuple[Problem, ...]]) -> FieldState:
    found = of.get(field.name, ()) if field.applies else ()
    return msgspec.structs.replace(field, problems=found) if found else field


def _owner(field: str, names: Sequence[str]) -> str:
    """Return the name of the field that a problem's field lies in, empty where it is none of `names`."""
    within = _STEP.sub("", field)
    for candidate in (within, f"{CONFIG}.{within}"):
        fitting = [name for name in names if _lies_in(candidate, name)]
        if fitting:
            return max(fitting, key=len)
    return ""


def _lies_in(field: str, name: str) -> bool:
    return field == name or field.startswith((f"{name}.", f"{name}["))
