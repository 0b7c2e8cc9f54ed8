"""Templates as documents: read, checked, applied, made from steps. Nothing is run and no file is written here."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from ansflow_desktop import paths, safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.names import namespace_problem
from ansflow_desktop.models.template import CATEGORIES, Template, TemplateParameter
from ansflow_desktop.pipelines import fields
from ansflow_desktop.pipelines.definitions import by_key, type_names

API_VERSION, KIND = fields.API_VERSION, "Template"
MAX_BYTES = 1_000_000
_USE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_WHOLE_VALUE = re.compile(r"(?m)(?<=[:\-] )\$\{([A-Za-z_][A-Za-z0-9_]*)\}$", re.ASCII)
_IN_QUOTES = re.compile(r'(?<=")\$\{([A-Za-z_][A-Za-z0-9_]*)\}(?=")', re.ASCII)
_PLAIN = re.compile(r"[A-Za-z/_.][A-Za-z0-9/_.@-]*(:[A-Za-z0-9/_.@-]+)*", re.ASCII)
_YAML_FIELDS = frozenset({"manifest", "custom_values"})
_RUNS_PROGRAMS = frozenset({"shell", "k8s_exec"})


@functools.cache
def builtin_templates() -> tuple[Template, ...]:
    """Return the templates that come with the program, by name."""
    files = sorted((paths.resources() / "templates").glob("*.yaml"))
    found = (parse_template(path.read_text(encoding="utf-8"), path.name) for path in files)
    return tuple(msgspec.structs.replace(one, origin="builtin") for one in found)


def parse_template(text: str, name: str = "template.yaml") -> Template:
    """Return the template in `text` (YAML); `name` is how errors call it.

    Raises UserError for what is no YAML, no template, or has a field of the wrong type. Unknown fields are refused by
    name: a template of a newer version could mean something else.
    """
    if len(text) > MAX_BYTES:
        raise UserError(msg("The file is larger than %(limit)s bytes", limit=MAX_BYTES), name)
    try:
        document = safe_yaml.load(text)
    except safe_yaml.YamlProblem as problem:
        raise UserError(msg("%(file)s is not valid YAML", file=name), problem.text()) from problem
    if not isinstance(document, dict) or document.get("kind") != KIND or document.get("apiVersion") != API_VERSION:
        raise UserError(
            msg("%(file)s is no template", file=name),
            "",
            msg("A template begins with apiVersion: %(version)s and kind: %(kind)s.", version=API_VERSION, kind=KIND),
        )
    return _converted(document, name)


class _Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    title: str | dict[str, str] = ""
    description: str | dict[str, str] = ""
    category: str = "custom"


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    steps: tuple[dict[str, Any], ...]
    parameters: tuple[TemplateParameter, ...] = ()


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str  # the field's name in the file
    kind: str
    metadata: _Metadata
    spec: _Spec


def _converted(document: dict[str, Any], name: str) -> Template:
    try:
        read = msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        raise UserError(msg("%(file)s is no template", file=name), str(error), msg("Correct the field.")) from error
    head = read.metadata
    template = Template(
        name=head.name,
        title=head.title,
        description=head.description,
        category=head.category,
        parameters=read.spec.parameters,
        steps=read.spec.steps,
    )
    _check(template, name)
    return template


def _check(template: Template, name: str) -> None:
    names = [one.name for one in template.parameters]
    wrong = [one for one in names if not fields.NAME.fullmatch(one)]
    twice = [one for one in names if names.count(one) > 1]
    if not template.name.strip() or not template.steps or wrong or twice:
        reason = msg("It needs a name, at least one step, and parameters whose names are variables, each once.")
        raise UserError(msg("%(file)s is no template", file=name), reason)


def template_text(template: Template) -> str:
    """Return `template` as the YAML text of a file; `parse_template` reads it back."""
    head = {"name": template.name, "title": template.title, "description": template.description}
    document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {**{key: value for key, value in head.items() if value}, "category": template.category},
        "spec": {
            "parameters": [msgspec.to_builtins(one) for one in template.parameters],
            "steps": list(template.steps),
        },
    }
    return as_yaml(document)


def as_yaml(document: Any) -> str:
    """Return plain data as YAML for people: texts of several lines as blocks, keys in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as block scalars, as people write manifests."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent)


def runs_programs(template: Template) -> bool:
    """Say whether applied steps run programs on this machine or in containers: shown and trusted before the first run.

    A step type that is not known counts (conventions.md, line 13).
    """
    known = set(type_names())
    return any(step.get("type") in _RUNS_PROGRAMS or step.get("type") not in known for step in template.steps)


def problems_of(template: Template, values: Mapping[str, str]) -> dict[str, Message]:
    """Return what is wrong with the values given for a template's parameters, by parameter."""
    found = ((one.name, _value_problem(one, values.get(one.name, one.default))) for one in template.parameters)
    return {name: problem for name, problem in found if problem}


def _value_problem(parameter: TemplateParameter, value: str) -> Message | None:
    if not value.strip():
        return msg("%(field)s is missing", field=parameter.name) if parameter.required else None
    if "\n" in value or "\0" in value:
        return msg("It must be one line.")
    if parameter.kind == "integer":
        return _number_problem(parameter, value)
    if parameter.kind == "boolean" and value not in ("true", "false"):
        return msg("%(field)s must be true or false", field=parameter.name)
    if parameter.kind in ("name", "namespace") and not _USE.search(value):
        return namespace_problem(value)
    return None


def _number_problem(parameter: TemplateParameter, value: str) -> Message | None:
    least = parameter.minimum if parameter.minimum is not None else -(2**31)
    if _USE.fullmatch(value) or (re.fullmatch(r"-?[0-9]{1,9}", value) and int(value) >= least):
        return None
    if parameter.minimum is None:
        return msg("It must be a whole number.")
    return msg("It must be a whole number of at least %(least)d.", least=parameter.minimum)


def apply(template: Template, values: Mapping[str, str], taken: Iterable[str] = ()) -> tuple[dict[str, Any], ...]:
    """Return the steps of `template` with its parameters replaced; no step has a name in `taken`.

    Raises UserError whose field is the parameter at fault.
    """
    problems = problems_of(template, values)
    if problems:
        name, problem = next(iter(problems.items()))
        raise UserError(msg("The parameter %(name)s cannot be used", name=name), problem, field=name)
    names = set(taken)
    return tuple(_named(step, names) for step in filled(template, values))


def filled(template: Template, values: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Return the steps with parameters replaced, whatever the values are: for showing what becomes of them."""
    given = {one.name: values.get(one.name, one.default) for one in template.parameters}
    return tuple(_step(step, given) for step in template.steps)


def _named(step: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    wanted = str(step.get("name") or step.get("type") or "step")
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return {**step, "name": name}


def _step(step: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    kind = str(step.get("type", ""))
    made = {key: _value(value, given, _wanted(kind, "step", key)) for key, value in step.items() if key != "k8s_config"}
    if isinstance(step.get("k8s_config"), Mapping):
        config = step["k8s_config"].items()
        made["k8s_config"] = {key: _config_value(kind, key, value, given) for key, value in config}
    return made


def _config_value(kind: str, key: str, value: Any, given: Mapping[str, str]) -> Any:
    if key in _YAML_FIELDS and isinstance(value, str):
        return _in_yaml(value, given)
    return _value(value, given, _wanted(kind, "config", key))


def _wanted(kind: str, place: str, key: str) -> str:
    parameter = by_key(kind, place).get(key)
    return parameter.kind if parameter else "text"


def _value(value: Any, given: Mapping[str, str], kind: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _value(one, given, "text") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(one, given, "text") for one in value]
    if not isinstance(value, str):
        return value
    text = _USE.sub(lambda found: given.get(found[1], found[0]), value)
    if kind == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


def _in_yaml(text: str, given: Mapping[str, str]) -> str:
    """Replace in YAML text: what stands for a whole value is quoted where it would read as something else."""
    text = _IN_QUOTES.sub(lambda found: _quoted(given[found[1]])[1:-1] if found[1] in given else found[0], text)
    text = _WHOLE_VALUE.sub(lambda found: _scalar(given[found[1]]) if found[1] in given else found[0], text)
    return _USE.sub(lambda found: given.get(found[1], found[0]), text)


def _scalar(value: str) -> str:
    if _USE.search(value) or re.fullmatch(r"-?(0|[1-9][0-9]*)", value):
        return value
    if _PLAIN.fullmatch(value) and safe_yaml.load(value) == value:
        return value
    return _quoted(value)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def from_steps(
    name: str, steps: Iterable[Mapping[str, Any]], parameters: Iterable[TemplateParameter] = (), **head: Any
) -> Template:
    """Return a template of the user made from `steps`; `head` holds title, description and category.

    Each value in `parameters` that has a default is replaced in the steps by `${name}` where it is a whole text.
    """
    chosen = tuple(parameters)
    defaults = {one.default: f"${{{one.name}}}" for one in chosen if one.default}
    made = tuple(_lifted(dict(step), defaults) for step in steps)
    template = Template(name=name.strip(), parameters=chosen, steps=made, **head)
    _check(template, name)
    if template.category not in CATEGORIES:
        return msgspec.structs.replace(template, category="custom")
    return template


def _lifted(value: Any, defaults: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: one if key in ("name", "type") else _lifted(one, defaults) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_lifted(one, defaults) for one in value]
    plain = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return defaults.get(plain, value) if plain else value


def search(templates: Iterable[Template], text: str, category: str = "") -> tuple[Template, ...]:
    """Return the templates that hold every word of `text` in name, title, description or category."""
    wanted = text.casefold().split()

    def fits(one: Template) -> bool:
        held = " ".join([one.name, one.category, *_all(one.title), *_all(one.description)]).casefold()
        return (not category or one.category == category) and all(word in held for word in wanted)

    return tuple(one for one in templates if fits(one))


def _all(named: str | Mapping[str, str]) -> Iterable[str]:
    return (named,) if isinstance(named, str) else named.values()
