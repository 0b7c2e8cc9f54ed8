"""A chart folder on disk, as read."""

from __future__ import annotations

import msgspec


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of Chart.yaml's dependencies; `present` says whether charts/ holds it in a version that fits."""

    name: str
    version: str = ""
    repository: str = ""
    alias: str = ""
    condition: str = ""
    present: bool = False


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: its folder (absolute), Chart.yaml's fields, dependencies, and the values files found beside it.

    `values_files` are names relative to the folder, the chart's own values.yaml not among them.
    """

    path: str
    name: str
    version: str
    api_version: str = "v2"
    app_version: str = ""
    kube_version: str = ""
    type: str = "application"
    description: str = ""
    dependencies: tuple[Dependency, ...] = ()
    values_files: tuple[str, ...] = ()
    has_schema: bool = False

    @property
    def missing(self) -> tuple[Dependency, ...]:
        """The dependencies that charts/ does not hold."""
        return tuple(dependency for dependency in self.dependencies if not dependency.present)
