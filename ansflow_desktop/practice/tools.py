"""The practice tools on this machine: where each is, and getting the ones that are missing."""

from __future__ import annotations

import os
from pathlib import Path

from ansflow_desktop.practice import pins


def tool_path(tools_dir: Path, name: str, major: int | None = None) -> Path | None:
    """Return the pinned program `name` (`kubectl`, `helm`, `etcd`, ...) below `tools_dir`, or None.

    `major` chooses between Helm 3 and Helm 4; without it the newest pinned version that is there is returned.
    """
    found = [path for pin in _candidates(name, major) if is_program(path := path_of(tools_dir, pin))]
    return found[0] if found else None


def path_of(tools_dir: Path, pin: pins.Pin) -> Path:
    """Return where the program of `pin` belongs: `<tools>/<name>-<version>/<name>`."""
    return tools_dir / pin.folder / pin.name


def is_program(path: Path) -> bool:
    """Return whether `path` is a file that may be executed."""
    return path.is_file() and os.access(path, os.X_OK)


def _candidates(name: str, major: int | None) -> list[pins.Pin]:
    chosen = [pin for key in pins.keys() if (pin := pins.pin(key)).name == name]
    return [pin for pin in chosen if major is None or pin.version.startswith(f"{major}.")]


def ensure(tools_dir, names, on_progress, cancel=None):
    pass
