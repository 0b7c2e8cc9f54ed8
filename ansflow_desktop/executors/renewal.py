"""Renewing a cluster's credential: the new one is tried first, then put where it belongs; the old one stays until then.

A cluster added by hand has its secret replaced in the vault. One of a kubeconfig file is never written: its new
credential goes into a private copy of the cluster, or into a file of its own (0600).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from ansflow_desktop.credentials import renew as making
from ansflow_desktop.credentials.signing import SIGNER
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import guard, renewal_place
from ansflow_desktop.executors.renewal_holder import Holder, holder_of
from ansflow_desktop.executors.renewal_legacy import old_secret_of
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube import own
from ansflow_desktop.models.credential import OldSecret, When

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services

How: TypeAlias = Literal["", "token_request", "csr"]
Put: TypeAlias = Literal["", "replace", "copy", "file"]

DAY_S = 24 * 60 * 60

_ADDED = frozenset({"system:authenticated", "system:serviceaccounts"})


class Renewable(msgspec.Struct, frozen=True, kw_only=True):
    """What can be renewed of a cluster, to fill a dialog with.

    `how` is empty where nothing can be without naming a ServiceAccount; `reason` then says why. `namespace` and
    `account` are those of the ServiceAccount whose token is used now, `user` and `groups` those of its certificate or
    what the server said. `puts` are the places a new credential may go to, the best first. `expires_at` is the old end.
    """

    cluster: str
    how: How = ""
    namespace: str = ""
    account: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    puts: tuple[Put, ...] = ()
    expires_at: When = None
    reason: Text = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for; empty fields are taken from the credential in use (`Renewable`).

    `seconds` is the lifetime. `put`: `replace` it in the vault, make a private `copy` of the cluster (`copy_name`), or
    write a kubeconfig `file`. `via` names another cluster entry of the same server that asks in its place, for an old
    credential that is refused already. `signer` signs a certificate (empty: Kubernetes' own), and `patience` is how
    long an administrator may take to approve (seconds).
    """

    how: How = ""
    namespace: str = ""
    account: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    seconds: int = DAY_S
    audiences: tuple[str, ...] = ()
    put: Put = ""
    file: str = ""
    copy_name: str = ""
    via: str = ""
    signer: str = ""
    patience: float = 20.0


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: who the new credential is for, when it ends (aware UTC), and where it is.

    `place` is the cluster's name (`replace`, `copy`) or the file's path. Nothing of the secret is in it. `old_secret`
    is the Secret of an endless token that is not used here any more (`renewal_legacy.remove_old_secret`).
    """

    cluster: str
    how: How
    user: str
    expires_at: When
    expired_at: When
    put: Put
    place: str
    notes: tuple[Text, ...] = ()
    old_secret: OldSecret | None = None


async def renewable(services: Services, cluster: str, *, ask: bool = True) -> Renewable:
    """Return what can be renewed of `cluster`; with `ask` the server is asked who we are where nothing else says it.

    Raises UserError for an unknown, unapproved or locked cluster, and with `ask` KubeError of a server that is gone.
    """
    document = await asyncio.to_thread(services.catalog.document, cluster)
    holder = await asyncio.to_thread(holder_of, document)
    if ask and not holder.user:
        identity = await making.prove(document, patient=False)
        holder = msgspec.structs.replace(holder, user=identity.username, groups=identity.groups)
    added = await asyncio.to_thread(services.cluster_book.own, cluster)
    return _renewable(cluster, holder, added=added is not None and own.needs_secret(added))


def _renewable(cluster: str, holder: Holder, *, added: bool) -> Renewable:
    namespace, account = making.account_of(holder.user) or ("", "")
    how: How = "csr" if holder.certificate else "token_request" if account else ""
    reason = "" if how else msg("The user is no ServiceAccount and has no certificate: name a ServiceAccount.")
    return Renewable(
        cluster=cluster,
        how=how,
        namespace=namespace,
        account=account,
        user=holder.user,
        groups=holder.groups,
        puts=("replace", "copy", "file") if added else ("copy", "file"),
        expires_at=holder.expires_at,
        reason=reason,
    )


async def renew(
    services: Services, cluster: str, wanted: Wanted | None = None, *, told: Callable[[Text], None] | None = None
) -> Renewal:
    """Get a new credential for `cluster`, try it, and put it in its place; returns what became of it.

    `told` hears what is being waited for. Raises UserError: bad input (2, nothing was asked), a read-only start or
    cluster (4), refusals of the server (3, 4), a place that cannot be written. The old credential is then as it was.
    Meanwhile the vault does not lock by itself: a certificate may wait minutes for who approves it.
    """
    services.require_writable()
    with services.vault_held():
        return await _renew(services, cluster, wanted or Wanted(), told)


async def _renew(services: Services, cluster: str, wanted: Wanted, told: Callable[[Text], None] | None) -> Renewal:
    known = await renewable(services, cluster, ask=not (wanted.account or wanted.user or wanted.via))
    plan = _completed(wanted, known)
    if plan.how == "csr":  # it makes an object in the cluster, if only for seconds
        names = (cluster, plan.via) if plan.via else (cluster,)
        await asyncio.to_thread(guard.require_changeable, services.catalog, names)
    place = await asyncio.to_thread(renewal_place.opened, services, cluster, plan.put, plan.file, plan.copy_name)
    document = await asyncio.to_thread(services.catalog.document, cluster)
    made = await _made(services, document, plan, told)
    kept = await asyncio.to_thread(place.keep, making.with_secret(document, made.secret), made.secret)
    return Renewal(
        cluster=cluster,
        how=plan.how,
        user=made.identity.username,
        expires_at=made.expires_at,
        expired_at=known.expires_at,
        put=plan.put,
        place=kept,
        notes=(*made.notes, *_other_user(known, made.identity.username)),
        old_secret=await asyncio.to_thread(old_secret_of, document) if plan.put == "replace" else None,
    )


def _completed(wanted: Wanted, known: Renewable) -> Wanted:
    """Return `wanted` with what the credential in use says; raises UserError where something is missing or wrong."""
    how: How = wanted.how or ("token_request" if wanted.account else "csr" if wanted.user else known.how)
    if not how:
        hint = msg("Name one as NAMESPACE/NAME, such as default/deployer.")
        raise UserError(msg("This credential cannot be renewed by itself"), known.reason, hint, field="account")
    plan = msgspec.structs.replace(
        wanted,
        how=how,
        namespace=wanted.namespace or known.namespace,
        account=wanted.account or known.account,
        user=wanted.user or known.user,
        groups=wanted.groups or (() if wanted.user else _asked_groups(known.groups)),
        put=_put(wanted, known),
    )
    _require(plan)
    return plan


def _asked_groups(groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the groups that a certificate can name: those of every signed-in user the server adds by itself."""
    return tuple(group for group in groups if group not in _ADDED)


def _put(wanted: Wanted, known: Renewable) -> Put:
    put: Put = wanted.put or ("file" if wanted.file else "copy" if wanted.copy_name else known.puts[0])
    if put not in known.puts:
        title = msg(
            "The credential of “%(name)s” stands in a kubeconfig file, which is never written", name=known.cluster
        )
        hint = msg("Save the new one to a file, or make a private copy of the cluster.")
        raise UserError(title, "", hint, field="save")
    return put


def _require(plan: Wanted) -> None:
    if plan.how == "token_request":
        making.require_account(plan.namespace, plan.account)
        making.require_lifetime(plan.seconds)
    else:
        making.require_user(plan.user)
        making.require_signer(plan.signer or SIGNER)
        making.require_lifetime(plan.seconds, most=2**31 - 1)


async def _made(
    services: Services, document: dict[str, Any], plan: Wanted, told: Callable[[Text], None] | None
) -> making.Renewed:
    """Return the new credential, accepted by the server of `document`; its secrets are known to the redactor."""
    asking = await asyncio.to_thread(services.catalog.document, plan.via) if plan.via else document
    if plan.how == "token_request":
        made = await making.token_request(asking, plan.namespace, plan.account, plan.seconds, plan.audiences)
    else:
        made = await making.csr(
            asking,
            plan.user,
            plan.groups,
            plan.seconds,
            signer=plan.signer or SIGNER,
            patience=plan.patience,
            on_wait=told,
        )
    services.redactor.add(part for part in (made.token, made.key) if part)
    if plan.via:
        await making.prove(making.with_secret(document, made.secret))
    return made


def _other_user(known: Renewable, user: str) -> tuple[Text, ...]:
    if not known.user or not user or known.user == user:
        return ()
    return (msg("The new credential is for %(new)s, the old one was for %(old)s.", new=user, old=known.user),)
