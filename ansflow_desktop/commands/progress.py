"""A run shown in a terminal: the same stream of events that the window folds, line by line."""

from __future__ import annotations

import shlex
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.output import Format, Output, clean, plain, table
from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.run import (
    ClusterEvent,
    CommandStarted,
    Health,
    Notice,
    Phase,
    ResourceChanged,
    RunEvent,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from ansflow_desktop.models.run import Output as OutputEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansflow_desktop.models.release import Release

_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}

# Texts of the fixed vocabularies (architecture.md, "Names"), here so that extraction finds them.
PHASES = {
    Phase.PENDING: msg("Pending"),
    Phase.RUNNING: msg("Running"),
    Phase.SUCCEEDED: msg("Succeeded"),
    Phase.FAILED: msg("Failed"),
    Phase.CANCELLED: msg("Cancelled"),
    Phase.SKIPPED: msg("Skipped"),
    Phase.UNKNOWN: msg("Unknown"),
}
HEALTHS = {
    Health.HEALTHY: msg("Healthy"),
    Health.PROGRESSING: msg("Progressing"),
    Health.DEGRADED: msg("Degraded"),
    Health.SUSPENDED: msg("Suspended"),
    Health.MISSING: msg("Missing"),
    Health.UNKNOWN: msg("Unknown"),
}


def reporter(out: Output, log_level: str) -> Reporter:
    """Return what writes a run's events in the form that was asked for."""
    if out.form is Format.JSONL:
        return LineReporter(out)
    return TextReporter(out, log_level) if out.is_text else DocumentReporter(out)


class Reporter(ABC):
    """Takes a run's events from any thread; `close` is called once after the last."""

    def __init__(self, out: Output) -> None:
        """Write to `out`; the events are kept only where a form needs them."""
        self._out = out

    @abstractmethod
    def emit(self, event: RunEvent) -> None:
        """Take one event."""

    def close(self) -> None:  # noqa: B027  # most forms write as they go
        """Write what is left, nothing by default."""


class LineReporter(Reporter):
    """`-o jsonl`: one event a line, its messages in the language in use."""

    def emit(self, event: RunEvent) -> None:
        """Write the event at once, the keys that every event has first."""
        fields: dict[str, Any] = plain(event)
        first = {key: fields[key] for key in ("time", "run", "step", "type")}
        self._out.json_line({**first, **fields})


class DocumentReporter(Reporter):
    """`-o json`: one document at the end."""

    def __init__(self, out: Output) -> None:
        """Start with an empty document."""
        super().__init__(out)
        self._document: dict[str, Any] = {"run": "", "pipeline": "", "phase": Phase.UNKNOWN, "steps": []}

    def emit(self, event: RunEvent) -> None:
        """Keep what the document tells; notices from warnings up go to stderr meanwhile."""
        if isinstance(event, RunStarted):
            self._document.update(run=event.run, pipeline=event.pipeline)
        elif isinstance(event, StepFinished):
            self._document["steps"].append(_step_row(event))
        elif isinstance(event, RunFinished):
            self._document["phase"] = event.phase
        elif isinstance(event, Notice) and event.level in ("warning", "error"):
            self._out.note(event.message)

    def close(self) -> None:
        """Write the document."""
        self._out.document(self._document)


def _step_row(event: StepFinished) -> dict[str, Any]:
    return {
        "name": event.step,
        "phase": event.phase,
        "exit_code": event.exit_code,
        "duration_s": round(event.duration_s, 3),
        "message": event.message,
        "hint": event.hint,
        "release": event.release,
    }


class TextReporter(Reporter):
    """Text for a person: the command, what it prints, objects becoming ready, the release row, the verdict."""

    def __init__(self, out: Output, log_level: str) -> None:
        """Show notices from `log_level` up; notices of level info are part of the story and always shown."""
        super().__init__(out)
        self._least = min(_LEVELS.get(log_level, 1), _LEVELS["info"])
        self._shown: dict[tuple[str, str, str], tuple[Health, str]] = {}
        self._warned: set[str] = set()
        self._steps: Sequence[str] = ()
        self._lock = threading.Lock()
        self._handlers: dict[type, Callable[[Any], None]] = {
            RunStarted: self._on_run_started,
            StepStarted: self._on_step_started,
            CommandStarted: self._on_command_started,
            OutputEvent: self._on_output,
            ResourceChanged: self._on_resource,
            ClusterEvent: self._on_cluster_event,
            Notice: self._on_notice,
            StepFinished: self._on_step_finished,
            RunFinished: self._on_run_finished,
        }

    def emit(self, event: RunEvent) -> None:
        """Write the lines of one event."""
        with self._lock:
            self._handlers[type(event)](event)

    def _on_run_started(self, event: RunStarted) -> None:
        self._steps = event.steps

    def _on_step_started(self, event: StepStarted) -> None:
        if len(self._steps) < 2 or event.step not in self._steps:
            return
        number = self._steps.index(event.step) + 1
        values = {"number": number, "count": len(self._steps), "name": event.step, "type": event.step_type}
        self._out.line(_("Step %(number)s of %(count)s: %(name)s (%(type)s)") % values)

    def _on_command_started(self, event: CommandStarted) -> None:
        program, *rest = event.argv
        self._out.line(_("In %(folder)s:") % {"folder": event.cwd})
        self._out.line("$ " + shlex.join([program.rsplit("/", 1)[-1], *rest]))

    def _on_output(self, event: OutputEvent) -> None:
        write = self._out.write if event.stream == "stdout" else self._out.error_text
        write(clean(event.text))

    def _on_resource(self, event: ResourceChanged) -> None:
        message = translate(event.message)
        key, state = (event.kind, event.namespace, event.name), (event.health, message)
        if self._shown.get(key) == state:
            return
        self._shown[key] = state
        text = "  ".join(part for part in (translate(HEALTHS[event.health]), message, event.detail) if part)
        self._out.line(f"  {event.kind}/{event.name}  {text}".replace("\n", " "))

    def _on_cluster_event(self, event: ClusterEvent) -> None:
        line = f"  ! {event.kind}/{event.name}  {event.reason}: {event.message}".replace("\n", " ")
        if event.warning and line not in self._warned:
            self._warned.add(line)
            self._out.line(line)

    def _on_notice(self, event: Notice) -> None:
        if _LEVELS[event.level] >= self._least:
            self._out.note(event.message)

    def _on_step_finished(self, event: StepFinished) -> None:
        if event.release:
            self._out.line()
            self._out.line(release_table([event.release]))
        values = {"name": event.step, "phase": translate(PHASES[event.phase]), "seconds": f"{event.duration_s:.1f}"}
        self._out.line()
        self._out.line(_("%(name)s: %(phase)s after %(seconds)s s") % values)
        for text in (event.message, event.hint):
            if text:
                self._out.line("  " + translate(text).replace("\n", "\n  "))

    def _on_run_finished(self, event: RunFinished) -> None:
        if len(self._steps) > 1:
            self._out.line(_("Run: %(phase)s") % {"phase": translate(PHASES[event.phase])})


def release_table(releases: Sequence[Release]) -> str:
    """Return releases as aligned text, the same columns as the window's table."""
    return table(release_heads(), [release_cells(release) for release in releases])


def release_heads() -> tuple[str, ...]:
    """Return the heads of a table of releases in the language in use."""
    return (_("NAME"), _("NAMESPACE"), _("CHART"), _("APP VERSION"), _("REVISION"), _("STATUS"), _("UPDATED"))


def release_cells(item: Release) -> tuple[str, ...]:
    """Return one row of a table of releases."""
    return (
        item.name,
        item.namespace,
        item.chart,
        item.app_version,
        str(item.revision),
        item.status.value,
        short_time(item.updated),
    )


def short_time(text: str) -> str:
    """Return an RFC 3339 time in UTC cut to seconds, other text as it is."""
    head, dot, rest = text.partition(".")
    return f"{head}Z" if dot and rest.endswith("Z") else text
