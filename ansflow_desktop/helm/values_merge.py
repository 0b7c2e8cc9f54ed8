"""The values that a chart is rendered with, worked out as Helm does: files, typed YAML, --set, then the charts' own.

Rules: helm `pkg/cli/values/options.go` (order), `pkg/strvals/parser.go` (--set), `pkg/chartutil/coalesce.go` and
`dependencies.go` (defaults, null, global, conditions, tags, aliases).
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.helm.chart_files import ChartDependency, ChartFiles
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.helm.values_read import ReadValues, merge_maps, read_values
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import HelmDeploy

Values: TypeAlias = "dict[str, Any]"

_MAX_INDEX = 65_536
_PART = re.compile(r"((?:\\.|[^\\.\[\]=,])*)((?:\[\d+\])*)(\.|=|$)")
_WHOLE = re.compile(r"-?[1-9]\d*|0")


class ValuesSource(msgspec.Struct, frozen=True, kw_only=True):
    """Values that a step gives: the `field` they stand in (`values_files[0]`, `custom_values`, `set_values[1]`)."""

    field: str
    read: ReadValues


class SourceProblem(Exception):
    """A source that Helm refuses to read: its `field`, and why."""

    def __init__(self, field: str, problem: safe_yaml.YamlProblem) -> None:
        """Keep the parts."""
        super().__init__(str(problem))
        self.field = field
        self.problem = problem


def sources_of(
    config: HelmDeploy, directory: str, *, helm_major: int = 4, skip: Collection[str] = ()
) -> tuple[ValuesSource, ...]:
    """Return what the step gives, in Helm's order of rank, the last one winning; fields in `skip` are left out.

    Raises SourceProblem for text that Helm refuses and UserError for a file that cannot be read.
    """
    found = [
        _source(f"values_files[{index}]", _text(path, directory, index), helm_major)
        for index, path in enumerate(config.values_files)
        if f"values_files[{index}]" not in skip
    ]
    if config.custom_values and "custom_values" not in skip:
        found.append(_source("custom_values", config.custom_values, helm_major))
    for index, text in enumerate(config.set_values):
        field = f"set_values[{index}]"
        if field in skip:
            continue
        try:
            found.append(ValuesSource(field=field, read=ReadValues(data=parse_set(text, user_values(found)))))
        except safe_yaml.YamlProblem as problem:
            raise SourceProblem(field, problem) from problem
    return tuple(found)


def _text(path: str, directory: str, index: int) -> str:
    return safe_yaml.read_text(absolute(path, directory), f"values_files[{index}]")


def _source(field: str, text: str, helm_major: int) -> ValuesSource:
    try:
        return ValuesSource(field=field, read=read_values(text, merges_documents=helm_major >= 4))
    except safe_yaml.YamlProblem as problem:
        raise SourceProblem(field, problem) from problem


def user_values(sources: Sequence[ValuesSource]) -> Values:
    """Return the user-supplied values: what Helm keeps with the release. A --set already holds what is below it."""
    merged: Values = {}
    for source in sources:
        merged = source.read.data if source.field.startswith("set_values") else merge_maps(merged, source.read.data)
    return merged


def parse_set(text: str, base: Values) -> Values:
    """Return `base` with `a.b=1,c[0]=x` laid over it as `--set` does; raises YamlProblem where Helm refuses it."""
    result = copy.deepcopy(base)
    for assignment in _assignments(text):
        path, value = _split(assignment)
        _put(result, path, value)
    return result


def _assignments(text: str) -> Iterator[str]:
    """Cut at commas, but not inside braces or behind a backslash."""
    part, depth, escaped = "", 0, False
    for letter in text:
        if letter == "," and not depth and not escaped:
            if part:
                yield part
            part = ""
            continue
        depth += (letter == "{") - (letter == "}") if not escaped else 0
        escaped = letter == "\\" and not escaped
        part += letter
    if part:
        yield part


def _split(assignment: str) -> tuple[list[str | int], Any]:
    path: list[str | int] = []
    place = 0
    while True:
        found = _PART.match(assignment, place)
        if not found or (found[3] == "" and found.end() >= len(assignment)):
            raise safe_yaml.YamlProblem(msg("%(text)s has no value.", text=assignment))
        path += [_plain(found[1])] if found[1] else []
        path += [int(number) for number in re.findall(r"\d+", found[2])]
        place = found.end()
        if found[3] == "=":
            return path, _value(assignment[place:])


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _value(text: str) -> Any:
    if text.startswith("{") and text.endswith("}"):
        return [_typed(part) for part in _assignments(text[1:-1])] if text != "{}" else []
    return _typed(text)


def _typed(text: str) -> Any:
    plain = _plain(text)
    words: dict[str, Any] = {"true": True, "false": False, "null": None}
    if plain.lower() in words and (plain != plain.upper() or plain == ""):
        return words[plain.lower()]
    return int(plain) if _WHOLE.fullmatch(plain) and abs(int(plain)) < 2**63 else plain


def _put(values: Values, path: list[str | int], value: Any) -> None:
    place: Any = values
    for part, after in zip(path, [*path[1:], None], strict=True):
        last = after is None
        if isinstance(part, int):
            if part > _MAX_INDEX:
                raise safe_yaml.YamlProblem(msg("The index %(index)d is too large.", index=part))
            place.extend([None] * (part + 1 - len(place)))
        fits = list if isinstance(after, int) else dict
        below = place[part] if isinstance(part, int) else place.get(part)
        place[part] = value if last else below if isinstance(below, fits) else fits()
        place = place[part]


@functools.lru_cache(maxsize=128)
def own_values(text: str) -> Values | safe_yaml.YamlProblem:
    """Return what a chart's values.yaml holds, or why it cannot be read; kept, and so never to be changed."""
    try:
        return read_values(text).data
    except safe_yaml.YamlProblem as problem:
        return problem


def chart_values(chart: ChartFiles) -> Values:
    """Return the chart's own values.yaml, empty where it cannot be read (`chart_problems` says why)."""
    found = own_values(chart.values or "")
    return {} if isinstance(found, safe_yaml.YamlProblem) else found


def coalesce(chart: ChartFiles, given: Values) -> Values:
    """Return what `chart` is rendered with: `given` over its defaults, those of its enabled subcharts too."""
    values = copy.deepcopy(given)
    for name, default in chart_values(chart).items():
        _lay_under(values, name, default)
    for subchart, _ in enabled(chart, values):
        under = values.get(subchart.name)
        own: Values = under if isinstance(under, dict) else {}
        if under is None or isinstance(under, dict):
            values[subchart.name] = coalesce(subchart, _with_global(own, values))
    return values


def _lay_under(values: Values, name: str, default: Any) -> None:
    if name not in values:
        values[name] = copy.deepcopy(default)
    elif values[name] is None:
        del values[name]
    elif isinstance(values[name], dict) and isinstance(default, dict):
        for inner, below in default.items():
            _lay_under(values[name], inner, below)


def _with_global(own: Values, parent: Values) -> Values:
    above = parent.get("global")
    mine = own.get("global")
    both = merge_maps(mine if isinstance(mine, dict) else {}, above if isinstance(above, dict) else {})
    return {**own, "global": both}


def enabled(chart: ChartFiles, values: Values) -> list[tuple[ChartFiles, ChartDependency | None]]:
    """Return the subcharts that take part with `values` (defaults laid under), renamed where they have an alias."""
    found: list[tuple[ChartFiles, ChartDependency | None]] = []
    for subchart in chart.subcharts:
        declared = [each for each in chart.dependencies if each.name == subchart.name]
        if not declared:
            found.append((subchart, None))
        for each in declared:
            if _takes_part(each, values):
                name = each.alias or subchart.name
                found.append((msgspec.structs.replace(subchart, name=name), each))
    return found


def _takes_part(dependency: ChartDependency, values: Values) -> bool:
    for path in filter(None, (part.strip() for part in dependency.condition.split(","))):
        found: Any = values
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, bool):
            return found
    tags = values.get("tags")
    chosen = [tags[tag] for tag in dependency.tags if tag in tags] if isinstance(tags, dict) else []
    said = [tag for tag in chosen if isinstance(tag, bool)]
    return any(said) if said else True
