"""The credentials of a kubeconfig user, in the order in which client-go prefers them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.credentials import certificates, times
from ansflow_desktop.credentials.chains import ends_earlier
from ansflow_desktop.credentials.jwt import is_legacy, read_token
from ansflow_desktop.credentials.keys import key_problem
from ansflow_desktop.credentials.sources import Found, data_or_file, fingerprint, plain, read_file
from ansflow_desktop.credentials.verdict_words import NOT_RUN, UNAPPROVED
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube import login
from ansflow_desktop.kube.plugins import plugin_of
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.credential import Claims, CredentialKind, When

_ROTATED = ("/var/run/secrets/", "/run/secrets/")
"""Where the kubelet mounts projected tokens, which it renews in time."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One credential before it has a name: where it lies (`place` shown, `at` for the id) and what it says."""

    kind: CredentialKind
    claims: Claims
    place: str = ""
    fingerprint: str = ""
    at: tuple[str, ...] = ()


def part_of(kind: CredentialKind, found: Found, claims: Claims, *, secret: bytes = b"") -> Part:
    """Return the part for what was `found`; `secret` gives the fingerprint, nothing for what must have none."""
    noted = msgspec.structs.replace(claims, notes=(*claims.notes, *found.notes))
    return Part(kind=kind, claims=noted, place=found.place, fingerprint=fingerprint(secret))


def user_parts(user: Mapping[str, Any], document: dict[str, Any]) -> list[Part]:
    """Return every credential of `user`; reads files, runs nothing.

    Of a credential program it is what `kube.login` holds from its last run, with the end that it named.
    """
    found = [_token_file(user), _token(user), _certificate(user), _program(user, document), _password(user)]
    return [part for part in found if part] + _provider(user)


def _token_file(user: Mapping[str, Any]) -> Part | None:
    path = user.get("tokenFile")
    if not path:
        return None
    found = read_file(path) if isinstance(path, str) else plain(path, "tokenFile")
    part = _bearer(CredentialKind.TOKEN_FILE, found)
    if not found.place.startswith(_ROTATED) or part.claims.problem:
        return part
    return msgspec.structs.replace(part, claims=msgspec.structs.replace(part.claims, renews=True))


def _token(user: Mapping[str, Any]) -> Part | None:
    if "token" not in user or user["token"] is None:
        return None
    found = plain(user["token"], "token")
    if user.get("tokenFile"):
        if not found.data:
            return None
        note = msg("The token file goes before it.")
        found = msgspec.structs.replace(found, notes=(note,))
    return _bearer(CredentialKind.TOKEN, found)


def _bearer(kind: CredentialKind, found: Found) -> Part:
    if found.problem:
        return part_of(kind, found, Claims(problem=found.problem))
    text = found.text().strip()
    claims = read_token(text)
    if is_legacy(text) and claims.expires_at is None:
        kind = CredentialKind.LEGACY_TOKEN
    return part_of(kind, found, claims, secret=text.encode())


def _certificate(user: Mapping[str, Any]) -> Part | None:
    found = data_or_file(user, "client-certificate")
    if found is None:
        return None
    kind = CredentialKind.CLIENT_CERTIFICATE
    if found.problem:
        return part_of(kind, found, Claims(problem=found.problem))
    own, *above = certificates.read_certificates(found.data)
    ders = certificates.ders(found.data)
    key = data_or_file(user, "client-key")
    problem = own.problem or key_problem(ders[0] if ders else b"", key)
    notes = (*own.notes, *ends_earlier(own.expires_at, above))
    claims = msgspec.structs.replace(own, notes=notes, problem=problem)
    return part_of(kind, found, claims, secret=ders[0] if ders else b"")


def _program(user: Mapping[str, Any], document: dict[str, Any]) -> Part | None:
    plugin = plugin_of(user)
    if plugin is None:
        return None
    place = Found(place=clean(plugin.command, 300) or "exec")
    held = login.held(document)
    if held is None:
        return _at(part_of(CredentialKind.EXEC_PLUGIN, place, _not_run(document)), document)
    secret = held.token or held.client_certificate_data
    claims = read_token(held.token) if held.token else _own_claims(held.client_certificate_data)
    end = times.within(held.expiration_timestamp) if held.expiration_timestamp else claims.expires_at
    known = msgspec.structs.replace(claims, renews=True, expires_at=end)
    return _at(part_of(CredentialKind.EXEC_PLUGIN, place, known, secret=secret.encode()), document)


def _not_run(document: dict[str, Any]) -> Claims:
    """Return what is known of a program that gave nothing yet: that it will, or not even that."""
    if document.get("unapproved"):
        return Claims(opaque=True, notes=(UNAPPROVED,))
    return Claims(renews=True, opaque=True, notes=(NOT_RUN,))


def _at(part: Part, document: dict[str, Any]) -> Part:
    """Return `part` as that of this server: the same program may give each server another credential."""
    return msgspec.structs.replace(part, at=(str(document["clusters"][0]["cluster"].get("server")),))


def _own_claims(pem: str) -> Claims:
    return certificates.read_certificates(pem.encode())[0]


def _password(user: Mapping[str, Any]) -> Part | None:
    if not user.get("username") and not user.get("password"):
        return None
    note = msg("Kubernetes does not know passwords since version 1.19.")
    claims = Claims(subject=clean(str(user.get("username") or ""), 300), opaque=True, notes=(note,))
    return Part(kind=CredentialKind.PASSWORD, claims=claims, place="password")


def _provider(user: Mapping[str, Any]) -> list[Part]:
    """Return the tokens of an `auth-provider`: those of OIDC, or the access token that gcp and azure keep."""
    provider = user.get("auth-provider")
    config = provider.get("config") if isinstance(provider, dict) else None
    if not isinstance(config, dict):
        return []
    found: list[Part] = []
    if config.get("id-token"):
        found.append(_at_field(_bearer(CredentialKind.OIDC_ID_TOKEN, plain(config["id-token"], "id-token"))))
    if config.get("refresh-token"):
        refresh = plain(config["refresh-token"], "refresh-token")
        found.append(_at_field(_bearer(CredentialKind.OIDC_REFRESH_TOKEN, refresh)))
    if config.get("access-token") and plugin_of(user) is None:
        found.append(_at_field(_access(config)))
    return found


def _access(config: Mapping[str, Any]) -> Part:
    part = _bearer(CredentialKind.TOKEN, plain(config["access-token"], "access-token"))
    end = part.claims.expires_at or _moment(config.get("expiry") or config.get("expires-on"))
    return msgspec.structs.replace(part, claims=msgspec.structs.replace(part.claims, expires_at=end))


def _at_field(part: Part) -> Part:
    return msgspec.structs.replace(part, at=(part.place,))


def _moment(value: Any) -> When:
    """Return the time that `value` names: RFC 3339, or seconds since 1970; None for anything else."""
    if isinstance(value, datetime.datetime):
        return times.within(value)
    try:
        return times.from_epoch(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        return times.within(datetime.datetime.fromisoformat(str(value)))
    except ValueError:
        return None
