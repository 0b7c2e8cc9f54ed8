"""The stages of a connection test as they are found, each with the time it took."""

from __future__ import annotations

import time

from ansflow_desktop.i18n import Text
from ansflow_desktop.models.cluster import Finding, Stage

STAGES = ("address", "proxy", "dns", "tcp", "tls", "api", "credentials", "rights", "version")


class Stop(Exception):
    """A stage failed in such a way that the ones behind it cannot be looked at; the stage is already noted."""


class Stages:
    """The stages found so far, in the order of `STAGES`; those never reached are `skipped` in the end."""

    def __init__(self) -> None:
        """Start with none."""
        self._found: dict[str, Stage] = {}
        self._began = time.perf_counter()

    def begin(self) -> None:
        """Start the clock of the next stage."""
        self._began = time.perf_counter()

    def good(self, name: str, title: Text, message: Text = "") -> None:
        """Note that the stage `name` is well."""
        self._add(name, Finding.GOOD, title, message)

    def warn(self, name: str, title: Text, message: Text = "", hint: Text = "") -> None:
        """Note what deserves attention though the connection works."""
        self._add(name, Finding.WARNING, title, message, hint)

    def skip(self, name: str, title: Text = "", message: Text = "") -> None:
        """Note that the stage `name` does not apply."""
        self._add(name, Finding.SKIPPED, title, message)

    def bad(self, name: str, title: Text, message: Text = "", hint: Text = "") -> Stop:
        """Note the stage at fault and return the exception that ends the test."""
        self._add(name, Finding.BAD, title, message, hint)
        return Stop(name)

    def failed(self, name: str) -> bool:
        """Return whether the stage `name` is at fault."""
        stage = self._found.get(name)
        return stage is not None and stage.finding is Finding.BAD

    def all(self) -> tuple[Stage, ...]:
        """Return every stage."""
        return tuple(self._found.get(name) or Stage(name=name, finding=Finding.SKIPPED, title="") for name in STAGES)

    def _add(self, name: str, finding: Finding, title: Text, message: Text, hint: Text = "") -> None:
        now = time.perf_counter()
        took = 0.0 if finding is Finding.SKIPPED else (now - self._began) * 1000
        self._found[name] = Stage(
            name=name, finding=finding, title=title, message=message, hint=hint, took_ms=round(took, 1)
        )
        self._began = now
