"""Problems in the words of the form: a field by its label, not by its place in the file, which stands beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ansflow_desktop import i18n
from ansflow_desktop.i18n import Message, Param, Text, msg
from ansflow_desktop.models.definition import Parameter
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.pipeline_editor_state import step_of, within_step

_CONFIG = "k8s_config."
_HEAD = re.compile(r"[^.\[]+")
_PLACES = ("%(file)s, line %(line)s, column %(column)s", "Line %(line)s, column %(column)s")
_FIELD = ("field", "loser", "winner")
_OWN: dict[str, Message] = {
    "metadata.name": msg("Name of the pipeline"),
    "metadata.description": msg("What the pipeline is for"),
}


def in_words(problems: Sequence[Problem], steps: Sequence[dict[str, Any]]) -> tuple[Problem, ...]:
    """Return `problems` of a pipeline with these steps, each field called as the form calls it.

    A place in the text is left out: a click on the problem goes there.
    """
    return tuple(_in_words(problem, steps) for problem in problems)


def _in_words(problem: Problem, steps: Sequence[dict[str, Any]]) -> Problem:
    index = step_of(problem.field)
    known = index is not None and index < len(steps)
    kind = str(steps[index].get("type")) if index is not None and known else ""
    message = "" if _is_place(problem.message) else problem.message
    return msgspec.structs.replace(problem, title=_title(problem, kind), message=message)


def _is_place(message: Text) -> bool:
    return isinstance(message, Message) and message.text in _PLACES


def _title(problem: Problem, kind: str) -> Text:
    title = problem.title
    if isinstance(title, str):
        return title
    params = {name: _param(name, value, problem.field, kind) for name, value in title.params.items()}
    if "field" in params and "value" in params and isinstance(params.get("name"), str):
        params["name"] = _label(str(params["name"]), kind)  # "... is kept and not used: %(name)s is not %(value)s"
    return msgspec.structs.replace(title, params=params)


def _param(name: str, value: Param, field: str, kind: str) -> Param:
    if not isinstance(value, str):
        return value
    if name == "names" and all(_parameter(one, kind, in_config=False) for one in value.split(", ")):
        return ", ".join(_label(one, kind) for one in value.split(", "))
    if name not in _FIELD:
        return value
    if value == field:
        return _OWN.get(field) or _label(within_step(field) or field, kind)
    return _label(value, kind)


def _label(field: str, kind: str) -> str:
    """Return the label of a field of a step of type `kind`, the name as it is for one that is not known."""
    inner = field.removeprefix(_CONFIG)
    head = _HEAD.match(inner)
    parameter = _parameter(head.group() if head else inner, kind, in_config=inner != field)
    if parameter is None or head is None:
        return field
    from ansflow_desktop.pipelines.definitions import words

    label = words(parameter.label, i18n.active_language())
    rest = inner[head.end() :].strip(".[]")
    return f"{label} ({rest})" if rest else label


def _parameter(key: str, kind: str, *, in_config: bool) -> Parameter | None:
    from ansflow_desktop.pipelines.definitions import by_key

    found = None if in_config else by_key(kind, "step").get(key)
    return found or by_key(kind, "config").get(key)
