"""The one verdict at the end of a deploy: what happened, what the cluster says now, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.release import Release
from ansflow_desktop.models.run import Phase, StepFinished


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`tone` is ok, warn or bad; `words` say why, `release` is the release as the cluster says, `state` the rest."""

    tone: str
    title: Text
    state: Text = ""
    release: Release | None = None
    words: Text = ""
    hint: Text = ""
    warnings: tuple[Text, ...] = ()


_TITLES = {
    Phase.SUCCEEDED: ("ok", msg("Deployed")),
    Phase.FAILED: ("bad", msg("The deploy failed")),
    Phase.CANCELLED: ("warn", msg("The deploy was cancelled")),
    Phase.UNKNOWN: ("warn", msg("It is not known how the deploy ended")),
}


def verdict(phase: Phase, step: StepFinished | None, warnings: Sequence[Text] = ()) -> Verdict:
    """Return the verdict for a run that ended in `phase`, whose last step ended as `step` says."""
    tone, title = _TITLES.get(phase, ("warn", msg("The run ended")))
    if step is None:
        return Verdict(tone=tone, title=title, state=_nothing_ran(phase), warnings=tuple(warnings))
    return Verdict(
        tone=tone,
        title=title,
        state=_state(phase, step.release),
        release=step.release,
        words="" if phase is Phase.SUCCEEDED else step.message,
        hint=step.hint or ("" if phase is not Phase.UNKNOWN else _ASK_AGAIN),
        warnings=tuple(warnings),
    )


_ASK_AGAIN = msg("Look at the release table once the cluster answers again: the deploy may have gone through.")


def _nothing_ran(phase: Phase) -> Text:
    return msg("Nothing was changed on the cluster.") if phase is Phase.CANCELLED else ""


def _state(phase: Phase, release: Release | None) -> Text:
    if release is None:
        return msg("The cluster could not be asked for the release's state.") if phase is Phase.UNKNOWN else ""
    return msg(
        "The cluster says: %(name)s in %(namespace)s, revision %(revision)s",
        name=release.name,
        namespace=release.namespace,
        revision=release.revision,
    )
