"""Edits of a pipeline's text by splicing: a change touches the lines it is about, everything else stays as it was.

Every function takes a text and returns a new one. After each edit the result is read again and compared with what was
meant; where it says anything else, EditRefused tells why and the text stays as it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from ansflow_desktop.i18n import msg
from ansflow_desktop.pipelines import (
    edit_check,
    edit_piece,
    splice,
    splice_data,
    splice_items,
    splice_scalar,
    splice_tree,
)
from ansflow_desktop.pipelines.edit_check import EditRefused
from ansflow_desktop.pipelines.splice_tree import Path

STEPS: Path = ("spec", "steps")

__all__ = [
    "STEPS", "EditRefused", "duplicate_step", "insert_step", "insert_step_text", "move_step", "new_pipeline",
    "remove_field", "remove_step", "replace_step", "set_field", "step_text",
]  # fmt: skip


def new_pipeline(name: str) -> str:
    """Return the text of an empty pipeline called `name`."""
    written = splice_scalar.inline(name, splice_scalar.Style())
    return f"apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata:\n  name: {written}\nspec:\n  steps: []\n"


def set_field(text: str, path: Path, value: Any) -> str:
    """Return `text` with plain data `value` at `path` (`("spec", "steps", 1, "k8s_config", "timeout")`).

    Missing parents are made; in a mapping or list only what differs is written; a text of several lines becomes a
    block. Where the value is shared by an alias or `<<`, this place gets one of its own. Raises EditRefused.
    """
    data = edit_check.data_of(text)
    wanted = edit_check.tidy(value)
    old = None
    with contextlib.suppress(KeyError):
        old = splice_data.get(data, path)
    wanted = splice_data.settle(old, wanted)
    expected = edit_check.expect(lambda: splice_data.changed(data, path, wanted))
    if splice_data.same(data, expected):
        return text
    write = _both(lambda current, value: splice.put(current, path, value), old, wanted)
    return edit_check.apply(text, write, expected, path)


def _both(write: Callable[[str, Any], str], old: Any, wanted: Any) -> tuple[Callable[[str], str], ...]:
    """Return the ways to write a value: texts of several lines as blocks, else in quotes."""
    in_quotes = splice_data.quoted(old, wanted)
    return (lambda current: write(current, wanted)), (lambda current: write(current, in_quotes))


def remove_field(text: str, path: Path) -> str:
    """Return `text` without the field or list entry at `path`; unchanged where there is none. Raises EditRefused."""
    data = edit_check.data_of(text)
    try:
        splice_data.get(data, path)
    except KeyError:
        return text
    if not path:
        raise EditRefused(msg("The whole text cannot be taken out."))
    expected = splice_data.without(data, path)
    return edit_check.apply(text, (lambda current: splice.drop(current, path),), expected, path)


def insert_step(text: str, index: int, step: Mapping[str, Any]) -> str:
    """Return `text` with `step` at `index` (0 to the number of steps), laid out as its neighbours; EditRefused."""
    steps = _steps(text)
    index = _within(index, len(steps))
    wanted = edit_check.tidy(step)
    if not steps:
        return set_field(text, STEPS, [wanted])
    return _on_steps(
        text,
        [*steps[:index], wanted, *steps[index:]],
        *_both(lambda current, value: splice.insert(current, STEPS, index, value), None, wanted),
    )


def insert_step_text(text: str, index: int, yaml: str) -> str:
    """Return `text` with the step or the list of steps in `yaml` at `index`, comments included; EditRefused.

    Where its text cannot be taken as it is (anchors, brackets), its data is written.
    """
    new = edit_piece.steps_in(yaml)
    steps = _steps(text)
    index = _within(index, len(steps))
    if not steps:
        first = insert_step(text, 0, new[0].data)
        text, new, steps, index = first, new[1:], [new[0].data], 1
    for number, piece in enumerate(new):
        text = _insert_piece(text, index + number, piece)
    return text


def _insert_piece(text: str, index: int, piece: edit_piece.Piece) -> str:
    steps = _steps(text)
    expected = [*steps[:index], piece.data, *steps[index:]]
    try:
        return _on_steps(text, expected, lambda current: edit_piece.insert(current, STEPS, index, piece))
    except EditRefused:
        return insert_step(text, index, piece.data)


def remove_step(text: str, index: int) -> str:
    """Return `text` without step `index` and the comments that belong to it; raises EditRefused."""
    steps = _steps(text)
    _existing(index, steps)
    return remove_field(text, (*STEPS, index))


def move_step(text: str, index: int, to: int) -> str:
    """Return `text` with step `index` and its comments at place `to`, counted without it; raises EditRefused."""
    steps = _steps(text)
    _existing(index, steps)
    _existing(to, steps)
    if index == to:
        return text
    expected = list(steps)
    expected.insert(to, expected.pop(index))
    change = _changing(lambda document, node: splice_items.move(document, node, index, to))
    return _on_steps(text, expected, change, index=index)


def duplicate_step(text: str, index: int, name: str) -> str:
    """Return `text` with a copy of step `index` and its comments behind it, called `name`; raises EditRefused."""
    steps = _steps(text)
    _existing(index, steps)
    expected = [*steps[: index + 1], *steps[index:]]
    change = _changing(lambda document, node: splice_items.duplicate(document, node, index))
    copied = _on_steps(text, expected, change, index=index)
    return set_field(copied, (*STEPS, index + 1, "name"), name)


def replace_step(text: str, index: int, step: Mapping[str, Any]) -> str:
    """Return `text` with step `index` saying what `step` says; only lines that differ change. Raises EditRefused."""
    _existing(index, _steps(text))
    return set_field(text, (*STEPS, index), step)


def step_text(text: str, index: int) -> str:
    """Return step `index` as YAML of its own, comments included, without the dash and its indentation; EditRefused."""
    steps = _steps(text)
    _existing(index, steps)
    return edit_piece.text_of(text, (*STEPS, index), steps[index])


def _steps(text: str) -> list[Any]:
    """Return the steps as plain data; raises EditRefused where they are no list."""
    try:
        steps = splice_data.get(edit_check.data_of(text), STEPS)
    except KeyError:
        return []
    if steps is None or isinstance(steps, list):
        return steps or []
    raise EditRefused(msg("spec.steps is not a list."), field="steps")


def _existing(index: int, steps: list[Any]) -> None:
    if not 0 <= index < len(steps):
        raise EditRefused(msg("There is no step %(number)s.", number=index + 1), field="steps")


def _within(index: int, count: int) -> int:
    return min(max(index, 0), count)


def _changing(change: Callable[[splice_tree.Document, splice_tree.Node], str]) -> Callable[[str], str]:
    """Return an operation on a text from one on its list of steps."""

    def operation(current: str) -> str:
        document = splice_tree.parse(current)
        return document.mark + change(document, splice.slot_of(document, STEPS).node)

    return operation


def _on_steps(text: str, steps: list[Any], *operations: Callable[[str], str], index: int | None = None) -> str:
    """Return what an operation makes of `text` so that its steps are `steps`; `index` is the step it is about."""
    path = STEPS if index is None else (*STEPS, index)
    expected = splice_data.changed(edit_check.data_of(text), STEPS, steps)
    return edit_check.apply(text, operations, expected, path)
