"""A client certificate from the cluster: key and request made here, signed there (certificates.k8s.io/v1).

The key never leaves this process. Rules: "Certificates and Certificate Signing Requests" of the Kubernetes manual; the
signer `kubernetes.io/kube-apiserver-client` signs for `client auth` only and refuses the group `system:masters`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import datetime
import secrets
import time
from collections.abc import Callable
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.text import clean

SIGNER = "kubernetes.io/kube-apiserver-client"

_REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a signature (`patience`, seconds), by which `signer`, and whom to tell about approval."""

    patience: float = 20.0
    signer: str = SIGNER
    told: Callable[[Text], None] | None = None


class _Condition(msgspec.Struct, frozen=True):
    type: str = ""
    reason: str = ""
    message: str = ""


class _State(msgspec.Struct, frozen=True):
    certificate: str = ""
    conditions: tuple[_Condition, ...] = ()


class _Request(msgspec.Struct, frozen=True):
    status: _State = _State()


def new_request(user: str, groups: tuple[str, ...]) -> tuple[str, str]:
    """Return a new private key (P-256) and a request for `user` and `groups`, both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, user)]
    names += [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, group) for group in groups]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(encoding, form, serialization.NoEncryption())
    return private.decode(), request.public_bytes(encoding).decode()


async def signed(client: ClusterClient, request: str, seconds: int, waiting: Waiting) -> str:
    """Return the certificate (PEM) that the cluster made of `request` (PEM); the request is deleted in every case.

    Raises UserError where it is denied, failed, or not signed in time; KubeError for the server's refusal.
    """
    name = f"ansflow-{secrets.token_hex(6)}"
    made = msgspec.json.decode(await client.post(_REQUESTS, _body(name, request, seconds, waiting.signer)))
    try:
        await _approve(client, name, made, waiting)
        return await _certificate(client, name, waiting.patience)
    finally:
        await asyncio.shield(_take_away(client, name))


def checked(certificate: str, key: str, user: str, server: str) -> datetime.datetime:
    """Return the end of `certificate` (aware UTC); raises UserError where it is not for our key and `user`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except ValueError as error:
        raise _wrong(server, str(error)) from error
    named = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if leaf.public_key() != private.public_key() or [str(each.value) for each in named] != [user]:
        raise _wrong(server, msg("It is for another key or another user than was asked."))
    return leaf.not_valid_after_utc


def _body(name: str, request: str, seconds: int, signer: str) -> dict[str, Any]:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode(request.encode()).decode(),
            "signerName": signer,
            "expirationSeconds": seconds,
            "usages": ["client auth"],
        },
    }


async def _approve(client: ClusterClient, name: str, made: dict[str, Any], waiting: Waiting) -> None:
    """Approve the request; where that is not allowed, say what an administrator has to run."""
    condition = {"type": "Approved", "status": "True", "reason": "AnsFlowRenewal", "message": "Renewed with AnsFlow"}
    try:
        await client.put(f"{_REQUESTS}/{name}/approval", {**made, "status": {"conditions": [condition]}})
    except KubeError as error:
        if error.code is not ExitCode.FORBIDDEN:
            raise
        if waiting.told:
            waiting.told(msg("An administrator has to approve it: kubectl certificate approve %(name)s", name=name))


async def _certificate(client: ClusterClient, name: str, patience: float) -> str:
    end, pause = time.monotonic() + patience, _FIRST_PAUSE_S
    while True:
        state = await _state(client, name)
        _require_no_denial(state)
        if state.certificate:
            return _pem(state.certificate, client.server)
        if time.monotonic() + pause > end:
            raise _unsigned(state, patience)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)


async def _state(client: ClusterClient, name: str) -> _State:
    try:
        return msgspec.json.decode(await client.get(f"{_REQUESTS}/{name}"), type=_Request).status
    except msgspec.MsgspecError as error:
        raise _wrong(client.server, str(error)) from error


def _require_no_denial(state: _State) -> None:
    for condition in state.conditions:
        if condition.type in ("Denied", "Failed"):
            words = clean(": ".join(part for part in (condition.reason, condition.message) if part))
            code = ExitCode.FORBIDDEN if condition.type == "Denied" else ExitCode.FAILED
            raise UserError(msg("The certificate was not signed"), words, _kept(), code=code)


def _unsigned(state: _State, patience: float) -> UserError:
    title = msg("No certificate was signed within %(seconds)s s", seconds=f"{patience:g}")
    if any(condition.type == "Approved" for condition in state.conditions):
        reason = msg("The request was approved, but the cluster's signer did nothing.")
        return UserError(title, reason, _kept(), code=ExitCode.FAILED)
    reason = msg("Nobody approved the request, and this user may not approve it.")
    return UserError(title, reason, _kept(), code=ExitCode.FORBIDDEN)


def _kept() -> Text:
    return msg("The old credential is kept. Ask the cluster's administrator.")


def _pem(encoded: str, server: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _wrong(server, str(error)) from error


async def _take_away(client: ClusterClient, name: str) -> None:
    try:
        await client.delete(f"{_REQUESTS}/{name}")
    except KubeError:
        return  # the cluster itself deletes signed requests after an hour, others after a day


def _wrong(server: str, words: Text) -> UserError:
    title = msg("%(server)s gave a certificate that cannot be used", server=server)
    return UserError(title, words, _kept(), code=ExitCode.FAILED)
