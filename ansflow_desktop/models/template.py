"""Templates: steps with a few named parameters, built in, made by the user or imported."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from ansflow_desktop.models.definition import Words

Named: TypeAlias = "str | Words"  # one text, or the same in each language
TemplateKind: TypeAlias = Literal["text", "name", "integer", "boolean", "folder", "cluster", "namespace"]
Origin: TypeAlias = Literal["builtin", "user", "imported"]

CATEGORIES = ("web-app", "microservice", "job", "stateful", "worker", "helm", "operations", "custom")


class TemplateParameter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One value that is asked for; `default` is a text of the kind, empty where there is none.

    `name` kind: an RFC 1123 label; `folder`: a path; `minimum` is for integers.
    """

    name: str
    label: Named = ""
    help: Named = ""
    kind: TemplateKind = "text"
    default: str = ""
    minimum: int | None = None
    required: bool = True


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A template; `steps` are as in a pipeline file, `${parameter}` in them is replaced where one is applied.

    Other `${variables}` stay for the pipeline.
    """

    name: str
    title: Named = ""
    description: Named = ""
    category: str = "custom"
    parameters: tuple[TemplateParameter, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    origin: Origin = "user"


def words_in(named: Named, language: str) -> str:
    """Return a title or description in `language`, English where there is none."""
    if isinstance(named, str):
        return named
    return named.get(language) or named.get("en") or next(iter(named.values()), "")
