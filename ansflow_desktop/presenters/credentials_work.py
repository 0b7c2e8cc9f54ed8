"""What the credentials presenter asks of the layers below: imported off the window's thread at the first use (goal 9).

One object, so that unit tests can put another in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.credential import CredentialReport, GeneratedFile, OldSecret, PriorityAction
from ansflow_desktop.presenters.base import KUBE_CLIENT, imported, off_thread
from ansflow_desktop.presenters.credentials_reminders import due_now, remember
from ansflow_desktop.presenters.credentials_state import RenewalForm, RenewalState, Unread

_READING = tuple(f"ansflow_desktop.credentials.{name}" for name in ("service", "inventory", "registries", "advice"))
_PATIENCE_S = 600.0  # a person sees what is waited for and can close the dialog
_DOING = {
    "token_request": msg("Asking for a new token, then trying it"),
    "csr": msg("Asking for a new certificate, then trying it"),
}


if TYPE_CHECKING:
    from ansflow_desktop.credentials.reminders import Reminder


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of all credentials; `locked`: some are missing because the vault is locked."""

    reports: tuple[CredentialReport, ...] = ()
    actions: tuple[PriorityAction, ...] = ()
    unread: tuple[Unread, ...] = ()
    locked: bool = False


def is_locked(error: UserError) -> bool:
    """Return whether `error` says that the vault must be opened, or made, first."""
    return type(error).__name__ in ("VaultLocked", "VaultNeeded")


class CredentialsWork:
    """Readings, renewals and files; every method may take long and none stalls the window."""

    def __init__(self, services: Any) -> None:
        """Keep the services; nothing is imported yet."""
        self._services = services

    async def read(self, *, ask: bool, anew: bool = False) -> Reading:
        """Return every credential's report; with `ask` servers are asked, with `anew` also where an answer is known.

        Raises UserError.
        """
        await imported(*_READING)
        if ask:
            await imported(*KUBE_CLIENT)
        service = await off_thread(lambda: self._services.credentials)
        found = await service.overview(ask, fresh=anew)
        unread = tuple(
            Unread(cluster=one.cluster, why=one.why, hint=one.hint, unapproved=one.unapproved) for one in found.unread
        )
        locked = bool(unread) and await off_thread(self._vault_is_locked)
        return Reading(reports=found.reports, actions=found.actions, unread=unread, locked=locked)

    def _vault_is_locked(self) -> bool:
        return bool(self._services.vault.state().locked)

    async def complete(self, form: RenewalForm) -> RenewalForm:
        """Return `form` with what else is known of its cluster; raises UserError, VaultLocked among them."""
        await imported("ansflow_desktop.executors.renewal")
        from ansflow_desktop.executors import renewal

        known = await renewal.renewable(self._services, form.cluster, ask=False)
        vias = await off_thread(lambda: self._same_server(form.cluster))
        return msgspec.structs.replace(
            form,
            how=known.how or form.how,
            namespace=known.namespace or form.namespace,
            account=known.account or form.account,
            user=known.user or form.user,
            groups=known.groups or form.groups,
            puts=known.puts,
            put=form.put if form.put in known.puts else known.puts[0],
            reason=known.reason,
            vias=vias,
            via=form.via if form.via in vias else "",
        )

    def _same_server(self, cluster: str) -> tuple[str, ...]:
        """Return the other clusters of the list whose address is that of `cluster`."""
        entries = self._services.catalog.entries()
        server = next((one.server for one in entries if one.name == cluster), "")
        same = [one.name for one in entries if one.server.rstrip("/") == server.rstrip("/") and not one.problem]
        return tuple(name for name in same if name != cluster) if server else ()

    @staticmethod
    def doing(form: RenewalForm) -> Text:
        """Return what a renewal does first, in words."""
        return _DOING.get(form.how, msg("Renewing"))

    async def renew(self, form: RenewalForm, tell: Callable[[Text], None]) -> RenewalState:
        """Renew as chosen; raises UserError, the old one then stays as it is. `tell` hears what is waited for."""
        await imported(*KUBE_CLIENT, "ansflow_desktop.executors.renewal")
        from ansflow_desktop.executors import renewal

        made = await renewal.renew(self._services, form.cluster, _wanted(form), told=tell)
        return RenewalState(
            credential=form.credential,
            done=_done(made.put, made.place),
            notes=made.notes,
            expires_at=made.expires_at,
            cluster=made.cluster,
            old_secret=made.old_secret,
        )

    async def remove_old_secret(self, cluster: str, old: OldSecret, confirmed: tuple[str, ...]) -> None:
        """Delete the Secret of a replaced token; raises UserError, `guard.ConfirmationNeeded` among them."""
        await imported("ansflow_desktop.executors.renewal_legacy")
        from ansflow_desktop.executors import renewal_legacy

        await renewal_legacy.remove_old_secret(self._services, cluster, old, confirmed)

    async def files(self, kind: str, form: RenewalForm) -> tuple[GeneratedFile, ...]:
        """Return the generated files of automation `kind`; raises UserError for what cannot be generated."""
        await imported("ansflow_desktop.credentials.automation", "ansflow_desktop.executors.automation")
        from ansflow_desktop.credentials import automation, renew
        from ansflow_desktop.executors.automation import request_for

        renew.require_account(form.namespace, form.account)
        given = {"namespace": form.namespace, "account": form.account}
        asked = await request_for(self._services, form.cluster, seconds=form.seconds, folder=form.folder, **given)
        return await off_thread(lambda: automation.files(kind, asked))

    async def due(self, reports: tuple[CredentialReport, ...], days: tuple[int, ...]) -> tuple[Reminder, ...]:
        """Return what is to be told now and was not told before."""
        if not reports or not days:
            return ()
        await imported("ansflow_desktop.credentials.reminders")
        return await off_thread(lambda: due_now(reports, days, self._told_file))

    async def told(self, due: tuple[Reminder, ...], reports: tuple[CredentialReport, ...]) -> None:
        """Remember what was told of `reports`; raises UserError where that cannot be written."""
        await off_thread(lambda: remember(self._told_file, due, reports))

    @property
    def _told_file(self) -> Path:
        path: Path = self._services.directories.data / "reminders.json"
        return path

    async def save(self, made: Sequence[GeneratedFile], folder: Path, *, replace: bool) -> tuple[Path, ...]:
        """Write `made` into `folder` with their modes and return their paths; raises UserError."""
        await imported("ansflow_desktop.executors.automation")
        from ansflow_desktop.executors import automation

        return await off_thread(lambda: automation.save(made, str(folder), replace=replace))


def _done(put: str, place: str) -> Text:
    if put == "replace":
        return msg("The new credential was tried and is now used for %(place)s", place=place)
    if put == "copy":
        return msg("The new credential was tried and is used by the new cluster %(place)s", place=place)
    return msg("The new credential was tried and saved to %(place)s", place=place)


def _wanted(form: RenewalForm) -> Any:
    from ansflow_desktop.executors.renewal import Wanted

    token = form.how == "token_request"
    fields: Mapping[str, Any] = {
        "how": form.how,
        "namespace": form.namespace if token else "",
        "account": form.account if token else "",
        "user": "" if token else form.user,
        "groups": () if token else form.groups,
        "seconds": form.seconds,
        "put": form.put,
        "file": form.file if form.put == "file" else "",
        "copy_name": form.copy_name if form.put == "copy" else "",
        "via": form.via,
        "signer": "" if token else form.signer,
        "patience": _PATIENCE_S,
    }
    return msgspec.convert(fields, Wanted)
