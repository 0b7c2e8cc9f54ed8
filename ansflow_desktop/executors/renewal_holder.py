"""Whose credential a kubeconfig document holds, as far as it says so itself."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from ansflow_desktop.credentials.certificates import read_certificates
from ansflow_desktop.credentials.jwt import read_token
from ansflow_desktop.files import read_small
from ansflow_desktop.models.credential import Claims, When


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The user and groups that a credential names, and its end; `certificate`: it is a client certificate."""

    user: str = ""
    groups: tuple[str, ...] = ()
    expires_at: When = None
    certificate: bool = False


def holder_of(document: dict[str, Any]) -> Holder:
    """Return whose credential the user of `document` has; empty where it does not say. Reads the files it names."""
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    token = str(user.get("token") or "") or _file(user.get("tokenFile")).decode("utf-8", "replace").strip()
    if token:
        claims = read_token(token)
        return Holder(user=claims.subject, expires_at=claims.expires_at)
    certificate = _decoded(user.get("client-certificate-data")) or _file(user.get("client-certificate"))
    return _of_certificate(certificate) if certificate else Holder()


def _of_certificate(data: bytes) -> Holder:
    first: Claims = next(iter(read_certificates(data)), Claims())
    return Holder(user=first.subject, groups=first.groups, expires_at=first.expires_at, certificate=True)


def _decoded(data: Any) -> bytes:
    try:
        return base64.b64decode(str(data or ""), validate=False)
    except binascii.Error:
        return b""


def _file(path: Any) -> bytes:
    if not path:
        return b""
    try:
        return read_small(str(path))
    except (OSError, ValueError):
        return b""
