"""Clusters: entries of the cluster list, what a person noted of them, and what a check of one found."""

from __future__ import annotations

import enum
import itertools
import re
from typing import Literal, TypeAlias, get_args

import msgspec

from ansflow_desktop.i18n import Text

Colour: TypeAlias = Literal["", "blue", "green", "yellow", "orange", "red", "purple", "grey"]
ClusterType: TypeAlias = Literal["", "kubernetes", "k3s", "openshift", "eks", "aks", "gke", "practice", "other"]
COLOURS: tuple[str, ...] = get_args(Colour)[1:]
"""The colours that a cluster can be marked with."""
CLUSTER_TYPES: tuple[str, ...] = get_args(ClusterType)[1:]
"""The kinds of clusters that a person tells apart."""


class ExecPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """The credential program that a kubeconfig user asks to run; `digest` identifies exactly this command.

    With `kept`, the values of the environment lie in the vault, as do arguments that look secret: `env` holds names
    with empty values then, `args` what may be shown. The digest is that of the whole command all the same.
    """

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    kept: bool = False

    @property
    def shown_env(self) -> tuple[tuple[str, str], ...]:
        """The environment as it is shown: a token or password is masked by its variable's name, anything else is not.

        What could be a program, a path or an option stays in sight: it is what a person has to judge (row 8).
        """
        return tuple((name, MASKED if self.kept or _hidden(name, value) else value) for name, value in self.env)

    @property
    def shown_args(self) -> tuple[str, ...]:
        """The arguments as they are shown: of `--client-secret=xyz` and `--client-secret xyz` only the name."""
        before = ("", *self.args)
        return tuple(itertools.starmap(_shown_arg, zip(before, self.args, strict=False)))

    def __repr__(self) -> str:
        """Name the program only: a representation ends up in logs and crash reports."""
        return f"ExecPlugin({self.command!r}, ***)"


MASKED = "***"
"""What stands in the place of a secret; typed for one that is kept, it stays as it is."""
_SECRET_WORD = re.compile(
    "tokens?|passwords?|passwd|passphrase|pwd|secrets?|keys?|(api|access|private|secret)key|(api|auth|access)token"
)
# words of a name whose value is what runs, where it lies or whom it asks; those below only as its last word
_RUNS = re.compile("helper|program|command|cmd|exec|process|plugin|script|binary|file|path|endpoint")
_ABOUT = re.compile(
    "tool|bin|shell|dir|directory|folder|cache|store|socket|mount|module|library|url|uri|host|server|address|issuer|"
    "audience|provider|config|env|source|name|id|ref|type|kind|method|mode|scope|ttl|expiry|expiration|timeout"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OPAQUE = re.compile(r"[A-Za-z0-9+=_.~-][A-Za-z0-9+/=_.~-]{7,}")


def _hidden(name: str, value: str) -> bool:
    """Say whether `value` is a secret by its name, which has to say so in a whole word: `--client-secret`, `apiKey`."""
    words = [word.lower() for word in _WORD.findall(name)]
    telling = any(map(_SECRET_WORD.fullmatch, words)) and not any(map(_RUNS.fullmatch, words))
    return (
        telling
        and not _ABOUT.fullmatch(words[-1])
        and bool(_OPAQUE.fullmatch(value))
        and not value.startswith((".", "-"))
    )


def _shown_arg(before: str, arg: str) -> str:
    name, separator, value = arg.partition("=")
    if separator and _hidden(name, value):
        return f"{name}={MASKED}"
    return MASKED if before.startswith("-") and "=" not in before and _hidden(before, arg) else arg


class ClusterMarks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person noted of a cluster, wherever its connection comes from; the user's kubeconfig is never written.

    `namespace` goes before that of the context. `read_only` and `production` are enforced where steps are run
    (conventions.md, 10). `default` marks the cluster that a start without a choice works in.
    """

    description: str = ""
    type: ClusterType = ""
    group: str = ""
    colour: Colour = ""
    namespace: str = ""
    read_only: bool = False
    production: bool = False
    default: bool = False


class OwnCluster(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cluster that was added by hand: how to reach it, without anything secret.

    `id` never changes and names its secret in the vault (`cluster/<id>`); `ca` is PEM text, empty for the system's
    authorities; `user` is what kubeconfigs call it. `auth` says what the vault holds: `token` a bearer token,
    `certificate` PEM of certificate and key, `exec` the environment of `exec_plugin` where that is `kept` (files of
    before hold it in plain until it is moved), `none` nothing at all.
    `exec_api_version` is that of the credential program.
    """

    id: str
    name: str
    server: str
    ca: str = ""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    user: str = ""
    auth: Literal["token", "certificate", "exec", "none"] = "token"
    exec_plugin: ExecPlugin | None = None
    exec_api_version: str = "client.authentication.k8s.io/v1"


class ClusterSecret(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the vault holds of a cluster: a bearer token, or a client certificate and its key (PEM). Never printed.

    Of a credential program `env` is the whole environment and `args` all arguments.
    """

    token: str = ""
    certificate: str = ""
    key: str = ""
    env: tuple[tuple[str, str], ...] = ()
    args: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Say nothing: a representation ends up in logs and crash reports."""
        return "ClusterSecret(***)"


class ClusterEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the cluster list: a context of a kubeconfig file, a practice cluster, or one added by hand.

    `name` is the context's name; `source` the file it came from, `practice`, or `own`; `namespace` the noted one, else
    the context's own default. `problem` says why the entry cannot be used (missing user, unreadable file), empty when
    it can. `marks` are its own; `read_only_by` and `production_by` name another entry of the same server whose mark
    holds for this one too, empty where none does or the entry has the mark itself.
    """

    name: str
    context: str
    server: str = ""
    source: str = ""
    user: str = ""
    namespace: str = ""
    exec_plugin: ExecPlugin | None = None
    insecure: bool = False
    problem: Text = ""
    marks: ClusterMarks = ClusterMarks()
    read_only_by: str = ""
    production_by: str = ""

    @property
    def held(self) -> ClusterMarks:
        """The notes as they are enforced: read-only and production by whatever entry of its server."""
        read_only = self.marks.read_only or bool(self.read_only_by)
        production = self.marks.production or bool(self.production_by)
        return msgspec.structs.replace(self.marks, read_only=read_only, production=production)


class Reach(enum.StrEnum):
    """What a check of a cluster found."""

    UNCHECKED = "unchecked"
    CHECKING = "checking"
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    APPROVAL_NEEDED = "approval_needed"
    LOCKED = "locked"  # its secret is in a locked vault: nothing was asked


class ClusterStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a check: `latency_ms` of one request, the server's `version`, why not, and `checked_at` (epoch s)."""

    name: str
    reach: Reach = Reach.UNCHECKED
    version: str = ""
    latency_ms: float = 0
    message: Text = ""
    checked_at: float = 0


class Finding(enum.StrEnum):
    """How one stage of a connection went; `skipped`: an earlier stage failed, or it does not apply."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    SKIPPED = "skipped"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a diagnosis (`address`, `proxy`, `dns`, `tcp`, `tls`, `api`, `credentials`, `rights`, `version`).

    `title` is what was found in plain words, `message` the words of server or system, `hint` what to do.
    """

    name: str
    finding: Finding
    title: Text
    message: Text = ""
    hint: Text = ""
    took_ms: float = 0


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection test found, stage by stage; `status` is the row of the list that follows from it."""

    status: ClusterStatus
    stages: tuple[Stage, ...] = ()
    user: str = ""
    groups: tuple[str, ...] = ()
    clock_ahead: float = 0

    @property
    def worst(self) -> Stage | None:
        """The stage at fault, else the first that warns, None when all is well."""
        for finding in (Finding.BAD, Finding.WARNING):
            for stage in self.stages:
                if stage.finding is finding:
                    return stage
        return None


class NamespaceList(msgspec.Struct, frozen=True, kw_only=True):
    """Namespaces of a cluster: `read_at` is epoch seconds; `complete` False where listing is forbidden.

    `message` says why they may not be all, or why they are old.
    """

    names: tuple[str, ...] = ()
    read_at: float = 0
    complete: bool = True
    message: Text = ""


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """CPU (cores) and memory (bytes)."""

    cpu: float = 0
    memory: float = 0


class ClusterStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one cluster; None where reading them is forbidden or nothing measures them.

    `workloads` maps kind (Deployment, StatefulSet, DaemonSet, Job) to health word and number; `pods` maps phase
    (Running, Pending, Succeeded, Failed, Unknown) to number. `used` is None without metrics.k8s.io. `messages` name
    what could not be read, in the server's words. `read_at` is epoch seconds. What pods request takes the longest to
    read: until then `complete` is False.
    """

    cluster: str
    version: str = ""
    complete: bool = True
    nodes: int | None = None
    nodes_ready: int | None = None
    namespaces: int | None = None
    pods: dict[str, int] | None = None
    workloads: dict[str, dict[str, int]] = {}
    requested: Amount | None = None
    allocatable: Amount | None = None
    used: Amount | None = None
    messages: tuple[Text, ...] = ()
    read_at: float = 0
