"""From manifests to a chart: the texts stay as they are written, and what people change is lifted into values.yaml.

Names, images, replicas, resources and ports become values; a name that other objects refer to is replaced there too.
Nothing is run or written here; that the chart renders to the same objects is proven by helm (executors/migrate.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.models.names import to_label
from ansflow_desktop.pipelines.migration_refs import NAMED_BY, POD_SPECS
from ansflow_desktop.pipelines.splice_tree import Kind, Node, parse

_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*", re.ASCII)
_NUMBER = re.compile(r"[0-9._]+[eE][0-9]+$")  # a text for YAML 1.1, a number for Go
_WORKLOADS = tuple(POD_SPECS)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the manifests: its kind, name and text (one YAML document, without `---`)."""

    kind: str
    name: str
    text: str


class ChartDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A chart as texts by path below its folder, and the names of the pipeline's variables that its values take."""

    name: str
    files: dict[str, str]
    variables: tuple[str, ...]


class Lift(msgspec.Struct, frozen=True):
    """A place of a text that becomes an expression of the template."""

    start: int
    end: int
    expression: str


def draft(name: str, sources: Sequence[Source], *, has_variables: bool) -> ChartDraft:
    """Return a chart called `name` that renders to `sources`; raises YamlProblem for a text that is no YAML.

    `has_variables`: the texts stand in a pipeline, where `${name}` is a variable and `$$` a dollar sign.
    """
    chart = to_label(name, 53) or "app"
    keys = _keys(sources)
    values: dict[str, Any] = {}
    files: dict[str, str] = {}
    variables: dict[str, None] = {}
    for number, source in enumerate(sources, 1):
        path = _path(number, source)
        if source.kind == "CustomResourceDefinition":
            files[path] = source.text  # Helm renders nothing in crds/
            continue
        lifted = _Lifting(source, keys, has_variables)
        values |= lifted.values
        variables |= dict.fromkeys(lifted.variables)
        files[path] = lifted.template
    if variables:
        values["variables"] = dict.fromkeys(variables, "")
    head = {"Chart.yaml": _chart(chart), "values.yaml": _values(values), ".helmignore": ".git/\n*.swp\n*~\n"}
    return ChartDraft(name=chart, files={**head, **files}, variables=tuple(variables))


def _chart(name: str) -> str:
    return f"apiVersion: v2\nname: {name}\ndescription: Made from manifests.\ntype: application\nversion: 0.1.0\n"


def _values(values: dict[str, Any]) -> str:
    if not values:
        return "{}\n"
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that some reader of YAML could take for something else."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _is_plain(text) else '"')


_Dumper.add_representer(str, _represent)


def _path(number: int, source: Source) -> str:
    folder = "crds" if source.kind == "CustomResourceDefinition" else "templates"
    return f"{folder}/{number:02d}-{source.kind.lower()}-{to_label(source.name, 40) or 'object'}.yaml"


def _keys(sources: Sequence[Source]) -> dict[tuple[str, str], str]:
    """Return the key in values.yaml of each object: workloads have their name alone, others also their kind."""
    keys: dict[tuple[str, str], str] = {}
    taken = {"variables"}
    for source in sorted(sources, key=lambda one: one.kind not in _WORKLOADS):
        wanted = _camel(source.name)
        key, number = (wanted, 2) if wanted not in taken else (f"{wanted}{source.kind}", 2)
        while key in taken:
            key, number = f"{wanted}{source.kind}{number}", number + 1
        taken.add(key)
        keys.setdefault((source.kind, source.name), key)
    return keys


def _camel(name: str) -> str:
    head, *rest = re.findall(r"[A-Za-z0-9]+", name) or ["object"]
    found = head[:1].lower() + head[1:] + "".join(part.capitalize() for part in rest)
    return found if found[0].isalpha() else f"x{found}"


class _Lifting:
    """The lifting of one object: its template, the values it takes and the variables it names."""

    def __init__(self, source: Source, keys: dict[tuple[str, str], str], has_variables: bool) -> None:
        self._has_variables = has_variables
        self._keys = keys
        self._key = keys[source.kind, source.name]
        self._kind = source.kind
        self._root: dict[str, Any] = {}
        document = parse(source.text)
        self._text = document.text
        lifts = list(self._lifts(document.root)) if document.root else []
        self.values = {self._key: self._root} if self._root else {}
        self.variables: list[str] = []
        self.template = self._with(sorted(lifts, key=lambda lift: lift.start))

    def _with(self, lifts: list[Lift]) -> str:
        parts, place = [], 0
        for lift in lifts:
            parts += [self._literal(self._text[place : lift.start]), lift.expression]
            place = lift.end
        return "".join([*parts, self._literal(self._text[place:])])

    def _literal(self, text: str) -> str:
        """Return text that Helm leaves as it is, but for the pipeline's variables, which come from the values."""

        def replaced(found: re.Match[str]) -> str:
            if found[1] is None:
                return "$"
            self.variables.append(found[1])
            return f"\0{found[1]}\1"

        marked = (_VARIABLE.sub(replaced, text) if self._has_variables else text).replace("{{", '{{ "{{" }}')
        return marked.replace("\0", "{{ .Values.variables.").replace("\1", " }}")

    def _lifts(self, root: Node) -> Iterator[Lift]:
        name = _at(root, "metadata", "name")
        if name is not None:
            yield from self._scalar(name, ("name",))
        yield from self._references(root, "")
        if self._kind == "Service":
            yield from self._ports(_at(root, "spec", "ports"), "port", ())
        replicas = _at(root, "spec", "replicas")
        if replicas is not None and self._kind in _WORKLOADS:
            yield from self._scalar(replicas, ("replicas",))
        pod = _at(root, *POD_SPECS[self._kind]) if self._kind in POD_SPECS else None
        if pod is not None:
            yield from self._containers(pod)

    def _containers(self, pod: Node) -> Iterator[Lift]:
        found = [one for list_ in ("containers", "initContainers") for one in _items(_at(pod, list_))]
        for container in found:
            name = _at(container, "name")
            below = () if len(found) == 1 or name is None else (_camel(str(name.data)),)
            image = _at(container, "image")
            if image is not None:
                yield from self._scalar(image, (*below, "image"))
            yield from self._ports(_at(container, "ports"), "containerPort", below)
            yield from self._whole(container, "resources", (*below, "resources"))

    def _ports(self, ports: Node | None, field: str, below: tuple[str, ...]) -> Iterator[Lift]:
        items = _items(ports)
        for number, port in enumerate(items, 1):
            node, name = _at(port, field), _at(port, "name")
            if node is None:
                continue
            own = _camel(str(name.data)) if name is not None and name.data else f"port{number}"
            yield from self._scalar(node, (*below, *(("port",) if len(items) == 1 else ("ports", own))))

    def _scalar(self, node: Node, place: tuple[str, ...]) -> Iterator[Lift]:
        """Lift a text or a plain number; what holds a variable or reads differently than it looks stays as it is."""
        value = self._value(node)
        if value is None or not self._put(place, value):
            return
        path = ".".join((".Values", self._key, *place))
        shown = f"int {path}" if isinstance(value, int) else f"{path}{'' if _is_plain(value) else ' | quote'}"
        yield Lift(node.start, node.end, f"{{{{ {shown} }}}}")

    def _value(self, node: Node) -> str | int | None:
        if node.kind is not Kind.SCALAR or node.anchor or node.tag or node.is_block_scalar:
            return None
        written = self._text[node.start : node.end]
        if self._has_variables and "$" in written:
            return None
        if node.style:
            return str(node.data)
        read = safe_yaml.load(written)
        if isinstance(read, str):
            return None if _NUMBER.match(read) else read
        return read if isinstance(read, int) and str(read) == written else None

    def _whole(self, parent: Node, field: str, place: tuple[str, ...]) -> Iterator[Lift]:
        """Lift a mapping as a whole; one with comments or values that read differently than they look stays."""
        node = _at(parent, field)
        if node is None or node.kind is not Kind.MAPPING or not node.values:
            return
        hook = parent.hooks[parent.values.index(node)]
        data = self._data(node)
        if any(sign in self._text[hook : node.end] for sign in "#&*!") or data is None:
            return
        if self._put(place, data):
            path = ".".join((".Values", self._key, *place))
            yield Lift(hook, node.end, f" {{{{ toJson {path} }}}}")

    def _data(self, node: Node) -> Any:
        """Return plain data, None where a value below would be None or not what it looks like."""
        if node.kind is Kind.SCALAR:
            return self._value(node)
        if node.kind is not Kind.MAPPING or any(not isinstance(key.data, str) for key in node.keys):
            return None
        found = {str(key.data): self._data(value) for key, value in zip(node.keys, node.values, strict=True)}
        return None if None in found.values() else found

    def _put(self, place: tuple[str, ...], value: Any) -> bool:
        """Keep a value; False where another one has that place."""
        at = self._root
        for step in place[:-1]:
            at = at.setdefault(step, {})
            if not isinstance(at, dict):
                return False
        if place[-1] in at:
            return False
        at[place[-1]] = value
        return True

    def _references(self, node: Node, field: str) -> Iterator[Lift]:
        """Lift names of other objects of the manifests, by the fields that are known to hold one."""
        for child_field, child in _children(node):
            kinds = NAMED_BY.get((field, child_field), NAMED_BY.get(("", child_field), ()))
            yield from self._reference(node, child, kinds)
            if child.kind in (Kind.MAPPING, Kind.SEQUENCE):
                yield from self._references(child, child_field or field)

    def _reference(self, parent: Node, node: Node, kinds: tuple[str, ...]) -> Iterator[Lift]:
        if not kinds or node.kind is not Kind.SCALAR or not isinstance(node.data, str):
            return
        named = _at(parent, "kind")
        wanted = (str(named.data),) if kinds == ("*",) and named is not None else kinds
        for kind in wanted:
            key = self._keys.get((kind, str(node.data)))
            if key and self._value(node) == node.data:
                yield Lift(node.start, node.end, f"{{{{ .Values.{key}.name }}}}")
                return


def _is_plain(value: str) -> bool:
    """Say whether a text can stand in YAML, in flow style too, without quotes."""
    return bool(_PLAIN.fullmatch(value)) and not _NUMBER.match(value) and safe_yaml.load(value) == value


def _children(node: Node) -> list[tuple[str, Node]]:
    if node.kind is Kind.MAPPING:
        return [(str(key.data), value) for key, value in zip(node.keys, node.values, strict=True)]
    return [("", value) for value in node.values]


def _at(node: Node | None, *path: str) -> Node | None:
    for step in path:
        if node is None or node.kind is not Kind.MAPPING:
            return None
        node = next((value for key, value in zip(node.keys, node.values, strict=True) if key.data == step), None)
    return node


def _items(node: Node | None) -> list[Node]:
    return list(node.values) if node is not None and node.kind is Kind.SEQUENCE else []
