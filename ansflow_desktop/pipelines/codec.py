"""From a pipeline file to a `Pipeline`: every field checked by name, every problem with its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.definition import Parameter
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.pipelines import fields
from ansflow_desktop.pipelines.definitions import by_key, parameters_of, step_fields, type_names
from ansflow_desktop.pipelines.document import (
    Node,
    PipelineError,
    Reader,
    compose,
    is_null,
    join,
    read_text,
    scalar_text,
)

Pairs: TypeAlias = "dict[str, Node]"

_TRUE_FALSE = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
LISTS = frozenset({"list", "files", "kinds"})
TYPED = frozenset({"boolean", "integer"})


def load_pipeline(path: Path | str) -> Pipeline:
    """Return the pipeline in the file `path`; its folder is where relative paths start.

    Raises UserError for a file that cannot be read, and PipelineError (with every problem found) for one that is wrong.
    """
    path = Path(path)
    return parse(read_text(path), str(path.absolute().parent), str(path))


def parse(text: str, folder: str, name: str = "pipeline.yaml") -> Pipeline:
    """Return the pipeline in `text`; `folder` is its absolute folder, `name` how problems call the file.

    Raises PipelineError with every problem found, the first one in front.
    """
    read = examine(text, folder, name)
    if read.problems or read.pipeline is None:
        raise PipelineError(read.problems)
    return read.pipeline


class Examined(NamedTuple):
    """What could be read of a pipeline, and every problem found; None where the text is no pipeline at all.

    Steps at the indexes `unreadable` are empty shell steps, so that the others keep their places.
    """

    pipeline: Pipeline | None
    problems: tuple[Problem, ...]
    unreadable: frozenset[int] = frozenset()


def examine(text: str, folder: str, name: str = "pipeline.yaml") -> Examined:
    """Return what can be read of the pipeline in `text`, with its problems; parameters as for `parse`; never raises."""
    try:
        reader, root = compose(text, name)
        pipeline = _root(reader, root, folder)
    except PipelineError as error:
        return Examined(None, error.problems)
    unreadable = frozenset(index for index, step in enumerate(pipeline.steps) if step is _UNREADABLE)
    return Examined(pipeline, tuple(reader.problems), unreadable)


_UNREADABLE = PipelineStep(name="", type=StepType.SHELL)


def _root(reader: Reader, root: Node, folder: str) -> Pipeline:
    if not isinstance(root, yaml.MappingNode):
        raise reader.fail(root, "", msg("A pipeline file is a mapping with apiVersion, kind, metadata and spec"))
    top = _mapping(reader, root, "", fields.ROOT_FIELDS)
    _constant(reader, root, top, "apiVersion", fields.API_VERSION)
    _constant(reader, root, top, "kind", fields.KIND)
    metadata = _section(reader, root, top, "metadata", fields.METADATA_FIELDS)
    spec = _section(reader, root, top, "spec", fields.SPEC_FIELDS)
    return Pipeline(
        name=_text(reader, metadata.get("name"), "metadata.name"),
        description=_text(reader, metadata.get("description"), "metadata.description"),
        variables=_variables(reader, spec.get("variables")),
        steps=_steps(reader, root, spec.get("steps")),
        folder=folder,
    )


def _section(reader: Reader, root: Node, top: Pairs, name: str, known: tuple[str, ...]) -> Pairs:
    if name not in top:
        reader.problem(root, name, msg("%(field)s is missing", field=name))
        return {}
    return _mapping(reader, top[name], name, known)


class Owner(NamedTuple):
    """Whose fields a mapping holds: the step type, where they lie (`step` or `config`), and how to call them."""

    step_type: str
    place: str
    name: Text


def _mapping(
    reader: Reader, node: Node, field: str, known: tuple[str, ...], owner: Owner | None = None
) -> dict[str, Node]:
    """Return the known fields of a mapping; the others become problems."""
    if not isinstance(node, yaml.MappingNode):
        reader.problem(node, field, msg("%(field)s must be a mapping", field=field))
        return {}
    found: Pairs = {}
    for name, key, value in reader.pairs(node, field):
        if name in known:
            found[name] = value
        elif name != fields.FOREIGN or not _may_hold_foreign(field):
            _refuse_field(reader, key, join(field, name), known, owner)
    return found


def _may_hold_foreign(field: str) -> bool:
    """Say whether a mapping may hold what AnsFlow's import keeps: spec and each step may."""
    return field == "spec" or field.endswith("]")


def _refuse_field(reader: Reader, key: Node, path: str, known: tuple[str, ...], owner: Owner | None) -> None:
    name = path.rpartition(".")[2]
    if owner is None:
        title = msg("Unknown field %(field)s", field=path)
        return reader.problem(key, path, title, fields.suggestion(name, known))
    if owner.place == "config" and name in fields.LATER_CONFIG_FIELDS:
        return reader.problem(key, path, msg("%(field)s is not in this version yet", field=path), msg("Take it out."))
    if _belongs_elsewhere(name, owner):
        title = msg("%(field)s is not used by %(owner)s", field=path, owner=owner.name)
        return reader.problem(key, path, title, _moved(name, owner))
    title = msg("Unknown field %(field)s for %(owner)s", field=path, owner=owner.name)
    return reader.problem(key, path, title, fields.suggestion(name, known))


def _other_place(owner: Owner) -> str:
    return "step" if owner.place == "config" else "config"


def _belongs_elsewhere(name: str, owner: Owner) -> bool:
    """Say whether a field that is not known here is one of the other place, or of another step type."""
    here = name == "k8s_config" or any(name in by_key(kind, owner.place) for kind in type_names())
    return here or name in by_key(owner.step_type, _other_place(owner))


def _moved(name: str, owner: Owner) -> Text:
    if name not in by_key(owner.step_type, _other_place(owner)):
        return msg("Take it out.")
    if owner.place == "step":
        return msg("It belongs below k8s_config.")
    return msg("It belongs to the step itself, beside k8s_config.")


def _constant(reader: Reader, root: Node, top: Pairs, name: str, expected: str) -> None:
    if name not in top:
        hint = msg("Write %(line)s at the top.", line=f"{name}: {expected}")
        return reader.problem(root, name, msg("%(field)s is missing", field=name), hint)
    written = _text(reader, top[name], name)
    if written != expected:
        title = msg("%(field)s is %(written)s, which this version does not know", field=name, written=written or "''")
        reader.problem(top[name], name, title, msg("Expected: %(expected)s.", expected=expected))
    return None


def _text(reader: Reader, node: Node | None, field: str) -> str:
    """Return the text of a scalar as it was written; empty for one left out."""
    if node is None:
        return ""
    reader.count(node, 0)
    if isinstance(node, yaml.ScalarNode):
        return _sound(reader, node, field)
    reader.problem(node, field, msg("%(field)s must be a text, not a list or a mapping", field=field))
    return ""


def _sound(reader: Reader, node: Node, field: str) -> str:
    text = scalar_text(node)
    if "\0" in text:
        reader.problem(node, field, msg("%(field)s holds a NUL character", field=field))
        return ""
    return text


def _texts(reader: Reader, node: Node, field: str) -> list[str]:
    if is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        title = msg("%(field)s must be a list", field=field)
        reader.problem(node, field, title, msg("Write each entry on a line of its own after a dash."))
        return []
    return [_text(reader, item, f"{field}[{index}]") for index, item in enumerate(node.value)]


def _text_mapping(reader: Reader, node: Node | None, field: str) -> dict[str, str]:
    """Return a mapping of names to texts whose names can be environment variables."""
    if node is None or is_null(node):
        return {}
    if not isinstance(node, yaml.MappingNode):
        reader.problem(node, field, msg("%(field)s must be a mapping", field=field))
        return {}
    found = {}
    for name, key, value in reader.pairs(node, field):
        if not fields.NAME.fullmatch(name):
            reader.problem(key, join(field, name), msg("%(name)s cannot be the name of a variable", name=name), _NAMES)
        found[name] = _text(reader, value, join(field, name))
    return found


_NAMES = msg("Use letters, digits and underscores, and begin with a letter.")


def _variables(reader: Reader, node: Node | None) -> dict[str, str]:
    return _text_mapping(reader, node, "spec.variables")


def _steps(reader: Reader, root: Node, node: Node | None) -> tuple[PipelineStep, ...]:
    if node is None or not isinstance(node, yaml.SequenceNode) or not node.value:
        reader.problem(node or root, "steps", msg("spec.steps must be a list with at least one step"))
        return ()
    steps = [_step(reader, item, f"steps[{index}]") for index, item in enumerate(node.value)]
    _check_names(reader, node.value, steps)
    return tuple(step or _UNREADABLE for step in steps)


def _check_names(reader: Reader, nodes: list[Node], steps: list[PipelineStep | None]) -> None:
    first: dict[str, int] = {}
    for index, (node, step) in enumerate(zip(nodes, steps, strict=True)):
        if step and step.name and first.setdefault(step.name, index) != index:
            title = msg("Two steps are called %(name)s", name=step.name)
            hint = msg("Rename this one or steps[%(index)s].", index=first[step.name])
            reader.problem(node, f"steps[{index}].name", title, hint)


def _step(reader: Reader, node: Node, field: str) -> PipelineStep | None:
    if not isinstance(node, yaml.MappingNode):
        reader.problem(node, field, msg("%(field)s must be a mapping", field=field))
        return None
    kind = _step_type(reader, node, field)
    if kind is None:
        return None
    owner = Owner(kind.value, "step", msg("a step of type %(type)s", type=kind.value))
    found = _mapping(reader, node, field, step_fields(kind), owner)
    values = {name: _field(reader, kind, value, join(field, name)) for name, value in found.items() if name != "type"}
    deferred = {name: value for name, value in values.items() if _is_deferred(kind, name, value)}
    kept = {name: value for name, value in values.items() if name not in deferred}
    step = PipelineStep(**{"name": "", **kept}, type=kind, deferred=deferred)
    _require(reader, node, field, step)
    return step


def _is_deferred(step_type: StepType, name: str, value: Any) -> bool:
    parameter = by_key(step_type, "step").get(name)
    return isinstance(value, str) and parameter is not None and parameter.kind in TYPED


def _step_type(reader: Reader, node: yaml.MappingNode, field: str) -> StepType | None:
    given = next((value for name, _, value in reader.pairs(node, field) if name == "type"), None)
    path = join(field, "type")
    if given is None:
        known = ", ".join(StepType)
        reader.problem(node, path, msg("%(field)s is missing", field=path), msg("Known: %(names)s.", names=known))
        return None
    written = _text(reader, given, path)
    if not isinstance(given, yaml.ScalarNode):
        return None
    if written in StepType.__members__.values():
        return StepType(written)
    title = msg("Unknown step type %(type)s", type=written or "''")
    reader.problem(given, path, title, fields.suggestion(written, StepType))
    return None


def _field(reader: Reader, step_type: StepType, node: Node, path: str) -> Any:
    name = path.rpartition(".")[2]
    if name == "k8s_config":
        return _config(reader, step_type, node, path)
    return _value(reader, node, path, by_key(step_type, "step")[name])


def _value(reader: Reader, node: Node, path: str, parameter: Parameter) -> Any:
    """Return a field's value by its kind; `TYPED` ones stay a text where a variable decides."""
    if parameter.kind == "boolean":
        return _true_or_false(reader, node, path)
    if parameter.kind == "integer":
        return _whole_number(reader, node, path)
    if parameter.kind == "mapping":
        return _text_mapping(reader, node, path)
    if parameter.kind in LISTS or (parameter.kind == "command" and isinstance(node, yaml.SequenceNode)):
        return _texts(reader, node, path)
    text = _text(reader, node, path)
    if parameter.kind == "variable" and text and not fields.NAME.fullmatch(text):
        reader.problem(node, path, msg("%(name)s cannot be the name of a variable", name=text), _NAMES)
    return text


def _true_or_false(reader: Reader, node: Node, path: str) -> bool | str:
    """Return true or false, or the text as it stands where a variable decides."""
    text = _text(reader, node, path)
    if node.tag == _BOOL:
        return _TRUE_FALSE[text.lower()]
    if "${" in text:
        return text
    reader.problem(node, path, msg("%(field)s must be true or false", field=path))
    return False


def _whole_number(reader: Reader, node: Node, path: str) -> int | str:
    """Return a whole number written in decimal, or the text as it stands where a variable decides."""
    text = _text(reader, node, path)
    if node.tag == _INT and fields.DECIMAL.fullmatch(text):
        return int(text)
    if "${" in text:
        return text
    hint = msg("Write it in digits, without quotes.")
    reader.problem(node, path, msg("%(field)s must be a whole number", field=path), hint)
    return 0


def _config(reader: Reader, step_type: StepType, node: Node, path: str) -> dict[str, Any]:
    """Return k8s_config as a plain mapping; a k8s_deploy keeps the fields of both its modes."""
    if not isinstance(node, yaml.MappingNode):
        reader.problem(node, path, msg("%(field)s must be a mapping", field=path))
        return {}
    if step_type is StepType.K8S_DEPLOY and _deploy_type(reader, node, path) is None:
        return {}
    known = by_key(step_type, "config")
    owner = Owner(step_type.value, "config", msg("a step of type %(type)s", type=step_type.value))
    found = _mapping(reader, node, path, tuple(known), owner)
    return {name: _value(reader, value, join(path, name), known[name]) for name, value in found.items()}


def _deploy_type(reader: Reader, node: yaml.MappingNode, path: str) -> str | None:
    given = next((value for name, _, value in reader.pairs(node, path) if name == "deploy_type"), None)
    path = join(path, "deploy_type")
    hint = msg("Known: %(names)s.", names=", ".join(fields.DEPLOY_TYPES))
    if given is None:
        reader.problem(node, path, msg("%(field)s is missing", field=path), hint)
        return None
    written = _text(reader, given, path)
    if written in fields.DEPLOY_TYPES:
        return written
    if isinstance(given, yaml.ScalarNode):
        reader.problem(given, path, msg("Unknown deploy_type %(type)s", type=written or "''"), hint)
    return None


def _require(reader: Reader, node: Node, field: str, step: PipelineStep) -> None:
    """Note every required field that is missing or empty, unless something else is wrong with it already."""
    failed = {problem.field for problem in reader.problems}
    for path in (join(field, name) for name in _missing(step)):
        if not any(_lies_in(known, path) or _lies_in(path, known) for known in failed):
            reader.problem(node, path, msg("%(field)s is missing", field=path))


def _lies_in(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")


def _missing(step: PipelineStep) -> list[str]:
    required = [one for one in parameters_of(step.type, step.k8s_config) if one.required]
    missing = [one.key for one in required if one.place == "step" and not getattr(step, one.key).strip()]
    config = [one.key for one in required if one.place == "config"]
    return [*missing, *(f"k8s_config.{name}" for name in config if step.k8s_config.get(name) in (None, "", []))]
