"""What to do about a failed deploy: from the tools' own words, and from what the release's objects look like."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansflow_desktop.executors.advice import about
from ansflow_desktop.executors.ownership import clash_hint
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.run import ResourceChanged

_HINTS: tuple[tuple[str, Message], ...] = (
    (
        r"(fetch|FetchReference|tags/list|index\.yaml|/v2/).*(\b40[13]\b|unauthorized|denied)",
        msg("The chart's repository wants a login: helm repo add --username, or helm registry login."),
    ),
    (
        r'chart "[^"]*" version "[^"]*" not found|FetchReference|unable to locate any tags|\S+/\S+:\S+: not found|'
        r"improper constraint",
        msg("The repository has no such version of the chart. Correct chart_version; left out, the newest is taken."),
    ),
    (
        r'chart "[^"]*" not found in .* repository',
        msg("The repository has no chart of this name. Correct chart_name, or the address in chart_repo."),
    ),
    (
        r"repo \S+ not found|no repository definition",
        msg("Add this repository with helm repo add, or write its address into chart_repo."),
    ),
    (
        r"not a valid chart repository|/v2/\S*\"?: ",
        msg("Check the address in chart_repo, and whether a proxy or VPN is needed."),
    ),
    (
        r"another operation .* in progress",
        msg("Another helm is at work on this release. Wait for it to end."),
    ),
    (
        r"cannot re-?use a name",
        msg("A release of this name exists. Choose another name, or upgrade it."),
    ),
    (
        r"conflict occurred|Apply failed with \d+ conflict|conflicts? with \"",
        msg(
            "Somebody else changed a field of this object since. Undo that change, or set the same value in the chart."
        ),
    ),
    (
        r"release: already exists",
        msg("Somebody else deployed this release at the same time. Look at its history before you deploy again."),
    ),
    (
        r"is being terminated",
        msg("The namespace is being deleted. Wait until it is gone, or choose another one."),
    ),
    (
        r"a (lowercase )?RFC 1123|a DNS-1035 label|must be no more than \d+ characters",
        msg(
            "The chart makes an object name that Kubernetes refuses. Choose another release name, or correct the name."
        ),
    ),
    (
        r"exceeded quota",
        msg("The namespace's quota is used up. Free some of it, ask for more, or lower the requests."),
    ),
    (
        r"is forbidden: User|cannot (get|list|create|patch|update|delete|watch) resource",
        msg("Your account lacks this right in the cluster. Ask for it, or choose another namespace."),
    ),
    (
        r"Unauthorized|must be logged in",
        msg("The cluster refuses the credentials. Renew them."),
    ),
    (
        r"namespaces? \"[^\"]*\" not found",
        msg("Create the namespace first, or set create_namespace."),
    ),
    (
        r"nil pointer evaluating",
        msg("The chart needs a value that is not set. Add it to a values file."),
    ),
    (
        r"values don't meet the specifications of the schema",
        msg("Correct the values that helm names."),
    ),
    (
        r"missing in charts/ directory",
        msg("Fetch the chart's dependencies."),
    ),
    (
        r"parse error at|execution error at|template:|error converting YAML|YAML parse error",
        msg("A template of the chart fails with these values. Correct the value or the template that helm names."),
    ),
    (
        r"no matches for kind|ensure CRDs are installed",
        msg("The cluster does not know this kind. Install its CRD first, or use a chart made for this version."),
    ),
    (
        r"request (entity )?(is )?too large|Too long: .*1048576",
        msg(
            "Helm keeps the whole chart in one Secret of at most 1 MiB. Leave out big files (pictures, archives, "
            "documents, examples) by a .helmignore file in the chart, or split the chart."
        ),
    ),
    (
        r"chart requires kubeVersion",
        msg("The chart does not support this Kubernetes version. Choose another chart version."),
    ),
    (
        r"out of sync with the dependencies file",
        msg("Chart.lock does not fit Chart.yaml any more. Set dependency_update, or run helm dependency update."),
    ),
    (
        r"not a valid chart repository|failed to fetch|no repository definition|not found in .* repository|"
        r"no cached repo",
        msg("Check the address of the chart's repository, and the chart's version there."),
    ),
    (
        r"connection refused|no such host|network is unreachable|no route to host|TLS handshake timeout|i/o timeout",
        msg("The connection was lost or could not be made. Check the network, then the release."),
    ),
)
_LATE = r"context deadline exceeded|timed out|not ready|status: Failed|ErrImagePull|ImagePullBackOff|InvalidImageName"
_HOOK = re.compile(r"failed ((?:pre|post)-\w+):|((?:pre|post)-\w+) hooks? failed", re.IGNORECASE)


def failure_hint(stderr: str, causes: Sequence[ResourceChanged] = ()) -> Text:
    """Return the way out of a failure, "" where none is known.

    `causes` are the troubles of the release's objects, the most telling one first (`Causes.ranked`).
    """
    hook = _HOOK.search(stderr)
    jobs = [each for each in causes if each.kind == "Job" or each.owner.startswith("Job/")] if hook else []
    if hook and jobs:
        return _about_hook(hook[1] or hook[2], jobs)
    if causes and not hook and re.search(_LATE, stderr, re.IGNORECASE):
        return about(causes[0])
    clash = clash_hint(stderr)
    if clash:
        return clash
    for pattern, hint in _HINTS:
        if re.search(pattern, stderr, re.IGNORECASE):
            return hint
    if hook:
        return msg("The chart's %(hook)s hook failed. Look at its Job and pods.", hook=hook[1] or hook[2])
    if causes:
        return about(causes[0])
    if re.search(_LATE, stderr, re.IGNORECASE):
        return msg("It was not ready in time. Look at the pods and their events, or give it a longer timeout.")
    return ""


def _about_hook(hook: str, jobs: Sequence[ResourceChanged]) -> Message:
    first = jobs[0]
    name = first.name if first.kind == "Job" else first.owner.partition("/")[2]
    return msg("The chart's %(hook)s hook, Job %(job)s, failed. %(cause)s", hook=hook, job=name, cause=about(first))
