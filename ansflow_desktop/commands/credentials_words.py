"""The fixed words of credentials in text output: in English those of the JSON document (cli.md), else translated."""

from __future__ import annotations

from ansflow_desktop.i18n import Message, msg, translate
from ansflow_desktop.models.credential import ClaimVerdict, CredentialKind, CredentialStatus, ServerVerdict

CLAIM: dict[str, Message] = {
    ClaimVerdict.VALID: msg("valid"),
    ClaimVerdict.EXPIRING: msg("expiring"),
    ClaimVerdict.EXPIRED: msg("expired"),
    ClaimVerdict.NOT_YET_VALID: msg("not_yet_valid"),
    ClaimVerdict.NO_EXPIRY: msg("no_expiry"),
    ClaimVerdict.RENEWS_ITSELF: msg("renews_itself"),
    ClaimVerdict.OPAQUE: msg("opaque"),
    ClaimVerdict.MALFORMED: msg("malformed"),
}
SERVER: dict[str, Message] = {
    ServerVerdict.ACCEPTED: msg("accepted"),
    ServerVerdict.REFUSED: msg("refused"),
    ServerVerdict.FORBIDDEN: msg("forbidden"),
    ServerVerdict.UNREACHABLE: msg("unreachable"),
    ServerVerdict.NOT_ASKED: msg("not_asked"),
    ServerVerdict.UNKNOWN: msg("unknown"),
}
STATUS: dict[str, Message] = {
    CredentialStatus.NO_TOKEN: msg("no_token"),
    CredentialStatus.INVALID: msg("invalid"),
    CredentialStatus.WARNING: msg("warning"),
    CredentialStatus.VALID: msg("valid"),
}
KIND: dict[str, Message] = {
    CredentialKind.TOKEN: msg("token"),
    CredentialKind.TOKEN_FILE: msg("token_file"),
    CredentialKind.LEGACY_TOKEN: msg("legacy_token"),
    CredentialKind.CLIENT_CERTIFICATE: msg("client_certificate"),
    CredentialKind.CA_CERTIFICATE: msg("ca_certificate"),
    CredentialKind.SERVER_CERTIFICATE: msg("server_certificate"),
    CredentialKind.EXEC_PLUGIN: msg("exec_plugin"),
    CredentialKind.OIDC_ID_TOKEN: msg("oidc_id_token"),
    CredentialKind.OIDC_REFRESH_TOKEN: msg("oidc_refresh_token"),
    CredentialKind.PASSWORD: msg("password"),
    CredentialKind.REGISTRY_LOGIN: msg("registry_login"),
    CredentialKind.IMAGE_PULL: msg("image_pull"),
}

_TABLES = {"claim_verdict": CLAIM, "server_verdict": SERVER, "status": STATUS, "kind": KIND}


def said(key: str, value: object) -> str:
    """Return the value of a row's `key` (cli.md) as text output shows it, `-` for none."""
    found = _TABLES.get(key, {}).get(str(value))
    return translate(found) if found is not None else str(value or "-")
