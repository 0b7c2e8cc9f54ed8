"""What certificates say of themselves: DER, PEM with anything around it, chains; nothing is verified here."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from typing import TYPE_CHECKING, Any

from ansflow_desktop.credentials import times
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.credential import Claims

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

    from cryptography import x509

MOST = 200
"""No more certificates of one file are read: a bundle of all public authorities has about 150."""

_BEGIN = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")
_END = re.compile(rb"-----END (?:X509 |TRUSTED )?CERTIFICATE-----")
_LONGEST = 300
_SHORT_RSA = 2048
_FOR_EVER = (9999, 12, 31)  # "no well-defined expiration date" (RFC 5280, 4.1.2.5)


def read_certificates(data: bytes) -> tuple[Claims, ...]:
    """Return what every certificate in `data` (DER, or PEM with anything around it) says, in their order.

    Never raises and never returns nothing: what cannot be read is Claims with a `problem`.
    """
    found = ders(data)
    if not found:
        return (Claims(problem=msg("There is no certificate in it")),)
    return of_server(found)


def ders(data: bytes) -> tuple[bytes, ...]:
    """Return the DER form of every certificate in `data`, empty for a PEM block that is not Base64."""
    blocks = tuple(itertools.islice(_blocks(data), MOST))
    if blocks:
        return tuple(map(_decoded, blocks))
    return (data,) if data[:1] == b"\x30" else ()


def _blocks(data: bytes) -> Iterator[bytes]:
    """Yield what stands between the lines of each PEM block, each byte looked at once: beginnings may have no end."""
    place = 0
    while (begin := _BEGIN.search(data, place)) and (end := _END.search(data, begin.end())):
        yield data[begin.end() : end.start()]
        place = end.end()


def of_server(chain: Iterable[bytes]) -> tuple[Claims, ...]:
    """Return what each certificate of a DER chain says, the server's own first; never raises."""
    return tuple(map(_claims, chain))


def _decoded(block: bytes) -> bytes:
    """Return the DER of a PEM block; headers before an empty line (OpenSSL's) and white space are passed over."""
    text = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    body = text.split(b"\n\n", 1)[1] if b":" in text and b"\n\n" in text else text
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return b""


def _claims(der: bytes) -> Claims:
    from cryptography import x509

    try:
        return _of(x509.load_der_x509_certificate(der))
    except (ValueError, TypeError, OverflowError, UnicodeError, x509.InvalidVersion):
        return Claims(problem=msg("It cannot be read: it was cut off or changed"))


def _of(certificate: x509.Certificate) -> Claims:
    from cryptography.x509.oid import NameOID

    subject, issuer = certificate.subject, certificate.issuer
    end, end_notes = _end(certificate.not_valid_after_utc)
    return Claims(
        subject=(_values(subject, NameOID.COMMON_NAME) or (_word(subject.rfc4514_string()),))[0],
        groups=_values(subject, NameOID.ORGANIZATION_NAME),
        issuer=(_values(issuer, NameOID.COMMON_NAME) or (_word(issuer.rfc4514_string()),))[0],
        audience=_names(certificate),
        issued_at=times.within(certificate.not_valid_before_utc),
        not_before=times.within(certificate.not_valid_before_utc),
        expires_at=end,
        algorithm=_algorithm(certificate),
        serial=f"{certificate.serial_number:x}",
        notes=(*end_notes, *_notes(certificate)),
    )


def _end(when: datetime.datetime) -> tuple[datetime.datetime | None, tuple[Text, ...]]:
    if (when.year, when.month, when.day) == _FOR_EVER:
        return None, (msg("It was made without an end."),)
    return times.within(when), ()


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(_word(str(item.value)) for item in name.get_attributes_for_oid(oid))


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the names and addresses of the subjectAltName; none where there is no such part, or a broken one."""
    from cryptography import x509

    extension = _extension(certificate, x509.SubjectAlternativeName)
    return () if extension is None else tuple(_word(str(item.value)) for item in extension)


def _extension(certificate: x509.Certificate, kind: Any) -> Any:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def _algorithm(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _notes(certificate: x509.Certificate) -> tuple[Text, ...]:
    notes: list[Text] = []
    if certificate.not_valid_after_utc <= certificate.not_valid_before_utc:
        notes.append(msg("It ends before it begins."))
    algorithm = _algorithm(certificate)
    if algorithm.startswith("RSA ") and int(algorithm[4:]) < _SHORT_RSA:
        notes.append(msg("Its key is short (%(algorithm)s); many programs refuse that.", algorithm=algorithm))
    if _weakly_signed(certificate):
        notes.append(msg("It is signed with SHA-1 or MD5; many programs refuse that."))
    return tuple(notes)


def _weakly_signed(certificate: x509.Certificate) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        used = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return False
    return used is not None and used.name in ("sha1", "md5") and certificate.subject != certificate.issuer


def _word(text: str) -> str:
    return clean(text.replace("\n", " "), _LONGEST)
