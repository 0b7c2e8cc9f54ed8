"""What can be typed at a place of a pipeline's text: fields, types, choices and variables, from the definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ansflow_desktop.i18n import active_language
from ansflow_desktop.models.definition import Parameter
from ansflow_desktop.pipelines import fields, kinds
from ansflow_desktop.pipelines.builtin import BUILTIN
from ansflow_desktop.pipelines.completion_place import Place, place_at
from ansflow_desktop.pipelines.definitions import applies, by_key, definitions, step_definition, words

MOST = 60
STEP = ("spec", "steps[]")
CONFIG = (*STEP, "k8s_config")
_FRAME: dict[tuple[str, ...], tuple[str, ...]] = {
    (): fields.ROOT_FIELDS,
    ("metadata",): fields.METADATA_FIELDS,
    ("spec",): fields.SPEC_FIELDS,
}
_HOLDERS = frozenset({"metadata", "spec", "variables", "steps", "k8s_config", "env"})
_CONSTANTS: dict[tuple[tuple[str, ...], str], str] = {((), "apiVersion"): fields.API_VERSION, ((), "kind"): fields.KIND}
_VARIABLE = re.compile(r"(?:^|[^$])(?:\$\$)*\$\{(?P<word>\w*)$", re.ASCII)
_VARIABLES = re.compile(
    r"^(?P<indent> *)variables:[ \t]*(?P<flow>\{[^}]*\})?(?P<block>(?:\n(?P=indent) +.*|\n[ ]*)*)", re.M
)
_NAME_LINE = re.compile(r"(?:^|[{,\n])[ ]*([A-Za-z_]\w*)[ ]*:", re.ASCII)
_OUTPUT = re.compile(r"\boutput:[ ]*([A-Za-z_]\w*)", re.ASCII)


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to type: `insert` replaces the text from offset `replace_from` up to the cursor."""

    label: str
    insert: str
    help: str
    replace_from: int


def complete(text: str, offset: int) -> tuple[Completion, ...]:
    """Return what can be typed at `offset` (a number of characters) of a pipeline's text, the likeliest first.

    The text need not be valid. Inside a script or a manifest only variables are offered.
    """
    offset = max(0, min(offset, len(text)))
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    variable = _VARIABLE.search(line)
    if variable:
        return _variables(text, offset, variable["word"])
    place = place_at(text, offset)
    if place is None:
        return ()
    offered = _values(place) if place.key else _keys(place)
    start = offset - len(place.word)
    return tuple(
        Completion(label=label, insert=insert, help=said, replace_from=start)
        for label, insert, said in _matching(offered, place.word)
    )


def _matching(offered: Iterator[tuple[str, str, str]], word: str) -> list[tuple[str, str, str]]:
    """Keep what holds `word`, what begins with it in front."""
    wanted = word.lower().strip("\"'")
    found = [one for one in offered if wanted in one[0].lower() and one[1] != word]
    return sorted(found, key=lambda one: not one[0].lower().startswith(wanted))[:MOST]


def _keys(place: Place) -> Iterator[tuple[str, str, str]]:
    for name in _FRAME.get(place.path, ()):
        if name not in place.used:
            yield name, _key(name), ""
    if place.path == STEP:
        yield from _step_keys(place)
    elif place.path == CONFIG:
        yield from _parameter_keys(place, "config")


def _step_keys(place: Place) -> Iterator[tuple[str, str, str]]:
    if "type" not in place.used:
        yield "type", "type: ", ""
    yield from _parameter_keys(place, "step")
    if "k8s_config" not in place.used and by_key(place.step.get("type", ""), "config"):
        yield "k8s_config", "k8s_config:", ""


def _parameter_keys(place: Place, where: str) -> Iterator[tuple[str, str, str]]:
    config = {name.partition(".")[2]: value for name, value in place.step.items() if name.startswith("k8s_config.")}
    for parameter in by_key(place.step.get("type", ""), where).values():
        if parameter.key not in place.used and applies(parameter, config):
            yield parameter.key, _key(parameter.key), words(parameter.help, active_language())


def _key(name: str) -> str:
    return f"{name}:" if name in _HOLDERS else f"{name}: "


def _values(place: Place) -> Iterator[tuple[str, str, str]]:
    constant = _CONSTANTS.get((place.path, place.key))
    if constant:
        yield constant, constant, ""
    if place.path == STEP and place.key == "type":
        yield from ((one.type, one.type, words(one.help, active_language())) for one in definitions().types)
    elif place.path in (STEP, CONFIG) and step_definition(place.step.get("type", "")):
        where = "step" if place.path == STEP else "config"
        parameter = by_key(place.step["type"], where).get(place.key)
        yield from _parameter_values(parameter) if parameter else ()


def _parameter_values(parameter: Parameter) -> Iterator[tuple[str, str, str]]:
    if parameter.kind == "boolean":
        yield from (("true", "true", ""), ("false", "false", ""))
    elif parameter.kind == "kinds":
        yield from ((name, name, "") for name in kinds.KNOWN)
    elif parameter.kind == "resource":
        yield from ((f"{name}/", f"{name}/", "") for name in kinds.KNOWN)
    for choice in parameter.choices:
        yield choice.value, choice.value, words(choice.label, active_language())


def _variables(text: str, offset: int, word: str) -> tuple[Completion, ...]:
    """Return the variables of the file, outputs of steps above the cursor, and the built-in ones."""
    names = [*_file_variables(text), *_OUTPUT.findall(text[:offset]), *BUILTIN]
    closing = "" if text[offset : offset + 1] == "}" else "}"
    offered = ((name, name + closing, "") for name in dict.fromkeys(names))
    return tuple(
        Completion(label=label, insert=insert, help=said, replace_from=offset - len(word))
        for label, insert, said in _matching(offered, word)
    )


def _file_variables(text: str) -> list[str]:
    match = _VARIABLES.search(text)
    return _NAME_LINE.findall(match["flow"] or match["block"] or "") if match else []
