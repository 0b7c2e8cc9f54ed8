"""Variables of a pipeline: `${name}` in every text but a shell step's command, `$$` for a dollar sign."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.definition import Parameter
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.pipelines import fields
from ansflow_desktop.pipelines.builtin import BUILTIN
from ansflow_desktop.pipelines.definitions import applies, bounds_problem, by_key
from ansflow_desktop.pipelines.shell_places import VARIABLE, Place, places, quoted

_FIXED = frozenset({"name", "type", "output", "deferred", "description", "when"})
_TRUE_FALSE = {"true": True, "false": False}


class _Template(string.Template):
    """Only `${name}` and `$$`; any other `$` stays as it is (`$HOME` in values is no variable)."""

    flags = re.ASCII
    pattern = r"""
    \$(?:
      (?P<escaped>\$)                           |
      (?P<named>(?!))                           |
      \{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\}    |
      (?P<invalid>(?=\{))
    )
    """  # type: ignore[assignment]  # string.Template compiles it


_PATTERN: re.Pattern[str] = _Template.pattern  # type: ignore[assignment]


def names_in(text: str) -> list[str]:
    """Return the names of the variables used in `text`, each once; raises UserError where `${` begins no name."""
    template = _Template(text)
    if not template.is_valid():
        raise _malformed(text)
    return template.get_identifiers()


def has_variable(text: str) -> bool:
    """Say whether `text` holds a variable, or what begins like one; `$$` and `$NAME` are none."""
    return any(found["escaped"] is None for found in _PATTERN.finditer(text))


def _malformed(text: str) -> UserError:
    found = next(match for match in _PATTERN.finditer(text) if match.group("invalid") is not None)
    part = text[found.start() : found.start() + 40].splitlines()[0]
    return UserError(
        msg("%(text)s is no variable", text=part),
        "",
        msg("A variable is written as a name in braces after a dollar sign; write $$ for a plain dollar sign."),
    )


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with its variables replaced; raises UserError for an undefined one."""
    if "$" not in text:
        return text
    for name in names_in(text):
        if name not in variables:
            raise undefined_error(name, variables)
    return _Template(text).substitute(variables)


def undefined_error(name: str, variables: Collection[str]) -> UserError:
    """Return the error for the undefined variable `name`, with what is defined."""
    return UserError(_not_defined(name), "", _defined(name, variables))


def _defined(name: str, variables: Collection[str]) -> Text:
    if not variables:
        return msg("Define it under spec.variables, or give it with -v NAME=VALUE.")
    return fields.suggestion(name, sorted(variables))


def substitute(step: PipelineStep, variables: Mapping[str, str]) -> PipelineStep:
    """Return `step` with variables replaced everywhere but in a shell step's command, its name, description and `when`.

    A true/false or number field that was only a text before has its type afterwards. In a text-form k8s_exec command
    values are quoted for where they stand. Fields of the other deploy mode stay as they are. Raises UserError (its
    `field` names the place below the step, such as `k8s_config.timeout`) for an undefined variable, for a text of the
    wrong type, and for a value that cannot be quoted where it stands.
    """
    types = by_key(step.type, "step")
    changed = {name: _replace(value, name, variables) for name, value in _texts_of(step)}
    for name, text in step.deferred.items():
        changed[name] = _typed(fill(text, variables), types[name], name)
    if step.k8s_config:
        used = {name: _config_value(step, name, value, variables) for name, value in _config_of(step)}
        changed["k8s_config"] = {**step.k8s_config, **used}
    if step.type is not StepType.SHELL:
        _map_texts(changed, "", _require_text)
    return msgspec.structs.replace(step, **changed, deferred={})


def is_text(value: str) -> bool:
    """Say whether `value` can be written as UTF-8: not where it came from bytes that are none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_text(value: str, field: str) -> str:
    if is_text(value):
        return value
    title = msg("%(field)s holds bytes that are no UTF-8 text", field=field.removeprefix("."))
    hint = msg("Look at the variables in it: one has such a value.")
    raise UserError(title, "", hint, field=field.removeprefix("."))


def _texts_of(step: PipelineStep) -> Iterator[tuple[str, Any]]:
    skipped = _FIXED | ({"command"} if step.type is StepType.SHELL else set()) | {"k8s_config"}
    for name in step.__struct_fields__:
        value = getattr(step, name)
        if name not in skipped and isinstance(value, str | dict):
            yield name, value


def _config_of(step: PipelineStep) -> Iterator[tuple[str, Any]]:
    """Yield the fields of k8s_config that are used and may hold variables: not the other mode's, no variable's name."""
    known = by_key(step.type, "config")
    for name, value in step.k8s_config.items():
        parameter = known.get(name)
        if parameter is None or (parameter.kind != "variable" and applies(parameter, step.k8s_config)):
            yield name, value


def _config_value(step: PipelineStep, name: str, value: Any, variables: Mapping[str, str]) -> Any:
    path, parameter = f"k8s_config.{name}", by_key(step.type, "config").get(name)
    if parameter is not None and parameter.kind == "command" and isinstance(value, str):
        return _for_shell(value, path, variables)
    replaced = _replace(value, path, variables)
    return replaced if parameter is None or not isinstance(value, str) else _typed(replaced, parameter, path)


def shell_places(text: str) -> list[Place]:
    """Return where each variable of a text for `sh -c` stands, in their order."""
    return places(_PATTERN.sub(lambda found: VARIABLE if found["braced"] else found[0][-1], text))


def _for_shell(text: str, field: str, variables: Mapping[str, str]) -> str:
    """Return a text for `sh -c` with each value quoted for its place."""
    following = iter(shell_places(text))

    def one(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        name = found["braced"]
        if name not in variables:
            raise undefined_error(name, variables)
        return quoted(variables[name], next(following), name)

    try:
        names_in(text)
        return _PATTERN.sub(one, text)
    except UserError as error:
        error.field = field
        raise


def _replace(value: Any, field: str, variables: Mapping[str, str]) -> Any:
    def one(text: str, path: str) -> str:
        try:
            return fill(text, variables)
        except UserError as error:
            error.field = path
            raise

    return _map_texts(value, field, one)


def _map_texts(value: Any, field: str, change: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return change(value, field)
    if isinstance(value, Mapping):
        return {key: _map_texts(item, f"{field}.{key}", change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_map_texts(item, f"{field}[{index}]", change) for index, item in enumerate(value)]
    return value


def _typed(text: str, parameter: Parameter, field: str) -> str | bool | int:
    if parameter.kind == "boolean":
        return _true_or_false(text, field)
    return _whole_number(text, parameter, field) if parameter.kind == "integer" else text


def _true_or_false(text: str, field: str) -> bool:
    if text in _TRUE_FALSE:
        return _TRUE_FALSE[text]
    raise _wrong(msg("%(field)s must be true or false", field=field), text, field)


def _whole_number(text: str, parameter: Parameter, field: str) -> int:
    if not fields.DECIMAL.fullmatch(text):
        raise _wrong(msg("%(field)s must be a whole number", field=field), text, field)
    problem = bounds_problem(parameter, int(text))
    if problem is not None:
        raise UserError(msg("%(field)s cannot be used", field=field), problem, field=field)
    return int(text)


def _wrong(title: Message, text: str, field: str) -> UserError:
    said = msg("After its variables were replaced it is %(text)s.", text=text or "''")
    return UserError(title, said, field=field)


def resolve(pipeline: Pipeline, given: Mapping[str, str]) -> dict[str, str]:
    """Return all variables at the start: the built-in ones in `given`, the file's in their order, over them `given`.

    A value of the file may use what stands above it. Raises UserError for an undefined variable.
    """
    values = dict(given)
    for name, text in pipeline.variables.items():
        if name not in given or name in BUILTIN:
            values[name] = _replace(text, f"spec.variables.{name}", values)
    return values


def undefined(pipeline: Pipeline, given: Collection[str], chosen: Collection[int] | None = None) -> list[Problem]:
    """Return a problem for each use of a variable that nothing can define before its step runs.

    `given` are the names known from outside. Behind an enabled shell step any name may have been exported, so it is
    only checked when it is used (pipeline-file.md, "Variables"); what is no variable at all is found everywhere.
    `chosen` are the indexes of the steps that will run, None for all.
    """
    outside = {*given, *BUILTIN}
    problems = list(_variable_problems(pipeline, outside))
    known: set[str] | None = {*outside, *pipeline.variables}
    for index, step in enumerate(pipeline.steps):
        if (chosen is not None and index not in chosen) or not step.enabled:
            continue
        problems.extend(_step_problems(step, f"steps[{index}]", known))
        known = _known_after(step, known)
    return problems


def _known_after(step: PipelineStep, known: set[str] | None) -> set[str] | None:
    """Return the names known behind `step`; None where any may be defined."""
    if step.type is StepType.SHELL or known is None:
        return None
    output = step.output or step.k8s_config.get("output")
    return known | {str(output)} if output else known


def _variable_problems(pipeline: Pipeline, known: set[str]) -> Iterator[Problem]:
    above = set(known)
    for name, text in pipeline.variables.items():
        yield from _text_problems(text, f"spec.variables.{name}", above)
        above.add(name)


def _step_problems(step: PipelineStep, field: str, known: set[str] | None) -> list[Problem]:
    found: list[Problem] = []

    def look(text: str, path: str) -> str:
        found.extend(_text_problems(text, f"{field}.{path}", known))
        return text

    for name, value in (*_texts_of(step), *step.deferred.items(), ("when", step.when)):
        _map_texts(value, name, look)
    for name, value in _config_of(step):
        _map_texts(value, f"k8s_config.{name}", look)
    return found


def _text_problems(text: str, field: str, known: set[str] | None) -> Iterator[Problem]:
    try:
        names = names_in(text) if "$" in text else []
    except UserError as error:
        yield Problem(field=field, title=error.title, hint=error.hint)
        return
    for name in names if known is not None else ():
        if name not in (known or ()):
            yield Problem(field=field, title=_not_defined(name), hint=_defined(name, set(known or ()) - set(BUILTIN)))


def _not_defined(name: str) -> Message:
    return msg("The variable %(name)s is not defined", name=name)
