"""Which of several fields is given, and what is given and not used: `one_of`, `wins_over`, `when` of a definition."""

from __future__ import annotations

from collections.abc import Iterator

from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import PipelineStep
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.definitions import applies
from ansflow_desktop.pipelines.step_values import Given, values_of


def set_problems(step: PipelineStep, place: str, *, literal: bool) -> Iterator[Problem]:
    """Yield what is missing, given too often, or given and not used; `place` goes in front of the fields' paths."""
    used: list[Given] = []
    unused: list[Given] = []
    for one in values_of(step):
        (used if applies(one.parameter, step.k8s_config) else unused).append(one)
    for name in dict.fromkeys(one.parameter.one_of for one in used):
        if name:
            yield from _one_of([one for one in used if one.parameter.one_of == name], place, literal)
    yield from _beaten(used, place)
    yield from _not_used(unused, place)


def _one_of(members: list[Given], place: str, literal: bool) -> Iterator[Problem]:
    """Exactly one is given; a variable may turn out empty or off, so where one decides nothing is refused yet."""
    given = [one for one in members if one.is_given]
    keys = [one.parameter.key for one in members]
    if not given:
        title = msg("One of %(names)s is needed", names=", ".join(keys))
        yield Problem(field=place + members[0].path, title=title)
        return
    sure = [one for one in given if not one.is_open(literal)]
    beaten = {key for one in given for key in one.parameter.wins_over}
    over = [one for one in sure if one.parameter.key not in beaten]
    if len(over) > 1:
        names = ", ".join(one.parameter.key for one in over)
        title = msg("Exactly one of %(names)s is needed", names=names)
        yield Problem(field=place + over[-1].path, title=title, hint=msg("Take the others out."))


def _beaten(used: list[Given], place: str) -> Iterator[Problem]:
    """Tell what is not used because a field of a `one_of` set replaces it; others only come before what they beat."""
    by_key = {one.parameter.key: one for one in used if one.parameter.place == "config"}
    for winner in (one for one in used if one.parameter.one_of and one.is_given):
        for key in winner.parameter.wins_over:
            loser = by_key.get(key)
            if loser is not None and loser.is_given:
                title = msg("%(loser)s is not used: %(winner)s replaces it", loser=key, winner=winner.parameter.key)
                yield Problem(field=place + loser.path, title=title, severity=Severity.INFO)


def _not_used(unused: list[Given], place: str) -> Iterator[Problem]:
    for one in unused:
        if one.is_given and one.value != one.parameter.default:
            name, wanted = next(iter(one.parameter.when.items()))
            title = msg(
                "%(field)s is kept and not used: %(name)s is not %(value)s",
                field=one.parameter.key,
                name=name,
                value=wanted,
            )
            yield Problem(field=place + one.path, title=title, severity=Severity.INFO)
