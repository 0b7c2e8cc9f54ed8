"""The words of every advice."""

from __future__ import annotations

import msgspec

from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.credential import Advice, Credential, CredentialKind, Strategy

_ALL = ("bash", "powershell", "systemd", "cronjob", "exec")

KEEP = Advice(strategy=Strategy.KEEP, title=msg("Nothing to do"))
KEEP_RENEWABLE = msgspec.structs.replace(KEEP, automation=_ALL)
"""For a ServiceAccount's token that is in order: now is the best time to have it renewed by itself."""
FIX_CLOCK = Advice(
    strategy=Strategy.FIX_CLOCK,
    title=msg("Set the clocks right"),
    why=msg("The server's clock and ours differ: what has ended here may be valid there, and the other way round."),
    immediate=True,
)
CHECK_CLOCK = Advice(
    strategy=Strategy.FIX_CLOCK,
    title=msg("Check this computer's clock"),
    why=msg("It is to begin later than now. If it was made just now, a clock is wrong."),
    immediate=True,
)
CORRECT = Advice(
    strategy=Strategy.CORRECT,
    title=msg("Give the credential again"),
    why=msg("What stands there cannot be read as what it should be."),
    immediate=True,
)
GIVE_ONE = Advice(
    strategy=Strategy.CORRECT,
    title=msg("Give a credential"),
    why=msg("Its field is empty, or its file is missing."),
    immediate=True,
)
FIX_ACCESS = Advice(
    strategy=Strategy.FIX_ACCESS,
    title=msg("Ask for the rights"),
    why=msg("The server knows the credential and forbids what it is used for: a new one would change nothing."),
    immediate=True,
)
FIX_CONNECTION = Advice(
    strategy=Strategy.FIX_ACCESS,
    title=msg("Test the connection to the cluster"),
    why=msg("The server could not be reached: whether it accepts the credential is not known."),
)
TOKEN_REQUEST = Advice(
    strategy=Strategy.TOKEN_REQUEST,
    title=msg("Ask the server for a new token"),
    why=msg("A ServiceAccount's token can be renewed with a request (TokenRequest) as long as the old one works."),
    immediate=True,
    automation=_ALL,
)
TOKEN_BY_OTHERS = Advice(
    strategy=Strategy.ASK_ADMINISTRATOR,
    title=msg("Have a new token made by somebody who may"),
    why=msg("This token cannot ask for its successor any more: use another credential, or ask the administrator."),
    immediate=True,
    automation=_ALL,
)
NEW_TOKEN = Advice(
    strategy=Strategy.SIGN_IN,
    title=msg("Fetch a new token where this one came from"),
    why=msg("It is not the token of a ServiceAccount, so the cluster cannot renew it."),
    immediate=True,
)
REPLACE_LEGACY = Advice(
    strategy=Strategy.REPLACE_LEGACY,
    title=msg("Replace it by a token that ends"),
    why=msg("It works until its Secret or ServiceAccount is deleted, for whoever has a copy of it."),
    automation=_ALL,
)
CSR = Advice(
    strategy=Strategy.CSR,
    title=msg("Ask the cluster to sign a new certificate"),
    why=msg("A CertificateSigningRequest is possible as long as the old certificate works and its user may."),
    immediate=True,
    automation=("bash", "powershell", "systemd"),
)
CERTIFICATE_BY_OTHERS = Advice(
    strategy=Strategy.ROTATE_CERTIFICATE,
    title=msg("Have a new certificate made"),
    why=msg("This one cannot ask for its successor any more. For a cluster of kubeadm: kubeadm certs renew."),
    immediate=True,
)
ROTATE_AUTHORITY = Advice(
    strategy=Strategy.ROTATE_CERTIFICATE,
    title=msg("Have the cluster's authority replaced, and its new certificate given to every user"),
    why=msg("Whatever it signed ends with it: the server's certificate and those of users."),
    immediate=True,
)
ROTATE_SERVER = Advice(
    strategy=Strategy.ROTATE_CERTIFICATE,
    title=msg("Have the server's certificate renewed"),
    why=msg("Only who runs the cluster can do that. For a cluster of kubeadm: kubeadm certs renew apiserver."),
    immediate=True,
)
APPROVE = Advice(
    strategy=Strategy.SIGN_IN,
    title=msg("Look at the credential program, then allow it"),
    why=msg("It is run for this cluster only after somebody has seen its command; until then nobody signs in with it."),
)
SIGN_IN_PROGRAM = Advice(
    strategy=Strategy.SIGN_IN,
    title=msg("Sign in again with the credential program"),
    why=msg("The program gives a credential that the server refuses; run it in a terminal."),
    immediate=True,
)
SIGN_IN: dict[CredentialKind, Advice] = {
    CredentialKind.OIDC_ID_TOKEN: Advice(
        strategy=Strategy.SIGN_IN,
        title=msg("Sign in again"),
        why=msg("A kubectl command with this context fetches a new one while the refresh token works."),
        immediate=True,
    ),
    CredentialKind.OIDC_REFRESH_TOKEN: Advice(
        strategy=Strategy.SIGN_IN,
        title=msg("Sign in again"),
        why=msg("Without it no new sign-in token can be fetched."),
        immediate=True,
    ),
    CredentialKind.REGISTRY_LOGIN: Advice(
        strategy=Strategy.SIGN_IN,
        title=msg("Log in at the registry again"),
        why=msg("Run helm registry login or docker login."),
        immediate=True,
    ),
    CredentialKind.IMAGE_PULL: Advice(
        strategy=Strategy.SIGN_IN,
        title=msg("Replace the pull secret"),
        why=msg("Log in at the registry again and write the new login into the Secret."),
        immediate=True,
    ),
}
NO_PASSWORD = Advice(
    strategy=Strategy.CORRECT,
    title=msg("Use a token or a certificate"),
    why=msg("Kubernetes does not know passwords since version 1.19."),
)
SHORTEN = Advice(
    strategy=Strategy.SHORTEN,
    title=msg("Let tokens live shorter, and renew them by a program"),
    why=msg("A token cannot be taken back: a copy of it works until it ends."),
    automation=_ALL,
)
SHORTEN_ELSEWHERE = Advice(
    strategy=Strategy.SHORTEN,
    title=msg("Let tokens live shorter where they are made"),
    why=msg("A token cannot be taken back: a copy of it works until it ends."),
)
SHORTEN_CERTIFICATE = Advice(
    strategy=Strategy.SHORTEN,
    title=msg("Let certificates live shorter"),
    why=msg("Kubernetes cannot revoke a client certificate: a copy of it works until it ends."),
)

_BREAKS = {
    CredentialKind.CA_CERTIFICATE: msg("Without it no program trusts the server"),
    CredentialKind.SERVER_CERTIFICATE: msg("Without it every program refuses the connection"),
    CredentialKind.REGISTRY_LOGIN: msg("Without it charts and images of this registry cannot be fetched"),
    CredentialKind.IMAGE_PULL: msg("Without it pods that start anew cannot fetch their images"),
}
_SIGN_INS = msg("Without it nothing can be deployed or read")


def breaks(credential: Credential) -> Text:
    """Return what stops working when `credential` does, and in which clusters."""
    what = _BREAKS.get(credential.kind, _SIGN_INS)
    clusters = ", ".join(dict.fromkeys(use.cluster for use in credential.used_by if use.cluster))
    if not clusters:
        return msg("%(what)s.", what=what)
    return msg("%(what)s: %(clusters)s.", what=what, clusters=clusters)
