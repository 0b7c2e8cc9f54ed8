"""Every credential that any cluster uses, with both verdicts: one reading for the window and the command line."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.credentials import ask as asking
from ansflow_desktop.credentials.answers import Answers, server_chain, utc_now
from ansflow_desktop.credentials.pull_secrets import PullSecrets, Wanted
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text
from ansflow_desktop.kube.approvals import ApprovalNeeded
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.credential import (
    Credential,
    CredentialKind,
    CredentialReport,
    PriorityAction,
    ServerAnswer,
    ServerVerdict,
)

_CHAINS = 8
_FAR = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class Clusters(Protocol):
    """What is needed of the cluster list (`kube.catalog.ClusterCatalog` has it); both may be called in any thread."""

    def entries(self) -> tuple[ClusterEntry, ...]:
        """Return every cluster."""

    def document(self, name: str) -> dict[str, Any]:
        """Return the kubeconfig document of one; raises UserError, ApprovalNeeded for an unapproved program."""


class CredentialSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`warn`: from how long before its end a credential is `expiring`; `home`: whose registry logins are read.

    `namespaces` returns those of a cluster in which image pull secrets are looked for, besides its default one.
    """

    warn: datetime.timedelta = datetime.timedelta(days=7)
    home: Path | None = None
    namespaces: Callable[[ClusterEntry], tuple[str, ...]] = lambda _entry: ()


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster whose credentials cannot all be read now, in whose words, and the way out.

    A locked vault, a bad entry, a credential program that nobody has allowed yet (`unapproved`: its row is there,
    unasked).
    """

    cluster: str
    why: Text
    hint: Text = ""
    unapproved: bool = False


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One reading: rows ordered by what ends first, what to do first, which clusters could not be read, and when."""

    reports: tuple[CredentialReport, ...]
    actions: tuple[PriorityAction, ...] = ()
    unread: tuple[Unread, ...] = ()
    read_at: datetime.datetime


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that was read; not `askable` while its credential program is not approved."""

    entry: ClusterEntry
    document: dict[str, Any]
    askable: bool = True

    def __repr__(self) -> str:
        """Say nothing of the document: it holds secrets."""
        return f"_Place({self.entry.name!r})"


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The certificates that a server showed, and when it was asked; an empty chain where it showed none."""

    chain: tuple[bytes, ...] = ()
    read_at: datetime.datetime


class CredentialService:
    """Reads credentials of all clusters; safe in any event loop, and nothing blocking is done in it."""

    def __init__(
        self,
        clusters: Clusters,
        answers: Answers,
        clock: Callable[[], datetime.datetime] = utc_now,
        settings: Callable[[], CredentialSettings] = CredentialSettings,
    ) -> None:
        """Keep the parts; `settings` is asked at every reading, so that a change is followed."""
        self._clusters = clusters
        self._answers = answers
        self._clock = clock
        self._settings = settings
        self._shown: dict[tuple[str, ...], _Shown] = {}
        self._pulls = PullSecrets(clock)

    async def reports(self, ask: bool, *, fresh: bool = False) -> tuple[CredentialReport, ...]:
        """Return a report of every credential; see `overview`."""
        return (await self.overview(ask, fresh=fresh)).reports

    async def overview(
        self,
        ask: bool,
        *,
        names: Iterable[str] | None = None,
        fresh: bool = False,
        warn: datetime.timedelta | None = None,
    ) -> Overview:
        """Return every credential of the clusters `names` (None: of all, and registry logins).

        With `ask` the servers are asked, side by side; kept answers are used again unless `fresh`. Without, only kept
        answers are shown. `warn` goes before that of the settings. Raises nothing for single clusters.
        """
        wanted = None if names is None else frozenset(names)
        places, unread = await asyncio.to_thread(self._read, wanted)
        found = await asyncio.to_thread(self._inventory, places, wanted is None)
        if ask:
            await asyncio.gather(self._ask(found, places, fresh), self._ask_chains(places, fresh))
            await self._ask_pulls(found, places, fresh)
            # once more: the servers' certificates are known now, and what credential programs gave
            found = await asyncio.to_thread(self._inventory, places, wanted is None)
        answers = self._kept(found, places)
        return await asyncio.to_thread(self._overview, found, answers, unread, warn)

    def ending(self, cluster: str, within: datetime.timedelta) -> tuple[CredentialReport, ...]:
        """Return what `cluster` signs in with and ends within the time from now (a run's), ended ones too; asks nobody.

        Blocking, for a preflight's thread.
        """
        places, unread = self._read(frozenset({cluster}))
        found = self._inventory(places, False)
        rows = self._overview(found, self._kept(found, places), unread, within).reports
        last = self._clock() + within
        return tuple(row for row in rows if ends_by(row, last) and row.credential.kind not in _NO_SIGN_IN)

    def _read(self, wanted: frozenset[str] | None) -> tuple[dict[str, _Place], tuple[Unread, ...]]:
        places: dict[str, _Place] = {}
        unread: list[Unread] = []
        for entry in self._clusters.entries():
            if wanted is not None and entry.name not in wanted:
                continue
            try:
                places[entry.name] = _Place(entry=entry, document=self._clusters.document(entry.name))
            except ApprovalNeeded as error:
                places[entry.name] = _Place(entry=entry, document=_unapproved(entry), askable=False)
                unread.append(Unread(cluster=entry.name, why=error.title, hint=error.hint, unapproved=True))
            except UserError as error:
                unread.append(Unread(cluster=entry.name, why=error.message or error.title, hint=error.hint))
        return places, tuple(unread)

    async def _ask_chains(self, places: Mapping[str, _Place], fresh: bool) -> None:
        """Read each server's certificates, kept as long as answers are; a server that is silent loses none."""
        limit = asyncio.Semaphore(_CHAINS)

        async def one(key: tuple[str, ...], document: dict[str, Any]) -> None:
            async with limit:
                chain = await server_chain(document, self._answers.timeout)
            known = self._shown.get(key)
            self._shown[key] = _Shown(chain=chain or (known.chain if known else ()), read_at=self._clock())

        servers = {_server(place.document): place.document for place in places.values() if place.askable}
        wanted = {key: document for key, document in servers.items() if fresh or not self._is_shown(key)}
        await asyncio.gather(*(one(key, document) for key, document in wanted.items()))

    async def _ask_pulls(self, found: Iterable[Credential], places: Mapping[str, _Place], fresh: bool) -> None:
        """Read image pull secrets where the server has just accepted a credential: nobody else may see any."""
        answers = self._kept(found, places)
        known = {use.cluster for one in found if answers[one.id].verdict is _ACCEPTED for use in one.used_by}
        chosen = self._settings().namespaces
        wanted = [
            Wanted(
                cluster=name,
                document=place.document,
                namespaces=(place.entry.namespace or "default", *chosen(place.entry)),
            )
            for name, place in places.items()
            if name in known
        ]
        await self._pulls.read(wanted, self._answers.ttl_s, self._answers.timeout, fresh=fresh)

    def _is_shown(self, key: tuple[str, ...]) -> bool:
        known = self._shown.get(key)
        return known is not None and 0 <= (self._clock() - known.read_at).total_seconds() < self._answers.ttl_s

    def _inventory(self, places: Mapping[str, _Place], logins: bool) -> tuple[Credential, ...]:
        from ansflow_desktop.credentials import inventory

        found: list[Credential] = []
        for place in places.values():
            shown = self._shown.get(_server(place.document))
            chain = shown.chain if shown else ()
            found += inventory.inventory(place.entry, place.document, server_chain=chain)
        found += self._pulls.known(places)
        return (*inventory.merge(found), *(self._logins() if logins else ()))

    def _logins(self) -> tuple[Credential, ...]:
        from ansflow_desktop.credentials import registries

        return registries.registry_logins(self._settings().home or paths.home())

    async def _ask(self, found: Iterable[Credential], places: Mapping[str, _Place], fresh: bool) -> None:
        """Ask for every credential at every server that it is used at; what they answer is kept."""
        await asyncio.gather(
            *(
                self._answers.ask(key, document, fresh=fresh, turns=asking.turns_of(credential))
                for credential in found
                for key, document in _questions(credential, places).items()
            )
        )

    def _kept(self, found: Iterable[Credential], places: Mapping[str, _Place]) -> dict[str, ServerAnswer]:
        def one(credential: Credential) -> ServerAnswer:
            known = map(self._answers.known, _questions(credential, places))
            return asking.worst(answer for answer in known if answer)

        return {credential.id: one(credential) for credential in found}

    def _overview(
        self,
        found: Iterable[Credential],
        answers: Mapping[str, ServerAnswer],
        unread: tuple[Unread, ...],
        warn: datetime.timedelta | None,
    ) -> Overview:
        from ansflow_desktop.credentials import advice, inventory

        now, soon = self._clock(), self._settings().warn if warn is None else warn
        rows = [inventory.report(each, answers.get(each.id, ServerAnswer()), now, soon) for each in found]
        rows.sort(key=lambda row: (row.credential.claims.expires_at or _FAR, row.credential.name))
        return Overview(reports=tuple(rows), actions=advice.priority_actions(rows), unread=unread, read_at=now)


_ACCEPTED = ServerVerdict.ACCEPTED
_NO_SIGN_IN = (CredentialKind.CA_CERTIFICATE, CredentialKind.SERVER_CERTIFICATE, CredentialKind.IMAGE_PULL)


def ends_by(row: CredentialReport, last: datetime.datetime) -> bool:
    """Return whether the credential of `row` ends at `last` or before and nothing renews it by itself."""
    claims = row.credential.claims
    return claims.expires_at is not None and claims.expires_at <= last and not claims.renews


def _questions(credential: Credential, places: Mapping[str, _Place]) -> dict[str, dict[str, Any]]:
    """Return for each server that the credential is used at the answer's key and the document to ask with."""
    found: dict[str, dict[str, Any]] = {}
    for use in credential.used_by:
        place = places.get(use.cluster)
        document = asking.only(place.document, credential.kind) if place and place.askable else None
        if document is not None:
            found[asking.key_of(credential, document)] = document
    return found


def _server(document: dict[str, Any]) -> tuple[str, ...]:
    """Return what decides which certificates a server shows: its address, the name asked for, and the way to it."""
    cluster = document["clusters"][0]["cluster"]
    return tuple(str(cluster.get(field) or "") for field in ("server", "tls-server-name", "proxy-url"))


def _unapproved(entry: ClusterEntry) -> dict[str, Any]:
    """Return a document that tells of the unapproved program of `entry`, says so, and leads nowhere."""
    plugin = entry.exec_plugin
    user = {"exec": {"command": plugin.command, "args": list(plugin.args)}} if plugin else {}
    return {
        "unapproved": True,
        "contexts": [{"name": entry.context, "context": {"cluster": entry.name, "user": entry.user}}],
        "clusters": [{"name": entry.name, "cluster": {"server": entry.server}}],
        "users": [{"name": entry.user, "user": user}],
    }
