"""Fields of decoded API objects, whatever their shape: a hostile or newer object never breaks a rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansflow_desktop.kube.text import clean


def mapping(obj: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the mapping `obj[name]`, empty where there is none."""
    value = obj.get(name)
    return value if isinstance(value, Mapping) else {}


def sequence(obj: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the mappings in the list `obj[name]`, empty where there is none."""
    value = obj.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def number(obj: Mapping[str, Any], name: str, default: int = 0) -> int:
    """Return the whole number `obj[name]`, `default` where there is none."""
    value = obj.get(name)
    return value if isinstance(value, int) else default


def text(obj: Mapping[str, Any], name: str) -> str:
    """Return the text `obj[name]` without control and bidirectional characters, empty where there is none."""
    value = obj.get(name)
    return clean(value) if isinstance(value, str) else ""


def conditions(obj: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return `status.conditions` by type."""
    return {str(item.get("type") or ""): item for item in sequence(mapping(obj, "status"), "conditions")}
