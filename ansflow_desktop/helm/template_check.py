"""Templates walked with the values they will get, as far as these are known: nil pointers, `required`, `fail`.

Nothing is claimed where something is not known here: the result of most functions, what a chart changes in its values
by `set` or `merge`, files, the cluster. Helm itself has the last word when it renders.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import msgspec

from ansflow_desktop.helm.chart_files import ChartFiles
from ansflow_desktop.helm.template_lex import TemplateError
from ansflow_desktop.helm.template_parse import Node, Nodes, Pipe, Term, parse
from ansflow_desktop.helm.values_merge import Values, enabled
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.problem import Problem

MOST = 5
_MAX_STEPS = 20_000
_MAX_DEPTH = 40
_CHANGING = frozenset(("set", "unset", "merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite", "tpl"))


class _Unknown:
    """A value that is only known when Helm renders."""


UNKNOWN = _Unknown()


class _Tired(Exception):
    """The walk takes too long to go on."""


class Template(msgspec.Struct, frozen=True):
    """A parsed template: its file as Helm names it (`web/templates/a.yaml`), and the values of its chart."""

    file: str
    nodes: Nodes
    values: Values
    chart: str


def template_problems(chart: ChartFiles, values: Values) -> tuple[Problem, ...]:
    """Return what is wrong with the templates of `chart` and its enabled subcharts for coalesced `values`."""
    found: list[Problem] = []
    templates: list[Template] = []
    for subject, part, place in _charts(chart, values, chart.name):
        for file, text in sorted(subject.templates.items()):
            name = f"{place}/{file}"
            parsed = _parsed(text)
            if isinstance(parsed, TemplateError):
                found.append(_problem(name, parsed))
            else:
                templates.append(Template(name, parsed, part, subject.name))
    if found:
        return tuple(found[:MOST])
    return tuple(_walked(templates))


@functools.lru_cache(maxsize=2048)
def _parsed(text: str) -> Nodes | TemplateError:
    """Return a template's nodes or its error; kept, as values change with every key and templates do not."""
    try:
        return parse(text)
    except TemplateError as error:
        return error


def _charts(chart: ChartFiles, values: Values, place: str) -> Iterator[tuple[ChartFiles, Values, str]]:
    if chart.type == "library" and "/" not in place:
        return
    yield chart, values, place
    for subchart, _ in enabled(chart, values):
        part = values.get(subchart.name)
        yield from _charts(subchart, part if isinstance(part, dict) else {}, f"{place}/charts/{subchart.name}")


def _walked(templates: list[Template]) -> Iterator[Problem]:
    """Yield what ends the rendering; Helm stops at the first, and so does each template here."""
    defined = {node.name: node.body for template in templates for node in _all(template.nodes) if _defines(node)}
    certain = not any(_changes(template.nodes) for template in templates)
    count = 0
    for template in templates:
        file = template.file.rpartition("/")[2]
        if file.startswith("_"):
            continue
        try:
            _Walk(template, defined, certain=certain).run()
        except TemplateError as error:
            yield _problem(template.file, error)
            count += 1
        except (_Tired, RecursionError):
            continue
        if count == MOST:
            return


def _defines(node: Node) -> bool:
    return node.kind in ("define", "block")


def _all(nodes: Nodes) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _all(node.body)
        yield from _all(node.otherwise)


def _changes(nodes: Nodes) -> bool:
    """Say whether a template calls what may change values, or renders text of its own."""
    return any(_calls(node.pipe) for node in _all(nodes) if node.pipe)


def _calls(pipe: Pipe) -> bool:
    terms = [term for command in pipe.commands for term in command]
    named = any(term.kind == "function" and term.value in _CHANGING for term in terms)
    return named or any(_calls(term.inner) for term in terms if term.inner)


def _problem(file: str, error: TemplateError) -> Problem:
    return Problem(
        field="chart_path",
        title=msg("The template %(file)s cannot be rendered", file=file),
        message=msg("Line %(line)d: %(reason)s", line=error.line, reason=error.reason),
        hint=msg("Correct the template, or give the value that it needs."),
    )


class _Walk:
    """Walks one template; `certain` False means that values may be changed on the way, and only names are checked."""

    def __init__(self, template: Template, defined: dict[str, Nodes], *, certain: bool) -> None:
        self._template, self._defined, self._certain = template, defined, certain
        self._steps = 0
        values: Any = template.values if certain else UNKNOWN
        self._root: Any = {
            "Values": values,
            "Release": {"Name": UNKNOWN, "Namespace": UNKNOWN, "Service": "Helm", "Revision": 1, **_FIRST},
            "Chart": UNKNOWN,
            "Capabilities": UNKNOWN,
            "Files": UNKNOWN,
            "Template": UNKNOWN,
            "Subcharts": UNKNOWN,
        }

    def run(self) -> None:
        """Walk it; raises TemplateError where Helm would stop, _Tired where it takes too long."""
        self._nodes(self._template.nodes, self._root, {"$": self._root}, 0)

    def _nodes(self, nodes: Nodes, dot: Any, names: dict[str, Any], depth: int) -> None:
        self._steps += 1
        if self._steps > _MAX_STEPS or depth > _MAX_DEPTH:
            raise _Tired
        for node in nodes:
            self._node(node, dot, names, depth)

    def _node(self, node: Node, dot: Any, names: dict[str, Any], depth: int) -> None:
        if node.kind == "define":
            return
        value = self._pipe(node.pipe, dot, names) if node.pipe else None
        if node.kind in ("if", "with"):
            self._branch(node, value, dot, names, depth)
        elif node.kind == "range":
            self._range(node, value, dot, names, depth)
        elif node.kind in ("template", "block"):
            self._include(node.name, value, node.line, depth)
        elif node.pipe and node.pipe.names:
            names.update(dict.fromkeys(node.pipe.names, value))

    def _branch(self, node: Node, value: Any, dot: Any, names: dict[str, Any], depth: int) -> None:
        if value is UNKNOWN:
            return self._forget(node, names)
        inner = dict(names)
        if node.pipe:
            inner.update(dict.fromkeys(node.pipe.names, value))
        if _truth(value):
            return self._nodes(node.body, value if node.kind == "with" else dot, inner, depth + 1)
        return self._nodes(node.otherwise, dot, inner, depth + 1)

    def _range(self, node: Node, value: Any, dot: Any, names: dict[str, Any], depth: int) -> None:
        if value is UNKNOWN or isinstance(value, int | float | bool):
            return self._forget(node, names)
        if isinstance(value, str):
            raise TemplateError(msg("range cannot go over a text."), node.line)
        if not value:
            return self._nodes(node.otherwise, dot, dict(names), depth + 1)
        pairs = sorted(value.items()) if isinstance(value, dict) else list(enumerate(value))
        for key, item in pairs[:50]:
            declared = node.pipe.names if node.pipe else ()
            given = dict(zip(declared, (item,) if len(declared) == 1 else (key, item), strict=False))
            self._nodes(node.body, item, {**names, **given}, depth + 1)
            if any(each.kind in ("break", "continue") for each in _all(node.body)):
                return None
        return None

    def _forget(self, node: Node, names: dict[str, Any]) -> None:
        """Know nothing more of what a block that may run may have set."""
        for name in names:
            if name != "$" and any(_mentions(inner, name) for inner in _all((node,))):
                names[name] = UNKNOWN

    def _include(self, name: str, dot: Any, line: int, depth: int) -> None:
        if name not in self._defined:
            if "/" not in name:
                raise TemplateError(msg("There is no template %(name)s.", name=name), line)
            return
        self._nodes(self._defined[name], dot, {"$": dot}, depth + 5)

    # Values

    def _pipe(self, pipe: Pipe, dot: Any, names: dict[str, Any]) -> Any:
        value: Any = None
        for place, command in enumerate(pipe.commands):
            value = self._command(command, dot, names, () if place == 0 else (value,))
        return value

    def _command(self, command: tuple[Term, ...], dot: Any, names: dict[str, Any], last: tuple[Any, ...]) -> Any:
        head = command[0]
        if head.kind == "function":
            found = self._call(str(head.value), head.line, command[1:], dot, names, last)
            return _fields(found, head)
        return UNKNOWN if last or len(command) > 1 else self._term(head, dot, names)

    def _term(self, term: Term, dot: Any, names: dict[str, Any]) -> Any:
        if term.kind == "literal":
            return term.value
        if term.kind == "dot":
            return _fields(dot, term)
        if term.kind == "variable":
            return _fields(names.get(str(term.value), UNKNOWN), term)
        if term.kind == "nested" and term.inner:
            return _fields(self._pipe(term.inner, dot, names), term, forgiving=True)
        return self._call(str(term.value), term.line, (), dot, names, ())

    def _call(
        self, name: str, line: int, terms: tuple[Term, ...], dot: Any, names: dict[str, Any], last: tuple[Any, ...]
    ) -> Any:
        if name in ("and", "or"):
            return self._logic(name, terms, dot, names, last)
        arguments = (*(self._term(term, dot, names) for term in terms), *last)
        if name == "include" and arguments and isinstance(arguments[0], str):
            self._include(arguments[0], arguments[1] if len(arguments) > 1 else UNKNOWN, line, 1)
            return UNKNOWN
        if name == "required" and len(arguments) < 2:
            raise TemplateError(msg("%(name)s needs more arguments.", name=name), line)
        return _apply(name, arguments, line)

    def _logic(self, name: str, terms: tuple[Term, ...], dot: Any, names: dict[str, Any], last: tuple[Any, ...]) -> Any:
        """Evaluate until the result is known, as Go does; behind something unknown nothing is looked at."""
        value: Any = UNKNOWN
        for term in terms:
            value = self._term(term, dot, names)
            if value is UNKNOWN or _truth(value) is (name == "or"):
                return value
        return last[0] if last else value


_FIRST = {"IsInstall": UNKNOWN, "IsUpgrade": UNKNOWN}


def _mentions(node: Node, name: str) -> bool:
    return bool(node.pipe and name in str(node.pipe))


def _truth(value: Any) -> bool:
    return bool(value)


def _fields(value: Any, term: Term, *, forgiving: bool = False) -> Any:
    """Return the fields of a value one after the other; raises TemplateError where Go does.

    What parentheses give is asked forgivingly: `(.Values.a).b` is nothing where a is nothing.
    """
    for place, name in enumerate(term.fields):
        if value is UNKNOWN:
            return UNKNOWN
        if value is None:
            if forgiving and place == 0:
                return None
            raise TemplateError(msg("A value is missing: nothing has no field %(name)s.", name=name), term.line)
        if not isinstance(value, dict):
            raise TemplateError(msg("A text, number or list has no field %(name)s.", name=name), term.line)
        value = value.get(name)
    return value


def _apply(name: str, arguments: tuple[Any, ...], line: int) -> Any:
    """Return the result of the few functions that decide what is rendered; UNKNOWN for all others."""
    if name == "fail":
        raise TemplateError(msg("The chart refuses these values: %(words)s", words=_words(arguments)), line)
    if any(each is UNKNOWN for each in arguments):
        return UNKNOWN
    if name == "required":
        if arguments[1] is None or arguments[1] == "":
            raise TemplateError(msg("A required value is missing: %(words)s", words=_words(arguments)), line)
        return arguments[1]
    if name == "default" and len(arguments) == 2:
        return arguments[1] if _truth(arguments[1]) else arguments[0]
    if name in ("not", "empty") and len(arguments) == 1:
        return not _truth(arguments[0])
    if name == "hasKey" and len(arguments) == 2 and isinstance(arguments[0], dict):
        return arguments[1] in arguments[0]
    if name == "index":
        return _index(arguments, line)
    if name == "dict" and not arguments:
        return {}
    return UNKNOWN


def _words(arguments: tuple[Any, ...]) -> str:
    return str(arguments[0])[:200] if arguments and isinstance(arguments[0], str) else ""


def _index(arguments: tuple[Any, ...], line: int) -> Any:
    value = arguments[0] if arguments else UNKNOWN
    for part in arguments[1:]:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int | float):
            if not 0 <= part < len(value):
                raise TemplateError(msg("The index %(index)d is past the end of the list.", index=int(part)), line)
            value = value[int(part)]
        else:
            return UNKNOWN
    return value
