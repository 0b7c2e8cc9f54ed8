"""How objects are named in a step: `kind/name`, label selectors, conditions, JSONPath; their syntax only.

Row 10 of failure-modes.md: nothing that a person types reaches a command line unless it has the form of a name.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.pipelines import kinds
from ansflow_desktop.pipelines.patterns import search_problem

_KIND = re.compile(r"[A-Za-z]([-A-Za-z0-9.]*[A-Za-z0-9])?", re.ASCII)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_RBAC_NAME = re.compile(r"[A-Za-z0-9:@][-A-Za-z0-9:@._]*", re.ASCII)
_RBAC = frozenset({"role", "rolebinding", "clusterrole", "clusterrolebinding"})
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_SET = re.compile(r"(?P<key>\S+)\s+(?:in|notin)\s*\((?P<values>[^()]*)\)", re.ASCII)
_EQUAL = re.compile(r"(?P<key>[^=!<>\s]+)\s*(?:==|=|!=|<|>)\s*(?P<value>[^=!<>\s]*)", re.ASCII)
_CONDITION = re.compile(r"[A-Za-z]([-A-Za-z0-9_./]*[A-Za-z0-9])?(=[A-Za-z]+)?", re.ASCII)
_PATH = re.compile(r"\.?[A-Za-z_$@\[][^{}]*", re.ASCII)
_MOST_NAME, _MOST_LABEL, _MOST_SELECTOR, _MOST_SHOWN = 253, 63, 4096, 80


class Named(NamedTuple):
    """One object as written: its kind (`deployment` for a bare name) and its name."""

    kind: str
    name: str


def shown(text: str) -> str:
    """Return `text` as a message quotes it: at most 80 characters, an empty one as two quotes."""
    return text if 0 < len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…" if text else '""'


def split_resource(text: str) -> Named:
    """Return kind and name of `kind/name`; a bare name is a deployment. The syntax is not checked."""
    kind, slash, name = text.strip().partition("/")
    return Named(kind, name) if slash else Named("deployment", kind)


def resource_problem(text: str) -> Message | None:
    """Return why `text` names no object, None where it does; kinds that only a cluster knows are let through."""
    kind, name = split_resource(text)
    if not _KIND.fullmatch(kind):
        return msg("%(kind)s is no kind: write kind/name, such as deployment/web.", kind=shown(kind))
    return _name_problem(kind, name)


def _name_problem(kind: str, name: str) -> Message | None:
    if not name:
        return msg("The name is missing: write kind/name, such as deployment/web.")
    if len(name) > _MOST_NAME:
        return msg("The name has %(length)s characters, Kubernetes takes at most %(most)s.", length=len(name), most=253)
    known = kinds.traits(kind)
    if known is not None and known.name in _RBAC:
        return None if _RBAC_NAME.fullmatch(name) else msg("%(name)s cannot be a name.", name=shown(name))
    if _NAME.fullmatch(name):
        return None
    if name[0] in "-." or name[-1] in "-.":
        return msg("%(name)s must begin and end with a letter or a digit.", name=shown(name))
    return msg("%(name)s may hold only small letters a-z, digits, hyphens and dots.", name=shown(name))


def kind_problem(text: str) -> Message | None:
    """Return why `text` cannot be a kind (`deployment`, `certificates.cert-manager.io`), None where it can."""
    return None if _KIND.fullmatch(text.strip()) else msg("%(kind)s is no kind.", kind=shown(text))


def selector_problem(text: str) -> Message | None:
    """Return why `text` is no label selector, None where it is one (`app=web,tier!=cache,env in (a,b),!canary`)."""
    if len(text) > _MOST_SELECTOR:
        return msg("The selector is longer than %(most)s characters.", most=_MOST_SELECTOR)
    for part in re.split(r",(?![^()]*\))", text):
        problem = _requirement_problem(part.strip())
        if problem is not None:
            return problem
    return None


def _requirement_problem(part: str) -> Message | None:
    if not part:
        return msg("The selector is empty between two commas.")
    one_of = _SET.fullmatch(part)
    if one_of:
        return _parts_problem(one_of["key"], [value.strip() for value in one_of["values"].split(",")])
    equal = _EQUAL.fullmatch(part)
    if equal:
        return _parts_problem(equal["key"], [equal["value"]])
    return _parts_problem(part.removeprefix("!").strip(), [])


def _parts_problem(key: str, values: list[str]) -> Message | None:
    prefix, slash, name = key.rpartition("/")
    if (slash and not (_NAME.fullmatch(prefix) and len(prefix) <= _MOST_NAME)) or not _is_label(name):
        return msg("%(text)s is no label: write labels such as app=web,tier!=cache.", text=shown(key))
    for value in values:
        if value and not _is_label(value):
            return msg("%(text)s cannot be the value of a label.", text=shown(value))
    return None


def _is_label(text: str) -> bool:
    return bool(_LABEL.fullmatch(text)) and len(text) <= _MOST_LABEL


def condition_name_problem(text: str) -> Message | None:
    """Return why `text` is no condition of an object (`Ready`, `Ready=False`), None where it is one."""
    if _CONDITION.fullmatch(text.strip()):
        return None
    return msg("%(text)s is no condition: write Ready, or Ready=False.", text=shown(text))


class PathAndValue(NamedTuple):
    """A JSONPath without its braces, and the value waited for; None for any."""

    path: str
    value: str | None


def split_jsonpath(text: str) -> PathAndValue | None:
    """Return path and value of `{.status.phase}=Running` (braces may be left out), None where it has another form."""
    text = text.strip()
    if not text.startswith("{"):
        path, equal, value = text.partition("=")
        return _sound_path(path.strip(), value if equal else None)
    path, closed, rest = text[1:].partition("}")
    if not closed or (rest and not rest.startswith("=")):
        return None
    return _sound_path(path.strip(), rest[1:] if rest else None)


def _sound_path(path: str, value: str | None) -> PathAndValue | None:
    closed = path.count("[") == path.count("]") and path.count("(") == path.count(")")
    return PathAndValue(path, value) if _PATH.fullmatch(path) and closed and value != "" else None


def jsonpath_problem(text: str) -> Message | None:
    """Return why `text` is no JSONPath with or without a value, None where it is one."""
    if split_jsonpath(text) is not None:
        return None
    return msg("%(text)s is no path to a value: write {.status.phase}=Running.", text=shown(text))


def pattern_problem(text: str) -> Message | None:
    """Return why `text` is no regular expression that ends, None where it is one."""
    try:
        re.compile(text)
        endless = search_problem(text)
        if endless:
            return msg("%(text)s cannot be searched for: %(reason)s", text=shown(text), reason=endless)
    except (re.error, OverflowError, RecursionError) as error:
        return msg("%(text)s is no regular expression: %(reason)s", text=shown(text), reason=str(error))
    return None
