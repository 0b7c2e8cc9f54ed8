"""Manifests checked from their text alone: documents, names, duplicates, and the cluster's OpenAPI as it is known."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.manifest_documents import ManifestObject, read_objects
from ansflow_desktop.executors.planned import CONFIG
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube.openapi import Schemas
from ansflow_desktop.kube.openapi_check import check_object
from ansflow_desktop.models.pipeline import ManifestDeploy
from ansflow_desktop.models.problem import Problem, Severity

KnownSchemas: TypeAlias = Callable[[str], Schemas | None]

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_KINDS = frozenset({"Service", "Namespace"})
_FREE_GROUPS = frozenset({"rbac.authorization.k8s.io"})
_MAX_LABEL, _MAX_SUBDOMAIN = 63, 253


class LocatedObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object of a manifest with the `field` of the step that holds it and its composed `node`, for lines.

    `source` is the template that a chart made it by: lines are then those of a text that nobody wrote.
    """

    field: str
    found: ManifestObject
    node: Any
    source: str = ""


def texts_of(config: ManifestDeploy, directory: str) -> Iterator[tuple[str, str | UserError]]:
    """Yield (field, text) of the manifest, or of each manifest file, an error in place of one that cannot be read."""
    if config.manifest:
        yield f"{CONFIG}.manifest", config.manifest
        return
    for index, path in enumerate(config.manifest_files):
        field = f"{CONFIG}.manifest_files[{index}]"
        try:
            yield field, safe_yaml.read_text(absolute(path, directory), field)
        except UserError as error:
            yield field, error


def located_objects(text: str, field: str) -> tuple[LocatedObject, ...]:
    """Return the objects in `text` with their nodes; raises UserError naming `field` where it is no manifest."""
    text = text.removeprefix("\ufeff")
    objects = read_objects(text, field)
    nodes = [inner for node in safe_yaml.compose(text) for inner in _inner(node)]
    if len(nodes) != len(objects):
        return ()
    pairs = zip(objects, nodes, strict=True)
    return tuple(LocatedObject(field=field, found=found, node=node) for found, node in pairs)


def _inner(node: Any) -> list[Any]:
    """Return the objects in a document, the items of a List one by one, as `read_objects` counts them."""
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return []
    kind, items = field_node(node, "kind"), field_node(node, "items")
    if isinstance(kind, yaml.ScalarNode) and kind.value.endswith("List") and isinstance(items, yaml.SequenceNode):
        return list(items.value)
    return [node]


def field_node(node: Any, name: str) -> Any:
    """Return the node of a mapping's field, None where there is none."""
    if not isinstance(node, yaml.MappingNode):
        return None
    found = [value for key, value in node.value if isinstance(key, yaml.ScalarNode) and key.value == name]
    return found[-1] if found else None


def manifest_problems(text: str, field: str, known: KnownSchemas) -> tuple[Problem, ...]:
    """Return what is wrong with a manifest's text; `known` gives the schemas of a group version, None for unknown.

    Each YAML document is looked at by itself and its answer kept: a key typed in one leaves the others alone.
    """
    text = text.removeprefix("\ufeff")
    parts = [(line, part) for line, part in _documents(text) if not _is_empty(part)]
    if not parts:
        return _problems(text, field, known)
    return tuple(_moved(problem, line) for line, part in parts for problem in _kept(part, field, known))


def _is_empty(part: str) -> bool:
    lines = (line.strip() for line in part.removeprefix("---").splitlines())
    return all(not line or line.startswith("#") for line in lines)


def _documents(text: str) -> list[tuple[int, str]]:
    """Return (lines above, text) of each YAML document; one where directives make the documents depend on their place.

    A `---` in the first column begins a document wherever it stands, in a block text too.
    """
    if _DIRECTIVE.search(text):
        return [(0, text)]
    places = [found.start() for found in _BEGINS.finditer(text)]
    cuts = [0, *(place for place in places if place), len(text)]
    return [(text.count("\n", 0, start), text[start:end]) for start, end in itertools.pairwise(cuts)]


_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_BEGINS = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_VERSION = re.compile(r"apiVersion[\"']?\s*:\s*[\"']?([\w./-]+)")
_MOST_KEPT = 4096


class _Answers:
    """What was found in documents, by their text and the schemas they were checked with, which are held by it."""

    lock = threading.Lock()
    kept: dict[Any, tuple[Any, tuple[Problem, ...]]] = {}  # noqa: RUF012  # one for the process, on purpose


def _kept(part: str, field: str, known: KnownSchemas) -> tuple[Problem, ...]:
    schemas = tuple(known(version) for version in dict.fromkeys(_VERSION.findall(part)))
    key = (part, field, tuple(map(id, schemas)))
    with _Answers.lock:
        if key in _Answers.kept:
            return _Answers.kept[key][1]
    found = _problems(part, field, known)
    with _Answers.lock:
        _Answers.kept[key] = (schemas, found)
        while len(_Answers.kept) > _MOST_KEPT:
            _Answers.kept.pop(next(iter(_Answers.kept)))
    return found


def _moved(problem: Problem, lines: int) -> Problem:
    """Return a problem of a document as one of the whole text, `lines` below its beginning."""
    if not lines:
        return problem
    title, message = _lower(problem.title, lines), _lower(problem.message, lines)
    return msgspec.structs.replace(problem, title=title, message=message)


def _lower(text: Text, lines: int) -> Text:
    if isinstance(text, str):
        return text
    params = {
        name: value + lines if name == "line" and isinstance(value, int) else value
        for name, value in text.params.items()
    }
    inner = {name: _lower(value, lines) if isinstance(value, Message) else value for name, value in params.items()}
    return msgspec.structs.replace(text, params=inner)


def _problems(text: str, field: str, known: KnownSchemas) -> tuple[Problem, ...]:
    try:
        objects = located_objects(text, field)
    except UserError as error:
        return (Problem(field=field, title=error.title, message=error.message, hint=error.hint),)
    found: list[Problem] = []
    for located in objects:
        found += [*_names(located), *_duplicates(located), *schema_findings(located, known)]
    return tuple(found)


def schema_findings(located: LocatedObject, known: KnownSchemas) -> Iterator[Problem]:
    """Yield what the cluster's OpenAPI says of one object; nothing where its kind is not known here."""
    schemas = known(located.found.api_version)
    schema = schemas.of(located.found.api_version, located.found.kind) if schemas else None
    if not schemas or not schema:
        return
    for finding in check_object(located.node, schema, schemas):
        yield at(located, finding.path, finding.line, finding.column, finding.reason, finding.hint)


def at(
    located: LocatedObject,
    path: str,
    line: int,
    column: int,
    reason: Text,
    hint: Text,
    severity: Severity = Severity.ERROR,
) -> Problem:
    """Return a problem of an object's field, with its place in the text that holds it."""
    label = located.found.label
    message = msg("Line %(line)d, column %(column)d: %(reason)s", line=line, column=column, reason=reason)
    if located.source:
        message = msg("In %(file)s: %(reason)s", file=located.source, reason=reason)
    return Problem(
        field=located.field,
        title=msg("%(object)s: %(path)s", object=label, path=path) if path else label,
        message=message,
        hint=hint,
        severity=severity,
    )


def _names(located: LocatedObject) -> Iterator[Problem]:
    found = located.found
    words = {"metadata.name": (found.name, _name_problem(found))}
    if found.namespace:
        words["metadata.namespace"] = (found.namespace, _label_problem(found.namespace))
    for path, (_, reason) in words.items():
        if reason is None:
            continue
        node = field_node(field_node(located.node, "metadata"), path.rpartition(".")[2]) or located.node
        mark = node.start_mark
        yield at(located, path, mark.line + 1, mark.column + 1, reason, msg("Correct the name."))


def _name_problem(found: ManifestObject) -> Message | None:
    if found.group in _FREE_GROUPS:
        return None
    if found.kind in _LABEL_KINDS and not found.group:
        return _label_problem(found.name)
    if len(found.name) > _MAX_SUBDOMAIN or not _SUBDOMAIN.fullmatch(found.name):
        return msg("%(name)s may hold only small letters a-z, digits, hyphens and dots.", name=found.name)
    return None


def _label_problem(name: str) -> Message | None:
    if len(name) > _MAX_LABEL or not _LABEL.fullmatch(name):
        return msg("%(name)s may hold only small letters a-z, digits and hyphens, at most 63.", name=name)
    return None


def _duplicates(located: LocatedObject) -> Iterator[Problem]:
    pending, seen = [located.node], set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield from _twice(located, node)
        pending += reversed(safe_yaml.children(node))


def _twice(located: LocatedObject, node: Any) -> Iterator[Problem]:
    names: set[str] = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            continue
        if key.value in names:
            mark = key.start_mark
            reason = msg("%(key)s is there twice.", key=key.value)
            yield at(located, key.value, mark.line + 1, mark.column + 1, reason, msg("Keep one of them."))
        names.add(key.value)
