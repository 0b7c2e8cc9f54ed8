"""Values files and typed values: what is wrong with them, and what Helm will read differently than it looks."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg, msg_n
from ansflow_desktop.models.problem import Problem, Severity

_MOST_WARNINGS = 20
# what Helm's parser makes of plain scalars (seen with helm 3.22 and 4.3): YAML 1.1 for these
_TRUTHS = {"y": "true", "yes": "true", "on": "true", "n": "false", "no": "false", "off": "false"}
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+")
_UNDERSCORE = re.compile(r"[-+]?[0-9][0-9]*_[0-9_]*")
_BASED = re.compile(r"[-+]?0(x[0-9a-fA-F_]+|b[01_]+|o[0-7_]+)")


def values_file_problems(path: str, field: str) -> tuple[Problem, ...]:
    """Return what is wrong with the values file at `path` (absolute); `field` is where the problem belongs."""
    try:
        text = safe_yaml.read_text(path, field)
    except UserError as error:
        return (Problem(field=field, title=error.title, message=error.message, hint=error.hint),)
    return values_text_problems(text, field)


def values_text_problems(text: str, field: str) -> tuple[Problem, ...]:
    """Return what is wrong with values as YAML text: errors first, else warnings on what reads differently."""
    try:
        nodes = safe_yaml.compose(text)
    except safe_yaml.YamlProblem as problem:
        return (_error(field, msg("The values are not YAML that can be used"), problem.text()),)
    wrong = [node for node in nodes if not isinstance(node, yaml.MappingNode) and not _is_null(node)]
    if wrong:
        return (_not_a_mapping(field, wrong[0]),)
    return (*_documents(nodes, field), *_warnings(nodes, field))


def _error(field: str, title: Message, message: Message | str) -> Problem:
    return Problem(field=field, title=title, message=message, hint=msg("Correct the YAML."))


def _not_a_mapping(field: str, node: Any) -> Problem:
    kind = msg("a list") if isinstance(node, yaml.SequenceNode) else msg("a single value")
    return Problem(
        field=field,
        title=msg("The values are %(kind)s, not names with values", kind=kind),
        message=msg("Helm takes only a mapping such as replicaCount: 2."),
        hint=msg("Write the values as names with values."),
    )


def _is_null(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _documents(nodes: list[Any], field: str) -> list[Problem]:
    if len(nodes) < 2:
        return []
    return [
        Problem(
            field=field,
            title=msg_n("%(count)d YAML document", "%(count)d YAML documents", len(nodes)),
            message=msg("Helm 3 reads only the first one, Helm 4 merges them all."),
            hint=msg("Put the values into one document."),
            severity=Severity.WARNING,
        )
    ]


def _warnings(nodes: list[Any], field: str) -> list[Problem]:
    found: list[Problem] = []
    pending, seen = list(nodes), set()
    while pending and len(found) < _MOST_WARNINGS:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        found += _duplicates(node, field)
        message = _reads_as(node)
        found += [_warning(field, node, message)] if message else []
        pending += reversed(safe_yaml.children(node))
    return found


def _duplicates(node: Any, field: str) -> list[Problem]:
    if not isinstance(node, yaml.MappingNode):
        return []
    keys: set[str] = set()
    found = []
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in keys and key.value != "<<":
            found.append(_warning(field, key, msg("%(key)s is there twice; the last one counts.", key=key.value)))
        keys.add(str(key.value))
    return found


def _reads_as(node: Any) -> Message | None:
    """Return how Helm reads a plain scalar where that is not how it looks (conventions.md, 12)."""
    if not isinstance(node, yaml.ScalarNode) or node.style:
        return None
    text = node.value
    if text.lower() in _TRUTHS and text in (text.lower(), text.upper(), text.capitalize()):
        return msg("%(text)s is read as %(value)s.", text=text, value=_TRUTHS[text.lower()])
    if _OCTAL.fullmatch(text):
        return msg("%(text)s is read as the octal number %(value)d.", text=text, value=int(text.replace("_", ""), 8))
    if _EXPONENT.fullmatch(text):
        return msg("%(text)s is read as the number %(value)s.", text=text, value=f"{float(text):g}")
    if _UNDERSCORE.fullmatch(text):
        return msg("%(text)s is read as the number %(value)s.", text=text, value=text.replace("_", "").rstrip("_"))
    if _BASED.fullmatch(text):
        return msg("%(text)s is read as the number %(value)s.", text=text, value=str(int(text.replace("_", ""), 0)))
    return None


def _warning(field: str, node: Any, message: Message) -> Problem:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    return Problem(
        field=field,
        title=msg("This reads differently than it looks"),
        message=msg("Line %(line)d, column %(column)d: %(reason)s", line=line, column=column, reason=message),
        hint=msg("Put it in quotes if it is meant as text."),
        severity=Severity.WARNING,
    )
