"""The cluster's own verdict on objects before they are applied: a strict dry run by REST, one object a call.

Only 422 and 409 carry causes; unknown fields and wrong types come as prose with paths in three spellings
(`.spec.replica`, `containers[name="x"].image`, `spec.template.spec.x`), which are led back to a field and a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
import yaml

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.checks_manifest import LocatedObject, at, field_node
from ansflow_desktop.executors.kubectl import FIELD_MANAGER
from ansflow_desktop.helm.values_read import node_at
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.openapi import Discovery, path_of
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.process import Cancel

T = TypeVar("T")

MOST = 20
AT_ONCE = 4
_STANDS_IN = "default"  # a namespace that every cluster has, in place of one that the step will create
_TYPED = re.compile(r"^\s*(?:failed to create typed patch object \([^)]*\): )?(?:errors:)?\s*(?=\.)")
_STRICT = re.compile(r'unknown field "([^"]+)"')
_YAML_LINE = re.compile(r"line (\d+): (.+)")
_VALUE = re.compile(r"&value\.valueUnstructured\{Value:(.*?)\}")
_SELECTED = re.compile(r'([\w.-]+)="?([^",\]]*)"?')
_PARTS = re.compile(r'\["([^"]*)"\]|\[(\d+)\]|\[([^\]]*=[^\]]*)\]|\.?([^.\[\]]+)')


class _Cause(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct, frozen=True):
    causes: tuple[_Cause, ...] = ()


class _Status(msgspec.Struct, frozen=True):
    message: str = ""
    reason: str = ""
    details: _Details | None = None


class Complaint(msgspec.Struct, frozen=True):
    """One thing that the server says against an object: the path as it spells it, its words, and a line (0: none).

    `owner` is the field manager that owns the field, where that is the complaint.
    """

    path: str
    words: str
    line: int = 0
    owner: str = ""


def complaints(status: int, body: bytes) -> tuple[Complaint, ...]:
    """Return what the server's answer to a dry apply says is wrong; empty for 200 and 201."""
    if status < 400:
        return ()
    try:
        said = msgspec.json.decode(body, type=_Status)
    except msgspec.MsgspecError:
        return (Complaint("", clean(body[:300].decode("utf-8", "replace").strip())),)
    if said.details and said.details.causes:
        return tuple(_from_cause(cause) for cause in said.details.causes[:MOST])
    return tuple(_from_prose(said.message))[:MOST]


def _from_cause(cause: _Cause) -> Complaint:
    owner = re.search(r'"([^"]+)"', cause.message) if cause.reason == "FieldManagerConflict" else None
    return Complaint(cause.field.lstrip("."), clean(cause.message), owner=clean(owner[1]) if owner else "")


def _from_prose(message: str) -> list[Complaint]:
    strict = _STRICT.findall(message)
    if strict:
        return [Complaint(path.lstrip("."), "field not declared in schema") for path in strict]
    lines = [_TYPED.sub("", line) for line in message.splitlines()]
    typed = [_path_and_words(line) for line in lines if line.startswith(".")]
    if typed:
        return typed
    found = _YAML_LINE.search(message)
    if found:
        return [Complaint("", clean(found[2]), int(found[1]))]
    return [Complaint("", clean(message))]


def _path_and_words(line: str) -> Complaint:
    """Cut `.data.a: expected string, got …` at the first colon outside brackets and quotes."""
    depth, quoted = 0, False
    for place, letter in enumerate(line):
        quoted ^= letter == '"'
        depth += (letter == "[") - (letter == "]") if not quoted else 0
        if letter == ":" and not depth and not quoted and line[place + 1 : place + 2] == " ":
            return Complaint(line[1:place], _plain_type(line[place + 2 :]))
    return Complaint("", clean(line))


def _plain_type(words: str) -> str:
    """Say which type was found in place of the value itself, which may be secret."""

    def named(found: re.Match[str]) -> str:
        return "a boolean" if found[1] in ("true", "false") else "a number"

    return clean(_VALUE.sub(named, words))


def place_of(node: Any, path: str) -> tuple[str, int, int]:
    """Return the server's path with list items by number (`containers[0]`), and line and column of it, from 1."""
    parts: list[str | int] = []
    here = node
    for key, index, selected, name in _PARTS.findall(path):
        part: str | int = int(index) if index else _chosen(here, selected) if selected else key or name
        parts.append(part)
        here, depth = node_at(node, tuple(parts))
        here = here if depth == len(parts) else None
    deepest, _ = node_at(node, tuple(parts))
    mark = deepest.start_mark
    return _spelled(parts), mark.line + 1, mark.column + 1


def _chosen(node: Any, selected: str) -> int:
    """Return the index of the list item that the server names by its keys, -1 where none is like that."""
    wanted = dict(_SELECTED.findall(selected))
    for index, item in enumerate(node.value if isinstance(node, yaml.SequenceNode) else ()):
        found = {name: field_node(item, name) for name in wanted}
        if all(value is None or value.value == wanted[name] for name, value in found.items()) and any(found.values()):
            return index
    return -1


def _spelled(parts: Sequence[str | int]) -> str:
    text = ""
    for part in parts:
        dotted = isinstance(part, str) and ("." in part or "/" in part)
        text += f"[{part}]" if isinstance(part, int) else f'["{part}"]' if dotted else f".{part}" if text else str(part)
    return text


class ServerCheck:
    """Asks one cluster about objects; `manager` is the field manager that the real apply will use."""

    def __init__(
        self,
        client: ClusterClient,
        namespace: str,
        *,
        manager: str = FIELD_MANAGER,
        creates_namespace: bool = True,
        conflicts: Severity = Severity.ERROR,
    ) -> None:
        """Keep the open client, and the `namespace` for objects that name none; `conflicts` is how grave those are."""
        self._client, self._namespace = client, namespace
        self._manager, self._creates, self._conflicts = manager, creates_namespace, conflicts
        self._discovery = Discovery(client)
        self._there: dict[str, bool] = {}
        self._asking = asyncio.Lock()

    async def problems(self, objects: Sequence[LocatedObject]) -> list[Problem]:
        """Return what the server would refuse, in the order of the objects; raises KubeError where it gives none."""
        made = {each.found.name for each in objects if each.found.is_namespace}
        own = {kind for each in objects if each.found.is_crd for kind in _defines(each.node)}
        places = asyncio.Semaphore(AT_ONCE)

        async def one(located: LocatedObject) -> list[Problem]:
            async with places:
                return await self._one(located, made, own)

        return [problem for found in await asyncio.gather(*map(one, objects)) for problem in found]

    async def _one(self, located: LocatedObject, made: set[str], own: set[tuple[str, str]]) -> list[Problem]:
        found = located.found
        resource = await self._discovery.resource(found.api_version, found.kind)
        if resource is None:
            return [] if (found.group, found.kind) in own else [_no_such_kind(located)]
        namespace = found.namespace or self._namespace
        missing = resource.namespaced and (namespace in made or self._creates) and not await self._exists(namespace)
        where = _STANDS_IN if missing else namespace
        text = _without_namespace(located) if missing else found.text
        path = path_of(found.api_version, resource, where, found.name)
        said = complaints(*await self._client.dry_apply(path, text, self._manager))
        said = tuple(each for each in said if not (missing and _is_of_another(each)))
        return [problem_from(located, each, self._conflicts) for each in said]

    async def _exists(self, namespace: str) -> bool:
        async with self._asking:
            if namespace not in self._there:
                self._there[namespace] = await _is_there(self._client, namespace)
            return self._there[namespace]


async def _is_there(client: ClusterClient, namespace: str) -> bool:
    try:
        await client.get(f"/api/v1/namespaces/{namespace}")
    except KubeError as error:
        if error.status == 404:
            return False
        if error.status != 403:
            raise
    return True


def _is_of_another(complaint: Complaint) -> bool:
    """Say whether a complaint is about an object of the same name in the namespace that stands in."""
    return bool(complaint.owner) or "immutable" in complaint.words


def _without_namespace(located: LocatedObject) -> str:
    """Return the object's text with the namespace that stands in, lines unchanged."""
    text = located.found.text
    if not located.found.namespace:
        return text
    return re.sub(
        r"(\bnamespace:[ \t]*)([\"']?)" + re.escape(located.found.namespace) + r"\2", r"\1" + _STANDS_IN, text, count=1
    )


def _defines(node: Any) -> list[tuple[str, str]]:
    """Return (group, kind) that a CustomResourceDefinition brings."""
    spec = field_node(node, "spec")
    group, names = field_node(spec, "group"), field_node(spec, "names")
    kind = field_node(names, "kind")
    return [(str(group.value), str(kind.value))] if group is not None and kind is not None else []


def _no_such_kind(located: LocatedObject) -> Problem:
    found = located.found
    mark = (field_node(located.node, "kind") or located.node).start_mark
    reason = msg("The cluster knows no %(kind)s in %(version)s.", kind=found.kind, version=found.api_version)
    hint = msg("Correct apiVersion and kind, or install what defines it first.")
    return at(located, "kind", mark.line + 1, mark.column + 1, reason, hint)


def problem_from(located: LocatedObject, complaint: Complaint, conflicts: Severity = Severity.ERROR) -> Problem:
    """Return a complaint of the server as a problem of the field that holds the object."""
    path, line, column = place_of(located.node, complaint.path)
    if complaint.line:
        line = min(complaint.line + located.found.line - 1, located.node.end_mark.line + 1)
    words = complaint.words
    if located.found.kind == "Secret":
        words = re.sub(r'Invalid value: ("(?:[^"\\]|\\.)*"|\{.*?\})', "Invalid value: ***", words)
    if complaint.owner:
        return at(located, path, line, column, _owned(complaint.owner), _yield_or_leave(path), conflicts)
    return at(located, path, line, column, words, msg("Correct the field; these are the API server's words."))


def _owned(owner: str) -> Text:
    return msg("Another field manager, %(owner)s, owns this field; applying another value conflicts.", owner=owner)


def _yield_or_leave(path: str) -> Text:
    return msg("Leave %(path)s out, or give it the live value; it is never overwritten by force.", path=path)


def check_on_cluster(
    document: dict[str, Any],
    objects: Sequence[LocatedObject],
    namespace: str,
    *,
    manager: str = FIELD_MANAGER,
    creates_namespace: bool = True,
    conflicts: Severity = Severity.ERROR,
    cancel: Cancel | None = None,
) -> tuple[Problem, ...]:
    """Return what the cluster of `document` would refuse of `objects`; blocking, ended by `cancel`.

    Nothing is changed. Raises KubeError where the cluster cannot be asked, AskingCancelled when cancelled.
    """

    async def ask(client: ClusterClient) -> tuple[Problem, ...]:
        check = ServerCheck(
            client, namespace, manager=manager, creates_namespace=creates_namespace, conflicts=conflicts
        )
        return tuple(await check.problems(objects))

    return ask_cluster(document, ask, cancel)


def ask_cluster(
    document: dict[str, Any], ask: Callable[[ClusterClient], Awaitable[T]], cancel: Cancel | None = None
) -> T:
    """Return what `ask` answers with an open client of the cluster; blocking, in a loop of its own.

    Raises KubeError, and AskingCancelled when `cancel` is requested meanwhile.
    """

    async def whole() -> T:
        async with ClusterClient(document, timeout=15.0) as client:
            return await ask(client)

    async def main() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(whole())

        def stop() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)

        with (cancel or Cancel()).waking(stop):
            if cancel and cancel.requested:
                task.cancel()
            return await task

    try:
        return asyncio.run(main())
    except asyncio.CancelledError as error:
        raise AskingCancelled(msg("The question was given up")) from error


class AskingCancelled(UserError):
    """The cluster was not asked to the end, because nobody wants the answer any more."""
