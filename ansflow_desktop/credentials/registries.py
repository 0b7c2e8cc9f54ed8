"""Logins at image and chart registries that docker and helm keep, and pull secrets of a cluster; no helper is run."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop.credentials import times
from ansflow_desktop.credentials.jwt import read_token
from ansflow_desktop.credentials.sources import fingerprint, identifier, read_file
from ansflow_desktop.files import is_there
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.credential import Claims, Credential, CredentialKind, Use

_LONGEST = 300
_SECRET_KEYS = (".dockerconfigjson", ".dockercfg")
SECRET_TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
"""The types of Secrets that hold logins at registries ("Types of Secret" of the Kubernetes manual)."""


def registry_logins(home: Path, environ: Mapping[str, str] | None = None) -> tuple[Credential, ...]:
    """Return the logins that docker and helm keep below `home`; reads two small files, never raises.

    `environ` (this process's own when not given) may name other places: DOCKER_CONFIG, HELM_REGISTRY_CONFIG. A file
    that cannot be read is one credential with a problem; a login that a helper keeps is named, and not asked for.
    """
    found: dict[str, Credential] = {}
    for program, path in _files(home, os.environ if environ is None else environ):
        for item in _of_file(program, path):
            found.setdefault(item.id, item)
    return tuple(found.values())


def image_pull_secrets(raw: bytes, cluster: str = "") -> tuple[Credential, ...]:
    """Return the logins in `raw`, the JSON of one Secret or of a list of them, as those used by `cluster`.

    Secrets of other types are passed over; what is no JSON gives nothing.
    """
    content = _object(raw)
    listed = content.get("items")
    items = listed if isinstance(listed, list) else [content]
    return tuple(login for item in items if isinstance(item, dict) for login in _of_secret(item, cluster))


def _files(home: Path, environ: Mapping[str, str]) -> list[tuple[str, Path]]:
    docker = Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else home / ".docker"
    config = Path(environ["HELM_CONFIG_HOME"]) if environ.get("HELM_CONFIG_HOME") else _config(home, environ) / "helm"
    registry = environ.get("HELM_REGISTRY_CONFIG")
    return [
        ("docker", docker / "config.json"),
        ("helm", Path(registry) if registry else config / "registry" / "config.json"),
    ]


def _config(home: Path, environ: Mapping[str, str]) -> Path:
    if environ.get("XDG_CONFIG_HOME"):
        return Path(environ["XDG_CONFIG_HOME"])
    mac = home / "Library" / "Preferences"
    return mac if is_there(mac / "helm") else home / ".config"


def _of_file(program: str, path: Path) -> list[Credential]:
    if not is_there(path):
        return []
    found = read_file(str(path))
    if found.problem:
        return [_broken(program, path, found.problem)]
    content = _object(found.data)
    if not content:
        return [] if found.data.strip() == b"{}" else [_broken(program, path, msg("It holds no JSON object"))]
    place = str(path)
    return [_login(program, place, host, claims, mark) for host, (claims, mark) in _logins(content).items()]


def _logins(content: Mapping[str, Any]) -> dict[str, tuple[Claims, str]]:
    """Return claims and fingerprint by registry, as docker reads `auths`, `credHelpers` and `credsStore`."""
    listed, helpers = content.get("auths"), content.get("credHelpers")
    auths = listed if isinstance(listed, dict) else {}
    named = helpers if isinstance(helpers, dict) else {}
    found: dict[str, tuple[Claims, str]] = {}
    for host, value in auths.items():
        own = value if isinstance(value, dict) else {}
        helper = named.get(host) or content.get("credsStore")
        found[str(host)] = (_kept_by(helper), "") if isinstance(helper, str) and helper and not own else _auth(own)
    for host, helper in named.items():
        found.setdefault(str(host), (_kept_by(str(helper)), ""))
    return found


def _kept_by(helper: str) -> Claims:
    note = msg("The program docker-credential-%(helper)s keeps it; it is not asked.", helper=clean(helper, _LONGEST))
    return Claims(opaque=True, notes=(note,))


def _auth(value: Mapping[str, Any]) -> tuple[Claims, str]:
    """Return what one entry of `auths` says: a token first, else user and password."""
    for name in ("identitytoken", "registrytoken"):
        token = value.get(name)
        if isinstance(token, str) and token:
            return read_token(token), fingerprint(token.strip().encode())
    user, password, problem = _user(value)
    if problem:
        return Claims(problem=problem), ""
    claims = read_token(password) if password else Claims(opaque=True)
    if claims.problem or claims.opaque:
        claims = Claims(opaque=True, expires_at=times.from_epoch(end) if (end := _named_end(password)) else None)
    mark = fingerprint(password.encode()) if claims.expires_at or not claims.opaque else ""
    return msgspec.structs.replace(claims, subject=claims.subject or clean(user, _LONGEST)), mark


def _user(value: Mapping[str, Any]) -> tuple[str, str, Text]:
    """Return user and password of `auth` (Base64 of `user:password`), else of the two plain fields, or a problem."""
    packed = value.get("auth")
    if not isinstance(packed, str) or not packed:
        user, password = value.get("username"), value.get("password")
        return str(user or ""), password if isinstance(password, str) else "", ""
    try:
        text = base64.b64decode(packed, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "", "", msg("The field %(field)s is not Base64", field="auth")
    user, colon, password = text.partition(":")
    return user, password.strip("\0"), "" if colon else msg("It names a user without a password")


def _named_end(password: str) -> float:
    """Return the `expiration` (seconds since 1970) in a password of Amazon's registry, 0 where there is none."""
    try:
        found = json.loads(base64.b64decode(password, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return 0
    end = found.get("expiration") if isinstance(found, dict) else None
    return float(end) if isinstance(end, int | float) and not isinstance(end, bool) else 0


def _login(program: str, place: str, host: str, claims: Claims, mark: str) -> Credential:
    shown = clean(host, _LONGEST)
    return Credential(
        id=identifier(place, host, str(CredentialKind.REGISTRY_LOGIN)),
        name=f"{shown} ({program})",
        kind=CredentialKind.REGISTRY_LOGIN,
        used_by=(Use(cluster="", place=place),),
        claims=claims,
        fingerprint=mark,
    )


def _broken(program: str, path: Path, problem: Text) -> Credential:
    return _login(program, str(path), path.name, Claims(problem=problem), "")


def _of_secret(secret: Mapping[str, Any], cluster: str) -> list[Credential]:
    if secret.get("type") not in SECRET_TYPES:
        return []
    found = secret.get("metadata")
    metadata = found if isinstance(found, dict) else {}
    namespace, name = (clean(str(metadata.get(key) or ""), _LONGEST) for key in ("namespace", "name"))
    place = f"{namespace}/{name}"
    result = []
    for host, (claims, mark) in _secret_logins(secret).items():
        login = _login(place, cluster, host, claims, mark)
        result.append(
            msgspec.structs.replace(
                login,
                id=identifier(cluster, place, host, str(CredentialKind.IMAGE_PULL)),
                kind=CredentialKind.IMAGE_PULL,
                used_by=(Use(cluster=cluster, place=f"Secret {place}"),),
                namespace=namespace,
            )
        )
    return result


def _secret_logins(secret: Mapping[str, Any]) -> dict[str, tuple[Claims, str]]:
    data = secret.get("data")
    fields = data if isinstance(data, dict) else {}
    for key in _SECRET_KEYS:
        packed = fields.get(key)
        if not isinstance(packed, str):
            continue
        try:
            content = _object(base64.b64decode(packed, validate=True))
        except (binascii.Error, ValueError):
            content = {}
        if content:
            return _logins(content if key == _SECRET_KEYS[0] else {"auths": content})
    return {"?": (Claims(problem=msg("The Secret holds no login that can be read")), "")}


def _object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`, empty where there is none."""
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
