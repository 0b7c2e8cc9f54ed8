"""New credentials from the cluster itself: a token by TokenRequest, a client certificate by a signing request.

Whatever comes back is tried before it is given out: the server is asked who it takes the new credential for
(SelfSubjectReview). Nothing is stored here, and the old credential is not touched.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ansflow_desktop.credentials import signing
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.who import ANONYMOUS, Who, review
from ansflow_desktop.models.cluster import ClusterSecret
from ansflow_desktop.models.credential import When
from ansflow_desktop.models.names import namespace_problem

SHORTEST_S = 600
"""The shortest lifetime that the API server gives to a token or a certificate (its own rule)."""
LONGEST_S = 2**32
"""The longest `expirationSeconds` of a TokenRequest; for a certificate, 32 bits with a sign."""

_ACCOUNT = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")
_SIGNER = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+/[A-Za-z0-9][-A-Za-z0-9._/:]{0,200}"
)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LOGIN_FIELDS = (
    "token", "tokenFile", "client-certificate", "client-certificate-data", "client-key", "client-key-data",
    "exec", "auth-provider", "username", "password",
)  # fmt: skip
_TRIES_S = (0.0, 0.3, 0.7, 1.5, 2.5)  # API servers behind one address have clocks and caches of their own
_CAPPED_S = 60.0


class Renewed(msgspec.Struct, frozen=True, kw_only=True):
    """A new credential that the server has accepted: a token, or a certificate and its key (PEM). Never printed.

    `expires_at` is what the server said (aware UTC), `clock_ahead` the server's clock against ours in seconds. `notes`
    say what differs from what was asked, such as a shorter lifetime.
    """

    token: str = ""
    certificate: str = ""
    key: str = ""
    expires_at: When = None
    identity: Who = Who()
    clock_ahead: float = 0
    notes: tuple[Text, ...] = ()

    @property
    def secret(self) -> ClusterSecret:
        """The new secret as the vault keeps it."""
        return ClusterSecret(token=self.token, certificate=self.certificate, key=self.key)

    def __repr__(self) -> str:
        """Say nothing: a representation ends up in logs and crash reports."""
        return "Renewed(***)"


async def token_request(
    document: dict[str, Any],
    namespace: str,
    account: str,
    seconds: int,
    audiences: Sequence[str] = (),
    *,
    timeout: float = 30.0,
) -> Renewed:
    """Return a new token of the ServiceAccount `namespace`/`account` for `seconds`, tried on the server.

    Raises UserError for a name or lifetime that cannot be, KubeError for the server's refusal, and UserError when the
    server does not accept its own new token (the account was deleted meanwhile, or `audiences` leave the server out).
    """
    require_account(namespace, account)
    require_lifetime(seconds)
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds, **({"audiences": list(audiences)} if audiences else {})},
    }
    async with ClusterClient(document, timeout=timeout) as client:
        try:
            given = _token_of(await client.post(path, body), client.server)
        except KubeError as error:
            raise _explained(error, namespace, account) from error
        ahead = client.clock_ahead
    made = Renewed(token=given.token, expires_at=_utc(given.expiration_timestamp), clock_ahead=ahead)
    return await _proved(document, made, seconds, timeout)


async def csr(
    document: dict[str, Any],
    user: str,
    groups: Sequence[str],
    seconds: int,
    *,
    signer: str = signing.SIGNER,
    patience: float = 20.0,
    on_wait: Callable[[Text], None] | None = None,
    timeout: float = 30.0,
) -> Renewed:
    """Return a new client certificate for `user` and `groups` by `signer`, and its new key, tried on the server.

    The request is approved here where that is allowed; else `on_wait` is told its name, and an administrator has
    `patience` seconds to approve it. It is deleted in every case. Raises UserError for what cannot be asked, for a
    denial and where nobody signed in time; KubeError for the server's refusal.
    """
    require_user(user)
    require_signer(signer)
    require_lifetime(seconds, most=2**31 - 1)
    key, request = await asyncio.to_thread(signing.new_request, user, tuple(groups))
    async with ClusterClient(document, timeout=timeout) as client:
        wait = signing.Waiting(patience=patience, signer=signer, told=on_wait)
        certificate = await signing.signed(client, request, seconds, wait)
        ahead = client.clock_ahead
    end = signing.checked(certificate, key, user, client.server)
    made = Renewed(certificate=certificate, key=key, expires_at=end, clock_ahead=ahead)
    return await _proved(document, made, seconds, timeout)


def with_secret(document: dict[str, Any], secret: ClusterSecret) -> dict[str, Any]:
    """Return a copy of a kubeconfig `document` in which its user signs in with `secret` and nothing else.

    Impersonation (`as` …) is kept; so are server, CA and proxy.
    """
    nobody: dict[str, Any] = {"name": "user", "user": {}}
    old = next((item for item in document["users"]), nobody)
    kept = {name: value for name, value in old["user"].items() if name not in _LOGIN_FIELDS}
    contexts = [
        {**item, "context": {**item["context"], "user": old["name"]}} for item in document.get("contexts") or []
    ]
    users = [{"name": old["name"], "user": {**kept, **_login(secret)}}]
    return {**document, "contexts": contexts, "users": users}


async def prove(document: dict[str, Any], *, timeout: float = 10.0, patient: bool = True) -> Who:
    """Return who the server takes the user of `document` for; raises KubeError (401: refused).

    With `patient` a refusal is believed after some seconds only: a new credential may not be known to each of several
    API servers yet, or be some seconds ahead of one's clock.
    """
    tries = _TRIES_S if patient else _TRIES_S[:1]
    for number, pause in enumerate(tries, start=1):
        await asyncio.sleep(pause)
        try:
            return await _identity(document, timeout)
        except KubeError as error:
            if error.status != 401 or number == len(tries):
                raise
    raise AssertionError("unreachable")


def account_of(user: str) -> tuple[str, str] | None:
    """Return namespace and name of the ServiceAccount that `user` (`system:serviceaccount:NS:NAME`) is, else None."""
    found = _ACCOUNT.fullmatch(user)
    return (found[1], found[2]) if found else None


def parse_account(text: str, field: str = "account") -> tuple[str, str]:
    """Return namespace and name of `NS/NAME`; raises UserError naming `field`."""
    namespace, slash, account = text.partition("/")
    if not slash:
        title = msg("%(text)s does not name a ServiceAccount", text=text or '""')
        raise UserError(title, "", msg("Write its namespace and name, such as default/deployer."), field=field)
    require_account(namespace, account, field)
    return namespace, account


def require_account(namespace: str, account: str, field: str = "account") -> None:
    """Raise UserError (naming `field`) where Kubernetes would take no such namespace or ServiceAccount name."""
    problem: Text | None = namespace_problem(namespace)
    if problem is None and (len(account) > 253 or not _NAME.fullmatch(account) or ".." in account):
        problem = msg("The name of a ServiceAccount holds small letters a-z, digits, hyphens and dots only.")
    if problem is not None:
        title = msg("%(text)s does not name a ServiceAccount", text=f"{namespace}/{account}")
        raise UserError(title, problem, msg("Write its namespace and name, such as default/deployer."), field=field)


def require_user(user: str) -> None:
    """Raise UserError where no certificate can be asked for `user`."""
    if not user or len(user) > 64 or not user.isprintable():
        title = msg("No certificate can be asked for this user")
        reason = msg("A certificate's common name has 1 to 64 printable characters (RFC 5280).")
        raise UserError(title, reason, msg("Name the user that the new certificate is for."), field="user")


def require_signer(signer: str) -> None:
    """Raise UserError where `signer` is no name of a signer: a domain, a slash and a path (the API server's rule)."""
    if not _SIGNER.fullmatch(signer):
        title = msg("%(text)s does not name a signer", text=signer or '""')
        hint = msg("Write it as DOMAIN/NAME; that of Kubernetes is %(signer)s.", signer=signing.SIGNER)
        raise UserError(title, "", hint, field="signer")


def require_lifetime(seconds: int, most: int = LONGEST_S, field: str = "duration") -> None:
    """Raise UserError (naming `field`) for a lifetime outside what an API server takes."""
    if SHORTEST_S <= seconds <= most:
        return
    title = msg("A lifetime of %(seconds)s s is not possible", seconds=seconds)
    reason = msg("An API server gives 10 minutes at the least, and %(most)s s at the most.", most=most)
    raise UserError(title, reason, msg("Ask for 1h, 24h or 720h, for example."), field=field)


class _Given(msgspec.Struct, frozen=True, rename="camel"):
    token: str = ""
    expiration_timestamp: datetime.datetime | None = None

    def __repr__(self) -> str:
        return "_Given(***)"


class _TokenRequest(msgspec.Struct, frozen=True):
    status: _Given = _Given()


def _token_of(body: bytes, server: str) -> _Given:
    try:
        given = msgspec.json.decode(body, type=_TokenRequest).status
    except msgspec.MsgspecError:
        given = _Given()
    if not given.token:
        title = msg("%(server)s gave no token", server=server)
        reason = msg("Its answer is no TokenRequest with a token.")
        hint = msg("Check that the address is that of a Kubernetes API server.")
        raise UserError(title, reason, hint, code=ExitCode.FAILED)
    return given


_EXISTING: Text = msg("Name a ServiceAccount that is there, with its namespace.")
_SIGN_IN: Text = msg("The old credential is refused already. Let another cluster entry of the same server ask.")


def _explained(error: KubeError, namespace: str, account: str) -> KubeError:
    """Return the refusal of a TokenRequest with what it means here; the server's words stay as they are."""
    values = {"namespace": namespace, "account": account}
    title, hint = error.title, error.hint
    if error.status == 404:
        title, hint = msg("There is no ServiceAccount %(namespace)s/%(account)s", **values), _EXISTING
    elif error.status == 403:
        hint = msg(
            "Ask the administrator for the right to create serviceaccounts/token of %(account)s in %(namespace)s, or "
            "renew by another cluster entry that has it.",
            **values,
        )
    elif error.status == 401:
        hint = _SIGN_IN
    return KubeError(title, error.message, hint, code=error.code, status=error.status, reason=error.reason)


async def _proved(document: dict[str, Any], made: Renewed, seconds: int, timeout: float) -> Renewed:
    """Return `made` with who it is for, once the server has accepted it; raises UserError where it does not."""
    try:
        identity = await prove(with_secret(document, made.secret), timeout=timeout)
    except KubeError as error:
        if error.status != 401:
            raise
        title = msg("The server does not accept the new credential that it gave")
        hint = msg("The old one is kept. Check that the account still exists, and the audiences, then try again.")
        raise UserError(title, error.message, hint, code=ExitCode.UNREACHABLE) from error
    return msgspec.structs.replace(made, identity=identity, notes=_notes(made, seconds))


def _notes(made: Renewed, seconds: int) -> tuple[Text, ...]:
    if made.expires_at is None:
        return (msg("The server does not say when it ends."),)
    now = datetime.datetime.now(datetime.UTC)
    left = (made.expires_at - now).total_seconds() - made.clock_ahead
    notes: list[Text] = []
    if left < seconds - _CAPPED_S:
        notes.append(msg("The server gave %(left)s s of the %(asked)s s asked for.", left=round(left), asked=seconds))
    if abs(made.clock_ahead) >= _CAPPED_S:
        notes.append(_clock_note(made.clock_ahead))
    return tuple(notes)


def _clock_note(ahead: float) -> Text:
    if ahead > 0:
        return msg("The server's clock is %(seconds)s s ahead of this computer's.", seconds=round(ahead))
    return msg("The server's clock is %(seconds)s s behind this computer's.", seconds=round(-ahead))


async def _identity(document: dict[str, Any], timeout: float) -> Who:
    async with ClusterClient(document, timeout=timeout) as client:
        try:
            user = await review(client)
        except KubeError as error:
            if error.status not in (403, 404, 405) or ANONYMOUS in str(error.message):
                raise _as_refusal(error) from error
            await client.get("/api")  # a server that cannot say who we are still refuses a wrong credential
            return Who()
    if user.username == ANONYMOUS:
        raise _nobody(client.server)
    return user


def _as_refusal(error: KubeError) -> KubeError:
    if error.status == 403:
        return KubeError(error.title, error.message, error.hint, code=ExitCode.UNREACHABLE, status=401)
    return error


def _nobody(server: str) -> KubeError:
    title = msg("%(server)s refused the credentials", server=server)
    words = msg("The server knows no user of these credentials")
    return KubeError(title, words, "", code=ExitCode.UNREACHABLE, status=401)


def _login(secret: ClusterSecret) -> dict[str, str]:
    if secret.token:
        return {"token": secret.token}
    pair = {"client-certificate-data": secret.certificate, "client-key-data": secret.key}
    return {name: base64.b64encode(text.encode()).decode() for name, text in pair.items() if text}


def _utc(when: datetime.datetime | None) -> When:
    if when is None:
        return None
    return when.astimezone(datetime.UTC) if when.tzinfo else when.replace(tzinfo=datetime.UTC)
