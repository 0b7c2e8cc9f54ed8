"""Why what is waited for will never come, as far as the object itself tells (failure-modes.md, row 24)."""

from __future__ import annotations

import difflib

import msgspec

from ansflow_desktop.executors.wait_step import Awaited, Goal
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube.fields import conditions, mapping, number, text
from ansflow_desktop.kube.objects import Object, is_leaving
from ansflow_desktop.pipelines import kinds

_ENDED = ("Succeeded", "Failed")
_OPPOSITES = {
    "complete": ("Failed", "FailureTarget"),
    "successcriteriamet": ("Failed", "FailureTarget"),
    "failed": ("Complete",),
    "failuretarget": ("Complete",),
}
_OPEN = ("pod", "node")  # anybody may add conditions to them (readiness gates, node problem detectors)


class Hopeless(msgspec.Struct, frozen=True, kw_only=True):
    """Why the wait is over before its time, and what to do about it."""

    reason: Message
    hint: Text = ""


def hopeless(awaited: Awaited, kind: str, obj: Object | None) -> Hopeless | None:
    """Return why it will not happen to `obj` (None: it is gone) of `kind`, None while it still may."""
    if awaited.goal in (Goal.DELETED, Goal.CREATED):
        return None
    if obj is None:
        return Hopeless(reason=msg("It was deleted meanwhile."))
    if is_leaving(obj) and _wants_life(awaited):
        return Hopeless(reason=msg("It is being deleted."), hint=msg("Wait until it is made anew, then for this."))
    if kind == "Job":
        return _job(awaited, obj)
    if kind == "Deployment":
        return _deployment(awaited, obj)
    return _pod(awaited, obj) if kind == "Pod" else None


def _wants_life(awaited: Awaited) -> bool:
    """Return whether the goal is one that an object under deletion does not reach any more."""
    return awaited.goal is Goal.ROLLOUT or (awaited.goal is Goal.CONDITION and awaited.value == "True")


def _job(awaited: Awaited, obj: Object) -> Hopeless | None:
    if awaited.goal is not Goal.CONDITION or awaited.value != "True":
        return None
    found = conditions(obj)
    for opposite in _OPPOSITES.get(awaited.subject.lower(), ()):
        condition = found.get(opposite, {})
        if condition.get("status") == "True" and awaited.subject.lower() not in _met(obj):
            return Hopeless(
                reason=msg(
                    "The Job is %(condition)s: %(reason)s",
                    condition=opposite,
                    reason=_words(condition.get("reason"), condition.get("message")),
                ),
                hint=msg("Look at the logs of its pods.") if opposite != "Complete" else "",
            )
    return None


def _met(obj: Object) -> set[str]:
    return {name.lower() for name, condition in conditions(obj).items() if condition.get("status") == "True"}


def _deployment(awaited: Awaited, obj: Object) -> Hopeless | None:
    seen = number(mapping(obj, "status"), "observedGeneration")
    if not _wants_life(awaited) or seen < number(mapping(obj, "metadata"), "generation"):
        return None
    progressing = conditions(obj).get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Hopeless(
            reason=msg("The rollout passed its deadline: %(said)s", said=text(progressing, "message")),
            hint=msg("Look at its pods and their events."),
        )
    return None


def _pod(awaited: Awaited, obj: Object) -> Hopeless | None:
    phase = text(mapping(obj, "status"), "phase")
    if phase not in _ENDED:
        return None
    alive = awaited.goal is Goal.CONDITION and awaited.value == "True" and awaited.subject.lower() in _READY
    other = awaited.goal is Goal.JSONPATH and awaited.subject == ".status.phase" and awaited.value not in (None, phase)
    return Hopeless(reason=msg("The pod has ended: %(phase)s.", phase=phase)) if alive or other else None


_READY = ("ready", "containersready")


def unknown_condition(awaited: Awaited, kind: str, obj: Object | None) -> Hopeless | None:
    """Return what to tell of a condition that the object does not report, None where it does (or has no conditions).

    The hint is only given for a kind whose conditions are all known: waiting on is useless then.
    """
    if awaited.goal is not Goal.CONDITION or obj is None:
        return None
    there = list(conditions(obj))
    traits = kinds.traits(kind)
    closed = traits.conditions if traits and traits.name not in _OPEN else None
    if awaited.subject.lower() in {name.lower() for name in (*there, *(closed or ()))}:
        return None
    if closed is None and not there:
        return None
    names = list(dict.fromkeys([*there, *(closed or ())]))
    reason = msg("There is no condition %(name)s.", name=awaited.subject)
    if names:
        reason = msg(
            "There is no condition %(name)s; there are: %(names)s.", name=awaited.subject, names=", ".join(names)
        )
    return Hopeless(reason=reason, hint=_instead(awaited.subject, names, traits) if closed is not None else "")


def _instead(name: str, names: list[str], traits: kinds.KindTraits | None) -> Message:
    near = difflib.get_close_matches(name.lower(), [each.lower() for each in names], n=1, cutoff=0.6)
    if near:
        found = next(each for each in names if each.lower() == near[0])
        return msg("Did you mean %(name)s?", name=found)
    if traits is not None and traits.rollout:
        return msg("Wait for its rollout (rollout: true) or for a jsonpath.")
    return msg("Wait for a jsonpath.")


def condition_state(awaited: Awaited, obj: Object) -> Message | None:
    """Return how the condition is that was waited for, None where it is another goal or the condition is not there."""
    if awaited.goal is not Goal.CONDITION:
        return None
    for name, condition in conditions(obj).items():
        if name.lower() == awaited.subject.lower():
            words = _words(condition.get("reason"), condition.get("message"))
            return msg("%(name)s is %(status)s: %(words)s", name=name, status=str(condition.get("status")), words=words)
    return msg("It has no condition %(name)s.", name=awaited.subject)


def _words(*parts: object) -> str:
    return ", ".join(str(part) for part in parts if part) or "-"
