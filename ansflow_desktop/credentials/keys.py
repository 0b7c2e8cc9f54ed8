"""Whether a client certificate has its key: one without it, or with another's, signs nobody in."""

from __future__ import annotations

from ansflow_desktop.credentials.sources import Found
from ansflow_desktop.i18n import Text, msg


def key_problem(certificate: bytes, key: Found | None) -> Text:
    """Return why the certificate (DER) cannot be used with `key` (PEM), empty where it can or nothing is known.

    The key is compared and dropped; nothing of it is kept.
    """
    if key is None:
        return msg("It has no key")
    if key.problem:
        return key.problem
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        own = x509.load_der_x509_certificate(certificate).public_key()
        public = load_pem_private_key(key.data, None).public_key()
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return "" if own.public_bytes(*form) == public.public_bytes(*form) else msg("The key belongs to another one")
    except TypeError:
        return msg("The key is behind a passphrase")
    except UnsupportedAlgorithm:
        return ""
    except ValueError:
        return msg("The key cannot be read")
