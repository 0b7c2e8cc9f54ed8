"""Tokens and certificates for tests: signed by nobody that matters, with whatever claims are asked for."""

from __future__ import annotations

import base64
import datetime
import functools
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
WEEK = datetime.timedelta(days=7)


def segment(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(payload: Any, header: Any = None) -> str:
    return f"{segment({'alg': 'RS256'} if header is None else header)}.{segment(payload)}.c2lnbmF0dXJl"


@functools.cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(own: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    return (own or key()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(
    name: str = "alice",
    groups: tuple[str, ...] = (),
    begin: datetime.datetime = NOW - WEEK,
    end: datetime.datetime = NOW + WEEK * 10,
    *,
    authority: bool = False,
) -> x509.Certificate:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    names += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name(names)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key().public_key())
    builder = builder.serial_number(4711).not_valid_before(begin).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return builder.sign(key(), hashes.SHA256())


def pem(found: x509.Certificate) -> bytes:
    return found.public_bytes(Encoding.PEM)


def der(found: x509.Certificate) -> bytes:
    return found.public_bytes(Encoding.DER)


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()
