"""A document with one credential alone, so that a server's answer is about that one and no other."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from ansflow_desktop.models.credential import Credential, CredentialKind, ServerAnswer, ServerVerdict

_TOKENS = ("tokenFile", "token")  # the file goes before the token, as in kubectl
_CERTIFICATE = ("client-certificate-data", "client-certificate", "client-key-data", "client-key")
_FIELDS = {
    CredentialKind.TOKEN: ("token",),
    CredentialKind.TOKEN_FILE: ("tokenFile",),
    CredentialKind.CLIENT_CERTIFICATE: _CERTIFICATE,
    CredentialKind.PASSWORD: ("username", "password"),
    CredentialKind.EXEC_PLUGIN: ("exec", "auth-provider"),
}
_LEEWAY = datetime.timedelta(seconds=70)
"""An API server takes a ServiceAccount's token for a minute past its end (go-jose's leeway), and 10 s from a cache."""

_WORST = (
    ServerVerdict.REFUSED,
    ServerVerdict.FORBIDDEN,
    ServerVerdict.UNKNOWN,
    ServerVerdict.UNREACHABLE,
    ServerVerdict.ACCEPTED,
)


def only(document: dict[str, Any], kind: CredentialKind) -> dict[str, Any] | None:
    """Return `document` with nothing of its user but the credential of this kind; None where no server is asked.

    Impersonation is left out: the question is about the credential. An OIDC id token is sent as it is, for the library
    would not send one that has ended, and the server's answer to it is what is asked for.
    """
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    kept = _kept(user, kind)
    if not kept:
        return None
    name = str(document["users"][0]["name"])
    return {**document, "users": [{"name": name, "user": kept}]}


def _kept(user: dict[str, Any], kind: CredentialKind) -> dict[str, Any]:
    if kind is CredentialKind.LEGACY_TOKEN:
        return next(({field: user[field]} for field in _TOKENS if user.get(field)), {})
    if kind is CredentialKind.OIDC_ID_TOKEN:
        provider = user.get("auth-provider")
        config = provider.get("config") if isinstance(provider, dict) else None
        token = config.get("id-token") if isinstance(config, dict) else None
        return {"token": str(token)} if token else {}
    return {field: user[field] for field in _FIELDS.get(kind, ()) if user.get(field)}


def server_of(document: dict[str, Any]) -> str:
    """Return the address of the document's API server."""
    return str(document["clusters"][0]["cluster"].get("server") or "")


def key_of(credential: Credential, server: str) -> str:
    """Return the name under which the answer of `server` to `credential` is kept; no secret.

    A new token in the same place is another question; what a credential program gives is always its newest.
    """
    renews = credential.kind is CredentialKind.EXEC_PLUGIN
    return f"{credential.id} {'' if renews else credential.fingerprint} {server}"


def turns_of(credential: Credential) -> tuple[datetime.datetime, ...]:
    """Return the times at which a server's answer to `credential` may become another."""
    claims = credential.claims
    ends = (claims.expires_at, claims.expires_at + _LEEWAY) if claims.expires_at else ()
    return tuple(when for when in (claims.not_before, *ends) if when)


def worst(answers: Iterable[ServerAnswer]) -> ServerAnswer:
    """Return the answer that matters where several servers were asked about one credential; not asked for none."""
    found = list(answers)
    return min(found, key=lambda answer: _WORST.index(answer.verdict)) if found else ServerAnswer()
