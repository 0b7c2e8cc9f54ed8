"""Plain data as YAML that reads as the same data: block style, long texts as blocks, Unicode as it is."""

from __future__ import annotations

from typing import Any

import yaml

_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]  # PyYAML's C dumper is known at run time only
    """PyYAML's safe dumper without anchors; a text of several lines becomes a block."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts out each time."""
        return True


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """Return `value` (mappings, lists, scalars) as one YAML document that is read back equal."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False)
    return str(text)
