"""The Secret whose token was replaced by one that ends: deleted as a step of its own, when nobody uses it any more.

A token of a Secret works until the Secret is deleted ("Managing Service Accounts" of the Kubernetes manual), so a
renewal alone takes nothing away from whoever has a copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop.credentials import renew as making
from ansflow_desktop.credentials.jwt import legacy_secret
from ansflow_desktop.credentials.sources import read_file
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import guard
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.client import METADATA, ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.models.credential import OldSecret

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services

_ACCOUNT = "kubernetes.io/service-account."


def old_secret_of(document: dict[str, Any]) -> OldSecret | None:
    """Return the Secret whose token the user of `document` signs in with, None for any other credential."""
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    path = user.get("tokenFile")
    token = read_file(path).text() if isinstance(path, str) and path else str(user.get("token") or "")
    return legacy_secret(token)


async def require_removable(
    services: Services, cluster: str, old: OldSecret | None, confirmed: Collection[str], *, but: str = ""
) -> OldSecret:
    """Return `old` where it may be deleted in `cluster`; `but` is a cluster whose use of it ends with the renewal.

    Raises UserError: nothing to delete (2), a read-only start or cluster, a production cluster whose name is not in
    `confirmed` (4), another cluster of the list that still signs in with it or cannot be looked into (2).
    """
    if old is None:
        title = msg("The token of “%(name)s” is not that of a Secret", name=cluster)
        raise UserError(title, "", msg("There is nothing to delete."), field="remove_old_secret")
    services.require_writable()
    await asyncio.to_thread(_require_guard, services, cluster, old, confirmed)
    users, unknown = await asyncio.to_thread(_users, services, old, but)
    if users:
        raise _in_use(old, msg("These clusters still sign in with it: %(names)s.", names=", ".join(users)))
    if unknown:
        names = ", ".join(unknown)
        raise _in_use(old, msg("Whether these clusters use it could not be found out: %(names)s.", names=names))
    return old


async def remove_old_secret(services: Services, cluster: str, old: OldSecret, confirmed: Collection[str]) -> None:
    """Delete the Secret `old` with the credential that `cluster` has now, after the server has accepted that one.

    One that is gone already is no error. Raises UserError as `require_removable` does, KubeError for a refusal.
    """
    await require_removable(services, cluster, old, confirmed)
    document = await asyncio.to_thread(services.catalog.document, cluster)
    await making.prove(document, patient=False)
    path = f"/api/v1/namespaces/{old.namespace}/secrets/{old.name}"
    async with ClusterClient(document) as client:
        try:
            _require_same(old, await client.get(path, accept=METADATA))
            await client.delete(path)
        except KubeError as error:
            if error.status != 404:
                raise _explained(error, old) from error


def _require_guard(services: Services, cluster: str, old: OldSecret, confirmed: Collection[str]) -> None:
    guard.require_changeable(services.catalog, (cluster,))
    if services.catalog.marks(cluster).production and cluster not in confirmed:
        what = msg("it deletes the Secret %(secret)s", secret=f"{old.namespace}/{old.name}")
        raise guard.ConfirmationNeeded(cluster, "renew", what)


def _users(services: Services, old: OldSecret, but: str) -> tuple[list[str], list[str]]:
    """Return the clusters that sign in with `old`, and those of which it is not known."""
    users, unknown = [], []
    for entry in services.catalog.entries():
        if entry.name == but or entry.exec_plugin is not None or entry.problem:
            continue
        try:
            if old_secret_of(services.catalog.document(entry.name)) == old:
                users.append(entry.name)
        except UserError:
            unknown.append(entry.name)
    return users, unknown


def _in_use(old: OldSecret, reason: Text) -> UserError:
    title = msg("The Secret %(secret)s is not deleted", secret=f"{old.namespace}/{old.name}")
    hint = msg("Renew these first, or take them out of the list.")
    return UserError(title, reason, hint, field="remove_old_secret")


class _Metadata(msgspec.Struct, frozen=True):
    annotations: dict[str, str] = {}


class _Secret(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


def _require_same(old: OldSecret, body: bytes) -> None:
    """Raise UserError unless the Secret there (its metadata alone) is that of the account that the token was for."""
    try:
        noted = msgspec.json.decode(body, type=_Secret).metadata.annotations
    except msgspec.MsgspecError:
        noted = {}
    if noted.get(f"{_ACCOUNT}uid") != old.account_uid:
        title = msg("The Secret %(secret)s is not deleted", secret=f"{old.namespace}/{old.name}")
        reason = msg("It is another one by now: it does not belong to the account that the old token was for.")
        raise UserError(title, reason, code=ExitCode.FAILED, field="remove_old_secret")


def _explained(error: KubeError, old: OldSecret) -> KubeError:
    hint = msg(
        "The new token is in use. Have the old Secret deleted by somebody who may: kubectl -n %(namespace)s delete "
        "secret %(name)s",
        namespace=old.namespace,
        name=old.name,
    )
    return KubeError(error.title, error.message, hint, code=error.code, status=error.status, reason=error.reason)
