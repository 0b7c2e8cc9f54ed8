"""Local checks of a pipeline that was read: no cluster, no process, nothing but what the file says.

What one field takes is in `validate_fields`, which of several is given and what is not used in `validate_sets`, how the
fields of a step go together in `validate_steps`; names, bounds and sets are those of the step definitions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ansflow_desktop.models.pipeline import Pipeline, PipelineStep
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.pipelines.codec import examine
from ansflow_desktop.pipelines.validate_fields import field_problems
from ansflow_desktop.pipelines.validate_sets import set_problems
from ansflow_desktop.pipelines.validate_steps import together_problems
from ansflow_desktop.pipelines.variables import undefined


def validate(
    pipeline: Pipeline, given: Collection[str] = (), chosen: Collection[int] | None = None
) -> tuple[Problem, ...]:
    """Return the problems of `pipeline` that can be known before anything runs, in the order of the file.

    `given` are variables defined from outside (`-v`), `chosen` the indexes of the steps that will run (None: all).
    What depends on a variable is checked when the step runs. Disabled steps are checked too, but for variables.
    """
    problems = [] if pipeline.literal else undefined(pipeline, given, chosen)
    for index, step in enumerate(pipeline.steps):
        if chosen is None or index in chosen:
            problems.extend(step_problems(step, f"steps[{index}]", literal=pipeline.literal))
    return _once(problems)


def check_text(text: str, folder: str, name: str = "pipeline.yaml", given: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return all problems of a pipeline's text: what reading finds, and what is wrong with the steps it could read.

    While a person types, one step that cannot be read yet does not hide what is wrong with the others. Never raises.
    """
    read = examine(text, folder, name)
    found: list[Problem] = []
    if read.pipeline is not None:
        found += undefined(read.pipeline, given)
        for index, step in enumerate(read.pipeline.steps):
            if index not in read.unreadable:
                found += step_problems(step, f"steps[{index}]", literal=False)
    known = {problem.field for problem in read.problems}
    return _once([*read.problems, *(one for one in found if one.field not in known)])


def step_problems(step: PipelineStep, field: str, *, literal: bool) -> Iterator[Problem]:
    """Yield the problems of one step; `literal` False leaves out texts that hold a variable.

    `field` is the step's place (`steps[1]`), empty for a step by itself: fields are then `k8s_config.timeout`.
    """
    place = f"{field}." if field else ""
    yield from field_problems(step, place, literal=literal)
    yield from set_problems(step, place, literal=literal)
    yield from together_problems(step, place, literal=literal)


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Leave out what two checks found alike."""
    found: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        found.setdefault((problem.field, str(problem.title)), problem)
    return tuple(found.values())
