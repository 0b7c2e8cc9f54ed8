"""How a Helm deploy ended: decided by the release's state in the cluster, not by an exit code or a text (row 3)."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import Phase, ResourceChanged
from ansflow_desktop.process import ProcessResult


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The phase of a step, why, what to do, and the release as read afterwards."""

    phase: Phase
    message: Text = ""
    hint: Text = ""
    release: Release | None = None


def decide(
    result: ProcessResult, before: Release | None, after: Release | None, causes: Sequence[ResourceChanged] = ()
) -> Outcome:
    """Return the outcome of a helm run: `before` and `after` are the release as read, None where there was none.

    `causes` are the troubles of the release's objects, the most telling one first, for the hint.
    """
    if after is not None and after.status.pending:
        return Outcome(
            phase=_ended(result), message=_after_kill(result, _locked(after)), hint=recovery(after), release=after
        )
    if _newly_deployed(before, after) and (result.exit_code == 0 or _was_stopped(result)):
        return _deployed(result, after)
    if result.exit_code == 0:
        return _not_as_said(after)
    if result.cancelled or result.timed_out:
        return _stopped(result, before, after, causes)
    return _failed(result, before, after, causes)


def unknown(result: ProcessResult, error: UserError) -> Outcome:
    """Return the outcome when the release's state could not be read after helm had run."""
    said = _killed(result) or msg("helm ended with exit code %(code)d.", code=result.exit_code)
    reason = msg("%(title)s: %(message)s", title=error.title, message=error.message) if error.message else error.title
    return Outcome(
        phase=Phase.UNKNOWN,
        message=msg("It is not known how the release is now: %(reason)s. %(said)s", reason=reason, said=said),
        hint=msg("When the cluster answers again, look at the release before you deploy again."),
    )


def dry_run(result: ProcessResult) -> Outcome:
    """Return the outcome of a dry run, which leaves no release to read."""
    if result.exit_code == 0:
        return Outcome(phase=Phase.SUCCEEDED, message=msg("The dry run passed. Nothing was changed."))
    if result.cancelled:
        return Outcome(phase=Phase.CANCELLED, message=msg("Cancelled. Nothing was changed."))
    return Outcome(phase=Phase.FAILED, message=said_by(result), hint=failure_hint(result.stderr))


def refusal(before: Release) -> Outcome:
    """Return the outcome for a release that is locked before anything ran (row 1): helm would fail from this state."""
    return Outcome(phase=Phase.FAILED, message=_locked(before), hint=recovery(before), release=before)


def recovery(release: Release) -> Message:
    """Return the way out of a locked release (failure-modes.md, "Recovery of a stuck release")."""
    where = {"name": release.name, "namespace": release.namespace}
    if release.status in (ReleaseStatus.PENDING_INSTALL, ReleaseStatus.UNINSTALLING):
        return msg(
            "If no other helm is at work on it, remove it with: helm uninstall %(name)s --namespace %(namespace)s. "
            "Then deploy again.",
            **where,
        )
    return msg(
        "If no other helm is at work on it, see helm history %(name)s --namespace %(namespace)s and return to the last "
        "good revision by its number: helm rollback %(name)s REVISION --namespace %(namespace)s. Then deploy again.",
        **where,
    )


def said_by(result: ProcessResult) -> Text:
    """Return a tool's last own words: its stderr without warnings, the end of it; or the signal that ended it."""
    lines = [line for line in result.stderr.splitlines() if line.strip() and not _NOISE.match(line)]
    text = "\n".join(lines[-10:]).strip()
    killed = _killed(result)
    if killed:
        return msg("%(what)s\n%(said)s", what=killed, said=text) if text else killed
    return text or _last_line(result.stdout) or f"exit code {result.exit_code}"


def _killed(result: ProcessResult) -> Message | None:
    """Return what to say of a process that something else ended by a signal; None for any other end."""
    if result.exit_code >= 0 or result.cancelled or result.timed_out:
        return None
    name = next((each.name for each in signal.Signals if each == -result.exit_code), str(-result.exit_code))
    if result.exit_code == -signal.SIGKILL:
        return msg("The program was ended from outside by the signal %(name)s: perhaps memory ran out.", name=name)
    return msg("The program was ended from outside by the signal %(name)s.", name=name)


def _kill_hint(result: ProcessResult) -> Text:
    if not _killed(result):
        return ""
    return msg("Look at what ended it (the system's log, free memory), then deploy again.")


def _after_kill(result: ProcessResult, state: Message) -> Message:
    killed = _killed(result)
    return msg("%(what)s\n%(state)s", what=killed, state=state) if killed else state


# klog's information and warnings, Helm 4's own, and advice about a flag that AnsFlow does not offer
_NOISE = re.compile(
    r"(?:time=\S+ )?level=(?:WARN|INFO)|[IW]\d{4} \d\d:|WARNING: Kubernetes configuration file|"
    r"Use --debug flag to render out invalid YAML"
)


def _was_stopped(result: ProcessResult) -> bool:
    return result.cancelled or result.timed_out or result.exit_code < 0


def _newly_deployed(before: Release | None, after: Release | None) -> bool:
    return (
        after is not None
        and after.status is ReleaseStatus.DEPLOYED
        and after.revision > (before.revision if before else 0)
        and not after.description.startswith("Rollback")
    )


def _deployed(result: ProcessResult, after: Release | None) -> Outcome:
    assert after
    message = msg("%(name)s is deployed at revision %(revision)d.", name=after.name, revision=after.revision)
    if _was_stopped(result):
        message = msg(
            "%(name)s is deployed at revision %(revision)d: helm had finished before it was stopped.",
            name=after.name,
            revision=after.revision,
        )
    return Outcome(phase=Phase.SUCCEEDED, message=message, release=after)


def _not_as_said(after: Release | None) -> Outcome:
    """Helm reports success, the cluster says otherwise: the cluster counts."""
    return Outcome(
        phase=Phase.FAILED,
        message=msg("helm reported success, but %(state)s", state=_state(after)),
        hint=msg("Somebody else may have changed the release meanwhile. Look at its history."),
        release=after,
    )


def _ended(result: ProcessResult) -> Phase:
    return Phase.CANCELLED if result.cancelled else Phase.FAILED


def _locked(release: Release) -> Message:
    return msg(
        "The release %(name)s is locked: its state is %(status)s at revision %(revision)d, "
        "so that helm refuses to deploy.",
        name=release.name,
        status=release.status.value,
        revision=release.revision,
    )


def _state(after: Release | None) -> Message:
    if after is None:
        return msg("there is no such release in the cluster.")
    if after.status is ReleaseStatus.FAILED:
        return msg("the release is marked as failed at revision %(revision)d.", revision=after.revision)
    return msg(
        "the release is %(status)s at revision %(revision)d.", status=after.status.value, revision=after.revision
    )


def _changed(before: Release | None, after: Release | None) -> bool:
    return (before.revision if before else 0) != (after.revision if after else 0)


def _stopped(
    result: ProcessResult, before: Release | None, after: Release | None, causes: Sequence[ResourceChanged]
) -> Outcome:
    first = msg("Cancelled.") if result.cancelled else msg("The deadline of the step has passed.")
    if _changed(before, after):
        second = msg("The cluster may have changed: %(state)s", state=_state(after))
    elif after:
        second = msg("Nothing was changed: %(state)s", state=_state(after))
    else:
        second = msg("Nothing was installed: %(state)s", state=_state(after))
    return Outcome(
        phase=_ended(result),
        message=msg("%(what)s %(state)s", what=first, state=second),
        hint=_after_stop(before, after) if _changed(before, after) and after else "",
        release=after,
    )


def _after_stop(before: Release | None, after: Release) -> Message:
    where = {"name": after.name, "namespace": after.namespace}
    if before is None:
        return msg(
            "Deploy again to complete it, or remove it with: helm uninstall %(name)s --namespace %(namespace)s", **where
        )
    return msg(
        "Deploy again to complete it, or go back with: helm rollback %(name)s %(revision)d --namespace %(namespace)s",
        revision=before.revision,
        **where,
    )


def _failed(
    result: ProcessResult, before: Release | None, after: Release | None, causes: Sequence[ResourceChanged]
) -> Outcome:
    unchanged = not _changed(before, after)
    state = (
        msg("Nothing was changed: %(state)s", state=_state(after)) if unchanged and after else _sentence(before, after)
    )
    return Outcome(
        phase=Phase.FAILED,
        message=msg("%(said)s\n%(state)s", said=said_by(result), state=state),
        hint=failure_hint(result.stderr, causes) or _kill_hint(result),
        release=after,
    )


def _sentence(before: Release | None, after: Release | None) -> Message:
    if after is None:
        return msg("There is no release: nothing is left of it.") if before is None else msg("The release is gone.")
    if after.description.startswith("Rollback"):
        return msg("It was rolled back: %(state)s", state=_state(after))
    if after.status is ReleaseStatus.FAILED:
        return msg("The release is now marked as failed at revision %(revision)d.", revision=after.revision)
    return msg("Now %(state)s", state=_state(after))


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
