"""What signs in to a cluster and ends before a run does: said before the run, from what the credential says itself."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Protocol

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.guard import TAKE_OFF, Marked
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.credential import ClaimVerdict, CredentialReport
from ansflow_desktop.models.problem import Problem, Severity

LEAST_S = 60.0
"""A run without a timeout is taken to last at least this long (seconds)."""


class Ending(Protocol):
    """What is asked of the token manager; `credentials.service.CredentialService` is the real one."""

    def ending(self, cluster: str, within: datetime.timedelta) -> tuple[CredentialReport, ...]:
        """Return what `cluster` signs in with and ends within this time, ended ones too; asks no server."""


def ending_problems(credentials: Ending, clusters: Iterable[str], seconds: float, field: str) -> tuple[Problem, ...]:
    """Return a warning for every credential of `clusters` that ends during a run of `seconds` seconds.

    A warning and no error: a server may accept what says that it has ended (Done when 1). Nothing is contacted.
    """
    within = datetime.timedelta(seconds=max(seconds, LEAST_S))
    found: list[Problem] = []
    for name in clusters:
        try:
            found += [_problem(report, field) for report in credentials.ending(name, within)]
        except UserError:
            continue  # an unknown or broken cluster has its own problem
    return tuple(found)


def _problem(report: CredentialReport, field: str) -> Problem:
    name, ends = report.credential.name, report.credential.claims.expires_at
    when = ends.astimezone().strftime("%Y-%m-%d %H:%M:%S") if ends else ""
    title = msg("%(name)s ends during this run", name=name)
    if report.claim_verdict is ClaimVerdict.EXPIRED:
        title = msg("%(name)s has ended by its own words", name=name)
    return Problem(
        field=field,
        title=title,
        message=msg("It is valid until %(time)s.", time=when),
        hint=msg("Renew it on the Credentials page first, or give the run less time."),
        severity=Severity.WARNING,
    )


def read_only_problems(clusters: Marked, name: str, field: str) -> tuple[Problem, ...]:
    """Return why nothing may be deployed to cluster `name`: it is marked read-only, or its mark cannot be read."""
    try:
        marked = clusters.marks(name).read_only
    except UserError as error:
        return (Problem(field=field, title=error.title, message=error.message, hint=error.hint),)
    if not marked:
        return ()
    title = msg("The cluster “%(name)s” is read-only", name=name)
    return (Problem(field=field, title=title, hint=TAKE_OFF),)
