"""What the pipeline editor shows, as data: the document, where it lives, its steps, and what stands open."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.models.run import Phase

FILE: Final = "file"
LIBRARY: Final = "library"


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pipeline lives: a file (`path`, absolute) or the library (`name`; empty while it was never saved).

    `folder` is where the relative paths of a library's pipeline begin, `origin` who made it (`user`, `import`).
    """

    kind: Literal["file", "library"] = LIBRARY
    path: str = ""
    name: str = ""
    folder: str = ""
    origin: str = "user"

    @property
    def key(self) -> str:
        """The name of this pipeline's draft."""
        return f"file:{self.path}" if self.kind == FILE else f"library:{self.name}"

    @property
    def saved(self) -> bool:
        """True when there is a place that it can be saved to."""
        return bool(self.path or self.name)

    @property
    def working_folder(self) -> str:
        """The absolute folder that relative paths start from."""
        return str(Path(self.path).parent) if self.kind == FILE else self.folder or str(paths.home())


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the step list; `index` counts from 0, `phase` is that of the last run (None: it did not run)."""

    index: int
    name: str
    type: str
    label: Text
    icon: str
    where: str = ""
    enabled: bool = True
    errors: int = 0
    warnings: int = 0
    first_problem: Text = ""
    phase: Phase | None = None


class RawDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document as plain data, as it is written; `problem` says why the text cannot be read, with its line."""

    name: str = ""
    description: str = ""
    variables: dict[str, Any] = {}
    steps: tuple[dict[str, Any], ...] = ()
    problem: Problem | None = None
    line: int = 0
    column: int = 0


class OfferedDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that was kept when AnsFlow was closed or ended in mid-edit; `saved` is epoch seconds."""

    text: str
    saved: float


class LineMark(msgspec.Struct, frozen=True):
    """A place in the text that has a problem: line and column count from 1."""

    line: int
    column: int
    severity: Severity
    field: str = ""


class EditorState(msgspec.Struct, frozen=True, kw_only=True):
    """The open document; `text` is the whole truth, everything else follows from it.

    `selected` is a step's index, None for the pipeline's own settings. `theirs` is the text that lies on disk where
    somebody else changed it. `fresh` is False while what was typed is still being read.
    """

    home: Home = Home()
    saved_folder: str = ""
    text: str = ""
    base: str = ""
    document: RawDocument = RawDocument()
    fresh: bool = True
    selected: int | None = None
    problems: tuple[Problem, ...] = ()
    marks: tuple[LineMark, ...] = ()
    phases: dict[str, Phase] = {}
    can_undo: bool = False
    can_redo: bool = False
    saving: bool = False
    theirs: str | None = None
    draft: OfferedDraft | None = None
    open: bool = False

    @property
    def dirty(self) -> bool:
        """True when there is something that was not saved."""
        return self.open and (self.text != self.base or self.home.folder != self.saved_folder)

    @property
    def can_save(self) -> bool:
        """True when saving would write something."""
        return self.open and not self.saving and (self.dirty or not self.home.saved)

    @property
    def step(self) -> dict[str, Any] | None:
        """The selected step as it is written, None where none is selected or the text cannot be read."""
        steps = self.document.steps
        return steps[self.selected] if self.selected is not None and self.selected < len(steps) else None

    @property
    def title(self) -> str:
        """The pipeline's name, or the file's."""
        return self.document.name or (Path(self.home.path).name if self.home.path else self.home.name)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stand in the way of a run."""
        found = tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)
        return (self.document.problem, *found) if self.document.problem and not found else found

    @property
    def first_error(self) -> Text:
        """What stands in the way of a run, with the name of its step; empty where nothing does."""
        if not self.errors:
            return ""
        first = self.errors[0]
        index, steps = step_of(first.field), self.document.steps
        name = str(steps[index].get("name") or "") if index is not None and index < len(steps) else ""
        return msg("%(step)s: %(problem)s", step=name, problem=first.title) if name else first.title

    def problems_of_step(self, index: int) -> tuple[Problem, ...]:
        """Return the problems of one step."""
        return tuple(problem for problem in self.problems if step_of(problem.field) == index)


def step_of(field: str) -> int | None:
    """Return the index in a problem's field: `steps[1].k8s_config.timeout` gives 1, anything else None."""
    head = field.removeprefix("spec.")
    if not head.startswith("steps["):
        return None
    number = head[len("steps[") :].partition("]")[0]
    return int(number) if number.isdigit() else None


def within_step(field: str) -> str:
    """Return the part of a problem's field below its step: `k8s_config.timeout`, empty for the step itself."""
    return field.partition("].")[2] if step_of(field) is not None else ""


def names_of(document: RawDocument) -> set[str]:
    """Return the names that the steps have."""
    return {str(step.get("name", "")) for step in document.steps}


def unique(wanted: str, taken: set[str]) -> str:
    """Return `wanted`, or `wanted-2`, `wanted-3` and so on: the first that is not taken."""
    if wanted not in taken:
        return wanted
    stem = wanted.rsplit("-", 1)[0] if wanted.rsplit("-", 1)[-1].isdigit() and "-" in wanted else wanted
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"
