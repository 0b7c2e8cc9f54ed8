"""The TLS stage of a connection test: is the server's certificate the right one, and until when."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
from typing import TYPE_CHECKING, Any

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.diagnose_network import Way, connect, context_of
from ansflow_desktop.kube.diagnose_stages import Stages
from ansflow_desktop.kube.text import clean

if TYPE_CHECKING:
    from cryptography import x509

_SOON = datetime.timedelta(days=14)
_MOST_NAMES = 12
_ENDED, _NOT_YET = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID
_OTHER_NAME = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_OPEN_MISTAKES = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "HTTP_REQUEST")
_WANTS_CLIENT = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE")


async def look_at_tls(way: Way, cluster: dict[str, Any], stages: Stages, timeout: float) -> None:
    """Note the stage tls: chain, name, expiry; raises Stop where the connection cannot be trusted."""
    if not way.tls:
        stages.skip("tls", msg("The connection is not encrypted"))
        return
    stages.begin()
    context = await asyncio.to_thread(_context, cluster, stages)
    name = str(cluster.get("tls-server-name") or "") or way.host
    try:
        der = await _certificate(way, context, name, timeout)
    except ssl.SSLCertVerificationError as error:
        raise await _distrust(way, name, error, stages, timeout) from error
    except TimeoutError as error:
        words = msg("No answer within %(seconds)s s", seconds=f"{timeout:g}")
        hint = msg("It accepts connections and then says nothing: it may be frozen or overloaded.")
        raise stages.bad("tls", msg("%(host)s does not answer", host=way.host), words, hint) from error
    except (OSError, ValueError) as error:
        _handshake_failed(way, error, stages)
        return
    _judge(der, context, stages)


def _context(cluster: dict[str, Any], stages: Stages) -> ssl.SSLContext:
    """Return the context that the client uses too; raises Stop where the authority's certificate cannot be read."""
    try:
        return context_of(cluster)
    except (OSError, ValueError, TypeError) as error:
        title = msg("The certificate of the authority cannot be read")
        hint = msg("Correct certificate-authority of this cluster: PEM text, or a file that holds it.")
        raise stages.bad("tls", title, clean(str(error)), hint) from error


async def _certificate(way: Way, context: ssl.SSLContext, name: str, timeout: float) -> bytes:
    """Return the server's own certificate (DER) after a handshake; raises OSError or ValueError."""
    opened = await connect(way, timeout)
    try:
        async with asyncio.timeout(timeout):
            await opened.writer.start_tls(context, server_hostname=name)
        return opened.writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    finally:
        opened.close()


async def _distrust(
    way: Way, name: str, error: ssl.SSLCertVerificationError, stages: Stages, timeout: float
) -> Exception:
    """Return the exception that ends the test, after a look at the certificate that is not trusted."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    certificate = None
    with contextlib.suppress(OSError, ValueError):
        certificate = _parsed(await _certificate(way, context, name, timeout))
    title, hint = _reason(name, error, certificate)
    return stages.bad("tls", title, clean(error.verify_message), hint)


def _reason(name: str, error: ssl.SSLCertVerificationError, found: x509.Certificate | None) -> tuple[Text, Text]:
    now = datetime.datetime.now(datetime.UTC)
    clock = msg("If its administrator says that it is valid, the clock of this machine is wrong.")
    if error.verify_code in _OTHER_NAME:
        names = ", ".join(_names(found)) if found else ""
        title = msg("The server's certificate is not for %(name)s but for %(names)s", name=name, names=names)
        return title, msg("Use one of these names in the address, or set tls-server-name; or this is another server.")
    if error.verify_code == _ENDED and found and found.not_valid_after_utc < now:
        return msg("The server's certificate ended on %(date)s", date=_date(found.not_valid_after_utc)), clock
    if error.verify_code == _NOT_YET and found and found.not_valid_before_utc > now:
        return msg("The server's certificate begins on %(date)s", date=_date(found.not_valid_before_utc)), clock
    if error.verify_code == _ENDED:
        return msg("A certificate of the authority has ended"), msg("Get the cluster's new certificate-authority.")
    issuer = clean(found.issuer.rfc4514_string()) if found else ""
    title = msg("The server's certificate is signed by an authority that is not trusted: %(issuer)s", issuer=issuer)
    return title, msg("Give the cluster's own certificate-authority; a proxy that opens TLS gives such a one, too.")


def _names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = [*value.get_values_for_type(x509.DNSName), *map(str, value.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError):
        found = []
    return [clean(one) for one in found[:_MOST_NAMES]] or [clean(certificate.subject.rfc4514_string())]


def _handshake_failed(way: Way, error: Exception, stages: Stages) -> None:
    """Note why there was no handshake; one that wants a client certificate is not at fault yet."""
    reason = str(getattr(error, "reason", "") or "")
    words = clean(str(error) or type(error).__name__)
    if any(part in reason for part in _WANTS_CLIENT):
        stages.warn("tls", msg("The server wants a client certificate before it shows its own"), words)
        return
    if any(part in reason for part in _OPEN_MISTAKES):
        title = msg("%(host)s does not speak TLS on port %(port)s", host=way.host, port=str(way.port))
        raise stages.bad("tls", title, words, msg("Check the port; an address with http:// may be meant.")) from error
    title = msg("The encrypted connection to %(host)s cannot be opened", host=way.host)
    raise stages.bad("tls", title, words, msg("Check the address; a firewall or proxy may be in the way.")) from error


def _judge(der: bytes, context: ssl.SSLContext, stages: Stages) -> None:
    certificate = _parsed(der)
    if context.verify_mode is ssl.CERT_NONE:
        hint = msg("Anybody on the way can pose as this server: give its certificate-authority instead.")
        stages.warn("tls", msg("The server's certificate is not verified"), _until(certificate), hint)
        return
    if certificate is None:
        stages.good("tls", msg("The server's certificate is trusted"))
        return
    end = certificate.not_valid_after_utc
    if end - datetime.datetime.now(datetime.UTC) < _SOON:
        title = msg("The server's certificate ends soon, on %(date)s", date=_date(end))
        stages.warn("tls", title, "", msg("Tell the cluster's administrator: nobody can connect afterwards."))
        return
    stages.good("tls", msg("The server's certificate is trusted, until %(date)s", date=_date(end)))


def _until(certificate: x509.Certificate | None) -> Text:
    return msg("It ends on %(date)s.", date=_date(certificate.not_valid_after_utc)) if certificate else ""


def _parsed(der: bytes) -> x509.Certificate | None:
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _date(when: datetime.datetime) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M")
