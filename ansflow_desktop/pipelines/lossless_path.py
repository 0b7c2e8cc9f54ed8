"""Names of fields in problems (`steps[1].k8s_config.timeout`) and paths in the document, each from the other."""

from __future__ import annotations

from ansflow_desktop.pipelines.splice_tree import Path

_STEPS = ("spec", "steps")


def field_of(path: Path) -> str:
    """Return the name of the field at `path`: `("spec", "steps", 1, "name")` gives `steps[1].name`."""
    parts = path[1:] if path[:2] == _STEPS else path
    name = ""
    for part in parts:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name
