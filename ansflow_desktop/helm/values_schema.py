"""Values against the charts' values.schema.json, as Helm checks them before it renders; no secret value is repeated.

A schema is read with the rules of the library that Helm uses (santhosh-tekuri/jsonschema v6): draft 2020-12 where none
is named, 1.0 a whole number, formats checked up to draft 7. Nothing is fetched for a `$ref`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ansflow_desktop.helm.chart_files import ChartFiles
from ansflow_desktop.helm.values_merge import Values, ValuesSource, enabled, own_values
from ansflow_desktop.helm.values_read import node_at
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.safe_yaml import YamlProblem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MOST = 20
_LOST = "values.schema.json"


def schema_problems(chart: ChartFiles, sources: Sequence[ValuesSource], values: Values) -> tuple[Problem, ...]:
    """Return where the values do not fit `chart` and its enabled subcharts: their own values, and their schemas.

    `values` are those of `sources` over the charts' own (`coalesce`). `field` is the source that gives the value
    (`custom_values`), the last one where it is in none.
    """
    broken = tuple(chart_problems(chart, values))
    if broken:
        return broken
    certain = not any(dependency.imports for dependency in _dependencies(chart))
    found: list[Problem] = []
    for subject, part, path in _charts(chart, values, ()):
        for problem in _one(subject, part, path, sources):
            found.append(problem if certain else _unsure(problem))
            if len(found) == MOST:
                return tuple(found)
    return tuple(found)


def chart_problems(chart: ChartFiles, values: Values, place: str = "") -> Iterator[Problem]:
    """Yield why Helm would not take the charts' own values: broken ones, and what is no mapping for a subchart."""
    name = f"{place}{chart.name}"
    own = YamlProblem(msg("It is not UTF-8 text.")) if chart.values is None else own_values(chart.values)
    if isinstance(own, YamlProblem):
        title = msg("%(file)s of the chart %(chart)s cannot be used", file="values.yaml", chart=name)
        yield Problem(field="chart_path", title=title, message=own.text(), hint=msg("Correct the file."))
    if chart.type not in ("application", "library"):
        title = msg("The chart's type %(type)s is not known", type=chart.type)
        yield Problem(field="chart_path", title=title, hint=msg("Write application or library as type in Chart.yaml."))
    for subchart, _ in enabled(chart, values):
        part = values.get(subchart.name)
        if part is not None and not isinstance(part, dict):
            title = msg("%(name)s holds the values of a subchart", name=subchart.name)
            message = msg("It is %(found)s, but must be %(wanted)s.", found=kind_of(part), wanted=_KINDS["object"])
            yield Problem(field="custom_values", title=title, message=message, hint=msg("Correct the value."))
        else:
            yield from chart_problems(subchart, part or {}, f"{name}/")


def _dependencies(chart: ChartFiles) -> Iterator[Any]:
    yield from chart.dependencies
    for subchart in chart.subcharts:
        yield from _dependencies(subchart)


def _unsure(problem: Problem) -> Problem:
    """Call it a warning: a subchart's values that the chart imports are not known here."""
    import msgspec

    return msgspec.structs.replace(problem, severity=Severity.WARNING)


def _charts(chart: ChartFiles, values: Values, path: tuple[str, ...]) -> Iterator[tuple[ChartFiles, Values, Any]]:
    if chart.schema is not None:
        yield chart, values, path
    for subchart, _ in enabled(chart, values):
        part = values.get(subchart.name)
        if isinstance(part, dict):
            yield from _charts(subchart, part, (*path, subchart.name))


def _one(
    chart: ChartFiles, values: Values, path: tuple[str, ...], sources: Sequence[ValuesSource]
) -> Iterator[Problem]:
    from jsonschema.exceptions import SchemaError, UnknownType
    from referencing.exceptions import Unresolvable

    try:
        validator = _validator(chart.schema or "")
        errors = sorted(validator.iter_errors(values), key=lambda error: [str(part) for part in error.absolute_path])
    except (SchemaError, UnknownType, ValueError, TypeError) as error:
        yield _broken(chart, str(getattr(error, "message", error)))
        return
    except (Unresolvable, re.error, RecursionError) as error:
        yield _not_checked(chart, str(error))
        return
    for whole in errors:
        for each in _flat(whole):
            yield _problem(each, (*path, *each.absolute_path), sources)


@functools.lru_cache(maxsize=32)
def _validator(text: str) -> Any:
    import jsonschema
    from jsonschema import validators
    from referencing import Registry

    schema = json.loads(text.removeprefix("\ufeff"))
    if not isinstance(schema, dict | bool):
        raise ValueError("a schema is an object, true or false")
    base: Any = validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    base.check_schema(schema)
    made: Any = validators.extend(  # type: ignore[no-untyped-call]
        base, type_checker=base.TYPE_CHECKER.redefine("integer", _is_integer)
    )
    return made(schema, registry=Registry(), format_checker=_formats(base))


def _is_integer(_checker: Any, value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _formats(base: Any) -> Any:
    """Return the checker of formats: they count up to draft 7, and are remarks from 2019 on."""
    import jsonschema

    if base in (jsonschema.Draft201909Validator, jsonschema.Draft202012Validator):
        return None
    checker = jsonschema.FormatChecker(("email", "ipv4", "ipv6", "date", "regex"))
    checker.checks("uri")(_is_uri)
    return checker


def _is_uri(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return bool(urlsplit(value).scheme)
    except ValueError:
        return False


def _flat(error: ValidationError) -> list[ValidationError]:
    """Return what is wrong one by one: each unknown name and the reasons below an allOf."""
    below = list(error.context or ()) if error.validator == "allOf" else []
    return [deeper for each in below for deeper in _flat(each)] if below else [error]


def _problem(error: ValidationError, path: tuple[str | int, ...], sources: Sequence[ValuesSource]) -> Problem:
    field, place = _where(path, sources)
    named = dotted(path)
    title = msg("%(name)s does not fit the chart", name=named) if named else msg("The values do not fit the chart")
    reason = _reason(error)
    message = msg("%(place)s: %(reason)s", place=place, reason=reason) if place else reason
    return Problem(field=field, title=title, message=message, hint=_hint(error, named))


def dotted(path: Sequence[str | int]) -> str:
    """Return a path in values as people write it: `image.tags[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _where(path: tuple[str | int, ...], sources: Sequence[ValuesSource]) -> tuple[str, Text]:
    """Return the field that gives the value at `path`, and its place there where it is text."""
    best: tuple[int, str, Any] = (0, "", None)
    for source in sources:
        if source.read.node is None:
            continue
        node, depth = node_at(source.read.node, path)
        if depth >= best[0] and depth > 0:
            best = (depth, source.field, node)
    if best[0] and best[2] is not None:
        mark = best[2].start_mark
        return best[1], msg("Line %(line)d, column %(column)d", line=mark.line + 1, column=mark.column + 1)
    return (sources[-1].field if sources else "custom_values"), ""


_KINDS: dict[str, Message] = {
    "string": msg("a text"),
    "integer": msg("a whole number"),
    "number": msg("a number"),
    "boolean": msg("true or false"),
    "object": msg("names with values"),
    "array": msg("a list"),
    "null": msg("null"),
}


def kind_of(value: Any) -> Message:
    """Return what a plain value is, in words."""
    if isinstance(value, bool):
        return _KINDS["boolean"]
    kinds = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return _KINDS[kinds.get(type(value), "null")]


def _reason(error: ValidationError) -> Message:
    rule, limit = str(error.validator), _limit(error)
    if rule == "type":
        wanted = [limit] if isinstance(limit, str) else list(limit)
        first = _KINDS.get(str(wanted[0]), msg("something else"))
        return msg("It is %(found)s, but must be %(wanted)s.", found=kind_of(error.instance), wanted=first)
    if rule == "required":
        return msg("%(name)s is missing.", name=", ".join(_missing(error)))
    if rule == "additionalProperties":
        return msg("The chart knows no %(names)s.", names=", ".join(_unknown(error)))
    if rule in ("enum", "const"):
        offered = limit if isinstance(limit, list) else [limit]
        return msg("It must be one of: %(values)s.", values=", ".join(json.dumps(each) for each in offered[:12]))
    if rule in ("anyOf", "oneOf", "not", "if"):
        return msg("It fits none of the forms that the chart takes (%(rule)s).", rule=rule)
    return msg("It breaks the rule %(rule)s: %(limit)s.", rule=rule, limit=json.dumps(limit)[:120])


def _limit(error: ValidationError) -> Any:
    return error.validator_value


def _missing(error: ValidationError) -> list[str]:
    given = error.instance if isinstance(error.instance, dict) else {}
    limit = _limit(error)
    wanted = limit if isinstance(limit, list) else []
    named = [name for name in wanted if str(name) not in given and repr(name) in error.message]
    return [str(name) for name in named or wanted]


def _unknown(error: ValidationError) -> list[str]:
    schema = error.schema if isinstance(error.schema, dict) else {}
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    given = error.instance if isinstance(error.instance, dict) else {}
    return [name for name in given if name not in known and not any(re.search(each, name) for each in patterns)]


def _hint(error: ValidationError, named: str) -> Text:
    if error.validator == "required":
        prefix = f"{named}." if named else ""
        return msg("Give %(name)s a value.", name=prefix + _missing(error)[0])
    if error.validator == "additionalProperties":
        return msg("Take it out, or correct its name; %(file)s in the chart lists the names.", file=_LOST)
    return msg("Correct the value; %(file)s in the chart says what it takes.", file=_LOST)


def _broken(chart: ChartFiles, words: str) -> Problem:
    return Problem(
        field="chart_path",
        title=msg("%(file)s of the chart %(chart)s cannot be used", file=_LOST, chart=chart.name),
        message=words[:300],
        hint=msg("Correct the schema, or take it out of the chart."),
    )


def _not_checked(chart: ChartFiles, words: str) -> Problem:
    return Problem(
        field="chart_path",
        title=msg(
            "The values are not checked here against %(file)s of the chart %(chart)s", file=_LOST, chart=chart.name
        ),
        message=words[:300],
        hint=msg("Helm checks them when it renders the chart."),
        severity=Severity.INFO,
    )
