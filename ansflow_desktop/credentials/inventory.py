"""Every credential that a cluster uses, read from its kubeconfig document; nothing is run and no server is asked."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ansflow_desktop.credentials import certificates
from ansflow_desktop.credentials.advice import advise
from ansflow_desktop.credentials.chains import ends_earlier
from ansflow_desktop.credentials.jwt import service_account
from ansflow_desktop.credentials.sources import data_or_file, fingerprint, identifier
from ansflow_desktop.credentials.users import Part, part_of, user_parts
from ansflow_desktop.credentials.verdicts import claim_verdict, lifetime_used, status
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.credential import (
    Claims,
    Credential,
    CredentialKind,
    CredentialReport,
    ServerAnswer,
    Use,
)

_MOST_AUTHORITIES = 20
_WORDS = {
    CredentialKind.TOKEN: "token",
    CredentialKind.TOKEN_FILE: "token file",
    CredentialKind.LEGACY_TOKEN: "token",
    CredentialKind.CLIENT_CERTIFICATE: "client certificate",
    CredentialKind.CA_CERTIFICATE: "CA",
    CredentialKind.SERVER_CERTIFICATE: "server certificate",
    CredentialKind.EXEC_PLUGIN: "exec",
    CredentialKind.OIDC_ID_TOKEN: "id token",
    CredentialKind.OIDC_REFRESH_TOKEN: "refresh token",
    CredentialKind.PASSWORD: "password",
}


def inventory(
    entry: ClusterEntry, document: dict[str, Any], *, server_chain: Sequence[bytes] = ()
) -> tuple[Credential, ...]:
    """Return every credential of the cluster `entry`, those of its user first; reads files, so not for a GUI thread.

    `document` is that of `ClusterCatalog.document`; `server_chain` what the server showed (DER, its own first), when
    it was asked. Never raises: what cannot be read is a credential whose claims have a `problem`.
    """
    cluster = _first(document, "clusters", "cluster")
    user = _first(document, "users", "user")
    parts = user_parts(user, document)
    scope = _scope(entry)
    owner = entry.user or entry.name
    several = len(parts) > 1
    found = [_credential(entry, part, (scope, "user", owner), plain_name=not several) for part in parts]
    name = str(document["clusters"][0].get("name") or "") if document.get("clusters") else ""
    found += [_credential(entry, part, (scope, "cluster", name)) for part in _authorities(cluster)]
    found += [_credential(entry, part, (scope, "server", entry.server)) for part in _server_parts(server_chain)]
    return _named_apart(found)


def merge(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """Return each credential once, with all its uses, in the order of the first: the same secret, or the same place."""
    kept: dict[str, Credential] = {}
    for item in credentials:
        key = f"{item.kind}/{item.fingerprint}" if item.fingerprint else item.id
        known = kept.get(key)
        kept[key] = item if known is None else _together(known, item)
    return tuple(kept.values())


def report(
    credential: Credential, answer: ServerAnswer, now: datetime.datetime, warn: datetime.timedelta
) -> CredentialReport:
    """Return the row of the dashboard for `credential` at `now` (aware): both verdicts, one sentence, the advice."""
    verdict = claim_verdict(credential.claims, now, warn)
    word, message = status(credential.kind, credential.claims, verdict, answer, now)
    bare = CredentialReport(
        credential=credential,
        claim_verdict=verdict,
        answer=answer,
        status=word,
        status_message=message,
        lifetime_used=lifetime_used(credential.claims, now),
        read_at=now,
    )
    return msgspec.structs.replace(bare, advice=advise(bare))


def _together(known: Credential, item: Credential) -> Credential:
    uses = tuple(dict.fromkeys((*known.used_by, *item.used_by)))
    return msgspec.structs.replace(known, id=min(known.id, item.id), used_by=uses)


def _first(document: dict[str, Any], section: str, key: str) -> dict[str, Any]:
    items = document.get(section)
    item = items[0] if isinstance(items, list) and items else None
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, dict) else {}


def _scope(entry: ClusterEntry) -> str:
    """Return what the names of users and clusters are unique within: a file, or the entry itself."""
    return entry.source if "/" in entry.source else f"{entry.source}/{entry.name}"


def _credential(entry: ClusterEntry, part: Part, place: tuple[str, ...], *, plain_name: bool = False) -> Credential:
    name = f"{entry.user or entry.name} @ {entry.name}"
    namespace, account = service_account(part.claims.subject)
    return Credential(
        id=identifier(*place, *part.at, str(part.kind)),
        name=name if plain_name else f"{name} ({_WORDS[part.kind]})",
        kind=part.kind,
        used_by=(Use(cluster=entry.name, place=part.place),),
        claims=part.claims,
        fingerprint=part.fingerprint,
        namespace=namespace,
        service_account=account,
    )


def _named_apart(found: list[Credential]) -> tuple[Credential, ...]:
    """Return them with numbers after names that stand more than once: the authorities of a bundle."""
    seen: dict[str, int] = {}
    result = []
    for item in found:
        seen[item.name] = seen.get(item.name, 0) + 1
        number = seen[item.name]
        result.append(item if number == 1 else msgspec.structs.replace(item, name=f"{item.name} {number}"))
    return tuple(result)


def _authorities(cluster: dict[str, Any]) -> list[Part]:
    """Return one part for each certificate of the cluster's authority; of a long bundle the first ones."""
    found = data_or_file(cluster, "certificate-authority")
    if found is None:
        return []
    if found.problem:
        return [part_of(CredentialKind.CA_CERTIFICATE, found, Claims(problem=found.problem))]
    listed = certificates.ders(found.data)[:_MOST_AUTHORITIES]
    if not listed:
        claims = certificates.read_certificates(found.data)[0]
        return [part_of(CredentialKind.CA_CERTIFICATE, found, claims)]
    return [
        Part(
            kind=CredentialKind.CA_CERTIFICATE,
            claims=msgspec.structs.replace(claims, notes=(*claims.notes, *found.notes)),
            place=found.place,
            fingerprint=fingerprint(der),
            at=(str(number),),
        )
        for number, (der, claims) in enumerate(zip(listed, certificates.of_server(listed), strict=True))
    ]


def _server_parts(chain: Sequence[bytes]) -> list[Part]:
    """Return the server's own certificate, with a note where one above it ends earlier; nothing for no chain."""
    if not chain:
        return []
    own, *above = certificates.of_server(chain)
    notes = (*own.notes, *ends_earlier(own.expires_at, above))
    claims = msgspec.structs.replace(own, notes=notes)
    kind = CredentialKind.SERVER_CERTIFICATE
    return [Part(kind=kind, claims=claims, place="server", fingerprint=fingerprint(chain[0]))]
