"""What the Credentials page shows, as data: no Qt, nothing that is slow to import (goal 9)."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text
from ansflow_desktop.models.credential import (
    ClaimVerdict,
    CredentialKind,
    CredentialReport,
    CredentialStatus,
    OldSecret,
    PriorityAction,
    ServerVerdict,
    When,
)

REMINDER_DAYS = (14, 7, 3, 1)
"""When one is reminded where nothing else was chosen: days before the end."""


class Group(enum.StrEnum):
    """The four numbers at the top of the page; every credential is in exactly one of them."""

    BROKEN = "broken"
    SOON = "soon"
    ODD = "odd"
    FINE = "fine"


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster whose credentials could not be read, why, and what to do.

    `unapproved`: its credential program is to be shown and approved first.
    """

    cluster: str
    why: Text
    hint: Text = ""
    unapproved: bool = False


class CredentialsState(msgspec.Struct, frozen=True, kw_only=True):
    """The page: every report, the ones that the filter leaves, what to do first, and what is going on.

    `loading` until the first reading has ended; `asking` while servers are asked; `read_at` is epoch seconds.
    `error` is why nothing could be read, `locked` that the vault is, `warn_days` what "soon" means.
    """

    reports: tuple[CredentialReport, ...] = ()
    rows: tuple[CredentialReport, ...] = ()
    actions: tuple[PriorityAction, ...] = ()
    counts: dict[Group, int] = {}
    clusters: int = 0
    text: str = ""
    group: Group | None = None
    chosen: str = ""
    loading: bool = True
    asking: bool = False
    read_at: float = 0
    asked_at: float = 0
    error: UserError | None = None
    unread: tuple[Unread, ...] = ()
    locked: bool = False
    warn_days: int = 7
    reminder_days: tuple[int, ...] = REMINDER_DAYS

    @property
    def row(self) -> CredentialReport | None:
        """The chosen credential's report."""
        return next((one for one in self.reports if one.credential.id == self.chosen), None)

    @property
    def soon(self) -> int:
        """How many have ended or end soon: the number in the top bar."""
        return self.counts.get(Group.SOON, 0) + sum(
            1 for one in self.reports if one.claim_verdict is ClaimVerdict.EXPIRED
        )


class RenewalForm(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen for a renewal: by what means (`how`), where, for whom, for how long (`seconds`).

    `how` is `token_request` or `csr`. `puts` are the places that a new credential may go to: `replace` in the vault, a
    private `copy` of the cluster, or a kubeconfig `file`; a user's own kubeconfig is never written. `via` is another
    cluster entry that asks in its place, for an old credential that is refused. `folder` is where generated files go.
    `reason`: why something must be named. `vias` are the cluster entries of the same server that `via` can be; `signer`
    signs a certificate, empty for Kubernetes' own.
    """

    credential: str
    name: str
    cluster: str
    clusters: tuple[str, ...] = ()
    how: str = ""
    namespace: str = ""
    account: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    seconds: int = 86400
    puts: tuple[str, ...] = ()
    put: str = ""
    file: str = ""
    copy_name: str = ""
    via: str = ""
    vias: tuple[str, ...] = ()
    signer: str = ""
    folder: str = "~/.local/share/ansflow"
    expires_at: When = None
    reason: Text = ""


class RenewalState(msgspec.Struct, frozen=True, kw_only=True):
    """A renewal: `doing` is what is being done now, `done` what was reached, `error` why it was not; one of them.

    `old_secret` is the Secret in which the replaced token of `cluster` stands until it is deleted: `removing` while
    that is done, `removed` afterwards, `kept` is why it was not.
    """

    credential: str = ""
    doing: Text = ""
    done: Text = ""
    notes: tuple[Text, ...] = ()
    expires_at: When = None
    error: UserError | None = None
    cluster: str = ""
    old_secret: OldSecret | None = None
    removing: bool = False
    removed: bool = False
    kept: UserError | None = None


def group_of(report: CredentialReport) -> Group:
    """Return which number at the top of the page counts `report`."""
    if report.answer.verdict is ServerVerdict.ACCEPTED and report.claim_verdict is ClaimVerdict.EXPIRED:
        return Group.ODD
    if report.status is CredentialStatus.INVALID or report.answer.verdict is ServerVerdict.REFUSED:
        return Group.BROKEN
    if report.claim_verdict is ClaimVerdict.EXPIRED:
        return Group.BROKEN
    if report.claim_verdict is ClaimVerdict.EXPIRING:
        return Group.SOON
    return Group.FINE if report.status is CredentialStatus.VALID else Group.ODD


def counts(reports: Sequence[CredentialReport]) -> dict[Group, int]:
    """Return how many reports are in each group."""
    found = dict.fromkeys(Group, 0)
    for report in reports:
        found[group_of(report)] += 1
    return found


def matching(reports: Sequence[CredentialReport], text: str, group: Group | None) -> tuple[CredentialReport, ...]:
    """Return the reports of `group` (None: all) in which every word of `text` occurs."""
    words = text.casefold().split()
    return tuple(
        one
        for one in reports
        if (group is None or group_of(one) is group) and all(word in _haystack(one) for word in words)
    )


def _haystack(report: CredentialReport) -> str:
    one = report.credential
    used = " ".join(f"{use.cluster} {use.place}" for use in one.used_by)
    claims = one.claims
    return f"{one.name} {one.kind} {used} {claims.subject} {claims.issuer} {' '.join(claims.groups)}".casefold()


def cluster_names(reports: Sequence[CredentialReport]) -> tuple[str, ...]:
    """Return the names of the clusters that use any of these credentials."""
    return tuple(sorted({use.cluster for one in reports for use in one.credential.used_by}))


def by_end(reports: Sequence[CredentialReport]) -> tuple[CredentialReport, ...]:
    """Return the reports that have an end, the nearest first."""
    ending = [one for one in reports if one.credential.claims.expires_at is not None]
    return tuple(sorted(ending, key=_end))


def _end(report: CredentialReport) -> datetime.datetime:
    return report.credential.claims.expires_at or datetime.datetime.max.replace(tzinfo=datetime.UTC)


_RENEWABLE = (
    CredentialKind.TOKEN,
    CredentialKind.TOKEN_FILE,
    CredentialKind.LEGACY_TOKEN,
    CredentialKind.CLIENT_CERTIFICATE,
)


def form_of(report: CredentialReport) -> RenewalForm | None:
    """Return what can be chosen to renew this credential, as far as it says so itself; None where it cannot be."""
    one = report.credential
    clusters = tuple(dict.fromkeys(use.cluster for use in one.used_by if use.cluster))
    if one.kind not in _RENEWABLE or not clusters:
        return None
    certificate = one.kind is CredentialKind.CLIENT_CERTIFICATE
    return RenewalForm(
        credential=one.id,
        name=one.name,
        cluster=clusters[0],
        clusters=clusters,
        how="csr" if certificate else "token_request",
        namespace=one.namespace,
        account=one.service_account,
        user=one.claims.subject if certificate else "",
        groups=one.claims.groups if certificate else (),
        expires_at=one.claims.expires_at,
    )
