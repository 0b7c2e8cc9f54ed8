"""How a deploy ended is decided by the release in the cluster, whatever helm's exit code and words say."""

from __future__ import annotations

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import outcome, rendered
from ansflow_desktop.executors.helm_run import key_paths
from ansflow_desktop.executors.hints import failure_hint
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import Phase
from ansflow_desktop.process import ProcessResult


def release(status: str, revision: int, description: str = "") -> Release:
    return Release(name="web", namespace="fe", revision=revision, status=ReleaseStatus(status), description=description)


OK = ProcessResult(exit_code=0)
ERROR = ProcessResult(exit_code=1, stderr="level=WARN msg=x\nError: it broke\n")
CANCELLED = ProcessResult(exit_code=1, stderr="Error: context canceled", cancelled=True)
KILLED = ProcessResult(exit_code=-9)
LATE = ProcessResult(exit_code=1, timed_out=True)


@pytest.mark.parametrize(
    ("result", "before", "after", "phase", "words"),
    [
        (OK, None, release("deployed", 1), Phase.SUCCEEDED, "deployed at revision 1"),
        (OK, release("failed", 4), release("deployed", 5), Phase.SUCCEEDED, "revision 5"),
        (OK, release("deployed", 4), release("deployed", 4), Phase.FAILED, "helm reported success, but"),
        (OK, None, None, Phase.FAILED, "no such release"),
        (OK, None, release("failed", 1), Phase.FAILED, "failed at revision 1"),
        (ERROR, None, None, Phase.FAILED, "nothing is left"),
        (ERROR, release("deployed", 1), None, Phase.FAILED, "gone"),
        (ERROR, release("deployed", 1), release("deployed", 1), Phase.FAILED, "Nothing was changed"),
        (ERROR, release("deployed", 1), release("failed", 2), Phase.FAILED, "failed at revision 2"),
        (ERROR, release("deployed", 1), release("deployed", 2), Phase.FAILED, "deployed at revision 2"),
        (ERROR, release("deployed", 1), release("deployed", 3, "Rollback to 1"), Phase.FAILED, "rolled back"),
        (ERROR, None, release("pending-install", 1), Phase.FAILED, "locked"),
        (CANCELLED, None, None, Phase.CANCELLED, "Nothing was installed"),
        (CANCELLED, release("deployed", 1), release("deployed", 1), Phase.CANCELLED, "Nothing was changed"),
        (CANCELLED, release("deployed", 1), release("failed", 2), Phase.CANCELLED, "may have changed"),
        (CANCELLED, release("deployed", 1), release("pending-upgrade", 2), Phase.CANCELLED, "locked"),
        (CANCELLED, None, release("deployed", 1), Phase.SUCCEEDED, "had finished before"),
        (KILLED, None, release("pending-install", 1), Phase.FAILED, "pending-install"),
        (KILLED, None, release("deployed", 1), Phase.SUCCEEDED, "had finished before"),
        (LATE, release("deployed", 1), release("failed", 2), Phase.FAILED, "deadline"),
        (LATE, None, release("uninstalling", 1), Phase.FAILED, "uninstalling"),
    ],
)
def test_state_in_the_cluster_decides(result, before, after, phase, words):
    found = outcome.decide(result, before, after)
    assert found.phase is phase
    assert words in str(found.message)
    assert found.release == after


@pytest.mark.parametrize(
    "noise",
    [
        'I1123 05:01:07.123456   12345 warnings.go:110] "Warning: v1 Endpoints is deprecated"',
        "W1123 05:01:07.123456   12345 warnings.go:70] unknown field",
        'time=2026-11-23T05:01:07Z level=WARN msg="upgrade failed"',
        "Use --debug flag to render out invalid YAML",
    ],
)
def test_noise_is_not_helms_own_words(noise):
    assert outcome.said_by(ProcessResult(exit_code=1, stderr=f"Error: it broke\n\n{noise}\n")) == "Error: it broke"


def test_signal_that_ended_helm_is_named():
    failed = outcome.decide(KILLED, release("deployed", 1), release("deployed", 1))
    assert "SIGKILL: perhaps memory ran out" in str(failed.message)
    assert "Nothing was changed" in str(failed.message)
    assert "memory" in str(failed.hint)
    assert "SIGKILL" in str(outcome.decide(KILLED, None, release("pending-install", 1)).message)


def test_first_revision_that_was_cancelled_has_nothing_to_roll_back_to():
    first = outcome.decide(CANCELLED, None, release("failed", 1))
    assert "helm uninstall web --namespace fe" in str(first.hint)
    assert "roll" not in str(first.hint)
    later = outcome.decide(CANCELLED, release("deployed", 4), release("failed", 5))
    assert "helm rollback web 4 --namespace fe" in str(later.hint)


def test_helms_own_words_are_quoted_without_its_warnings():
    text = str(outcome.decide(ERROR, None, None).message)
    assert "it broke" in text
    assert "level=WARN" not in text


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("pending-install", "helm uninstall web --namespace fe"),
        ("uninstalling", "helm uninstall web --namespace fe"),
        ("pending-upgrade", "helm rollback web REVISION --namespace fe"),
        ("pending-rollback", "helm rollback web REVISION --namespace fe"),
    ],
)
def test_way_out_of_each_lock_is_told(status, command):
    found = outcome.refusal(release(status, 2))
    assert found.phase is Phase.FAILED
    assert command in str(found.hint)
    assert "no other helm" in str(found.hint)


def test_state_that_cannot_be_read_is_unknown_even_after_success():
    found = outcome.unknown(OK, UserError("The cluster does not answer"))
    assert (found.phase, found.release) == (Phase.UNKNOWN, None)
    assert str(found.message).endswith("The cluster does not answer. helm ended with exit code 0.")


@pytest.mark.parametrize(
    ("result", "phase"), [(OK, Phase.SUCCEEDED), (ERROR, Phase.FAILED), (CANCELLED, Phase.CANCELLED)]
)
def test_dry_run_needs_no_release(result, phase):
    assert outcome.dry_run(result).phase is phase


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        ('pods "web" is forbidden: exceeded quota: small', "quota"),
        ('secrets is forbidden: User "jane" cannot list resource "secrets"', "lacks this right"),
        ("Error: another operation (install/upgrade/rollback) is in progress", "Another helm"),
        ("invalid ownership metadata; label validation error", "belongs to something else"),
        ('Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas', "Somebody else"),
        ("nil pointer evaluating interface {}.enabled", "value that is not set"),
        ("execution error at (web/templates/a.yaml:1:3): wrong", "template"),
        ('no matches for kind "Thing" in version "x/v1"', "CRD"),
        ("Error: Unauthorized", "credentials"),
        ("Error: release: already exists", "same time"),
        ('configmaps "x" is forbidden: unable to create new content because it is being terminated', "being deleted"),
        ('Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of', "object name"),
        ("Error: create: failed to create: Request entity too large: limit is 3145728", ".helmignore"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "network"),
        ("context deadline exceeded", "longer timeout"),
    ],
)
def test_known_failures_have_a_way_out(stderr, words):
    assert words in str(failure_hint(stderr))


OWNED = (
    'Error: Unable to continue with install: CustomResourceDefinition "things.example.com" in namespace "" exists and '
    "cannot be imported into the current release: invalid ownership metadata; annotation validation error: key "
    '"meta.helm.sh/release-name" must equal "b": current value is "a"'
)
FOREIGN = (
    'Error: Unable to continue with install: ConfigMap "web" in namespace "fe" exists and cannot be imported into the '
    'current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": '
    'must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "b"; '
    'annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "fe"'
)


def test_owner_of_a_crd_is_named_and_nobody_is_told_to_remove_it():
    hint = str(failure_hint(OWNED))
    assert "things.example.com belongs to the release a." in hint
    assert "Do not remove it" in hint
    assert "crds.enabled=false" in hint
    assert "meta.helm.sh/release-name=b" in hint


def test_object_of_nobody_can_be_handed_over():
    hint = str(failure_hint(FOREIGN))
    assert "ConfigMap web exists and belongs to something else" in hint
    assert "configmap web meta.helm.sh/release-name=b meta.helm.sh/release-namespace=fe" in hint
    assert "emove" not in hint


def test_keys_of_kept_values_are_named_without_values():
    assert key_paths({"a": {"b": {"c": "x"}, "d": {}}, "e": [1]}) == ["a.b.c", "a.d", "e"]


def test_secrets_are_masked_at_their_places_and_all_else_stays():
    text = (
        "# Source: web\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  a: aGk=  # comment\n"
        "  b: |\n    line\n    two\n  c:\nstringData: {d: 'x', e: \"中\"}\ntype: Opaque\n---\n"
        "kind: ConfigMap\nmetadata: {name: c}\ndata: {a: shown}\n"
    )
    masked = rendered.masked(text)
    assert masked == (
        '# Source: web\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  a: "***"  # comment\n'
        '  b: "***"\n  c:\nstringData: {d: "***", e: "***"}\ntype: Opaque\n---\n'
        "kind: ConfigMap\nmetadata: {name: c}\ndata: {a: shown}\n"
    )
    assert rendered.objects_of(masked) == (("Secret", "", "s"), ("ConfigMap", "", "c"))


def test_secrets_in_a_list_are_masked():
    text = "kind: List\nitems:\n- kind: Secret\n  metadata: {name: s}\n  data: {a: aGk=}\n"
    assert "aGk=" not in rendered.masked(text)
