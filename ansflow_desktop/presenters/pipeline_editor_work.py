"""What the editor does off the window's thread: edits of the text, and opening and saving where a pipeline lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.pipeline_editor_state import (
    FILE,
    LIBRARY,
    Home,
    LineMark,
    OfferedDraft,
    RawDocument,
    names_of,
    unique,
)

PIPELINE, STEP = "pipeline", "step"
NEW_DRAFT = "new:"
_MOST_MARKS = 100


class Edit(msgspec.Struct, frozen=True):
    """An edit that was asked for: `change(text, selected)` gives both anew; `key` joins it with the one before.

    An empty `key` is an undo step of its own.
    """

    change: Callable[[str, int | None], tuple[str, int | None]]
    key: str = ""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit made: the text, the selected step, and the document as it reads now."""

    text: str
    selected: int | None
    document: RawDocument


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline as it was found: `handle` is what its place needs for saving (a PipelineFile, or a time).

    `base` is the text as it was saved, None where that is `text` itself.
    """

    home: Home
    text: str
    base: str | None = None
    handle: Any = None
    draft: OfferedDraft | None = None
    document: RawDocument = RawDocument()


def read(text: str) -> RawDocument:
    """Return `text` as plain data; what cannot be read is its `problem`."""
    from ansflow_desktop.pipelines import lossless

    raw = lossless.read(text)
    found = raw.problem
    problem = None
    if found is not None:
        place = msg("Line %(line)s, column %(column)s", line=found.line, column=found.column)
        problem = Problem(field="", title=msg("The text is not valid YAML"), message=found.reason, hint=place)
    return RawDocument(
        name=str(raw.name or ""),
        description=str(raw.description or ""),
        variables=dict(raw.variables),
        steps=tuple(dict(step) for step in raw.steps),
        problem=problem,
        line=found.line if found else 0,
        column=found.column if found else 0,
    )


def apply(edit: Edit, text: str, selected: int | None) -> Applied:
    """Return what `edit` makes of `text`; raises UserError where that cannot be done."""
    changed, chosen = edit.change(text, selected)
    return Applied(text=changed, selected=chosen, document=read(changed))


# Edits: each is a function of the text and the selected step


def field(path: tuple[str | int, ...], value: object) -> Edit:
    """Set a field of the document; None takes it out."""
    return Edit(lambda text, selected: (_set(text, path, value), selected), _key(path, value))


def step_field(path: tuple[str | int, ...], value: object) -> Edit:
    """Set a field of the selected step; None takes it out."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        return (text if selected is None else _set(text, ("spec", "steps", selected, *path), value)), selected

    return Edit(change, _key(("step", *path), value))


def _key(path: tuple[str | int, ...], value: object) -> str:
    """Join what is typed into one field; a tick or a choice from a list of other things is a step of its own."""
    return f"field:{path}" if isinstance(value, str) else ""


def _set(text: str, path: tuple[str | int, ...], value: object) -> str:
    from ansflow_desktop.pipelines import edit

    return edit.remove_field(text, path) if value is None else edit.set_field(text, path, value)


def together(edits: Sequence[Edit]) -> Edit:
    """Return several edits as one step that can be undone."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        for one in edits:
            text, selected = one.change(text, selected)
        return text, selected

    return Edit(change)


def chosen(index: int | None) -> Edit:
    """Select another step: no change of the text, but in its turn among the edits."""
    return Edit(lambda text, _selected: (text, index), "select")


def added(step: Mapping[str, Any]) -> Edit:
    """Insert `step` behind the selected one, or at the end, under a name that no other step has."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        from ansflow_desktop.pipelines import edit

        document = read(text)
        place = len(document.steps) if selected is None else min(selected + 1, len(document.steps))
        named = {**step, "name": unique(str(step.get("name") or "step"), names_of(document))}
        return edit.insert_step(text, place, named), place

    return Edit(change)


def pasted(yaml_text: str) -> Edit:
    """Insert a step that was copied as YAML behind the selected one; a name that is taken gets a number."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        from ansflow_desktop.pipelines import edit

        document = read(text)
        place = len(document.steps) if selected is None else min(selected + 1, len(document.steps))
        made = edit.insert_step_text(text, place, yaml_text)
        name = str(read(made).steps[place].get("name") or "step")
        free = unique(name, names_of(document))
        return (made if free == name else edit.set_field(made, ("spec", "steps", place, "name"), free)), place

    return Edit(change)


def duplicated(index: int) -> Edit:
    """Insert a copy of step `index` behind it, under a name of its own."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        from ansflow_desktop.pipelines import edit

        document = read(text)
        if index >= len(document.steps):
            return text, selected
        name = unique(str(document.steps[index].get("name") or "step"), names_of(document))
        return edit.duplicate_step(text, index, name), index + 1

    return Edit(change)


def removed(index: int) -> Edit:
    """Take step `index` out; the one behind it is selected."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        from ansflow_desktop.pipelines import edit

        left = len(read(text).steps) - 1
        if index > left:
            return text, selected
        return edit.remove_step(text, index), (min(index, left - 1) if left > 0 else None)

    return Edit(change)


def moved(index: int, to: int) -> Edit:
    """Put step `index` at place `to` (counted without it); it stays selected. Beyond the ends nothing happens."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        from ansflow_desktop.pipelines import edit

        count = len(read(text).steps)
        if not (0 <= index < count and 0 <= to < count) or index == to:
            return text, selected
        return edit.move_step(text, index, to), to

    return Edit(change)


def switched(index: int) -> Edit:
    """Turn step `index` on or off."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        from ansflow_desktop.pipelines import edit

        steps = read(text).steps
        if index >= len(steps):
            return text, selected
        path = ("spec", "steps", index, "enabled")
        on = steps[index].get("enabled", True) is not False
        return (edit.set_field(text, path, False) if on else edit.remove_field(text, path)), selected

    return Edit(change)


def configured(index: int, name: str, fields: Mapping[str, Any]) -> Edit:
    """Set fields of k8s_config of step `index`, together; refused where the step there is not called `name` now."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        steps = read(text).steps
        if index >= len(steps) or str(steps[index].get("name", "")) != name:
            raise UserError(msg("Step %(name)s was changed meanwhile", name=name), "", msg("Nothing was changed."))
        for key, value in fields.items():
            text = _set(text, ("spec", "steps", index, "k8s_config", key), value)
        return text, selected

    return Edit(change)


def variable_added() -> Edit:
    """Add a variable without a value under a name that is free."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        name = unique("name", set(read(text).variables))
        return _set(text, ("spec", "variables", name), ""), selected

    return Edit(change)


def variable_renamed(old: str, name: str) -> Edit:
    """Give a variable another name; it goes to the end, as it is a new line. A name that is taken is refused."""

    def change(text: str, selected: int | None) -> tuple[str, int | None]:
        variables = read(text).variables
        if name in variables:
            raise UserError(msg("There is a variable %(name)s already", name=name), "", msg("Choose another name."))
        added = _set(text, ("spec", "variables", name), variables.get(old, ""))
        return _set(added, ("spec", "variables", old), None), selected

    return Edit(change)


def marks(text: str, problems: Sequence[Problem]) -> tuple[LineMark, ...]:
    """Return the places in `text` of the problems that name a field, at most a hundred."""
    from ansflow_desktop.pipelines import lossless

    found: list[LineMark] = []
    for problem in problems[:_MOST_MARKS]:
        place = lossless.place_of(text, problem.field) if problem.field else None
        if place is not None:
            found.append(LineMark(place[0], place[1], problem.severity, problem.field))
    return tuple(found)


# Where pipelines live


def open_new(name: str, steps: Sequence[Mapping[str, Any]] = ()) -> Opened:
    """Return a pipeline that has no home yet: an empty one, or with `steps`, which are then not saved anywhere."""
    from ansflow_desktop.pipelines import edit

    text = empty = edit.new_pipeline(name)
    for number, step in enumerate(steps):
        text = edit.insert_step(text, number, step)
    base = empty if steps else None
    return Opened(home=Home(kind=LIBRARY), text=text, base=base, document=read(text))


def open_file(services: Any, path: str) -> Opened:
    """Return the pipeline in the file `path`, with its draft where one is kept; raises UserError."""
    from ansflow_desktop.pipelines.files import PipelineFile

    file = PipelineFile.open(Path(path))
    home = Home(kind=FILE, path=str(path))
    return _with_draft(services, Opened(home=home, text=file.text, handle=file, document=read(file.text)))


def open_library(services: Any, name: str) -> Opened:
    """Return a pipeline of the library, with its draft where one is kept; raises UserError."""
    item = item_of(services.library, PIPELINE, name)
    home = Home(kind=LIBRARY, name=name, folder=item.folder, origin=item.origin)
    text = item.document
    return _with_draft(services, Opened(home=home, text=text, handle=item.updated, document=read(text)))


def item_of(library: Any, kind: str, name: str) -> Any:
    """Return an item of the library; raises UserError where there is none of that name any more."""
    item = library.read(kind, name)
    if item is None:
        raise UserError(msg("%(name)s is not in the library any more", name=name))
    return item


def open_draft(services: Any, key: str) -> Opened | None:
    """Return the draft of a pipeline that was never saved, None where there is none any more."""
    draft = services.drafts.read(key)
    return Opened(home=Home(kind=LIBRARY), text=draft.text, base="", document=read(draft.text)) if draft else None


def _with_draft(services: Any, opened: Opened) -> Opened:
    draft = services.drafts.read(opened.home.key)
    if draft is None or draft.text == opened.text:
        return opened
    return msgspec.structs.replace(opened, draft=OfferedDraft(text=draft.text, saved=draft.saved))


def new_draft_key() -> str:
    """Return a key for the draft of a pipeline that was never saved."""
    return f"{NEW_DRAFT}{time.time_ns()}"
