"""Credentials: what each is, what it says of itself, what the server says of it, and what to do. Never the secret."""

from __future__ import annotations

import datetime
import enum

import msgspec

from ansflow_desktop.i18n import Text

When = datetime.datetime | None
"""An aware time in UTC, None where there is none."""


class CredentialKind(enum.StrEnum):
    """What a credential is."""

    TOKEN = "token"  # noqa: S105  # a word, no secret
    TOKEN_FILE = "token_file"  # noqa: S105
    LEGACY_TOKEN = "legacy_token"  # noqa: S105  # of a Secret: without an end
    CLIENT_CERTIFICATE = "client_certificate"
    CA_CERTIFICATE = "ca_certificate"
    SERVER_CERTIFICATE = "server_certificate"
    EXEC_PLUGIN = "exec_plugin"
    OIDC_ID_TOKEN = "oidc_id_token"  # noqa: S105
    OIDC_REFRESH_TOKEN = "oidc_refresh_token"  # noqa: S105
    PASSWORD = "password"  # noqa: S105
    REGISTRY_LOGIN = "registry_login"
    IMAGE_PULL = "image_pull"


class ClaimVerdict(enum.StrEnum):
    """What a credential says of itself (cli.md)."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NO_EXPIRY = "no_expiry"
    RENEWS_ITSELF = "renews_itself"
    OPAQUE = "opaque"
    MALFORMED = "malformed"


class ServerVerdict(enum.StrEnum):
    """What the server answers to it now (cli.md)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not_asked"
    UNKNOWN = "unknown"


class CredentialStatus(enum.StrEnum):
    """The two verdicts as one word (ansflow-compat.md)."""

    NO_TOKEN = "no_token"  # noqa: S105
    INVALID = "invalid"
    WARNING = "warning"
    VALID = "valid"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a credential says of itself, unverified; times are aware and in UTC.

    `opaque`: it says nothing; `problem`: it cannot be read as what it should be (then nothing else is sure).
    `renews`: its program or file brings a new one by itself.
    """

    subject: str = ""
    groups: tuple[str, ...] = ()
    issuer: str = ""
    audience: tuple[str, ...] = ()
    issued_at: When = None
    not_before: When = None
    expires_at: When = None
    algorithm: str = ""
    serial: str = ""
    opaque: bool = False
    renews: bool = False
    problem: Text = ""
    notes: tuple[Text, ...] = ()


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Where a credential is used: the cluster's name in the list, and the field or file that holds it (no secret)."""

    cluster: str
    place: str = ""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One credential of the dashboard. `name` is `user @ context` (plus what it is where a user has several).

    `id` is stable over starts and says nothing of the secret (a keyed or truncated hash of place and kind).
    `fingerprint` is the first 12 hex digits of SHA-256 of the secret itself, so that a new one is noticed; for long
    secrets only, empty for passwords and short tokens.
    """

    id: str
    name: str
    kind: CredentialKind
    used_by: tuple[Use, ...] = ()
    claims: Claims = Claims()
    fingerprint: str = ""
    namespace: str = ""
    service_account: str = ""


class OldSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The Secret that an endless ServiceAccount token stands in; `account_uid` tells its cluster from every other."""

    namespace: str
    name: str
    account_uid: str


class ServerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered to a credential: who it took us for, the server's words, its clock against ours.

    `clock_ahead` is in seconds (the server's Date header minus our time); `checked_at` is aware UTC.
    """

    verdict: ServerVerdict = ServerVerdict.NOT_ASKED
    user: str = ""
    groups: tuple[str, ...] = ()
    message: Text = ""
    clock_ahead: float = 0
    checked_at: When = None


class Strategy(enum.StrEnum):
    """What is advised for a credential."""

    KEEP = "keep"
    TOKEN_REQUEST = "token_request"  # noqa: S105
    CSR = "csr"
    SIGN_IN = "sign_in"
    ROTATE_CERTIFICATE = "rotate_certificate"
    REPLACE_LEGACY = "replace_legacy"
    SHORTEN = "shorten"
    FIX_CLOCK = "fix_clock"
    FIX_ACCESS = "fix_access"
    CORRECT = "correct"
    ASK_ADMINISTRATOR = "ask_administrator"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do for a credential: what, why, what breaks otherwise; `immediate` or for the long run.

    `automation` names files that can be generated for it: bash, powershell, systemd, cronjob, exec.
    """

    strategy: Strategy
    title: Text
    why: Text = ""
    breaks: Text = ""
    immediate: bool = False
    automation: tuple[str, ...] = ()


class PriorityAction(msgspec.Struct, frozen=True, kw_only=True):
    """What to do first, numbered from 1, ordered by what breaks first."""

    number: int
    credential: str
    advice: Advice
    due: When = None


class CredentialReport(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the dashboard: the credential, both verdicts, never mixed, one sentence, and the advice."""

    credential: Credential
    claim_verdict: ClaimVerdict
    answer: ServerAnswer = ServerAnswer()
    status: CredentialStatus
    status_message: Text
    advice: tuple[Advice, ...] = ()
    lifetime_used: float | None = None
    read_at: When = None

    @property
    def server_verdict(self) -> ServerVerdict:
        """What the server answered."""
        return self.answer.verdict


class GeneratedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file that renews a credential by itself: name, text and mode, what it is for and how it is put to use."""

    name: str
    text: str
    mode: int
    about: Text
