"""A document with one credential alone, so that a server's answer is about that one and no other."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from ansflow_desktop.credentials.chain import tls_address
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
_KEY = secrets.token_bytes(32)
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
    unsent = kind is CredentialKind.CLIENT_CERTIFICATE and tls_address(document["clusters"][0]["cluster"]) is None
    if not kept or unsent:  # without TLS a certificate is never shown
        return None
    name = str(document["users"][0]["name"])
    return {**document, "users": [{"name": name, "user": kept}]}


def _kept(user: dict[str, Any], kind: CredentialKind) -> dict[str, Any]:
    if kind is CredentialKind.LEGACY_TOKEN:
        return next(({field: user[field]} for field in _TOKENS if user.get(field)), {})
    if kind is CredentialKind.OIDC_ID_TOKEN:
        return _provided(user, "id-token")
    if kind is CredentialKind.TOKEN and not user.get("token"):
        return _provided(user, "access-token")
    return {field: user[field] for field in _FIELDS.get(kind, ()) if user.get(field)}


def _provided(user: dict[str, Any], field: str) -> dict[str, Any]:
    """Return the token that an `auth-provider` keeps in `field`, as a bearer token."""
    provider = user.get("auth-provider")
    config = provider.get("config") if isinstance(provider, dict) else None
    token = config.get(field) if isinstance(config, dict) else None
    return {"token": str(token)} if token else {}


def server_of(document: dict[str, Any]) -> str:
    """Return the address of the document's API server."""
    return str(document["clusters"][0]["cluster"].get("server") or "")


def key_of(credential: Credential, document: dict[str, Any]) -> str:
    """Return the name under which the answer to `credential` is kept; `document` is that of `only`.

    It is made with a key of this process alone and says nothing of the secret. A new token in the same place, or in
    the same file, is another question; what a credential program gives is always its newest.
    """
    user = repr(sorted(document["users"][0]["user"].items())).encode("utf-8", errors="replace")
    mark = hashlib.blake2b(user, key=_KEY, digest_size=16).hexdigest()
    renews = credential.kind is CredentialKind.EXEC_PLUGIN
    return f"{mark} {'' if renews else credential.fingerprint} {server_of(document)}"


def turns_of(credential: Credential) -> tuple[datetime.datetime, ...]:
    """Return the times at which a server's answer to `credential` may become another."""
    claims = credential.claims
    ends = (claims.expires_at, claims.expires_at + _LEEWAY) if claims.expires_at else ()
    return tuple(when for when in (claims.not_before, *ends) if when)


def worst(answers: Iterable[ServerAnswer]) -> ServerAnswer:
    """Return the answer that matters where several servers were asked about one credential; not asked for none."""
    found = list(answers)
    return min(found, key=lambda answer: _WORST.index(answer.verdict)) if found else ServerAnswer()
